"""What alias checks look at: this agent's own services and checks, and the catalog for those of other nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from proconsul.agent.checks.alias import AliasedCheck
from proconsul.agent.local.anti_entropy import CatalogPort
from proconsul.agent.local.local_state import LocalState
from proconsul.features.catalog.model import HealthCheck
from proconsul.features.errors import ConsulError
from proconsul.server.node import ConsulNode


def _aliased(checks: Iterable[HealthCheck]) -> list[AliasedCheck]:
    return [AliasedCheck(check.CheckID, check.Name, check.ServiceID, check.Status, check.Output) for check in checks]


class LocalAliases:
    """Implements `checks.alias.AliasState` on the local state."""

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


class CatalogAliases:
    """Implements `checks.alias.AliasLookup` on the catalog."""

    def __init__(self, node: ConsulNode, catalog: CatalogPort) -> None:
        self._node, self._catalog = node, catalog

    async def node_checks(self, node: str, index: int, wait_s: float) -> tuple[int, Iterable[AliasedCheck]]:
        server = self._node
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
            _, services = await self._catalog.own_services(node)
        except ConsulError as error:
            raise OSError(str(error)) from None
        return any(service_id == service.ID for service in services)
