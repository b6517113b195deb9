"""What serf's core tells and asks its driver. Values, and handles of queries."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from proconsul.engine.gossip.effects import Log
from proconsul.engine.gossip.member import Member

if TYPE_CHECKING:
    from proconsul.engine.gossip.keys import KeyOperation
    from proconsul.engine.gossip.queries import Query, ReceivedQuery


class MemberChange(Enum):
    """What happened to a member; the values are the names of serf's events without their prefix."""

    JOIN = "join"
    LEAVE = "leave"
    FAILED = "failed"
    UPDATE = "update"
    REAP = "reap"


class MembersChanged(NamedTuple):
    """A member joined, left, failed, changed its tags, or was forgotten."""

    kind: MemberChange
    member: Member


class Doubted(NamedTuple):
    """Others believed that we are dead, or that we leave, and may have acted on it; we have objected."""


class UserEvent(NamedTuple):
    """A user event arrived (our own too). ``coalesce``: its sender allows that only the last of its name counts."""

    ltime: int
    name: str
    payload: bytes
    coalesce: bool


class QueryReceived(NamedTuple):
    """Somebody asks; answer with `ReceivedQuery.respond`."""

    query: ReceivedQuery


class QueryAcked(NamedTuple):
    """Our query has reached ``node``."""

    query: Query
    node: str


class QueryAnswered(NamedTuple):
    """``node`` has answered our query."""

    query: Query
    node: str
    payload: bytes


class QueryFinished(NamedTuple):
    """The time of our query is over; it has all it will get."""

    query: Query


class KeysFinished(NamedTuple):
    """A key operation of ours has all answers, or its time is over."""

    operation: KeyOperation


class KeyringChanged(NamedTuple):
    """The keyring was changed: this is the new content of its file.

    Whoever asked for it is answered by ``written``, to be called once when that is on the disk, with an empty text, or
    with why it is not.
    """

    text: str
    written: Callable[[str], None]


class SnapshotLine(NamedTuple):
    """Append to the snapshot file; the text ends with a newline."""

    text: str


class SnapshotCompact(NamedTuple):
    """Replace the snapshot file: write beside it, sync, rename."""

    text: str


Effect = (
    MembersChanged | Doubted | UserEvent | QueryReceived | QueryAcked | QueryAnswered | QueryFinished | KeysFinished
    | KeyringChanged | SnapshotLine | SnapshotCompact | Log
)  # fmt: skip
