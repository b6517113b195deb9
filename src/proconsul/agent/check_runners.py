"""Checks of this agent: which runner each registered check gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proconsul.features.catalog.definition import CheckType
from proconsul.features.catalog.model import HealthCheck

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent


class CheckRunners:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._ttl: dict[str, float] = {}

    def start(self, check: HealthCheck, definition: CheckType, *, from_config: bool) -> None:
        if definition.TTL:
            self._ttl[check.CheckID] = definition.TTL / 1e9

    def stop(self, check_id: str) -> None:
        self._ttl.pop(check_id, None)

    def set_ttl(self, check_id: str, status: str, output: str) -> float | None:
        if check_id not in self._ttl:
            return None
        self._agent.local.update_check(check_id, status, output)
        return self._ttl[check_id]

    def stop_all(self) -> None:
        self._ttl.clear()
