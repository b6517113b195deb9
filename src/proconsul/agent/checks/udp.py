"""UDP check: send a datagram; a reply or silence is passing, a refusal is critical.

Source: docs (1.13 and newer), "UDP + Interval".
"""

from __future__ import annotations

import asyncio
import errno

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.dial import DialError, errno_text, split_host_port
from proconsul.agent.checks.status import CheckStatus

__all__ = ["UdpProbe"]

_PAYLOAD = b""


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done():
            self.answer.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


class UdpProbe:
    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s

    async def run(self) -> ProbeResult:
        try:
            host, port = split_host_port(self.address)
        except DialError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error).replace("dial tcp", "dial udp"))
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                _Protocol, remote_addr=(host or "127.0.0.1", port)
            )
        except OSError as error:
            return ProbeResult(CheckStatus.CRITICAL, f"dial udp {self.address}: {errno_text(error)}")
        try:
            transport.sendto(_PAYLOAD)
            async with asyncio.timeout(self.timeout_s):
                await protocol.answer
        except TimeoutError:
            pass  # Silence is what most UDP services answer to an empty datagram.
        except OSError as error:
            step = "read: connection refused" if error.errno == errno.ECONNREFUSED else errno_text(error)
            return ProbeResult(CheckStatus.CRITICAL, f"read udp {self.address}: {step}")
        finally:
            transport.close()
        return ProbeResult(CheckStatus.PASSING, f"UDP connect {self.address}: Success")
