"""Settings of serf's layer, with serf's defaults and Consul's as differences (gossip wire reference, serf)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from proconsul.engine.gossip.config import VERSIONS
from proconsul.engine.gossip.member import Member
from proconsul.engine.wire.durations import parse_duration

# serf's ceiling for the configured limit of user events: beyond it they no longer travel well over UDP.
USER_EVENT_BYTES_CEILING = 9 * 1024
HOUR_S = 3600.0
# Consul: how long this client wants to be remembered after it failed (advertise_reconnect_timeout).
RECONNECT_TAG = "rc_tm"

Accept = Callable[[Sequence[Member]], None]
ReconnectTimeout = Callable[[Member, float], float]


def accept_all(members: Sequence[Member]) -> None:
    """No rules of admission."""


def same_for_all(member: Member, configured_s: float) -> float:
    """Every member is remembered equally long."""
    return configured_s


def client_reconnect_timeout(member: Member, configured_s: float) -> float:
    """Consul's clients may ask for another time with a tag; servers may not."""
    wanted = member.tags.get(RECONNECT_TAG, "")
    if not wanted or member.tags.get("role") == "consul":
        return configured_s
    try:
        return parse_duration(wanted) / 1e9
    except ValueError:
        return configured_s


@dataclass(frozen=True, slots=True)
class SerfConfig:
    """How long, how much, how many. Times are seconds; the defaults are serf's."""

    name: str
    # How many Lamport times back events and queries are told from their repetitions.
    event_buffer: int = 512
    query_buffer: int = 512
    # Name and payload of a user event, and the event encoded. Raises ValueError above 9 KiB.
    user_event_bytes_max: int = 512
    query_bytes_max: int = 1024
    query_response_bytes_max: int = 1024
    reap_interval_s: float = 15.0
    reconnect_interval_s: float = 30.0
    # How long failed members are remembered and tried again, and how long those that left are remembered.
    reconnect_timeout_s: float = 24 * HOUR_S
    tombstone_timeout_s: float = 24 * HOUR_S
    # A member that comes back sooner than this after failing is flapping.
    flap_window_s: float = 60.0
    # After leaving, how long to go on answering so that the news spreads.
    leave_propagate_delay_s: float = 1.0
    # How long a leave or a forced leave waits for its intent to be sent its number of times.
    broadcast_timeout_s: float = 5.0
    # How long intents about members not known yet are kept.
    intent_timeout_s: float = 300.0
    # memberlist's, for the time-out of queries and the number of transmissions.
    gossip_interval_s: float = 0.2
    retransmit_mult: int = 4
    # Queues are looked at this often: a warning from the one depth, messages dropped above the other. With a minimum
    # the latter grows with the pool: twice its members, but at least the minimum.
    queue_check_interval_s: float = 30.0
    queue_depth_warning: int = 128
    queue_depth_max: int = 4096
    queue_depth_min: int = 0
    # Whether a restart joins the members of the snapshot even after a leave.
    rejoin_after_leave: bool = False
    # Raises Refused for members that may not be in the pool: all of a push/pull, or the one of an alive message.
    accept: Accept = accept_all
    reconnect_timeout_of: ReconnectTimeout = same_for_all
    versions: bytes = VERSIONS

    def __post_init__(self) -> None:
        if self.user_event_bytes_max > USER_EVENT_BYTES_CEILING:
            raise ValueError(f"user event size limit exceeds limit of {USER_EVENT_BYTES_CEILING} bytes")

    def queue_limit(self, members: int) -> int:
        """How many messages a queue may hold in a pool of that many members."""
        if self.queue_depth_min > 0:
            return max(2 * members, self.queue_depth_min)
        return self.queue_depth_max


def consul(name: str, **changes: Any) -> SerfConfig:
    """Consul's settings for its pools."""
    settings: dict[str, Any] = {
        "reconnect_timeout_s": 72 * HOUR_S,
        "leave_propagate_delay_s": 3.0,
        "queue_depth_warning": 1_000_000,
        "queue_depth_min": 4096,
        "reconnect_timeout_of": client_reconnect_timeout,
    }
    return SerfConfig(name, **(settings | changes))
