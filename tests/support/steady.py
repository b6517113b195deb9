"""An event loop whose clock does not see that the machine was busy elsewhere.

Servers that share a process and a loop also share every pause of it, when other programs have the processor. By the
real clock such a pause is a leader's silence: elections follow, and tests of what happens without any fail. This clock
counts what the loop waited for on purpose, and of everything else only a little per turn.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any

# What a turn may take, seconds of the clock: well below the time-outs of servers in tests.
TURN_MAX_S = 0.01


class _Clock:
    def __init__(self) -> None:
        self._now = self._turned = time.monotonic()

    def now(self) -> float:
        return self._now + min(time.monotonic() - self._turned, TURN_MAX_S)

    def waited(self, began: float, asked_s: float | None) -> None:
        """A turn ended when ``began``; then the loop waited, no longer than it had asked for."""
        self._now += min(began - self._turned, TURN_MAX_S)
        self._turned = time.monotonic()
        passed = self._turned - began
        self._now += passed if asked_s is None else min(passed, max(asked_s, 0.0))


class _Selector(selectors.DefaultSelector):
    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        began = time.monotonic()
        ready = super().select(timeout)
        self._clock.waited(began, timeout)
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """The loop. Only for code that asks the loop for the time and nobody else."""

    def __init__(self) -> None:
        self._steady = _Clock()
        super().__init__(_Selector(self._steady))

    def time(self) -> float:
        return self._steady.now()
