"""The config-entries table and its command."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.config_entry.gateway_services import GatewayServices
from proconsul.features.config_entry.graph import check_graph
from proconsul.features.config_entry.model import ConfigEntry, ConfigEntryOp, ConfigEntryRequest, read_request
from proconsul.features.errors import StateError
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection

TABLE = "config-entries"


class ConfigEntryState:
    """Entries by kind and name. A write that would leave services with a discovery chain that cannot be is refused."""

    def __init__(self, store: Store, gateway_services: GatewayServices) -> None:
        self.store = store
        self.gateway_services = gateway_services
        self.table: Table[ConfigEntry] = Table(
            TABLE, lambda row: (row.Kind, row.Name.lower()), indexes={"kind": lambda row: row.Kind}
        )
        store.add(self.table)

    # ------------------------------------------------------------------ reads

    def get(self, watch: WatchSet | None, kind: str, name: str) -> tuple[int, ConfigEntry | None]:
        if watch is not None:
            watch.add(TABLE)
        return self.store.max_index(TABLE), self.table.get((kind, name.lower()))

    # ------------------------------------------------------------------ writes

    def apply(self, tx: Transaction, request: ConfigEntryRequest) -> bool | None:
        """Write or remove an entry; writes answer whether they were done. Raises StateError."""
        entry = request.Entry
        old = self.table.get((entry.Kind, entry.Name.lower()))
        if request.Op == ConfigEntryOp.DELETE:
            self._delete(tx, old)
            return None
        if request.Op not in (ConfigEntryOp.UPSERT, ConfigEntryOp.UPSERT_CAS):
            raise StateError(f"invalid config entry operation type: {request.Op}")
        if request.Op == ConfigEntryOp.UPSERT_CAS:
            if entry.ModifyIndex != (old.ModifyIndex if old is not None else 0):
                return False
        self._set(tx, entry, old)
        return True

    def _set(self, tx: Transaction, entry: ConfigEntry, old: ConfigEntry | None) -> None:
        created = old.CreateIndex if old is not None else tx.index
        tx.put(self.table, replace(entry, CreateIndex=created, ModifyIndex=tx.index))
        check_graph(self.table, entry, self.gateway_services.before(entry.Name))
        self.gateway_services.entry_written(tx, entry, old)
        tx.bump(TABLE)

    def _delete(self, tx: Transaction, old: ConfigEntry | None) -> None:
        if old is None:
            return
        tx.delete(self.table, self.table.primary_key(old))
        check_graph(self.table, old, self.gateway_services.before(old.Name))
        self.gateway_services.entry_deleted(tx, old)
        tx.bump(TABLE)

    # ------------------------------------------------------------------ replication

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {MessageType.CONFIG_ENTRY: ReplicatedCommand(read_request, self.apply)}

    def capture(self) -> list[SnapshotSection]:
        return [SnapshotSection(
            MessageType.CONFIG_ENTRY, self.table.snapshot(), lambda row: (ConfigEntryRequest(Entry=row),)
        )]  # fmt: skip

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {MessageType.CONFIG_ENTRY: lambda value: put(self.table, read_request(value).Entry)}
