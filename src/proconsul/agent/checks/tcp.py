"""TCP check: passing when a connection can be made. Source: docs/agent/checks, "TCP + Interval"."""

from __future__ import annotations

import asyncio

from proconsul.agent.checks.base import DialingProbe, ProbeResult
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.dial import DialError

__all__ = ["TcpProbe"]


class TcpProbe(DialingProbe):
    async def run(self) -> ProbeResult:
        try:
            async with asyncio.timeout(self.timeout_s):
                _, writer = await self.dial()
        except DialError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error))
        except TimeoutError:
            return ProbeResult(CheckStatus.CRITICAL, f"dial tcp {self.address}: i/o timeout")
        writer.close()
        return ProbeResult(CheckStatus.PASSING, f"TCP connect {self.address}: Success")
