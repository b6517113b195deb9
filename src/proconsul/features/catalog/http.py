"""/v1/catalog (HTTP API: catalog)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.endpoint import DEREGISTER, LIST_DATACENTERS, REGISTER, Catalog
from proconsul.features.catalog.model import (
    DeregisterRequest,
    NodeService,
    NodeServiceList,
    NodeServices,
    RegisterRequest,
    ServiceSpecificRequest,
)
from proconsul.features.errors import BadRequest
from proconsul.features.filtering import node_meta, wanted
from proconsul.features.options import NO_NAMESPACES, OptionRule
from proconsul.features.server import Server
from proconsul.features.web import Web, encoder


def with_tags(service: NodeService) -> NodeService:
    """Services are shown with an empty list of tags rather than null."""
    shown: NodeService = service if service.Tags is not None else replace(service, Tags=[])
    return shown


def _show_node_services(value: NodeServices | None) -> Any:
    if value is None:
        return None
    services = value.Services
    return gojson.Object(Node=value.Node, Services={key: with_tags(item) for key, item in services.items()})


def _show_node_service_list(value: NodeServiceList) -> Any:
    services = value.Services
    shown = [with_tags(service) for service in services] if services is not None else None
    return gojson.Object(Node=value.Node, Services=shown)


class _DeregisterBody(DeregisterRequest, frozen=True, kw_only=True):
    """The body of a deregistration; clients may repeat the node's address, which is ignored."""

    go_name: ClassVar[str | None] = "DeregisterRequest"
    Address: str = ""

    def request(self) -> DeregisterRequest:
        return DeregisterRequest(
            Datacenter=self.Datacenter, Node=self.Node, ServiceID=self.ServiceID, CheckID=self.CheckID,
            Token=self.Token,
        )  # fmt: skip


class CatalogRoutes:
    """Handlers of /v1/catalog/*."""

    def __init__(self, web: Web, server: Server, catalog: Catalog) -> None:
        self.web = web
        self.server = server
        self.catalog = catalog

    def register(self, router: Router) -> None:
        router.add("/v1/catalog/register", {"PUT": self.put_register})
        router.add("/v1/catalog/deregister", {"PUT": self.put_deregister})
        router.add("/v1/catalog/datacenters", {"GET": self.datacenters})
        router.add("/v1/catalog/nodes", {"GET": self.nodes})
        router.add("/v1/catalog/services", {"GET": self.services})
        router.add("/v1/catalog/service/", {"GET": self.service})
        router.add("/v1/catalog/connect/", {"GET": self.connect})
        router.add("/v1/catalog/node/", {"GET": self.node})
        router.add("/v1/catalog/node-services/", {"GET": self.node_service_list})

    # ------------------------------------------------------------------ writes

    def _body(self, request: Request, cls: Any) -> Any:
        """The decoded body; the catalog's writes explain why they do not know namespaces. Raises BadRequest."""
        try:
            return self.web.body(request, cls)
        except BadRequest as error:
            if error.text.endswith('unknown field "Namespace"'):
                raise BadRequest(f"{error.text} - {NO_NAMESPACES}") from None
            raise

    def put_register(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        args = self._body(request, RegisterRequest)
        args = replace(args, Token=self.web.token(request) or args.Token)
        return self.web.write(REGISTER, args, lambda _: self.web.json(request, True))

    def put_deregister(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        args = self._body(request, _DeregisterBody).request()
        args = replace(args, Token=self.web.token(request) or args.Token)
        return self.web.write(DEREGISTER, args, lambda _: self.web.json(request, True))

    # ------------------------------------------------------------------ reads

    async def datacenters(self, request: Request) -> Response:
        options = self.web.consistency(request)
        args = DCSpecificRequest(Datacenter=self.web.datacenter, Token=self.web.token(request))
        names = await self.web.gate.call(LIST_DATACENTERS, args)
        headers = self.web.cache_headers(LIST_DATACENTERS.name) if options.cached else {}
        return self.web.json(request, names, headers=headers)

    def nodes(self, request: Request) -> Answer:
        args = DCSpecificRequest(NodeMetaFilters=node_meta(request), **wanted(request, self.server))
        read = self.catalog.list_nodes(args)
        return self.web.read(request, read, encoder(request, self.web), effective=True)

    def services(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        read = self.catalog.list_services(DCSpecificRequest(NodeMetaFilters=node_meta(request)))
        return self.web.read(request, read, encoder(request, self.web), effective=True, cacheable=True)

    def service(self, request: Request) -> Answer:
        return self._service(request, connect=False)

    def connect(self, request: Request) -> Answer:
        return self._service(request, connect=True)

    def _service(self, request: Request, *, connect: bool) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing service name")
        tags = request.all("tag") if request.query_string else []
        args = ServiceSpecificRequest(
            ServiceName=request.params, ServiceTags=tags, TagFilter=bool(tags), Connect=connect,
            NodeMetaFilters=node_meta(request), **wanted(request, self.server),
        )  # fmt: skip
        read = self.catalog.service_nodes(args)
        return self.web.read(request, read, encoder(request, self.web), effective=True, cacheable=True)

    def node(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing node name")
        args = NodeSpecificRequest(Node=request.params, **wanted(request, self.server, near=False))
        read = self.catalog.node_services(args)
        return self.web.read(request, read, encoder(request, self.web, _show_node_services), effective=True)

    def node_service_list(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing node name")
        args = NodeSpecificRequest(Node=request.params, **wanted(request, self.server, near=False))
        read = self.catalog.node_service_list(args)
        return self.web.read(request, read, encoder(request, self.web, _show_node_service_list), effective=True)
