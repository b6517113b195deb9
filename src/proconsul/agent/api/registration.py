"""/v1/agent/service/* and /v1/agent/check/* (HTTP API: agent)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar

from proconsul.agent.api.rights import Rights
from proconsul.agent.checks.definition import RunnableCheck, runnable
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.change import RegistrationChange
from proconsul.agent.local.content_hash import PROXY_KINDS, content_hash
from proconsul.agent.local.local_state import worst_status
from proconsul.agent.local.plan import PluginRefused
from proconsul.agent.local.registrations import Registrations, refusal
from proconsul.engine.http.request import Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.gostrconv import NumberError, parse_bool
from proconsul.engine.wire.record import Record
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import (
    INVALID_ADDRESS,
    CheckDefinition,
    CheckType,
    DefinitionError,
    ServiceDefinition,
    reachable,
    valid_status,
    validate_meta,
    validate_service,
    validate_weights,
)
from proconsul.features.catalog.model import (
    DEFAULT_WEIGHTS,
    HEALTH_CRITICAL,
    HEALTH_PASSING,
    HEALTH_WARNING,
    NODE_MAINTENANCE,
    SERVICE_MAINTENANCE_PREFIX,
    VALID_STATUSES,
    HealthCheck,
    NodeService,
)
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.filtering import filter_by
from proconsul.features.health.http import show_check
from proconsul.features.options import OptionRule, read_waiting
from proconsul.features.web import Web, text_error

_YES = frozenset({"", "1", "t", "T", "TRUE", "true", "True"})
_HEALTH_STATUS = {"passing": 200, "warning": 429, "critical": 503, "maintenance": 503}


class _CheckUpdate(Record, frozen=True):
    go_name: ClassVar[str | None] = "checkUpdate"
    Status: str = ""
    Output: str = ""


def show_service(service: NodeService, fingerprint: str = "") -> gojson.Object:
    """A local service as the agent endpoints show it: other order and fewer empty fields than the catalog."""
    out = gojson.Object({"Kind": service.Kind} if service.Kind else {})
    out |= {
        "ID": service.ID, "Service": service.Service, "Tags": service.Tags or [], "Meta": service.Meta or {},
        "Port": service.Port, "Address": service.Address,
    }  # fmt: skip
    if service.TaggedAddresses:
        out["TaggedAddresses"] = service.TaggedAddresses
    out |= {"Weights": service.Weights or DEFAULT_WEIGHTS, "EnableTagOverride": service.EnableTagOverride}
    if fingerprint:
        out["ContentHash"] = fingerprint
    if service.Kind in PROXY_KINDS:
        out["Proxy"] = _show_proxy(service)
    if service.Connect.Native:
        out["Connect"] = service.Connect
    return out


def _show_proxy(service: NodeService) -> Any:
    """The client library's proxy type leaves out an upstream's empty datacenter."""
    shown = gojson.Object(gojson.plain(service.Proxy))
    for upstream in shown.get("Upstreams") or ():
        for name in ("Datacenter", "Config"):
            if not upstream.get(name):
                upstream.pop(name, None)
    return shown


def _health_check_json(check: HealthCheck) -> gojson.Object:
    """Checks of /v1/agent/health are printed with the client library's types."""
    return gojson.Object({
        "Node": check.Node, "CheckID": check.CheckID, "Name": check.Name, "Status": check.Status,
        "Notes": check.Notes, "Output": check.Output, "ServiceID": check.ServiceID,
        "ServiceName": check.ServiceName, "ServiceTags": check.ServiceTags, "Type": "",
        "Definition": gojson.Object({
            "Interval": "0s", "Timeout": "0s", "DeregisterCriticalServiceAfter": "0s", "HTTP": "", "Header": None,
            "Method": "", "Body": "", "TLSSkipVerify": False, "TCP": "",
        }),
        "CreateIndex": 0, "ModifyIndex": 0,
    })  # fmt: skip


def aggregated_status(checks: list[HealthCheck]) -> str:
    """maintenance over critical over warning over passing."""
    if any(c.CheckID == NODE_MAINTENANCE or c.CheckID.startswith(SERVICE_MAINTENANCE_PREFIX) for c in checks):
        return "maintenance"
    return worst_status(checks)


class RegistrationRoutes:
    """Handlers that read and change this agent's own registrations."""

    def __init__(self, web: Web, rights: Rights, registrations: Registrations, sync: AntiEntropy) -> None:
        self.web, self.rights, self.registrations, self.sync = web, rights, registrations, sync
        self.state = registrations.state
        self._endings: set[asyncio.Future[Response]] = set()

    def register(self, router: Router) -> None:
        router.add("/v1/agent/services", {"GET": self.services})
        router.add("/v1/agent/service/", {"GET": self.service}, names=True)
        router.add("/v1/agent/service/register", {"PUT": self.service_register})
        router.add("/v1/agent/service/deregister/", {"PUT": self.service_deregister}, names=True)
        router.add("/v1/agent/service/maintenance/", {"PUT": self.service_maintenance}, names=True)
        router.add("/v1/agent/health/service/id/", {"GET": self.health_by_id}, names=True)
        router.add("/v1/agent/health/service/name/", {"GET": self.health_by_name}, names=True)
        router.add("/v1/agent/checks", {"GET": self.checks})
        router.add("/v1/agent/check/register", {"PUT": self.check_register})
        router.add("/v1/agent/check/deregister/", {"PUT": self.check_deregister}, names=True)
        router.add("/v1/agent/check/pass/", {"PUT": self.check_pass}, names=True)
        router.add("/v1/agent/check/warn/", {"PUT": self.check_warn}, names=True)
        router.add("/v1/agent/check/fail/", {"PUT": self.check_fail}, names=True)
        router.add("/v1/agent/check/update/", {"PUT": self.check_update}, names=True)
        router.add("/v1/agent/maintenance", {"PUT": self.node_maintenance})

    # ------------------------------------------------------------------ reading

    def services(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        there = self.state.live_services()
        services = self.rights.services(request, there)
        headers = self.rights.filtered(request, there, services)
        if request.get("filter"):
            services = filter_by(request.get("filter"), NodeService)(services)
        return self.web.json(request, {key: show_service(services[key]) for key in sorted(services)}, headers=headers)

    def checks(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        there = self.state.live_checks()
        checks = self.rights.checks(request, there)
        headers = self.rights.filtered(request, there, checks)
        if request.get("filter"):
            checks = filter_by(request.get("filter"), HealthCheck)(checks)
        return self.web.json(request, {key: show_check(checks[key]) for key in sorted(checks)}, headers=headers)

    def service(self, request: Request) -> Answer:
        """One local service; with ``hash`` waits until its content differs."""
        _, wait_ns = read_waiting(request)
        self.web.check(request, OptionRule.NAMESPACE)
        wanted = request.get("hash")
        answer = self._show_one(request)
        if not wanted or answer.headers.get("X-Consul-Contenthash") != wanted:
            return answer
        deferred = Deferred()
        loop = asyncio.get_running_loop()

        def changed(service_id: str) -> None:
            # While a reload is under way services vanish and come back: look again when it is over.
            if service_id == request.params and not self.sync.paused:
                current = self._show_one_waited(request)
                if current.headers.get("X-Consul-Contenthash") != wanted:
                    finish(current)

        def finish(response: Response | None = None) -> None:
            self.state.unlisten(changed)
            timer.cancel()
            deferred.resolve(response if response is not None else self._show_one_waited(request))

        timer = loop.call_later(self.web.gate.wait_s(wait_ns), finish)
        self.state.listen(changed)
        deferred.on_cancel = deferred.on_hurry = finish
        return deferred

    def _show_one_waited(self, request: Request) -> Response:
        """As `_show_one`, for who has waited: the token may have ended by now, and that is an answer too."""
        try:
            return self._show_one(request)
        except ConsulError as error:
            return text_error(error)

    def _show_one(self, request: Request) -> Response:
        self.rights.require_known(request)
        service = self.state.service(request.params)
        if service is None:
            return text_response(404, f"unknown service ID: {request.params}")
        self.rights.require_service(request, service.Service)
        fingerprint = content_hash(service)
        return self.web.json(request, show_service(service, fingerprint), headers={"X-Consul-Contenthash": fingerprint})

    # ------------------------------------------------------------------ health

    def _checks_for(self, service_id: str) -> list[HealthCheck]:
        return [*self.state.checks_of(service_id), *self.state.checks_of("")]

    @staticmethod
    def _wants_text(request: Request) -> bool:
        if request.has("format"):
            return request.get("format") == "text"
        return "text/plain" in request.header("accept")

    def health_by_id(self, request: Request) -> Answer:
        if not request.params:
            raise ConsulError("Bad request: Missing serviceID")
        self.web.check(request, OptionRule.NAMESPACE)
        self.rights.require_known(request)
        service = self.state.service(request.params)
        if service is None:
            reason = f"ServiceId {request.params} not found"
            if self._wants_text(request):  # as a JSON string, unlike every other answer in text
                return self.web.json(request, reason, 404, {"X-Consul-Reason": reason})
            return self._health(
                request, 404, reason, gojson.Object(AggregatedStatus="critical", Service=None, Checks=None)
            )
        self.rights.require_service(request, service.Service)
        checks = self._checks_for(service.ID)
        status = aggregated_status(checks)
        return self._health(request, _HEALTH_STATUS[status], status, self._health_json(status, service, checks))

    @staticmethod
    def _health_json(status: str, service: NodeService, checks: list[HealthCheck]) -> dict[str, Any]:
        shown = [_health_check_json(check) for check in checks]
        return gojson.Object(AggregatedStatus=status, Service=show_service(service), Checks=shown)

    def _health(self, request: Request, code: int, reason: str, body: Any) -> Response:
        headers = {"X-Consul-Reason": reason}
        if self._wants_text(request):
            return Response(code, reason.encode(), {"Content-Type": "text/plain", "Vary": "Accept-Encoding", **headers})
        return self.web.json(request, body, code, headers)

    def health_by_name(self, request: Request) -> Answer:
        if not request.params:
            raise ConsulError("Bad request: Missing service Name")
        self.web.check(request, OptionRule.NAMESPACE)
        self.rights.require_service(request, request.params)
        found = []
        for service in self.state.live_services().values():
            if service.Service == request.params:
                checks = self._checks_for(service.ID)
                status = aggregated_status(checks)
                found.append((status, self._health_json(status, service, checks)))
        if not found:
            return self._health(request, 404, f"ServiceName {request.params} Not Found", [])
        order = ("passing", "warning", "critical", "maintenance")
        worst = max((status for status, _ in found), key=order.index)
        return self._health(request, _HEALTH_STATUS[worst], worst, [body for _, body in found])

    # ------------------------------------------------------------------ services

    def _kept(self, make: Callable[[], RegistrationChange]) -> Awaitable[Response]:
        """Make a change and answer when it is on this agent's disk, and pushed to the catalog.

        A failed push is logged and retried, never the caller's problem; a disk that refuses is. Raises ConsulError.
        """
        try:
            change = make()
        except OSError as error:
            raise ConsulError(str(error)) from None
        # Also when whoever asked does not wait for the answer, it lasts or is taken back.
        ending = asyncio.ensure_future(self._when_kept(change))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return asyncio.shield(ending)

    async def _when_kept(self, change: RegistrationChange) -> Response:
        pushed = asyncio.ensure_future(self.sync.push())
        error = await change.end()
        await pushed
        if error is None:
            return self.web.empty()
        await self.sync.push()
        return text_error(ConsulError(refusal(error)))

    def service_register(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        definition: ServiceDefinition = self.web.body(request, ServiceDefinition)
        if not definition.Name:
            raise BadRequest("Missing service name")
        if not reachable(definition.Address):
            raise BadRequest(INVALID_ADDRESS)
        service = self._checked_service(definition)
        checks = self._runnable(definition.check_types())
        if not all(check.definition.Status in ("", *VALID_STATUSES) for check in checks):
            raise BadRequest("Status for checks must 'passing', 'warning', 'critical'")
        self.rights.require_register(request, service)
        planner = self.registrations.planner()
        try:
            sidecar = planner.sidecar_of(definition)
        except gojson.JSONError as error:
            raise BadRequest(f"Request decode failed: {error}") from None
        except DefinitionError as error:
            raise BadRequest(f"Invalid SidecarService: {error}") from None
        if sidecar is not None:
            self.rights.require_register(request, sidecar[0])
        token = definition.Token or self.web.token(request)
        wanted = [(service, checks), *([sidecar] if sidecar is not None else [])]
        try:
            planned = [planner.service(one, its_checks, token=token) for one, its_checks in wanted]
        except PluginRefused as error:
            raise BadRequest(f"Invalid check: {error}") from None
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        for one in planned:
            self.rights.require_checks_of(request, [item.check for item in one.checks])
        replaces = request.has("replace-existing-checks") and request.get("replace-existing-checks") in _YES
        return self._kept(partial(self.registrations.register, planned, replace_existing_checks=replaces))

    @staticmethod
    def _runnable(checks: list[CheckType]) -> list[RunnableCheck]:
        try:
            return [runnable(check) for check in checks]
        except DefinitionError as error:
            raise BadRequest(f"Invalid check: {error}") from None

    @staticmethod
    def _checked_service(definition: ServiceDefinition) -> NodeService:
        try:
            validate_meta(definition.Meta)
        except DefinitionError as error:
            raise BadRequest(f"Invalid Service Meta: {error}") from None
        try:
            validate_weights(definition.Weights)
        except DefinitionError as error:
            raise BadRequest(f"Invalid Weights: {error}") from None
        service = definition.node_service()
        try:
            validate_service(service, definition.Connect.SidecarService if definition.Connect else None)
        except DefinitionError as error:
            raise BadRequest(str(error)) from None
        return service

    def service_deregister(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        self.rights.require_change(request, request.params)
        return self._kept(partial(self.registrations.remove_service, request.params))

    def service_maintenance(self, request: Request) -> Answer:
        if not request.params:
            raise BadRequest("Missing service ID")
        self.web.check(request, OptionRule.NAMESPACE)
        enable = self._enable(request)
        self.rights.require_change(request, request.params)
        return self._kept(partial(
            self.registrations.service_maintenance, request.params, enable, request.get("reason"),
            self.web.token(request),
        ))  # fmt: skip

    @staticmethod
    def _enable(request: Request) -> bool:
        text = request.get("enable")
        if not text:
            raise BadRequest("Missing value for enable")
        try:
            return parse_bool(text)
        except NumberError:
            raise BadRequest(f"Invalid value for enable: {quoted(text)}") from None

    def node_maintenance(self, request: Request) -> Answer:
        enable = self._enable(request)
        return self._kept(partial(
            self.registrations.node_maintenance, enable, request.get("reason"), self.web.token(request)
        ))  # fmt: skip

    # ------------------------------------------------------------------ checks

    def check_register(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        definition: CheckDefinition = self.web.body(request, CheckDefinition)
        if not definition.Name:
            raise BadRequest("Missing check name")
        if definition.Status and not valid_status(definition.Status):
            raise BadRequest("Bad check status")
        [run] = self._runnable([definition])
        check = definition.health_check(self.state.node)
        self.rights.require_check_register(request, check)
        token = definition.Token or self.web.token(request)
        try:
            planned = self.registrations.planner().check(check, run, token=token)
        except PluginRefused as error:
            raise BadRequest(f"Invalid check: {error}") from None
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        return self._kept(partial(self.registrations.register_check, planned))

    def check_deregister(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        self.rights.require_check_change(request, request.params)
        return self._kept(partial(self.registrations.remove_check, request.params))

    def check_pass(self, request: Request) -> Answer:
        return self._noted(request, HEALTH_PASSING)

    def check_warn(self, request: Request) -> Answer:
        return self._noted(request, HEALTH_WARNING)

    def check_fail(self, request: Request) -> Answer:
        return self._noted(request, HEALTH_CRITICAL)

    def check_update(self, request: Request) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        update: _CheckUpdate = self.web.body(request, _CheckUpdate)
        if not valid_status(update.Status):
            raise BadRequest(f"Invalid check status: '{update.Status}'")
        return self._report(request, update.Status, update.Output)

    def _noted(self, request: Request, status: str) -> Answer:
        self.web.check(request, OptionRule.NAMESPACE)
        return self._report(request, status, request.get("note"))

    def _report(self, request: Request, status: str, output: str) -> Answer:
        self.rights.require_check_change(request, request.params)
        return self._kept(partial(self.registrations.update_ttl, request.params, status, output))
