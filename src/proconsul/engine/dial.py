"""Open connections as Go's ``net`` package does, with its error texts: for checks, and for requests over HTTP."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from proconsul.engine.lookup import DialError, is_ip, lookup_error
from proconsul.engine.unix_sockets import require_unix
from proconsul.engine.wire.goerrors import dial_error, errno_text, is_no_tls, server_name_error, tls_error
from proconsul.engine.wire.hostport import PORT_MAX, AddressError, join_host_port

if TYPE_CHECKING:
    import ssl

__all__ = ["DialError", "Stream", "dial", "dial_unix", "resolve"]

# RFC 6555: how long the preferred address family may take before the other one is tried as well.
_FALLBACK_DELAY_S: Final = 0.3
# 64 KiB: one header line or frame at most; bodies are read in pieces.
_STREAM_BYTES_MAX: Final = 64 * 1024

# Where we connect to when no host is named.
_OURSELVES: Final = "127.0.0.1"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, that of none for this one. Raises DialError."""
    if not host or is_ip(host):
        return [host]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise DialError(f"dial tcp: {lookup_error(host)}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connect(host: str, port: int, context: ssl.SSLContext | None, server_name: str | None) -> Stream:
    import ssl as ssl_module

    shown, host = join_host_port(host, port), host or _OURSELVES
    try:
        return await asyncio.open_connection(
            host, port, ssl=context, server_hostname=server_name if context else None, limit=_STREAM_BYTES_MAX
        )
    except ssl_module.SSLError as error:  # before ValueError, which some of them are
        raise DialError(tls_error(error), not_tls=is_no_tls(error)) from None
    except (ValueError, TypeError):  # no name that could be asked for; zero bytes are of the wrong type
        raise DialError(server_name_error(server_name or "")) from None
    except OSError as error:
        if context is not None and isinstance(error, ConnectionResetError):
            raise DialError(f"read tcp {shown}: read: {errno_text(error)}") from None
        raise DialError(dial_error(shown, error)) from None


async def dial(host: str, port: int, context: ssl.SSLContext | None = None, server_name: str = "") -> Stream:
    """Connect to the first address of ``host`` that answers; the other family joins in after 300 ms.

    Raises DialError. The caller sets the timeout.
    """
    if port > PORT_MAX:
        raise DialError(f"dial tcp: {AddressError(str(port), 'invalid port')}")
    addresses = await resolve(host, port)
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


async def _race(preferred: list[str], other: list[str], port: int, context: ssl.SSLContext | None, name: str) -> Stream:
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
        require_unix()
        return await asyncio.open_unix_connection(path, limit=_STREAM_BYTES_MAX)
    except OSError as error:
        raise DialError(dial_error(path, error, network="unix")) from None
