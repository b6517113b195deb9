"""What endpoints need from the server that hosts them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple, Protocol

from proconsul.engine.settled import Settled, tell_error, tell_result
from proconsul.engine.store.view import Views
from proconsul.engine.store.watch import WatchSet
from proconsul.features.errors import ConsulError
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.session.model import Session
from proconsul.features.state import State
from proconsul.features.txn.model import TxnError, TxnOp


def same(value: Any) -> Any:
    return value


def settle(waiter: Settled, future: asyncio.Future[Any]) -> None:
    """Pass the outcome of ``future`` on."""
    if future.cancelled():
        tell_error(waiter, ConsulError("leadership lost while committing log"))
        return
    error = future.exception()
    if isinstance(error, Exception):
        tell_error(waiter, error)
    else:
        tell_result(waiter, future.result())


def or_empty(rows: Any) -> Any:
    """Go's nil slice is an empty list here."""
    return rows or []


class ReadMethod(NamedTuple):
    """A read as an RPC method: the reply carries its value in ``field``, which may need another form on the wire.

    Without a ``field`` the value is the whole reply.
    """

    name: str
    request: type[Any]
    reply: type[Any]
    field: str = ""
    to_field: Callable[[Any], Any] = same
    to_value: Callable[[Any], Any] = same

    def value_in(self, reply: Any) -> Any:
        """The value that ``reply`` carries."""
        return self.to_value(getattr(reply, self.field)) if self.field else reply


class WriteMethod(NamedTuple):
    """A write as an RPC method. ``reply`` is the type on the wire, None for nothing but an acknowledgement."""

    name: str
    request: type[Any]
    reply: Any = None
    to_reply: Callable[[Any], Any] = same
    to_result: Callable[[Any], Any] = same


class Read(NamedTuple):
    """A read: its identity (method and normalised arguments) and how to run it, here or on another server.

    ``shared`` reads go through a view, so equal reads share one evaluation and one encoded answer; cheap single-row
    reads are simply run unless somebody waits on them. ``waits``: whether ``?index`` waits for it to change.
    ``method`` and ``args`` ask another server the same.
    """

    key: Hashable
    run: Callable[[WatchSet], tuple[int, Any]]
    method: ReadMethod
    args: Any
    shared: bool = True
    waits: bool = True


class SessionTimers(Protocol):
    """TTL deadlines of sessions, in the leader's memory only."""

    def renew(self, session: Session) -> None:
        """Give ``session`` a full TTL again."""


class Server(Protocol):
    """A server as its endpoints see it."""

    state: State
    views: Views
    datacenter: str
    node_name: str
    session_ttl_min_ns: int

    @property
    def session_timers(self) -> SessionTimers:
        """The leader's TTL deadlines."""

    def lock_delayed(self, entry: DirEntry) -> bool:
        """Whether ``entry.Key`` must rest, so that ``entry.Session`` cannot acquire it now. A holder always can."""

    def locking(self, waiter: Settled, keys: Iterable[str], begin: Callable[[Settled], None]) -> None:
        """Call ``begin`` with whom to tell, when no other acquisition of any of ``keys`` is under way here."""

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """What would be wrong with a transaction now; the state stays as it is."""

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """Replicate a command; the future has the FSM's result, which is an exception value for a refusal."""

    def propose_for(self, waiter: Settled, kind: MessageType, request: Any) -> None:
        """As `propose`, but the outcome goes to ``waiter`` the moment it is there."""

    def elsewhere(self, method: WriteMethod, args: Any) -> asyncio.Future[Any] | None:
        """None when this server leads, and so has to do it; else its result, or the error, by another server."""

    def answers(self, consistency: str) -> bool:
        """Whether a read of that consistency may be answered from our own state, now."""

    def elsewhere_for(self, waiter: Settled, method: WriteMethod, args: Any) -> bool:
        """As `elsewhere`, but the result or the error goes to ``waiter``. False when this server leads."""

    def known_leader(self) -> bool:
        """Whether somebody leads."""

    def last_contact_ms(self) -> int:
        """Milliseconds since the leader was heard, 0 on the leader."""

    def require_reachable(self) -> None:
        """Raise ConsulError when this agent is a client that knows no server."""

    def new_id(self) -> str:
        """A random UUID that no session has."""
