"""Lock-delays: keys that rest after their holder's session was invalidated (HTTP API: session, LockDelay).

By a server's own monotonic clock, in memory, not replicated. Consul's leaders forget them with their leadership; here
every server remembers what it applied, and one that comes to lead gives those keys their whole delay again. What a
snapshot holds was applied by somebody else at a time unknown: for as long as the longest delay after it was taken, a
lock that is free in it counts as just let go of.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion, Mapped, tell_error, undisturbed

# Sessions cannot ask for more.
DELAY_MAX_S = 60.0


class _Delay(NamedTuple):
    until: float
    delay_s: float


class LockDelays:
    """Expiry times by key. Times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._delays: dict[str, _Delay] = {}
        self._heap: list[tuple[float, str]] = []
        self._unknown_until = 0.0
        self._unknown_index = 0

    def __len__(self) -> int:
        return len(self._delays)

    def arm(self, key: str, delay_s: float, now: float) -> None:
        """``key`` was let go of by a session that ended."""
        self._prune(now)
        if delay_s > 0:
            self._delays[key] = _Delay(now + delay_s, delay_s)
            heapq.heappush(self._heap, (now + delay_s, key))

    def begin_again(self, now: float) -> None:
        """A leader starts: nobody knows how much of their time the keys had under the one before."""
        self._prune(now)
        for key, delay in list(self._delays.items()):
            self.arm(key, delay.delay_s, now)

    def unknown_up_to(self, index: int, until: float) -> None:
        """Nothing is known of sessions that ended at or before ``index``; it matters no more after ``until``."""
        self._unknown_index, self._unknown_until = index, until

    def remaining_s(self, key: str, now: float) -> float:
        """Seconds until ``key`` may be acquired, 0 when it may."""
        delay = self._delays.get(key)
        return max(delay.until - now, 0.0) if delay is not None else 0.0

    def is_unknown(self, index: int, now: float) -> bool:
        """Whether what happened at ``index`` may be the end of a session whose delay is still on."""
        return index <= self._unknown_index and now < self._unknown_until

    def clear(self) -> None:
        """Forget everything: the state is another one now."""
        self._delays.clear()
        self._heap.clear()
        self._unknown_until = 0.0

    def _prune(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            until, key = heapq.heappop(self._heap)
            delay = self._delays.get(key)
            if delay is not None and delay.until == until:
                del self._delays[key]


class LockGate:
    """One acquisition of a key at a time is under way; further ones wait until it is known what came of it.

    Otherwise somebody could take a lock that is free, lose it with its session, and be followed by who asked
    meanwhile: both asked while there was no delay yet.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Callable[[], None]]] = {}

    def enter(self, waiter: Completion, keys: Iterable[str], begin: Callable[[Completion], None]) -> None:
        """Call ``begin`` with what to tell instead of ``waiter``, when no other acquisition of ``keys`` is under way.

        Order is kept. Whoever no longer wants an answer by then is passed over.
        """
        keys = tuple(sorted(set(keys)))  # an order that a seed replays
        for key in keys:
            if key in self._waiting:
                self._waiting[key].append(lambda: self._again(waiter, keys, begin))
                return
        for key in keys:
            self._waiting[key] = deque()
        inside = _Inside(self, keys, waiter)
        try:
            begin(inside)
        except Exception:
            self.leave(keys)
            raise

    def _again(self, waiter: Completion, keys: tuple[str, ...], begin: Callable[[Completion], None]) -> None:
        if waiter.done():
            return
        try:
            self.enter(waiter, keys, begin)
        except Exception as error:
            tell_error(waiter, error)

    def leave(self, keys: tuple[str, ...]) -> None:
        """What was under way is over: whoever waits tries again."""
        for queue in [self._waiting.pop(key) for key in keys if key in self._waiting]:
            for again in queue:
                undisturbed(again)


class _Inside(Mapped):
    """The waiter of an acquisition that is under way. It must hear what came of it even if nobody wants to know."""

    __slots__ = ("_gate", "_keys")

    def __init__(self, gate: LockGate, keys: tuple[str, ...], waiter: Completion) -> None:
        super().__init__(waiter, lambda result: result)
        self._gate, self._keys = gate, keys

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        self._gate.leave(self._keys)
        super().set_result(result)

    def set_exception(self, exception: Exception) -> None:
        self._gate.leave(self._keys)
        super().set_exception(exception)
