"""Lamport clocks (Lamport 1978) as serf keeps them: one each for membership, user events and queries. Pure."""

from __future__ import annotations

# Times are 64 bits on the wire. No pool counts this far, so a larger one is an attack, and believing it would wrap
# the clocks of the whole pool.
LTIME_MAX = 1 << 63


class LamportClock:
    """Counts what happens; whoever sees a later time than its own goes on from there."""

    __slots__ = ("time",)

    def __init__(self) -> None:
        self.time = 1

    def stamp(self) -> int:
        """The time for a message of ours; the clock moves on."""
        self.time += 1
        return self.time - 1

    def witness(self, seen: int) -> None:
        """Another's time: ours is later from now on. Impossible times are not believed."""
        if self.time <= seen < LTIME_MAX:
            self.time = seen + 1
