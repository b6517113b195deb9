"""Filtering and sorting of list answers: ``filter=``, ``near=`` and ``node-meta=`` (HTTP API: features)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proconsul.engine.http.request import Request
from proconsul.features.coordinate.distance import sorter
from proconsul.features.errors import ConsulError, ReadRefused
from proconsul.features.server import Server

Narrow = Callable[[Any], Any]


def node_meta(request: Request) -> dict[str, str] | None:
    """``node-meta=k:v`` parameters; all must match."""
    pairs = request.all("node-meta") if request.query_string else []
    return dict(_pair(text) for text in pairs) if pairs else None


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key, value


def source_node(request: Request, own_node: str) -> str:
    """The node named by ``near=``; ``_agent`` is this one."""
    near = request.get("near")
    return own_node if near == "_agent" else near


def filter_by(expression: str, row_type: Any) -> Narrow:
    """Keep the rows (of a list, or the values of a map) that match. Raises ConsulError for a bad expression."""
    from proconsul.engine.filter import FilterError, compile_filter

    try:
        matches = compile_filter(expression, row_type)
    except FilterError as error:
        raise ConsulError(f"Failed to create boolean expression evaluator: {error}") from None

    def keep(rows: Any) -> Any:
        if isinstance(rows, dict):
            return {key: row for key, row in rows.items() if matches(row)}
        return [row for row in rows if matches(row)]

    return keep


def filter_read_by(expression: str, row_type: Any) -> Narrow:
    """`filter_by` for a read that a server would answer. Raises ReadRefused."""
    try:
        return filter_by(expression, row_type)
    except ConsulError as error:
        raise ReadRefused(error.text) from None


def narrowing(
    request: Request, server: Server, row_type: Any, node_of: Callable[[Any], str] | None
) -> tuple[Narrow | None, Any]:
    """What a read does with its rows, and a key that names it: filter first, then sort by distance."""
    if not request.query_string:
        return None, None
    expression = request.get("filter")
    near = source_node(request, server.node_name) if node_of is not None else ""
    if not expression and not near:
        return None, None
    steps: list[Narrow] = []
    if expression:
        steps.append(filter_read_by(expression, row_type))
    if near and node_of is not None:
        steps.append(sorter(server.state.coordinates, near, node_of))

    def run(rows: Any) -> Any:
        for step in steps:
            rows = step(rows)
        return rows

    return run, (expression, near)
