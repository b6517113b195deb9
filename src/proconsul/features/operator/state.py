"""Autopilot's settings: one row, and the command that writes it."""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import AutopilotConfig, AutopilotSetConfigRequest
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command, row_restorer


class AutopilotState:
    """The settings, once the first leader has written them. The table has no row in the index table."""

    def __init__(self, store: Store) -> None:
        self.table: Table[AutopilotConfig] = Table("autopilot-config", lambda row: "")
        store.add(self.table)

    def get(self, watch: WatchSet | None) -> tuple[int, AutopilotConfig | None]:
        """The settings and their own index."""
        if watch is not None:
            watch.add("autopilot-config")
        row = self.table.get("")
        return (row.ModifyIndex if row is not None else 0), row

    def set(self, tx: Transaction, request: AutopilotSetConfigRequest) -> bool | None:
        """Write the settings; for a compare-and-set the result says whether it was done."""
        old = self.table.get("")
        if request.CAS and (old is None or old.ModifyIndex != request.Config.ModifyIndex):
            return False
        created = old.CreateIndex if old is not None else tx.index
        tx.put(self.table, replace(request.Config, CreateIndex=created, ModifyIndex=tx.index))
        tx.touch("autopilot-config")
        return True if request.CAS else None

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {MessageType.AUTOPILOT: command(AutopilotSetConfigRequest, self.set)}

    def capture(self) -> list[SnapshotSection]:
        return [SnapshotSection(MessageType.AUTOPILOT, self.table.snapshot())]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        return {MessageType.AUTOPILOT: row_restorer(put, self.table, AutopilotConfig)}
