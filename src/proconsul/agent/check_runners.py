"""Between registrations and the checks room: definitions in, results into the local state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from proconsul.agent.checks.alias import AliasedCheck
from proconsul.agent.checks.definition import CheckDefinition, CheckDefinitionError
from proconsul.agent.checks.runner import CheckRunners as Registry
from proconsul.agent.checks.runner import NoTtlError
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.local_state import LocalState
from proconsul.engine.wire import gojson
from proconsul.features.catalog.definition import CheckType, DefinitionError
from proconsul.features.catalog.model import HealthCheck
from proconsul.features.errors import ConsulError

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent

log = logging.getLogger("agent")

_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}


def runnable(check: CheckType) -> CheckDefinition:
    """How to run ``check``. Raises DefinitionError when it cannot be run, with Consul's text."""
    definition = CheckDefinition.from_fields(gojson.plain(check))
    try:
        definition.validate()
    except CheckDefinitionError as error:
        raise DefinitionError(str(error)) from None
    return definition


class CheckRunners:
    """Runs the agent's checks, within what the configuration allows."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._registry = Registry(
            agent.local,
            rng=agent.rng,
            output_bytes_max=agent.config.checks.output_bytes_max,
            aliases=_LocalAliases(agent.local),
            remote_aliases=_CatalogAliases(agent),
            log=_log,
        )

    def start(self, check: HealthCheck, definition: CheckType, *, from_config: bool) -> None:
        """Raises DefinitionError when the check may not be run."""
        wanted = runnable(definition)
        self._require_scripts(check.CheckID, wanted, from_config)
        self._registry.start(check.CheckID, wanted)

    def _require_scripts(self, check_id: str, definition: CheckDefinition, from_config: bool) -> None:
        if not definition.runs_commands:
            return
        checks = self._agent.config.checks
        if from_config and not checks.enable_local_scripts:
            raise DefinitionError(
                "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or "
                "'enable_local_script_checks' to true"
            )
        if not from_config and not checks.enable_remote_scripts:
            raise DefinitionError(
                "Scripts are disabled on this agent from remote calls; to enable, configure "
                "'enable_script_checks' to true"
            )

    def stop(self, check_id: str) -> None:
        self._registry.stop(check_id)

    def set_ttl(self, check_id: str, status: str, output: str) -> float | None:
        try:
            self._registry.report(check_id, CheckStatus(status), output)
        except NoTtlError:
            return None
        return self._registry.ttl_s(check_id)

    async def close(self) -> None:
        """Stop everything; no child process outlives this."""
        await self._registry.close()


def _log(level: str, message: str, **fields: object) -> None:
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    log.log(_LEVELS.get(level, logging.INFO), "%s%s", message, f": {text}" if text else "")


def _aliased(checks: Iterable[HealthCheck]) -> list[AliasedCheck]:
    return [AliasedCheck(check.CheckID, check.Name, check.ServiceID, check.Status, check.Output) for check in checks]


class _LocalAliases:
    """The local state as alias checks look at it."""

    def __init__(self, state: LocalState) -> None:
        self._state = state

    def alias_checks(self) -> Iterable[AliasedCheck]:
        return _aliased(self._state.live_checks().values())

    def has_service(self, service_id: str) -> bool:
        return self._state.service(service_id) is not None

    def on_change(self, service_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        def changed(changed_id: str) -> None:
            if changed_id in ("", service_id):
                wake()

        self._state.listen(changed)
        return lambda: self._state.unlisten(changed)


class _CatalogAliases:
    """The catalog as alias checks of other nodes look at it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def node_checks(self, node: str, index: int, wait_s: float) -> tuple[int, Iterable[AliasedCheck]]:
        server = self._agent.server
        view = server.views.get(("Health.NodeChecks", node.lower(), None),
                                lambda watch: server.state.reads.node_checks(watch, node))  # fmt: skip
        if index and view.index <= index:
            woken = asyncio.Event()
            waiter = server.views.wait(view, index, lambda _: woken.set())
            try:
                async with asyncio.timeout(wait_s):
                    await woken.wait()
            except TimeoutError:
                view.refresh()
            finally:
                waiter.cancel()
        return view.index, _aliased(view.value)

    async def node_has_service(self, node: str, service_id: str) -> bool:
        try:
            _, services = await self._agent.catalog_port.own_services(node)
        except ConsulError as error:
            raise OSError(str(error)) from None
        return any(service_id == service.ID for service in services)
