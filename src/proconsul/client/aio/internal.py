"""/v1/internal/ui: what the web page shows, which no release promises to keep as it is."""

from __future__ import annotations

from typing import Any, Unpack

from proconsul.client.aio.group import AsyncGroup
from proconsul.client.options import ReadOptions
from proconsul.client.wire import path_of

__all__ = ["AsyncInternal"]

Row = dict[str, Any]


class AsyncInternal(AsyncGroup):
    """Summaries as the page has them, as plain mappings."""

    __slots__ = ()

    async def nodes(self, **options: Unpack[ReadOptions]) -> list[Row]:
        """All nodes with their services and checks."""
        return await self._call.read("/v1/internal/ui/nodes", list[Row], options)

    async def node(self, node: str, **options: Unpack[ReadOptions]) -> Row | None:
        """One of them, None where there is none."""
        return await self._call.find(path_of("/v1/internal/ui/node/", node), Row, options)

    async def services(self, **options: Unpack[ReadOptions]) -> list[Row]:
        """All services with how many of their checks are in which state."""
        return await self._call.read("/v1/internal/ui/services", list[Row], options)

    async def gateway_services_nodes(self, gateway: str, **options: Unpack[ReadOptions]) -> list[Row]:
        """What is behind a gateway."""
        path = path_of("/v1/internal/ui/gateway-services-nodes/", gateway)
        return await self._call.read(path, list[Row], options)

    async def catalog_overview(self, **options: Unpack[ReadOptions]) -> Row:
        """How many nodes, services and checks are in which state."""
        return await self._call.read("/v1/internal/ui/catalog-overview", Row, options)

    async def metrics_proxy(self, path: str, **options: Unpack[ReadOptions]) -> bytes:
        """What the metrics store behind the page answers to ``path``, where one is configured."""
        return await self._call.read_bytes(path_of("/v1/internal/ui/metrics-proxy/", path), options) or b""
