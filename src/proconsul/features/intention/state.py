"""The connect-intentions table and its commands."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.errors import StateError
from proconsul.features.ids import uuid_key
from proconsul.features.intention.model import Intention, IntentionOp, IntentionRequest
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command, row_restorer

TABLE = "connect-intentions"


def _pair(row: Intention) -> tuple[str, str, str, str]:
    """Source and destination, of which there may be one intention only."""
    return row.SourceNS.lower(), row.SourceName.lower(), row.DestinationNS.lower(), row.DestinationName.lower()


class IntentionState:
    """Intentions by id; source and destination together are unique as well."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.table: Table[Intention] = Table(TABLE, lambda row: uuid_key(row.ID), indexes={"pair": _pair})
        store.add(self.table)

    def all(self, watch: WatchSet | None) -> tuple[int, list[Intention]]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.all()

    def get(self, watch: WatchSet | None, intention_id: str) -> tuple[int, Intention | None]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.get(uuid_key(intention_id))

    def apply(self, tx: Transaction, request: IntentionRequest) -> None:
        """Do what ``request`` says; also one operation of a transaction. Raises StateError."""
        intention = request.Intention
        if request.Op not in tuple(IntentionOp):
            raise StateError(f"Invalid Intention operation '{request.Op}'")
        if intention is None or not intention.ID:
            raise StateError("Missing Intention ID")
        if request.Op == IntentionOp.DELETE:
            self._delete(tx, intention.ID)
        else:
            self._set(tx, intention)

    def _set(self, tx: Transaction, intention: Intention) -> None:
        old = self.table.get(uuid_key(intention.ID))
        for other in self.table.by("pair", _pair(intention)):
            if uuid_key(other.ID) != uuid_key(intention.ID):
                raise StateError(f"duplicate intention found: {other}")
        tx.put(self.table, replace(
            intention, Meta=intention.Meta or {},
            CreateIndex=old.CreateIndex if old is not None else tx.index, ModifyIndex=tx.index,
            CreatedAt=old.CreatedAt if old is not None else intention.CreatedAt,
        ))  # fmt: skip
        tx.bump(TABLE)

    def _delete(self, tx: Transaction, intention_id: str) -> None:
        if tx.delete(self.table, uuid_key(intention_id)) is not None:
            tx.bump(TABLE)

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {MessageType.INTENTION: command(IntentionRequest, self.apply)}

    def capture(self) -> list[SnapshotSection]:
        return [SnapshotSection(MessageType.INTENTION, self.table.snapshot())]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {MessageType.INTENTION: row_restorer(put, self.table, Intention)}
