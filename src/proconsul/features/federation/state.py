"""The federation-states table and its command."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.features.errors import StateError
from proconsul.features.federation.model import DELETE, UPSERT, FederationState, FederationStateRequest
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command

TABLE = "federation-states"


class FederationStates:
    """One state per datacenter."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.table: Table[FederationState] = Table(TABLE, lambda row: row.Datacenter.lower())
        store.add(self.table)

    def all(self, watch: WatchSet | None) -> tuple[int, list[FederationState]]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.all()

    def get(self, watch: WatchSet | None, datacenter: str) -> tuple[int, FederationState | None]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.get(datacenter.lower())

    def apply(self, tx: Transaction, request: FederationStateRequest) -> bool:
        """Write or remove the state of a datacenter. Raises StateError."""
        state = request.State
        if request.Op not in (UPSERT, DELETE):
            raise StateError(f"invalid federation state operation type: {request.Op}")
        if state is None or not state.Datacenter:
            raise StateError("missing datacenter on federation state")
        old = self.table.get(state.Datacenter.lower())
        if request.Op == UPSERT:
            # In the primary datacenter itself the index is its own.
            primary = state.PrimaryModifyIndex or tx.index
            created = old.CreateIndex if old is not None else tx.index
            tx.put(self.table, replace(state, CreateIndex=created, ModifyIndex=tx.index, PrimaryModifyIndex=primary))
        elif old is None:
            return True
        else:
            tx.delete(self.table, state.Datacenter.lower())
        tx.bump(TABLE)
        return True

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {MessageType.FEDERATION_STATE: command(FederationStateRequest, self.apply)}

    def capture(self) -> list[SnapshotSection]:
        return [SnapshotSection(
            MessageType.FEDERATION_STATE, self.table.snapshot(),
            lambda row: (FederationStateRequest(Op=UPSERT, State=row),),
        )]  # fmt: skip

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        read = msgpack.decoder_for(FederationStateRequest)
        return {MessageType.FEDERATION_STATE: lambda value: put(self.table, read(value).State)}
