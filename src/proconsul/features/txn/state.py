"""Transactions: several operations that happen together or not at all (HTTP API: txn)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proconsul.engine.store.table import ReadOnly, Transaction, byte_text
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.model import HealthCheck, Node, NodeService
from proconsul.features.catalog.state import CatalogState
from proconsul.features.catalog.tables import to_node_service
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.ids import check_uuid, uuid_fault, uuid_key
from proconsul.features.intention.model import IntentionOp
from proconsul.features.intention.state import IntentionState
from proconsul.features.kv.model import DirEntry, KVOp
from proconsul.features.kv.state import KVState
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command
from proconsul.features.session.state import SessionState
from proconsul.features.txn.model import (
    TxnCheckOp,
    TxnError,
    TxnKVOp,
    TxnNodeOp,
    TxnOp,
    TxnRequest,
    TxnResponse,
    TxnResult,
    TxnServiceOp,
    TxnSessionOp,
)

WRITE_VERBS = frozenset({
    KVOp.SET, KVOp.DELETE, KVOp.DELETE_CAS, KVOp.DELETE_TREE, KVOp.CAS, KVOp.LOCK, KVOp.UNLOCK,
})  # fmt: skip


def is_read_only(ops: list[TxnOp]) -> bool:
    """True when no operation writes, so that the transaction may be answered without Raft. Unknown KV verbs read."""
    return all(
        (op.KV is not None and op.KV.Verb not in WRITE_VERBS)
        or (op.Node is not None and op.Node.Verb == "get")
        or (op.Service is not None and op.Service.Verb == "get")
        or (op.Check is not None and op.Check.Verb == "get")
        for op in ops
    )


_INSERT, _DELETE = "cannot insert in read-only transaction", "cannot delete in read-only transaction"
# What a transaction that only reads says of an operation that would write.
_READ_ONLY_KV = {
    KVOp.SET: f"failed inserting kvs entry: {_INSERT}", KVOp.CAS: f"failed inserting kvs entry: {_INSERT}",
    KVOp.LOCK: f"failed inserting kvs entry: {_INSERT}", KVOp.UNLOCK: f"failed inserting kvs entry: {_INSERT}",
    KVOp.DELETE: f"failed deleting kvs entry: {_DELETE}", KVOp.DELETE_CAS: f"failed deleting kvs entry: {_DELETE}",
    KVOp.DELETE_TREE: f"failed recursive deleting kvs entry: {_DELETE}",
}  # fmt: skip
_READ_ONLY_ROW = {"set": "inserting {}: " + _INSERT, "cas": "inserting {}: " + _INSERT,
                  "delete": "deleting {}: " + _DELETE, "delete-cas": "deleting {}: " + _DELETE}  # fmt: skip


def _refusal_to_write(op: TxnOp) -> str:
    """Why an operation cannot be part of a transaction that only reads, empty when it can."""
    if op.KV is not None:
        return _READ_ONLY_KV.get(KVOp(op.KV.Verb), "") if op.KV.Verb in WRITE_VERBS else ""
    if op.Intention is not None:
        return f"failed inserting intention: {_INSERT}"
    for row, kind in ((op.Node, "node"), (op.Service, "service"), (op.Check, "check")):
        if row is not None:
            text = _READ_ONLY_ROW.get(row.Verb)
            return "failed " + text.format(kind) if text else ""
    if op.Session is not None:
        return f"failed to delete session: failed deleting session: {_DELETE}"
    return ""


class TxnState:
    """Runs the operations of a transaction."""

    def __init__(self, kv: KVState, catalog: CatalogState, sessions: SessionState, intentions: IntentionState) -> None:
        self.kv = kv
        self.catalog = catalog
        self.sessions = sessions
        self.intentions = intentions

    def run(self, tx: Transaction, ops: list[TxnOp]) -> tuple[list[TxnResult] | None, list[TxnError] | None]:
        """Apply ``ops``; any error undoes all of them, and every failing operation is reported."""
        savepoint = tx.savepoint()
        results, errors = self._each(ops, lambda op: self._one(tx, op))
        if errors:
            tx.rollback_to(savepoint)
        return results, errors

    def read(self, ops: list[TxnOp]) -> tuple[list[TxnResult] | None, list[TxnError] | None]:
        """The results of ``ops`` that only read; what would write is refused, and nothing has changed."""

        reading = ReadOnly(self.kv.store)

        def one(op: TxnOp) -> list[TxnResult]:
            refusal = _refusal_to_write(op)
            if refusal:
                raise StateError(refusal)
            return self._one(reading, op)

        return self._each(ops, one)

    # ------------------------------------------------------------------ commands; there are no tables

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """See `Replicated`."""
        return {MessageType.TXN: command(TxnRequest, self._apply)}

    def _apply(self, tx: Transaction, request: TxnRequest) -> TxnResponse:
        results, errors = self.run(tx, request.Ops or [])
        if errors:
            tx.abort()
        return TxnResponse(results, errors)

    def capture(self) -> list[SnapshotSection]:
        """See `Replicated`."""
        return []

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """See `Replicated`."""
        return {}

    # ------------------------------------------------------------------ one operation

    @staticmethod
    def _each(
        ops: list[TxnOp], do: Callable[[TxnOp], list[TxnResult]]
    ) -> tuple[list[TxnResult] | None, list[TxnError] | None]:
        results: list[TxnResult] = []
        errors: list[TxnError] = []
        for position, op in enumerate(ops):
            try:
                results.extend(do(op))
            except ConsulError as error:
                errors.append(TxnError(position, error.text))
        return (None, errors) if errors else (results, None)

    def _one(self, tx: Transaction, op: TxnOp) -> list[TxnResult]:
        if op.KV is not None:
            return self._kv(tx, op.KV)
        if op.Intention is not None:
            if op.Intention.Op not in tuple(IntentionOp):
                raise StateError(f"unknown Intention op {quoted(op.Intention.Op)}")
            self.intentions.apply(tx, op.Intention)
            return []
        if op.Node is not None:
            return self._node(tx, op.Node)
        if op.Service is not None:
            return self._service(tx, op.Service)
        if op.Check is not None:
            return self._check(tx, op.Check)
        if op.Session is not None:
            return self._session(tx, op.Session)
        raise StateError("no operation specified")

    # ------------------------------------------------------------------ KV

    def _kv(self, tx: Transaction, op: TxnKVOp) -> list[TxnResult]:
        handler = _KV_VERBS.get(op.Verb)
        if handler is None:
            raise StateError(f"unknown KV verb {quoted(op.Verb)}")
        return handler(self, tx, op.DirEnt)

    def _kv_set(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        return self._written(self.kv.set(tx, entry))

    def _kv_delete(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        self.kv.delete(tx, entry.Key)
        return []

    def _kv_delete_cas(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        if not self.kv.delete_cas(tx, entry.Key, entry.ModifyIndex):
            raise StateError(f"failed to delete key {quoted(entry.Key)}, index is stale")
        return []

    def _kv_delete_tree(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        self.kv.delete_tree(tx, entry.Key)
        return []

    def _kv_cas(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        done, row = self.kv.cas(tx, entry)
        if not done or row is None:
            raise StateError(f"failed to set key {quoted(entry.Key)}, index is stale")
        return self._written(row)

    def _kv_lock(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        done, row = self.kv.lock(tx, entry)
        if not done or row is None:
            raise StateError(f"failed to lock key {quoted(entry.Key)}, lock is already held")
        return self._written(row)

    def _kv_unlock(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        done, row = self.kv.unlock(tx, entry)
        if not done or row is None:
            raise StateError(
                f"failed to unlock key {quoted(entry.Key)}, lock isn't held, or is held by another session"
            )
        return self._written(row)

    def _kv_get(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        return [TxnResult(KV=self._existing(entry.Key, "key {} doesn't exist"))]

    def _kv_get_tree(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        return [TxnResult(KV=row) for row in self.kv.entries.prefix(byte_text(entry.Key))]

    def _kv_check_session(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        row = self._existing(entry.Key, "failed to check session, key {} doesn't exist")
        if row.Session != entry.Session:
            raise StateError(
                f"failed session check for key {quoted(entry.Key)}, "
                f"current session {quoted(row.Session)} != {quoted(entry.Session)}"
            )
        return self._written(row)

    def _kv_check_index(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        row = self._existing(entry.Key, "failed to check index, key {} doesn't exist")
        if row.ModifyIndex != entry.ModifyIndex:
            raise StateError(
                f"failed index check for key {quoted(entry.Key)}, "
                f"current modify index {row.ModifyIndex} != {entry.ModifyIndex}"
            )
        return self._written(row)

    def _kv_check_not_exists(self, tx: Transaction, entry: DirEntry) -> list[TxnResult]:
        if self.kv.entry(entry.Key) is not None:
            raise StateError(f"key {quoted(entry.Key)} exists")
        return []

    def _existing(self, key: str, missing: str) -> DirEntry:
        row = self.kv.entry(key)
        if row is None:
            raise StateError(missing.format(quoted(key)))
        return row

    @staticmethod
    def _written(row: DirEntry) -> list[TxnResult]:
        """Writes answer with the row but without its value, to keep replies small."""
        return [TxnResult(KV=replace(row, Value=None))]

    # ------------------------------------------------------------------ catalog

    def _node(self, tx: Transaction, op: TxnNodeOp) -> list[TxnResult]:
        node = op.Node
        return self._row(
            "Node", op.Verb, f"node {quoted(node.Node)}", node.ModifyIndex,
            find=lambda: self._find_node(node), compare=lambda: self.catalog.tables.nodes.get(node.Node.lower()),
            write=lambda: self.catalog.ensure_node(tx, node),
            delete=lambda: self.catalog.delete_node(tx, node.Node),
        )  # fmt: skip

    def _service(self, tx: Transaction, op: TxnServiceOp) -> list[TxnResult]:
        service = op.Service
        return self._row(
            "Service", op.Verb, f"service {quoted(service.ID)} on node {quoted(op.Node)}", service.ModifyIndex,
            find=lambda: self._find_service(op.Node, service.ID),
            write=lambda: self.catalog.ensure_service(tx, op.Node, service),
            delete=lambda: self.catalog.delete_service(tx, op.Node, service.ID),
        )  # fmt: skip

    def _check(self, tx: Transaction, op: TxnCheckOp) -> list[TxnResult]:
        check = op.Check
        if op.Verb == "cas" and self._find_check(check) is None and check.ModifyIndex == 0:
            savepoint = tx.savepoint()
            try:
                self.catalog.ensure_check(tx, check)
            except StateError:
                # As in the original, a new check that cannot be is passed over in silence.
                tx.rollback_to(savepoint)
                return []
            return [TxnResult(Check=self._find_check(check))]
        return self._row(
            "Check", op.Verb, f"check {quoted(check.CheckID)} on node {quoted(check.Node)}", check.ModifyIndex,
            find=lambda: self._find_check(check),
            write=lambda: self.catalog.ensure_check(tx, check),
            delete=lambda: self.catalog.delete_check(tx, check.Node, check.CheckID),
        )  # fmt: skip

    @staticmethod
    def _row(
        kind: str,
        verb: str,
        where: str,
        index: int,
        *,
        find: Callable[[], Node | NodeService | HealthCheck | None],
        compare: Callable[[], Node | NodeService | HealthCheck | None] | None = None,
        write: Callable[[], None],
        delete: Callable[[], None],
    ) -> list[TxnResult]:
        """One catalog operation; the cas verbs compare ``index`` with what ``compare`` (or ``find``) gives."""
        current = find() if verb == "get" or compare is None else compare()
        if verb == "get":
            if current is None:
                raise StateError(f"{where} doesn't exist")
        elif verb in ("set", "cas"):
            if verb == "cas" and (current.ModifyIndex if current is not None else 0) != index:
                raise StateError(f"failed to set {where}, index is stale")
            write()
        elif verb in ("delete", "delete-cas"):
            if verb == "delete-cas" and (current is None or current.ModifyIndex != index):
                raise StateError(f"failed to delete {where}, index is stale")
            delete()
            return []
        else:
            raise StateError(f"unknown {kind} verb {quoted(verb)}")
        return [TxnResult(**{kind: find()})]  # type: ignore[arg-type]

    def _find_node(self, node: Node) -> Node | None:
        if node.ID:
            fault = uuid_fault(node.ID)
            if fault:
                raise StateError(f"node lookup by ID failed, wrong UUID: {fault} for '{node.ID}'")
            found = self.catalog.tables.nodes.by("uuid", uuid_key(node.ID))
            return found[0] if found else None
        return self.catalog.tables.nodes.get(node.Node.lower())

    def _find_service(self, node: str, service_id: str) -> NodeService | None:
        row = self.catalog.tables.services.get((node.lower(), service_id.lower()))
        return to_node_service(row) if row is not None else None

    def _find_check(self, check: HealthCheck) -> HealthCheck | None:
        return self.catalog.tables.checks.get((check.Node.lower(), check.CheckID.lower()))

    def _session(self, tx: Transaction, op: TxnSessionOp) -> list[TxnResult]:
        failed = "failed to delete session: "
        if op.Verb != "delete":
            raise StateError(f"{failed}unknown Session verb {quoted(op.Verb)}")
        if self.kv.session(op.Session.ID) is None:
            raise StateError(f"{failed}failed deleting session: {_why_no_session(op.Session.ID)}")
        self.sessions.forget(tx, op.Session.ID)
        return []


def _why_no_session(session_id: str) -> str:
    if not session_id:
        return "object missing primary index"
    try:
        check_uuid(session_id, "session")
    except StateError as error:
        return "failed to build primary index: " + error.text.rpartition("index error: ")[2]
    return "not found"


_KV_VERBS: dict[str, Callable[[TxnState, Transaction, DirEntry], list[TxnResult]]] = {
    KVOp.SET: TxnState._kv_set,
    KVOp.DELETE: TxnState._kv_delete,
    KVOp.DELETE_CAS: TxnState._kv_delete_cas,
    KVOp.DELETE_TREE: TxnState._kv_delete_tree,
    KVOp.CAS: TxnState._kv_cas,
    KVOp.LOCK: TxnState._kv_lock,
    KVOp.UNLOCK: TxnState._kv_unlock,
    KVOp.GET: TxnState._kv_get,
    KVOp.GET_TREE: TxnState._kv_get_tree,
    KVOp.CHECK_SESSION: TxnState._kv_check_session,
    KVOp.CHECK_INDEX: TxnState._kv_check_index,
    KVOp.CHECK_NOT_EXISTS: TxnState._kv_check_not_exists,
}
