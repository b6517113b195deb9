"""What a server and a client agent have in common: the servers they know, the way to them, endpoints and the gate."""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from proconsul.engine.completion import Completion
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.meters import Meters
from proconsul.engine.rpc.pool import CLIENT_LIMITS, SERVER_LIMITS, ConnectionPool
from proconsul.engine.store.view import Views
from proconsul.engine.token_bucket import TokenBucket
from proconsul.engine.wire.hostport import Address
from proconsul.features.acl.resolver import Resolver
from proconsul.features.acl.token_rights import TokenRights
from proconsul.features.base import SECOND_NS
from proconsul.features.coordinate.endpoint import WanCoordinate
from proconsul.features.errors import ConsulError
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.permission import AllowEverything, Permission
from proconsul.features.registry import FEATURES
from proconsul.features.server import CallMethod, WriteMethod
from proconsul.features.session.model import Session
from proconsul.features.state import State
from proconsul.features.txn.model import TxnError, TxnOp
from proconsul.server.config import ServerConfig
from proconsul.server.datacenters import Datacenters
from proconsul.server.forwarding import Forwarding, Way
from proconsul.server.gate import Gate
from proconsul.server.gossip_port import GossipPort
from proconsul.server.peers import Peers
from proconsul.server.snapshotting import LocalArchives, SnapshotArchives

T = TypeVar("T")
ASK_TIMEOUT_S = 5.0
# How often a request that found no leader looks again.
LEADER_POLL_S = 0.1
# All of a machine's addresses: no source of anything.
ANY_ADDRESS = ("", "0.0.0.0", "::")


class ConsulNode(ABC):
    """Implements what `features.server.Server`, `server.gate.Authority` and doors need of any node."""

    def __init__(
        self,
        config: ServerConfig,
        gossip: GossipPort,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ns: Callable[[], int] = time.time_ns,
        rng: random.Random | None = None,
    ) -> None:
        self.config, self.gossip = config, gossip
        self.datacenter, self.node_name, self.node_id = config.datacenter, config.node_name, config.node_id
        self.address = config.address
        # Another one after a reload; connections that are made from then on use it.
        self.tls = config.tls
        self.clock, self.wall_clock_ns = clock, wall_clock_ns
        # Also what secrets are made of: nobody may work out the next from ids that were seen.
        self.rng = rng or random.SystemRandom()
        self.meters = Meters()
        self.session_ttl_min_ns = int(config.session_ttl_min_s * SECOND_NS)
        self.state = State()
        self.views: Views = Views(self.state.store.watches, self._soon)
        self.acl_settings = acl = config.acl
        self.resolver = Resolver(
            self.state.acl, enabled=acl.enabled, default_allow=acl.default_allow, datacenter=self.datacenter,
            wall_clock_ns=wall_clock_ns,
        )  # fmt: skip
        self.rights = self._make_rights()
        self.endpoints = {feature: feature.endpoint(self) for feature in FEATURES if feature.endpoint is not None}
        # What may be asked of servers; None for anything.
        self._calls: TokenBucket | None = None
        self.peers_known = Peers(gossip.members, self.rng)
        # Of a client it knows no more than our own datacenter.
        self.datacenters = Datacenters(
            self.datacenter, self.node_name, gossip.wan_members, gossip.wan_coordinates, self.rng
        )  # fmt: skip
        # None for a node without a network.
        self.pool = self._make_pool() if config.listen is not None else None
        home = Way(
            self.datacenter, self.whom_to_ask, self.peers_known.failed, self.unavailable, lambda: self.leading,
            self._look_again,
        )  # fmt: skip
        self.forwarding = Forwarding(self.pool, home, hold_timeout_s=config.rpc_hold_timeout_s, rng=self.rng)
        self.gate = self._make_gate(self._make_permission(), random.Random(self.rng.getrandbits(64)))
        for endpoint in self.endpoints.values():
            self.gate.serve(endpoint.reads, endpoint.writes, endpoint.calls)
        self.archives = SnapshotArchives(self, self._local_archives())

    @staticmethod
    def _soon(callback: Callable[[], None]) -> object:
        return asyncio.get_running_loop().call_soon(callback)

    @property
    def permission(self) -> Permission:
        """See `Server.permission`."""
        return self.gate.permission

    def _make_gate(self, permission: Permission, rng: random.Random) -> Gate:
        return Gate(self, self.views, self.forwarding, self.datacenter, permission=permission, rng=rng)

    async def call(self, method: CallMethod, args: Any) -> Any:
        """See `Server.call`."""
        return await self.gate.call(method, args)

    def _make_permission(self) -> Permission:
        """A client lets everybody ask: servers see whose token it is."""
        return AllowEverything()

    @abstractmethod
    def _make_rights(self) -> TokenRights:
        """Who says what a token may do at this node."""

    def endpoint(self, kind: type[T]) -> T:
        """The endpoint of a class."""
        return next(found for found in self.endpoints.values() if isinstance(found, kind))

    def _local_archives(self) -> LocalArchives | None:
        """Who makes archives of our own state; None for those that have none."""
        return None

    def _make_pool(self) -> ConnectionPool:
        """Dials from the address that is bound: servers count the connections of each, and firewalls know it."""
        listen, limits = self.config.listen, CLIENT_LIMITS if self.is_client else SERVER_LIMITS
        source = "" if listen is None or listen.host in ANY_ADDRESS else listen.host
        return ConnectionPool(limits, source=source, tls=lambda: self.tls.outgoing)

    # ------------------------------------------------------------------ life

    @abstractmethod
    async def open(self) -> None:
        """See that what is kept on disk is of use, before anybody hears of this node. Raises RaftError."""

    @abstractmethod
    async def start(self) -> None:
        """Begin to work. Raises RaftError and OSError."""

    @abstractmethod
    async def stop(self) -> None:
        """End everything."""

    def member_changed(self, member: Member) -> None:
        """The gossip pool's view of ``member`` changed."""
        self.peers_known.changed()

    def has_agent(self, node: str) -> bool:
        """See `features.server.Server`."""
        name = node.lower()
        return any(
            member.name.lower() == name and member.status is MemberStatus.ALIVE for member in self.gossip.members()
        )

    def limit_calls(self, rate: float, burst: int) -> None:
        """Let a client agent ask servers ``rate`` times a second and ``burst`` times at once.

        There is no limit where either is no more than 0, nor for a server's calls.
        """
        limited = self.is_client and 0 < rate < sys.float_info.max and burst > 0
        self._calls = TokenBucket(rate, burst, self.clock()) if limited else None

    def wan_member_changed(self) -> None:
        """The view of a member of the pool of all datacenters' servers changed."""
        self.datacenters.changed()

    def doubt_servers(self) -> None:
        """A server has failed or ceased to lead: what was asked of it may never be answered."""
        if self.pool is not None:
            self.pool.examine()

    # ------------------------------------------------------------------ who leads: see `server.gate.Authority`

    @property
    @abstractmethod
    def is_client(self) -> bool: ...

    @property
    @abstractmethod
    def on_duty(self) -> bool: ...

    @property
    @abstractmethod
    def leading(self) -> bool: ...

    @abstractmethod
    def answers(self, consistency: str) -> bool: ...

    @abstractmethod
    async def may_answer(self, consistency: str) -> bool: ...

    @abstractmethod
    def knows(self) -> tuple[bool, int]: ...

    @abstractmethod
    def unavailable(self) -> ConsulError:
        """Why nothing can be asked or written now."""

    def refusal(self, error: ConsulError) -> str:
        """What is said of a read that its own text refuses: a server does that."""
        return error.text

    @abstractmethod
    async def knows_leader(self) -> bool:
        """Whether writes have somewhere to go, found out without waiting for that."""

    @abstractmethod
    async def when_ready(self, deadline_s: float) -> bool:
        """Wait for leadership of this node, up to ``deadline_s`` seconds; whether it has that."""

    # ------------------------------------------------------------------ other servers

    @abstractmethod
    def whom_to_ask(self) -> Address | None:
        """A client asks any server, a server the leader. None when nobody is known, or we lead."""

    @abstractmethod
    def way_to(self, datacenter: str) -> Way:
        """See `server.gate.Authority`."""

    def datacenters_by_distance(self) -> list[str]:
        """See `Server.datacenters_by_distance`."""
        return self.datacenters.by_distance()

    @abstractmethod
    async def _look_again(self) -> None:
        """Wait a moment for somebody to lead."""

    # ------------------------------------------------------------------ for endpoints: see `features.server.Server`

    @abstractmethod
    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]: ...

    @abstractmethod
    def propose_for(self, waiter: Completion, kind: MessageType, request: Any) -> None: ...

    @abstractmethod
    def locking(self, waiter: Completion, keys: Iterable[str], begin: Callable[[Completion], None]) -> None: ...

    @abstractmethod
    def lock_delayed(self, entry: DirEntry) -> bool: ...

    @abstractmethod
    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None: ...

    @abstractmethod
    def handed_on(self, waiter: Completion, method: WriteMethod, args: Any) -> bool: ...

    @abstractmethod
    def renew(self, session: Session) -> None: ...

    def wan_coordinates(self) -> Iterable[WanCoordinate] | None:
        """See `GossipPort`."""
        return self.gossip.wan_coordinates()

    def new_id(self) -> str:
        """See `Server.new_id`."""
        while True:
            candidate = str(uuid.UUID(int=self.rng.getrandbits(128)))
            if self.state.kv.session(candidate) is None:
                return candidate
