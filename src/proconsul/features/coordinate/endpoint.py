"""The Coordinate RPC methods: updates are validated and batched, never written one by one."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion, tell
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.coordinate.model import (
    DIMENSIONS,
    INITIAL,
    Coord,
    Coordinate,
    CoordinateUpdateRequest,
    DatacenterMap,
    IndexedCoordinates,
)
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, WriteMethod, Writes, or_empty

log = logging.getLogger("agent.server.coordinate")

# Consul writes at most 5 batches of 128 updates every period (5 s); what does not fit is dropped with a warning.
BATCH_SIZE = 128
BATCHES_MAX = 5


UPDATE = WriteMethod("Coordinate.Update", CoordinateUpdateRequest)
LIST_DATACENTERS = WriteMethod(
    "Coordinate.ListDatacenters", DCSpecificRequest, list[DatacenterMap], repeatable=True, anywhere=True
)
LIST_NODES = ReadMethod("Coordinate.ListNodes", DCSpecificRequest, IndexedCoordinates, "Coordinates", to_value=or_empty)
NODE = ReadMethod("Coordinate.Node", NodeSpecificRequest, IndexedCoordinates, "Coordinates", to_value=or_empty)


class WanCoordinate(NamedTuple):
    """Where a server stands in the WAN pool. ``node`` is its name without the datacenter."""

    node: str
    datacenter: str
    coord: Coord


class Coordinates(Endpoint):
    """Coordinate.Update, ListDatacenters, ListNodes and Node. ``flush`` is called by the leader every period."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {LIST_NODES: self.list_nodes, NODE: self.node}
        self.writes: Writes = {UPDATE: self.update, LIST_DATACENTERS: self.list_datacenters}
        self._pending: dict[tuple[str, str], Coordinate] = {}
        self._dropped = 0

    def update(self, waiter: Completion, args: CoordinateUpdateRequest) -> None:
        """Queue an update for the leader's next batch. Raises ConsulError when the coordinate cannot be used."""
        coord = args.Coord
        numbers = [*(coord.Vec or ()), coord.Error, coord.Adjustment, coord.Height] if coord else []
        if coord is None or any(math.isnan(n) or math.isinf(n) for n in numbers):
            raise ConsulError("invalid coordinate")
        if len(coord.Vec or ()) != DIMENSIONS:
            raise ConsulError("incompatible coordinate")
        key = (args.Node, args.Segment)
        if key not in self._pending and len(self._pending) >= BATCH_SIZE * BATCHES_MAX:
            self._dropped += 1
        else:
            self._pending[key] = Coordinate(args.Node, args.Segment, coord)
        tell(waiter, None)

    def flush(self) -> None:
        """Propose what has been queued, in batches, and tell how much did not fit."""
        if self._dropped:
            log.warning("Discarded coordinate updates: number_discarded=%d", self._dropped)
            self._dropped = 0
        updates, self._pending = list(self._pending.values()), {}
        for start in range(0, len(updates), BATCH_SIZE):
            batch = updates[start : start + BATCH_SIZE]
            self._server.propose(MessageType.COORDINATE_BATCH, batch).add_done_callback(_flushed)

    def list_datacenters(self, waiter: Completion, args: DCSpecificRequest) -> None:
        """The servers of each known datacenter, ours first; a lonely one stands at the initial coordinate."""
        found: dict[str, list[Coordinate]] = {self._server.datacenter: []}
        known: Iterable[WanCoordinate] | None = self._server.wan_coordinates()
        for row in known if known is not None else (self._own(),):
            found.setdefault(row.datacenter, []).append(Coordinate(row.node, "", row.coord))
        tell(waiter, [DatacenterMap(datacenter, "wan", rows) for datacenter, rows in found.items() if rows])

    def _own(self) -> WanCoordinate:
        own = self._server.state.coordinates.of_node(None, self._server.node_name)[1]
        coord = own[0].Coord if own and own[0].Coord is not None else INITIAL
        return WanCoordinate(self._server.node_name, self._server.datacenter, coord)

    def list_nodes(self, args: DCSpecificRequest) -> Read:
        return Read((LIST_NODES.name,), self._server.state.coordinates.all, LIST_NODES, args)

    def node(self, args: NodeSpecificRequest) -> Read:
        """The coordinates of one node, shown under the name it was asked by."""

        def run(watch: WatchSet | None) -> tuple[int, list[Coordinate]]:
            index, rows = self._server.state.coordinates.of_node(watch, args.Node)
            return index, [replace(row, Node=args.Node) for row in rows]

        return Read((NODE.name, args.Node), run, NODE, args)


def _flushed(batch: asyncio.Future[Any]) -> None:
    """What is lost with leadership comes again: agents repeat their coordinates."""
    if not batch.cancelled() and (error := batch.exception()) is not None:
        log.warning("Failed to write coordinates: error=%s", error)
