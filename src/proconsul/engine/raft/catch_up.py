"""Sending a follower what is no longer in memory: read back from the log, in parts, without holding up anybody else.

The core's sends for the follower queue here in order. Each is sent in parts, few of them under way, so a follower gets
as much as it takes; the core hears of a send when its last part is answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from proconsul.engine.raft.cache import ENTRY_BYTES
from proconsul.engine.raft.errors import TransportError
from proconsul.engine.raft.events import SendAppend
from proconsul.engine.raft.messages import AppendEntriesResponse, LogEntry, Response

# Data of one part: a few milliseconds of work for either side.
PART_BYTES = 1024 * 1024
# Parts that are not answered: one on the follower's disk, one on its way there.
PARTS_UNDER_WAY = 2
# What it gets per second while others write: the network, the disks and the processors are theirs first. It is not kept
# back when the log grows half as fast, or it would never arrive.
SHARED_BYTES_PER_S = 12 * 1024 * 1024

Result = Response | TransportError


class CatchUpSource(Protocol):
    """Where entries come from and go to."""

    def wanted(self, effect: SendAppend) -> bool:
        """Whether the send still makes sense: this server leads in its term, the follower is a member."""

    def appended_bytes(self) -> int:
        """How much was ever appended to the log, with ENTRY_BYTES for each entry."""

    def cached(self, first: int, last: int) -> Sequence[LogEntry]:
        """Entries in memory, from ``first`` on as far as they go."""

    def read(self, first: int, last: int, bytes_max: int) -> asyncio.Future[list[LogEntry]]:
        """Entries of the log from ``first``, at least one. Fails with StorageError."""

    def send_entries(self, part: SendAppend, entries: tuple[LogEntry, ...], done: Callable[[Result], None]) -> None:
        """Send a part."""

    def responded(self, effect: SendAppend, response: AppendEntriesResponse) -> None:
        """Tell the core."""

    def failed(self, effect: SendAppend, result: object) -> None:
        """Tell the core."""


class CatchUp:
    """The sends of one follower. ``over`` is called when none is left."""

    def __init__(self, source: CatchUpSource, over: Callable[[], None]) -> None:
        self._source = source
        self._over = over
        self._queue: deque[SendAppend] = deque()
        # Index and term of the last entry of the first send in the queue that was handed to the network.
        self._sent = (0, 0)
        self._reading = self._pausing = False
        self._under_way = 0
        self._appended_bytes = source.appended_bytes()
        self._loop = asyncio.get_running_loop()

    def add(self, effect: SendAppend) -> None:
        """One more send, behind the others."""
        if not self._queue:
            self._sent = effect.prev_index, effect.prev_term
        self._queue.append(effect)
        self._go_on()

    def _go_on(self) -> None:
        while self._queue and not self._reading and not self._pausing and self._under_way < PARTS_UNDER_WAY:
            effect = self._queue[0]
            if not self._source.wanted(effect):
                self._give_up(effect, None)
                return
            first, last = self._sent[0] + 1, effect.last_index
            entries = self._source.cached(first, last)
            if len(entries) == last - first + 1 and sum(len(entry.data) for entry in entries) <= PART_BYTES:
                self._send(effect, tuple(entries))
            else:
                self._reading = True
                self._source.read(first, last, PART_BYTES).add_done_callback(partial(self._read, effect))
        if not self._queue and not self._reading and not self._pausing and not self._under_way:
            self._over()

    def _read(self, effect: SendAppend, reading: asyncio.Future[list[LogEntry]]) -> None:
        self._reading = False
        if not self._queue or self._queue[0] is not effect:
            self._go_on()  # given up meanwhile
        elif reading.cancelled() or reading.exception() is not None:
            self._give_up(effect, None)
        else:
            self._send(effect, tuple(reading.result()))
            self._go_on()

    def _send(self, effect: SendAppend, entries: tuple[LogEntry, ...]) -> None:
        prev_index, prev_term = self._sent
        last = entries[-1].index if entries else prev_index
        part = SendAppend(
            effect.to, effect.seq, effect.term, prev_index, prev_term, last, effect.commit, False, effect.sent_at
        )
        if last == effect.last_index:
            self._queue.popleft()
            if self._queue:
                self._sent = self._queue[0].prev_index, self._queue[0].prev_term
        else:
            self._sent = last, entries[-1].term
        self._under_way += 1
        self._pause(sum(ENTRY_BYTES + len(entry.data) for entry in entries))
        self._source.send_entries(part, entries, partial(self._answered, effect, part))

    def _pause(self, size: int) -> None:
        """Behind a part of ``size`` bytes, when the log has grown meanwhile, but by less."""
        before, self._appended_bytes = self._appended_bytes, self._source.appended_bytes()
        if 0 < self._appended_bytes - before < size // 2:
            self._pausing = True
            self._loop.call_later(size / SHARED_BYTES_PER_S, self._resume)

    def _resume(self) -> None:
        self._pausing = False
        self._go_on()

    def _answered(self, effect: SendAppend, part: SendAppend, result: Result) -> None:
        self._under_way -= 1
        if not isinstance(result, AppendEntriesResponse):
            self._give_up(effect, result)
        elif not result.success:
            self._source.responded(part, result)
            self._give_up(effect, None)
        else:
            if part.last_index == effect.last_index:
                self._source.responded(effect, result)
            self._go_on()

    def _give_up(self, effect: SendAppend, result: object) -> None:
        """The core begins again where the follower is: it is told of everything that will not be sent."""
        dropped, self._queue = self._queue, deque()
        self._source.failed(effect, result)
        for other in dropped:
            if other is not effect:
                self._source.failed(other, None)
        self._go_on()
