"""What has to know that its process is another one now: connections and threads stay with the one that was forked.

Prefork servers load a program once and fork it for each worker. Two that write to one connection read each other's
answers, a lock that some thread held at the time is held for ever, and threads are not copied.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Forked", "tell"]


class Forked(Protocol):
    """Something that belongs to a process."""

    def forked(self) -> None:
        """This is another process: nothing of the old one may be touched. No other thread runs yet."""


_those: WeakSet[Forked] = WeakSet()


def tell(one: Forked) -> None:
    """Have ``one`` told, for as long as it lives."""
    _those.add(one)


def _now() -> None:
    for one in list(_those):
        one.forked()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is forked
    os.register_at_fork(after_in_child=_now)
