"""HTTP/2 ping check: passing when the server answers a PING frame.

Source: docs (1.10 and newer), "H2ping + Interval".
"""

from __future__ import annotations

import asyncio

from proconsul.agent.checks.base import DialingProbe, ProbeResult
from proconsul.agent.checks.h2 import H2Connection, H2Error
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.dial import DialError

__all__ = ["H2PingProbe"]


class H2PingProbe(DialingProbe):
    async def run(self) -> ProbeResult:
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._ping()
        except DialError as error:
            return ProbeResult(CheckStatus.CRITICAL, f"Failed to dial to {self.address}: {error}")
        except H2Error as error:
            return ProbeResult(CheckStatus.CRITICAL, f"HTTP2 ping failed: {error}")
        except TimeoutError:
            return ProbeResult(CheckStatus.CRITICAL, "HTTP2 ping failed: context deadline exceeded")
        return ProbeResult(CheckStatus.PASSING, "HTTP2 ping was successful")

    async def _ping(self) -> None:
        connection = H2Connection(await self.dial())
        try:
            await connection.ping()
        finally:
            connection.close()
