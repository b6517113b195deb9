"""What a server needs to know from the agent's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.rpc.dial import Tls
from proconsul.engine.rpc.mux import HANDSHAKE_TIMEOUT_S, NO_TLS, TlsPolicy
from proconsul.engine.wire.hostport import Address
from proconsul.features.acl.settings import NO_ACLS, AclSettings
from proconsul.features.base import SECOND_NS
from proconsul.features.operator.model import AutopilotConfig

# Consul docs: autopilot.
DEFAULT_AUTOPILOT = AutopilotConfig(
    CleanupDeadServers=True, LastContactThreshold=SECOND_NS // 5, MaxTrailingLogs=250,
    ServerStabilizationTime=10 * SECOND_NS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RpcTls:
    """TLS between agents.

    incoming: of the RPC port. outgoing: for all connections to servers of this datacenter; None: in the clear.
    use_tls: what this server's tag of that name says to others.
    server_name: what the certificate of who wants to take part in Raft must name; empty: it is not looked at.
    domain: what the names of servers end with.
    """

    incoming: TlsPolicy = NO_TLS
    outgoing: Tls | None = None
    use_tls: bool = False
    server_name: str = ""
    domain: str = "consul"

    def towards(self, datacenter: str) -> Tls | None:
        """As ``outgoing``, for servers of another datacenter: they have names of their own."""
        if self.outgoing is None:
            return None
        return self.outgoing._replace(server_name=name_of_servers(datacenter, self.domain))


def name_of_servers(datacenter: str, domain: str) -> str:
    """What certificates of the servers of ``datacenter`` are for (Consul docs: verify_server_hostname)."""
    return f"server.{datacenter}.{domain}"


IN_THE_CLEAR = RpcTls()


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Settings of one server, or of a client agent, for which those of Raft mean nothing. Times are seconds.

    address: ``ip:port`` other servers reach this one at; also its Raft address.
    data_dir: empty keeps everything in memory (development mode).
    bootstrap: start a new datacenter with this server as its only voter when there is no state.
    bootstrap_expect: start one together with so many servers that expect the same.
    listen: where to accept calls of other agents; None for an agent without a network.
    tls: of the connections between agents, at the start.
    session_ttl_min_s: session_ttl_min, the lower bound of session TTLs.
    autopilot: the settings that the first leader writes; later the replicated ones win.
    autopilot_interval_s, server_health_interval_s: how often autopilot acts, and how often it asks for
    the servers' health.
    rpc_hold_timeout_s: how long a request waits for a leader during an election.
    rpc_handshake_timeout_s: until when a connection has said what it is for.
    pool_known_after_s: how long after the start the gossip pool is sure to have told of everybody who is in it.
    """

    node_name: str
    node_id: str
    datacenter: str
    address: str
    data_dir: str = ""
    bootstrap: bool = False
    bootstrap_expect: int = 0
    listen: Address | None = None
    tls: RpcTls = IN_THE_CLEAR
    session_ttl_min_s: float = 10.0
    rpc_hold_timeout_s: float = 7.0
    rpc_handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S
    # One of the periodic exchanges with another member (Consul docs: gossip).
    pool_known_after_s: float = 30.0
    coordinate_update_period_s: float = 5.0
    autopilot: AutopilotConfig = DEFAULT_AUTOPILOT
    autopilot_interval_s: float = 10.0
    server_health_interval_s: float = 2.0
    acl: AclSettings = NO_ACLS
    raft: RaftConfig = field(default_factory=RaftConfig)
