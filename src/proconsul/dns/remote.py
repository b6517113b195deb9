"""The reads that answers are made of, as calls of the methods that they are: each with the rights of DNS's token.

`LocalReads` looks into our own catalog. `RemoteReads` are for another datacenter's, and for a client agent, which has
none: reads of something that was not asked for yet raise `Missing`; it is fetched, and the answer made again, now one
step further. Few questions need more than one step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
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

    def __init__(self, key: Hashable, method: ReadMethod, args: Any, datacenter: str) -> None:
        super().__init__(method.name)
        self.key, self.method, self.request, self.datacenter = key, method, args, datacenter


class _MethodReads(ABC):
    """The reads that DNS makes, by the methods that answer them."""

    @abstractmethod
    def _value(self, watch: WatchSet | None, key: Hashable, method: ReadMethod, args: Any) -> Any:
        """The value of a call; ``key`` tells calls apart."""

    def nodes(self, watch: WatchSet | None) -> tuple[int, list[Node]]:
        return 1, self._value(watch, "nodes", LIST_NODES, DCSpecificRequest())

    def node(self, watch: WatchSet | None, name: str) -> tuple[int, Node | None]:
        found = self._value(watch, ("node", name), NODE_SERVICES, NodeSpecificRequest(Node=name))
        return 1, found.Node if found is not None else None

    def services_of_address(self, address: str) -> list[ServiceNode]:
        rows: list[ServiceNode] = self._value(
            None, ("address", address), SERVICE_NODES, ServiceSpecificRequest(ServiceAddress=address)
        )
        return rows

    def check_service_nodes(
        self, watch: WatchSet | None, name: str, tags: list[str] | None = None, *, connect: bool = False
    ) -> tuple[int, list[CheckServiceNode]]:
        args = ServiceSpecificRequest(ServiceName=name, ServiceTags=tags, TagFilter=bool(tags), Connect=connect)
        return 1, self._value(watch, ("service", name, tuple(tags or ()), connect), HEALTHY_NODES, args)


class LocalReads(_MethodReads):
    """From our own catalog. ``look`` makes a call, and has its watch hear of all that would change the value.

    Raises what ``look`` raises, ConsulError where a read is refused.
    """

    def __init__(self, look: Callable[[ReadMethod, Any, WatchSet], Any]) -> None:
        self._look = look

    def _value(self, watch: WatchSet | None, key: Hashable, method: ReadMethod, args: Any) -> Any:
        return self._look(method, args, WatchSet() if watch is None else watch)


class RemoteReads(_MethodReads):
    """From what was fetched for one question, of one ``datacenter``; "" is our own."""

    def __init__(self, fetched: dict[Hashable, Any] | None = None, datacenter: str = "") -> None:
        self._fetched: dict[Hashable, Any] = {} if fetched is None else fetched
        self._datacenter = datacenter

    def towards(self, datacenter: str) -> RemoteReads:
        """As this, of another datacenter."""
        return RemoteReads(self._fetched, datacenter)

    def put(self, missing: Missing, value: Any) -> None:
        """Keep what was fetched; an error is what such a read raises from now on."""
        self._fetched[missing.key] = value

    def _value(self, watch: WatchSet | None, key: Hashable, method: ReadMethod, args: Any) -> Any:
        key = (self._datacenter, key)
        if key not in self._fetched:
            raise Missing(key, method, args, self._datacenter)
        found = self._fetched[key]
        if isinstance(found, Exception):
            raise found
        return found
