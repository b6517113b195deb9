"""The catalog as the agent reaches it: on a server that leads directly, without encoding anything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from proconsul.features.base import NodeSpecificRequest
from proconsul.features.catalog.endpoint import DEREGISTER, REGISTER, Catalog
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.errors import RateExceeded
from proconsul.features.health.endpoint import Health
from proconsul.server.node import ConsulNode

T = TypeVar("T")
# How often in a row, and after how many seconds at most, a call is tried that the agent's own limit does not allow yet.
TURNS_MAX = 60
TURN_S = 1.0


class ServerCatalog:
    """Implements `CatalogPort` on the server part of the agent, which forwards what it cannot do itself.

    ``token``: for reads. Where calls are limited (limits.rpc_rate) each waits for its turn, about half a minute, and
    only then raises RateExceeded: an agent with more services than its limit allows at once could not send them else.
    """

    def __init__(
        self, server: ConsulNode, token: Callable[[], str], *, rng: random.Random | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._server, self._token = server, token
        self._rng, self._pause = rng or random.Random(), pause

    async def _in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        for _ in range(TURNS_MAX):
            try:
                return await call()
            except RateExceeded:
                await self._pause(TURN_S * self._rng.random())
        return await call()

    async def reachable(self) -> bool:
        return await self._server.knows_leader()

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]:
        read = self._server.endpoint(Catalog).node_service_list(NodeSpecificRequest(Node=node))
        found = await self._in_turn(lambda: self._server.gate.value(read, token=self._token()))
        return found.Node, found.Services or []

    async def own_checks(self, node: str) -> list[HealthCheck]:
        read = self._server.endpoint(Health).node_checks(NodeSpecificRequest(Node=node))
        found: list[HealthCheck] = await self._in_turn(lambda: self._server.gate.value(read, token=self._token()))
        return found

    async def register(self, request: RegisterRequest) -> None:
        await self._in_turn(lambda: self._server.gate.written(REGISTER, request))

    async def deregister(self, request: DeregisterRequest) -> None:
        await self._in_turn(lambda: self._server.gate.written(DEREGISTER, request))
