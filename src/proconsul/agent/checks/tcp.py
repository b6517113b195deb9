"""TCP check: passing when a connection can be made. Source: docs/agent/checks, "TCP + Interval"."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.dial import DialError, dial, split_host_port
from proconsul.agent.checks.status import CheckStatus

if TYPE_CHECKING:
    import ssl

__all__ = ["TcpProbe"]


class TcpProbe:
    def __init__(
        self,
        address: str,
        timeout_s: float,
        context: Callable[[], ssl.SSLContext] | None = None,
        server_name: str = "",
    ) -> None:
        self.address = address
        self.timeout_s = timeout_s
        self.context = context
        self.server_name = server_name

    async def run(self) -> ProbeResult:
        try:
            host, port = split_host_port(self.address)
            async with asyncio.timeout(self.timeout_s):
                _, writer = await dial(host, port, self.context() if self.context else None, self.server_name)
        except DialError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error))
        except TimeoutError:
            return ProbeResult(CheckStatus.CRITICAL, f"dial tcp {self.address}: i/o timeout")
        writer.close()
        return ProbeResult(CheckStatus.PASSING, f"TCP connect {self.address}: Success")
