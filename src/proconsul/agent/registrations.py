"""Adding and removing services and checks on this agent, with or without keeping them on disk.

Founding rules: configuration comes first and is never written; a registration made through the API is persisted and
comes back after a restart; a persisted one that the configuration now defines is removed from disk (configuration
wins); removing takes a ``persist`` flag, so that unloading for a reload leaves the files alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from proconsul.agent.local_state import LocalState
from proconsul.agent.persistence import SOURCE_LOCAL, SOURCE_REMOTE, Persistence
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import (
    CheckDefinition,
    CheckType,
    DefinitionError,
    ServiceDefinition,
    validate_service,
)
from proconsul.features.catalog.model import (
    DEFAULT_WEIGHTS,
    HEALTH_CRITICAL,
    NODE_MAINTENANCE,
    SERVICE_MAINTENANCE_PREFIX,
    HealthCheck,
    NodeService,
    ServiceAddress,
)
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

DEFAULT_NODE_REASON = (
    "Maintenance mode is enabled for this node, but no reason was provided. This is a default message."
)
DEFAULT_SERVICE_REASON = (
    "Maintenance mode is enabled for this service, but no reason was provided. This is a default message."
)


class Runners(Protocol):
    """Runs checks; results come back through the local state."""

    def start(self, check: HealthCheck, definition: CheckType, *, from_config: bool) -> None:
        """Run a check from now on, replacing an earlier one of the same id. Raises DefinitionError."""

    def stop(self, check_id: str) -> None: ...

    def set_ttl(self, check_id: str, status: str, output: str) -> float | None:
        """Report a TTL check's result; the seconds until it runs out, None when there is no such TTL check."""

    async def close(self) -> None: ...


class Registrations:
    """The services and checks this agent is responsible for."""

    def __init__(
        self,
        state: LocalState,
        persistence: Persistence,
        runners: Runners,
        *,
        node: str,
        sidecar_ports: tuple[int, int] = (21000, 21255),
        deregister_min_s: float = 60.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.persistence = persistence
        self.runners = runners
        self.node = node
        self.sidecar_ports = sidecar_ports
        self.deregister_min_s = deregister_min_s
        self._wall_clock = wall_clock
        # check id -> seconds a check may be critical before its service is removed
        self.reap_after_s: dict[str, float] = {}
        self._definitions: dict[str, CheckType] = {}

    # ------------------------------------------------------------------ services

    def add_service(
        self,
        service: NodeService,
        checks: Sequence[CheckType],
        *,
        token: str = "",
        from_config: bool = False,
        persist: bool = True,
        replace_existing_checks: bool = False,
        restored: Mapping[str, HealthCheck] | None = None,
    ) -> None:
        """Register a service with its checks. Raises ConsulError, leaving nothing behind, when a check is refused."""
        service = self._completed(service)
        before = {check.CheckID for check in self.state.checks_of(service.ID)}
        planned = [self._service_check(service, check, number, len(checks)) for number, check in enumerate(checks, 1)]
        self.state.add_service(service, token, from_config=from_config)
        source = SOURCE_LOCAL if from_config else SOURCE_REMOTE
        try:
            if persist:
                self.persistence.save_service(service, token, source)
            for check, definition in planned:
                self._start_check(
                    self._inherit(check, restored), definition, token=token, from_config=from_config, persist=persist
                )
        except (OSError, DefinitionError) as error:
            self.remove_service(service.ID, persist=persist)
            raise ConsulError(refusal(error)) from None
        if replace_existing_checks:
            for check_id in before - {check.CheckID for check, _ in planned}:
                self.remove_check(check_id, persist=persist)

    def _completed(self, service: NodeService) -> NodeService:
        """Fill what registrations may leave out."""
        changes: dict[str, Any] = {}
        if not service.ID:
            changes["ID"] = service.Service
        if service.Weights is None:
            changes["Weights"] = DEFAULT_WEIGHTS
        addresses = self._tagged(service)
        if addresses is not None:
            changes["TaggedAddresses"] = addresses
        return replace(service, **changes) if changes else service

    @staticmethod
    def _tagged(service: NodeService) -> dict[str, ServiceAddress] | None:
        """lan and wan addresses of an IP address, for those that are not given."""
        kind = _ip_kind(service.Address)
        if not kind:
            return None
        addresses = dict(service.TaggedAddresses or {})
        for name in (f"lan_{kind}", f"wan_{kind}"):
            addresses.setdefault(name, ServiceAddress(service.Address, service.Port))
        return addresses

    def _service_check(
        self, service: NodeService, definition: CheckType, number: int, count: int
    ) -> tuple[HealthCheck, CheckType]:
        check_id = definition.CheckID
        if not check_id:
            check_id = f"service:{service.ID}" + (f":{number}" if count > 1 else "")
        name = definition.Name or f"Service '{service.Service}' check"
        check = HealthCheck(
            Node=self.node, CheckID=check_id, Name=name, Status=definition.Status or HEALTH_CRITICAL,
            Notes=definition.Notes, ServiceID=service.ID, ServiceName=service.Service, ServiceTags=service.Tags,
            Type=definition.kind(),
        )  # fmt: skip
        return check, definition

    @staticmethod
    def _inherit(check: HealthCheck, restored: Mapping[str, HealthCheck] | None) -> HealthCheck:
        """Across a reload a check keeps its status and output."""
        old = restored.get(check.CheckID) if restored is not None else None
        if old is None:
            return check
        kept: HealthCheck = replace(check, Status=old.Status, Output=old.Output)
        return kept

    def remove_service(self, service_id: str, *, persist: bool = True) -> bool:
        """Deregister a service, its checks, its maintenance mode and the sidecar registered with it.

        Raises ConsulError when the id is empty; False when there is no such service.
        """
        if not service_id:
            raise ConsulError("ServiceID missing")
        service = self.state.service(service_id)
        if persist:
            self.persistence.forget_service(service_id)
        if service is None:
            log.warning("Failed to deregister service: service=%s error=Service does not exist", service_id)
            return False
        for check in self.state.checks_of(service_id):
            self.remove_check(check.CheckID, persist=persist)
        self.state.remove_service(service_id)
        sidecar_id = sidecar_service_id(service_id)
        sidecar = self.state.service(sidecar_id)
        if sidecar is not None and sidecar.LocallyRegisteredAsSidecar:
            self.remove_service(sidecar_id, persist=persist)
        log.debug("removed service: service=%s", service_id)
        return True

    # ------------------------------------------------------------------ checks

    def add_check(
        self,
        check: HealthCheck,
        definition: CheckType | None,
        *,
        token: str = "",
        from_config: bool = False,
        persist: bool = True,
    ) -> None:
        """Register a check of the node or of one of its services. Raises ConsulError."""
        if not check.CheckID:
            raise ConsulError("CheckID missing")
        if check.ServiceID:
            service = self.state.service(check.ServiceID)
            if service is None:
                raise ConsulError(f"ServiceID {quoted(check.ServiceID)} does not exist")
            check = replace(check, ServiceName=service.Service, ServiceTags=service.Tags)
        try:
            self._start_check(check, definition, token=token, from_config=from_config, persist=persist)
        except (OSError, DefinitionError) as error:
            raise ConsulError(refusal(error)) from None

    def _start_check(
        self, check: HealthCheck, definition: CheckType | None, *, token: str, from_config: bool, persist: bool
    ) -> None:
        existing = self.state.check(check.CheckID)
        if existing is not None:  # whoever registers again must not make the check flap
            check = replace(check, Status=existing.Status, Output=existing.Output)
        if definition is not None and definition.kind():
            check = self._restore_ttl(check, definition)
            self.state.add_check(check, token, from_config=from_config)
            try:
                self.runners.start(check, definition, from_config=from_config)
            except DefinitionError:
                self.state.remove_check(check.CheckID)
                raise
            self._definitions[check.CheckID] = definition
            self._note_reaping(check, definition)
        else:
            self.state.add_check(check, token, from_config=from_config)
        if persist:
            self.persistence.save_check(
                check, definition or CheckType(), token, SOURCE_LOCAL if from_config else SOURCE_REMOTE
            )

    def _restore_ttl(self, check: HealthCheck, definition: CheckType) -> HealthCheck:
        """A TTL check takes up its saved result, if that has not run out."""
        if not definition.TTL:
            return check
        saved = self.persistence.state(check.CheckID, self._wall_clock())
        if saved is None:
            return check
        restored: HealthCheck = replace(check, Status=saved.status, Output=saved.output)
        return restored

    def _note_reaping(self, check: HealthCheck, definition: CheckType) -> None:
        after_s = definition.DeregisterCriticalServiceAfter / 1e9
        if after_s <= 0:
            self.reap_after_s.pop(check.CheckID, None)
            return
        if after_s < self.deregister_min_s:
            log.warning("check has deregister interval below minimum: check=%s minimum_s=%s", check.CheckID, after_s)
            after_s = self.deregister_min_s
        self.reap_after_s[check.CheckID] = after_s

    def remove_check(self, check_id: str, *, persist: bool = True) -> bool:
        """Raises ConsulError when the id is empty; False when there is no such check."""
        if not check_id:
            raise ConsulError("CheckID missing")
        self.runners.stop(check_id)
        self.reap_after_s.pop(check_id, None)
        self._definitions.pop(check_id, None)
        if persist:
            self.persistence.forget_check(check_id)
            self.persistence.forget_state(check_id)
        return self.state.remove_check(check_id)

    def definition(self, check_id: str) -> CheckType | None:
        return self._definitions.get(check_id)

    def update_ttl(self, check_id: str, status: str, output: str) -> None:
        """Report a TTL check. Raises ConsulError when the check has no TTL."""
        left_s = self.runners.set_ttl(check_id, status, output)
        if left_s is None:
            raise ConsulError(f"CheckID {quoted(check_id)} does not have associated TTL")
        from proconsul.agent.persistence import PersistedState

        try:
            self.persistence.save_state(check_id, PersistedState(status, output, self._wall_clock() + left_s))
        except OSError as error:
            raise ConsulError(f"failed persisting state for check {quoted(check_id)}: {error}") from None

    # ------------------------------------------------------------------ maintenance

    def node_maintenance(self, enable: bool, reason: str = "", token: str = "") -> None:
        if not enable:
            if self.state.check(NODE_MAINTENANCE) is not None:
                self.remove_check(NODE_MAINTENANCE)
                log.info("Node left maintenance mode")
            return
        if self.state.check(NODE_MAINTENANCE) is not None:
            return
        check = HealthCheck(
            Node=self.node, CheckID=NODE_MAINTENANCE, Name="Node Maintenance Mode",
            Notes=reason or DEFAULT_NODE_REASON, Status=HEALTH_CRITICAL, Type="maintenance",
        )  # fmt: skip
        self.add_check(check, None, token=token)
        log.info("Node entered maintenance mode")

    def service_maintenance(self, service_id: str, enable: bool, reason: str = "", token: str = "") -> None:
        """Raises ConsulError when there is no such service."""
        service = self.state.service(service_id)
        if service is None:
            raise ConsulError(f"No service registered with ID {quoted(service_id)}", 404)
        check_id = SERVICE_MAINTENANCE_PREFIX + service_id
        exists = self.state.check(check_id) is not None
        if not enable:
            if exists:
                self.remove_check(check_id)
                log.info("Service left maintenance mode: service=%s", service_id)
            return
        if exists:
            return
        check = HealthCheck(
            Node=self.node, CheckID=check_id, Name="Service Maintenance Mode", Status=HEALTH_CRITICAL,
            Notes=reason or DEFAULT_SERVICE_REASON, ServiceID=service_id, ServiceName=service.Service,
            Type="maintenance",
        )  # fmt: skip
        self.add_check(check, None, token=token)
        log.info("Service entered maintenance mode: service=%s", service_id)

    # ------------------------------------------------------------------ sidecars

    def sidecar_of(self, definition: ServiceDefinition) -> tuple[NodeService, list[CheckType]] | None:
        """The sidecar that ``connect.sidecar_service`` asks for, with its default checks. Raises DefinitionError."""
        if definition.Connect is None or definition.Connect.SidecarService is None:
            return None
        try:
            wanted: ServiceDefinition = gojson.from_plain(ServiceDefinition, definition.Connect.SidecarService)
        except gojson.JSONError as error:
            raise DefinitionError(str(error)) from None
        owner_id = definition.ID or definition.Name
        if wanted.ID:
            raise DefinitionError("sidecar_service.ID is forbidden: sidecar service ID is assigned")
        if wanted.Connect is not None and wanted.Connect.SidecarService is not None:
            raise DefinitionError("sidecar_service can't have a nested sidecar_service")
        service = self._sidecar_service(definition, wanted, owner_id)
        checks = wanted.check_types() or [
            CheckType(Name="Connect Sidecar Listening", TCP=f"127.0.0.1:{service.Port}", Interval=10 * 10**9),
            CheckType(Name=f"Connect Sidecar Aliasing {owner_id}", AliasService=owner_id),
        ]
        return service, checks

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
        """The lowest sidecar port no local service uses; a sidecar registered again keeps its own."""
        known = self.state.service(sidecar_id)
        if known is not None:
            return known.Port
        low, high = self.sidecar_ports
        used = {service.Port for service in self.state.live_services().values()}
        if low <= 0 or high <= 0:
            raise DefinitionError("no port provided for sidecar_service and none left in the configured range [0, 0]")
        for port in range(low, high + 1):
            if port not in used:
                return port
        raise DefinitionError(
            f"no port provided for sidecar_service and none left in the configured range [{low}, {high}]"
        )

    # ------------------------------------------------------------------ loading and unloading

    def load(
        self,
        services: Sequence[Mapping[str, Any]],
        checks: Sequence[Mapping[str, Any]],
        snapshot: Mapping[str, HealthCheck],
    ) -> None:
        """Configuration first, then what is on disk. ``snapshot`` holds the checks' results from before a reload.

        Raises ConsulError for a definition in the configuration that cannot be registered.
        """
        self._load_configured_services(services, snapshot)
        self._load_persisted_services(snapshot)
        self._load_configured_checks(checks, snapshot)
        self._load_persisted_checks(snapshot)

    def _load_configured_services(
        self, services: Sequence[Mapping[str, Any]], snapshot: Mapping[str, HealthCheck]
    ) -> None:
        for raw in services:
            definition: ServiceDefinition = gojson.from_plain(ServiceDefinition, dict(raw))
            name = definition.ID or definition.Name
            try:
                service, types = definition.node_service(), definition.check_types()
                sidecar = self.sidecar_of(definition)
                self.add_service(
                    service, types, token=definition.Token, from_config=True, persist=False, restored=snapshot
                )
                if sidecar is not None:
                    self.add_service(
                        sidecar[0], sidecar[1], token=definition.Token, from_config=True, persist=False,
                        restored=snapshot,
                    )  # fmt: skip
            except (DefinitionError, ConsulError) as error:
                raise ConsulError(f"Failed to register service {quoted(name)}: {error}") from None

    def _load_persisted_services(self, snapshot: Mapping[str, HealthCheck]) -> None:
        for saved in self.persistence.services():
            if self.state.service(saved.service.ID) is not None:
                # Configuration wins, and for good: removing it later must not bring the old registration back.
                log.debug("service exists, not restoring from file: service=%s", saved.service.ID)
                saved.path.unlink(missing_ok=True)
                continue
            service = replace(saved.service, LocallyRegisteredAsSidecar=saved.sidecar)
            log.debug("restored service definition from file: service=%s", service.ID)
            self.add_service(
                service, [], token=saved.token, from_config=saved.source == SOURCE_LOCAL, persist=False,
                restored=snapshot,
            )  # fmt: skip

    def _load_configured_checks(
        self, checks: Sequence[Mapping[str, Any]], snapshot: Mapping[str, HealthCheck]
    ) -> None:
        for raw in checks:
            definition: CheckDefinition = gojson.from_plain(CheckDefinition, dict(raw))
            try:
                check = self._inherit(definition.health_check(self.node), snapshot)
                self.add_check(check, definition, token=definition.Token, from_config=True, persist=False)
            except (DefinitionError, ConsulError) as error:
                raise ConsulError(f"Failed to register check '{definition.Name}': {error} {{}}") from None

    def _load_persisted_checks(self, snapshot: Mapping[str, HealthCheck]) -> None:
        for saved in self.persistence.checks():
            if self.state.check(saved.check.CheckID) is not None:
                log.debug("check exists, not restoring from file: check=%s", saved.check.CheckID)
                saved.path.unlink(missing_ok=True)
                continue
            # Until it has run a restored check may not claim to be well.
            check = self._inherit(replace(saved.check, Status=HEALTH_CRITICAL, Node=self.node), snapshot)
            definition = saved.check_type if saved.check_type.kind() else None
            if check.CheckID.startswith(SERVICE_MAINTENANCE_PREFIX) or check.CheckID == NODE_MAINTENANCE:
                definition = None
            try:
                self.add_check(
                    check, definition, token=saved.token, from_config=saved.source == SOURCE_LOCAL, persist=False
                )
            except ConsulError as error:
                log.warning("Failed to restore check: check=%s error=%s", check.CheckID, error)
                saved.path.unlink(missing_ok=True)
                continue
            log.debug("restored health check from file: check=%s", check.CheckID)

    def unload(self) -> dict[str, HealthCheck]:
        """Drop everything from memory, leave the files; the checks' results for `load`."""
        snapshot = self.state.live_checks()
        for check_id in list(snapshot):
            self.remove_check(check_id, persist=False)
        for service_id in list(self.state.live_services()):
            self.remove_service(service_id, persist=False)
        return snapshot

    # ------------------------------------------------------------------ reaping

    def reap(self, now: float) -> list[str]:
        """Deregister services with a check that has been critical for too long; their ids."""
        reaped: list[str] = []
        for check, since_s in self.state.critical_for(now):
            limit_s = self.reap_after_s.get(check.CheckID)
            if limit_s is None or not check.ServiceID or since_s <= limit_s or check.ServiceID in reaped:
                continue
            log.info("Check for service has been critical for too long: check=%s service=%s", check.CheckID,
                     check.ServiceID)  # fmt: skip
            if self.remove_service(check.ServiceID, persist=True):
                reaped.append(check.ServiceID)
        # Nobody waits for these files to go.
        self.persistence.submitted()
        return reaped


def refusal(error: Exception) -> str:
    """What the client is told when its registration was taken back."""
    return f"failed to write the registration to disk: {error}" if isinstance(error, OSError) else str(error)


def sidecar_service_id(service_id: str) -> str:
    return f"{service_id}-sidecar-proxy"


def _ip_kind(address: str) -> str:
    import ipaddress

    if not address:
        return ""
    try:
        return f"ipv{ipaddress.ip_address(address).version}"
    except ValueError:
        return ""
