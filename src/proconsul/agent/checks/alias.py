"""Alias check: has the health of another service or node.

The worst status of the aliased service's own checks and its node's checks. A local service is followed by notification
with a slow refresh; a service on another node by blocking queries. Source: docs/agent/checks, "Alias".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.wire.text import quoted

__all__ = ["AliasFollower", "AliasLookup", "AliasState", "AliasedCheck", "alias_result"]

# 1 min: repairs a missed notification.
_REFRESH_S: Final = 60.0
# Blocking query of remote checks, and how fast we ask again after errors (3 s doubling up to 1 min).
_WAIT_S: Final = 60.0
_RETRY_S: Final = 3.0
_RETRY_S_MAX: Final = 60.0


class AliasedCheck(NamedTuple):
    """The part of a check that aliases look at. ``service_id`` is empty for a node's check."""

    check_id: str
    name: str
    service_id: str
    status: str
    output: str


class AliasState(Protocol):
    """The agent's local state."""

    def alias_checks(self) -> Iterable[AliasedCheck]: ...

    def has_service(self, service_id: str) -> bool: ...

    def on_change(self, service_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` when a check that matters to ``service_id`` changes; return how to stop that."""
        ...


class AliasLookup(Protocol):
    """The catalog, asked with stale reads. Both raise ``OSError`` when it cannot be reached."""

    async def node_checks(self, node: str, index: int, wait_s: float) -> tuple[int, Iterable[AliasedCheck]]: ...

    async def node_has_service(self, node: str, service_id: str) -> bool: ...


def alias_result(
    checks: Iterable[AliasedCheck], service_id: str, node: str, *, service_exists: bool, own_id: str
) -> ProbeResult:
    """The aliased health: first by severity, then by check id, so that equal states give equal texts. Pure."""
    if service_id and not service_exists:
        return ProbeResult(CheckStatus.CRITICAL, f"Service {service_id} could not be found on node {node}")
    owners = ("", service_id) if service_id else ("",)
    relevant = [check for check in checks if check.check_id != own_id and check.service_id in owners]
    for status in (CheckStatus.CRITICAL, CheckStatus.WARNING):
        failing = min((check for check in relevant if check.status == status), default=None)
        if failing is not None:
            return ProbeResult(status, f"Aliased check {quoted(failing.name)} failing: {failing.output}")
    if relevant:
        return ProbeResult(CheckStatus.PASSING, "All checks passing.")
    return ProbeResult(CheckStatus.PASSING, "No checks found.")


class AliasFollower:
    """Follows one alias until cancelled, publishing every result."""

    def __init__(
        self,
        own_id: str,
        node: str,
        service_id: str,
        local: AliasState,
        remote: AliasLookup | None,
        publish: Callable[[ProbeResult], None],
        rng: random.Random,
    ) -> None:
        self.own_id = own_id
        self.node = node
        self.service_id = service_id
        self.local = local
        self.remote = remote
        self.publish = publish
        self.rng = rng

    async def run(self) -> None:
        if self.node and self.remote is not None:
            await self._follow_remote(self.remote)
        else:
            await self._follow_local()

    def local_result(self) -> ProbeResult:
        exists = self.local.has_service(self.service_id)
        checks = self.local.alias_checks()
        return alias_result(checks, self.service_id, self.node, service_exists=exists, own_id=self.own_id)

    async def _follow_local(self) -> None:
        changed = asyncio.Event()
        stop = self.local.on_change(self.service_id, changed.set)
        try:
            while True:
                changed.clear()
                self.publish(self.local_result())
                try:
                    async with asyncio.timeout(_REFRESH_S):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            stop()

    async def _follow_remote(self, remote: AliasLookup) -> None:
        index, failures = 0, 0
        while True:
            try:
                index, checks = await remote.node_checks(self.node, index, _WAIT_S)
                exists = not self.service_id or await remote.node_has_service(self.node, self.service_id)
            except OSError as error:
                failures += 1
                self.publish(ProbeResult(CheckStatus.CRITICAL, f"Failure checking aliased node or service: {error}"))
                delay_s = min(_RETRY_S * 2 ** min(failures - 1, 5), _RETRY_S_MAX)
                await asyncio.sleep(delay_s + self.rng.uniform(0, delay_s / 4))
                continue
            failures = 0
            result = alias_result(checks, self.service_id, self.node, service_exists=exists, own_id=self.own_id)
            self.publish(result)
