"""What was seen lately, by Lamport time: tells new messages from those that come again, in bounded memory. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Generic, TypeVar

from proconsul.engine.gossip.lamport import LTIME_MAX

# Messages share a Lamport time only when different members send them before they hear of each other, so this many at
# once is far beyond what a pool produces, and keeps a sender from filling memory under one time.
PER_TIME_MAX = 128

T = TypeVar("T")


class Verdict(Enum):
    """What a message is to one who has seen others."""

    NEW = "new"
    AGAIN = "again"
    OLD = "old"  # too long ago to tell whether it was seen
    EXCESS = "excess"  # too many of the same time, or an impossible time


class Recent(Generic[T]):
    """A ring with a slot per Lamport time, remembering the last ``size`` times (serf: 512)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._slots: list[tuple[int, list[T]] | None] = [None] * size

    def admit(self, ltime: int, item: T, clock: int) -> Verdict:
        """Remember ``item`` if it is new. ``clock`` is the time now, later than any seen."""
        if ltime >= LTIME_MAX:
            return Verdict.EXCESS
        if clock > self.size and ltime < clock - self.size:
            return Verdict.OLD
        slot = self._slots[ltime % self.size]
        if slot is None or slot[0] != ltime:
            self._slots[ltime % self.size] = (ltime, [item])
            return Verdict.NEW
        if item in slot[1]:
            return Verdict.AGAIN
        if len(slot[1]) >= PER_TIME_MAX:
            return Verdict.EXCESS
        slot[1].append(item)
        return Verdict.NEW

    def slots(self) -> Iterator[tuple[int, list[T]]]:
        """The times remembered with their items, in the order of the ring."""
        return (slot for slot in self._slots if slot is not None)
