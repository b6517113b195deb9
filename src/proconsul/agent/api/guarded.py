"""What the agent's own routes need: those whose need is known from the path alone (Consul docs: api-docs/agent).

All of them find out first what the token may do, which a client agent has to ask of servers.
"""

from __future__ import annotations

from typing import Any

from proconsul.agent.api.rights import Rights
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Handler, Router
from proconsul.features.acl.rules import Level
from proconsul.features.web import finished

# Of the agent and the node it is the own name that must be granted; operators have none.
NEEDS = {
    "/v1/agent/self": ("agent", Level.READ),
    "/v1/agent/version": ("agent", Level.READ),
    "/v1/agent/metrics": ("agent", Level.READ),
    "/v1/agent/metrics/certificates": ("agent", Level.READ),
    "/v1/agent/plugins": ("agent", Level.READ),
    "/v1/agent/monitor": ("agent", Level.READ),
    "/v1/agent/host": ("operator", Level.READ),
    "/v1/agent/reload": ("agent", Level.WRITE),
    "/v1/agent/leave": ("agent", Level.WRITE),
    "/v1/agent/join/": ("agent", Level.WRITE),
    "/v1/agent/force-leave/": ("operator", Level.WRITE),
    "/v1/agent/token/": ("agent", Level.WRITE),
    "/v1/agent/maintenance": ("node", Level.WRITE),
}


class GuardedRouter(Router):
    """Puts routes into ``router`` so that they ask for rights first."""

    def __init__(self, router: Router, rights: Rights) -> None:
        self._router, self._rights = router, rights

    def add(self, pattern: str, handlers: dict[str, Handler], **options: Any) -> None:
        need = NEEDS.get(pattern)
        if self._rights.asked_for:
            if need is not None:
                handlers = {verb: self._guarded(handler, *need) for verb, handler in handlers.items()}
            handlers = {verb: self._informed(handler) for verb, handler in handlers.items()}
        self._router.add(pattern, handlers, **options)

    def _informed(self, handler: Handler) -> Handler:
        """``handler``, once it is known what the token of a request may do."""
        rights = self._rights

        def informed(request: Request) -> Answer:
            return handler(request) if rights.known(request) else later(request)

        async def later(request: Request) -> Response:
            await rights.learn(request)
            return await finished(handler(request))

        return informed

    def _guarded(self, handler: Handler, resource: str, level: Level) -> Handler:
        def guarded(request: Request) -> Answer:
            self._rights.require_own(request, resource, level)
            return handler(request)

        return guarded
