"""Who may see and change what is registered with the agent (Consul docs: api-docs/agent, service and check)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sized
from typing import TypeVar

from proconsul.agent.local.local_state import LocalState
from proconsul.agent.tokens import AgentTokens
from proconsul.engine.http.request import Request
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.authorizer import Authorizer, Origin
from proconsul.features.acl.decisions import recorded
from proconsul.features.acl.model import ANONYMOUS_SECRET, ACLToken
from proconsul.features.acl.rules import Level, parse_rules
from proconsul.features.acl.token_rights import TokenRights
from proconsul.features.catalog.model import HealthCheck, NodeService
from proconsul.features.errors import ConsulError, PermissionDenied
from proconsul.features.web import FILTERED, Web

T = TypeVar("T")
DENIED = "Permission denied"


@functools.cache
def recovery(node: str) -> Authorizer:
    """What the recovery token of an agent may do, and only there: with no server, too."""
    rules = f'agent {quoted(node)} {{ policy = "write" }} node_prefix "" {{ policy = "read" }}'
    return Authorizer((Origin("agent recovery token", parse_rules(rules)),), default_allow=False)


class Rights:
    """What the token of a request may do at this agent."""

    def __init__(
        self, web: Web, tokens: AgentTokens, of_tokens: TokenRights, state: LocalState, node_name: str
    ) -> None:  # fmt: skip
        self._web, self._tokens, self._of_tokens, self._state = web, tokens, of_tokens, state
        self._node_name = node_name

    @property
    def asked_for(self) -> bool:
        """Whether anybody needs rights here."""
        return self._of_tokens.enabled

    def known(self, request: Request) -> bool:
        """Whether it is known what the token of a request may do; else `learn` comes first."""
        secret = self._web.token(request)
        return self._of_tokens.ready(secret) or self._tokens.is_recovery(secret)

    async def learn(self, request: Request) -> None:
        """Find out what the token of a request may do, which a client agent asks of servers."""
        await self._of_tokens.learn(self._web.token(request))

    def allows(self, request: Request, resource: str, level: Level, name: str) -> bool:
        """Whether who asks may, at this agent. Raises ACLNotFound."""
        secret = self._web.token(request)
        if self._tokens.is_recovery(secret):
            return recorded(recovery(self._node_name)).allows(resource, level, name)
        return self._of_tokens.allows(secret, resource, level, name)

    def token_of(self, request: Request) -> ACLToken | None:
        """The token of a request, as far as this agent knows it."""
        return self._of_tokens.token(self._web.token(request)) if self.asked_for else None

    def is_secret(self, text: str) -> bool:
        """Whether ``text`` is a token's secret, as far as this agent knows tokens. The anonymous one's is none."""
        found = self._of_tokens.token(text) if self.asked_for and text else None
        return (found is not None and found.SecretID != ANONYMOUS_SECRET) or self._tokens.has(text)

    def require_operator(self, request: Request, level: Level) -> None:
        """Raise PermissionDenied unless who asks may see or change what is the operator's."""
        self._of_tokens.require(self._web.token(request), "operator", level)

    def require_own(self, request: Request, resource: str, level: Level) -> None:
        """Raise PermissionDenied unless who asks may do this to the agent, the node (of this name) or as operator."""
        name = "" if resource == "operator" else self._node_name
        if not self.allows(request, resource, level, name):
            raise self._refusal(request, resource, level, name, DENIED)

    def _refusal(self, request: Request, resource: str, level: Level, name: str, text: str) -> PermissionDenied:
        """What to tell who may not; the recovery token is nobody's, and has no accessor."""
        secret = self._web.token(request)
        if self._tokens.is_recovery(secret):
            lacks = f"{resource}:{level.name.lower()}"
            return PermissionDenied(f"{text}: the agent recovery token lacks permission '{lacks}'")
        return self._of_tokens.refusal(secret, resource, level, name, text)

    def sees_event(self, request: Request, name: str) -> bool:
        """Whether an event may be seen: the recovery token does not help there."""
        return self._of_tokens.allows(self._web.token(request), "event", Level.READ, name)

    def _require_write(self, request: Request, resource: str, name: str) -> None:
        """Raise PermissionDenied with what is missing."""
        if not self.allows(request, resource, Level.WRITE, name):
            raise self._refusal(request, resource, Level.WRITE, name, f"{DENIED}: Missing {resource}:write on {name}")

    # ------------------------------------------------------------------ seeing

    def _shown(self, rows: dict[str, T], may: Callable[[T], bool]) -> dict[str, T]:
        return rows if not self.asked_for else {key: row for key, row in rows.items() if may(row)}

    def filtered(self, request: Request, all_rows: Sized, shown: Sized) -> dict[str, str]:
        """The header that says that not everything is shown, to those who are somebody."""
        return FILTERED if len(shown) != len(all_rows) and self._web.token(request) else {}

    def services(self, request: Request, rows: dict[str, NodeService]) -> dict[str, NodeService]:
        """The services that may be seen. Raises ACLNotFound."""
        return self._shown(rows, lambda row: self.allows(request, "service", Level.READ, row.Service))

    def checks(self, request: Request, rows: dict[str, HealthCheck]) -> dict[str, HealthCheck]:
        """The checks that may be seen: of a service with it, else with the node. Raises ACLNotFound."""

        def may(row: HealthCheck) -> bool:
            resource, name = self._owner(row)
            return self.allows(request, resource, Level.READ, name)

        return self._shown(rows, may)

    def sees_node(self, request: Request, name: str) -> bool:
        """Whether a member of the pool may be seen. Raises ACLNotFound."""
        return not self.asked_for or self.allows(request, "node", Level.READ, name)

    def require_known(self, request: Request) -> None:
        """Raise ACLNotFound when the token is nobody's: who has none is not told what there is."""
        secret = self._web.token(request)
        if self.asked_for and not self._tokens.is_recovery(secret):
            self._of_tokens.authorizer(secret)

    def require_service(self, request: Request, name: str) -> None:
        """Raise PermissionDenied unless services of that name may be seen."""
        if self.asked_for and not self.allows(request, "service", Level.READ, name):
            raise PermissionDenied()

    # ------------------------------------------------------------------ changing

    def require_register(self, request: Request, service: NodeService) -> None:
        """Raise PermissionDenied unless a service may be registered, and what has its id now be replaced."""
        if not self.asked_for:
            return
        old = self._state.service(service.ID)
        self._require_write(request, "service", service.Service)
        if old is not None:
            self._require_write(request, "service", old.Service)

    def require_checks_of(self, request: Request, checks: list[HealthCheck]) -> None:
        """Raise PermissionDenied unless the checks of a service that may be registered may replace what has their ids
        and is not of that service."""
        if not self.asked_for:
            return
        for check in checks:
            old = self._state.check(check.CheckID)
            if old is not None and old.ServiceID != check.ServiceID:
                self._require_write(request, *self._owner(old))

    def require_change(self, request: Request, service_id: str) -> None:
        """Raise PermissionDenied unless a service may be changed, ConsulError when there is none."""
        if not self.asked_for:
            return
        self.require_known(request)
        service = self._state.service(service_id)
        if service is None:
            raise ConsulError(f"Unknown service {{{quoted(service_id)} {{}}}}")
        self._require_write(request, "service", service.Service)

    def require_check_register(self, request: Request, check: HealthCheck) -> None:
        """Raise PermissionDenied unless a check may be registered, and what has its id now be replaced."""
        if not self.asked_for:
            return
        old = self._state.check(check.CheckID)
        for one in (check, *([old] if old is not None else [])):
            self._require_write(request, *self._owner(one))

    def require_check_change(self, request: Request, check_id: str) -> None:
        """Raise PermissionDenied unless a check may be changed, ConsulError when there is none."""
        if not self.asked_for:
            return
        self.require_known(request)
        check = self._state.check(check_id)
        if check is None:
            raise ConsulError(f"Unknown check {quoted(check_id)}")
        self._require_write(request, *self._owner(check))

    def _owner(self, check: HealthCheck) -> tuple[str, str]:
        """What a check is of, a service or this node: the resource and its name."""
        if not check.ServiceID:
            return "node", self._node_name
        service = self._state.service(check.ServiceID)
        return "service", service.Service if service is not None else check.ServiceName
