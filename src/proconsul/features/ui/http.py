"""/v1/internal/ui: what the web page reads. As in Consul 1.8.7, and of later releases the catalog in numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from proconsul.engine.http.request import Deferred, Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.model import CheckServiceNode, ServiceSpecificRequest
from proconsul.features.errors import BadRequest, NoLeader
from proconsul.features.filtering import wanted
from proconsul.features.options import OptionRule
from proconsul.features.server import Read, Server
from proconsul.features.ui.endpoint import UserInterface
from proconsul.features.ui.model import CatalogSummary, NodeInfo, ServiceDumpRequest, ServiceInfo
from proconsul.features.ui.summary import NodeLines, Summaries, behind_gateway
from proconsul.features.web import Reply, Web, encoder

_NO_LEADER = str(NoLeader()).encode()


class UserInterfaceRoutes:
    """Handlers of /v1/internal/ui/*."""

    def __init__(self, web: Web, server: Server, endpoint: UserInterface, domains: Sequence[str]) -> None:
        """``domains``: of DNS, as far as there are."""
        self.web, self.server, self.endpoint, self._domains = web, server, endpoint, domains
        self._summaries, self._nodes = Summaries(), NodeLines()

    def register(self, router: Router) -> None:
        router.add("/v1/internal/ui/nodes", {"GET": self.nodes})
        router.add("/v1/internal/ui/node/", {"GET": self.node})
        router.add("/v1/internal/ui/services", {"GET": self.services})
        router.add("/v1/internal/ui/catalog-overview", {"GET": self.catalog_overview})
        router.add("/v1/internal/ui/gateway-services-nodes/", {"GET": self.gateway_services})

    def nodes(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = DCSpecificRequest(**wanted(request, self.server, near=False))
        pretty = self.web.pretty(request)

        def encode(nodes: list[NodeInfo]) -> Reply:
            return Reply(200, self._nodes.encoded(nodes, pretty=pretty))

        return self._read(request, self.endpoint.node_dump(args), encode)

    def node(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        if not request.params:
            raise BadRequest("Missing node name")
        args = NodeSpecificRequest(Node=request.params)
        encode = encoder(request, self.web, lambda nodes: nodes[0])

        def shown(nodes: list[NodeInfo]) -> Reply:
            return encode(nodes) if nodes else Reply(404, b"", bare=True)

        return self._read(request, self.endpoint.node_info(args), shown)

    def services(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        args = ServiceDumpRequest(**wanted(request, self.server, near=False))
        pretty = self.web.pretty(request)

        def encode(rows: list[CheckServiceNode]) -> Reply:
            return Reply(200, self._summaries.encoded(rows, pretty=pretty))

        return self._read(request, self.endpoint.service_dump(args), encode)

    def gateway_services(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)
        if not request.params:
            raise BadRequest("Missing gateway name")
        args = ServiceSpecificRequest(ServiceName=request.params)
        datacenter = self.web.datacenter_of(request)

        def prepare(dump: list[ServiceInfo]) -> Any:
            return behind_gateway(dump, datacenter, self._domains)

        read = self.endpoint.gateway_service_dump(args)
        return self._read(request, read, encoder(request, self.web, prepare))

    def catalog_overview(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.OPTIONS, OptionRule.NAMESPACE)

        def prepare(found: CatalogSummary) -> Any:
            return gojson.Object(Nodes=found.Nodes, Services=found.Services, Checks=found.Checks)

        read = self.endpoint.catalog_overview(DCSpecificRequest())
        return self._read(request, read, encoder(request, self.web, prepare))

    def _read(self, request: Request, read: Read, encode: Callable[[Any], Reply]) -> Answer:
        """The answer to a read; while nobody leads, what this server or any other one knows: people look most when
        something is broken."""
        answer = self.web.read(request, read, encode, headers_on_error=True)
        if request.has("stale") or request.has("consistent"):
            return answer
        if isinstance(answer, Response):
            return self._stale(request, read, encode) if _nobody_leads(answer) else answer
        assert isinstance(answer, Deferred)
        outer = Deferred()
        outer.on_cancel, outer.on_hurry = answer.cancel, answer.hurry

        def done(response: Response) -> None:
            if not _nobody_leads(response):
                outer.resolve(response)
                return
            stale = self._stale(request, read, encode)
            if isinstance(stale, Response):
                outer.resolve(stale)
            else:
                outer.on_cancel, outer.on_hurry = stale.cancel, stale.hurry
                stale.when_done(outer.resolve)

        answer.when_done(done)
        return outer

    def _stale(self, request: Request, read: Read, encode: Callable[[Any], Reply]) -> Response | Deferred:
        query = f"{request.query_string}&stale" if request.query_string else "stale"
        again = Request(request.method, request.raw_path, request.path, query, request.headers)
        again.params, again.route = request.params, request.route
        answer = self.web.read(again, read, encode, headers_on_error=True)
        assert isinstance(answer, Response | Deferred)
        return answer


def _nobody_leads(response: Response) -> bool:
    return response.status == 500 and response.body == _NO_LEADER
