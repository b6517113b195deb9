# Made by scripts/make_blocking_client.py of ../aio/group.py: change that one.
"""The base of the groups of calls."""

from __future__ import annotations

from proconsul.client.blocking.caller import Caller

__all__ = ["Group", "Many"]

# Lists, by a name that groups have no method of.
Many = list


class Group:
    """Calls of one area; all of one client go the same way."""

    __slots__ = ("_call",)

    def __init__(self, caller: Caller) -> None:
        self._call = caller
