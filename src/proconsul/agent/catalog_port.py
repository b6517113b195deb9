"""The catalog as the agent of a server reaches it: directly, without encoding anything."""

from __future__ import annotations

import asyncio
from typing import Any

from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.errors import ConsulError
from proconsul.server.server import ConsulServer


class ServerCatalog:
    """Implements `CatalogPort` on a server in the same process."""

    def __init__(self, server: ConsulServer) -> None:
        self._server = server

    async def _ready(self) -> None:
        if not self._server.ready() and not await self._server.when_ready(self._server.config.rpc_hold_timeout_s):
            raise self._server.unavailable()

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]:
        await self._ready()
        _, found = self._server.state.reads.node_service_list(None, node)
        return found.Node, found.Services or []

    async def own_checks(self, node: str) -> list[HealthCheck]:
        return self._server.state.reads.node_checks(None, node)[1]

    async def register(self, request: RegisterRequest) -> None:
        await _done(self._server.catalog.register(request))

    async def deregister(self, request: DeregisterRequest) -> None:
        await _done(self._server.catalog.deregister(request))


async def _done(future: asyncio.Future[Any]) -> None:
    result = await future
    if isinstance(result, ConsulError):
        raise result
