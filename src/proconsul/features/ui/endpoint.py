"""The Internal RPC methods that the web page reads with."""

from __future__ import annotations

from typing import Any

from proconsul.engine.store.watch import WatchSet
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.model import (
    CheckServiceNode,
    IndexedCheckServiceNodes,
    Node,
    ServiceNode,
    ServiceSpecificRequest,
)
from proconsul.features.catalog.tables import to_node_service
from proconsul.features.config_entry.model import GatewayService
from proconsul.features.errors import ConsulError
from proconsul.features.filtering import filtered, filtering
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, or_empty
from proconsul.features.ui.kept import Kept
from proconsul.features.ui.model import (
    BehindGateway,
    CatalogSummary,
    IndexedNodeDump,
    IndexedServiceDump,
    NamedService,
    NodeInfo,
    ServiceDumpRequest,
    ServiceInfo,
)
from proconsul.features.ui.overview import overview

NODE_INFO = ReadMethod("Internal.NodeInfo", NodeSpecificRequest, IndexedNodeDump, "Dump", to_value=or_empty)
NODE_DUMP = ReadMethod("Internal.NodeDump", DCSpecificRequest, IndexedNodeDump, "Dump", to_value=or_empty)
SERVICE_DUMP = ReadMethod(
    "Internal.ServiceDump", ServiceDumpRequest, IndexedCheckServiceNodes, "Nodes", to_value=or_empty
)
GATEWAY_SERVICE_DUMP = ReadMethod(
    "Internal.GatewayServiceDump", ServiceSpecificRequest, IndexedServiceDump, "Dump", to_value=or_empty
)
CATALOG_OVERVIEW = ReadMethod("Internal.CatalogOverview", DCSpecificRequest, CatalogSummary, indexed=True)
_CATALOG = ("nodes", "services", "checks")


class UserInterface(Endpoint):
    """Internal.NodeInfo, NodeDump, ServiceDump, GatewayServiceDump and CatalogOverview."""

    def __init__(self, server: Server) -> None:
        self._server = server
        watches = server.state.store.watches
        self._instances: Kept[dict[Any, CheckServiceNode]] = Kept(watches)
        self._nodes: Kept[NodeInfo] = Kept(watches)
        self.reads: Reads = {
            NODE_INFO: self.node_info, NODE_DUMP: self.node_dump, SERVICE_DUMP: self.service_dump,
            GATEWAY_SERVICE_DUMP: self.gateway_service_dump, CATALOG_OVERVIEW: self.catalog_overview,
        }  # fmt: skip

    # ------------------------------------------------------------------ nodes

    def node_info(self, args: NodeSpecificRequest) -> Read:
        """One node by its name; what it is asked to filter by is not looked at, as in the original."""

        def run(watch: WatchSet) -> tuple[int, list[NodeInfo]]:
            name = args.Node.lower()
            watch.add(("node", name), ("node-checks", name))
            watch.index = self._index
            node = self._server.state.tables.nodes.get(name)
            return self._index(), [self._info(node)] if node is not None else []

        return Read((NODE_INFO.name, args.Node.lower()), run, NODE_INFO, args)

    def node_dump(self, args: DCSpecificRequest) -> Read:
        """All nodes."""

        def run(watch: WatchSet) -> tuple[int, list[NodeInfo]]:
            watch.add(*_CATALOG)
            watch.index = self._index
            self._nodes.asked()
            return self._index(), [self._kept_info(node) for node in self._server.state.tables.nodes.rows.values()]

        return Read((NODE_DUMP.name, args.Filter), filtered(run, filtering(args, NodeInfo)), NODE_DUMP, args)

    def _kept_info(self, node: Node) -> NodeInfo:
        name = node.Node.lower()
        return self._nodes.get(name, (("node", name), ("node-checks", name)), lambda: self._info(node))

    def _info(self, node: Node) -> NodeInfo:
        tables, name = self._server.state.tables, node.Node.lower()
        services = [to_node_service(row) for row in tables.services.by("node", name)]
        return NodeInfo(
            ID=node.ID, Node=node.Node, Address=node.Address, TaggedAddresses=node.TaggedAddresses, Meta=node.Meta,
            Services=services or None, Checks=tables.checks.by("node", name) or None,
        )  # fmt: skip

    def _index(self) -> int:
        return self._server.state.store.max_index(*_CATALOG)

    # ------------------------------------------------------------------ services

    def service_dump(self, args: ServiceDumpRequest) -> Read:
        """All instances of all services, or of those of one kind."""
        kind = args.ServiceKind if args.UseServiceKind else None

        def run(watch: WatchSet) -> tuple[int, list[CheckServiceNode]]:
            watch.add(*_CATALOG)
            watch.index = self._index
            return self._index(), self._dump(kind)

        key = (SERVICE_DUMP.name, kind, args.Filter)
        return Read(key, filtered(run, filtering(args, CheckServiceNode)), SERVICE_DUMP, args)

    def _dump(self, kind: str | None) -> list[CheckServiceNode]:
        """In the order of nodes and ids. Who made an instance before gives the same object again."""
        services = self._server.state.tables.services
        self._instances.asked()
        rows: list[ServiceNode] = list(services.rows.values()) if kind is None else services.by("kind", kind)
        by_name: dict[str, dict[Any, CheckServiceNode]] = {}
        found = []
        for row in rows:
            instances = by_name.get(row.ServiceName)
            if instances is None:
                instances = by_name[row.ServiceName] = self._of_service(row.ServiceName.lower())
            found.append(instances[row.Node, row.ServiceID])
        return found

    def _of_service(self, name: str) -> dict[Any, CheckServiceNode]:
        reads = self._server.state.reads

        def make() -> dict[Any, CheckServiceNode]:
            rows = reads.tables.services.by("service", name)
            return {(row.Node, row.ServiceID): reads.check_service_node(row) for row in rows}

        return self._instances.get(name, (("service", name),), make)

    # ------------------------------------------------------------------ gateways

    def gateway_service_dump(self, args: ServiceSpecificRequest) -> Read:
        """What is behind a gateway, instance by instance. Raises ConsulError when none is named."""
        if not args.ServiceName:
            raise ConsulError("Must provide gateway name")

        def run(watch: WatchSet) -> tuple[int, list[ServiceInfo]]:
            state = self._server.state
            index, behind = state.gateway_services.of_gateway(watch, args.ServiceName)
            found = []
            for row in behind:
                own, instances = state.reads.check_service_nodes(watch, row.Service)
                watch.index = None  # the newest of all, not the last one's
                index = max(index, own)
                found += _with_instances(row, instances)
            return index, found

        return Read((GATEWAY_SERVICE_DUMP.name, args.ServiceName), run, GATEWAY_SERVICE_DUMP, args)

    # ------------------------------------------------------------------ numbers

    def catalog_overview(self, args: DCSpecificRequest) -> Read:
        """How many nodes, instances and checks there are, and in which state."""

        def run(watch: WatchSet) -> tuple[int, CatalogSummary]:
            watch.add(*_CATALOG)
            watch.index = self._index
            return self._index(), overview(self._server.state.tables)

        return Read((CATALOG_OVERVIEW.name,), run, CATALOG_OVERVIEW, args)


def _with_instances(row: GatewayService, instances: list[CheckServiceNode]) -> list[ServiceInfo]:
    behind = BehindGateway(
        Gateway=NamedService(row.Gateway), Service=NamedService(row.Service), GatewayKind=row.GatewayKind,
        Port=row.Port, Protocol=row.Protocol, Hosts=row.Hosts, CAFile=row.CAFile, CertFile=row.CertFile,
        KeyFile=row.KeyFile, SNI=row.SNI, FromWildcard=row.FromWildcard, CreateIndex=row.CreateIndex,
        ModifyIndex=row.ModifyIndex,
    )  # fmt: skip
    if not instances:
        return [ServiceInfo(GatewayService=behind)]
    return [
        ServiceInfo(Node=one.Node, Service=one.Service, Checks=one.Checks, GatewayService=behind) for one in instances
    ]
