"""Elections: one of many leads, and all can know who."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proconsul.client.aio import kit
from proconsul.client.aio.locks import AsyncHeld, AsyncLock
from proconsul.client.aio.parts import AsyncParts
from proconsul.client.aio.watch import AsyncWatch
from proconsul.client.errors import ConsulError, LockLost
from proconsul.client.retry import backoff_s
from proconsul.features.kv.model import DirEntry

__all__ = ["AsyncElection"]

_RETRY_FIRST_S = 0.5
_RETRY_MOST_S = 15.0


class AsyncElection:
    """Who holds ``key`` leads; its value says who that is. Made by `client.election`."""

    key: str

    def __init__(self, parts: AsyncParts, key: str, make: Callable[[], AsyncLock]) -> None:
        self._parts, self.key, self._make = parts, key, make
        self._handle = kit.Handle()

    def leadership(self) -> AsyncLock:
        """A term to run for: ``async with election.leadership() as held:`` waits until this one leads."""
        return self._make()

    async def run(self, work: Callable[[AsyncHeld], Awaitable[None]]) -> None:
        """Lead again and again: ``work`` runs while this one leads, and is cancelled when it does not any more.

        In a thread it is not, and has to look at ``held``. Returns when ``work`` has returned while it led, or when
        `stop` was called; raises what ``work`` raises. Losing the lead, or having nobody to ask, raises nothing: it
        runs again.
        """
        failures = 0
        with self._handle:
            while not self._handle.stopped:
                try:
                    async with self._make() as held:
                        failures = 0
                        await work(held)
                    return
                except kit.Stopped:
                    return
                except LockLost:
                    continue
                except ConsulError:
                    failures += 1
                    try:
                        rng = self._parts.caller.rng
                        await kit.sleep(backoff_s(failures, _RETRY_FIRST_S, _RETRY_MOST_S, rng))
                    except kit.Stopped:
                        return

    def stop(self) -> None:
        """Have `run` end, from wherever."""
        self._handle.stop()

    async def leader(self) -> bytes | None:
        """What the leader says of itself, None when nobody leads."""
        return _told(await self._parts.kv.entry(self.key, consistency="consistent"))

    async def _leader(self) -> bytes | None:
        return _told(await self._parts.kv.entry(self.key))

    def watch(self) -> AsyncWatch[bytes | None]:
        """What leaders say of themselves, as they change; None while nobody leads."""
        return AsyncWatch(self._parts.caller, self._leader, (), {})


def _told(entry: DirEntry | None) -> bytes | None:
    return (entry.Value or b"") if entry is not None and entry.Session else None
