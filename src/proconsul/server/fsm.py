"""The finite state machine: Raft commands applied to the state, and the state written to and read from snapshots.

A command is a type byte and a msgpack value. Applying is a pure function of (state, index, command): no clock, no
randomness. Operating errors are results, not exceptions: every server gets the same one. An unknown type is a
programmer error (or a newer peer) and stops the node, unless bit 128 says that it may be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgpack as msgpack_c

from proconsul.engine.raft.chunking import ChunkBuffer
from proconsul.engine.raft.messages import LogEntry
from proconsul.engine.store.table import Table
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Record
from proconsul.features.config_entry.model import encode_request
from proconsul.features.errors import ConsulError
from proconsul.features.messages import SKIPPABLE, MessageType
from proconsul.features.replicated import ReplicatedCommand, Restorer, SnapshotSection
from proconsul.features.state import State
from proconsul.features.txn.model import TxnError, TxnOp
from proconsul.server.chunk_records import chunks_from_record, chunks_to_record
from proconsul.server.snapshot_records import SnapshotRecords

IGNORE_UNKNOWN = 0x80
# Snapshot records are yielded in pieces of about this size: large enough for quick writes, small enough that the
# writing thread never holds the interpreter for long.
PERSIST_CHUNK_BYTES = 64 * 1024


class IndexEntry(Record, frozen=True):
    """Snapshot record of one row of the index table."""

    Key: str = ""
    Value: int = 0


class SnapshotHeader(Record, frozen=True):
    LastIndex: int = 0


def _encode(kind: MessageType, value: Any) -> bytes:
    return encode_request(value) if kind is MessageType.CONFIG_ENTRY else msgpack.encode(value)


def encode_command(kind: MessageType, request: Any) -> bytes:
    """The log data of a command."""
    flag = IGNORE_UNKNOWN if kind in SKIPPABLE else 0
    return bytes((kind | flag,)) + _encode(kind, request)


EffectSink = Callable[[list[Any]], None]


class Restored(NamedTuple):
    """A state read from a snapshot, ready to be put in place of the one there is."""

    state: State
    chunks: ChunkBuffer
    last_index: int


class FSM:
    """Applies commands to `State`.

    ``on_effects`` receives what the transactions ask the shell to do, ``on_restored`` is called when a restore has
    replaced the whole state.
    """

    def __init__(
        self, state: State, on_effects: EffectSink | None = None, on_restored: Callable[[], None] | None = None
    ) -> None:  # fmt: skip
        self.state = state
        self.on_effects, self.on_restored = on_effects, on_restored
        self.applied_index = 0
        # Commands applied so far by type, for the metrics of the shell.
        self.applied: dict[int, int] = {}
        self.chunks = ChunkBuffer()
        self._parts = state.replicated()
        self._commands: dict[int, ReplicatedCommand] = {}
        for part in self._parts:
            for kind, command in part.commands().items():
                self._commands[kind] = command

    # ------------------------------------------------------------------ applying

    def apply(self, index: int, term: int, entry_type: int, data: bytes, value: object | None) -> object:
        """Apply one command; ``value`` is its decoded request when this node proposed it."""
        kind = data[0]
        command = self._commands.get(kind & ~IGNORE_UNKNOWN)
        if command is None:
            assert kind & IGNORE_UNKNOWN, f"unknown command type {kind} at index {index}"
            return None
        request = value if value is not None else command.read(msgpack.unpack(memoryview(data)[1:]))
        self.applied[kind] = self.applied.get(kind, 0) + 1
        tx = self.state.store.begin(index)
        try:
            result = command.apply(tx, request)
        except ConsulError as error:
            tx.abort()
            self.applied_index = index
            return error
        tx.commit()
        self.applied_index = index
        if tx.effects and self.on_effects is not None:
            self.on_effects(tx.effects)
        return result

    def rehearse(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """What would be wrong with a transaction now. Everything is undone before anybody can look."""
        tx = self.state.store.begin(self.applied_index + 1)
        try:
            return self.state.txn.run(tx, ops)[1]
        finally:
            tx.abort()

    def apply_chunk(self, entry: LogEntry, value: object | None) -> object:
        """Take one piece of a command that was too large for one entry; the last piece applies the whole."""
        whole = self.chunks.add(entry.term, entry.extensions, entry.data)
        return None if whole is None else self.apply(entry.index, entry.term, entry.type, whole, value)

    # ------------------------------------------------------------------ snapshots

    def snapshot(self) -> FSMSnapshot:
        """Capture the state of this moment; rows are immutable, so shallow copies suffice."""
        sections = [section for part in self._parts for section in part.capture()]
        store = self.state.store
        indexes = [IndexEntry(store.spellings.get(key, key), value) for key, value in store.indexes.items()]
        sections.append(SnapshotSection(MessageType.INDEX, indexes))
        sections.append(SnapshotSection(MessageType.CHUNKING_STATE, [chunks_to_record(self.chunks)]))
        return FSMSnapshot(self.applied_index, sections)

    def restore(self, source: BinaryIO) -> None:
        """Replace the state by a snapshot stream. Raises msgpack.DecodeError when it is damaged."""
        self.install(self.prepare(source))

    @staticmethod
    def prepare(source: BinaryIO) -> Restored:
        """Read a snapshot stream without touching the state, on any thread. Raises msgpack.DecodeError."""
        return _read_snapshot(source)

    def install(self, restored: Restored) -> None:
        """Put a prepared state in place of the one there is: quick, and all of it at once."""
        self.state.adopt(restored.state)
        self.chunks.term, self.chunks.chunks = restored.chunks.term, restored.chunks.chunks
        self.applied_index = restored.last_index
        if self.on_restored is not None:
            self.on_restored()


class FSMSnapshot:
    """An immutable capture of the state that can be written from another thread."""

    def __init__(self, index: int, sections: list[SnapshotSection]) -> None:
        self.index = index
        self._sections = sections

    def persist(self) -> Iterator[bytes]:
        """The snapshot stream (header, then type byte and record each) in pieces."""
        buffer = bytearray(msgpack.encode(SnapshotHeader(self.index)))
        for kind, rows, records in self._sections:
            for row in rows:
                for record in records(row):
                    buffer.append(kind)
                    buffer += _encode(kind, record)
                    if len(buffer) >= PERSIST_CHUNK_BYTES:
                        yield bytes(buffer)
                        buffer.clear()
        yield bytes(buffer)


def _read_snapshot(source: BinaryIO) -> Restored:
    """Read a snapshot stream into a fresh state, keeping the indexes rows were written with."""
    state = State()
    bulk: dict[str, list[Any]] = {name: [] for name in state.store.tables}
    chunks = ChunkBuffer()

    def put(table: Table[Any], row: Any) -> None:
        bulk[table.name].append(row)

    def index_row(value: Any) -> None:
        row = msgpack.decoder_for(IndexEntry)(value)
        key = row.Key.lower()
        state.store.indexes[key] = row.Value
        if key != row.Key:
            state.store.spellings[key] = row.Key

    readers: dict[int, Restorer] = {
        MessageType.INDEX: index_row,
        MessageType.CHUNKING_STATE: lambda value: chunks_from_record(value, chunks),
    }
    for part in state.replicated():
        for kind, restorer in part.restorers(put).items():
            readers[kind] = restorer
    records = SnapshotRecords(source)
    try:
        header = msgpack.decoder_for(SnapshotHeader)(records.next())
        for number in records.kinds():
            reader = readers.get(number)
            if reader is None:
                raise msgpack.DecodeError(f"Unrecognized msg type: {number}")
            reader(records.next_key() if number == MessageType.KVS else records.next())
    except (StopIteration, ValueError, TypeError, msgpack_c.UnpackException) as error:
        raise msgpack.DecodeError(f"snapshot is damaged: {error!r}") from error
    for name, rows in bulk.items():
        state.store.tables[name].load(rows)
    state.gateway_services.rebuild(state.config_entries.table.all())
    return Restored(state, chunks, header.LastIndex)
