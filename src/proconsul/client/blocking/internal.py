# Made by scripts/make_blocking_client.py of ../aio/internal.py: change that one.
"""/v1/internal/ui: what the web page shows, which no release promises to keep as it is."""

from __future__ import annotations

from typing import Any, Unpack

from proconsul.client.blocking.group import Group
from proconsul.client.options import ReadOptions
from proconsul.client.wire import path_of

__all__ = ["Internal"]

Row = dict[str, Any]


class Internal(Group):
    """Summaries as the page has them, as plain mappings."""

    __slots__ = ()

    def nodes(self, **options: Unpack[ReadOptions]) -> list[Row]:
        """All nodes with their services and checks."""
        return self._call.read("/v1/internal/ui/nodes", list[Row], options)

    def node(self, node: str, **options: Unpack[ReadOptions]) -> Row | None:
        """One of them, None where there is none."""
        return self._call.find(path_of("/v1/internal/ui/node/", node), Row, options)

    def services(self, **options: Unpack[ReadOptions]) -> list[Row]:
        """All services with how many of their checks are in which state."""
        return self._call.read("/v1/internal/ui/services", list[Row], options)

    def gateway_services_nodes(self, gateway: str, **options: Unpack[ReadOptions]) -> list[Row]:
        """What is behind a gateway."""
        path = path_of("/v1/internal/ui/gateway-services-nodes/", gateway)
        return self._call.read(path, list[Row], options)

    def catalog_overview(self, **options: Unpack[ReadOptions]) -> Row:
        """How many nodes, services and checks are in which state."""
        return self._call.read("/v1/internal/ui/catalog-overview", Row, options)

    def metrics_proxy(self, path: str, **options: Unpack[ReadOptions]) -> bytes:
        """What the metrics store behind the page answers to ``path``, where one is configured."""
        return self._call.read_bytes(path_of("/v1/internal/ui/metrics-proxy/", path), options) or b""
