"""The Coordinate RPC methods: updates are validated and batched, never written one by one."""

from __future__ import annotations

import math

from proconsul.features.base import NodeSpecificRequest
from proconsul.features.coordinate.model import (
    DIMENSIONS,
    ERROR_INITIAL,
    HEIGHT_MIN,
    Coord,
    Coordinate,
    CoordinateUpdateRequest,
    DatacenterMap,
)
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, Server

# Consul writes at most 5 batches of 128 updates every period (5 s); what does not fit is dropped with a warning.
BATCH_SIZE = 128
BATCHES_MAX = 5


class Coordinates:
    """Coordinate.Update, ListDatacenters, ListNodes and Node. ``flush`` is called by the leader every period."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pending: dict[tuple[str, str], Coordinate] = {}
        self.dropped = 0

    def update(self, args: CoordinateUpdateRequest) -> None:
        """Queue an update for the next batch. Raises ConsulError when the coordinate cannot be used."""
        coord = args.Coord
        numbers = [*(coord.Vec or ()), coord.Error, coord.Adjustment, coord.Height] if coord else []
        if coord is None or any(math.isnan(n) or math.isinf(n) for n in numbers):
            raise ConsulError("invalid coordinate")
        if len(coord.Vec or ()) != DIMENSIONS:
            raise ConsulError("incompatible coordinate")
        key = (args.Node, args.Segment)
        if key not in self._pending and len(self._pending) >= BATCH_SIZE * BATCHES_MAX:
            self.dropped += 1
            return
        self._pending[key] = Coordinate(args.Node, args.Segment, coord)

    def flush(self) -> None:
        """Propose what has been queued, in batches."""
        updates, self._pending = list(self._pending.values()), {}
        for start in range(0, len(updates), BATCH_SIZE):
            self._server.propose(MessageType.COORDINATE_BATCH, updates[start : start + BATCH_SIZE])

    def list_datacenters(self) -> list[DatacenterMap]:
        """The servers of each known datacenter; a server that has exchanged no pings has the initial coordinate."""
        own = self._server.state.coordinates.of_node(None, self._server.node_name)[1]
        coord = own[0].Coord if own else Coord([0.0] * DIMENSIONS, ERROR_INITIAL, 0.0, HEIGHT_MIN)
        return [DatacenterMap(self._server.datacenter, "wan", [Coordinate(self._server.node_name, "", coord)])]

    def list_nodes(self) -> Read:
        return Read(("Coordinate.ListNodes",), self._server.state.coordinates.all)

    def node(self, args: NodeSpecificRequest) -> Read:
        state = self._server.state.coordinates
        return Read(("Coordinate.Node", args.Node.lower()), lambda watch: state.of_node(watch, args.Node))


