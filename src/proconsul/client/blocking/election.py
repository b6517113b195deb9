# Made by scripts/make_blocking_client.py of ../aio/election.py: change that one.
"""Elections: one of many leads, and all can know who."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.client.blocking import kit
from proconsul.client.blocking.locks import Held, Lock
from proconsul.client.blocking.parts import Parts
from proconsul.client.blocking.watch import Watch
from proconsul.client.errors import ConsulError, LockLost
from proconsul.client.retry import backoff_s
from proconsul.features.kv.model import DirEntry

__all__ = ["Election"]

_RETRY_FIRST_S = 0.5
_RETRY_MOST_S = 15.0


class Election:
    """Who holds ``key`` leads; its value says who that is. Made by `client.election`."""

    key: str

    def __init__(self, parts: Parts, key: str, make: Callable[[], Lock]) -> None:
        self._parts, self.key, self._make = parts, key, make
        self._handle = kit.Handle()

    def leadership(self) -> Lock:
        """A term to run for: ``with election.leadership() as held:`` waits until this one leads."""
        return self._make()

    def run(self, work: Callable[[Held], None]) -> None:
        """Lead again and again: ``work`` runs while this one leads, and is cancelled when it does not any more.

        In a thread it is not, and has to look at ``held``. Returns when ``work`` has returned while it led, or when
        `stop` was called; raises what ``work`` raises. Losing the lead, or having nobody to ask, raises nothing: it
        runs again.
        """
        failures = 0
        with self._handle:
            while not self._handle.stopped:
                try:
                    with self._make() as held:
                        failures = 0
                        work(held)
                    return
                except kit.Stopped:
                    return
                except LockLost:
                    continue
                except ConsulError:
                    failures += 1
                    try:
                        rng = self._parts.caller.rng
                        kit.sleep(backoff_s(failures, _RETRY_FIRST_S, _RETRY_MOST_S, rng))
                    except kit.Stopped:
                        return

    def stop(self) -> None:
        """Have `run` end, from wherever."""
        self._handle.stop()

    def leader(self) -> bytes | None:
        """What the leader says of itself, None when nobody leads."""
        return _told(self._parts.kv.entry(self.key, consistency="consistent"))

    def _leader(self) -> bytes | None:
        return _told(self._parts.kv.entry(self.key))

    def watch(self) -> Watch[bytes | None]:
        """What leaders say of themselves, as they change; None while nobody leads."""
        return Watch(self._parts.caller, self._leader, (), {})


def _told(entry: DirEntry | None) -> bytes | None:
    return (entry.Value or b"") if entry is not None and entry.Session else None
