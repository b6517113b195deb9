"""The driver: performs the core's effects on disk, network and state machine, and offers futures to the server.

Read input, step the core, perform its effects in order, re-arm one timer, repeat. No rule of Raft is decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, BinaryIO

from proconsul.engine.completion import Completion, tell_error
from proconsul.engine.meters import Meters
from proconsul.engine.raft import chunking
from proconsul.engine.raft import events as ev
from proconsul.engine.raft.applier import Applier, Waiter
from proconsul.engine.raft.cache import EntryCache
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change, Configuration
from proconsul.engine.raft.core import RaftCore
from proconsul.engine.raft.disk import Disk, OpenDisk, open_disk
from proconsul.engine.raft.errors import (
    BootstrapError,
    LeadershipLostError,
    LeadershipTransferInProgressError,
    MembershipError,
    NotLeaderError,
    RaftError,
    ShutdownError,
    StorageError,
)
from proconsul.engine.raft.events import LeadershipChanged
from proconsul.engine.raft.fsm import FSM
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.messages import EntryType
from proconsul.engine.raft.meter import RaftMeter
from proconsul.engine.raft.peers import Peers
from proconsul.engine.raft.readings import Readings
from proconsul.engine.raft.recent_events import RecentEvents
from proconsul.engine.raft.restoring import prepare_restore
from proconsul.engine.raft.snapshots import MemorySnapshots, SnapshotMeta, SnapshotStore
from proconsul.engine.raft.snapshotting import Snapshotting
from proconsul.engine.raft.startup import load_state, newest_snapshot
from proconsul.engine.raft.stores import Stores
from proconsul.engine.raft.transport import Transport
from proconsul.engine.supervision import Died
from proconsul.engine.threads import on_thread

__all__ = ["RaftNode"]

_log = logging.getLogger("agent.server.raft")

# Proposals not yet applied. Each costs well below a kilobyte beside its data; past this the disk is hopelessly behind.
PROPOSALS_MAX = 65536


class RaftNode(Readings):
    """One Raft server. All methods belong to the event loop on which ``start`` was awaited.

    ``died`` hears why the node stopped by itself: a fault of the program, or a log or state that cannot be read.
    """

    # Made by `start`, out of what the disk holds; so are those of `Readings`.
    _cache: EntryCache
    _disk: Disk
    _peers: Peers
    _snapshotting: Snapshotting
    _performers: dict[type, Callable[[Any], None]]

    def __init__(
        self,
        config: RaftConfig,
        server_id: str,
        address: str,
        log: LogStore,
        snapshots: SnapshotStore,
        fsm: FSM,
        transport: Transport | None,
        rng: Random,
        *,
        note: Callable[[str], None] | None = None,
        open_disk: OpenDisk = open_disk,
        meters: Meters | None = None,
        died: Died = lambda error: None,
    ) -> None:
        self.config = config
        self.id = server_id
        self.address = address
        # Unbounded because nothing may be dropped; an election timeout lies between two changes, so it cannot run away.
        self.leadership: asyncio.Queue[LeadershipChanged] = asyncio.Queue()
        self.failure: BaseException | None = None
        # What the state was loaded from when the node started.
        self.loaded_snapshot: SnapshotMeta | None = None
        self._log = log
        self._snapshots = snapshots
        self._fsm = fsm
        self._transport = transport
        self._rng = rng
        self._open_disk = open_disk
        self._died = died
        self._meter = RaftMeter(meters or Meters())
        self._note = note or (lambda text: None)
        self._running = False
        self._inbox: deque[ev.Event] = deque()
        self._recent = RecentEvents()
        self._stepping = False
        self._timer: asyncio.TimerHandle | None = None
        self._bootstrap: Configuration | None = None
        # Each carries who waits for it as its token, a Waiter; None but for the last chunk of a command.
        self._proposals: list[ev.Proposal] = []
        self._flush_scheduled = False
        self._held = self._restoring = False
        self._next_token = 0
        self._tokens: dict[int, asyncio.Future[int]] = {}

    # -- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load snapshot and log and join consensus. StorageError if they are damaged.

        Commands committed earlier are applied once the commit index is known, that is after an election; a single
        voter elects itself at once. ``await barrier()`` as leader waits for all of them.
        """
        assert not self._running, "started twice"
        self._loop = asyncio.get_running_loop()
        fsm = self._fsm
        if type(self._snapshots) is MemorySnapshots:  # a thread would be all the work there is
            found = newest_snapshot(self._snapshots, self._note)
        else:
            found = await on_thread(newest_snapshot, self._snapshots, self._note)
        self.loaded_snapshot = found[0] if found is not None else None
        if found is not None:
            with found[1] as reader:
                (await prepare_restore(fsm, reader))()
        initial = load_state(self._log, found[0] if found is not None else None)
        self._cache = EntryCache(self.config.cache_entries)
        applied = (initial.snapshot_index, initial.snapshot_term)
        self._applier = Applier(self._fsm, self._log, self._cache, applied, self._crashed)
        self._disk = self._open_disk(self._log, self._disk_done, self._disk_failed, self._crashed)
        self._applier.disk = self._disk
        self.core = RaftCore(self.config, self.id, self.address, self._rng, initial, self._loop.time())
        state = self.core.state
        stores = Stores(self._log, self._disk, self._cache, self._snapshots, fsm)
        self._peers = Peers(state, stores, self._transport, self._step, self._meter)
        self._snapshotting = Snapshotting(
            state, stores, self._applier, self._step, self._rng, self._note, self._meter.meters
        )
        self._performers = {
            ev.Append: self._append,
            ev.PersistState: self._disk.submit,
            ev.ResetLog: self._reset_log,
            ev.Apply: self._apply,
            ev.SendAppend: self._peers.send_append,
            ev.Send: self._peers.send,
            ev.Reply: self._peers.reply,
            ev.ArmTimer: self._arm,
            ev.LeadershipChanged: self._leadership_changed,
            ev.ConfigurationChanged: lambda effect: None,
            ev.Resolved: self._resolved,
            ev.Note: lambda effect: self._note(effect.text),
            ev.Compact: self._snapshotting.compact,
            ev.SendSnapshot: self._peers.send_snapshot,
            ev.ReceiveSnapshot: self._peers.receive_snapshot,
            ev.RestoreSnapshot: self._restore_snapshot,
        }
        self._running = True
        self._peers.open()
        self._step(ev.Start())
        if self._bootstrap is not None:
            self.bootstrap(self._bootstrap)
        self._snapshotting.schedule()

    async def stop(self) -> None:
        """Leave consensus without telling anyone, finish writing, close the log. Pending futures get ShutdownError."""
        if not self._running:
            return
        self._halt(ShutdownError())
        await self._snapshotting.stop()
        await self._peers.stop()
        await self._disk.stop()

    def _halt(self, error: RaftError) -> None:
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
        self._snapshotting.cancel_timer()
        self._fail_proposals(error)
        self._applier.fail_waiting(0, error)
        for future in self._tokens.values():
            if not future.done():
                future.set_exception(error)
        self._tokens.clear()

    def _crashed(self, error: BaseException) -> None:
        """A programmer error or unreadable state: this server must not take part any more."""
        if self.failure is None:
            self.failure = error
            _log.error("raft stopped: error=%s", error if isinstance(error, RaftError) else repr(error))
            if not isinstance(error, RaftError):
                self._log_story()
            led = self.core.state.is_leader
            self._halt(StorageError(f"raft stopped: {error!r}"))
            if led:
                self.leadership.put_nowait(LeadershipChanged(False, self.core.state.term))
            self._died(error)

    def _log_story(self) -> None:
        """What the core was, and what it was given last. A fault may have left it such that it cannot be printed."""
        try:
            story = [*str(self.core).splitlines(), "last events:", *self._recent.lines(self._loop.time())]
        except Exception as error:
            story = [f"the state cannot be printed: {error!r}", *self._recent.lines(self._loop.time())]
        for line in story:
            _log.error("raft before it stopped: %s", line)

    def bootstrap(self, configuration: Configuration) -> None:
        """Start a new cluster with these servers; BootstrapError if this server already has state."""
        configuration = configuration.checked()
        if not self._running:
            self._bootstrap = configuration
            return
        if self.core.state.has_state:
            raise BootstrapError
        self._step(ev.Bootstrap(configuration))

    # -- the loop --------------------------------------------------------------------------------------------------

    def _step(self, event: ev.Event) -> None:
        if not self._running:
            return
        self._inbox.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            inbox, recent, step = self._inbox, self._recent, self.core.step
            while inbox and self._running:
                event, now = inbox.popleft(), self._loop.time()
                recent.add(event, now)
                effects = step(event, now)
                for effect in effects:
                    self._performers[type(effect)](effect)
                self._meter.role(self.core.state.role)
        except Exception as error:
            self._crashed(error)
            raise
        finally:
            self._stepping = False

    def _arm(self, effect: ev.ArmTimer) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(effect.at, self._step, ev.Tick())

    def _append(self, effect: ev.Append) -> None:
        now = self._loop.time()
        if effect.proposals:
            waiting = self._applier.waiting
            for index, proposal in enumerate(effect.proposals, effect.entries[0].index):
                if (waiter := proposal.token) is not None:
                    waiting[index] = waiter
            self._meter.proposed(len(effect.proposals), effect.entries[-1].index, now)
        self._cache.put(effect.entries)
        self._meter.appending(effect.seq, now)
        self._disk.submit(effect)

    def _reset_log(self, effect: ev.ResetLog) -> None:
        self._cache.clear()
        self._disk.submit(effect)

    def _disk_done(self, seq: int) -> None:
        self._meter.durable(seq, self._loop.time())
        self._step(ev.DiskDone(seq))

    def _disk_failed(self, last_index: int, reason: str) -> None:
        _log.error("failed to write the raft log, no write is acknowledged until it works again: error=%s", reason)
        self._disk.reset()
        self._meter.disk_failed()
        self._step(ev.DiskFailed(last_index, reason))

    def _apply(self, effect: ev.Apply) -> None:
        began = self._loop.time()
        self._meter.committed(effect.last, effect.last - self._applier.applied_index, began)
        self._applier.apply_to(effect.last)
        self._meter.meters.sample("raft.fsm.apply", (self._loop.time() - began) * 1000)

    def _restore_snapshot(self, effect: ev.RestoreSnapshot) -> None:
        reader, install = self._peers.received(effect.index, effect.term)
        with reader:
            self._applier.restore(effect.index, effect.term, install)

    def _leadership_changed(self, effect: LeadershipChanged) -> None:
        if not effect.is_leader:
            error = self._storage_failure() or LeadershipLostError()
            self._applier.fail_waiting(self.core.state.commit_index, error)
            self._fail_proposals(self._storage_failure() or NotLeaderError())
        self.leadership.put_nowait(effect)

    def _storage_failure(self) -> StorageError | None:
        reason = self.core.state.storage_error
        return StorageError(reason) if reason is not None else None

    def _resolved(self, effect: ev.Resolved) -> None:
        future = self._tokens.pop(effect.token, None)
        if future is None or future.done():
            return
        if effect.error is None:
            future.set_result(effect.index)
        elif effect.not_leader:
            future.set_exception(NotLeaderError())
        elif effect.error == LeadershipLostError.text:
            future.set_exception(LeadershipLostError())
        else:
            future.set_exception(MembershipError(effect.error))

    # -- proposals -------------------------------------------------------------------------------------------------

    def propose(
        self, data: bytes, value: object = None, entry_type: int = 0, *, chunked: bool = False
    ) -> asyncio.Future[Any]:
        """Replicate a command; the future gives what the state machine returned for it.

        Cheap and synchronous: all proposals of one turn of the event loop are appended together. ``value`` is kept in
        memory and handed to the local state machine, so it need not decode ``data``. ``chunked`` splits data above
        512 KiB. Fails with NotLeaderError (never appended), LeadershipLostError (may yet commit), StorageError,
        LeadershipTransferInProgressError, or RaftError when too many proposals wait.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        self.propose_for(future, data, value, entry_type, chunked=chunked)
        return future

    def propose_for(
        self, waiter: Completion, data: bytes, value: object = None, entry_type: int = 0, *, chunked: bool = False
    ) -> None:
        """As ``propose``, but the outcome goes to ``waiter``, possibly before this returns."""
        refusal = self._refusal()
        if refusal is not None:
            waiter.set_exception(refusal)
            return
        if chunked and len(data) > chunking.CHUNK_BYTES_MAX:
            parts = list(chunking.split(data, self._rng.getrandbits(64)))
            for part, extensions in parts[:-1]:
                self._proposals.append(ev.Proposal(entry_type, part, extensions))
            data, extensions = parts[-1]
            self._proposals.append(ev.Proposal(entry_type, data, extensions, (waiter, value)))
        else:
            self._proposals.append(ev.Proposal(entry_type, data, b"", (waiter, value)))
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    def _refusal(self) -> RaftError | None:
        if not self._running:
            return ShutdownError()
        core = self.core
        if not core.accepts_proposals:
            if core.is_transferring:
                return LeadershipTransferInProgressError()
            return self._storage_failure() or NotLeaderError()
        if len(self._proposals) + len(self._applier.waiting) >= PROPOSALS_MAX:
            return RaftError("timed out enqueuing operation")
        return None

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._held or not self._proposals:
            return
        refusal = self._refusal() if not self.core.accepts_proposals or not self._running else None
        if refusal is not None:
            self._fail_proposals(refusal)
            return
        proposals, self._proposals = self._proposals, []
        self._step(ev.Propose(proposals))

    def _fail_proposals(self, error: RaftError) -> None:
        proposals, self._proposals = self._proposals, []
        for proposal in proposals:
            waiter: Waiter | None = proposal.token
            if waiter is not None:
                tell_error(waiter[0], error)

    async def barrier(self) -> None:
        """Return when everything proposed or committed before is applied here. Fails as ``propose`` does."""
        self._meter.meters.count("raft.barrier")
        await self.propose(b"", entry_type=EntryType.BARRIER)

    def is_leader_sync(self) -> bool:
        """True if this server certainly leads now and may serve a consistent read without asking anyone."""
        return self._running and self.core.state.is_leader and self.core.state.is_single_voter

    async def verify_leader(self) -> None:
        """Return when a quorum confirmed that this server leads; else NotLeaderError."""
        self._meter.meters.count("raft.verify_leader")
        if not self.is_leader_sync():
            await self._ask(lambda token: ev.Verify(token))

    def _ask(self, make: Callable[[int], ev.Event]) -> asyncio.Future[int]:
        future: asyncio.Future[int] = self._loop.create_future()
        if not self._running:
            future.set_exception(ShutdownError())
            return future
        self._next_token += 1
        self._tokens[self._next_token] = future
        self._step(make(self._next_token))
        return future

    # -- membership ------------------------------------------------------------------------------------------------

    async def _change(self, change: Change, server_id: str, address: str, prev_index: int) -> int:
        if self._held:
            raise MembershipError("a snapshot restore is in progress")
        return await self._ask(lambda token: ev.ChangeMembership(token, change, server_id, address, prev_index))

    async def add_voter(self, server_id: str, address: str, prev_index: int = 0) -> int:
        """Add or promote a voter; returns the index of the committed configuration."""
        return await self._change(Change.ADD_VOTER, server_id, address, prev_index)

    async def add_nonvoter(self, server_id: str, address: str, prev_index: int = 0) -> int:
        """Add a server that gets the log but has no vote."""
        return await self._change(Change.ADD_NONVOTER, server_id, address, prev_index)

    async def demote(self, server_id: str, prev_index: int = 0) -> int:
        """Take a server's vote."""
        return await self._change(Change.DEMOTE, server_id, "", prev_index)

    async def remove_server(self, server_id: str, prev_index: int = 0) -> int:
        """Remove a server; a leader that removes itself steps down when that is committed."""
        return await self._change(Change.REMOVE, server_id, "", prev_index)

    async def transfer_leadership(self, server_id: str | None = None) -> None:
        """Hand over to a voter (the most advanced by default); fails after an election timeout."""
        await self._ask(lambda token: ev.Transfer(token, server_id))

    # -- snapshots -------------------------------------------------------------------------------------------------

    async def snapshot(self) -> SnapshotMeta:
        """Take a snapshot now. NothingToSnapshotError if nothing was applied since the last one."""
        return await self._snapshotting.snapshot()

    async def user_restore(self, meta: SnapshotMeta, reader: BinaryIO) -> int:
        """Replace the cluster's state by a user's snapshot; returns its new index, max(meta.index, last) + 1.

        Proposals wait for a moment, at the end, and lose nothing that was answered before. The configuration of
        ``meta`` is ignored. The caller must have checked that the state machine can read the contents.
        """
        if self._restoring:
            raise RaftError("a snapshot restore is in progress")
        self._restoring = True
        try:
            return await self._snapshotting.user_restore(meta, reader, self._holding)
        finally:
            self._restoring = False

    @asynccontextmanager
    async def _holding(self) -> AsyncIterator[None]:
        """What was proposed is applied; what is proposed now waits for the end. Raises RaftError."""
        done = self.propose(b"", entry_type=EntryType.BARRIER)
        self._flush()
        self._held = True
        try:
            await done
            yield
        finally:
            self._held = False
            self._flush()
