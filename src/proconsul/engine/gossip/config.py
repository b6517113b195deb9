"""Timing of a gossip pool, with the presets of Consul's pools (Consul docs: gossip_lan and gossip_wan)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

META_BYTES_MAX = 512
# protocol min, max, current; serf's delegate protocol min, max, current
VERSIONS = bytes((1, 5, 2, 2, 5, 4))


@dataclass(frozen=True, slots=True)
class SwimConfig:
    """How often, how long, how many. Times are seconds."""

    probe_interval_s: float = 1.0
    probe_timeout_s: float = 0.5
    indirect_checks: int = 3
    gossip_interval_s: float = 0.2
    gossip_nodes: int = 3
    gossip_to_dead_s: float = 30.0
    push_pull_interval_s: float = 30.0
    suspicion_mult: int = 4
    retransmit_mult: int = 4
    tcp_timeout_s: float = 10.0
    # The name of a node dead this long may come back with another address; 0: never (serf's own setting).
    reclaim_s: float = 30.0
    # Probes that got no answer over UDP are tried over TCP.
    stream_pings: bool = True
    # Bytes that encryption and label add to every datagram.
    packet_overhead_bytes: int = 0
    # Raises delegate.Refused for IP addresses that no member may have.
    allow: Callable[[str], None] | None = None
    # Lifeguard's parts can be switched off, to show what they are worth: SWIM with a fixed suspicion time-out.
    lifeguard: bool = True


LAN = SwimConfig()
WAN = SwimConfig(
    probe_interval_s=5.0, probe_timeout_s=3.0, gossip_interval_s=0.5, gossip_to_dead_s=60.0,
    push_pull_interval_s=60.0, suspicion_mult=6, tcp_timeout_s=30.0,
)  # fmt: skip
# Both ends on one machine (Consul's -dev).
LOCAL = SwimConfig(
    probe_interval_s=0.1, probe_timeout_s=0.1, gossip_interval_s=0.1, push_pull_interval_s=15.0, suspicion_mult=3,
    tcp_timeout_s=1.0,
)  # fmt: skip
