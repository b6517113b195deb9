"""The base of the groups of calls."""

from __future__ import annotations

from proconsul.client.aio.caller import AsyncCaller

__all__ = ["AsyncGroup", "Many"]

# Lists, by a name that groups have no method of.
Many = list


class AsyncGroup:
    """Calls of one area; all of one client go the same way."""

    __slots__ = ("_call",)

    def __init__(self, caller: AsyncCaller) -> None:
        self._call = caller
