"""Open connections for checks, with the error texts operators know from the original (Go's ``net`` package)."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proconsul.engine.wire.text import quoted

if TYPE_CHECKING:
    import ssl

__all__ = [
    "DialError", "DialingProbe", "Stream", "dial", "dial_unix", "errno_text", "resolve", "split_host_port",
    "start_tls_text",
]  # fmt: skip

# RFC 6555: how long the preferred address family may take before the other one is tried as well.
_FALLBACK_DELAY_S: Final = 0.3
# 64 KiB: one header line or frame at most; bodies are read in pieces.
_STREAM_BYTES_MAX: Final = 64 * 1024

_NAME: Final = frozenset(string.ascii_letters + string.digits + "-_.")

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class DialError(OSError):
    """The connection could not be made. ``str()`` is the text to show."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class DialingProbe:
    """What a probe needs that opens a connection, with TLS when there is a ``context``."""

    address: str
    timeout_s: float
    context: Callable[[], ssl.SSLContext] | None = None
    server_name: str = ""

    async def dial(self) -> Stream:
        """Raises DialError."""
        host, port = split_host_port(self.address)
        return await dial(host, port, self.context() if self.context else None, self.server_name)


def errno_text(error: OSError) -> str:
    """The system's words for an errno, as Go writes them: lower case."""
    if error.errno is None:
        return str(error)
    if error.errno == errno.ETIMEDOUT:
        return "connection timed out"
    text = os.strerror(error.errno)
    return text[:1].lower() + text[1:]


def split_host_port(address: str, network: str = "tcp") -> tuple[str, int]:
    """Split ``host:port`` or ``[host]:port``; ports may be names of services. Raises DialError with Go's text."""
    if address.startswith("["):
        end = address.find("]")
        if end < 0:
            raise DialError(f"dial tcp: address {address}: missing ']' in address")
        host, rest = address[1:end], address[end + 1 :]
        if not rest.startswith(":"):
            raise DialError(f"dial tcp: address {address}: missing port in address")
        port = rest[1:]
    else:
        host, colon, port = address.rpartition(":")
        if not colon:
            raise DialError(f"dial tcp: address {address}: missing port in address")
        if ":" in host:
            raise DialError(f"dial tcp: address {address}: too many colons in address")
    return host, _port(port, network)


# Names that are known wherever the system's own list is missing.
_PORTS: Final = {
    "tcp": {"domain": 53, "ftp": 21, "ftps": 990, "gopher": 70, "http": 80, "https": 443, "imap2": 143, "imap3": 220,
            "imaps": 993, "pop3": 110, "pop3s": 995, "smtp": 25, "ssh": 22, "telnet": 23},
    "udp": {"domain": 53},
}  # fmt: skip


def _port(text: str, network: str) -> int:
    """A number, or the name of a service. Raises DialError."""
    if not (text.isascii() and text.isdigit()):
        name = text.lower()
        if name in _PORTS[network]:
            return _PORTS[network][name]
        try:
            return socket.getservbyname(name, network)
        except (OSError, ValueError):
            pass
        raise DialError(f"dial tcp: address {network}/{text}: unknown port" if text else "dial tcp: missing port")
    return _checked(int(text))


def _checked(port: int) -> int:
    if port > 65535:
        raise DialError(f"dial tcp: address {port}: invalid port")
    return port


def _name_server() -> str:
    """Whom the system asks for names, as the original mentions it."""
    try:
        with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if len(fields) > 1 and fields[0] == "nameserver":
                    return f" on {fields[1]}:53"
    except OSError:
        return ""
    return ""


def _is_ip(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host; none means this one. Raises DialError."""
    if not host:
        return ["127.0.0.1"]
    if _is_ip(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        server = _name_server() if set(host) <= _NAME else ""  # which is not asked for what is no name
        raise DialError(f"dial tcp: lookup {host}{server}: no such host") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connect(host: str, port: int, context: ssl.SSLContext | None, server_name: str | None) -> Stream:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    import ssl as ssl_module

    try:
        return await asyncio.open_connection(
            host, port, ssl=context, server_hostname=server_name if context else None, limit=_STREAM_BYTES_MAX
        )
    except ssl_module.SSLError as error:
        raise DialError(start_tls_text(error)) from None
    except (ValueError, TypeError):  # no name that could be asked for; zero bytes are of the wrong type
        raise DialError(f"tls: invalid server name {quoted(server_name or '')}") from None
    except OSError as error:
        if context is not None and isinstance(error, ConnectionResetError):
            raise DialError(f"read tcp {shown}: read: {errno_text(error)}") from None
        raise DialError(f"dial tcp {shown}: connect: {errno_text(error)}") from None


async def dial(host: str, port: int, context: ssl.SSLContext | None = None, server_name: str = "") -> Stream:
    """Connect to the first address of ``host`` that answers; the other family joins in after 300 ms.

    Raises DialError. The caller sets the timeout.
    """
    addresses = await resolve(host, _checked(port))
    name = server_name or host
    first_family = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    second_family = [address for address in addresses if address not in first_family]
    if not second_family:
        return await _first_of(first_family, port, context, name)
    return await _race(first_family, second_family, port, context, name)


async def _first_of(addresses: list[str], port: int, context: ssl.SSLContext | None, name: str) -> Stream:
    first_error: DialError | None = None
    for address in addresses:
        try:
            return await _connect(address, port, context, name)
        except DialError as error:
            first_error = first_error or error
    assert first_error is not None
    raise first_error


async def _race(
    preferred: list[str], other: list[str], port: int, context: ssl.SSLContext | None, name: str
) -> Stream:
    async def late() -> Stream:
        return await _first_of(other, port, context, name)

    main = asyncio.ensure_future(_first_of(preferred, port, context, name))
    tasks = {main}
    try:
        done, _ = await asyncio.wait(tasks, timeout=_FALLBACK_DELAY_S)
        if main not in done or main.exception() is not None:
            tasks.add(asyncio.ensure_future(late()))
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.exception() is None:
                    tasks.discard(task)
                    return task.result()
        return await main
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(_close_late)


def _close_late(task: asyncio.Future[Stream]) -> None:
    """A connection that lost the race."""
    if not task.cancelled() and task.exception() is None:
        task.result()[1].close()


async def dial_unix(path: str) -> Stream:
    """Connect to a unix socket. Raises DialError."""
    try:
        return await asyncio.open_unix_connection(path, limit=_STREAM_BYTES_MAX)
    except OSError as error:
        raise DialError(f"dial unix {path}: connect: {errno_text(error)}") from None


def start_tls_text(error: OSError) -> str:
    """Go's words for a failed TLS handshake, where Python's error tells enough."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        if "Hostname mismatch" in error.verify_message or "IP address mismatch" in error.verify_message:
            return f"x509: certificate is not valid for the requested name: {error.verify_message}"
        if error.verify_code == 10:
            return "x509: certificate has expired or is not yet valid"
        return "x509: certificate signed by unknown authority"
    reason = getattr(error, "reason", "") or ""
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"):
        return "tls: first record does not look like a TLS handshake"
    return f"remote error: tls: {reason.lower().replace('_', ' ') or error}"
