"""The rules of reading again and again: which index to ask with, when to pause, what has changed. Pure.

Sources: HTTP API, features/blocking, "Implementation details": an index that goes back starts over, none is no index,
and an answer need not be news.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

import msgspec

from proconsul.client.errors import (
    AccessControlDisabled,
    BadRequest,
    ConsulError,
    PermissionDenied,
    RateLimited,
    Redirected,
)
from proconsul.client.retry import backoff_s
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, Node, ServiceNode
from proconsul.features.kv.model import DirEntry

__all__ = ["Added", "Change", "Changed", "IndexRules", "Position", "Removed", "differences", "ends_watch"]

R = TypeVar("R")

# Of a server that answers at once each time, a burst is taken as it comes, then so many a second.
_BURST: Final = 32
_PER_SECOND: Final = 16.0
# What has no index is looked at so often.
_POLL_S: Final = 10.0
_RETRY_FIRST_S: Final = 0.25
_RETRY_MOST_S: Final = 30.0


class IndexRules:
    """What to ask with next, and when. Times are of the monotonic clock, in seconds."""

    index: int
    failures: int

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        # 0: read without waiting.
        self.index = 0
        self.failures = 0
        self._credit, self._credited = float(_BURST), 0.0

    def answered(self, index: int, now: float) -> float:
        """An answer of ``index`` came; how long to wait before the next question."""
        self.failures = 0
        if index <= 0:
            self.index = 0
            return _POLL_S
        # One that goes back is of a server that began anew: what it had before, it may never reach again.
        self.index = 0 if index < self.index else index
        self._credit = min(self._credit + (now - self._credited) * _PER_SECOND, _BURST) - 1
        self._credited = now
        return max(-self._credit / _PER_SECOND, 0.0)

    def failed(self, error: ConsulError) -> float:
        """There was none; how long to wait. Who is asked next may know other indexes."""
        self.index = 0
        self.failures += 1
        pause_s = backoff_s(self.failures, _RETRY_FIRST_S, _RETRY_MOST_S, self._rng)
        if isinstance(error, RateLimited) and error.retry_after_s is not None:
            pause_s = max(pause_s, error.retry_after_s)
        return pause_s


def ends_watch(error: ConsulError) -> bool:
    """Whether asking again would be told the same: whoever watches has to do something."""
    return isinstance(error, (AccessControlDisabled, BadRequest, PermissionDenied, Redirected))


# ---------------------------------------------------------------------- what has changed


@dataclass(frozen=True, slots=True)
class Added(Generic[R]):
    """Something is there that was not."""

    key: str
    value: R


@dataclass(frozen=True, slots=True)
class Changed(Generic[R]):
    """Something is another. ``before``: None where only its version was known (`Position`)."""

    key: str
    value: R
    before: R | None


@dataclass(frozen=True, slots=True)
class Removed(Generic[R]):
    """Something is not there any more. ``before``: as `Changed`."""

    key: str
    before: R | None


Change = Added[R] | Changed[R] | Removed[R]


class Position(msgspec.Struct, frozen=True):
    """How far somebody has come who follows changes: the versions of what they know of. It can be kept as JSON."""

    versions: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Version:
    """Stands for a value of which nothing else is known."""

    text: str


def version_of(value: object) -> str:
    """A text that is the same for equal values, and only for them."""
    return blake2b(msgspec.msgpack.encode(value), digest_size=12).hexdigest()


def key_of(row: object) -> str:
    """What a row is told apart by from others of its kind."""
    if isinstance(row, DirEntry):
        return row.Key
    if isinstance(row, CheckServiceNode):
        return f"{row.Node.Node}/{row.Service.ID}"
    if isinstance(row, ServiceNode):
        return f"{row.Node}/{row.ServiceID}"
    if isinstance(row, HealthCheck):
        return f"{row.Node}/{row.CheckID}"
    if isinstance(row, Node):
        return row.Node
    if isinstance(row, str):
        return row
    for name in ("ID", "AccessorID", "Name", "Node", "Datacenter"):
        if isinstance(found := getattr(row, name, None), str) and found:
            return found
    raise TypeError(f"nothing tells one {type(row).__name__} from another")


def rows_of(value: object) -> dict[str, Any]:
    """An answer by what its rows are told apart by: of a list, of a mapping, or of one thing alone, under ""."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return {key_of(one): one for one in value}
    return {"": value}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change[Any]]:
    """What to do with ``before``, whose values may be a `Version`, to have ``after``; what is gone comes first."""
    for key, old in before.items():
        if key not in after:
            yield Removed(key, None if isinstance(old, Version) else old)
    for key, new in after.items():
        if key not in before:
            yield Added(key, new)
            continue
        old = before[key]
        if isinstance(old, Version):
            if version_of(new) != old.text:
                yield Changed(key, new, None)
        elif old != new:
            yield Changed(key, new, old)
