"""When and how a node writes snapshots of its own state, and restores a user's one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import BinaryIO

from proconsul.engine.meters import Meters
from proconsul.engine.raft import events as ev
from proconsul.engine.raft.applier import Applier
from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.errors import (
    LeadershipLostError,
    NothingToSnapshotError,
    NotLeaderError,
    RaftError,
    StorageError,
)
from proconsul.engine.raft.fsm import FSMSnapshot
from proconsul.engine.raft.restoring import prepare_restore
from proconsul.engine.raft.snapshots import CHUNK_BYTES, SnapshotMeta, SnapshotSink, write_chunks
from proconsul.engine.raft.state import RaftState
from proconsul.engine.raft.stores import Stores
from proconsul.engine.threads import on_thread

# Rest of the writing thread between pieces, so that the event loop gets the interpreter at once and not after the
# switch interval of 5 ms each time.
PAUSE_S = 0.0005


class Snapshotting:
    """Owned by one RaftNode."""

    def __init__(
        self,
        state: RaftState,
        stores: Stores,
        applier: Applier,
        step: Callable[[ev.Event], None],
        rng: Random,
        note: Callable[[str], None],
        meters: Meters,
    ) -> None:
        self._meters = meters
        self._loop = asyncio.get_running_loop()
        self._state = state
        self._applier = applier
        self._fsm = stores.fsm
        self._snapshots = stores.snapshots
        self._disk = stores.disk
        self._log = stores.log
        self._step = step
        self._rng = rng
        self._note = note
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    # -- automatic ---------------------------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Look again after the snapshot interval, randomised to twice, so that servers do not do it together."""
        if not self._stopped:
            wait = self._state.config.snapshot_interval_s * (1 + self._rng.random())
            self._timer = asyncio.get_running_loop().call_later(wait, self._look)

    def cancel_timer(self) -> None:
        """No automatic snapshots from here on."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    async def stop(self) -> None:
        """Wait for a snapshot under way: its thread cannot be interrupted."""
        self.cancel_timer()
        if self._task is not None:
            await asyncio.wait([self._task])

    def _look(self) -> None:
        state = self._state
        if state.last_index - state.snapshot_index >= state.config.snapshot_threshold:
            self._task = asyncio.get_running_loop().create_task(self._automatic())
        else:
            self.schedule()

    async def _automatic(self) -> None:
        try:
            meta = await self.snapshot()
            self._note(f"snapshot {meta.id} complete: {meta.size} bytes")
        except RaftError as error:
            self._note(f"failed to take snapshot: {error}")
        self.schedule()

    # -- own state ---------------------------------------------------------------------------------------------------

    async def snapshot(self) -> SnapshotMeta:
        """Capture the state now, write it on another thread, then let the log be cut."""
        async with self._lock:
            state = self._state
            index, term = self._applier.applied_index, self._applier.applied_term
            if index <= state.snapshot_index:
                raise NothingToSnapshotError
            configuration_index = state.committed_configuration_index
            if configuration_index > index:
                raise RaftError(
                    f"cannot take snapshot now, wait until the configuration entry at {configuration_index} "
                    f"has been applied (have applied {index})"
                )
            began = self._loop.time()
            captured = self._fsm.snapshot()
            written = self._sample("raft.fsm.snapshot", began)
            configuration = state.committed_configuration
            meta, oldest = await on_thread(
                self._write, captured, lambda: self._snapshots.create(index, term, configuration, configuration_index)
            )
            self._sample("raft.snapshot.persist", written)
            trailing = min(index, state.last_index - state.config.trailing_logs)
            # Also keep what the oldest retained snapshot needs, so that a damaged newest one loses nothing.
            self._step(ev.SnapshotTaken(index, term, max(0, min(trailing, oldest))))
            self._sample("raft.snapshot.takeSnapshot", began)
            return meta

    def _sample(self, name: str, began: float) -> float:
        now = self._loop.time()
        self._meters.sample(name, (now - began) * 1000)
        return now

    def _write(self, captured: FSMSnapshot, create: Callable[[], SnapshotSink]) -> tuple[SnapshotMeta, int]:
        sink = create()
        try:
            write_chunks(sink, captured.persist(), lambda: time.sleep(PAUSE_S))
            meta = sink.commit()
            self._snapshots.reap()
        except OSError as error:
            sink.cancel()
            raise StorageError(f"failed to persist snapshot: {error}") from error
        except BaseException:
            sink.cancel()
            raise
        return meta, min(kept.index for kept in self._snapshots.list())

    def compact(self, effect: ev.Compact) -> None:
        """Cut the log in small steps between other writes."""
        self._disk.call(lambda: self._log.compact(effect.up_to)).add_done_callback(
            lambda future: self._compacted(effect, future)
        )

    def _compacted(self, effect: ev.Compact, future: asyncio.Future[bool]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._note(f"failed to compact the log, it stays longer: {error}")
        elif future.result() and not self._stopped:
            self.compact(effect)

    # -- a user's state ----------------------------------------------------------------------------------------------

    async def user_restore(
        self, meta: SnapshotMeta, reader: BinaryIO, held: Callable[[], AbstractAsyncContextManager[None]]
    ) -> int:
        """Install the state as a new snapshot in the current term.

        Everything that takes time is done beside the writes of others; the node holds proposals back (``held``) only
        while the snapshot gets its index and its name. ``reader`` is read twice, so it must be seekable. Nothing has
        changed when this raises.
        """
        async with self._lock:
            state = self._state
            if not state.is_leader:
                raise NotLeaderError
            sink = await on_thread(self._snapshots.create, *self._place_of(meta))
            try:
                start = reader.tell()
                size = await on_thread(write_chunks, sink, _pieces(reader), lambda: time.sleep(PAUSE_S))
                if meta.size and size != meta.size:
                    raise StorageError(f"failed to write snapshot: expected {meta.size} bytes, got {size}")
                reader.seek(start)
                install = await prepare_restore(self._fsm, reader)
                async with held():
                    place = self._place_of(meta)
                    await on_thread(sink.place, *place)
                    if not state.is_leader or state.term != place[1]:
                        raise LeadershipLostError
                    if state.last_index >= place[0]:
                        raise RaftError("the configuration changed during the restore; try again")
                    # On the event loop, because between this name and the step nothing may happen to our leadership.
                    sink.commit()
                    self._applier.restore(place[0], place[1], install)
                    self._step(ev.UserRestored(place[0], place[1]))
            except BaseException:
                sink.cancel()
                raise
            await on_thread(self._snapshots.reap)
            return place[0]

    def _place_of(self, meta: SnapshotMeta) -> tuple[int, int, Configuration, int]:
        """Where in the log a user's snapshot would be now: behind everything there is."""
        state = self._state
        index = max(meta.index, state.last_index) + 1
        return index, state.term, state.configuration, state.configuration_index


def _pieces(reader: BinaryIO) -> Iterator[bytes]:
    while chunk := reader.read(CHUNK_BYTES):
        yield chunk
