"""The Catalog RPC methods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.definition import DefinitionError, validate_service
from proconsul.features.catalog.model import (
    DeregisterRequest,
    HealthCheck,
    NodeService,
    RegisterRequest,
    ServiceSpecificRequest,
)
from proconsul.features.catalog.reads import meta_matches
from proconsul.features.errors import ConsulError
from proconsul.features.ids import UUID_LENGTH, is_uuid
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, Server

Narrow = Callable[[Any], Any]


class Catalog:
    """Catalog.Register, Deregister, ListDatacenters, ListNodes, ListServices, ServiceNodes, NodeServices."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def register(self, args: RegisterRequest) -> asyncio.Future[Any]:
        """Write a node, a service and checks. Raises ConsulError when the request is incomplete."""
        if not args.Node:
            raise ConsulError("Must provide node")
        if not args.Address and not args.SkipNodeUpdate:
            raise ConsulError("Must provide address if SkipNodeUpdate is not set")
        if args.ID and len(args.ID) != UUID_LENGTH:
            raise ConsulError("Bad node ID: uuid string is wrong length")
        if args.ID and not is_uuid(args.ID):
            raise ConsulError("Bad node ID: uuid is improperly formatted")
        service = self._completed_service(args.Service)
        checks = [self._completed_check(args, service, check) for check in (args.Check, *(args.Checks or ())) if check]
        args = replace(args, Service=service, Check=None, Checks=checks or None)
        return self._server.propose(MessageType.REGISTER, args)

    @staticmethod
    def _completed_service(service: NodeService | None) -> NodeService | None:
        if service is None:
            return None
        if not service.ID and service.Service:
            service = replace(service, ID=service.Service)
        if service.ID and not service.Service:
            raise ConsulError("Must provide service name with ID")
        if not service.ID:
            raise ConsulError("failed inserting service: failed inserting service: object missing primary index")
        try:
            validate_service(service)
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        return service

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

    def deregister(self, args: DeregisterRequest) -> asyncio.Future[Any]:
        if not args.Node:
            raise ConsulError("Must provide node")
        return self._server.propose(MessageType.DEREGISTER, args)

    def list_datacenters(self) -> list[str]:
        self._server.require_reachable()
        return [self._server.datacenter]

    def list_nodes(self, args: DCSpecificRequest, narrow: Narrow | None = None, narrow_key: Any = None) -> Read:
        meta, reads = args.NodeMetaFilters, self._server.state.reads
        key = ("Catalog.ListNodes", frozen(meta), narrow_key)
        return Read(key, narrowed(lambda watch: reads.nodes(watch, meta), narrow))

    def list_services(self, args: DCSpecificRequest) -> Read:
        meta, reads = args.NodeMetaFilters, self._server.state.reads
        return Read(("Catalog.ListServices", frozen(meta)), lambda watch: reads.services(watch, meta))

    def service_nodes(self, args: ServiceSpecificRequest, narrow: Narrow | None = None, narrow_key: Any = None) -> Read:
        """Instances of one service. ``narrow`` filters and sorts them."""
        reads, meta = self._server.state.reads, args.NodeMetaFilters
        tags = args.ServiceTags if args.TagFilter else None

        def run(watch: WatchSet) -> tuple[int, Any]:
            index, rows = reads.service_nodes(watch, args.ServiceName, tags, connect=args.Connect)
            if meta:
                rows = [row for row in rows if meta_matches(row.NodeMeta, meta)]
            return index, rows

        key = ("Catalog.ServiceNodes", args.ServiceName, args.Connect, tuple(tags or ()), frozen(meta), narrow_key)
        return Read(key, narrowed(run, narrow))

    def node_services(self, args: NodeSpecificRequest, narrow: Narrow | None = None, narrow_key: Any = None) -> Read:
        reads = self._server.state.reads
        key = ("Catalog.NodeServices", args.Node, narrow_key)
        return Read(key, narrowed(lambda watch: reads.node_services(watch, args.Node), narrow))

    def node_service_list(
        self, args: NodeSpecificRequest, narrow: Narrow | None = None, narrow_key: Any = None
    ) -> Read:
        reads = self._server.state.reads
        key = ("Catalog.NodeServiceList", args.Node, narrow_key)
        return Read(key, narrowed(lambda watch: reads.node_service_list(watch, args.Node), narrow))



def frozen(meta: dict[str, str] | None) -> Any:
    return tuple(sorted(meta.items())) if meta else ()


def narrowed(run: Callable[[WatchSet], tuple[int, Any]], narrow: Narrow | None) -> Callable[[WatchSet], Any]:
    """``run`` followed by ``narrow`` on its value; the index is not changed by filtering."""
    if narrow is None:
        return run

    def both(watch: WatchSet) -> tuple[int, Any]:
        index, value = run(watch)
        return index, narrow(value)

    return both


def _type_of(check: HealthCheck) -> str:
    """The kind of check its definition describes."""
    definition = check.Definition
    for name, kind in (("TTL", "ttl"), ("HTTP", "http"), ("TCP", "tcp"), ("DockerContainerID", "docker"),
                       ("GRPC", "grpc"), ("ScriptArgs", "script"), ("AliasService", "alias"),
                       ("AliasNode", "alias")):  # fmt: skip
        if getattr(definition, name):
            return kind
    return ""


