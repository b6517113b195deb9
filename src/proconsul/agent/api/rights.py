"""Who may see and change what is registered with the agent (Consul docs: api-docs/agent, service and check)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sized
from typing import TypeVar

from proconsul.agent.agent import Agent
from proconsul.engine.http.request import Request
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.authorizer import Authorizer, Origin
from proconsul.features.acl.rules import Level, parse_rules
from proconsul.features.catalog.model import HealthCheck, NodeService
from proconsul.features.errors import ConsulError, PermissionDenied
from proconsul.features.web import FILTERED

T = TypeVar("T")


def are_asked_for(agent: Agent) -> bool:
    """Whether anybody needs rights at this agent."""
    return agent.config.acl.enabled


@functools.cache
def recovery(node: str) -> Authorizer:
    """What the recovery token of an agent may do, and only there: with no server, too."""
    rules = f'agent {quoted(node)} {{ policy = "write" }} node_prefix "" {{ policy = "read" }}'
    return Authorizer((Origin("agent recovery token", parse_rules(rules)),), default_allow=False)


def allows(agent: Agent, secret: str, resource: str, level: Level, name: str) -> bool:
    """Whether who has ``secret`` may, at this agent. Raises ACLNotFound."""
    if agent.tokens.is_recovery(secret):
        return recovery(agent.config.node_name).allows(resource, level, name)
    return agent.server.rights.allows(secret, resource, level, name)


class LocalRights:
    """What the token of a request may do with local services and checks."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def unlimited(self) -> bool:
        return not are_asked_for(self._agent)

    def _allows(self, request: Request, resource: str, name: str, level: Level) -> bool:
        return allows(self._agent, self._agent.web.token(request), resource, level, name)

    def _require_write(self, request: Request, resource: str, name: str) -> None:
        """Raise PermissionDenied with what is missing."""
        if not self._allows(request, resource, name, Level.WRITE):
            raise PermissionDenied(f"Permission denied: Missing {resource}:write on {name}")

    # ------------------------------------------------------------------ seeing

    def _shown(self, rows: dict[str, T], may: Callable[[T], bool]) -> dict[str, T]:
        return rows if self.unlimited else {key: row for key, row in rows.items() if may(row)}

    def filtered(self, request: Request, all_rows: Sized, shown: Sized) -> dict[str, str]:
        """The header that says that not everything is shown, to those who are somebody."""
        return FILTERED if len(shown) != len(all_rows) and self._agent.web.token(request) else {}

    def services(self, request: Request, rows: dict[str, NodeService]) -> dict[str, NodeService]:
        """The services that may be seen. Raises ACLNotFound."""
        return self._shown(rows, lambda row: self._allows(request, "service", row.Service, Level.READ))

    def checks(self, request: Request, rows: dict[str, HealthCheck]) -> dict[str, HealthCheck]:
        """The checks that may be seen: of a service with it, else with the node. Raises ACLNotFound."""
        return self._shown(rows, lambda row: self._allows(request, *self._owner(row), Level.READ))

    def sees_node(self, request: Request, name: str) -> bool:
        """Whether a member of the pool may be seen. Raises ACLNotFound."""
        return self.unlimited or self._allows(request, "node", name, Level.READ)

    def require_known(self, request: Request) -> None:
        """Raise ACLNotFound when the token is nobody's: who has none is not told what there is."""
        secret = self._agent.web.token(request)
        if not (self.unlimited or self._agent.tokens.is_recovery(secret)):
            self._agent.server.rights.authorizer(secret)

    def require_service(self, request: Request, name: str) -> None:
        """Raise PermissionDenied unless services of that name may be seen."""
        if not (self.unlimited or self._allows(request, "service", name, Level.READ)):
            raise PermissionDenied()

    # ------------------------------------------------------------------ changing

    def require_register(self, request: Request, service: NodeService) -> None:
        """Raise PermissionDenied unless a service may be registered, and what has its id now be replaced."""
        if self.unlimited:
            return
        old = self._agent.local.service(service.ID)
        self._require_write(request, "service", service.Service)
        if old is not None:
            self._require_write(request, "service", old.Service)

    def require_checks_of(self, request: Request, checks: list[HealthCheck]) -> None:
        """Raise PermissionDenied unless the checks of a service that may be registered may replace what has their ids
        and is not of that service."""
        if self.unlimited:
            return
        for check in checks:
            old = self._agent.local.check(check.CheckID)
            if old is not None and old.ServiceID != check.ServiceID:
                self._require_write(request, *self._owner(old))

    def require_change(self, request: Request, service_id: str) -> None:
        """Raise PermissionDenied unless a service may be changed, ConsulError when there is none."""
        if self.unlimited:
            return
        self.require_known(request)
        service = self._agent.local.service(service_id)
        if service is None:
            raise ConsulError(f"Unknown service {{{quoted(service_id)} {{}}}}")
        self._require_write(request, "service", service.Service)

    def require_check_register(self, request: Request, check: HealthCheck) -> None:
        """Raise PermissionDenied unless a check may be registered, and what has its id now be replaced."""
        if self.unlimited:
            return
        old = self._agent.local.check(check.CheckID)
        for one in (check, *([old] if old is not None else [])):
            self._require_write(request, *self._owner(one))

    def require_check_change(self, request: Request, check_id: str) -> None:
        """Raise PermissionDenied unless a check may be changed, ConsulError when there is none."""
        if self.unlimited:
            return
        self.require_known(request)
        check = self._agent.local.check(check_id)
        if check is None:
            raise ConsulError(f"Unknown check {quoted(check_id)}")
        self._require_write(request, *self._owner(check))

    def _owner(self, check: HealthCheck) -> tuple[str, str]:
        """What a check is of, a service or this node: the resource and its name."""
        if not check.ServiceID:
            return "node", self._agent.config.node_name
        service = self._agent.local.service(check.ServiceID)
        return "service", service.Service if service is not None else check.ServiceName
