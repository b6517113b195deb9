"""The catalog as the agent reaches it: on a server that leads directly, without encoding anything."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.features.base import NodeSpecificRequest
from proconsul.features.catalog.endpoint import DEREGISTER, REGISTER, Catalog
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.health.endpoint import Health
from proconsul.server.node import ConsulNode


class ServerCatalog:
    """Implements `CatalogPort` on the server part of the agent, which forwards what it cannot do itself.

    ``token``: for reads.
    """

    def __init__(self, server: ConsulNode, token: Callable[[], str]) -> None:
        self._server, self._token = server, token

    async def reachable(self) -> bool:
        return await self._server.knows_leader()

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]:
        read = self._server.endpoint(Catalog).node_service_list(NodeSpecificRequest(Node=node))
        found = await self._server.gate.value(read, token=self._token())
        return found.Node, found.Services or []

    async def own_checks(self, node: str) -> list[HealthCheck]:
        read = self._server.endpoint(Health).node_checks(NodeSpecificRequest(Node=node))
        found: list[HealthCheck] = await self._server.gate.value(read, token=self._token())
        return found

    async def register(self, request: RegisterRequest) -> None:
        await self._server.gate.written(REGISTER, request)

    async def deregister(self, request: DeregisterRequest) -> None:
        await self._server.gate.written(DEREGISTER, request)
