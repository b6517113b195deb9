"""The clocks an agent goes by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["REAL", "Clocks"]


class Clocks(NamedTuple):
    """``monotonic``: as the event loop's own, for deadlines; ``wall``: seconds since 1970, for what people read."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def wall_ns(self) -> int:
        """As ``wall``, in nanoseconds."""
        return time.time_ns() if self.wall is time.time else round(self.wall() * 1e9)


REAL = Clocks()
