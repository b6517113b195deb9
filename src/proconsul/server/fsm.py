"""The finite state machine: Raft commands applied to the state.

A command is a type byte and a msgpack value. Applying is a pure function of (state, index, command): no clock, no
randomness. Operating errors are results, not exceptions: every server gets the same one. An unknown type is a
programmer error (or a newer peer) and stops the node, unless bit 128 says that it may be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgpack as msgpack_c

from proconsul.engine.raft.chunking import ChunkBuffer
from proconsul.engine.raft.messages import LogEntry
from proconsul.engine.store.table import Transaction
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Record, replace
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, RegisterRequest, ServiceNode
from proconsul.features.catalog.state import to_node_service, to_service_node
from proconsul.features.coordinate.model import Coordinate
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.kv.model import DirEntry, KVOp, KVSRequest, Tombstone, TombstoneRequest
from proconsul.features.messages import MessageType
from proconsul.features.session.model import CREATE, DESTROY, Session, SessionRequest
from proconsul.features.state import State
from proconsul.features.txn.model import TxnRequest, TxnResponse

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


def encode_command(kind: MessageType, request: Any) -> bytes:
    """The log data of a command."""
    flag = IGNORE_UNKNOWN if kind is MessageType.COORDINATE_BATCH else 0
    return bytes((kind | flag,)) + msgpack.encode(request)


EffectSink = Callable[[list[Any]], None]


class FSM:
    """Applies commands to `State`. ``on_effects`` receives what the transactions ask the shell to do."""

    def __init__(self, state: State, on_effects: EffectSink | None = None) -> None:
        self.state = state
        self.on_effects = on_effects
        # Called after a restore replaced the whole state.
        self.on_restored: Callable[[], None] | None = None
        self.applied_index = 0
        # Commands applied so far by type, for the metrics of the shell.
        self.applied: dict[int, int] = {}
        self.chunks = ChunkBuffer()
        self._commands: dict[int, tuple[Any, Callable[[Transaction, Any], Any]]] = {
            MessageType.REGISTER: (RegisterRequest, self._register),
            MessageType.DEREGISTER: (DeregisterRequest, self._deregister),
            MessageType.KVS: (KVSRequest, self._kvs),
            MessageType.SESSION: (SessionRequest, self._session),
            MessageType.TOMBSTONE: (TombstoneRequest, self._tombstone),
            MessageType.COORDINATE_BATCH: (list[Coordinate], self._coordinates),
            MessageType.TXN: (TxnRequest, self._txn),
        }
        self._kv_ops: dict[str, Callable[[Transaction, DirEntry], Any]] = {
            KVOp.SET: self._kv_set,
            KVOp.DELETE: lambda tx, entry: self.state.kv.delete(tx, entry.Key),
            KVOp.DELETE_CAS: lambda tx, entry: self.state.kv.delete_cas(tx, entry.Key, entry.ModifyIndex),
            KVOp.DELETE_TREE: lambda tx, entry: self.state.kv.delete_tree(tx, entry.Key),
            KVOp.CAS: lambda tx, entry: self.state.kv.cas(tx, entry)[0],
            KVOp.LOCK: lambda tx, entry: self.state.kv.lock(tx, entry)[0],
            KVOp.UNLOCK: lambda tx, entry: self.state.kv.unlock(tx, entry)[0],
        }

    # ------------------------------------------------------------------ applying

    def apply(self, index: int, term: int, type: int, data: bytes, value: object | None) -> object:
        """Apply one command; ``value`` is its decoded request when this node proposed it."""
        kind = data[0]
        command = self._commands.get(kind & ~IGNORE_UNKNOWN)
        if command is None:
            assert kind & IGNORE_UNKNOWN, f"unknown command type {kind} at index {index}"
            return None
        request_type, run = command
        request = value if value is not None else msgpack.decode(request_type, memoryview(data)[1:])
        self.applied[kind] = self.applied.get(kind, 0) + 1
        tx = self.state.store.begin(index)
        try:
            result = run(tx, request)
        except ConsulError as error:
            tx.abort()
            self.applied_index = index
            return error
        tx.commit()
        self.applied_index = index
        if tx.effects and self.on_effects is not None:
            self.on_effects(tx.effects)
        return result

    def apply_chunk(self, entry: LogEntry, value: object | None) -> object:
        """Take one piece of a command that was too large for one entry; the last piece applies the whole."""
        whole = self.chunks.add(entry.term, entry.extensions, entry.data)
        return None if whole is None else self.apply(entry.index, entry.term, entry.type, whole, value)

    def _register(self, tx: Transaction, request: RegisterRequest) -> None:
        self.state.catalog.register(tx, request)

    def _deregister(self, tx: Transaction, request: DeregisterRequest) -> None:
        self.state.catalog.deregister(tx, request)

    def _kvs(self, tx: Transaction, request: KVSRequest) -> Any:
        operation = self._kv_ops.get(request.Op)
        if operation is None:
            raise StateError(f"Invalid KVS operation '{request.Op}'")
        return operation(tx, request.DirEnt)

    def _kv_set(self, tx: Transaction, entry: DirEntry) -> None:
        self.state.kv.set(tx, entry)

    def _session(self, tx: Transaction, request: SessionRequest) -> Any:
        if request.Op == CREATE:
            self.state.sessions.create(tx, request.Session)
            return request.Session.ID
        if request.Op == DESTROY:
            self.state.sessions.destroy(tx, request.Session.ID)
            return None
        raise StateError(f"Invalid session operation '{request.Op}'")

    def _tombstone(self, tx: Transaction, request: TombstoneRequest) -> None:
        if request.Op != "reap":
            raise StateError(f"Invalid Tombstone operation '{request.Op}'")
        self.state.kv.reap_tombstones(tx, request.ReapIndex)

    def _coordinates(self, tx: Transaction, updates: list[Coordinate]) -> None:
        self.state.coordinates.update(tx, updates)

    def _txn(self, tx: Transaction, request: TxnRequest) -> TxnResponse:
        results, errors = self.state.txn.run(tx, request.Ops or [])
        if errors:
            tx.abort()
        return TxnResponse(results, errors)

    # ------------------------------------------------------------------ snapshots

    def snapshot(self) -> FSMSnapshot:
        """Capture the state of this moment; rows are immutable, so shallow copies suffice."""
        return FSMSnapshot(self.state, self.applied_index)

    def restore(self, source: BinaryIO) -> None:
        """Replace the state by a snapshot stream. Raises msgpack.DecodeError when it is damaged."""
        restored = State()
        _Restorer(restored).read(source)
        self._adopt(restored)
        if self.on_restored is not None:
            self.on_restored()

    def _adopt(self, restored: State) -> None:
        """Move the restored rows into the live tables, so that readers keep their store and watches."""
        store = self.state.store
        store.wipe()
        for name, table in restored.store.tables.items():
            store.tables[name].adopt(table)
        store.indexes.update(restored.store.indexes)


class FSMSnapshot:
    """An immutable capture of the state that can be written from another thread."""

    def __init__(self, state: State, index: int) -> None:
        self.index = index
        self._nodes: list[Node] = state.tables.nodes.snapshot()
        self._services: list[ServiceNode] = state.tables.services.snapshot()
        self._checks: list[HealthCheck] = state.tables.checks.snapshot()
        self._coordinates = state.coordinates.coordinates.snapshot()
        self._sessions: list[Session] = state.sessions.sessions.snapshot()
        self._entries: list[DirEntry] = state.kv.entries.snapshot()
        self._tombstones: list[Tombstone] = state.kv.tombstones.snapshot()
        self._indexes = dict(state.store.indexes)

    def persist(self) -> Iterator[bytes]:
        """The snapshot stream (header, then type byte and record each) in pieces."""
        buffer = bytearray(msgpack.encode(SnapshotHeader(self.index)))
        for kind, record in self._records():
            buffer.append(kind)
            buffer += msgpack.encode(record)
            if len(buffer) >= PERSIST_CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
        yield bytes(buffer)

    def _records(self) -> Iterator[tuple[int, Any]]:
        yield from self._catalog_records()
        for coordinate in self._coordinates:
            yield MessageType.COORDINATE_BATCH, [coordinate]
        for session in self._sessions:
            yield MessageType.SESSION, session
        for entry in self._entries:
            yield MessageType.KVS, entry
        for stone in self._tombstones:
            yield MessageType.TOMBSTONE, DirEntry(Key=stone.Key, ModifyIndex=stone.Index)
        for key, value in self._indexes.items():
            yield MessageType.INDEX, IndexEntry(key, value)

    def _catalog_records(self) -> Iterator[tuple[int, Any]]:
        services: dict[str, list[ServiceNode]] = {}
        for row in self._services:
            services.setdefault(row.Node.lower(), []).append(row)
        checks: dict[str, list[HealthCheck]] = {}
        for check in self._checks:
            checks.setdefault(check.Node.lower(), []).append(check)
        for node in self._nodes:
            base = RegisterRequest(
                Datacenter=node.Datacenter, ID=node.ID, Node=node.Node, Address=node.Address,
                TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta,
                CreateIndex=node.CreateIndex, ModifyIndex=node.ModifyIndex,
            )  # fmt: skip
            yield MessageType.REGISTER, base
            for row in services.get(node.Node.lower(), ()):
                yield MessageType.REGISTER, replace(base, Service=to_node_service(row))
            for check in checks.get(node.Node.lower(), ()):
                yield MessageType.REGISTER, replace(base, Check=check)


class _Restorer:
    """Reads a snapshot stream into an empty state, keeping the indexes rows were written with."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._bulk: dict[str, list[Any]] = {"kvs": [], "nodes": [], "services": [], "checks": []}
        self._seen_nodes: set[str] = set()
        self._readers: dict[int, Callable[[Any], None]] = {
            MessageType.REGISTER: self._register,
            MessageType.COORDINATE_BATCH: self._coordinate,
            MessageType.SESSION: self._session,
            MessageType.KVS: self._entry,
            MessageType.TOMBSTONE: self._tombstone,
            MessageType.INDEX: self._index,
            MessageType.CHUNKING_STATE: lambda value: None,
            MessageType.AUTOPILOT: lambda value: None,
            MessageType.FEDERATION_STATE: lambda value: None,
        }
        self._entry_of = msgpack.decoder_for(DirEntry)

    def read(self, source: BinaryIO) -> None:
        unpacker = msgpack_c.Unpacker(
            source, raw=False, unicode_errors="surrogateescape", strict_map_key=False,
            max_buffer_size=msgpack.BUFFER_BYTES_MAX,
        )  # fmt: skip
        try:
            next(unpacker)  # the header
            for kind in unpacker:
                reader = self._readers.get(kind)
                if reader is None:
                    raise msgpack.DecodeError(f"Unrecognized msg type: {kind}")
                reader(next(unpacker))
        except (StopIteration, ValueError, TypeError, msgpack_c.UnpackException) as error:
            raise msgpack.DecodeError(f"snapshot is damaged: {error!r}") from error
        for name, rows in self._bulk.items():
            self.state.store.tables[name].load(rows)

    def _register(self, value: Any) -> None:
        request = msgpack.decoder_for(RegisterRequest)(value)
        if request.Node.lower() not in self._seen_nodes:
            self._seen_nodes.add(request.Node.lower())
            self._bulk["nodes"].append(Node(
                ID=request.ID, Node=request.Node, Address=request.Address, Datacenter=request.Datacenter,
                TaggedAddresses=request.TaggedAddresses, Meta=request.NodeMeta,
                CreateIndex=request.CreateIndex, ModifyIndex=request.ModifyIndex,
            ))  # fmt: skip
        if request.Service is not None:
            self._bulk["services"].append(to_service_node(request.Node, request.Service))
        for check in (request.Check, *(request.Checks or ())):
            if check is not None:
                self._bulk["checks"].append(check)

    def _coordinate(self, value: Any) -> None:
        tx = self.state.store.begin(0)
        for coordinate in msgpack.decoder_for(list[Coordinate])(value):
            tx.put(self.state.coordinates.coordinates, coordinate)

    def _session(self, value: Any) -> None:
        tx = self.state.store.begin(0)
        self.state.sessions.insert(tx, msgpack.decoder_for(Session)(value))

    def _entry(self, value: Any) -> None:
        self._bulk["kvs"].append(self._entry_of(value))

    def _tombstone(self, value: Any) -> None:
        entry = self._entry_of(value)
        tx = self.state.store.begin(0)
        tx.put(self.state.kv.tombstones, Tombstone(entry.Key, entry.ModifyIndex))

    def _index(self, value: Any) -> None:
        row = msgpack.decoder_for(IndexEntry)(value)
        self.state.store.indexes[row.Key] = row.Value

