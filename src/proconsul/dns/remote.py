"""The catalog of a client agent: what answers are made of is asked of a server, question by question.

Answers are made by plain functions that read. Reads of something that was not asked for yet raise `Missing`; it is
fetched, and the answer made again, now one step further. Few questions need more than one step.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.endpoint import LIST_NODES, NODE_SERVICES, SERVICE_NODES
from proconsul.features.catalog.model import CheckServiceNode, Node, ServiceNode, ServiceSpecificRequest
from proconsul.features.health.endpoint import SERVICE_NODES as HEALTHY_NODES
from proconsul.features.server import ReadMethod

# Steps of one answer: a service, and as many names as an answer follows from alias to alias.
STEPS_MAX = 16


class Missing(Exception):
    """Something has to be asked of a server first."""

    def __init__(self, key: Hashable, method: ReadMethod, args: Any) -> None:
        super().__init__(method.name)
        self.key, self.method, self.request = key, method, args


class RemoteReads:
    """The reads that DNS makes, from what was fetched for one question."""

    def __init__(self) -> None:
        self._fetched: dict[Hashable, Any] = {}

    def put(self, missing: Missing, value: Any) -> None:
        self._fetched[missing.key] = value

    def _known(self, key: Hashable, method: ReadMethod, args: Any) -> Any:
        if key not in self._fetched:
            raise Missing(key, method, args)
        return self._fetched[key]

    def nodes(self, watch: WatchSet | None) -> tuple[int, list[Node]]:
        return 1, self._known("nodes", LIST_NODES, DCSpecificRequest())

    def node(self, watch: WatchSet | None, name: str) -> tuple[int, Node | None]:
        found = self._known(("node", name), NODE_SERVICES, NodeSpecificRequest(Node=name))
        return 1, found.Node if found is not None else None

    def services_of_address(self, address: str) -> list[ServiceNode]:
        rows: list[ServiceNode] = self._known(
            ("address", address), SERVICE_NODES, ServiceSpecificRequest(ServiceAddress=address)
        )
        return rows

    def check_service_nodes(
        self, watch: WatchSet | None, name: str, tags: list[str] | None = None, *, connect: bool = False
    ) -> tuple[int, list[CheckServiceNode]]:
        args = ServiceSpecificRequest(ServiceName=name, ServiceTags=tags, TagFilter=bool(tags), Connect=connect)
        return 1, self._known(("service", name, tuple(tags or ()), connect), HEALTHY_NODES, args)
