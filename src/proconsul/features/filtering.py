"""Filtering and sorting of list answers: ``filter=``, ``near=`` and ``node-meta=`` (HTTP API: features)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from proconsul.engine.http.request import Request
from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import QueryOptions, QuerySource
from proconsul.features.coordinate.distance import sorter
from proconsul.features.errors import ConsulError, ReadRefused
from proconsul.features.server import Server

RowFilter = Callable[[Any], Any]


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


def filter_by(expression: str, row_type: Any) -> RowFilter:
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


def filter_read_by(expression: str, row_type: Any) -> RowFilter:
    """`filter_by` for a read that a server would answer. Raises ReadRefused."""
    try:
        return filter_by(expression, row_type)
    except ConsulError as error:
        raise ReadRefused(error.text) from None


class Wanted(Protocol):
    """The options of a read that choose and order its rows."""

    @property
    def Filter(self) -> str: ...

    @property
    def Source(self) -> QuerySource: ...


def wanted(request: Request, server: Server, *, near: bool = True) -> dict[str, Any]:
    """``filter=`` and ``near=`` as fields of a request."""
    if not request.query_string:
        return {}
    found: dict[str, Any] = {}
    if request.get("filter"):
        found["Filter"] = request.get("filter")
    node = source_node(request, server.node_name) if near else ""
    if node:
        found["Source"] = QuerySource(Datacenter=server.datacenter, Node=node)
    return found


def filtering(args: QueryOptions, row_type: Any) -> RowFilter | None:
    """What a read that only filters does with its rows. Raises ReadRefused."""
    return filter_read_by(args.Filter, row_type) if args.Filter else None


def row_filter(
    args: Wanted, server: Server, row_type: Any, node_of: Callable[[Any], str] | None
) -> tuple[RowFilter | None, Any]:
    """What a read does with its rows, and a key that names it: filter first, then sort by distance."""
    expression = args.Filter
    # Distances between datacenters are not known node by node.
    near = args.Source.Node if node_of is not None and args.Source.Datacenter == server.datacenter else ""
    if not expression and not near:
        return None, None
    steps: list[RowFilter] = []
    if expression:
        steps.append(filter_read_by(expression, row_type))
    if near and node_of is not None:
        steps.append(sorter(server.state.coordinates, near, node_of))

    def run(rows: Any) -> Any:
        for step in steps:
            rows = step(rows)
        return rows

    return run, (expression, near)


def frozen(meta: dict[str, str] | None) -> Any:
    return tuple(sorted(meta.items())) if meta else ()


class Chosen:
    """A read of ``rows``, of which ``steps`` choose and order what was asked for; its index is that of the rows.

    Apart, so that one may choose only from what one may see: that something was left out says nothing of whether what
    is hidden matches, which would tell it letter by letter.
    """

    __slots__ = ("_steps", "rows")

    def __init__(self, rows: Callable[[WatchSet], tuple[int, Any]], steps: list[RowFilter]) -> None:
        self.rows, self._steps = rows, steps

    def choose(self, value: Any) -> Any:
        for step in self._steps:
            value = step(value)
        return value

    def __call__(self, watch: WatchSet) -> tuple[int, Any]:
        index, value = self.rows(watch)
        return index, self.choose(value)


def filtered(
    run: Callable[[WatchSet], tuple[int, Any]], *steps: RowFilter | None
) -> Callable[[WatchSet], tuple[int, Any]]:  # fmt: skip
    """``run`` followed by those steps on its value that there are."""
    found = [step for step in steps if step is not None]
    return Chosen(run, found) if found else run
