"""Everything an agent is to be responsible for, at a start or after a reload, checked whole before anything changes.

The configuration comes first; then what was registered before, through the API, which is not taken over where the
configuration now says something else, or what there is does not allow it any more. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from proconsul.agent.checks.definition import RunnableCheck, runnable
from proconsul.agent.local.plan import PlannedCheck, PlannedService, Planner, PluginRefused, Rules
from proconsul.engine.wire import gojson
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import (
    CheckDefinition,
    CheckType,
    DefinitionError,
    ServiceDefinition,
)
from proconsul.features.catalog.model import HealthCheck
from proconsul.features.errors import ConsulError


class NotTakenOver(NamedTuple):
    """What was registered before and is not taken over; ``reason`` is empty where the configuration wins.

    ``kept``: a check that stays on disk, for when the plug-in that it names can be used again.
    """

    id: str
    reason: str = ""
    kept: bool = False


class Before(NamedTuple):
    """What was registered through the API, in force or on disk, and what of it nobody could run any more."""

    services: Sequence[PlannedService] = ()
    checks: Sequence[PlannedCheck] = ()
    dropped_checks: Sequence[NotTakenOver] = ()


class AgentPlan(NamedTuple):
    """Everything an agent is to be responsible for."""

    services: tuple[PlannedService, ...]
    checks: tuple[PlannedCheck, ...]
    dropped_services: tuple[NotTakenOver, ...] = ()
    dropped_checks: tuple[NotTakenOver, ...] = ()


class ReloadError(ConsulError):
    """Definitions that cannot take effect. ``str()`` is what a reload says; ``cause`` what a start says."""

    def __init__(self, what: str, cause: ConsulError) -> None:
        super().__init__(f"Failed reloading {what}: {cause}")
        self.cause = cause


def plan_agent(
    node: str, rules: Rules, services: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]], before: Before
) -> AgentPlan:
    """What there will be with these definitions of the configuration. Raises ReloadError."""
    planner = Planner(node, rules)
    try:
        planned_services = _services_of(planner, services)
    except ConsulError as error:
        raise ReloadError("services", error) from None
    dropped_services, dropped_checks = [], list(before.dropped_checks)
    for old in before.services:
        service_id = old.service.ID
        if service_id in planner.services:
            # Configuration wins, and for good: removing it later must not bring the old registration back.
            dropped_services.append(NotTakenOver(service_id))
            continue
        try:
            planned_services.append(planner.service(old.service, (), token=old.token, from_config=old.from_config))
        except DefinitionError as error:
            dropped_services.append(NotTakenOver(service_id, str(error)))
    try:
        planned_checks = _checks_of(planner, checks)
    except ConsulError as error:
        raise ReloadError("checks", error) from None
    known = {item.check.CheckID for service in planned_services for item in service.checks}
    known |= {item.check.CheckID for item in planned_checks}
    for item in before.checks:
        check_id = item.check.CheckID
        if check_id in known:
            dropped_checks.append(NotTakenOver(check_id))
            continue
        try:
            planned_checks.append(planner.check(item.check, item.run, token=item.token, from_config=item.from_config))
        except DefinitionError as error:
            dropped_checks.append(NotTakenOver(check_id, str(error), kept=isinstance(error, PluginRefused)))
    return AgentPlan(tuple(planned_services), tuple(planned_checks), tuple(dropped_services), tuple(dropped_checks))


def runnable_check(definition: CheckType) -> RunnableCheck:
    """As `runnable`, in the words for a check on its own. Raises DefinitionError."""
    try:
        return runnable(definition)
    except DefinitionError as error:
        raise DefinitionError(f"Check is not valid: {error}") from None


def _named(check: HealthCheck) -> HealthCheck:
    """Raises DefinitionError for a check without an id, before anything else of it is looked at."""
    if not check.CheckID:
        raise DefinitionError("CheckID missing")
    return check


def _services_of(planner: Planner, definitions: Iterable[Mapping[str, Any]]) -> list[PlannedService]:
    """The services of the configuration. Raises ConsulError."""
    planned = []
    for raw in definitions:
        definition: ServiceDefinition = gojson.from_plain(ServiceDefinition, dict(raw))
        name = definition.Name
        try:
            checks = [runnable(check) for check in definition.check_types()]
        except DefinitionError as error:
            raise ConsulError(f"Failed to validate checks for service {quoted(name)}: {error}") from None
        try:
            sidecar = planner.sidecar_of(definition)
        except (DefinitionError, gojson.JSONError) as error:
            raise ConsulError(f"Failed to validate sidecar for service {quoted(name)}: {error}") from None
        try:
            planned.append(planner.service(definition.node_service(), checks, token=definition.Token, from_config=True))
            if sidecar is not None:
                planned.append(planner.service(sidecar[0], sidecar[1], token=definition.Token, from_config=True))
        except DefinitionError as error:
            raise ConsulError(f"Failed to register service {quoted(name)}: {error}") from None
    return planned


def _checks_of(planner: Planner, definitions: Iterable[Mapping[str, Any]]) -> list[PlannedCheck]:
    """The checks of the configuration. Raises ConsulError."""
    planned = []
    for raw in definitions:
        definition: CheckDefinition = gojson.from_plain(CheckDefinition, dict(raw))
        try:
            planned.append(planner.check(
                _named(definition.health_check(planner.node)), runnable_check(definition), token=definition.Token,
                from_config=True,
            ))  # fmt: skip
        except DefinitionError as error:
            shown = _as_go_prints(definition)
            raise ConsulError(f"Failed to register check '{definition.Name}': {error} {shown}") from None
    return planned


def _as_go_prints(check: CheckDefinition) -> str:
    """The definition as the original shows it in its error text: Go's print of the record, field by field."""
    header = " ".join(f"{name}:[{' '.join(values)}]" for name, values in sorted((check.Header or {}).items()))
    fields = (
        check.ID, check.Name, check.Notes, check.ServiceID, check.Token, check.Status,
        f"[{' '.join(check.ScriptArgs or ())}]", check.HTTP, f"map[{header}]", check.Method, check.Body, check.TCP,
        format_duration(check.Interval), check.DockerContainerID, check.Shell, check.GRPC,
        str(check.GRPCUseTLS).lower(), str(check.TLSSkipVerify).lower(), check.AliasNode, check.AliasService,
        format_duration(check.Timeout), format_duration(check.TTL), str(check.SuccessBeforePassing),
        str(check.FailuresBeforeCritical), format_duration(check.DeregisterCriticalServiceAfter),
        str(check.OutputMaxSize), "{}",
    )  # fmt: skip
    return f"&{{{' '.join(fields)}}}"
