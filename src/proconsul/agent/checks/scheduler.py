"""When checks run: one heap of deadlines and one timer for all of them.

Law: a check's next run is planned only when its last one has ended, so no check ever runs twice at once; at most
``concurrent_max`` run together and the others wait in order of their deadlines. Ten thousand idle checks cost ten
thousand heap entries and no task.

Pure: the driver (``runner``) tells the time and performs the runs.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CONCURRENT_MAX", "Schedule"]

# 256 at once: each run holds a socket or a process with its pipe; common limits allow 1024 descriptors and the agent
# needs most of them for clients. With runs of 10 ms that is still 25,000 checks per second.
CONCURRENT_MAX: Final = 256


@dataclass
class _Entry:
    interval_s: float
    generation: int
    running: bool = False
    once: bool = False
    # When a single deadline is; of the others the heap knows.
    at_s: float = 0.0


@dataclass
class Schedule:
    """Deadlines of checks by id. ``due`` hands out what may run now."""

    rng: random.Random
    concurrent_max: int = CONCURRENT_MAX
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _heap: list[tuple[float, int, str]] = field(default_factory=list)
    _waiting: deque[tuple[str, int]] = field(default_factory=deque)
    _running: int = 0
    _generation: int = 0

    def add(self, check_id: str, interval_s: float, now_s: float) -> None:
        """Plan a check: first after a random part of its interval, so that restarts do not run all at once."""
        assert interval_s > 0
        self.remove(check_id)
        self._plan(check_id, interval_s, now_s + self.rng.uniform(0, interval_s), once=False)

    def add_deadline(self, check_id: str, at_s: float) -> None:
        """Plan a single deadline (a TTL); replaces an earlier one."""
        self.remove(check_id)
        self._plan(check_id, 0.0, at_s, once=True)

    def _plan(self, check_id: str, interval_s: float, at_s: float, *, once: bool) -> None:
        self._generation += 1
        self._entries[check_id] = _Entry(interval_s, self._generation, once=once, at_s=at_s)
        heapq.heappush(self._heap, (at_s, self._generation, check_id))
        # Removed and replaced entries stay in the heap until their time comes; rebuild before they dominate.
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._entries):
            self._heap = [item for item in self._heap if self._is_current(item[2], item[1])]
            heapq.heapify(self._heap)

    def _is_current(self, check_id: str, generation: int) -> bool:
        entry = self._entries.get(check_id)
        return entry is not None and entry.generation == generation

    def remove(self, check_id: str) -> None:
        """Forget a check. A run under way ends by itself; ``finished`` must still be called for it."""
        self._entries.pop(check_id, None)

    def deadline(self, check_id: str) -> float | None:
        """When the single deadline of ``check_id`` is; None when it has none."""
        entry = self._entries.get(check_id)
        return entry.at_s if entry is not None and entry.once else None

    def next_deadline(self) -> float | None:
        """When ``due`` has to be asked next; None when nothing is planned."""
        while self._heap and not self._is_current(self._heap[0][2], self._heap[0][1]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now_s: float) -> tuple[list[tuple[str, int]], list[str]]:
        """Return (runs to start as (id, ticket), deadlines that passed)."""
        expired: list[str] = []
        while self._heap and self._heap[0][0] <= now_s:
            _, generation, check_id = heapq.heappop(self._heap)
            if not self._is_current(check_id, generation):
                continue
            if self._entries[check_id].once:
                del self._entries[check_id]
                expired.append(check_id)
            else:
                self._waiting.append((check_id, generation))
        return self._start_waiting(), expired

    def _start_waiting(self) -> list[tuple[str, int]]:
        started: list[tuple[str, int]] = []
        while self._waiting and self._running < self.concurrent_max:
            check_id, generation = self._waiting.popleft()
            if not self._is_current(check_id, generation):
                continue
            self._entries[check_id].running = True
            self._running += 1
            started.append((check_id, generation))
        return started

    def finished(self, check_id: str, ticket: int, now_s: float) -> list[tuple[str, int]]:
        """A run ended: plan the next one an interval from now. Return waiting runs that may start instead."""
        assert self._running > 0
        self._running -= 1
        entry = self._entries.get(check_id)
        if entry is not None and entry.generation == ticket:
            entry.running = False
            heapq.heappush(self._heap, (now_s + entry.interval_s, ticket, check_id))
        return self._start_waiting()

    @property
    def running(self) -> int:
        return self._running

    def __len__(self) -> int:
        return len(self._entries)
