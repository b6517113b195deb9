"""gRPC check: the standard health protocol (grpc.health.v1.Health/Check).

Done with our own small HTTP/2 client instead of the grpcio library: that is an optional extra of tens of megabytes with
threads of its own, and one unary call with two fields needs neither. Source: docs/agent/checks, "gRPC + Interval".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.h2 import H2Connection, H2Error, H2Response
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.dial import DialError, dial
from proconsul.engine.lookup import host_and_port

if TYPE_CHECKING:
    import ssl

__all__ = ["GrpcProbe"]

_SERVING: Final = 1
_CODES: Final = (
    "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
    "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
    "Internal", "Unavailable", "DataLoss", "Unauthenticated",
)  # fmt: skip


def _rpc_text(code: str, description: str) -> str:
    return f"rpc error: code = {code} desc = {description}"


class _RpcError(Exception):
    def __init__(self, code: str, description: str) -> None:
        super().__init__(_rpc_text(code, description))


class GrpcProbe:
    def __init__(
        self,
        target: str,
        timeout_s: float,
        context: Callable[[], ssl.SSLContext] | None = None,
        server_name: str = "",
    ) -> None:
        """``target`` is ``host:port`` or ``host:port/service``; ``context`` turns TLS on."""
        self.target = target
        self.address, _, self.service = target.partition("/")
        self.timeout_s = timeout_s
        self.context = context
        self.server_name = server_name

    async def run(self) -> ProbeResult:
        try:
            async with asyncio.timeout(self.timeout_s):
                status = await self._ask()
        except _RpcError as error:
            return ProbeResult(CheckStatus.CRITICAL, str(error))
        except TimeoutError:
            return ProbeResult(CheckStatus.CRITICAL, _rpc_text("DeadlineExceeded", "context deadline exceeded"))
        if status != _SERVING:
            return ProbeResult(CheckStatus.CRITICAL, "gRPC application didn't report service healthy")
        return ProbeResult(CheckStatus.PASSING, f"gRPC check {self.target}: success")

    async def _ask(self) -> int:
        try:
            host, port = host_and_port(self.address)
            stream = await dial(host, port, self.context() if self.context else None, self.server_name)
        except DialError as error:
            raise _RpcError("Unavailable", f'connection error: desc = "{_transport_text(str(error))}"') from None
        connection = H2Connection(stream)
        try:
            response = await connection.call(self._fields(), self._message())
        except H2Error as error:
            raise _RpcError("Unavailable", str(error)) from None
        finally:
            connection.close()
        return _health(response)

    def _fields(self) -> list[tuple[str, str]]:
        return [
            (":method", "POST"),
            (":scheme", "https" if self.context else "http"),
            (":path", "/grpc.health.v1.Health/Check"),
            # The name counts with TLS only, where no connection is made for one that is none.
            (":authority", (self.server_name if self.context else "") or self.address),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]

    def _message(self) -> bytes:
        """``HealthCheckRequest{service}`` in a length-prefixed frame."""
        name = self.service.encode()
        message = b"\x0a" + _varint(len(name)) + name if name else b""
        return b"\x00" + len(message).to_bytes(4, "big") + message


def _transport_text(text: str) -> str:
    if text.startswith(("tls:", "x509:", "remote error:")):
        return f"transport: authentication handshake failed: {text}"
    return f"transport: Error while dialing {text}"


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _health(response: H2Response) -> int:
    """The serving status in the reply. Raises _RpcError for what the server refused."""
    status = response.trailer.get("grpc-status", response.header.get("grpc-status", ""))
    if not status.isdigit():
        code = response.header.get(":status", "")
        raise _RpcError("Unknown", f"unexpected HTTP status code received from server: {code}")
    if status != "0":
        from urllib.parse import unquote

        number = int(status)
        name = _CODES[number] if number < len(_CODES) else f"Code({number})"
        raise _RpcError(name, unquote(response.trailer.get("grpc-message", "")))
    return _status_field(response.body[5:])


def _status_field(message: bytes) -> int:
    """Field 1 of ``HealthCheckResponse``, a small enum; zero when absent."""
    return message[1] if len(message) >= 2 and message[0] == 0x08 else 0
