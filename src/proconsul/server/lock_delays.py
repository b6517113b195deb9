"""Lock-delays: keys that rest after their holder's session was invalidated (HTTP API: session, LockDelay).

By the leader's monotonic clock, in memory, not replicated: a new leader starts without any.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable


class LockDelays:
    """Expiry times by key."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        self._prune()
        return len(self._until)

    def arm(self, key: str, delay_s: float) -> None:
        if delay_s <= 0:
            return
        until = self._clock() + delay_s
        self._until[key] = until
        heapq.heappush(self._heap, (until, key))
        self._prune()

    def remaining_s(self, key: str) -> float:
        """Seconds until ``key`` may be acquired, 0 when it may."""
        until = self._until.get(key)
        return max(until - self._clock(), 0.0) if until is not None else 0.0

    def clear(self) -> None:
        self._until.clear()
        self._heap.clear()

    def _prune(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            until, key = heapq.heappop(self._heap)
            if self._until.get(key) == until:
                del self._until[key]
