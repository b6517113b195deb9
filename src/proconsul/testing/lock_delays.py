"""Whether nobody acquired a key within its lock-delay (HTTP API: session, LockDelay), whoever led meanwhile.

`linearizability` knows no durations, so this looks at times alone: a key whose holder's session was ended by request
cannot be acquired by another before the delay has passed since that request was made. Only holders of whom it is
certain that they held the key to the end count; what nobody knows accuses nobody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from proconsul.testing.history import Operation

__all__ = ["Early", "early_acquisition"]

_LETTING_GO = ("unlock", "delete", "delete-cas", "delete-tree", "txn")


class Early(NamedTuple):
    """A key that was acquired too early: who held it, what ended the holder, who acquired it."""

    held: Operation
    ended: Operation
    acquired: Operation

    def __str__(self) -> str:
        lines = f"{self.acquired.key} was acquired within its lock-delay:", *(f"  {one}" for one in self)
        return "\n".join(lines)


def early_acquisition(history: Iterable[Operation], delay_s: float) -> Early | None:
    """The first violation, for sessions created with ``delays``; ``delay_s`` is their lock-delay in seconds."""
    operations = list(history)
    delayed = {one.session for one in operations if one.kind == "session-create" and one.delays}
    locks = [one for one in operations if one.kind == "lock" and one.done and one.returned is not None]
    for held in locks:
        ended = _end_of(held, operations) if held.session in delayed else None
        if ended is None:
            continue
        for acquired in locks:
            if acquired.key != held.key or acquired.session == held.session:
                continue
            assert acquired.returned is not None and held.returned is not None
            if acquired.invoked > held.returned and acquired.returned < ended.invoked + delay_s:
                return Early(held, ended, acquired)
    return None


def _end_of(held: Operation, operations: Sequence[Operation]) -> Operation | None:
    """The request that ended the session while it held the key; None when anything else may have freed it before."""
    ends = [one for one in operations if one.kind == "session-destroy" and one.session == held.session]
    if len(ends) != 1 or not ends[0].done or ends[0].invoked <= (held.returned or math.inf):
        return None
    for one in operations:
        may_free = one.kind in _LETTING_GO and one.done is not False
        over = one.returned if one.done and one.returned is not None else math.inf
        if may_free and over > held.invoked and _touches(one, held.key):
            return None
    return ends[0]


def _touches(operation: Operation, key: str) -> bool:
    if operation.kind == "txn":
        return any(_touches(step, key) for step in operation.steps)
    return key.startswith(operation.key) if operation.kind.endswith("-tree") else operation.key == key
