"""/v1/agent/plugins: which plug-ins are installed, and what is wrong with those that do not run (ours)."""

from __future__ import annotations

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.features.web import Web
from proconsul.plugins.host import PluginHost, PluginReport


class PluginRoutes:
    """Needs `agent:read`, see `guarded`."""

    def __init__(self, web: Web, plugins: PluginHost) -> None:
        self._web, self._plugins = web, plugins

    def register(self, router: Router) -> None:
        router.add("/v1/agent/plugins", {"GET": self.show})

    async def show(self, request: Request) -> Response:
        """A list, by kind and name. Looking for them imports none."""
        return self._web.json(request, [_shown(one) for one in await self._plugins.report()])


def _shown(one: PluginReport) -> dict[str, object]:
    return {
        "Kind": one.kind.value, "Name": one.name, "State": one.state, "Problem": one.problem,
        "Distribution": one.distribution, "Version": one.version, "Target": one.target, "Calls": one.calls,
        "LetGo": one.let_go,
    }  # fmt: skip
