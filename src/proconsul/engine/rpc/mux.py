"""The listener on the RPC port: the first byte of a connection says what it is for (RPC reference, section 1).

The byte is read alone, so whoever comes next, a TLS handshake too, finds the connection as if nobody had read from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from proconsul.engine.rpc.dial import STREAM_BUFFER_BYTES, FirstByte
from proconsul.engine.rpc.server import Peer
from proconsul.engine.rpc.tls import TlsConnection
from proconsul.engine.streams import connected
from proconsul.engine.wire.goerrors import listening, tls_error
from proconsul.engine.wire.hostport import Address

# Consul: limits.rpc_handshake_timeout and limits.rpc_max_conns_per_client.
HANDSHAKE_TIMEOUT_S = 5.0
CONNECTIONS_PER_CLIENT_MAX = 100
BACKLOG = 1024
# A peer that does not take the last of what it was sent is not waited for.
CLOSE_TIMEOUT_S = 10.0
# With no file descriptor left there is nothing to do but wait for one.
ACCEPT_RETRY_S = 0.1

# The first byte of a TLS record, for connections that begin with TLS: through mesh gateways, which route by name.
_TLS_RECORD = 0x16
ALPN = {
    "consul/rpc-single": FirstByte.SINGLE,
    "consul/raft": FirstByte.RAFT,
    "consul/rpc-multi": FirstByte.MULTIPLEX,
    "consul/rpc-snapshot": FirstByte.SNAPSHOT,
    "consul/rpc-gossip": FirstByte.GOSSIP,
}
# What may stand inside of TLS.
_INNER = frozenset(FirstByte) - {FirstByte.TLS, FirstByte.INSECURE_TLS}

ProtocolFactory = Callable[[Peer, Callable[[], None]], asyncio.Protocol]
StreamServer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Peer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OnProtocol:
    """Serve with a protocol object; it calls the function it is given when the connection is over."""

    factory: ProtocolFactory


@dataclass(frozen=True, slots=True)
class OnStreams:
    """Serve with a coroutine; the connection is over when it returns."""

    serve: StreamServer


Handler = OnProtocol | OnStreams


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """Contexts of the server side; without one, such connections are refused.

    ``incoming``: behind byte 3. ``native``: for connections that begin with TLS, offering the names in ALPN.
    ``insecure``: behind byte 7, asking for no certificate. ``verify_incoming``: nothing else is let in.
    """

    incoming: ssl.SSLContext | None = None
    native: ssl.SSLContext | None = None
    insecure: ssl.SSLContext | None = None
    verify_incoming: bool = False


NO_TLS = TlsPolicy()


class RpcListener:
    """Accepts connections and hands each to the handler of its first byte."""

    def __init__(
        self, handlers: Mapping[FirstByte, Handler], *, tls: Callable[[], TlsPolicy] = lambda: NO_TLS,
        per_client_max: int = CONNECTIONS_PER_CLIENT_MAX, handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
        log: logging.Logger | None = None,
    ) -> None:  # fmt: skip
        """``tls`` is asked for every connection, so a reload takes effect at once. ``per_client_max`` 0: no limit."""
        self.per_client_max = per_client_max
        self._handlers = handlers
        self._tls = tls
        self._handshake_timeout_s = handshake_timeout_s
        self._log = log or logging.getLogger("agent.server.rpc")
        self._per_client: Counter[str] = Counter()
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which is another for port 0. Raises ListenError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with listening("tcp", Address(host, port)):
            sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
        sock.setblocking(False)
        self._sockets.append(sock)
        self._start(self._accept(sock))
        bound: int = sock.getsockname()[1]
        return bound

    async def close(self) -> None:
        """Accept nothing more, and end what handlers on streams do. Protocol objects are ended by who made them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def connections(self, host: str) -> int:
        """How many connections a client has."""
        return self._per_client[host]

    # ------------------------------------------------------------------ connections

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listening)
            except OSError as error:
                self._log.error("failed to accept RPC conn: %s", error)
                await asyncio.sleep(ACCEPT_RETRY_S)
                continue
            host = address[0]
            if 0 < self.per_client_max <= self._per_client[host]:
                self._log.error("rejecting RPC conn from because rpc_max_conns_per_client exceeded: conn=%s", host)
                sock.close()
                continue
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._per_client[host] += 1
            self._start(self._serve(sock, Peer(host, address[1])))

    def _done(self, host: str) -> None:
        self._per_client[host] -= 1
        if not self._per_client[host]:
            del self._per_client[host]

    async def _serve(self, sock: socket.socket, peer: Peer) -> None:
        """One connection; those on protocol objects go on when this has returned."""
        held = _Held(lambda: self._done(peer.host))
        chosen = None
        try:
            async with asyncio.timeout(self._handshake_timeout_s):
                chosen = await self._choose(sock, peer, held)
        except TimeoutError:
            self._log.error('failed to read byte: conn=%s error="i/o timeout"', peer)
        except ssl.SSLError as error:
            self._log.error('failed to read byte: conn=%s error="%s"', peer, _tls_text(error))
        except OSError as error:
            self._log.error("failed to read byte: conn=%s error=%s", peer, error)
        finally:
            if chosen is None:
                held.release()
            if not held.taken:
                sock.close()
        if isinstance(chosen, _OnStreams):
            try:
                await chosen.run()
            except OSError as error:
                self._log.debug("RPC connection ended: conn=%s error=%s", peer, error)
            except Exception:
                self._log.exception("internal error: conn=%s", peer)
            finally:
                held.release()

    async def _choose(self, sock: socket.socket, peer: Peer, held: _Held) -> asyncio.Protocol | None:
        """Read the first byte, and give the connection to whom it means; None when nobody takes it. Raises OSError."""
        policy = self._tls()
        first = await _peek(sock)
        if first is None:
            return None
        if first == _TLS_RECORD and policy.native is not None:
            return await self._inside(sock, policy.native, peer, held, None)
        sock.recv(1)
        if first in (FirstByte.TLS, FirstByte.INSECURE_TLS):
            known = FirstByte.INSECURE_TLS if first == FirstByte.INSECURE_TLS else None
            context = policy.insecure if known else policy.incoming
            if context is None:
                self._log.warning("TLS connection attempted, server not configured for TLS: conn=%s", peer)
                return None
            return await self._inside(sock, context, peer, held, known)
        if policy.verify_incoming:
            self._log.warning("Non-TLS connection attempted with VerifyIncoming set: conn=%s", peer)
            return None
        handler = self._handler(first, peer)
        if handler is None:
            return None
        protocol = _begin(handler, peer, held)
        held.taken = True
        await connected(sock, asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, sock))
        return protocol

    async def _inside(
        self, sock: socket.socket, context: ssl.SSLContext, peer: Peer, held: _Held, known: FirstByte | None
    ) -> asyncio.Protocol | None:
        """The same inside of TLS; ``known`` when there is no byte there. Raises OSError."""
        held.taken = True
        inner = _InnerByte()
        transport = TlsConnection(inner, context)
        await connected(sock, asyncio.get_running_loop().connect_accepted_socket(lambda: transport, sock))
        try:
            await transport.handshaken
            first: int | None = known
            if first is None:
                first = ALPN.get(transport.get_extra_info("ssl_object").selected_alpn_protocol() or "")
            said = first is None
            if first is None:
                first = await inner.byte
            if first is None:
                return None
            peer = peer._replace(tls=True, names=_names(transport.get_extra_info("peercert")))
            handler = self._handler(first, peer, inner=known is None)
            if handler is None:
                return None
            protocol = _begin(handler, peer, held)
            inner.hand_over(protocol, skip=int(said))
            return protocol
        finally:
            if not inner.handed_over:
                transport.close()

    def _handler(self, first: int, peer: Peer, *, inner: bool = False) -> Handler | None:
        if inner and first == FirstByte.TLS:
            self._log.error("TLS connection attempting to establish inner TLS connection: conn=%s", peer)
            return None
        handler = None if inner and first not in _INNER else self._handlers.get(cast(FirstByte, first))
        if handler is None:
            self._log.error("unrecognized RPC byte: byte=%d conn=%s", first, peer)
        return handler


class _Held:
    """A client's share of the limit, given back once, and whether its socket belongs to a transport by now."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done: Callable[[], None] | None = done
        self.taken = False

    def release(self) -> None:
        if self._done is not None:
            done, self._done = self._done, None
            done()


class _OnStreams(asyncio.StreamReaderProtocol):
    """A connection served by a coroutine."""

    def __init__(self, serve: StreamServer, peer: Peer) -> None:
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(STREAM_BUFFER_BYTES, loop)
        self._connected: asyncio.Future[asyncio.StreamWriter] = loop.create_future()
        self._serve, self._peer = serve, peer
        super().__init__(self._reader, lambda _, writer: self._connected.set_result(writer))

    async def run(self) -> None:
        writer = await self._connected
        try:
            await self._serve(self._reader, writer, self._peer)
            writer.close()
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await writer.wait_closed()
        finally:
            writer.transport.abort()


def _begin(handler: Handler, peer: Peer, held: _Held) -> asyncio.Protocol:
    """The protocol object for a connection."""
    return handler.factory(peer, held.release) if isinstance(handler, OnProtocol) else _OnStreams(handler.serve, peer)


class _InnerByte(asyncio.Protocol):
    """Waits for the first byte inside of TLS; then another protocol takes over, with what came behind it."""

    def __init__(self) -> None:
        # None when the connection ended before.
        self.byte: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._ended = False
        self.handed_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._transport is not None:
            self._transport.pause_reading()  # what comes is for somebody else
        if not self.byte.done():
            self.byte.set_result(data[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if not self.byte.done():
            self.byte.set_result(None)

    def hand_over(self, protocol: asyncio.Protocol, *, skip: int) -> None:
        """Let ``protocol`` have the connection from here on, but for the first ``skip`` bytes."""
        transport = self._transport
        assert transport is not None
        self.handed_over = True
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._data[skip:]:
            protocol.data_received(self._data[skip:])
        if self._ended:
            protocol.connection_lost(None)
        else:
            transport.resume_reading()


async def _peek(sock: socket.socket) -> int | None:
    """The first byte, left where it is; None when the peer has gone. Raises OSError."""
    loop = asyncio.get_running_loop()
    while True:
        readable = asyncio.Event()
        loop.add_reader(sock, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(sock)
        with contextlib.suppress(BlockingIOError, InterruptedError):
            data = sock.recv(1, socket.MSG_PEEK)
            return data[0] if data else None


def _tls_text(error: ssl.SSLError) -> str:
    text = tls_error(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify client certificate: {text}"
    return text


def _names(certificate: Any) -> tuple[str, ...]:
    """The DNS names of a peer's verified certificate."""
    if not certificate:
        return ()
    return tuple(value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")
