"""The disk as a peer: writes go in, acknowledgements come out later, in order.

``DiskThread`` owns a blocking log on one thread and puts all writes that wait into one transaction, so many proposals
share one fsync. ``InlineDisk`` serves a log that never blocks. After a failed write everything behind it is dropped
until ``reset``, so an entry can never become durable behind a hole.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from proconsul.engine.raft.errors import DamagedError, StorageError
from proconsul.engine.raft.events import Append, Write
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.messages import LogEntry

T = TypeVar("T")

# Entries in one transaction: about one megabyte of small commands, a few milliseconds of work under one fsync.
TRANSACTION_ENTRIES_MAX = 4096
# And its data: larger transactions would keep one writer waiting for another's megabytes.
TRANSACTION_BYTES_MAX = 16 * 1024 * 1024

Done = Callable[[int], None]
Failed = Callable[[int, str], None]


class Disk(Protocol):
    """What the node needs of either."""

    def submit(self, write: Write) -> None:
        """Perform the write some time; exactly one of done (for it or a later one) or failed will be called."""
        ...

    def reset(self) -> None:
        """Writes submitted from here on are to be tried again after a failure."""
        ...

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run ``function`` behind all writes submitted so far, where the log may be used."""
        ...

    def read(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """As ``call``, but later writes may overtake it: for readers that are not in a hurry."""
        ...

    async def stop(self) -> None:
        """Finish what was submitted and close the log."""
        ...


class InlineDisk:
    """Writes at once, on the event loop."""

    def __init__(self, log: LogStore, done: Done, failed: Failed) -> None:
        self._log = log
        self._done = done
        self._failed = failed
        self._broken = False

    def submit(self, write: Write) -> None:
        """Write now."""
        if self._broken:
            return
        try:
            self._log.write((write,))
        except StorageError as error:
            self._broken = True
            self._failed(self._log.last_index, str(error))
        else:
            self._done(write.seq)

    def reset(self) -> None:
        """Try again."""
        self._broken = False

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run now."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(function())
        except StorageError as error:
            future.set_exception(error)
        return future

    def read(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run now."""
        return self.call(function)

    async def stop(self) -> None:
        """Close the log."""
        self._log.close()


class OpenDisk(Protocol):
    """How a log becomes a disk: what `Disk` says of its three callbacks."""

    def __call__(
        self, log: LogStore, done: Done, failed: Failed, crashed: Callable[[BaseException], None], /
    ) -> Disk: ...


class _Call:
    __slots__ = ("function", "future")

    def __init__(self, function: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self.function = function
        self.future = future


class _Reset:
    __slots__ = ()


class _Look:
    """Wakes the thread: there is something to read."""

    __slots__ = ()


_Item = Write | _Call | _Reset | _Look | None


class DiskThread:
    """One thread, one queue."""

    def __init__(self, log: LogStore, done: Done, failed: Failed, crashed: Callable[[BaseException], None]) -> None:
        self._log = log
        self._done = done
        self._failed = failed
        self._crashed = crashed
        self._backlog: deque[_Item] = deque()
        self._loop = asyncio.get_running_loop()
        # Bounded by the node: it admits a limited number of unfinished proposals (PROPOSALS_MAX there).
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        # Reads that writes may overtake. Readers have one each.
        self._reads: deque[_Call] = deque()
        self._stopped = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="raft-disk", daemon=True)
        self._thread.start()

    def submit(self, write: Write) -> None:
        """Queue the write."""
        self._queue.put(write)

    def reset(self) -> None:
        """Try again from here."""
        self._queue.put(_Reset())

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Queue the call; StorageError and cancellation reach the future."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Call(function, future))
        return future

    def read(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Queue the read: it is done when nothing else is to be done, or after the next write."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._reads.append(_Call(function, future))
        self._queue.put(_Look())
        return future

    async def stop(self) -> None:
        """Finish what was submitted, close the log, end the thread."""
        self._queue.put(None)
        await asyncio.shield(self._stopped)
        self._thread.join()

    # -- on the thread -----------------------------------------------------------------------------------------------

    def _post(self, function: Callable[..., None], *args: Any) -> None:
        # The loop is closed when a process ends without stopping its node; then nobody waits for the answer.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            self._post(self._crashed, error)
        finally:
            self._log.close()
            self._post(_finish, self._stopped, None, None)

    def _serve(self) -> None:
        broken = False
        while True:
            item = self._backlog.popleft() if self._backlog else self._next()
            if item is None:
                self._drop_reads()
                return
            if isinstance(item, _Call):
                self._perform_call(item)
            elif isinstance(item, _Reset):
                broken = False
            elif not isinstance(item, _Look):
                writes = self._waiting(item)
                broken = broken or not self._perform(writes)
                if self._reads:
                    self._perform_call(self._reads.popleft())

    def _next(self) -> _Item:
        try:
            return self._queue.get_nowait() if self._reads else self._queue.get()
        except Empty:
            return self._reads.popleft()

    def _drop_reads(self) -> None:
        while self._reads:
            self._post(_finish, self._reads.popleft().future, None, StorageError("raft log is closed"))

    def _waiting(self, write: Write) -> list[Write]:
        """This write and those queued right behind it, as far as one transaction should go."""
        writes: list[Write] = []
        item: _Item = write
        entries = size = 0
        while True:
            if item is None or isinstance(item, _Call | _Reset):
                self._backlog.append(item)
                return writes
            if not isinstance(item, _Look):
                writes.append(item)
            if isinstance(item, Append):
                entries += len(item.entries)
                size += sum(len(entry.data) for entry in item.entries)
            if entries >= TRANSACTION_ENTRIES_MAX or size >= TRANSACTION_BYTES_MAX:
                return writes
            try:
                item = self._queue.get_nowait()
            except Empty:
                return writes

    def _perform(self, writes: list[Write]) -> bool:
        try:
            self._log.write(_merged(writes))
        except DamagedError:
            raise  # not to be tried again
        except StorageError as error:
            self._post(self._failed, self._log.last_index, str(error))
            return False
        self._post(self._done, writes[-1].seq)
        return True

    def _perform_call(self, call: _Call) -> None:
        try:
            result = call.function()
        except Exception as error:
            self._post(_finish, call.future, None, error)
            if isinstance(error, DamagedError):
                self._post(self._crashed, error)
        else:
            self._post(_finish, call.future, result, None)


def open_disk(log: LogStore, done: Done, failed: Failed, crashed: Callable[[BaseException], None], /) -> Disk:
    """The disk that fits ``log``."""
    return DiskThread(log, done, failed, crashed) if log.is_blocking else InlineDisk(log, done, failed)


def _finish(future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if not future.done():
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _merged(writes: list[Write]) -> Sequence[Write]:
    """Plain appends in a row as one, which the log writes with a single statement."""
    if len(writes) == 1 or not all(isinstance(w, Append) and w.truncate_from is None for w in writes):
        return writes
    entries: list[LogEntry] = []
    for write in writes:
        if isinstance(write, Append):
            entries.extend(write.entries)
    return (Append(writes[-1].seq, entries),)
