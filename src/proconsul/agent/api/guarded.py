"""What the agent's own routes need: those whose need is known from the path alone (Consul docs: api-docs/agent)."""

from __future__ import annotations

from typing import Any

from proconsul.agent.api.rights import Rights
from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Answer, Handler, Router
from proconsul.features.acl.rules import Level

# Of the agent and the node it is the own name that must be granted; operators have none.
NEEDS = {
    "/v1/agent/self": ("agent", Level.READ),
    "/v1/agent/version": ("agent", Level.READ),
    "/v1/agent/metrics": ("agent", Level.READ),
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
    """Puts routes into ``router`` so that they ask for rights first. On servers only: client agents resolve nothing."""

    def __init__(self, router: Router, rights: Rights) -> None:
        self._router, self._rights = router, rights

    def add(self, pattern: str, handlers: dict[str, Handler], **options: Any) -> None:
        need = NEEDS.get(pattern)
        if need is not None and self._rights.asked_for:
            handlers = {verb: self._guarded(handler, *need) for verb, handler in handlers.items()}
        self._router.add(pattern, handlers, **options)

    def _guarded(self, handler: Handler, resource: str, level: Level) -> Handler:
        def guarded(request: Request) -> Answer:
            self._rights.require_own(request, resource, level)
            return handler(request)

        return guarded
