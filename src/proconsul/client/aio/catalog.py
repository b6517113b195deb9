"""/v1/catalog, /v1/health and /v1/coordinate (HTTP API: catalog, health, coordinate)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from proconsul.client.aio.group import AsyncGroup
from proconsul.client.options import ReadOptions, WriteOptions, given
from proconsul.client.wire import path_of
from proconsul.features.catalog.model import (
    CheckServiceNode,
    HealthCheck,
    Node,
    NodeService,
    NodeServiceList,
    NodeServices,
    ServiceNode,
)
from proconsul.features.config_entry.model import GatewayService
from proconsul.features.coordinate.model import Coord, Coordinate, DatacenterMap

__all__ = ["AsyncCatalog", "AsyncCoordinates", "AsyncHealth", "HealthState"]

HealthState = Literal["any", "passing", "warning", "critical"]
Definition = Mapping[str, Any]


class AsyncCatalog(AsyncGroup):
    """What is registered anywhere. Services of agents are registered with them (`agent.services`), not here."""

    __slots__ = ()

    async def datacenters(self, **options: Unpack[ReadOptions]) -> list[str]:
        """All known datacenters, the nearest first."""
        return await self._call.read("/v1/catalog/datacenters", list[str], options)

    async def nodes(self, **options: Unpack[ReadOptions]) -> list[Node]:
        """All nodes."""
        return await self._call.read("/v1/catalog/nodes", list[Node], options)

    async def node(self, node: str, **options: Unpack[ReadOptions]) -> NodeServices | None:
        """A node with its services by id; None where there is no such node."""
        return await self._call.find(path_of("/v1/catalog/node/", node), NodeServices | None, options)  # type: ignore[arg-type]

    async def node_services(self, node: str, **options: Unpack[ReadOptions]) -> NodeServiceList | None:
        """A node with its services as a list; None where there is no such node."""
        path = path_of("/v1/catalog/node-services/", node)
        found = await self._call.find(path, NodeServiceList, options)
        return found if found is not None and found.Node is not None else None

    async def services(self, **options: Unpack[ReadOptions]) -> dict[str, list[str]]:
        """The names of all services, each with its tags."""
        return await self._call.read("/v1/catalog/services", dict[str, list[str]], options)

    async def service(
        self, name: str, *, tag: str | Sequence[str] | None = None, **options: Unpack[ReadOptions]
    ) -> list[ServiceNode]:  # fmt: skip
        """The instances of a service, healthy or not; with ``tag`` those that have it, or all of them."""
        return await self._call.read(path_of("/v1/catalog/service/", name), list[ServiceNode], options, given(tag=tag))

    async def connect(
        self, name: str, *, tag: str | Sequence[str] | None = None, **options: Unpack[ReadOptions]
    ) -> list[ServiceNode]:  # fmt: skip
        """What leads to a service through the mesh: its proxies, and instances that need none."""
        return await self._call.read(path_of("/v1/catalog/connect/", name), list[ServiceNode], options, given(tag=tag))

    async def gateway_services(self, gateway: str, **options: Unpack[ReadOptions]) -> list[GatewayService]:
        """The services behind a gateway. Not served by proconsul yet."""
        path = path_of("/v1/catalog/gateway-services/", gateway)
        return await self._call.read(path, list[GatewayService], options)

    async def register(
        self, node: str, address: str, *, id: str = "", service: NodeService | Definition | None = None,
        checks: Sequence[HealthCheck | Definition] = (), meta: Mapping[str, str] | None = None,
        tagged_addresses: Mapping[str, str] | None = None, skip_node_update: bool = False,
        **options: Unpack[WriteOptions],
    ) -> None:  # fmt: skip
        """Write a node, one of its services and checks: of what has no agent, as agents write their own again."""
        await self._call.write("PUT", "/v1/catalog/register", options, repeatable=True, body=_filled({
            "ID": id, "Node": node, "Address": address, "Service": service, "Checks": list(checks), "NodeMeta": meta,
            "TaggedAddresses": tagged_addresses, "SkipNodeUpdate": skip_node_update,
            "Datacenter": options.get("dc", ""),
        }))  # fmt: skip

    async def deregister(
        self, node: str, *, service_id: str = "", check_id: str = "", **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Remove a service, a check, or the node with all of both."""
        await self._call.write("PUT", "/v1/catalog/deregister", options, repeatable=True, body=_filled({
            "Node": node, "ServiceID": service_id, "CheckID": check_id, "Datacenter": options.get("dc", ""),
        }))  # fmt: skip


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """What says something."""
    return {name: value for name, value in values.items() if value}


class AsyncHealth(AsyncGroup):
    """Checks, and who may be used by what they say."""

    __slots__ = ()

    async def service(
        self, name: str, *, passing: bool = False, tag: str | Sequence[str] | None = None,
        **options: Unpack[ReadOptions],
    ) -> list[CheckServiceNode]:  # fmt: skip
        """The instances of a service with their nodes and checks; ``passing``: only those with nothing to object to."""
        path = path_of("/v1/health/service/", name)
        return await self._call.read(path, list[CheckServiceNode], options, given(passing=passing, tag=tag))

    async def connect(
        self, name: str, *, passing: bool = False, tag: str | Sequence[str] | None = None,
        **options: Unpack[ReadOptions],
    ) -> list[CheckServiceNode]:  # fmt: skip
        """As `service`, of what leads to it through the mesh."""
        path = path_of("/v1/health/connect/", name)
        return await self._call.read(path, list[CheckServiceNode], options, given(passing=passing, tag=tag))

    async def ingress(
        self, name: str, *, passing: bool = False, **options: Unpack[ReadOptions]
    ) -> list[CheckServiceNode]:  # fmt: skip
        """As `service`, of the ingress gateways that lead to it. Not served by proconsul yet."""
        path = path_of("/v1/health/ingress/", name)
        return await self._call.read(path, list[CheckServiceNode], options, given(passing=passing))

    async def node(self, node: str, **options: Unpack[ReadOptions]) -> list[HealthCheck]:
        """All checks of a node and of what is on it."""
        return await self._call.read(path_of("/v1/health/node/", node), list[HealthCheck], options)

    async def checks(self, service: str, **options: Unpack[ReadOptions]) -> list[HealthCheck]:
        """All checks of a service's instances."""
        return await self._call.read(path_of("/v1/health/checks/", service), list[HealthCheck], options)

    async def state(self, state: HealthState = "any", **options: Unpack[ReadOptions]) -> list[HealthCheck]:
        """All checks that are in a state."""
        return await self._call.read(path_of("/v1/health/state/", state), list[HealthCheck], options)


class AsyncCoordinates(AsyncGroup):
    """Where nodes are by the times that packets take between them."""

    __slots__ = ()

    async def datacenters(self, **options: Unpack[ReadOptions]) -> list[DatacenterMap]:
        """The servers of all datacenters in the WAN pool."""
        return await self._call.read("/v1/coordinate/datacenters", list[DatacenterMap], options)

    async def nodes(self, *, segment: str | None = None, **options: Unpack[ReadOptions]) -> list[Coordinate]:
        """All nodes of the LAN pool."""
        return await self._call.read("/v1/coordinate/nodes", list[Coordinate], options, given(segment=segment))

    async def node(
        self, node: str, *, segment: str | None = None, **options: Unpack[ReadOptions]
    ) -> list[Coordinate]:  # fmt: skip
        """One node, in each segment that it is in; none where it is not known."""
        path = path_of("/v1/coordinate/node/", node)
        return await self._call.find(path, list[Coordinate], options, given(segment=segment)) or []

    async def update(
        self, node: str, coordinate: Coord, *, segment: str = "", **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Say where a node without an agent is."""
        await self._call.write("PUT", "/v1/coordinate/update", options, repeatable=True, body={
            "Node": node, "Segment": segment,
            "Coord": {name: getattr(coordinate, name) for name in ("Vec", "Error", "Adjustment", "Height")},
        })  # fmt: skip
