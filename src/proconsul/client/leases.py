"""What locks rest on: how long a session is surely alive, what a semaphore says. Pure.

Sources: Consul documentation, "Sessions", "Leader election", "Distributed semaphore".
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from proconsul.client.errors import ConflictError
from proconsul.client.lock_keys import SEMAPHORE_FLAG
from proconsul.features.kv.model import DirEntry

__all__ = ["FencingToken", "Holders", "Lease"]

_RETRY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class FencingToken:
    """What a store can tell an old holder by: of later holders of ``key`` the ``index`` is larger.

    A write that carries it is refused by who has seen a larger one. ``session``: whose it is.
    """

    key: str
    index: int
    session: str


@dataclass
class Lease:
    """How long a session is surely alive. Servers count from when a renewal reached them, so we from when it was sent;
    they may let it live longer, of which nothing can be known. Times are in seconds, of a clock that does not jump."""

    ttl_s: float
    renewed_at: float
    failures: int = 0

    @property
    def ends_at(self) -> float:
        return self.renewed_at + self.ttl_s

    def renewed(self, sent_at: float) -> None:
        """A renewal that was sent then has been answered."""
        self.renewed_at, self.failures = max(self.renewed_at, sent_at), 0

    def failed(self) -> None:
        """One has not."""
        self.failures += 1

    def pause_s(self, now: float, rng: random.Random) -> float:
        """How long to wait before the next renewal: a third of the time, after a failure less; never beyond the end."""
        longest = self.ttl_s / 3 if not self.failures else min(_RETRY_S * self.failures, self.ttl_s / 6)
        return max(min(longest * (0.8 + rng.random() / 5), self.ends_at - now), 0.0)


class _Document(msgspec.Struct):
    Limit: int = 0
    Holders: dict[str, bool] = {}


class Holders(NamedTuple):
    """What a semaphore's own key says: how many may hold it, and which sessions do. ``version``: its ModifyIndex."""

    limit: int
    sessions: frozenset[str]
    version: int

    @classmethod
    def of(cls, entry: DirEntry | None, limit: int) -> Holders:
        """Read it. Raises ConflictError where the key is something else, or the limit another."""
        if entry is None:
            return cls(limit, frozenset(), 0)
        if entry.Flags != SEMAPHORE_FLAG:
            raise ConflictError("the key is not that of a semaphore", 409)
        if not entry.Value:
            return cls(limit, frozenset(), entry.ModifyIndex)
        try:
            found = msgspec.json.decode(entry.Value, type=_Document)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ConflictError(f"the semaphore's key cannot be read: {error}", 409) from None
        if found.Limit != limit:
            raise ConflictError(f"semaphore limit conflict (lock: {found.Limit}, local: {limit})", 409)
        return cls(limit, frozenset(found.Holders), entry.ModifyIndex)

    def alive(self, sessions: frozenset[str]) -> Holders:
        """Without those whose sessions have ended."""
        return self._replace(sessions=self.sessions & sessions)

    def encode(self) -> bytes:
        """As it is written."""
        return msgspec.json.encode({"Limit": self.limit, "Holders": dict.fromkeys(sorted(self.sessions), True)})
