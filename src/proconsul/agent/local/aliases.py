"""What alias checks look at: this agent's own services and checks, and the catalog for those of other nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proconsul.agent.checks.alias import AliasedCheck
from proconsul.agent.local.local_state import LocalState
from proconsul.features.base import SECOND_NS, NodeSpecificRequest
from proconsul.features.catalog.endpoint import NODE_SERVICE_LIST
from proconsul.features.catalog.model import HealthCheck
from proconsul.features.errors import ConsulError
from proconsul.features.gate import Found
from proconsul.features.health.endpoint import NODE_CHECKS
from proconsul.features.options import PLAIN, Options
from proconsul.features.server import ReadMethod
from proconsul.server.gate import Gate

_STALE = PLAIN._replace(consistency="stale")


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
    """Implements `checks.alias.AliasLookup` on the catalog, whoever has it. ``token`` gives the token for reads."""

    def __init__(self, gate: Gate, token: Callable[[], str]) -> None:
        self._gate, self._token = gate, token

    async def node_checks(self, node: str, index: int, wait_s: float) -> tuple[int, Iterable[AliasedCheck]]:
        found = await self._ask(NODE_CHECKS, node, _STALE._replace(min_index=index, wait_ns=int(wait_s * SECOND_NS)))
        return found.last_index, _aliased(found.value)

    async def node_has_service(self, node: str, service_id: str) -> bool:
        found = await self._ask(NODE_SERVICE_LIST, node, _STALE)
        return any(service_id == service.ID for service in found.value.Services or ())

    async def _ask(self, method: ReadMethod, node: str, options: Options) -> Found:
        gate = self._gate
        try:
            read = gate.reading(method, NodeSpecificRequest(Node=node))
            return await gate.found(read, options, self._token())
        except ConsulError as error:
            raise OSError(str(error)) from None
