"""Deadlines of a pure core: functions to call at a time, run by whoever owns the clock."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any


class Timers:
    """A heap of (time, function, arguments). There is no cancelling: a function looks whether it still matters."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, call: Callable[..., None], *arguments: Any) -> None:
        """Call ``call(*arguments, now)`` at ``when`` or as soon after as `run` is called."""
        heapq.heappush(self._heap, (when, next(self._numbers), call, arguments))

    def next(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Call everything that is due, in order of time."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, _, call, arguments = heapq.heappop(heap)
            call(*arguments, now)

    def delay(self, by: float) -> None:
        """Move every deadline later: time in which nobody could run does not count."""
        self._heap = [(when + by, number, call, arguments) for when, number, call, arguments in self._heap]
