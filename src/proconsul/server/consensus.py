"""A server as the parts that work with Raft see it: leadership, autopilot, reconciliation, operators, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from proconsul.engine.meters import Meters
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire.hostport import Address
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.server.config import ServerConfig
from proconsul.server.gossip_port import GossipPort
from proconsul.server.membership import RaftMembers
from proconsul.server.peers import Peers
from proconsul.server.stats import ServerStats


class Consensus(Protocol):
    """The server behind its parts. Clocks: monotonic seconds, and nanoseconds since 1970."""

    config: ServerConfig
    datacenter: str
    node_name: str
    node_id: str
    address: str
    gossip: GossipPort
    state: State
    meters: Meters
    clock: Callable[[], float]
    wall_clock_ns: Callable[[], int]
    peers_known: Peers
    pool: ConnectionPool | None

    @property
    def raft(self) -> RaftNode:
        """Since the server was started."""

    @property
    def raft_members(self) -> RaftMembers: ...

    def knows(self) -> tuple[bool, int]:
        """See `proconsul.server.gate.Authority.knows`."""

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """See `features.server.Server.propose`."""

    def raft_stats(self) -> ServerStats:
        """What autopilot wants to know of this server."""

    def leader_address(self) -> str:
        """``ip:port`` of who leads, as this server knows it."""

    def whom_to_ask(self) -> Address | None:
        """The leader's address; None when nobody is known, or we lead."""

    def died(self, error: BaseException) -> None:
        """A part without which there is no server has ended by ``error``."""
