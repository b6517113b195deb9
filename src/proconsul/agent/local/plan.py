"""What a registration would bring about, checked whole before anything changes.

The API, the configuration and what was registered before all go through a `Planner`, which knows the services there
would be. What is planned can be put into force without a refusal: only the disk may still say no.

Pure. Source of rules and texts: the answers of Consul 1.8.7.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from proconsul.agent.checks.definition import CheckKind, RunnableCheck, runnable
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import (
    CheckType,
    DefinitionError,
    ServiceDefinition,
    validate_service,
)
from proconsul.features.catalog.model import (
    DEFAULT_WEIGHTS,
    HEALTH_CRITICAL,
    HealthCheck,
    NodeService,
    ServiceAddress,
)
from proconsul.plugins.kinds import PluginError

# The addresses every service with an IP address has, and which family they must be of.
_TAGGED_FAMILIES = {"lan_ipv4": 4, "wan_ipv4": 4, "lan_ipv6": 6, "wan_ipv6": 6}


class PluginRefused(DefinitionError):
    """A check names a plug-in that cannot be used, or settings it does not take."""


class PluginCheck(Protocol):
    def __call__(self, name: str, settings: Mapping[str, Any] | None, *, by_api: bool) -> None:
        """Raise PluginError unless a check may use the plug-in with these settings."""


def _no_plugins(name: str, settings: Mapping[str, Any] | None, *, by_api: bool) -> None:
    raise PluginError("there are no plug-ins here")


class Rules(NamedTuple):
    """What the configuration allows."""

    sidecar_ports: tuple[int, int] = (21000, 21255)
    local_scripts: bool = True
    remote_scripts: bool = True
    plugin: PluginCheck = _no_plugins


class PlannedCheck(NamedTuple):
    """A check to be; ``run`` is None where nothing runs it (maintenance)."""

    check: HealthCheck
    run: RunnableCheck | None
    token: str = ""
    from_config: bool = False


class PlannedService(NamedTuple):
    """A service to be, with the checks of its definition."""

    service: NodeService
    checks: tuple[PlannedCheck, ...] = ()
    token: str = ""
    from_config: bool = False


class Planner:
    """Plans one thing after the other. ``services`` are those that are there already."""

    def __init__(self, node: str, rules: Rules, services: Mapping[str, NodeService] | None = None) -> None:
        self.node = node
        self.rules = rules
        self.services = dict(services or {})

    # ------------------------------------------------------------------ services

    def service(
        self, service: NodeService, checks: Sequence[RunnableCheck], *, token: str = "", from_config: bool = False
    ) -> PlannedService:
        """Raises DefinitionError."""
        if not service.Service:
            raise DefinitionError("Service name missing")
        service = _completed(service)
        _validate_tagged(service)
        planned = tuple(
            PlannedCheck(self._check_of(service, check, number, len(checks)), check, token, from_config)
            for number, check in enumerate(checks, 1)
        )
        for item in planned:
            self._require(item)
        self.services[service.ID] = service
        return PlannedService(service, planned, token, from_config)

    def _check_of(self, service: NodeService, run: RunnableCheck, number: int, count: int) -> HealthCheck:
        definition = run.definition
        check_id = definition.CheckID
        if not check_id:
            check_id = f"service:{service.ID}" + (f":{number}" if count > 1 else "")
        return HealthCheck(
            Node=self.node, CheckID=check_id, Name=definition.Name or f"Service '{service.Service}' check",
            Status=definition.Status or HEALTH_CRITICAL, Notes=definition.Notes, ServiceID=service.ID,
            ServiceName=service.Service, ServiceTags=service.Tags, Type=definition.kind(),
        )  # fmt: skip

    # ------------------------------------------------------------------ checks

    def check(
        self, check: HealthCheck, run: RunnableCheck | None, *, token: str = "", from_config: bool = False
    ) -> PlannedCheck:
        """A check of the node or of one of its services. Raises DefinitionError."""
        if not check.CheckID:
            raise DefinitionError("CheckID missing")
        if check.ServiceID:
            service = self.services.get(check.ServiceID)
            if service is None:
                raise DefinitionError(f"ServiceID {quoted(check.ServiceID)} does not exist")
            check = replace(check, ServiceName=service.Service, ServiceTags=service.Tags)
        planned = PlannedCheck(check, run, token, from_config)
        self._require(planned)
        return planned

    def _require(self, planned: PlannedCheck) -> None:
        """Raise DefinitionError for what may not be run here."""
        if planned.run is None:
            return
        if planned.run.kind is CheckKind.PLUGIN:
            definition = planned.run.definition
            try:
                self.rules.plugin(definition.Plugin, definition.PluginConfig, by_api=not planned.from_config)
            except PluginError as error:
                raise PluginRefused(str(error)) from None
        if not planned.run.definition.ScriptArgs:
            return
        if planned.from_config and not self.rules.local_scripts:
            raise DefinitionError(
                "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or "
                "'enable_local_script_checks' to true"
            )
        if not planned.from_config and not self.rules.remote_scripts:
            raise DefinitionError(
                "Scripts are disabled on this agent from remote calls; to enable, configure "
                "'enable_script_checks' to true"
            )

    # ------------------------------------------------------------------ sidecars

    def sidecar_of(self, definition: ServiceDefinition) -> tuple[NodeService, list[RunnableCheck]] | None:
        """The sidecar that ``connect.sidecar_service`` asks for, with its default checks.

        Raises JSONError when it is no definition, DefinitionError when it cannot be.
        """
        if definition.Connect is None or definition.Connect.SidecarService is None:
            return None
        wanted: ServiceDefinition = gojson.from_plain(ServiceDefinition, definition.Connect.SidecarService)
        owner_id = definition.ID or definition.Name
        if wanted.ID:
            raise DefinitionError("sidecar_service.ID is forbidden: sidecar service ID is assigned")
        if wanted.Connect is not None and wanted.Connect.SidecarService is not None:
            raise DefinitionError("sidecar_service can't have a nested sidecar_service")
        service = self._sidecar_service(definition, wanted, owner_id)
        return service, [runnable(check) for check in wanted.check_types() or (
            CheckType(Name="Connect Sidecar Listening", TCP=f"127.0.0.1:{service.Port}", Interval=10 * 10**9),
            CheckType(Name=f"Connect Sidecar Aliasing {owner_id}", AliasService=owner_id),
        )]  # fmt: skip

    def _sidecar_service(self, owner: ServiceDefinition, wanted: ServiceDefinition, owner_id: str) -> NodeService:
        service = wanted.node_service()
        sidecar_id = sidecar_service_id(owner_id)
        proxy = service.Proxy
        if not proxy.DestinationServiceName:
            proxy = replace(proxy, DestinationServiceName=owner.Name)
        if not proxy.DestinationServiceID:
            proxy = replace(proxy, DestinationServiceID=owner_id)
        if not proxy.LocalServiceAddress and not proxy.LocalServicePort and owner.Port:
            proxy = replace(proxy, LocalServicePort=owner.Port)
        if not proxy.LocalServiceAddress:
            proxy = replace(proxy, LocalServiceAddress="127.0.0.1")
        service = replace(
            service, ID=sidecar_id, Service=wanted.Name or f"{owner.Name}-sidecar-proxy", Kind="connect-proxy",
            Port=service.Port or self._free_port(sidecar_id), Address=service.Address or owner.Address,
            Tags=service.Tags if service.Tags is not None else owner.Tags,
            Meta=service.Meta if service.Meta is not None else owner.Meta,
            Proxy=proxy, LocallyRegisteredAsSidecar=True,
        )  # fmt: skip
        validate_service(service)
        completed: NodeService = service
        return completed

    def _free_port(self, sidecar_id: str) -> int:
        """The lowest sidecar port no service uses; a sidecar registered again keeps its own."""
        known = self.services.get(sidecar_id)
        if known is not None:
            return known.Port
        low, high = self.rules.sidecar_ports
        used = {service.Port for service in self.services.values()}
        if low <= 0 or high <= 0:
            raise DefinitionError("no port provided for sidecar_service and none left in the configured range [0, 0]")
        for port in range(low, high + 1):
            if port not in used:
                return port
        raise DefinitionError(
            f"no port provided for sidecar_service and none left in the configured range [{low}, {high}]"
        )


def _completed(service: NodeService) -> NodeService:
    """Fill what registrations may leave out."""
    changes: dict[str, Any] = {}
    if not service.ID:
        changes["ID"] = service.Service
    if service.Weights is None:
        changes["Weights"] = DEFAULT_WEIGHTS
    family = _family(service.Address)
    if family:
        addresses = dict(service.TaggedAddresses or {})
        for name, wanted in _TAGGED_FAMILIES.items():
            if wanted == family:
                addresses.setdefault(name, ServiceAddress(service.Address, service.Port))
        changes["TaggedAddresses"] = addresses
    return replace(service, **changes) if changes else service


def _validate_tagged(service: NodeService) -> None:
    for name, address in (service.TaggedAddresses or {}).items():
        family = _TAGGED_FAMILIES.get(name)
        if family is not None and _family(address.Address) != family:
            raise DefinitionError(f"Service tagged address {quoted(name)} must be a valid ipv{family} address")


def _family(address: str) -> int:
    """4 or 6; 0 for what is no IP address."""
    if not address:
        return 0
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def sidecar_service_id(service_id: str) -> str:
    return f"{service_id}-sidecar-proxy"
