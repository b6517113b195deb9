"""The disk of a simulated server: slow, hanging, failing, lying, and what of it is there after a crash.

Law: `ServerDisk` outlives the processes. What a process has been told is durable survives it, unless the disk lies; of
what was under way any first part may have, whole transactions only. A process that was killed changes nothing more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, BinaryIO, Protocol, TypeVar

from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.disk import Done, Failed
from proconsul.engine.raft.errors import StorageError
from proconsul.engine.raft.events import Append, PersistState, Write
from proconsul.engine.raft.log import LogStore, MemoryLog
from proconsul.engine.raft.snapshots import MemorySink, MemorySnapshots, SnapshotMeta, SnapshotSink

__all__ = ["DiskFaults", "ServerDisk", "SimDisk", "SimSnapshots"]

T = TypeVar("T")


class Owner(Protocol):
    """The process that uses a disk."""

    @property
    def alive(self) -> bool: ...

    def may_die(self, weight: float = 1.0) -> None:
        """Here the process may be killed, ``weight`` times as probably as elsewhere: raises Killed."""


@dataclass(slots=True)
class DiskFaults:
    """Means in seconds and probabilities per write. ``lies``: fsync returns before it has done anything."""

    write_s: float = 0.002
    slow: float = 0.02
    failure: float = 0.0
    lies: bool = False


class ServerDisk:
    """What one server has on its disk, and what it believes to have."""

    def __init__(self, rng: Random, faults: DiskFaults) -> None:
        self.rng, self.faults = rng, faults
        self.durable, self.believed = MemoryLog(), MemoryLog()
        self.snapshots = MemorySnapshots()
        self.opened: SimDisk | None = None
        # Takes what it is given, and answers nothing.
        self.hangs = False
        # Done for the believer, and not for the disk.
        self._promised: deque[Write | int] = deque()

    def write(self, writes: list[Write]) -> None:
        """One transaction."""
        self.believed.write(writes)
        # Of votes it never lies: who forgets one breaks Raft, whatever else holds.
        if self.faults.lies and not any(isinstance(write, PersistState) for write in writes):
            self._promised.extend(writes)
            return
        self.sync()
        self.durable.write(writes)

    def compact(self, up_to: int) -> None:
        """Drop entries."""
        self.believed.compact(up_to)
        self._promised.append(up_to)
        if not self.faults.lies:
            self.sync()

    def sync(self) -> None:
        """Keep all promises."""
        while self._promised:
            one = self._promised.popleft()
            if isinstance(one, int):
                self.durable.compact(one)
            else:
                self.durable.write((one,))

    def go_on(self) -> None:
        """It hangs no more."""
        self.hangs = False
        if self.opened is not None:
            self.opened.go_on()

    @property
    def owes(self) -> bool:
        """Whether a crash would lose what was promised."""
        return bool(self._promised)

    def crash(self, *, lose: bool) -> None:
        """Power is gone. ``lose``: with what was promised, else the disk was lucky."""
        lost = lose and self.owes
        if lose:
            self._promised.clear()
        self.sync()
        # Behind what is lost nothing else can be there.
        if self.opened is not None and not lost:
            while self.opened.waiting and self.rng.random() < 0.3:
                self.durable.write((self.opened.waiting.popleft(),))
        self.opened = None
        self.believed = _copy(self.durable)


def _copy(log: MemoryLog) -> MemoryLog:
    copied = MemoryLog()
    state = log.state()
    copied.write((PersistState(0, state.term, state.vote_term, state.voted_for),))
    if log.last_index:
        copied.write((Append(0, log.read(log.first_index, log.last_index, 1 << 60)),))
    return copied


class SimDisk:
    """A `Disk`: the queue of one process in front of its `ServerDisk`."""

    def __init__(self, disk: ServerDisk, owner: Owner, log: LogStore, done: Done, failed: Failed) -> None:
        self._disk, self._owner = disk, owner
        self._done, self._failed = done, failed
        self._loop = asyncio.get_running_loop()
        self.waiting: deque[Write] = deque()
        self._calls: deque[tuple[int, Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._submitted = self._finished = 0
        self._busy = self._broken = False
        self._stopped: asyncio.Future[None] | None = None
        disk.opened = self

    def submit(self, write: Write) -> None:
        self._owner.may_die()
        if self._owner.alive and not self._broken:
            self._submitted += 1
            self.waiting.append(write)
            self._next()
        self._owner.may_die()

    def reset(self) -> None:
        self._broken = False

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.append((self._submitted, function, future))
        self._next()
        return future

    def read(self, function: Callable[[], T]) -> asyncio.Future[T]:
        return self.call(function)

    async def stop(self) -> None:
        self._stopped = self._loop.create_future()
        self._next()
        await self._stopped

    def go_on(self) -> None:
        """The machine's disk answers again."""
        self._loop.call_soon(self._next)

    def _next(self) -> None:
        if self._busy or self._disk.hangs:
            return
        if self.waiting or self._calls or self._stopped is not None:
            self._busy = True
            rng, faults = self._disk.rng, self._disk.faults
            slow = 30 if rng.random() < faults.slow else 1
            self._loop.call_later(rng.expovariate(1 / faults.write_s) * slow, self._turn)

    def _turn(self) -> None:
        self._busy = False
        self._owner.may_die()
        if not self._owner.alive or self._disk.hangs:
            return
        while self._calls and self._calls[0][0] <= self._finished:
            self._perform(*self._calls.popleft()[1:])
        if self.waiting:
            self._write()
        elif self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)
            return
        self._next()

    def _perform(self, function: Callable[[], T], future: asyncio.Future[T]) -> None:
        try:
            result = function()
        except StorageError as error:
            future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    def _write(self) -> None:
        rng = self._disk.rng
        if rng.random() < self._disk.faults.failure:
            self._finished += len(self.waiting)
            self.waiting.clear()
            self._broken = True
            self._failed(self._disk.believed.last_index, "simulated")
            return
        limit = self._calls[0][0] - self._finished if self._calls else len(self.waiting)
        batch = [self.waiting.popleft() for _ in range(rng.randint(1, limit))]
        self._finished += len(batch)
        self._disk.write(batch)
        # Votes are few, and what is forgotten of them is known to nobody.
        self._owner.may_die(100.0 if any(isinstance(write, PersistState) for write in batch) else 1.0)
        self._done(batch[-1].seq)


class SimLog:
    """The log as a process sees it."""

    is_blocking = True

    def __init__(self, disk: ServerDisk, owner: Owner) -> None:
        self._disk, self._owner = disk, owner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk.believed, name)

    def write(self, writes: Any) -> None:
        if self._owner.alive:
            self._disk.write(list(writes))

    def compact(self, up_to: int) -> bool:
        if self._owner.alive:
            self._disk.compact(up_to)
        return False


class SimSnapshots:
    """Snapshots as a process sees them: a killed one stores none, and a failing disk refuses some."""

    def __init__(self, disk: ServerDisk, owner: Owner) -> None:
        self._disk, self._owner = disk, owner

    def create(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> SnapshotSink:
        self._owner.may_die()
        sink = self._disk.snapshots.create(index, term, configuration, configuration_index)
        return _Sink(sink, self._disk, self._owner)

    def list(self) -> list[SnapshotMeta]:
        return self._disk.snapshots.list()

    def open(self, meta: SnapshotMeta) -> BinaryIO:
        return self._disk.snapshots.open(meta)

    def reap(self) -> None:
        if self._owner.alive:
            self._disk.snapshots.reap()


class _Sink:
    def __init__(self, sink: MemorySink, disk: ServerDisk, owner: Owner) -> None:
        self._sink, self._disk, self._owner = sink, disk, owner

    def write(self, data: bytes) -> None:
        self._sink.write(data)

    def finish(self) -> None:
        if self._disk.rng.random() < self._disk.faults.failure * 10:
            raise StorageError("simulated")
        self._sink.finish()

    def place(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> None:
        self._owner.may_die()
        self._sink.place(index, term, configuration, configuration_index)

    def commit(self) -> SnapshotMeta:
        self._owner.may_die()
        # The log may be cut behind a snapshot: before it has its name, what is below it is on the disk.
        self._disk.sync()
        meta = self._sink.commit()
        self._owner.may_die()
        return meta

    def cancel(self) -> None:
        self._sink.cancel()
