"""Network coordinate types (RPC reference, structures; HTTP API: coordinate)."""

from __future__ import annotations

from typing import ClassVar

from proconsul.engine.wire.record import Record
from proconsul.features.base import QueryMeta, WriteRequest

DIMENSIONS = 8
ERROR_INITIAL = 1.5
HEIGHT_MIN = 1e-5


class Coord(Record, frozen=True):
    """A Vivaldi coordinate: seconds in an 8-dimensional space plus height."""

    go_name: ClassVar[str | None] = "Coordinate"
    go_type: ClassVar[str] = "coordinate.Coordinate"
    Vec: list[float] | None = None
    Error: float = 0.0
    Adjustment: float = 0.0
    Height: float = 0.0


# Where everybody begins: at the origin, and not at all sure of it.
INITIAL = Coord([0.0] * DIMENSIONS, ERROR_INITIAL, 0.0, HEIGHT_MIN)


class Coordinate(Record, frozen=True):
    Node: str = ""
    Segment: str = ""
    Coord: Coord | None = None


class CoordinateUpdateRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Node: str = ""
    Segment: str = ""
    Coord: Coord | None = None


class DatacenterMap(Record, frozen=True):
    Datacenter: str = ""
    AreaID: str = ""
    Coordinates: list[Coordinate] | None = None


class IndexedCoordinates(QueryMeta, frozen=True, kw_only=True):
    Coordinates: list[Coordinate] | None = None
