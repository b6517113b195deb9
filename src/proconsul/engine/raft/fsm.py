"""What a state machine must offer to be replicated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol, runtime_checkable

from proconsul.engine.raft.messages import LogEntry

__all__ = ["FSM", "FSMSnapshot", "SupportsBatchApply", "SupportsChunks", "SupportsPreparedRestore"]


class FSMSnapshot(Protocol):
    """A state captured at one moment. ``persist`` runs on another thread while the state machine goes on."""

    def persist(self) -> Iterator[bytes]:
        """The bytes of state.bin in pieces of any size."""
        ...


class FSM(Protocol):
    """A deterministic machine: same entries, same state, on every server.

    ``apply`` gets only commands. An error that belongs to the command is returned (and told to the proposer as
    its error); an exception raised stops the node, because its state would differ from the others'. ``value`` is what
    was passed to ``propose`` on this server, or None: then decode ``data``.
    """

    def apply(self, index: int, term: int, entry_type: int, data: bytes, value: object | None) -> object:
        """Apply one command; the result answers the proposer on this server."""
        ...

    def snapshot(self) -> FSMSnapshot:
        """Capture the state, quickly (called on the event loop)."""
        ...

    def restore(self, reader: BinaryIO) -> None:
        """Replace the state by the one read."""
        ...


@runtime_checkable
class SupportsPreparedRestore(Protocol):
    """A machine that reads a snapshot beside its state, and then takes it over in one step."""

    def prepare(self, reader: BinaryIO, /) -> Any:
        """Read a snapshot; called on another thread while the machine goes on, so it must not touch the state."""
        ...

    def install(self, prepared: Any, /) -> None:
        """Replace the state by what `prepare` returned, quickly (called on the event loop)."""
        ...


@runtime_checkable
class SupportsBatchApply(Protocol):
    """A machine that applies many commands at once faster than one by one."""

    def apply_batch(self, entries: Sequence[LogEntry], values: Sequence[object | None]) -> Sequence[object]:
        """Apply in order; one result per entry."""
        ...


@runtime_checkable
class SupportsChunks(Protocol):
    """A machine that understands commands split over several entries (see ``chunking``)."""

    def apply_chunk(self, entry: LogEntry, value: object | None) -> object:
        """Take one chunk; the last one of a command gives its result. ``value`` comes with the last chunk only."""
        ...
