"""HTTP/2 ping check: passing when the server answers a PING frame.

Source: docs (1.10 and newer), "H2ping + Interval".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.dial import DialError, dial, split_host_port
from proconsul.agent.checks.h2 import H2Connection, H2Error
from proconsul.agent.checks.status import CheckStatus

if TYPE_CHECKING:
    import ssl

__all__ = ["H2PingProbe"]


class H2PingProbe:
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
        host, port = split_host_port(self.address)
        stream = await dial(host, port, self.context() if self.context else None, self.server_name)
        connection = H2Connection(stream)
        try:
            await connection.ping()
        finally:
            connection.close()
