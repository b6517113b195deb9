"""The coordinates table: one row per node and segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire import msgpack
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.coordinate.model import Coordinate
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command


class CoordinateState:
    """Coordinates by node and segment; rows exist only for registered nodes."""

    def __init__(self, store: Store, catalog: CatalogTables) -> None:
        self.store = store
        self.catalog = catalog
        self.coordinates: Table[Coordinate] = Table(
            "coordinates",
            lambda row: (row.Node.lower(), row.Segment),
            indexes={"node": lambda row: row.Node.lower()},
        )
        store.add(self.coordinates)

    def all(self, watch: WatchSet | None) -> tuple[int, list[Coordinate]]:
        if watch is not None:
            watch.add("coordinates")
        return self.store.max_index("coordinates"), self.coordinates.all()

    def of_node(self, watch: WatchSet | None, node: str) -> tuple[int, list[Coordinate]]:
        if watch is not None:
            watch.add(("node-coordinates", node.lower()))
            watch.index = lambda: self.store.max_index("coordinates")
        return self.store.max_index("coordinates"), self.coordinates.by("node", node.lower())

    def update(self, tx: Transaction, updates: list[Coordinate]) -> None:
        """Write a batch; nodes that left the catalog in the meantime are skipped."""
        for update in updates:
            if self.catalog.nodes.get(update.Node.lower()) is None:
                continue
            tx.put(self.coordinates, update)
            tx.touch(("node-coordinates", update.Node.lower()))
        tx.bump("coordinates")

    def delete_node(self, tx: Transaction, node: str) -> None:
        rows = self.coordinates.by("node", node.lower())
        for row in rows:
            tx.delete(self.coordinates, self.coordinates.primary_key(row))
        if rows:
            tx.bump("coordinates")
            tx.touch(("node-coordinates", node.lower()))

    # ------------------------------------------------------------------ commands and snapshots

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """See `Replicated`."""
        return {MessageType.COORDINATE_BATCH: command(list[Coordinate], self.update)}

    def capture(self) -> list[SnapshotSection]:
        """See `Replicated`."""
        return [SnapshotSection(MessageType.COORDINATE_BATCH, self.coordinates.snapshot(), lambda row: ([row],))]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """See `Replicated`."""
        read = msgpack.decoder_for(list[Coordinate])

        def restore(value: Any) -> None:
            for coordinate in read(value):
                put(self.coordinates, coordinate)

        return {MessageType.COORDINATE_BATCH: restore}
