"""Dialling a server's RPC port: the first byte, TLS where it is due, errors in the words of Go's net package."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, TypeVar

from proconsul.engine.rpc.errors import GETTING_CLIENT, ConnectionFailed
from proconsul.engine.rpc.tls import TlsConnection
from proconsul.engine.streams import connected
from proconsul.engine.wire.goerrors import dial_error
from proconsul.engine.wire.hostport import Address

# Consul's; it covers the TLS handshake too.
DIAL_TIMEOUT_S = 10.0
STREAM_BUFFER_BYTES = 256 << 10
P = TypeVar("P", bound=asyncio.Protocol)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class FirstByte(IntEnum):
    """What a connection to the RPC port is for (RPC reference, section 1)."""

    SINGLE = 0
    RAFT = 1
    OLD_MULTIPLEX = 2
    TLS = 3
    MULTIPLEX = 4
    SNAPSHOT = 5
    GOSSIP = 6
    INSECURE_TLS = 7


class Tls(NamedTuple):
    """How to dial with TLS. ``server_name``: sent, and checked if the context says so ("server.dc1.consul")."""

    context: ssl.SSLContext
    server_name: str


async def dial(
    address: Address, first: FirstByte, factory: Callable[[], P], *, tls: Tls | None = None, source: str = "",
    timeout_s: float = DIAL_TIMEOUT_S,
) -> P:  # fmt: skip
    """Connect and send ``first``, which for INSECURE_TLS stands outside of TLS and for the others inside.

    ``factory`` is called at once. ``source``: our own address to connect from. Raises ConnectionFailed.
    """
    loop, protocol, insecure = asyncio.get_running_loop(), factory(), first is FirstByte.INSECURE_TLS
    try:
        async with asyncio.timeout(timeout_s):
            sock = await _connect(address, source)
            try:
                outer = first if tls is None or insecure else FirstByte.TLS
                await loop.sock_sendall(sock, bytes((outer,)))
            except BaseException:
                sock.close()
                raise
            if tls is None:
                await connected(sock, loop.create_connection(lambda: protocol, sock=sock))
                return protocol
            secured = TlsConnection(protocol, *tls)
            await connected(sock, loop.create_connection(lambda: secured, sock=sock))
            try:
                await secured.handshaken
            except BaseException:
                secured.close()
                raise
    except (OSError, TimeoutError) as error:
        raise ConnectionFailed(GETTING_CLIENT + dial_text(address, error, source)) from error
    if not insecure:
        secured.write(bytes((first,)))
    return protocol


async def dial_streams(
    address: Address, first: FirstByte, *, tls: Tls | None = None, source: str = "", timeout_s: float = DIAL_TIMEOUT_S
) -> Streams:
    """As `dial`, for those who read and write streams."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(STREAM_BUFFER_BYTES, loop)
    protocol = await dial(
        address, first, lambda: _StreamProtocol(reader), tls=tls, source=source, timeout_s=timeout_s
    )  # fmt: skip
    assert protocol.transport is not None
    return reader, asyncio.StreamWriter(protocol.transport, protocol, reader, loop)


class _StreamProtocol(asyncio.StreamReaderProtocol):
    """asyncio's, with its transport to be had."""

    transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        super().connection_made(transport)


async def _connect(address: Address, source: str) -> socket.socket:
    """A connected socket. Raises OSError."""
    loop = asyncio.get_running_loop()
    try:  # servers are known by their addresses, for which no thread is needed
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await loop.getaddrinfo(*address, type=socket.SOCK_STREAM)
    last: OSError = socket.gaierror(socket.EAI_NONAME, "no addresses")
    for family, kind, protocol, _, target in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source and (":" in source) == (family == socket.AF_INET6):
                sock.bind((source, 0))
            await loop.sock_connect(sock, target)
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise last


def dial_text(address: Address, error: BaseException, source: str = "") -> str:
    """Why a connection failed, in the words operators search for."""
    route = f"{Address(source, 0)}->{address}" if source else str(address)
    return dial_error(route, error, host=address.host)
