"""DNS sockets: UDP and TCP on one address.

UDP is read straight from the socket, many packets for each wake-up of the loop: nothing is queued in between, and an
answer that is known costs two system calls and one dictionary lookup.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from proconsul.dns.responder import DOMAIN_QUERY, REVERSE_QUERY, Responder
from proconsul.engine.streams import listener
from proconsul.engine.wire.goerrors import listening
from proconsul.engine.wire.hostport import Address

log = logging.getLogger("agent.dns")

# Packets read before the loop may do other work; at 10 us each this holds up others by under a millisecond.
BATCH_PACKETS = 64
# Larger queries than this do not exist: one question and two additional records.
UDP_QUERY_BYTES_MAX = 4096
# Enough for bursts of some ten thousand small queries while the loop does something else.
SOCKET_BUFFER_BYTES = 4 << 20

# Connections are cheap but not free; stub resolvers keep one each.
CONNECTIONS_MAX = 4096
# RFC 7766 asks for "on the order of a few seconds"; the original uses 8.
IDLE_S = 8.0
SWEEP_S = 2.0


class UdpListener:
    """One UDP socket."""

    def __init__(self, responder: Responder, clock: Callable[[], float]) -> None:
        self.responder = responder
        self._clock = clock
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises ListenError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
            sock.setblocking(False)
            with listening("udp", Address(host, port)):
                sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        self._socket = sock
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(sock.fileno(), self._readable)
        except NotImplementedError:
            # Event loops without readiness (Windows) go the longer way.
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.responder), sock=sock)
            self._transport = transport
        return int(sock.getsockname()[1])

    def _readable(self) -> None:
        sock = self._socket
        assert sock is not None
        receive, send = sock.recvfrom, sock.sendto
        responder = self.responder
        known = responder.udp_cache.entries.get
        now = domain = reverse = 0
        began = responder.stopwatch()
        for _ in range(BATCH_PACKETS):
            try:
                packet, address = receive(UDP_QUERY_BYTES_MAX)
            except BlockingIOError:
                break
            except OSError as error:
                # A port-unreachable of an earlier answer; nothing is wrong with this socket.
                log.debug("failed to read: error=%s", error)
                continue
            entry = known(packet[2:])
            if entry is None or entry.count < entry.wanted:
                self._slow(sock, packet, address)
                continue
            if entry.second:
                now = now or int(self._clock())
                if entry.second != now:
                    self._slow(sock, packet, address)
                    continue
            if entry.reverse:
                reverse += 1
            else:
                domain += 1
            try:
                send(packet[:2] + entry.next(), address)
            except OSError as error:
                log.debug("failed to respond: error=%s", error)
        if domain or reverse:
            mean_ms = (responder.stopwatch() - began) * 1000.0 / (domain + reverse)
            if domain:
                responder.measure(DOMAIN_QUERY, mean_ms, domain)
            if reverse:
                responder.measure(REVERSE_QUERY, mean_ms, reverse)

    def _slow(self, sock: socket.socket, packet: bytes, address: Any) -> None:
        def send(answer: bytes) -> None:
            try:
                sock.sendto(answer, address)
            except OSError as error:
                log.warning("failed to respond: error=%s", error)

        self.responder.handle(packet, send, tcp=False, client=address[0])

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        elif self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        transport = self.transport
        assert transport is not None

        def send(answer: bytes) -> None:
            if not transport.is_closing():  # else the listener ended while the answer was made
                transport.sendto(answer, addr)

        self.responder.handle(data, send, tcp=False, client=addr[0])


class TcpListener:
    """One TCP socket and its connections."""

    def __init__(self, responder: Responder, clock: Callable[[], float]) -> None:
        self.responder = responder
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self.connections: set[TcpConnection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises ListenError."""
        loop = asyncio.get_running_loop()
        with listening("tcp", Address(host, port)):
            making = loop.create_server(lambda: TcpConnection(self), host, port, backlog=512)
            self._server = await listener(making)
        self._sweeper = loop.call_later(SWEEP_S, self._sweep)
        return int(self._server.sockets[0].getsockname()[1])

    def now(self) -> float:
        return self._clock()

    def _sweep(self) -> None:
        oldest = self._clock() - IDLE_S
        for connection in [connection for connection in self.connections if connection.active_at < oldest]:
            connection.end()
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.end()


class TcpConnection(asyncio.Protocol):
    """Queries one after the other, each behind its length; answers may overtake each other (RFC 7766)."""

    def __init__(self, listener: TcpListener) -> None:
        self.listener = listener
        self.active_at = listener.now()
        self._transport: asyncio.Transport | None = None
        self._client = ""
        # At most one incomplete query, so never more than 64 KiB and what one read brought.
        self._buffer = b""
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client = (transport.get_extra_info("peername") or ("",))[0]
        if len(self.listener.connections) >= CONNECTIONS_MAX:
            self._transport.abort()
            return
        self.listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.listener.connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        self._consume()

    def _consume(self) -> None:
        buffer = self._buffer
        at = 0
        while not self._paused and self._transport is not None and at + 2 <= len(buffer):
            end = at + 2 + (buffer[at] << 8 | buffer[at + 1])
            if end > len(buffer):
                break
            self.active_at = self.listener.now()
            self.listener.responder.handle(buffer[at + 2 : end], self._send, tcp=True, client=self._client)
            at = end
        self._buffer = buffer[at:]

    def _send(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(struct.pack("!H", len(answer)) + answer)

    def pause_writing(self) -> None:
        # The client does not read its answers: take no more of its questions.
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()
            self._consume()

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
