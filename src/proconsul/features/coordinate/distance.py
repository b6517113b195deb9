"""Estimated round trip times between coordinates, and sorting by them (Vivaldi; Consul docs: coordinates)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from proconsul.features.coordinate.model import Coord, Coordinate
from proconsul.features.coordinate.state import CoordinateState

INFINITE_S = math.inf


def distance_s(a: Coord | None, b: Coord | None) -> float:
    """Estimated round trip in seconds; infinite when either end is unknown."""
    if a is None or b is None or len(a.Vec or ()) != len(b.Vec or ()):
        return INFINITE_S
    squares = sum((x - y) ** 2 for x, y in zip(a.Vec or (), b.Vec or (), strict=True))
    raw = math.sqrt(squares) + a.Height + b.Height
    adjusted = raw + a.Adjustment + b.Adjustment
    return adjusted if adjusted > 0 else raw


def between_s(a: list[Coordinate], b: list[Coordinate]) -> float:
    """Distance between two nodes that may each have one coordinate per network segment; only equal segments count."""
    by_segment = {row.Segment: row.Coord for row in b}
    for row in a:
        if row.Segment in by_segment:
            return distance_s(row.Coord, by_segment[row.Segment])
    return INFINITE_S


def sorter(coordinates: CoordinateState, near: str, node_of: Callable[[Any], str]) -> Callable[[list[Any]], list[Any]]:
    """A stable sort by distance from node ``near``; the order stays when that node has no coordinate."""

    def sort(rows: list[Any]) -> list[Any]:
        origin = coordinates.of_node(None, near)[1]
        if not origin:
            return rows
        return sorted(rows, key=lambda row: between_s(origin, coordinates.of_node(None, node_of(row))[1]))

    return sort


def nearest_first(datacenters: Iterable[str], servers: Mapping[str, Sequence[Coord]], own: Coord | None) -> list[str]:
    """Datacenters by the median round trip to their ``servers``; those nobody has measured last, by name.

    The median, so that one server far from its fellows does not move a datacenter (HTTP API: catalog/datacenters).
    """
    medians: dict[str, float] = {}
    for datacenter, coords in servers.items():
        distances_s = sorted(distance_s(own, coord) for coord in coords)
        if distances_s:
            medians[datacenter] = distances_s[len(distances_s) // 2]
    return sorted(datacenters, key=lambda name: (medians.get(name, INFINITE_S), name))
