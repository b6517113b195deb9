"""User events: fired into the gossip pool, filtered by each receiver, remembered in a ring (HTTP API: event)."""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from collections.abc import Callable
from typing import ClassVar

from proconsul.agent.local.local_state import LocalState
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Record
from proconsul.features.errors import ConsulError

PREFIX = "consul:event:"
RING_SIZE = 256
VERSION = 1


class UserEvent(Record, frozen=True):
    """One event as the API shows it. ``LTime`` is the pool's Lamport time, known to receivers only."""

    ID: str = ""
    Name: str = ""
    Payload: bytes | None = None
    NodeFilter: str = ""
    ServiceFilter: str = ""
    TagFilter: str = ""
    Version: int = VERSION
    LTime: int = 0


class _Wire(Record, frozen=True):
    """An event inside the gossip packet; zero values are left out and Payload is binary."""

    go_name: ClassVar[str | None] = "UserEvent"
    ID: str = ""
    n: str = ""
    p: bytes | None = None
    nf: str = ""
    sf: str = ""
    tf: str = ""
    v: int = VERSION


def encode(event: UserEvent) -> bytes:
    """The event's payload in the pool; unlike everything else it uses the new msgpack specification."""
    import msgpack as library

    fields = {
        "ID": event.ID, "n": event.Name, "p": event.Payload, "nf": event.NodeFilter, "sf": event.ServiceFilter,
        "tf": event.TagFilter, "v": event.Version,
    }  # fmt: skip
    packed: bytes = library.packb(
        {key: value for key, value in fields.items() if value}, use_bin_type=True, unicode_errors="surrogateescape"
    )
    return packed


def decode(payload: bytes, ltime: int) -> UserEvent:
    """Raises msgpack.DecodeError."""
    wire = msgpack.decode(_Wire, payload)
    return UserEvent(wire.ID, wire.n, wire.p, wire.nf, wire.sf, wire.tf, wire.v, ltime)


def index_of(event_id: str) -> int:
    """The blocking index of an event: its UUID folded to 64 bits. Whoever is in the pool may send any other id."""
    try:
        number = uuid.UUID(event_id).int
    except ValueError:
        raw = event_id.encode("utf-8", "surrogateescape")
        number = int.from_bytes(hashlib.md5(raw, usedforsecurity=False).digest())
    return (number & (1 << 64) - 1) ^ (number >> 64)


class EventLog:
    """The events this agent has received and accepted."""

    def __init__(self, state: LocalState) -> None:
        self._state = state
        self._ring: deque[UserEvent] = deque(maxlen=RING_SIZE)
        self._recent: dict[str, None] = {}  # ids, the oldest first
        self._waiters: dict[object, Callable[[], None]] = {}
        self._listeners: list[Callable[[UserEvent], None]] = []
        self._diverted: dict[str, Callable[[UserEvent], None]] = {}

    def divert(self, name: str, handler: Callable[[UserEvent], None]) -> None:
        """Give accepted events of this name to ``handler`` alone: they are the agents' business and in no list."""
        self._diverted[name] = handler

    def listen(self, listener: Callable[[UserEvent], None]) -> None:
        self._listeners.append(listener)

    def received(self, ltime: int, name: str, payload: bytes) -> None:
        """An event came out of the pool."""
        if not name.startswith(PREFIX):
            return
        try:
            event = decode(payload, ltime)
        except msgpack.DecodeError:
            return
        if not self._accepts(event) or self._is_known(event.ID):
            return
        if event.Name in self._diverted:
            self._diverted[event.Name](event)
            return
        self._ring.append(event)
        for listener in self._listeners:
            listener(event)
        for wake in list(self._waiters.values()):
            wake()

    def _is_known(self, event_id: str) -> bool:
        """Whether the event has come before: who asked a server to fire it, and heard nothing, has asked another."""
        if event_id in self._recent:
            return True
        if event_id:
            if len(self._recent) >= RING_SIZE:
                self._recent.pop(next(iter(self._recent)))
            self._recent[event_id] = None
        return False

    def _accepts(self, event: UserEvent) -> bool:
        """Receiver-side filters: regular expressions on the node's name, its services and one service's tags."""
        if event.NodeFilter and not _search(event.NodeFilter, self._state.node):
            return False
        if not event.ServiceFilter:
            return True
        for service in self._state.live_services().values():
            if not _search(event.ServiceFilter, service.Service):
                continue
            if not event.TagFilter or any(_search(event.TagFilter, tag) for tag in service.Tags or ()):
                return True
        return False

    def events(self, name: str = "") -> list[UserEvent]:
        """Oldest first; with ``name`` only events of that name."""
        return [event for event in self._ring if not name or event.Name == name]

    def wait(self, token: object, wake: Callable[[], None]) -> None:
        """Call ``wake`` after every accepted event until `forget`."""
        self._waiters[token] = wake

    def forget(self, token: object) -> None:
        self._waiters.pop(token, None)


def _search(pattern: str, text: str) -> bool:
    from proconsul.engine.wire.goregexp import compile_go

    try:
        return compile_go(pattern).search(text) is not None
    except ValueError:
        return False


def validate(event: UserEvent) -> None:
    """Raises ConsulError in Consul's words."""
    if event.TagFilter and not event.ServiceFilter:
        raise ConsulError("Cannot provide tag filter without service filter")
    for title, pattern in (("node", event.NodeFilter), ("service", event.ServiceFilter), ("tag", event.TagFilter)):
        if pattern:
            from proconsul.engine.wire.goregexp import compile_go

            try:
                compile_go(pattern)
            except ValueError as error:
                raise ConsulError(f"Invalid {title} filter: {error}") from None
