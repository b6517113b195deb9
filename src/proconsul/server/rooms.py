"""What the catalog, coordinates, sessions, keys and transactions offer to the state machine.

Each class says which commands its feature applies and which snapshot records it has (see `features.replicated`); the
other features say so in their own state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from proconsul.engine.store.table import Transaction
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, RegisterRequest, ServiceNode
from proconsul.features.catalog.state import to_node_service, to_service_node
from proconsul.features.coordinate.model import Coordinate
from proconsul.features.errors import StateError
from proconsul.features.kv.model import DirEntry, KVOp, KVSRequest, Tombstone, TombstoneRequest
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Command, Put, Restorer, Room, Section, command
from proconsul.features.session.model import CREATE, DESTROY, Session, SessionCheck, SessionRequest
from proconsul.features.state import State
from proconsul.features.txn.model import TxnRequest, TxnResponse


def all_rooms(state: State) -> list[Room]:
    """Every feature's share of the state, in the order in which the original writes a snapshot."""
    return [
        _Catalog(state), _Coordinates(state), _Sessions(state), state.acl, _Keys(state), _Transactions(state),
        state.queries, state.autopilot, state.intentions, state.connect, state.config_entries, state.federation,
    ]  # fmt: skip


class _Catalog:
    def __init__(self, state: State) -> None:
        self._state = state

    def commands(self) -> Mapping[MessageType, Command]:
        catalog = self._state.catalog
        return {
            MessageType.REGISTER: command(RegisterRequest, catalog.register),
            MessageType.DEREGISTER: command(DeregisterRequest, catalog.deregister),
        }

    def capture(self) -> list[Section]:
        tables = self._state.tables
        records = _CatalogRecords(tables.services.snapshot(), tables.checks.snapshot())
        return [Section(MessageType.REGISTER, tables.nodes.snapshot(), records.of_node)]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        tables = self._state.tables
        read = msgpack.decoder_for(RegisterRequest)
        seen: set[str] = set()

        def restore(value: Any) -> None:
            request = read(value)
            if request.Node.lower() not in seen:
                seen.add(request.Node.lower())
                put(tables.nodes, Node(
                    ID=request.ID, Node=request.Node, Address=request.Address, Datacenter=request.Datacenter,
                    TaggedAddresses=request.TaggedAddresses, Meta=request.NodeMeta,
                    CreateIndex=request.CreateIndex, ModifyIndex=request.ModifyIndex,
                ))  # fmt: skip
            if request.Service is not None:
                put(tables.services, to_service_node(request.Node, request.Service))
            for check in (request.Check, *(request.Checks or ())):
                if check is not None:
                    put(tables.checks, check)

        return {MessageType.REGISTER: restore}


class _CatalogRecords:
    """Makes the records of a node: itself, then each service, then each check."""

    def __init__(self, services: Iterable[ServiceNode], checks: Iterable[HealthCheck]) -> None:
        self._services = services
        self._checks = checks
        self._by_node: tuple[dict[str, list[ServiceNode]], dict[str, list[HealthCheck]]] | None = None

    def of_node(self, node: Node) -> Iterator[RegisterRequest]:
        if self._by_node is None:
            # Grouped when the writing thread begins: capturing must be quick.
            self._by_node = _group(self._services), _group(self._checks)
        services, checks = self._by_node
        base = RegisterRequest(
            Datacenter=node.Datacenter, ID=node.ID, Node=node.Node, Address=node.Address,
            TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta,
            CreateIndex=node.CreateIndex, ModifyIndex=node.ModifyIndex,
        )  # fmt: skip
        yield base
        for row in services.get(node.Node.lower(), ()):
            yield replace(base, Service=to_node_service(row))
        for check in checks.get(node.Node.lower(), ()):
            yield replace(base, Check=check)


def _group(rows: Iterable[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.Node.lower(), []).append(row)
    return grouped


class _Coordinates:
    def __init__(self, state: State) -> None:
        self._coordinates = state.coordinates

    def commands(self) -> Mapping[MessageType, Command]:
        return {MessageType.COORDINATE_BATCH: command(list[Coordinate], self._coordinates.update)}

    def capture(self) -> list[Section]:
        rows = self._coordinates.coordinates.snapshot()
        return [Section(MessageType.COORDINATE_BATCH, rows, lambda row: ([row],))]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        read = msgpack.decoder_for(list[Coordinate])

        def restore(value: Any) -> None:
            for coordinate in read(value):
                put(self._coordinates.coordinates, coordinate)

        return {MessageType.COORDINATE_BATCH: restore}


class _Sessions:
    def __init__(self, state: State) -> None:
        self._sessions = state.sessions

    def commands(self) -> Mapping[MessageType, Command]:
        return {MessageType.SESSION: command(SessionRequest, self._apply)}

    def _apply(self, tx: Transaction, request: SessionRequest) -> str | None:
        if request.Op == CREATE:
            self._sessions.create(tx, request.Session)
            return request.Session.ID
        if request.Op == DESTROY:
            self._sessions.destroy(tx, request.Session.ID)
            return None
        raise StateError(f"Invalid session operation '{request.Op}'")

    def capture(self) -> list[Section]:
        return [Section(MessageType.SESSION, self._sessions.sessions.snapshot())]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        read = msgpack.decoder_for(Session)

        def restore(value: Any) -> None:
            session = read(value)
            put(self._sessions.sessions, session)
            for check_id in session.check_ids():
                put(self._sessions.session_checks, SessionCheck(session.Node, check_id, session.ID))

        return {MessageType.SESSION: restore}


class _Keys:
    def __init__(self, state: State) -> None:
        self._kv = kv = state.kv
        self._operations: dict[str, Callable[[Transaction, DirEntry], Any]] = {
            KVOp.SET: self._set,
            KVOp.DELETE: lambda tx, entry: kv.delete(tx, entry.Key),
            KVOp.DELETE_CAS: lambda tx, entry: kv.delete_cas(tx, entry.Key, entry.ModifyIndex),
            KVOp.DELETE_TREE: lambda tx, entry: kv.delete_tree(tx, entry.Key),
            KVOp.CAS: lambda tx, entry: kv.cas(tx, entry)[0],
            KVOp.LOCK: lambda tx, entry: kv.lock(tx, entry)[0],
            KVOp.UNLOCK: lambda tx, entry: kv.unlock(tx, entry)[0],
        }

    def commands(self) -> Mapping[MessageType, Command]:
        return {
            MessageType.KVS: command(KVSRequest, self._apply),
            MessageType.TOMBSTONE: command(TombstoneRequest, self._reap),
        }

    def _apply(self, tx: Transaction, request: KVSRequest) -> Any:
        operation = self._operations.get(request.Op)
        if operation is None:
            raise StateError(f"Invalid KVS operation '{request.Op}'")
        return operation(tx, request.DirEnt)

    def _set(self, tx: Transaction, entry: DirEntry) -> None:
        self._kv.set(tx, entry)

    def _reap(self, tx: Transaction, request: TombstoneRequest) -> None:
        if request.Op != "reap":
            raise StateError(f"Invalid Tombstone operation '{request.Op}'")
        self._kv.reap_tombstones(tx, request.ReapIndex)

    def capture(self) -> list[Section]:
        return [
            Section(MessageType.KVS, self._kv.entries.snapshot()),
            Section(
                MessageType.TOMBSTONE, self._kv.tombstones.snapshot(),
                lambda stone: (DirEntry(Key=stone.Key, ModifyIndex=stone.Index),),
            ),
        ]  # fmt: skip

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        read = msgpack.decoder_for(DirEntry)

        def restore_tombstone(value: Any) -> None:
            entry = read(value)
            put(self._kv.tombstones, Tombstone(entry.Key, entry.ModifyIndex))

        return {
            MessageType.KVS: lambda value: put(self._kv.entries, read(value)),
            MessageType.TOMBSTONE: restore_tombstone,
        }


class _Transactions:
    """Has no tables of its own."""

    def __init__(self, state: State) -> None:
        self._txn = state.txn

    def commands(self) -> Mapping[MessageType, Command]:
        return {MessageType.TXN: command(TxnRequest, self._apply)}

    def _apply(self, tx: Transaction, request: TxnRequest) -> TxnResponse:
        results, errors = self._txn.run(tx, request.Ops or [])
        if errors:
            tx.abort()
        return TxnResponse(results, errors)

    def capture(self) -> list[Section]:
        return []

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {}
