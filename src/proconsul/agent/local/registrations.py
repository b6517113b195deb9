"""Adding and removing services and checks on this agent, with or without keeping them on disk.

Founding rules: whatever is to change is planned and checked whole first (`plan`), then put into force; what the disk
refuses is undone (`undo`). Configuration comes first and is never written; a registration made through the API is
persisted and comes back after a restart; a persisted one that the configuration now defines is removed from disk
(configuration wins); removing takes a ``persist`` flag, so that unloading for a reload leaves the files alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from proconsul.agent.local.file_writer import Outcome
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.persistence import SOURCE_LOCAL, SOURCE_REMOTE, PersistedState, Persistence
from proconsul.agent.local.plan import (
    Plan,
    PlannedCheck,
    PlannedService,
    Planner,
    Rules,
    plan_checks,
    plan_services,
    sidecar_service_id,
)
from proconsul.agent.local.undo import Undo
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import CheckType, DefinitionError
from proconsul.features.catalog.model import (
    HEALTH_CRITICAL,
    NODE_MAINTENANCE,
    SERVICE_MAINTENANCE_PREFIX,
    HealthCheck,
    NodeService,
)
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

DEFAULT_NODE_REASON = (
    "Maintenance mode is enabled for this node, but no reason was provided. This is a default message."
)
DEFAULT_SERVICE_REASON = (
    "Maintenance mode is enabled for this service, but no reason was provided. This is a default message."
)


class TtlReport(Protocol):
    """What became of a TTL check's report."""

    @property
    def output(self) -> str:
        """The output as it is shown, within the check's limit."""

    @property
    def ttl_s(self) -> float: ...


class Runners(Protocol):
    """Runs checks; results come back through the local state."""

    def start(self, check_id: str, definition: CheckType) -> None:
        """Run a check that was planned from now on, replacing an earlier one of the same id."""

    def stop(self, check_id: str) -> None: ...

    def hold(self, check_id: str) -> object:
        """What runs under this id now, for `put_back`."""

    def put_back(self, check_id: str, held: object) -> None:
        """Run what ran before; a TTL has what was left of its time."""

    def set_ttl(self, check_id: str, status: str, output: str) -> TtlReport | None:
        """Report a TTL check's result; None when there is no such TTL check."""

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
        rules: Rules = Rules(),
        deregister_min_s: float = 60.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.persistence = persistence
        self.runners = runners
        self.node = node
        self.rules = rules
        self.deregister_min_s = deregister_min_s
        self.wall_clock = wall_clock
        # check id -> seconds a check may be critical before its service is removed
        self.reap_after_s: dict[str, float] = {}
        self._definitions: dict[str, CheckType] = {}
        # Changes of which the disk has not told yet, in their order.
        self._unsettled: list[Undo] = []

    # ------------------------------------------------------------------ planning and changing

    def planner(self) -> Planner:
        """Plans changes to what there is now."""
        return Planner(self.node, self.rules, self.state.live_services())

    def register(self, services: Sequence[PlannedService], *, replace_existing_checks: bool = False) -> Undo:
        """Put planned services and their checks into force and on disk.

        The result takes it back, should the disk refuse later; whoever gets it calls ``undo`` or ``settle``. Raises
        ConsulError when the disk refuses at once; then everything is as it was.
        """
        undo = self._undo()
        try:
            for planned in services:
                self._register(planned, undo, replace_existing_checks=replace_existing_checks)
        except OSError as error:
            undo.undo()
            raise ConsulError(refusal(error)) from None
        return undo

    def _undo(self) -> Undo:
        undo = Undo(self, self._unsettled)
        self._unsettled.append(undo)
        return undo

    def _register(self, planned: PlannedService, undo: Undo, *, replace_existing_checks: bool) -> None:
        service = planned.service
        wanted = {item.check.CheckID for item in planned.checks}
        existing = [check.CheckID for check in self.state.checks_of(service.ID)]
        undo.remember_service(service.ID)
        for check_id in wanted:
            undo.remember_check(check_id)
        self._put_service(planned, persist=True)
        undo.placed_service(service.ID)
        for item in planned.checks:
            self._put_check(item, persist=True)
            undo.placed_check(item.check.CheckID)
        if replace_existing_checks:
            for check_id in existing:
                if check_id not in wanted:
                    undo.remember_check(check_id)
                    self.remove_check(check_id, persist=False)
                    undo.placed_check(check_id)

    def register_check(self, planned: PlannedCheck) -> Undo:
        """As `register`, for a check on its own."""
        undo = self._undo()
        undo.remember_check(planned.check.CheckID)
        try:
            self._put_check(planned, persist=True)
        except OSError as error:
            undo.placed_check(planned.check.CheckID)
            undo.undo()
            raise ConsulError(refusal(error)) from None
        undo.placed_check(planned.check.CheckID)
        return undo

    def add_service(self, service: NodeService, checks: Sequence[CheckType] = (), *, token: str = "") -> None:
        """Plan and register one service. Raises ConsulError; then everything is as it was."""
        try:
            planned = self.planner().service(service, checks, token=token)
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        self.register([planned]).settle()

    def add_check(self, check: HealthCheck, definition: CheckType | None, *, token: str = "") -> Undo:
        """Plan and register one check. Raises ConsulError; then everything is as it was."""
        try:
            planned = self.planner().check(check, definition, token=token)
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        return self.register_check(planned)

    # ------------------------------------------------------------------ services

    def _put_service(self, planned: PlannedService, *, persist: bool) -> None:
        service = planned.service
        self.state.add_service(service, planned.token, from_config=planned.from_config)
        if persist:
            self.persistence.save_service(service, planned.token, _source(planned.from_config))

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

    def _put_check(
        self, planned: PlannedCheck, *, persist: bool, before: Mapping[str, HealthCheck] | None = None
    ) -> None:
        """``before``: the checks from before a reload, whose status and output are kept."""
        check, definition = planned.check, planned.definition
        check_id = check.CheckID
        existing = self.state.check(check_id) or (before or {}).get(check_id)
        if existing is not None:  # whoever registers again must not make the check flap
            check = replace(check, Status=existing.Status, Output=existing.Output)
        if definition is not None:
            check = self._restore_ttl(check, definition)
        self.state.add_check(check, planned.token, from_config=planned.from_config)
        self.run_check(check_id, definition)
        if persist:
            self.persistence.save_check(
                planned.check, definition, planned.token, _source(planned.from_config)
            )

    def run_check(self, check_id: str, definition: CheckType | None) -> None:
        """Have ``definition`` run under this id and nothing else."""
        self._definitions.pop(check_id, None)
        self.reap_after_s.pop(check_id, None)
        if definition is None:
            self.runners.stop(check_id)
            return
        self.runners.start(check_id, definition)
        self.note_definition(check_id, definition)

    def note_definition(self, check_id: str, definition: CheckType) -> None:
        """Remember what runs under this id, and when it costs its service the registration."""
        self._definitions[check_id] = definition
        after_s = definition.DeregisterCriticalServiceAfter / 1e9
        if after_s <= 0:
            self.reap_after_s.pop(check_id, None)
            return
        if after_s < self.deregister_min_s:
            log.warning("check has deregister interval below minimum: check=%s minimum_s=%s", check_id,
                        self.deregister_min_s)  # fmt: skip
            after_s = self.deregister_min_s
        self.reap_after_s[check_id] = after_s

    def _restore_ttl(self, check: HealthCheck, definition: CheckType) -> HealthCheck:
        """A TTL check takes up its saved result, if that has not run out."""
        if not definition.TTL:
            return check
        saved = self.persistence.state(check.CheckID, self.wall_clock())
        if saved is None:
            return check
        restored: HealthCheck = replace(check, Status=saved.status, Output=saved.output)
        return restored

    def remove_check(self, check_id: str, *, persist: bool = True) -> bool:
        """Raises ConsulError when the id is empty; False when there is no such check."""
        if not check_id:
            raise ConsulError("CheckID missing")
        self.run_check(check_id, None)
        if persist:
            self.persistence.forget_check(check_id)
            self.persistence.forget_state(check_id)
        return self.state.remove_check(check_id)

    def definition(self, check_id: str) -> CheckType | None:
        return self._definitions.get(check_id)

    def update_ttl(self, check_id: str, status: str, output: str) -> None:
        """Report a TTL check. Raises ConsulError when the check has no TTL."""
        report = self.runners.set_ttl(check_id, status, output)
        if report is None:
            raise ConsulError(f"CheckID {quoted(check_id)} does not have associated TTL")
        try:
            expires = self.wall_clock() + report.ttl_s
            self.persistence.save_state(check_id, PersistedState(status, report.output, expires))
        except OSError as error:
            raise ConsulError(f"failed persisting state for check {quoted(check_id)}: {error}") from None

    # ------------------------------------------------------------------ maintenance

    def node_maintenance(self, enable: bool, reason: str = "", token: str = "") -> Undo | None:
        """What takes it back when the disk refuses; None when nothing was added."""
        if not enable:
            if self.state.check(NODE_MAINTENANCE) is not None:
                self.remove_check(NODE_MAINTENANCE)
                log.info("Node left maintenance mode")
            return None
        if self.state.check(NODE_MAINTENANCE) is not None:
            return None
        check = HealthCheck(
            Node=self.node, CheckID=NODE_MAINTENANCE, Name="Node Maintenance Mode",
            Notes=reason or DEFAULT_NODE_REASON, Status=HEALTH_CRITICAL, Type="maintenance",
        )  # fmt: skip
        undo = self.add_check(check, None, token=token)
        log.info("Node entered maintenance mode")
        return undo

    def service_maintenance(
        self, service_id: str, enable: bool, reason: str = "", token: str = ""
    ) -> Undo | None:
        """As `node_maintenance`. Raises ConsulError when there is no such service."""
        service = self.state.service(service_id)
        if service is None:
            raise ConsulError(f"No service registered with ID {quoted(service_id)}", 404)
        check_id = SERVICE_MAINTENANCE_PREFIX + service_id
        exists = self.state.check(check_id) is not None
        if not enable:
            if exists:
                self.remove_check(check_id)
                log.info("Service left maintenance mode: service=%s", service_id)
            return None
        if exists:
            return None
        check = HealthCheck(
            Node=self.node, CheckID=check_id, Name="Service Maintenance Mode", Status=HEALTH_CRITICAL,
            Notes=reason or DEFAULT_SERVICE_REASON, ServiceID=service_id, ServiceName=service.Service,
            Type="maintenance",
        )  # fmt: skip
        undo = self.add_check(check, None, token=token)
        log.info("Service entered maintenance mode: service=%s", service_id)
        return undo

    # ------------------------------------------------------------------ starting and reloading

    def plan(
        self, services: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]], rules: Rules, *,
        starting: bool = False,
    ) -> Plan:  # fmt: skip
        """What there will be with these definitions: theirs first, then what was registered through the API.

        That is taken from the files when the agent is ``starting``, else as it is now. Changes nothing. Raises
        ReloadError for a definition in the configuration that cannot be registered.
        """
        planner = Planner(self.node, rules)
        try:
            planned_services = plan_services(planner, services)
        except ConsulError as error:
            raise ReloadError("services", error) from None
        old_services, old_checks = self._persisted() if starting else self._registered()
        dropped_services, dropped_checks = [], []
        for old in old_services:
            service_id = old.service.ID
            if service_id in planner.services:
                # Configuration wins, and for good: removing it later must not bring the old registration back.
                dropped_services.append((service_id, ""))
                continue
            try:
                planned_services.append(planner.service(old.service, (), token=old.token, from_config=old.from_config))
            except DefinitionError as error:
                dropped_services.append((service_id, str(error)))
        try:
            planned_checks = plan_checks(planner, checks)
        except ConsulError as error:
            raise ReloadError("checks", error) from None
        known = {item.check.CheckID for service in planned_services for item in service.checks}
        known |= {item.check.CheckID for item in planned_checks}
        for item in old_checks:
            check_id = item.check.CheckID
            if check_id in known:
                dropped_checks.append((check_id, ""))
                continue
            try:
                planned_checks.append(
                    planner.check(item.check, item.definition, token=item.token, from_config=item.from_config)
                )
            except DefinitionError as error:
                dropped_checks.append((check_id, str(error)))
        return Plan(tuple(planned_services), tuple(planned_checks), tuple(dropped_services), tuple(dropped_checks))

    def _persisted(self) -> tuple[list[PlannedService], list[PlannedCheck]]:
        """What is on disk."""
        services = [
            PlannedService(
                replace(saved.service, LocallyRegisteredAsSidecar=saved.sidecar), (), saved.token,
                saved.source == SOURCE_LOCAL,
            )
            for saved in self.persistence.services()
        ]  # fmt: skip
        checks = []
        for saved in self.persistence.checks():
            # Until it has run a restored check may not claim to be well.
            check = replace(saved.check, Status=HEALTH_CRITICAL, Node=self.node)
            definition = saved.check_type if saved.check_type.kind() and not _is_maintenance(check) else None
            checks.append(PlannedCheck(check, definition, saved.token, saved.source == SOURCE_LOCAL))
        return services, checks

    def _registered(self) -> tuple[list[PlannedService], list[PlannedCheck]]:
        """What came through the API and is in force."""
        services = [
            PlannedService(entry.service, (), entry.token)
            for entry in self.state.services.values()
            if not entry.deleted and not entry.from_config
        ]
        checks = [
            PlannedCheck(entry.check, self._definitions.get(check_id), entry.token)
            for check_id, entry in self.state.checks.items()
            if not entry.deleted and not entry.from_config
        ]
        return services, checks

    def apply(self, plan: Plan, rules: Rules) -> list[Outcome]:
        """Put a plan into force in place of everything there was; checks keep their status and output.

        Returns what the disk will say of the files that go.
        """
        self.persistence.submitted()
        before = self._unload()
        self.rules = rules
        for service_id, reason in plan.dropped_services:
            # Who was refused stays on disk: with another configuration it may be wanted again.
            if reason:
                log.error("service is not restored: service=%s error=%s", service_id, reason)
            else:
                log.debug("service exists, not restoring from file: service=%s", service_id)
                self._forget(self.persistence.forget_service, service_id)
        for check_id, reason in plan.dropped_checks:
            if reason:
                log.warning("Failed to restore check: check=%s error=%s", check_id, reason)
            else:
                log.debug("check exists, not restoring from file: check=%s", check_id)
            self._forget(self.persistence.forget_check, check_id)
        for service in plan.services:
            self._put_service(service, persist=False)
            for check in service.checks:
                self._put_check(check, persist=False, before=before)
        for check in plan.checks:
            self._put_check(check, persist=False, before=before)
        return self.persistence.submitted()

    @staticmethod
    def _forget(forget: Callable[[str], None], registration_id: str) -> None:
        try:
            forget(registration_id)
        except OSError as error:
            log.error("failed to remove file: id=%s error=%s", registration_id, error)

    def load(self, services: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]) -> None:
        """Start with these definitions and what is on disk. Raises ConsulError."""
        self.persistence.remove_unfinished()
        try:
            plan = self.plan(services, checks, self.rules, starting=True)
        except ReloadError as error:
            raise ConsulError(str(error.cause)) from None
        self.apply(plan, self.rules)

    def _unload(self) -> dict[str, HealthCheck]:
        """Drop everything from memory, leave the files; the checks as they were."""
        before = self.state.live_checks()
        for check_id in before:
            self.remove_check(check_id, persist=False)
        for service_id in list(self.state.live_services()):
            self.remove_service(service_id, persist=False)
        return before

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


class ReloadError(ConsulError):
    """Definitions that cannot take effect. ``str()`` is what a reload says; ``cause`` what a start says."""

    def __init__(self, what: str, cause: ConsulError) -> None:
        super().__init__(f"Failed reloading {what}: {cause}")
        self.cause = cause


def refusal(error: Exception) -> str:
    """What the client is told when its registration was taken back."""
    return f"failed to write the registration to disk: {error}" if isinstance(error, OSError) else str(error)


def _source(from_config: bool) -> str:
    return SOURCE_LOCAL if from_config else SOURCE_REMOTE


def _is_maintenance(check: HealthCheck) -> bool:
    return check.CheckID == NODE_MAINTENANCE or check.CheckID.startswith(SERVICE_MAINTENANCE_PREFIX)
