"""Feeds committed entries to the state machine, in order, once each, and answers the proposers.

Entries come from the cache when it has them, else from the log in batches (restart, slow machine). Runs on the event
loop; a long replay gives way to other work between batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.raft.cache import EntryCache
from proconsul.engine.raft.disk import Disk
from proconsul.engine.raft.errors import AbortedByRestoreError, RaftError
from proconsul.engine.raft.fsm import FSM, SupportsBatchApply, SupportsChunks
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.messages import EntryType, LogEntry
from proconsul.engine.raft.restoring import Install

# Entries applied in one turn of the event loop: some milliseconds of a fast state machine.
BATCH_ENTRIES = 1024
# Data read from the log at once.
BATCH_BYTES = 8 * 1024 * 1024

Waiter = tuple[Completion, object]


class Applier:
    """``applied_index`` is what the state machine has; ``waiting`` the unanswered proposals by index."""

    def __init__(
        self,
        fsm: FSM,
        log: LogStore,
        cache: EntryCache,
        applied: tuple[int, int],
        crashed: Callable[[BaseException], None],
    ) -> None:
        self._fsm = fsm
        self._batch = fsm if isinstance(fsm, SupportsBatchApply) else None
        self._chunks = fsm if isinstance(fsm, SupportsChunks) else None
        self._log = log
        self._cache = cache
        self._crashed = crashed
        self._loop = asyncio.get_running_loop()
        self.disk: Disk | None = None
        self.applied_index, self.applied_term = applied
        self.target = self.applied_index
        self.waiting: dict[int, Waiter] = {}
        self._busy = False
        self._caught_up: list[tuple[int, asyncio.Future[None]]] = []

    def apply_to(self, index: int) -> None:
        """Everything up to ``index`` is committed."""
        self.target = max(self.target, index)
        if not self._busy:
            self._turn()

    def reached(self, index: int) -> asyncio.Future[None]:
        """Done when ``index`` is applied."""
        future: asyncio.Future[None] = self._loop.create_future()
        if self.applied_index >= index:
            future.set_result(None)
        else:
            self._caught_up.append((index, future))
        return future

    def _turn(self) -> None:
        self._busy = False
        if self.applied_index >= self.target:
            return
        first = self.applied_index + 1
        last = min(self.target, first + BATCH_ENTRIES - 1)
        entries = self._cache.get(first, last)
        if entries:
            self._apply(entries)
            if self.applied_index < self.target:
                self._busy = True
                self._loop.call_soon(self._turn)
        else:
            assert self.disk is not None
            self._busy = True
            self.disk.call(lambda: self._log.read(first, last, BATCH_BYTES)).add_done_callback(self._read)

    def _read(self, future: asyncio.Future[list[LogEntry]]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            # Committed entries that cannot be read: this server cannot go on without lying.
            self._crashed(error)
            return
        # A snapshot may have been restored meanwhile.
        entries = [entry for entry in future.result() if entry.index > self.applied_index]
        if entries and entries[0].index == self.applied_index + 1:
            self._apply(entries)
        self._busy = True
        self._loop.call_soon(self._turn)

    def _apply(self, entries: Sequence[LogEntry]) -> None:
        try:
            if self._batch is not None and len(entries) > 1:
                self._apply_batches(self._batch, entries)
            else:
                for entry in entries:
                    self._apply_one(entry)
        except Exception as error:
            self._crashed(error)
            raise
        self._cache.trim(self.applied_index + 1)
        if self._caught_up:
            self._wake()

    def _apply_one(self, entry: LogEntry) -> None:
        index = entry.index
        waiter = self.waiting.pop(index, None)
        result: object = None
        if entry.type == 0:
            value = waiter[1] if waiter is not None else None
            if entry.extensions and self._chunks is not None:
                result = self._chunks.apply_chunk(entry, value)
            else:
                result = self._fsm.apply(index, entry.term, 0, entry.data, value)
        self.applied_index = index
        self.applied_term = entry.term
        if waiter is not None:
            tell(waiter[0], result)

    def _apply_batches(self, machine: SupportsBatchApply, entries: Sequence[LogEntry]) -> None:
        batch: list[LogEntry] = []
        for entry in entries:
            if entry.type == EntryType.COMMAND and not entry.extensions:
                batch.append(entry)
            else:
                self._apply_batch(machine, batch)
                batch = []
                self._apply_one(entry)
        self._apply_batch(machine, batch)

    def _apply_batch(self, machine: SupportsBatchApply, batch: list[LogEntry]) -> None:
        if not batch:
            return
        waiters = [self.waiting.pop(entry.index, None) for entry in batch]
        results = machine.apply_batch(batch, [None if w is None else w[1] for w in waiters])
        assert len(results) == len(batch), "one result per entry"
        self.applied_index = batch[-1].index
        self.applied_term = batch[-1].term
        for waiter, result in zip(waiters, results, strict=True):
            if waiter is not None:
                tell(waiter[0], result)

    def _wake(self) -> None:
        waiting, self._caught_up = self._caught_up, []
        for index, future in waiting:
            if index > self.applied_index:
                self._caught_up.append((index, future))
            elif not future.done():
                future.set_result(None)

    def restore(self, index: int, term: int, install: Install) -> None:
        """Replace the state machine by a snapshot at ``index``."""
        try:
            install()
        except Exception as error:
            self._crashed(error)
            raise
        self.applied_index = index
        self.applied_term = term
        self.target = max(self.target, index)
        self.fail_waiting(0, AbortedByRestoreError(), up_to=index)
        self._wake()
        if not self._busy:
            self._turn()

    def fail_waiting(self, above: int, error: RaftError, *, up_to: int | None = None) -> None:
        """Answer proposals above an index (and up to another) with an error."""
        for index in [i for i in self.waiting if i > above and (up_to is None or i <= up_to)]:
            future, _ = self.waiting.pop(index)
            tell_error(future, error)
