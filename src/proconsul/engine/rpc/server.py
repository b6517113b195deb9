"""The server side of msgpack-rpc: one conversation per yamux stream, or one on a bare connection (RPC reference, 3).

A conversation answers one request at a time, in order. Handlers that answer at once cost no task and no future; one
that waits is cancelled when its client goes away. Whatever a handler raises, the conversation goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from proconsul.engine.rpc.codec import EMPTY, Message, MessageReader, encode_error, encode_reply
from proconsul.engine.rpc.connection import WRITE_BUFFER_BYTES_HIGH, SessionProtocol
from proconsul.engine.rpc.errors import CodecError, RpcFailure
from proconsul.engine.rpc.yamux import (
    DEFAULT_LIMITS,
    WINDOW_BYTES,
    Closed,
    Data,
    Event,
    Limits,
    Reset,
    StreamOpened,
    WaitingFull,
    Writable,
)
from proconsul.engine.wire.hostport import join_host_port
from proconsul.engine.wire.msgpack import DecodeError, decode, encode

# The largest requests are transactions and values of the KV store, half a megabyte unless configured otherwise, which
# operators do up to some megabytes.
REQUEST_BYTES_MAX = 16 << 20
# Requests of one connection that are not complete, or wait for earlier ones of their stream.
COLLECTED_BYTES_MAX = 128 << 20
# With so much waiting for the peer to take it, no further request is begun: one of the largest answers.
WAITING_BYTES_HIGH = 64 << 20

R = TypeVar("R")
Handler = Callable[[Any], Any]
Done = Callable[[], None]


class Peer(NamedTuple):
    """Who is at the other end. ``names``: the DNS names in its certificate, empty without one."""

    host: str
    port: int
    tls: bool = False
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"from={join_host_port(self.host, self.port)}"


class _Method(NamedTuple):
    request_type: Any
    handler: Handler


class RpcServer:
    """Methods by name, and the protocols that serve them."""

    def __init__(
        self, operating_errors: tuple[type[Exception], ...] = (), *, request_bytes_max: int = REQUEST_BYTES_MAX,
        limits: Limits = DEFAULT_LIMITS, log: logging.Logger | None = None,
    ) -> None:  # fmt: skip
        """``operating_errors``: exceptions whose text is for the client; all others are our fault and logged."""
        self.limits = limits
        self.request_bytes_max = request_bytes_max
        self.log = log or logging.getLogger("agent.server.rpc")
        self._operating: tuple[type[Exception], ...] = (RpcFailure, *operating_errors)
        self._methods: dict[str, _Method] = {}
        self._services: set[str] = set()
        self._open: set[_Multiplexed | _Single] = set()

    def register(self, method: str, request_type: type[R], handler: Callable[[R], Any]) -> None:
        """Serve ``method`` ("KVS.Get"): ``handler`` gets a ``request_type``, by the rules of `msgpack.decode`.

        It returns the reply: a record, a plain value, None for an empty struct, or an awaitable of these. A coroutine
        gets a task; a future does without.
        """
        service, dot, _ = method.rpartition(".")
        assert service and dot and method not in self._methods, method
        self._services.add(service)
        self._methods[method] = _Method(request_type, handler)

    def multiplexed(self, peer: Peer, done: Done) -> asyncio.Protocol:
        """For a connection after byte 4. ``done`` is called when it is over."""
        return _Multiplexed(self, peer, done)

    def single(self, peer: Peer, done: Done) -> asyncio.Protocol:
        """For a connection after byte 0 or 7. ``done`` is called when it is over."""
        return _Single(self, peer, done)

    def close(self) -> None:
        """End all connections and what they wait for."""
        for connection in list(self._open):
            connection.shut()

    # ------------------------------------------------------------------ for the connections

    def opened(self, connection: _Multiplexed | _Single) -> None:
        self._open.add(connection)

    def closed(self, connection: _Multiplexed | _Single) -> None:
        self._open.discard(connection)

    def begin(self, message: Message) -> Any:
        """Decode and handle a request: the encoded body of its answer, or an awaitable of the reply.

        Raises _Refused when it cannot be dispatched, and whatever the handler raises.
        """
        method = self._methods.get(message.method)
        if method is None:
            raise _Refused(self._unknown(message.method))
        try:
            request = decode(method.request_type, message.body)
        except DecodeError as error:
            raise _Refused(f"codec.decoder: {error}") from None
        reply = method.handler(request)
        return reply if hasattr(reply, "__await__") else encode_body(reply)

    def _unknown(self, method: str) -> str:
        """Agents recognise older servers by these texts."""
        service, dot, _ = method.rpartition(".")
        if not dot:
            return f"rpc: service/method request ill-formed: {method}"
        return f"rpc: can't find {'method' if service in self._services else 'service'} {method}"

    def error_text(self, method: str, error: BaseException) -> str:
        """What the client is told. What is no operating error is logged with its traceback."""
        if isinstance(error, self._operating):
            return str(error)
        self.log.error("internal error in %s", method, exc_info=error)
        return f"rpc error: internal error in {method}: {type(error).__name__}"


def encode_body(reply: Any) -> bytes:
    """A handler's reply as the second object of a response."""
    return EMPTY if reply is None else encode(reply)


class _Refused(Exception):
    """The request cannot be dispatched: net/rpc answers and closes."""


class _Conversation:
    """Requests of one stream, answered one after another. Subclasses are the way to the peer."""

    __slots__ = ("_ended", "_held", "_reader", "_server", "_work", "peer")

    def __init__(self, server: RpcServer, peer: Peer) -> None:
        self.peer = peer
        self._server = server
        self._reader = MessageReader(server.request_bytes_max)
        self._work: asyncio.Future[Any] | None = None
        self._held = 0  # received, and not given back as credit
        self._ended = False

    def may_begin(self) -> bool:
        """Whether the peer takes answers; when it does again, `go_on` is called."""
        raise AssertionError

    def write(self, data: bytes) -> None:
        raise AssertionError

    def used(self, count: int) -> None:
        """``count`` bytes were taken: room for as many."""

    def finish(self) -> None:
        """Send nothing more after what was written."""
        raise AssertionError

    def abandon(self, reason: str) -> None:
        """End at once: what comes is no msgpack-rpc, or too much."""
        raise AssertionError

    def data(self, data: bytes) -> None:
        """The peer sent something."""
        if self._ended:
            return
        try:
            self._reader.feed(data)
        except CodecError as error:
            self.abandon(str(error))
            return
        self._held += len(data)
        self.go_on()

    def go_on(self) -> None:
        """Begin what can be begun."""
        try:
            while self._work is None and not self._ended:
                if self._reader.buffered and not self.may_begin():
                    return
                message = self._reader.next()
                if message is None:
                    held, self._held = self._held, 0
                    if held:
                        self.used(held)
                    return
                self._begin(message)
        except CodecError as error:
            self.abandon(str(error))

    def end(self) -> None:
        """The peer is gone."""
        self._ended = True
        if self._work is not None:
            self._work.cancel()

    def _begin(self, message: Message) -> None:
        server = self._server
        try:
            body = server.begin(message)
            if type(body) is not bytes:
                self._work = work = asyncio.ensure_future(body)
                work.add_done_callback(partial(self._worked, message))
                return
            answer = encode_reply(message.seq, message.method, body)
        except _Refused as refusal:
            server.log.error('RPC error: conn=%s error="%s"', self.peer, refusal)
            self.write(encode_error(message.seq, message.method, str(refusal)))
            self._ended = True
            self.finish()
            return
        except Exception as error:  # a handler's fault may not end the conversations of others
            answer = encode_error(message.seq, message.method, server.error_text(message.method, error))
        self.write(answer)

    def _worked(self, message: Message, work: asyncio.Future[Any]) -> None:
        self._work = None
        if self._ended:
            if not work.cancelled():
                work.exception()  # nobody is interested any more, not even the event loop
            return
        try:
            answer = encode_reply(message.seq, message.method, encode_body(work.result()))
        except asyncio.CancelledError:
            answer = encode_error(message.seq, message.method, f"rpc error: {message.method} was cancelled")
        except Exception as error:
            answer = encode_error(message.seq, message.method, self._server.error_text(message.method, error))
        self.write(answer)
        self.go_on()


# ---------------------------------------------------------------------- on yamux


class _StreamConversation(_Conversation):
    __slots__ = ("_connection", "_number", "counted")

    def __init__(self, connection: _Multiplexed, number: int) -> None:
        super().__init__(connection.server, connection.peer)
        self._connection = connection
        self._number = number
        self.counted = 0  # of the connection's `collected`

    def go_on(self) -> None:
        super().go_on()
        if not self._ended:
            self._connection.collected += self._reader.buffered - self.counted
            self.counted = self._reader.buffered

    def may_begin(self) -> bool:
        connection = self._connection
        if connection.congested():
            connection.stalled[self._number] = self
            return False
        return not connection.session.is_waiting(self._number)  # `Writable` follows

    def write(self, data: bytes) -> None:
        try:
            self._connection.session.send(self._number, data)
        except WaitingFull as error:
            self.abandon(str(error))
        else:
            self._connection.flush_soon()

    def used(self, count: int) -> None:
        self._connection.session.consume(self._number, count)

    def finish(self) -> None:
        self._connection.session.close(self._number, asyncio.get_running_loop().time())
        self._connection.flush_soon()

    def abandon(self, reason: str) -> None:
        self._server.log.error('RPC error: conn=%s error="%s"', self.peer, reason)
        self._connection.forget(self._number)
        self._connection.session.reset(self._number)
        self._connection.flush_soon()


class _Multiplexed(SessionProtocol):
    """A connection after byte 4."""

    def __init__(self, server: RpcServer, peer: Peer, done: Done) -> None:
        super().__init__(client=False, limits=server.limits)
        self.server, self.peer = server, peer
        # Conversations that have a request, and wait until the peer takes what is there for it.
        self.stalled: dict[int, _StreamConversation] = {}
        self._done = done
        self._streams: dict[int, _StreamConversation] = {}
        # Bytes of requests that are not complete, or not begun.
        self.collected = 0
        server.opened(self)

    def congested(self) -> bool:
        return self.writing_paused or self.session.waiting_bytes > WAITING_BYTES_HIGH

    def forget(self, number: int) -> None:
        """A stream is over; what it works on is cancelled."""
        self.stalled.pop(number, None)
        conversation = self._streams.pop(number, None)
        if conversation is not None:
            self.collected -= conversation.counted
            conversation.end()

    def shut(self) -> None:
        self.session.go_away()
        self.end("server is shutting down")

    def on_event(self, event: Event) -> None:
        number = event[0]
        if type(event) is Data:
            conversation = self._streams.get(number)
            if conversation is not None:
                conversation.data(event.data)
                if self.collected > COLLECTED_BYTES_MAX:
                    conversation.abandon("too many incomplete requests on one connection")
        elif type(event) is StreamOpened:
            self.session.accept(number)
            self._streams[number] = _StreamConversation(self, number)
        elif type(event) is Writable:
            conversation = self._streams.get(number)
            if conversation is not None:
                conversation.go_on()
        elif type(event) in (Closed, Reset):
            self.forget(number)
            if self.session.is_waiting(number):  # an answer that nobody takes any more
                self.session.reset(number)
            else:
                self.session.close(number, self._loop.time())

    def on_turn(self) -> None:
        if self.stalled and not self.congested():
            stalled, self.stalled = self.stalled, {}
            for conversation in stalled.values():
                conversation.go_on()

    def on_lost(self, reason: str) -> None:
        self.server.closed(self)
        for number in list(self._streams):
            self.forget(number)
        self._done()


# ---------------------------------------------------------------------- on a bare connection


class _Single(_Conversation, asyncio.Protocol):
    """A connection after byte 0, or after byte 7 inside TLS."""

    def __init__(self, server: RpcServer, peer: Peer, done: Done) -> None:
        super().__init__(server, peer)
        self._done = done
        self._transport: asyncio.Transport | None = None
        self._writing_paused = self._reading_paused = False
        server.opened(self)

    def may_begin(self) -> bool:
        return not self._writing_paused

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def used(self, count: int) -> None:
        if self._reading_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()

    def finish(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abandon(self, reason: str) -> None:
        self._server.log.error('RPC error: conn=%s error="%s"', self.peer, reason)
        self.shut()

    def shut(self) -> None:
        self.end()
        self.finish()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_HIGH)

    def data_received(self, data: bytes) -> None:
        self.data(data)
        # What is held belongs to requests behind the one that is worked on: no more of these than a stream may have.
        if self._held > WINDOW_BYTES and self._transport is not None and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self.end()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.end()
        self._server.closed(self)
        self._done()
