"""What answers are made of, as their maker sees it: a catalog and its queries, ours or another datacenter's. Pure."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from proconsul.engine.store.watch import WatchSet
from proconsul.features.catalog.model import CheckServiceNode, Node, ServiceNode
from proconsul.features.query.model import PreparedQueryExecuteRequest, PreparedQueryExecuteResponse


class Reads(Protocol):
    """What answers are made of: the catalog, or what was asked of another one's."""

    def nodes(self, watch: WatchSet | None) -> tuple[int, list[Node]]: ...

    def node(self, watch: WatchSet | None, name: str) -> tuple[int, Node | None]: ...

    def services_of_address(self, address: str) -> list[ServiceNode]: ...

    def check_service_nodes(
        self, watch: WatchSet | None, name: str, tags: list[str] | None = None, *, connect: bool = False
    ) -> tuple[int, list[CheckServiceNode]]: ...


class Execution(NamedTuple):
    """``lasting``: whether the next one who asks may be given the same, until a watch hears of a change.

    reply: None when other datacenters have to be asked.
    """

    reply: PreparedQueryExecuteResponse | None
    lasting: bool


class PreparedQueries(Protocol):
    """The queries that our own catalog can answer."""

    def execute(self, watch: WatchSet, args: PreparedQueryExecuteRequest) -> Execution:
        """Raises ConsulError, NotFound when there is no such query."""


class Elsewhere(Reads, Protocol):
    """Another datacenter, or our own as servers tell of it."""

    def execute(self, args: PreparedQueryExecuteRequest) -> PreparedQueryExecuteResponse:
        """What a query finds, there or where it goes on. Raises ConsulError, NotFound when there is no such query."""
