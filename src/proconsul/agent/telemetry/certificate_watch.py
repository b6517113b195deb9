"""Looks after the certificates of the agent's own listeners: how long they are good, for the metrics and the log
(Consul docs: agent.tls.cert.expiry)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from proconsul.agent.api.certificates import certificates_now, files_of
from proconsul.agent.config.runtime import ReloadableConfig
from proconsul.agent.part import Part

log = logging.getLogger("agent.tls")

PERIOD_S = 3600.0
# Within so many days of its end a certificate is named in the log, once an hour.
WARN_DAYS = 28


class CertificateWatch(Part):
    """Reads the files at the start, after a reload and every hour."""

    def __init__(
        self, config: ReloadableConfig, node_name: str, *, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._tls, self._node_name, self._clock = config.tls, node_name, clock
        self._ends_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def left_s(self) -> float | None:
        """How long the agent's certificate that ends first is good for; None without one."""
        return None if self._ends_at is None else self._ends_at - self._clock()

    async def start(self) -> None:
        self._again()

    def reloaded(self, config: ReloadableConfig) -> None:
        self._tls = config.tls
        self._again()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _again(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._watch()) if files_of(self._tls) else None
        if self._task is None:
            self._ends_at = None

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(PERIOD_S)

    async def look(self) -> None:
        """Read the files now."""
        now = self._clock()
        found = await certificates_now(self._tls, self._node_name, now)
        own = [one for one in found if one["type"] == "agent" and "not_after" in one]
        self._ends_at = min((now + one["seconds_remaining"] for one in own), default=None)
        for one in found:
            if one["days_remaining"] < WARN_DAYS:
                log.warning("certificate is about to expire, or cannot be read: file=%s expires=%s days=%s",
                            one["path"], one.get("not_after", "unknown"), one["days_remaining"])  # fmt: skip
