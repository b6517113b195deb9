"""/v1/health (HTTP API: health)."""

from __future__ import annotations

from typing import Any

from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gostrconv import NumberError, parse_bool
from proconsul.engine.wire.record import replace
from proconsul.features.base import NodeSpecificRequest
from proconsul.features.catalog.model import (
    HEALTH_PASSING,
    CheckServiceNode,
    ChecksInStateRequest,
    HealthCheck,
    ServiceSpecificRequest,
)
from proconsul.features.errors import BadRequest
from proconsul.features.filtering import node_meta, wanted
from proconsul.features.health.endpoint import Health
from proconsul.features.options import OptionRule
from proconsul.features.server import Server
from proconsul.features.web import Web, encoder


def only_passing(rows: list[CheckServiceNode]) -> list[CheckServiceNode]:
    """Instances all of whose checks, the node's included, pass."""
    return [row for row in rows if all(check.Status == HEALTH_PASSING for check in row.Checks or ())]


def show_check(check: HealthCheck) -> HealthCheck:
    """Checks are shown with an empty list of service tags rather than null."""
    shown: HealthCheck = check if check.ServiceTags is not None else replace(check, ServiceTags=[])
    return shown


def _show_checks(checks: list[HealthCheck]) -> Any:
    return [show_check(check) for check in checks]


def _show_instances(rows: list[CheckServiceNode]) -> Any:
    shown = []
    for row in rows:
        service = row.Service
        if service.Tags is None:
            service = replace(service, Tags=[])
        shown.append(gojson.Object(Node=row.Node, Service=service, Checks=_show_checks(row.Checks or [])))
    return shown


class HealthRoutes:
    """Handlers of /v1/health/*."""

    def __init__(self, web: Web, server: Server, health: Health) -> None:
        self.web = web
        self.server = server
        self.health = health

    def register(self, router: Router) -> None:
        router.add("/v1/health/node/", {"GET": self.node})
        router.add("/v1/health/checks/", {"GET": self.checks})
        router.add("/v1/health/state/", {"GET": self.state})
        router.add("/v1/health/service/", {"GET": self.service})
        router.add("/v1/health/connect/", {"GET": self.connect})

    def node(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing node name")
        args = NodeSpecificRequest(Node=request.params, **wanted(request, self.server, near=False))
        read = self.health.node_checks(args)
        return self.web.read(request, read, encoder(request, self.web, _show_checks), effective=True)

    def checks(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing service name")
        args = ServiceSpecificRequest(
            ServiceName=request.params, NodeMetaFilters=node_meta(request), **wanted(request, self.server)
        )
        read = self.health.service_checks(args)
        return self.web.read(request, read, encoder(request, self.web, _show_checks), effective=True)

    def state(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing check state")
        args = ChecksInStateRequest(
            State=request.params, NodeMetaFilters=node_meta(request), **wanted(request, self.server)
        )
        read = self.health.checks_in_state(args)
        return self.web.read(request, read, encoder(request, self.web, _show_checks), effective=True)

    def service(self, request: Request) -> Answer:
        return self._service(request, connect=False)

    def connect(self, request: Request) -> Answer:
        return self._service(request, connect=True)

    def _service(self, request: Request, *, connect: bool) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE, OptionRule.OPTIONS)
        if not request.params:
            raise BadRequest("Missing service name")
        tags: list[str] = []
        passing = False
        if request.query_string:
            passing = self._passing(request)
            tags = request.all("tag")
        args = ServiceSpecificRequest(
            ServiceName=request.params, ServiceTags=tags, TagFilter=bool(tags), Connect=connect,
            NodeMetaFilters=node_meta(request), **wanted(request, self.server),
        )  # fmt: skip
        read = self.health.service_nodes(args)

        def prepare(rows: list[CheckServiceNode]) -> Any:
            return _show_instances(only_passing(rows) if passing else rows)

        return self.web.read(
            request, read, encoder(request, self.web, prepare), effective=True, cacheable=True, form=passing
        )

    @staticmethod
    def _passing(request: Request) -> bool:
        if not request.has("passing"):
            return False
        text = request.get("passing")
        try:
            return text == "" or parse_bool(text)
        except NumberError:
            raise BadRequest("Invalid value for ?passing") from None
