"""Between registrations and the checks room: definitions in, results into the local state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from proconsul.agent.checks.alias import AliasedCheck
from proconsul.agent.checks.base import TlsContexts
from proconsul.agent.checks.runner import CheckRunners as Registry
from proconsul.agent.checks.runner import Held, NoTtlError
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.plan import runnable
from proconsul.features.catalog.definition import CheckType
from proconsul.features.catalog.model import HealthCheck
from proconsul.features.errors import ConsulError

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent

log = logging.getLogger("agent")

_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}


class TtlReported(NamedTuple):
    """Implements `TtlReport`."""

    output: str
    ttl_s: float


class CheckRunners:
    """Runs the agent's checks, within what the configuration allows."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._registry = Registry(
            agent.local,
            rng=agent.rng,
            aliases=_LocalAliases(agent.local),
            remote_aliases=_CatalogAliases(agent),
            log=_log,
        )

    def configure(self, output_bytes_max: int, tls: TlsContexts) -> None:
        """What checks that are started from now on use."""
        self._registry.configure(output_bytes_max, tls)

    def start(self, check_id: str, definition: CheckType) -> None:
        self._registry.start(check_id, runnable(definition))

    def stop(self, check_id: str) -> None:
        self._registry.stop(check_id)

    def hold(self, check_id: str) -> object:
        return self._registry.hold(check_id)

    def put_back(self, check_id: str, held: object) -> None:
        assert isinstance(held, Held), "what is put back ran before"
        self._registry.put_back(check_id, held)

    def set_ttl(self, check_id: str, status: str, output: str) -> TtlReported | None:
        try:
            shown = self._registry.report(check_id, CheckStatus(status), output)
        except NoTtlError:
            return None
        ttl_s = self._registry.ttl_s(check_id)
        assert ttl_s is not None, "a check that takes reports has a TTL"
        return TtlReported(shown, ttl_s)

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
