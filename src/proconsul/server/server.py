"""A server: a node with Raft, the state machine and an RPC port. Composition only; leadership is `Leadership`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from proconsul.engine.completion import Completion
from proconsul.engine.gossip.member import Member
from proconsul.engine.raft.configuration import Configuration, Suffrage
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.disk import OpenDisk, open_disk
from proconsul.engine.raft.errors import BootstrapError, NotLeaderError, RaftError
from proconsul.engine.raft.log import LogStore, MemoryLog, SqliteLog
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import DirectorySnapshots, MemorySnapshots, SnapshotStore
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.store.table import Store
from proconsul.engine.supervision import supervised
from proconsul.engine.threads import on_thread
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.record import replace
from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.permission import ACLPermission
from proconsul.features.acl.placement import Placement
from proconsul.features.acl.resolver import Resolver
from proconsul.features.acl.state import ACLState
from proconsul.features.acl.token_rights import AskedTokenRights, OwnTokenRights, TokenRights
from proconsul.features.base import SECOND_NS, DCSpecificRequest, QueryMeta
from proconsul.features.coordinate.endpoint import Coordinates
from proconsul.features.errors import ConsulError, DatacenterUnreachable, NoLeader, NoPathToDatacenter
from proconsul.features.event.model import FIRE, EventFireRequest
from proconsul.features.keyring.model import OPERATE, KeyringRequest, KeyringResponses
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.options import Options
from proconsul.features.permission import AllowEverything, Permission
from proconsul.features.server import ReadMethod, WriteMethod
from proconsul.features.session.model import Session
from proconsul.features.status.model import LEADER, PEERS
from proconsul.features.txn.model import TxnError, TxnOp
from proconsul.server.acl_replication import AclReplication
from proconsul.server.config import ServerConfig
from proconsul.server.data_dir import check_whole, put_up_sign, refuse_foreign, warn_of_strangers
from proconsul.server.forwarding import Way
from proconsul.server.fsm import FSM, encode_command
from proconsul.server.gate import Gate
from proconsul.server.gossip_port import GossipPort
from proconsul.server.leadership import Leadership
from proconsul.server.lock_delays import LockGate
from proconsul.server.membership import Bootstrapping, RaftMembers
from proconsul.server.network import ServerNetwork
from proconsul.server.node import ASK_TIMEOUT_S, LEADER_POLL_S, ConsulNode
from proconsul.server.operating import Operating
from proconsul.server.peers import parse_address
from proconsul.server.recovery import recover
from proconsul.server.request_limits import Limiting, RequestLimits
from proconsul.server.secondary_gate import SecondaryGate
from proconsul.server.server_details import ServerDetails
from proconsul.server.snapshotting import LocalArchives
from proconsul.server.stats import ServerStats

log = logging.getLogger("agent.server")
raft_log = logging.getLogger("agent.server.raft")


class ConsulServer(ConsulNode):
    """One server of a datacenter.

    ``give_up`` is called when it cannot go on: its log is damaged, or a part of it died by a fault of the program.
    """

    is_client = False

    def __init__(
        self,
        config: ServerConfig,
        gossip: GossipPort,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ns: Callable[[], int] = time.time_ns,
        rng: random.Random | None = None,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config, gossip, clock=clock, wall_clock_ns=wall_clock_ns, rng=rng)
        self._give_up = give_up
        # The fault that ended it.
        self.death: BaseException | None = None
        # Of a secondary datacenter: the secret with which its leader asks the primary.
        self.replication_token: Callable[[], str] = str
        acl = config.acl
        self.acl_replication: AclReplication | None = None
        if acl.enabled and acl.primary:
            self.acl_replication = AclReplication(self, self.endpoint(ACL))
        self.leadership = self._make_leadership()
        self.fsm = FSM(self.state, self.leadership.took_effect, self._restored)
        self._lock_gate = LockGate()
        # Requests above what may be asked: how many of which limit, method and mode.
        self.over_limit: Counter[tuple[str, str, str]] = Counter()
        self.network = self._make_network(self.pool) if self.pool is not None else None
        self.gate.serve(calls=Operating(self, self.leadership.autopilot).calls)
        self.gate.serve(calls={
            OPERATE: self._operate_keys, FIRE: self._fire_event, LEADER: self._leader, PEERS: self._peers
        })  # fmt: skip
        self._bootstrapping: Bootstrapping | None = None
        self._monitor: asyncio.Task[None] | None = None
        self._opened: tuple[LogStore, SnapshotStore, OpenDisk] | None = None
        self._raft: RaftNode | None = None

    def wan_member_changed(self) -> None:
        """See `ConsulNode.wan_member_changed`."""
        super().wan_member_changed()
        if self.acl_replication is not None:
            self.acl_replication.hurry()

    @property
    def started(self) -> bool:
        """Whether there is a Raft already."""
        return self._raft is not None

    @property
    def raft(self) -> RaftNode:
        """Since the server was started."""
        assert self._raft is not None, "the server has not started"
        return self._raft

    # ------------------------------------------------------------------ life

    async def open(self) -> None:
        """Open the data directory and see that log and snapshots are of use, before anybody hears of this server.

        Raises RaftError when the directory is in use or damaged.
        """
        log_store, snapshots, _ = self._opened = self._storage()
        try:
            if self.config.data_dir:
                directory = Path(self.config.data_dir) / "raft"
                await on_thread(recover, directory, log_store, snapshots)
                await on_thread(check_whole, directory, log_store, snapshots)
        except BaseException:
            log_store.close()
            self._opened = None
            raise

    async def start(self) -> None:
        """Load the state and join consensus. Raises RaftError when it is damaged."""
        if self._opened is None:
            await self.open()
        assert self._opened is not None
        log_store, snapshots, open_disk = self._opened
        self._raft = RaftNode(
            self.config.raft, self.node_id, self.address, log_store, snapshots, self.fsm,
            self.network.transport if self.network is not None else None, self.rng, note=raft_log.info,
            open_disk=open_disk, meters=self.meters, died=self.died,
        )  # fmt: skip
        self.raft_members = RaftMembers(self.raft, self.peers_known, self.node_id, self._ask_peers)
        await self.raft.start()
        warn_of_strangers(self.raft.members, self.node_id)
        loaded = self.raft.loaded_snapshot
        if loaded is not None:
            self.leadership.loaded(loaded.index, loaded.taken_at_s)
        if self.network is not None and self.config.listen is not None:
            await self.network.listen(self.config.listen)
        if not self.raft.has_state and self.config.bootstrap:
            own = RaftServer(Suffrage.VOTER, self.node_id, self.address)
            try:
                self.raft.bootstrap(Configuration((own,)))
            except BootstrapError as error:
                raft_log.error("failed to bootstrap: error=%s", error)
        self._monitor = supervised(self.leadership.monitor(), self.died)
        if self.config.bootstrap_expect > 1:
            self._bootstrapping = Bootstrapping(
                self.raft, self.peers_known, self.config.bootstrap_expect, self.node_name, self._ask_peers
            )
            self._bootstrapping.look()

    def died(self, error: BaseException) -> None:
        """A part without which there is no server has ended by ``error``."""
        known = isinstance(error, RaftError | OSError)
        log.critical("the server cannot go on and ends: error=%s", error, exc_info=None if known else error)
        self.death = self.death or error
        self._give_up()

    async def _ask_peers(self, server: ServerDetails) -> list[str]:
        """The Raft peers that ``server`` knows of. Raises RpcFailure."""
        assert self.pool is not None
        args = DCSpecificRequest(Datacenter=self.datacenter)
        reply: list[str] = await self.pool.call(
            server.address, "Status.Peers", args, list[str], timeout_s=ASK_TIMEOUT_S
        )
        return reply

    # What a simulation has other ones of: where the state is kept, and the way to the others.

    def _storage(self) -> tuple[LogStore, SnapshotStore, OpenDisk]:
        if not self.config.data_dir:
            return MemoryLog(), MemorySnapshots(), open_disk
        directory = Path(self.config.data_dir) / "raft"
        refuse_foreign(directory)
        entries = SqliteLog(directory)
        put_up_sign(directory)
        return entries, DirectorySnapshots(directory / "snapshots", log=raft_log.warning), open_disk

    def _make_network(self, pool: ConnectionPool) -> ServerNetwork:
        return ServerNetwork(
            self, pool, self.peers_known, handshake_timeout_s=self.config.rpc_handshake_timeout_s
        )  # fmt: skip

    def limit_serving(self, mode: Limiting, read_rate: float, write_rate: float, conns_per_client_max: int) -> None:
        """How many requests a second, and connections of one address, are taken from now on (see `RequestLimits`)."""
        self.gate.limits = None if mode is Limiting.DISABLED else RequestLimits(
            mode, read_rate, write_rate, self.clock, lambda: self.on_duty, self.over_limit)  # fmt: skip
        if self.network is not None:
            self.network.limit_connections(conns_per_client_max)

    def _make_leadership(self) -> Leadership:
        made = Leadership(self, self.endpoint(Coordinates).flush, self.endpoint(ACL))
        if self.acl_replication is not None:
            made.take_on(self.acl_replication)
        return made

    def _make_rights(self) -> TokenRights:
        return OwnTokenRights(self.resolver, self._asked_rights())

    def _asked_rights(self) -> AskedTokenRights | None:
        """Who asks the primary about tokens, where this datacenter copies none."""
        acl = self.acl_settings
        if not acl.enabled or acl.local_tokens:
            return None
        told = ACLState(Store(self.state.store.watches))
        resolver = Resolver(
            told, enabled=True, default_allow=acl.default_allow, datacenter=self.datacenter,
            wall_clock_ns=self.wall_clock_ns,
        )  # fmt: skip
        self.resolver.asked = asked = AskedTokenRights(
            told, resolver, acl, self._ask_primary, self.clock, datacenter=acl.primary, meters=self.meters, abroad=True
        )
        return asked

    async def _ask_primary(self, method: ReadMethod, args: Any) -> Any:
        options = Options(0, 0, "stale", False, "")
        found = await self.gate.found(self.gate.reading(method, args), options, args.Token, self.acl_settings.primary)
        return found.reply

    def _make_gate(self, permission: Permission, rng: random.Random) -> Gate:
        acl = self.acl_settings
        if not (acl.enabled and acl.primary):
            return super()._make_gate(permission, rng)
        made = SecondaryGate(
            self, self.views, self.forwarding, self.datacenter, permission=permission, rng=rng
        )  # fmt: skip
        return made.prepare(Placement(self.state.acl, acl).placed, self.rights)

    def _make_permission(self) -> Permission:
        acl = self.acl_settings
        if not acl.enabled:
            return AllowEverything()
        return ACLPermission(
            self.resolver, self.state, key_list_policy=acl.key_list_policy, meters=self.meters, clock=self.clock
        )  # fmt: skip

    def _local_archives(self) -> LocalArchives:
        return LocalArchives(self)

    async def stop(self) -> None:
        self.leadership.stop()
        if self._monitor is not None:
            self._monitor.cancel()
            await asyncio.gather(self._monitor, return_exceptions=True)
        if self._bootstrapping is not None:
            await self._bootstrapping.stop()
        if self.network is not None:
            await self.network.close()
        if self.pool is not None:
            await self.pool.close()
        if self._raft is not None:
            await self._raft.stop()
        elif self._opened is not None:
            self._opened[0].close()

    # ------------------------------------------------------------------ what endpoints use

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """Replicate a command; for a server that leads."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.propose_for(future, kind, request)
        return future

    def propose_for(self, waiter: Completion, kind: MessageType, request: Any) -> None:
        """As `propose`, but the outcome goes to ``waiter`` the moment it is there, without a turn of the event loop."""
        data = encode_command(kind, request)
        self.raft.propose_for(waiter, data, request, chunked=kind is MessageType.KVS)

    def locking(self, waiter: Completion, keys: Iterable[str], begin: Callable[[Completion], None]) -> None:
        """See `Server.locking`."""
        self._lock_gate.enter(waiter, keys, begin)

    def lock_delayed(self, entry: DirEntry) -> bool:
        """See `Server.lock_delayed`."""
        return self.leadership.lock_delayed(entry)

    def renew(self, session: Session) -> None:
        """See `Server.renew`."""
        self.leadership.renew(session)

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """See `Server.rehearse`."""
        return self.fsm.rehearse(ops)

    def unavailable(self) -> ConsulError:
        """Somebody will lead, perhaps soon."""
        return NoLeader()

    async def knows_leader(self) -> bool:
        """See `ConsulNode.knows_leader`."""
        return self.leading or self.whom_to_ask() is not None

    # ------------------------------------------------------------------ other servers

    def whom_to_ask(self) -> Address | None:
        """The leader; None when nobody is known to lead, or we do."""
        if self.pool is None:
            return None
        leader_id = self.raft.leader_id
        if leader_id is None or leader_id == self.node_id:
            return None
        return self.peers_known.address_by_id(leader_id) or parse_address(self.raft.leader_address)

    def way_to(self, datacenter: str) -> Way:
        """See `server.gate.Authority`."""
        peers = self.datacenters.peers(datacenter)
        if peers is None:
            raise NoPathToDatacenter()
        return Way(
            datacenter, peers.any, peers.failed, DatacenterUnreachable, lambda: False, None, lambda: len(peers.alive()),
            lambda: self.tls.towards(datacenter),
        )  # fmt: skip

    def handed_on(self, waiter: Completion, method: WriteMethod, args: Any) -> bool:
        """See `Server.handed_on`."""
        if self.leading or (self.on_duty and self.raft.hears_quorum(self.clock())):
            return False
        self.gate.forward_write(waiter, method, args)
        return True

    @property
    def on_duty(self) -> bool:
        """See `Authority.on_duty`."""
        return self.leadership.on_duty

    @property
    def leading(self) -> bool:
        """See `Authority.leading`."""
        return self.leadership.on_duty and self.raft.has_lease(self.clock())

    def answers(self, consistency: str) -> bool:
        """See `Authority.answers`."""
        if consistency == "stale":
            # Who never heard a leader knows nothing yet, and who has only just done so what was true long ago.
            return (self.on_duty or self.raft.last_contact is not None) and self.raft.is_up_to_date
        return self.leading and (consistency != "consistent" or self.raft.is_leader_sync())

    async def may_answer(self, consistency: str) -> bool:
        """See `Authority.may_answer`. Raises ConsulError when nobody leads in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.config.rpc_hold_timeout_s
        while True:
            if self.on_duty:
                try:
                    if consistency == "consistent" or not self.leading:
                        await self.raft.verify_leader()
                    return True
                except NotLeaderError:
                    # The leader loop has not heard of it yet, and cannot unless we give way.
                    await asyncio.sleep(0)
            elif self.whom_to_ask() is not None:
                return False
            if loop.time() >= until:
                raise self.unavailable()
            await self._leads_within(min(LEADER_POLL_S, until - loop.time() + 0.001))

    async def _look_again(self) -> None:
        await self._leads_within(LEADER_POLL_S)

    async def _leads_within(self, seconds: float) -> None:
        """Return when this server leads, or later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.leadership.established.wait()
                if not self.leading:
                    with contextlib.suppress(RaftError):
                        await self.raft.verify_leader()
                    # The leader loop may have to hear that it is over.
                    await asyncio.sleep(0)

    async def when_ready(self, deadline_s: float) -> bool:
        """Wait for leadership, up to ``deadline_s`` seconds."""
        await self._leads_within(deadline_s)
        return self.leadership.established.is_set()

    def knows(self) -> tuple[bool, int]:
        """See `Authority.knows`."""
        if self.on_duty:
            if self.raft.has_lease(self.clock()):
                return True, 0
            contact = self.raft.quorum_contact() or self.raft.last_contact  # deposed, perhaps, without knowing yet
        else:
            contact = self.raft.last_contact
        return bool(self.raft.leader_address), 0 if contact is None else int(contact * 1000) * 1_000_000

    def raft_stats(self) -> ServerStats:
        """What autopilot wants to know of this server."""
        contact = self.raft.last_contact
        if contact is None:
            text = "never"
        else:
            text = "0" if self.on_duty else format_duration(int(contact * SECOND_NS))
        return ServerStats(text, self.raft.last_term, self.raft.last_index)

    def leader_address(self) -> str:
        return self.raft.leader_address

    # ------------------------------------------------------------------ calls that are neither reads nor writes

    async def _leader(self, args: DCSpecificRequest) -> str:
        return self.leader_address()

    async def _peers(self, args: DCSpecificRequest) -> list[str]:
        return [server.address for server in self.raft.members.servers]

    async def _operate_keys(self, args: KeyringRequest) -> KeyringResponses:
        """On our own pools, then on those of all other datacenters. Raises ConsulError when one cannot be asked."""
        replies = [await self.gossip.operate_keys(args)]
        if not (args.Forwarded or args.LocalOnly):
            others = sorted(name for name in self.datacenters_by_distance() if name != self.datacenter)
            asked = [self.gate.call(OPERATE, replace(args, Datacenter=name, Forwarded=True)) for name in others]
            replies += await asyncio.gather(*asked)
        return KeyringResponses(
            Responses=[response for reply in replies for response in reply.Responses or ()], KnownLeader=True
        )

    async def _fire_event(self, args: EventFireRequest) -> QueryMeta:
        self.gossip.fire_event(args.Name, args.Payload)
        return QueryMeta(KnownLeader=True)

    # ------------------------------------------------------------------ what happens

    def _restored(self) -> None:
        """The state was replaced: wake everybody, and let a leader start its duties anew."""
        self.views.abandon()
        self.leadership.restored(self.fsm.applied_index)

    def member_changed(self, member: Member) -> None:
        """See `ConsulNode.member_changed`; a leader brings the catalog in line, too."""
        super().member_changed(member)
        self.leadership.member_changed(member)
        if self._bootstrapping is not None:
            self._bootstrapping.look()

    def stats(self) -> dict[str, str]:
        """The ``raft`` block of /v1/agent/self."""
        return self.raft.stats()
