"""What the state of a feature offers to the state machine: its commands, and its share of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from proconsul.engine.store.table import Table, Transaction
from proconsul.engine.wire import msgpack
from proconsul.features.messages import MessageType


def _itself(row: Any) -> Iterable[Any]:
    return (row,)


class ReplicatedCommand(NamedTuple):
    """One kind of command: how its request is read from plain msgpack values, and how it is applied.

    ``apply`` returns what answers the proposer, or raises ConsulError to refuse: then nothing has changed.
    """

    read: Callable[[Any], Any]
    apply: Callable[[Transaction, Any], Any]


def command(request: Any, apply: Callable[[Transaction, Any], Any]) -> ReplicatedCommand:
    """A command whose request is a plain record (or list of records) of type ``request``."""
    return ReplicatedCommand(msgpack.decoder_for(request), apply)


class SnapshotSection(NamedTuple):
    """Rows captured at one moment for a snapshot; ``records`` gives the values that are written for each of them.

    Rows are immutable, so another thread may write them while the state goes on.
    """

    kind: MessageType
    rows: Iterable[Any]
    records: Callable[[Any], Iterable[Any]] = _itself


# Adds a row to a table that is being restored.
Put = Callable[[Table[Any], Any], None]
# Reads the plain msgpack value of one snapshot record.
Restorer = Callable[[Any], None]


class Replicated(Protocol):
    """The replicated state of one feature."""

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """The commands this feature applies."""
        ...

    def capture(self) -> list[SnapshotSection]:
        """Everything of this feature that belongs in a snapshot, in the order of the original."""
        ...

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """Readers of this feature's records, which fill an empty state and keep the indexes of its rows."""
        ...


def row_restorer(put: Put, table: Table[Any], row: Any) -> Restorer:
    """Reads records that are rows of ``table``, of record type ``row``."""
    read = msgpack.decoder_for(row)
    return lambda value: put(table, read(value))
