"""UDP check: send a datagram; a reply or silence is passing, a refusal is critical.

Source: docs (1.13 and newer), "UDP + Interval".
"""

from __future__ import annotations

import asyncio
import errno
import socket

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.dial import DialError, resolve
from proconsul.engine.lookup import host_and_port
from proconsul.engine.wire.goerrors import errno_text

__all__ = ["UdpProbe"]

# One octet of the answer is enough to know there is one.
_ANSWER_BYTES_MAX = 1


class UdpProbe:
    def __init__(self, address: str, timeout_s: float) -> None:
        self.address = address
        self.timeout_s = timeout_s

    async def run(self) -> ProbeResult:
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._ask()
        except TimeoutError:
            pass  # Silence is what most UDP services answer to an empty datagram.
        except DialError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error).replace("dial tcp", "dial udp", 1))
        except OSError as error:
            refused = error.errno == errno.ECONNREFUSED
            text = (
                f"read udp {self.address}: read: {errno_text(error)}"
                if refused
                else (f"dial udp {self.address}: {errno_text(error)}")
            )
            return ProbeResult(CheckStatus.CRITICAL, text)
        return ProbeResult(CheckStatus.PASSING, f"UDP connect {self.address}: Success")

    async def _ask(self) -> None:
        host, port = host_and_port(self.address, "udp")
        address = (await resolve(host, port))[0] or "127.0.0.1"
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.connect((address, port))
            # A plain socket, because the event loop's datagram transport drops empty datagrams.
            sock.send(b"")
            await asyncio.get_running_loop().sock_recv(sock, _ANSWER_BYTES_MAX)
