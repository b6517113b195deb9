"""Adding and removing services and checks on this agent, with or without keeping them on disk.

Founding rules: whatever is to change is planned and checked whole first (`plan`, `agent_plan`), then put into force as
a `RegistrationChange`, which knows what it wrote and takes back what the disk refuses. Configuration comes first and is
never written; a registration made through the API is persisted and comes back after a restart; a persisted one that the
configuration now defines is removed from disk (configuration wins); a reload leaves the files alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from proconsul.agent.checks.runner import NoTtlError
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.local.agent_plan import AgentPlan, Before, NotTakenOver, ReloadError, plan_agent, runnable_check
from proconsul.agent.local.change import RegistrationChange
from proconsul.agent.local.file_writer import Outcome
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.persistence import SOURCE_LOCAL, SOURCE_REMOTE, PersistedState
from proconsul.agent.local.plan import PlannedCheck, PlannedService, Planner, Rules, sidecar_service_id
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import DefinitionError
from proconsul.features.catalog.model import (
    HEALTH_CRITICAL,
    NODE_MAINTENANCE,
    SERVICE_MAINTENANCE_PREFIX,
    HealthCheck,
)
from proconsul.features.errors import ConsulError

log = logging.getLogger("agent")

DEFAULT_NODE_REASON = (
    "Maintenance mode is enabled for this node, but no reason was provided. This is a default message."
)
DEFAULT_SERVICE_REASON = (
    "Maintenance mode is enabled for this service, but no reason was provided. This is a default message."
)


class Registrations:
    """The services and checks this agent is responsible for.

    What changes something returns the `RegistrationChange`, to be settled or undone by whoever asked for it.
    """

    def __init__(
        self, holdings: Holdings, *, node: str, rules: Rules = Rules(), wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.state = holdings.state
        self.node = node
        self._holdings = holdings
        self._persistence = holdings.persistence
        self._rules = rules
        self._wall_clock = wall_clock
        # Changes of which the disk has not told yet, in their order.
        self._unsettled: list[RegistrationChange] = []

    def _change(self) -> RegistrationChange:
        return RegistrationChange(self._holdings, self._unsettled)

    # ------------------------------------------------------------------ adding

    def planner(self) -> Planner:
        """Plans changes to what there is now."""
        return Planner(self.node, self._rules, self.state.live_services())

    def register(
        self, services: Sequence[PlannedService], *, replace_existing_checks: bool = False
    ) -> RegistrationChange:
        """Put planned services and their checks into force and on disk.

        Raises ConsulError when the disk refuses at once; then everything is as it was.
        """
        change = self._change()
        try:
            for planned in services:
                self._register(planned, change, replace_existing_checks=replace_existing_checks)
        except OSError as error:
            change.undo()
            raise ConsulError(refusal(error)) from None
        return change

    def _register(self, planned: PlannedService, change: RegistrationChange, *, replace_existing_checks: bool) -> None:
        service = planned.service
        wanted = [item.check.CheckID for item in planned.checks]
        existing = [check.CheckID for check in self.state.checks_of(service.ID)]
        change.remember_service(service.ID)
        for check_id in wanted:
            change.remember_check(check_id)
        self.state.add_service(service, planned.token, from_config=planned.from_config)
        change.placed_service(service.ID)
        change.wrote(self._persistence.save_service(service, planned.token, _source(planned.from_config)))
        for item in planned.checks:
            self._place_check(item, change)
        if replace_existing_checks:
            for check_id in existing:
                if check_id not in wanted:
                    # Its files go when it is certain that it does not come back.
                    change.remember_check(check_id)
                    self._drop_check(check_id, None)
                    change.placed_check(check_id)

    def register_check(self, planned: PlannedCheck) -> RegistrationChange:
        """As `register`, for a check on its own."""
        change = self._change()
        change.remember_check(planned.check.CheckID)
        try:
            self._place_check(planned, change)
        except OSError as error:
            change.undo()
            raise ConsulError(refusal(error)) from None
        return change

    def _place_check(self, planned: PlannedCheck, change: RegistrationChange) -> None:
        self._put_check(planned, {})
        change.placed_check(planned.check.CheckID)
        definition = planned.run.definition if planned.run is not None else None
        change.wrote(self._persistence.save_check(
            planned.check, definition, planned.token, _source(planned.from_config)
        ))  # fmt: skip

    def _put_check(self, planned: PlannedCheck, before: Mapping[str, HealthCheck]) -> None:
        """``before``: the checks from before a reload, whose status and output are kept."""
        check, run = planned.check, planned.run
        check_id = check.CheckID
        existing = self.state.check(check_id) or before.get(check_id)
        if existing is not None:  # whoever registers again must not make the check flap
            check = replace(check, Status=existing.Status, Output=existing.Output)
        if run is not None and run.definition.TTL:
            check = self._restore_ttl(check)
        self.state.add_check(check, planned.token, from_config=planned.from_config)
        self._holdings.run_check(check_id, run)

    def _restore_ttl(self, check: HealthCheck) -> HealthCheck:
        """A TTL check takes up its saved result, if that has not run out."""
        saved = self._persistence.state(check.CheckID, self._wall_clock())
        if saved is None:
            return check
        restored: HealthCheck = replace(check, Status=saved.status, Output=saved.output)
        return restored

    def _add_unrun(self, check: HealthCheck, token: str) -> RegistrationChange:
        """A check that nothing runs. Raises ConsulError; then everything is as it was."""
        try:
            planned = self.planner().check(check, None, token=token)
        except DefinitionError as error:
            raise ConsulError(str(error)) from None
        return self.register_check(planned)

    # ------------------------------------------------------------------ removing

    def remove_service(self, service_id: str) -> RegistrationChange:
        """Deregister a service, its checks, its maintenance mode and the sidecar registered with it; its file in any
        case.

        Raises ConsulError when the id is empty, OSError when the disk refuses at once.
        """
        if not service_id:
            raise ConsulError("ServiceID missing")
        change = self._change()
        change.wrote(self._persistence.forget_service(service_id))
        if self.state.service(service_id) is None:
            log.warning("Failed to deregister service: service=%s error=Service does not exist", service_id)
        else:
            self._drop_service(service_id, change)
        return change

    def _drop_service(self, service_id: str, change: RegistrationChange | None) -> None:
        """Without a ``change`` the files stay."""
        for check in self.state.checks_of(service_id):
            self._drop_check(check.CheckID, change)
        self.state.remove_service(service_id)
        sidecar_id = sidecar_service_id(service_id)
        sidecar = self.state.service(sidecar_id)
        if sidecar is not None and sidecar.LocallyRegisteredAsSidecar:
            if change is not None:
                change.wrote(self._persistence.forget_service(sidecar_id))
            self._drop_service(sidecar_id, change)
        log.debug("removed service: service=%s", service_id)

    def remove_check(self, check_id: str) -> RegistrationChange:
        """Raises ConsulError when the id is empty, OSError when the disk refuses at once."""
        if not check_id:
            raise ConsulError("CheckID missing")
        change = self._change()
        self._drop_check(check_id, change)
        return change

    def _drop_check(self, check_id: str, change: RegistrationChange | None) -> None:
        """Without a ``change`` the files stay."""
        self._holdings.run_check(check_id, None)
        if change is not None:
            change.wrote(self._persistence.forget_check(check_id))
            change.wrote(self._persistence.forget_state(check_id))
        self.state.remove_check(check_id)

    def reap(self, now: float) -> list[str]:
        """Deregister services with a check that has been critical for too long; their ids."""
        reaped: list[str] = []
        for check, since_s in self.state.critical_for(now):
            limit_s = self._holdings.reap_after_s.get(check.CheckID)
            if limit_s is None or not check.ServiceID or since_s <= limit_s or check.ServiceID in reaped:
                continue
            log.info("Check for service has been critical for too long: check=%s service=%s", check.CheckID,
                     check.ServiceID)  # fmt: skip
            if self.state.service(check.ServiceID) is not None:
                # Nobody waits for these files to go.
                self.remove_service(check.ServiceID).settle()
                reaped.append(check.ServiceID)
        return reaped

    # ------------------------------------------------------------------ results

    def update_ttl(self, check_id: str, status: str, output: str) -> RegistrationChange:
        """Report a TTL check. Raises ConsulError when the check has no TTL."""
        runners, change = self._holdings.runners, self._change()
        try:
            shown = runners.report(check_id, CheckStatus(status), output)
            ttl_s = runners.ttl_s(check_id)
            assert ttl_s is not None, "a check that takes reports has a TTL"
            expires = self._wall_clock() + ttl_s
            change.wrote(self._persistence.save_state(check_id, PersistedState(status, shown, expires)))
        except NoTtlError as error:
            change.settle()
            raise ConsulError(str(error)) from None
        except OSError as error:
            change.settle()
            raise ConsulError(f"failed persisting state for check {quoted(check_id)}: {error}") from None
        return change

    # ------------------------------------------------------------------ maintenance

    def node_maintenance(self, enable: bool, reason: str = "", token: str = "") -> RegistrationChange:
        """Raises ConsulError when the disk refuses at once."""
        exists = self.state.check(NODE_MAINTENANCE) is not None
        if not enable:
            change = self.remove_check(NODE_MAINTENANCE) if exists else self._change()
            if exists:
                log.info("Node left maintenance mode")
            return change
        if exists:
            return self._change()
        check = HealthCheck(
            Node=self.node, CheckID=NODE_MAINTENANCE, Name="Node Maintenance Mode",
            Notes=reason or DEFAULT_NODE_REASON, Status=HEALTH_CRITICAL, Type="maintenance",
        )  # fmt: skip
        change = self._add_unrun(check, token)
        log.info("Node entered maintenance mode")
        return change

    def service_maintenance(
        self, service_id: str, enable: bool, reason: str = "", token: str = ""
    ) -> RegistrationChange:
        """As `node_maintenance`. Raises ConsulError when there is no such service."""
        service = self.state.service(service_id)
        if service is None:
            raise ConsulError(f"No service registered with ID {quoted(service_id)}", 404)
        check_id = SERVICE_MAINTENANCE_PREFIX + service_id
        exists = self.state.check(check_id) is not None
        if not enable:
            change = self.remove_check(check_id) if exists else self._change()
            if exists:
                log.info("Service left maintenance mode: service=%s", service_id)
            return change
        if exists:
            return self._change()
        check = HealthCheck(
            Node=self.node, CheckID=check_id, Name="Service Maintenance Mode", Status=HEALTH_CRITICAL,
            Notes=reason or DEFAULT_SERVICE_REASON, ServiceID=service_id, ServiceName=service.Service,
            Type="maintenance",
        )  # fmt: skip
        change = self._add_unrun(check, token)
        log.info("Service entered maintenance mode: service=%s", service_id)
        return change

    # ------------------------------------------------------------------ starting and reloading

    def plan(
        self, services: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]], rules: Rules
    ) -> AgentPlan:
        """What there will be with these definitions in place of those of the configuration before. Changes nothing.
        Raises ReloadError."""
        return plan_agent(self.node, rules, services, checks, self._registered())

    def load(self, services: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]) -> None:
        """Start with these definitions and what is on disk. Raises ConsulError."""
        self._persistence.remove_unfinished()
        try:
            plan = plan_agent(self.node, self._rules, services, checks, self._persisted())
        except ReloadError as error:
            raise ConsulError(str(error.cause)) from None
        self.apply(plan, self._rules)

    def _persisted(self) -> Before:
        """What is on disk."""
        services = [
            PlannedService(
                replace(saved.service, LocallyRegisteredAsSidecar=saved.sidecar), (), saved.token,
                saved.source == SOURCE_LOCAL,
            )
            for saved in self._persistence.services()
        ]  # fmt: skip
        checks, dropped = [], []
        for saved in self._persistence.checks():
            # Until it has run a restored check may not claim to be well.
            check = replace(saved.check, Status=HEALTH_CRITICAL, Node=self.node)
            runs = saved.check_type.kind() and not _is_maintenance(check)
            try:
                run = runnable_check(saved.check_type) if runs else None
            except DefinitionError as error:
                dropped.append(NotTakenOver(check.CheckID, str(error)))
                continue
            checks.append(PlannedCheck(check, run, saved.token, saved.source == SOURCE_LOCAL))
        return Before(services, checks, dropped)

    def _registered(self) -> Before:
        """What came through the API and is in force."""
        services = [
            PlannedService(entry.service, (), entry.token)
            for entry in self.state.services.values()
            if not entry.deleted and not entry.from_config
        ]
        checks = [
            PlannedCheck(entry.check, self._holdings.running.get(check_id), entry.token)
            for check_id, entry in self.state.checks.items()
            if not entry.deleted and not entry.from_config
        ]
        return Before(services, checks)

    def apply(self, plan: AgentPlan, rules: Rules) -> list[Outcome]:
        """Put a plan into force in place of everything there was; checks keep their status and output.

        Returns what the disk will say of the files that go.
        """
        before = self.state.live_checks()
        for check_id in before:
            self._drop_check(check_id, None)
        for service_id in list(self.state.live_services()):
            self._drop_service(service_id, None)
        self._rules = rules
        writes: list[Outcome] = []
        for service_id, reason, _ in plan.dropped_services:
            # Who was refused stays on disk: with another configuration it may be wanted again.
            if reason:
                log.error("service is not restored: service=%s error=%s", service_id, reason)
            else:
                log.debug("service exists, not restoring from file: service=%s", service_id)
                writes += _forgotten(self._persistence.forget_service, service_id)
        for check_id, reason, kept in plan.dropped_checks:
            if reason:
                log.warning("Failed to restore check: check=%s error=%s", check_id, reason)
            else:
                log.debug("check exists, not restoring from file: check=%s", check_id)
            if not kept:
                writes += _forgotten(self._persistence.forget_check, check_id)
        for service in plan.services:
            self.state.add_service(service.service, service.token, from_config=service.from_config)
            for check in service.checks:
                self._put_check(check, before)
        for check in plan.checks:
            self._put_check(check, before)
        return writes


def _forgotten(forget: Callable[[str], Outcome | None], registration_id: str) -> list[Outcome]:
    try:
        outcome = forget(registration_id)
    except OSError as error:
        log.error("failed to remove file: id=%s error=%s", registration_id, error)
        return []
    return [outcome] if outcome is not None else []


def refusal(error: Exception) -> str:
    """What the client is told when its registration was taken back."""
    return f"failed to write the registration to disk: {error}" if isinstance(error, OSError) else str(error)


def _source(from_config: bool) -> str:
    return SOURCE_LOCAL if from_config else SOURCE_REMOTE


def _is_maintenance(check: HealthCheck) -> bool:
    return check.CheckID == NODE_MAINTENANCE or check.CheckID.startswith(SERVICE_MAINTENANCE_PREFIX)
