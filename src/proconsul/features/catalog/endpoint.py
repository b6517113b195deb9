"""The Catalog RPC methods."""

from __future__ import annotations

from typing import Any

from proconsul.engine.completion import Completion
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.definition import (
    INVALID_ADDRESS,
    DefinitionError,
    for_the_log,
    kind_of,
    reachable,
    validate_service,
)
from proconsul.features.catalog.model import (
    DeregisterRequest,
    HealthCheck,
    IndexedNodes,
    IndexedNodeServiceList,
    IndexedNodeServices,
    IndexedServiceNodes,
    IndexedServices,
    Node,
    NodeService,
    NodeServiceList,
    NodeServices,
    RegisterRequest,
    ServiceNode,
    ServiceSpecificRequest,
)
from proconsul.features.catalog.reads import having
from proconsul.features.errors import ConsulError
from proconsul.features.filtering import filtered, filtering, frozen, row_filter
from proconsul.features.ids import uuid_fault
from proconsul.features.messages import MessageType
from proconsul.features.server import (
    CallMethod,
    Calls,
    Endpoint,
    Read,
    ReadMethod,
    Reads,
    Server,
    WriteMethod,
    Writes,
    or_empty,
)

REGISTER = WriteMethod("Catalog.Register", RegisterRequest)
DEREGISTER = WriteMethod("Catalog.Deregister", DeregisterRequest)
LIST_NODES = ReadMethod("Catalog.ListNodes", DCSpecificRequest, IndexedNodes, "Nodes", to_value=or_empty)
LIST_SERVICES = ReadMethod(
    "Catalog.ListServices", DCSpecificRequest, IndexedServices, "Services", to_value=lambda value: value or {}
)
SERVICE_NODES = ReadMethod(
    "Catalog.ServiceNodes", ServiceSpecificRequest, IndexedServiceNodes, "ServiceNodes", to_value=or_empty
)
NODE_SERVICES = ReadMethod("Catalog.NodeServices", NodeSpecificRequest, IndexedNodeServices, "NodeServices")
# Every server knows them by itself, the nearest first.
LIST_DATACENTERS = CallMethod("Catalog.ListDatacenters", DCSpecificRequest, list[str], anywhere=True)
NODE_SERVICE_LIST = ReadMethod("Catalog.NodeServiceList", NodeSpecificRequest, IndexedNodeServiceList, "NodeServices")


class Catalog(Endpoint):
    """Catalog.Register, Deregister, ListDatacenters, ListNodes, ListServices, ServiceNodes, NodeServices."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {
            LIST_NODES: self.list_nodes, LIST_SERVICES: self.list_services, SERVICE_NODES: self.service_nodes,
            NODE_SERVICES: self.node_services, NODE_SERVICE_LIST: self.node_service_list,
        }  # fmt: skip
        self.writes: Writes = {REGISTER: self.register, DEREGISTER: self.deregister}
        self.calls: Calls = {LIST_DATACENTERS: self.list_datacenters}

    def register(self, waiter: Completion, args: RegisterRequest) -> None:
        """Write a node, a service and checks. Raises ConsulError when the request is incomplete."""
        if not args.Node:
            raise ConsulError("Must provide node")
        if not args.Address and not args.SkipNodeUpdate:
            raise ConsulError("Must provide address if SkipNodeUpdate is not set")
        fault = uuid_fault(args.ID) if args.ID else ""
        if fault:
            raise ConsulError(f"Bad node ID: {fault}")
        service = self._completed_service(args.Service)
        checks = [self._completed_check(args, service, check) for check in (args.Check, *(args.Checks or ())) if check]
        args = replace(args, Service=service, Check=None, Checks=checks or None)
        self._server.propose_for(waiter, MessageType.REGISTER, args)

    @staticmethod
    def _completed_service(service: NodeService | None) -> NodeService | None:
        if service is None:
            return None
        if not service.ID and service.Service:
            service = replace(service, ID=service.Service)
        if service.ID and not service.Service:
            raise ConsulError("Must provide service name with ID")
        if not reachable(service.Address):
            raise ConsulError(INVALID_ADDRESS)
        if not service.ID:
            raise ConsulError("failed inserting service: failed inserting service: object missing primary index")
        try:
            validate_service(service, service.Connect.SidecarService)
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        return for_the_log(service)

    @staticmethod
    def _completed_check(args: RegisterRequest, service: NodeService | None, check: HealthCheck) -> HealthCheck:
        changes: dict[str, Any] = {}
        if not check.CheckID and check.Name:
            changes["CheckID"] = check.Name
        if not check.Node:
            changes["Node"] = args.Node
        if not check.Type:
            changes["Type"] = _type_of(check)
        return replace(check, **changes) if changes else check

    def deregister(self, waiter: Completion, args: DeregisterRequest) -> None:
        """Take a node, a service or a check out. Raises ConsulError when no node is named."""
        if not args.Node:
            raise ConsulError("Must provide node")
        self._server.propose_for(waiter, MessageType.DEREGISTER, args)

    async def list_datacenters(self, args: DCSpecificRequest) -> list[str]:
        """All datacenters, by the median distance of their servers."""
        return self._server.datacenters_by_distance()

    def list_nodes(self, args: DCSpecificRequest) -> Read:
        meta, reads = args.NodeMetaFilters, self._server.state.reads
        keep_rows, key = row_filter(args, self._server, Node, lambda node: node.Node)
        run = filtered(reads.nodes, having(meta, lambda node: node.Meta), keep_rows)
        return Read((LIST_NODES.name, frozen(meta), key), run, LIST_NODES, args)

    def list_services(self, args: DCSpecificRequest) -> Read:
        meta, reads = args.NodeMetaFilters, self._server.state.reads
        name = (LIST_SERVICES.name, frozen(meta))
        if not meta:
            return Read(name, reads.services, LIST_SERVICES, args)

        def run(watch: WatchSet) -> tuple[int, Any]:
            return reads.services(watch, meta)[0], reads.services(None)[1]

        def choose(shown: dict[str, list[str]]) -> dict[str, list[str]]:
            return {name: tags for name, tags in reads.services(None, meta)[1].items() if name in shown}

        return Read(name, filtered(run, choose), LIST_SERVICES, args)

    def service_nodes(self, args: ServiceSpecificRequest) -> Read:
        """Instances of one service."""
        reads, meta, tags = self._server.state.reads, args.NodeMetaFilters, args.tags()
        keep_rows, filter_key = row_filter(args, self._server, ServiceNode, lambda row: row.Node)

        def run(watch: WatchSet) -> tuple[int, Any]:
            if args.ServiceAddress:
                watch.add("services")
                return reads.joined_of_address(args.ServiceAddress)
            return reads.service_nodes(watch, args.ServiceName, tags, connect=args.Connect)

        # Who asks by address is not asked for more.
        has_meta = None if args.ServiceAddress else having(meta, lambda row: row.NodeMeta)
        service = (args.ServiceName, args.ServiceAddress, args.Connect, tuple(tags or ()))
        key = (SERVICE_NODES.name, *service, frozen(meta), filter_key)
        return Read(key, filtered(run, has_meta, keep_rows), SERVICE_NODES, args)

    def node_services(self, args: NodeSpecificRequest) -> Read:
        reads, keep = self._server.state.reads, filtering(args, NodeService)

        def keep_rows(value: NodeServices | None) -> NodeServices | None:
            if value is None or keep is None:
                return value
            return NodeServices(value.Node, keep(value.Services))

        run = filtered(lambda watch: reads.node_services(watch, args.Node), keep_rows)
        return Read((NODE_SERVICES.name, args.Node, args.Filter), run, NODE_SERVICES, args)

    def node_service_list(self, args: NodeSpecificRequest) -> Read:
        reads, keep = self._server.state.reads, filtering(args, NodeService)

        def keep_rows(value: NodeServiceList) -> NodeServiceList:
            if keep is None or value.Services is None:
                return value
            return NodeServiceList(value.Node, keep(value.Services))

        run = filtered(lambda watch: reads.node_service_list(watch, args.Node), keep_rows)
        return Read((NODE_SERVICE_LIST.name, args.Node, args.Filter), run, NODE_SERVICE_LIST, args)


def _type_of(check: HealthCheck) -> str:
    """The kind of check its definition describes."""
    own = check.Definition
    return kind_of(
        grpc=own.GRPC, http=own.HTTP, ttl=own.TTL, tcp=own.TCP, alias=own.AliasNode or own.AliasService,
        docker=own.DockerContainerID, script=own.ScriptArgs, interval=own.Interval,
    )  # fmt: skip
