"""A server: Raft, the state machine, the endpoints and, while it leads, the leader's duties. Composition only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proconsul.engine.gossip.member import Member
from proconsul.engine.meters import Meters
from proconsul.engine.raft.configuration import Configuration, Suffrage
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.disk import OpenDisk, open_disk
from proconsul.engine.raft.errors import BootstrapError, NotLeaderError, RaftError
from proconsul.engine.raft.log import LogStore, MemoryLog, SqliteLog
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import DirectorySnapshots, MemorySnapshots, SnapshotStore
from proconsul.engine.rpc.dial import Address
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.engine.settled import Settled
from proconsul.engine.store.view import Views
from proconsul.engine.supervision import supervised
from proconsul.engine.threads import on_thread
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.permission import ACLPermission
from proconsul.features.acl.resolver import Resolver
from proconsul.features.acl.rules import Level
from proconsul.features.base import SECOND_NS, DCSpecificRequest
from proconsul.features.catalog.endpoint import Catalog
from proconsul.features.coordinate.endpoint import Coordinates
from proconsul.features.errors import ConsulError, NoLeader, NoServers
from proconsul.features.health.endpoint import Health
from proconsul.features.kv.endpoint import KVS
from proconsul.features.kv.model import DirEntry, TombstoneRequest
from proconsul.features.kv.state import TombstoneMade
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import KeyOperation, KeyringRequest, KeyringResponses
from proconsul.features.server import WriteMethod
from proconsul.features.session.endpoint import Sessions
from proconsul.features.session.model import DESTROY, Session, SessionRequest
from proconsul.features.session.state import LockDelayArmed, SessionEnded, SessionStarted
from proconsul.features.state import State
from proconsul.features.txn.endpoint import Txn
from proconsul.features.txn.model import TxnError, TxnOp
from proconsul.server.autopilot import Autopilot
from proconsul.server.config import ServerConfig
from proconsul.server.data_dir import check_whole, put_up_sign, refuse_foreign, warn_of_strangers
from proconsul.server.forwarding import Forwarding
from proconsul.server.fsm import FSM, encode_command
from proconsul.server.gate import Gate
from proconsul.server.leader import LeaderLoop
from proconsul.server.lock_delays import DELAY_MAX_S, LockDelays, LockGate
from proconsul.server.membership import Bootstrapping, RaftMembers
from proconsul.server.network import Network
from proconsul.server.operating import Operating
from proconsul.server.peers import Peers, address_of, parse_address
from proconsul.server.reconciler import Reconciler
from proconsul.server.recovery import recover
from proconsul.server.server_details import ServerDetails
from proconsul.server.service import ServerStats
from proconsul.server.session_timers import SessionTimers
from proconsul.server.snapshotting import SnapshotArchives
from proconsul.server.tombstones import TombstoneGC

log = logging.getLogger("agent.server")
raft_log = logging.getLogger("agent.server.raft")

# How often the leader looks at deadlines. Session TTLs are at least seconds and lock-delays are computed on demand, so
# half a second is fine and costs nothing when idle.
TICK_S = 0.5
# How often a request that found no leader looks again.
LEADER_POLL_S = 0.1
ASK_TIMEOUT_S = 5.0


class Timers:
    """Session timers as the endpoints see them."""

    def __init__(self, server: ConsulServer) -> None:
        self._server = server

    def renew(self, session: Session) -> None:
        if self._server.on_duty:
            self._server.session_deadlines.start(session, self._server.clock())


class ConsulServer:
    """One server of a datacenter. ``members`` gives the gossip pool's current view.

    ``give_up`` is called when it cannot go on: its log is damaged, or a part of it died by a fault of the program.
    """

    def __init__(
        self,
        config: ServerConfig,
        members: Callable[[], Sequence[Member]],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ns: Callable[[], int] = time.time_ns,
        rng: random.Random | None = None,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self._give_up = give_up
        self.datacenter = config.datacenter
        self.node_name = config.node_name
        self.node_id = config.node_id
        # Another one after a reload; connections that are made from then on use it.
        self.tls = config.tls
        self.address = config.address
        self.members = members
        self.clock, self.wall_clock_ns = clock, wall_clock_ns
        self.rng = rng or random.Random()
        self.meters = Meters()
        self.session_ttl_min_ns = int(config.session_ttl_min_s * SECOND_NS)
        self.state = State()
        self.fsm = FSM(self.state, self._effects)
        self.fsm.on_restored = self._restored
        self.views: Views = Views(self.state.store.watches, self._soon)
        self.session_deadlines = SessionTimers(config.session_ttl_min_s)
        self.session_timers = Timers(self)
        self.lock_delays, self._lock_gate = LockDelays(), LockGate()
        self.tombstones = TombstoneGC()
        # Whether the leader's duties are ours: from their beginning until the leader loop ends them.
        self.on_duty = False
        # What needs the gossip pools; set by whoever has them: tell who leads, fire an event, change keys,
        # have a failed server of this datacenter leave.
        self.announce_leader: Callable[[], None] = lambda: None
        self.fire_event: Callable[[str, bytes], None] = lambda name, payload: None
        self.operate_keys: Callable[[KeyringRequest], Awaitable[KeyringResponses]]
        self.force_leave: Callable[[str], Awaitable[object]]
        self.kvs, self.sessions, self.catalog = KVS(self), Sessions(self), Catalog(self)
        self.health, self.coordinates, self.txn = Health(self), Coordinates(self), Txn(self)
        resolver = Resolver(
            self.state.acl, enabled=config.acl.enabled, default_allow=config.acl.default_allow,
            datacenter=self.datacenter, wall_clock_ns=wall_clock_ns,
        )  # fmt: skip
        self.acl = ACL(
            self, resolver, initial_management=config.acl.initial_management, data_dir=config.data_dir
        )
        self.autopilot, self.operating, self.archives = Autopilot(self), Operating(self), SnapshotArchives(self)
        self.peers_known = Peers(members, self.rng)
        self.network = self._make_network() if config.listen is not None else None
        self.forwarding = Forwarding(
            self.network.pool if self.network is not None else None, self.whom_to_ask, self.peers_known.failed,
            hold_timeout_s=config.rpc_hold_timeout_s, unavailable=self.unavailable,
            look_again=partial(self._leads_within, LEADER_POLL_S), rng=self.rng, datacenter=self.datacenter,
            leads=self.leads,
        )  # fmt: skip
        permission = (
            ACLPermission(resolver, self.state, key_list_policy=config.acl.key_list_policy)
            if config.acl.enabled and not config.client else None
        )  # fmt: skip
        if permission is not None:
            self.txn.may, self.txn.show = permission.may_operate, permission.show_transaction
        self.gate = Gate(self, self.views, self.forwarding, self.datacenter, permission=permission)
        for room in self.rooms():
            self.gate.serve(room.reads, getattr(room, "writes", {}))
        self.gate.serve(calls={**self.operating.calls, **self.acl.calls})
        self._bootstrapping: Bootstrapping | None = None
        self._reconciler = Reconciler(self)
        self._leader_loop = LeaderLoop(self, self._next_leadership, self.died)
        self._monitor: asyncio.Task[None] | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._established = asyncio.Event()
        self._flushed_at = 0.0
        self.raft: RaftNode
        self._opened: tuple[LogStore, SnapshotStore, OpenDisk] | None = None

    def _soon(self, callback: Callable[[], None]) -> object:
        return asyncio.get_running_loop().call_soon(callback)

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
            raise

    async def start(self) -> None:
        """Load the state and join consensus. Raises RaftError when it is damaged."""
        if self._opened is None:
            await self.open()
        assert self._opened is not None
        log_store, snapshots, open_disk = self._opened
        self.raft = RaftNode(
            self.config.raft, self.node_id, self.address, log_store, snapshots, self.fsm,
            self.network.transport if self.network is not None else None, self.rng, note=raft_log.info,
            open_disk=open_disk, meters=self.meters, died=self.died,
        )  # fmt: skip
        self.raft_members = RaftMembers(self.raft, self.peers_known, self.node_id, self._ask_peers)
        await self.raft.start()
        warn_of_strangers(self.raft.configuration[1], self.node_id)
        loaded = self.raft.loaded_snapshot
        if loaded is not None:
            age_s = self.wall_clock_ns() / SECOND_NS - loaded.taken_at_s
            self.lock_delays.unknown_up_to(loaded.index, self.clock() + DELAY_MAX_S - max(age_s, 0.0))
        if self.network is not None and self.config.listen is not None and not self.config.client:
            await self.network.listen(self.config.listen)
        if not self.raft.has_state and self.config.bootstrap:
            own = RaftServer(Suffrage.VOTER, self.node_id, self.address)
            try:
                self.raft.bootstrap(Configuration((own,)))
            except BootstrapError as error:
                raft_log.error("failed to bootstrap: error=%s", error)
        self._monitor = supervised(self._leader_loop.monitor(), self.died)
        if self.config.bootstrap_expect > 1 and not self.config.client:
            self._bootstrapping = Bootstrapping(
                self.raft, self.peers_known, self.config.bootstrap_expect, self.node_name, self._ask_peers
            )
            self._bootstrapping.look()

    def died(self, error: BaseException) -> None:
        """A part without which there is no server has ended by ``error``."""
        known = isinstance(error, RaftError | OSError)
        log.critical("the server cannot go on and ends: error=%s", error, exc_info=None if known else error)
        self._give_up()

    async def _ask_peers(self, server: ServerDetails) -> list[str]:
        """The Raft peers that ``server`` knows of. Raises RpcFailure."""
        assert self.network is not None
        args = DCSpecificRequest(Datacenter=self.datacenter)
        reply: list[str] = await self.network.pool.call(
            address_of(server), "Status.Peers", args, list[str], timeout_s=ASK_TIMEOUT_S
        )
        return reply

    def rooms(self) -> tuple[Any, ...]:
        """The endpoints whose methods are callable from other agents."""
        return self.kvs, self.sessions, self.catalog, self.health, self.coordinates, self.txn, self.acl

    # What a simulation has other ones of: where the state is kept, and the way to the others.

    def _storage(self) -> tuple[LogStore, SnapshotStore, OpenDisk]:
        if not self.config.data_dir:
            return MemoryLog(), MemorySnapshots(), open_disk
        directory = Path(self.config.data_dir) / "raft"
        refuse_foreign(directory)
        entries = SqliteLog(directory)
        put_up_sign(directory)
        return entries, DirectorySnapshots(directory / "snapshots", log=raft_log.warning), open_disk

    def _make_network(self) -> Network:
        return Network(self, self.peers_known)

    async def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        if self._monitor is not None:
            self._monitor.cancel()
            await asyncio.gather(self._monitor, return_exceptions=True)
        if self._bootstrapping is not None:
            await self._bootstrapping.stop()
        if self.network is not None:
            await self.network.close()
        if hasattr(self, "raft"):
            await self.raft.stop()
        elif self._opened is not None:
            self._opened[0].close()

    # ------------------------------------------------------------------ what endpoints use

    def new_id(self) -> str:
        while True:
            candidate = str(uuid.UUID(int=self.rng.getrandbits(128)))
            if self.state.kv.session(candidate) is None:
                return candidate

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """Replicate a command; for a server that leads."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.propose_for(future, kind, request)
        return future

    def propose_for(self, waiter: Settled, kind: MessageType, request: Any) -> None:
        """As `propose`, but the outcome goes to ``waiter`` the moment it is there, without a turn of the event loop."""
        data = encode_command(kind, request)
        self.raft.propose_for(waiter, data, request, chunked=kind is MessageType.KVS)

    def locking(self, waiter: Settled, keys: Iterable[str], begin: Callable[[Settled], None]) -> None:
        """See `Server.locking`."""
        self._lock_gate.enter(waiter, keys, begin)

    def lock_delayed(self, entry: DirEntry) -> bool:
        """See `Server.lock_delayed`."""
        kv, key, now = self.state.kv, entry.Key, self.clock()
        row = kv.entry(key)
        if row is not None and row.Session:
            return False  # it is refused because of its holder, if it is
        if self.lock_delays.remaining_s(key, now) > 0:
            return True
        let_go_at = kv.let_go_at(key)
        return let_go_at > 0 and self.lock_delays.is_unknown(let_go_at, now)

    async def operate_keys_for(self, args: KeyringRequest) -> KeyringResponses:
        """Do something to the keys for whoever has the token of ``args``. Raises ConsulError."""
        self.acl.require_keyring(args.Token, write=args.Operation != KeyOperation.LIST)
        return await self.operate_keys(args)

    def fire_event_for(self, token: str, name: str, payload: bytes) -> None:
        """Fire an event for whoever has ``token``. Raises ConsulError."""
        self.acl.require(token, "event", Level.WRITE, name)
        self.fire_event(name, payload)

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """See `Server.rehearse`."""
        return self.fsm.rehearse(ops)

    def unavailable(self) -> ConsulError:
        """Why nothing can be asked or written now."""
        return NoServers() if self.config.client else NoLeader()

    def require_reachable(self) -> None:
        if self.config.client and self.peers_known.any() is None:
            raise self.unavailable()

    async def knows_leader(self) -> bool:
        """Whether writes have somewhere to go, found out without waiting for that."""
        if not self.config.client:
            return self.leading or self.whom_to_ask() is not None
        address = self.peers_known.any()
        if address is None or self.network is None:
            return False
        args = DCSpecificRequest(Datacenter=self.datacenter)
        try:
            return bool(await self.network.pool.call(address, "Status.Leader", args, str, timeout_s=ASK_TIMEOUT_S))
        except RpcFailure as failure:
            self.forwarding.error(address, failure)
        except DecodeError:
            pass  # no server of this kind
        return False

    # ------------------------------------------------------------------ other servers

    def whom_to_ask(self) -> Address | None:
        """A client asks any server, a server the leader. None when nobody is known, or we lead."""
        if self.network is None:
            return None
        if self.config.client:
            return self.peers_known.any()
        leader_id = self.raft.leader_id
        if leader_id is None or leader_id == self.node_id:
            return None
        return self.peers_known.address_by_id(leader_id) or parse_address(self.raft.leader_address)

    def doubt_servers(self) -> None:
        """A server has failed or ceased to lead: what was asked of it may never be answered."""
        if self.network is not None:
            self.network.pool.examine()

    def handed_on(self, waiter: Settled, method: WriteMethod, args: Any) -> bool:
        """See `Server.handed_on`."""
        if self.leading or (self.on_duty and self.raft.hears_quorum(self.clock())):
            return False
        self.gate.forward_write(waiter, method, args)
        return True

    @property
    def leading(self) -> bool:
        """See `Authority.leading`."""
        return self.on_duty and self.raft.has_lease(self.clock())

    def leads(self) -> bool:
        return self.leading

    def answers(self, consistency: str) -> bool:
        """See `Authority.answers`."""
        if consistency == "stale":
            # A server that never heard a leader knows nothing yet.
            return self.on_duty or (not self.config.client and self.raft.last_contact is not None)
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
            if loop.time() >= until or self.config.client:
                raise self.unavailable()
            await self._leads_within(min(LEADER_POLL_S, until - loop.time() + 0.001))

    async def _leads_within(self, seconds: float) -> None:
        """Return when this server leads, or later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._established.wait()
                if not self.leading:
                    with contextlib.suppress(RaftError):
                        await self.raft.verify_leader()
                    # The leader loop may have to hear that it is over.
                    await asyncio.sleep(0)

    async def call(self, method: str, args: Any, reply: Any) -> Any:
        """Another server's reply to a method that is neither a read nor a write of the state. Raises ConsulError."""
        return await self.forwarding.call(method, args, reply, reads=True)

    # ------------------------------------------------------------------ authority for reads

    async def when_ready(self, deadline_s: float) -> bool:
        """Wait for leadership, up to ``deadline_s`` seconds."""
        if self.config.client:
            return False
        await self._leads_within(deadline_s)
        return self._established.is_set()

    @property
    def is_client(self) -> bool:
        """See `Authority.is_client`."""
        return self.config.client

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

    def peers(self) -> list[str]:
        """Raft addresses of all voters and non-voters."""
        return [server.address for server in self.raft.configuration[1].servers]

    # ------------------------------------------------------------------ leadership

    async def _next_leadership(self) -> bool:
        return (await self.raft.leadership.get()).is_leader

    async def barrier(self) -> None:
        began = self.clock()
        await self.raft.barrier()
        self._timed("leader.barrier", began)

    def _timed(self, name: str, began: float) -> None:
        self.meters.sample(name, (self.clock() - began) * 1000)

    async def establish(self) -> None:
        await self.autopilot.write_initial_config()
        await self.acl.establish()
        now = self.clock()
        self.on_duty = True
        self.tombstones.enable(self.raft.last_index, now)
        self.lock_delays.begin_again(now)
        # A new leader knows no deadlines: every session gets its full TTL again.
        for session in self.state.sessions.sessions.all():
            self.session_deadlines.start(session, now)
        self._established.set()
        self._tick()
        self.autopilot.start()
        self.announce_leader()

    async def revoke(self) -> None:
        self.on_duty = False
        self._established.clear()
        await self.autopilot.stop()
        self.session_deadlines.clear()
        self.tombstones.disable()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def _tick(self) -> None:
        """Look at all leader-only deadlines, then again a little later."""
        if not self.on_duty:
            return
        now = self.clock()
        for session_id in self.session_deadlines.expire(now):
            log.debug("Session TTL expired: session=%s", session_id)
            request = SessionRequest(Datacenter=self.datacenter, Op=DESTROY, Session=Session(ID=session_id))
            future = self.propose(MessageType.SESSION, request)
            future.add_done_callback(partial(self._destroyed, session_id))
        self.acl.reap()
        index = self.tombstones.due(now)
        if index:
            reaped = self.propose(MessageType.TOMBSTONE, TombstoneRequest(Datacenter=self.datacenter, ReapIndex=index))
            reaped.add_done_callback(partial(self._reaped, now))
        if now - self._flushed_at >= self.config.coordinate_update_period_s:
            self._flushed_at = now
            self.coordinates.flush()
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _reaped(self, began: float, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:  # else the next leader reaps
            self._timed("leader.reapTombstones", began)

    def _destroyed(self, session_id: str, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self.session_deadlines.destroy_failed(session_id, self.clock())

    def _effects(self, effects: list[Any]) -> None:
        """What applied commands ask of a server's memory; most of it is the leader's alone."""
        now = self.clock()
        for effect in effects:
            if isinstance(effect, LockDelayArmed):
                self.lock_delays.arm(effect.key, effect.delay_ns / SECOND_NS, now)
            elif not self.on_duty:
                continue
            elif isinstance(effect, TombstoneMade):
                self.tombstones.hint(effect.at, now)
            elif isinstance(effect, SessionStarted):
                self.session_deadlines.start(effect.session, now)
            elif isinstance(effect, SessionEnded):
                self.session_deadlines.stop(effect.session_id)

    def _restored(self) -> None:
        """The state was replaced: wake everybody, and let a leader start its duties anew."""
        self.views.abandon()
        self.lock_delays.clear()
        if self.on_duty:  # a user's snapshot, which is the truth from now on
            self._established.clear()
            self._leader_loop.reassert()
        else:
            self.lock_delays.unknown_up_to(self.fsm.applied_index, self.clock() + DELAY_MAX_S)

    # ------------------------------------------------------------------ reconcile

    def member_changed(self, member: Member) -> None:
        """The gossip pool's view of ``member`` changed; a leader brings its catalog entry in line."""
        self.peers_known.changed()
        self._leader_loop.member_changed(member)
        if self._bootstrapping is not None:
            self._bootstrapping.look()

    async def reconcile(self) -> bool:
        began = self.clock()
        good = await self._reconciler.everybody()
        self._timed("leader.reconcile", began)
        return good

    async def reconcile_member(self, member: object) -> bool:
        assert isinstance(member, Member)
        return await self._reconciler.one(member)

    def stats(self) -> dict[str, str]:
        """The ``raft`` block of /v1/agent/self."""
        return self.raft.stats()



