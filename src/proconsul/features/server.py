"""What endpoints need from the server that hosts them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.meters import Meters
from proconsul.engine.store.view import Views
from proconsul.engine.store.watch import WatchSet
from proconsul.features.acl.resolver import Resolver
from proconsul.features.acl.settings import AclSettings
from proconsul.features.errors import ConsulError
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.permission import Permission
from proconsul.features.session.model import Session
from proconsul.features.state import State
from proconsul.features.txn.model import TxnError, TxnOp


def same(value: Any) -> Any:
    return value


def complete_from(waiter: Completion, future: asyncio.Future[Any]) -> None:
    """Pass the outcome of ``future`` on."""
    if future.cancelled():
        tell_error(waiter, ConsulError("leadership lost while committing log"))
        return
    error = future.exception()
    tell(waiter, future.result() if error is None else error)


def or_empty(rows: Any) -> Any:
    """Go's nil slice is an empty list here."""
    return rows or []


class ReadMethod(NamedTuple):
    """A read as an RPC method: the reply carries its value in ``field``, which may need another form on the wire.

    Without a ``field`` the value is the whole reply; ``indexed`` says that its QueryMeta is filled in then, too.
    """

    name: str
    request: type[Any]
    reply: type[Any]
    field: str = ""
    to_field: Callable[[Any], Any] = same
    to_value: Callable[[Any], Any] = same
    indexed: bool = False

    def value_in(self, reply: Any) -> Any:
        """The value that ``reply`` carries."""
        return self.to_value(getattr(reply, self.field)) if self.field else reply


class WriteMethod(NamedTuple):
    """A write as an RPC method. ``reply`` is the type on the wire, None for nothing but an acknowledgement.

    repeatable: it may be asked for again when nothing is known of the first time. anywhere: every server can do it.
    """

    name: str
    request: type[Any]
    reply: Any = None
    to_reply: Callable[[Any], Any] = same
    to_result: Callable[[Any], Any] = same
    repeatable: bool = False
    anywhere: bool = False


class CallMethod(NamedTuple):
    """An RPC method that neither reads nor writes the state. ``reply`` None: nothing but an acknowledgement.

    reads: it may be asked again when nothing is known of the first time. may_be_stale: any server may answer it when
    it is asked for that. anywhere: every server does it itself.
    """

    name: str
    request: type[Any]
    reply: Any
    reads: bool = True
    may_be_stale: bool = False
    anywhere: bool = False


# Carries a method out, here or on another server. Raises ConsulError.
Carry = Callable[[CallMethod, Any], Awaitable[Any]]


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


# Carries a write out where it is to be done: tells the waiter, or raises ConsulError.
Do = Callable[[Completion, Any], None]
Reads = Mapping[ReadMethod, Callable[[Any], Read]]
Writes = Mapping[WriteMethod, Do]
Calls = Mapping[CallMethod, Callable[[Any], Awaitable[Any]]]


class Endpoint:
    """What answers the methods of a feature; the gate calls it where they are to be answered.

    reads: the read that a method is with given arguments. writes: what carries a method out on the server that is to do
    it. calls: what answers a method that is neither.
    """

    reads: Reads = {}
    writes: Writes = {}
    calls: Calls = {}


class Server(Protocol):
    """A server as its endpoints see it."""

    state: State
    views: Views
    datacenter: str
    node_name: str
    meters: Meters
    # Seconds of a clock that never goes back.
    clock: Callable[[], float]
    session_ttl_min_ns: int
    # From secrets to rights, and what else was configured of access control.
    resolver: Resolver
    acl_settings: AclSettings

    @property
    def permission(self) -> Permission:
        """What the gate asks; for methods of which it cannot know what they need."""

    def renew(self, session: Session) -> None:
        """Give ``session`` a full TTL again: deadlines are in the leader's memory only."""

    def wan_coordinates(self) -> Iterable[Any] | None:
        """Where the servers of all datacenters stand (`WanCoordinate`); None without a pool of them."""

    def datacenters_by_distance(self) -> list[str]:
        """The names of all datacenters that are known, the nearest first; a client knows only its own."""

    def has_agent(self, node: str) -> bool:
        """Whether an agent of that node is alive in our datacenter: what is registered with it, it keeps registered."""

    def lock_delayed(self, entry: DirEntry) -> bool:
        """Whether ``entry.Key`` must rest, so that ``entry.Session`` cannot acquire it now. A holder always can."""

    def locking(self, waiter: Completion, keys: Iterable[str], begin: Callable[[Completion], None]) -> None:
        """Call ``begin`` with whom to tell, when no other acquisition of any of ``keys`` is under way here."""

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """What would be wrong with a transaction now; the state stays as it is."""

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        """Replicate a command; the future has the FSM's result, which is an exception value for a refusal."""

    def propose_for(self, waiter: Completion, kind: MessageType, request: Any) -> None:
        """As `propose`, but the outcome goes to ``waiter`` the moment it is there."""

    def handed_on(self, waiter: Completion, method: WriteMethod, args: Any) -> bool:
        """False while this server leads. Else ``waiter`` is told what another one makes of the call.

        For writes that had to wait for others after they had passed the gate.
        """

    async def call(self, method: CallMethod, args: Any) -> Any:
        """Carry ``method`` out, in the datacenter of ``args``. Raises ConsulError."""

    def knows(self) -> tuple[bool, int]:
        """Whether somebody leads, and how many nanoseconds ago the leader was heard, 0 on the leader."""

    def new_id(self) -> str:
        """A random UUID that no session has."""
