"""When a call is made again, and whom of several agents it goes to. Pure.

A read is made again as it changes nothing. A write is only where nothing of it can have been done: the connection was
never there, or the server says that it did nothing; or where doing it twice is doing it once (`Call.repeatable`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from proconsul.client.errors import BadAnswer, CallTimeout, ConsulError, RateLimited, Unavailable

__all__ = ["Agents", "RetryPolicy", "backoff_s"]


def backoff_s(failures: int, first_s: float, most_s: float, rng: random.Random) -> float:
    """The pause after so many failures in a row, 1 and more: doubled each time, of which a random half is left out."""
    longest = min(first_s * 2.0 ** min(failures - 1, 30), most_s)
    return longest * (0.5 + rng.random() / 2)


@dataclass(frozen=True)
class RetryPolicy:
    """``attempts``: how often a call is made at most. ``first_s``, ``most_s``: the pauses between them."""

    attempts: int = 4
    first_s: float = 0.05
    most_s: float = 2.0

    def pause_s(
        self, error: ConsulError, attempt: int, left_s: float, *, repeatable: bool, rng: random.Random
    ) -> float | None:
        """How long to wait after the ``attempt``-th (1 and more) failed; None when that was the last.

        ``left_s``: what is left of the call's time.
        """
        if attempt >= self.attempts or isinstance(error, CallTimeout) or not _may_repeat(error, repeatable):
            return None
        pause_s = backoff_s(attempt, self.first_s, self.most_s, rng)
        if isinstance(error, RateLimited) and error.retry_after_s is not None:
            pause_s = max(pause_s, error.retry_after_s)
        return pause_s if pause_s < left_s else None


def _may_repeat(error: ConsulError, repeatable: bool) -> bool:
    if isinstance(error, RateLimited):
        return True
    if isinstance(error, Unavailable):
        return repeatable or not error.sent
    return isinstance(error, BadAnswer) and repeatable


# An agent that failed is passed over for so long, if there is another.
_REST_S: Final = 1.0
_REST_S_MAX: Final = 30.0


@dataclass
class Agents:
    """Which of ``count`` agents is asked: always the same one while it answers, as its answers do not go back."""

    count: int
    current: int = 0
    _rests: dict[int, tuple[int, float]] = field(default_factory=dict)

    def choose(self, now: float) -> int:
        """The one to ask: the first that is not resting, else the one whose rest ends first."""
        if not self._rests or self.current not in self._rests:
            return self.current
        order = [(self.current + step) % self.count for step in range(self.count)]
        for one in order:
            if one not in self._rests or self._rests[one][1] <= now:
                self.current = one
                return one
        self.current = min(order, key=lambda one: self._rests[one][1])
        return self.current

    def failed(self, one: int, now: float) -> None:
        """It could not be reached, or broke off."""
        failures = self._rests.get(one, (0, 0.0))[0] + 1
        self._rests[one] = failures, now + min(_REST_S * 2 ** (min(failures, 10) - 1), _REST_S_MAX)

    def answered(self, one: int) -> None:
        """It has answered."""
        if self._rests:
            self._rests.pop(one, None)
