"""/v1/agent/sync: how far the catalog has what is registered with this agent (ours, see docs/anti-entropy.md)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from proconsul.agent.api.rights import Rights
from proconsul.agent.clocks import Clocks
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.local_state import LocalState
from proconsul.agent.local.sync_report import SyncReport
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.features.acl.rules import Level
from proconsul.features.web import Web


class SyncRoutes:
    """GET shows what is known; PUT compares with the catalog and sends what differs first."""

    def __init__(self, web: Web, rights: Rights, state: LocalState, sync: AntiEntropy, clocks: Clocks) -> None:
        self._web, self._rights, self._state, self._sync, self._clocks = web, rights, state, sync, clocks

    def register(self, router: Router) -> None:
        router.add("/v1/agent/sync", {"GET": self.show, "PUT": self.compare})

    def show(self, request: Request) -> Response:
        """What the token may see of it: services with `service:read`, checks with their service or the node."""
        all_services = {key: entry.service for key, entry in self._state.services.items()}
        all_checks = {key: entry.check for key, entry in self._state.checks.items()}
        services = self._rights.services(request, all_services)
        checks = self._rights.checks(request, all_checks)
        hidden = self._rights.filtered(request, all_services, services)
        hidden |= self._rights.filtered(request, all_checks, checks)
        loop = asyncio.get_running_loop()
        report = SyncReport(
            self._state, self._sync.facts(lambda at: self._moment(at - loop.time())),
            lambda at: self._moment(at - self._clocks.monotonic()),
        )  # fmt: skip
        return self._web.json(request, report.whole(services, checks), headers=hidden)

    async def compare(self, request: Request) -> Response:
        """Needs `agent:write`. Raises ConsulError when no server can be asked: then nothing is compared."""
        if self._rights.asked_for:
            self._rights.require_own(request, "agent", Level.WRITE)
        await self._sync.compare_now()
        return self.show(request)

    def _moment(self, ahead_s: float) -> str:
        """The time so many seconds from now, in RFC 3339."""
        return datetime.fromtimestamp(self._clocks.wall() + ahead_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
