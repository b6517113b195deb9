"""The arithmetic of majorities, once: who counts is the caller's matter (voters only, never non-voters).

There is no joint consensus here. Configurations change one vote at a time, and a majority of the old one and a majority
of the new one always share a server (Raft dissertation 4.1), so one majority is all there is to ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

__all__ = ["has_majority", "majority", "reached"]

Number = TypeVar("Number", int, float)


def majority(voters: int) -> int:
    """How many of so many voters make a majority. 1 for none: nobody can reach it."""
    return voters // 2 + 1


def has_majority(granted: Collection[str], voters: Collection[str]) -> bool:
    """Whether the voters among ``granted`` are a majority of ``voters``."""
    return sum(voter in granted for voter in voters) >= majority(len(voters))


def reached(values: Iterable[Number]) -> Number:
    """The highest value that a majority has reached, from one value for each voter.

    Values are indexes on disk, times of contact, or numbers of acknowledged sends. ValueError without voters.
    """
    ordered = sorted(values, reverse=True)
    if not ordered:
        raise ValueError("a quorum of no voters")
    return ordered[majority(len(ordered)) - 1]
