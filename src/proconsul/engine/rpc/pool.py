"""Calls to servers: one multiplexed connection per server, its streams used again (RPC reference, section 3).

A stream carries one call at a time; parallel calls take parallel streams.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from proconsul.engine.completion import Completion, tell, tell_error
from proconsul.engine.rpc.codec import EMPTY, Empty, Message, MessageReader, encode_request
from proconsul.engine.rpc.connection import SessionProtocol
from proconsul.engine.rpc.dial import DIAL_TIMEOUT_S, FirstByte, Streams, Tls, dial, dial_streams
from proconsul.engine.rpc.errors import (
    GETTING_CLIENT,
    CodecError,
    ConnectionFailed,
    ConnectionLost,
    RpcError,
    RpcFailure,
    RpcOverload,
    RpcTimeout,
)
from proconsul.engine.rpc.yamux import Closed, Data, Event, GoneAway, Reset, WaitingFull
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import BUFFER_BYTES_MAX, DecodeError, decode, encode

T = TypeVar("T")

# Calls that wait for a stream while 256 are not acknowledged: what an agent's HTTP clients may have under way at once
# when a server is stuck. Further ones fail, as they would by waiting.
CALLS_WAITING_MAX = 4096
# Servers that do not take the last of what they were sent are not waited for longer.
CLOSE_TIMEOUT_S = 2.0
# A server that answers no ping for so long, when there is reason to doubt it, is not waited for.
EXAMINE_S = 2.0
TIMED_OUT = "i/o deadline reached"


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How long connections live and what they keep. The values of a client agent."""

    idle_streams_max: int = 32
    idle_s: float = 127.0
    dial_timeout_s: float = DIAL_TIMEOUT_S
    reply_bytes_max: int = BUFFER_BYTES_MAX


CLIENT_LIMITS = PoolLimits()
SERVER_LIMITS = PoolLimits(idle_streams_max=64, idle_s=120.0)


class _Key(NamedTuple):
    address: Address
    tls: Tls | None


class _Stream:
    """One stream and the call it carries, if any."""

    __slots__ = ("call", "number", "reader", "seq")

    def __init__(self, number: int, reply_bytes_max: int) -> None:
        self.number = number
        self.reader = MessageReader(reply_bytes_max)
        self.seq = 0
        self.call: Call | None = None


class Call:
    """A call under way, whose outcome goes to ``waiter``: the encoded reply, or an RpcFailure."""

    __slots__ = ("_connection", "_flushes", "_stream", "_timer", "waiter")

    def __init__(
        self, connection: _Connection, stream: _Stream, waiter: Completion, timer: asyncio.TimerHandle
    ) -> None:  # fmt: skip
        self._connection, self._stream, self._timer = connection, stream, timer
        self._flushes = connection.flushes
        self.waiter = waiter
        stream.call = self

    @property
    def sent(self) -> bool:
        """False while nothing of it can have reached the server."""
        return self._connection.flushes != self._flushes

    def end(self, outcome: Message | RpcFailure) -> None:
        """Tell the waiter, and carry nothing any more."""
        self._timer.cancel()
        self._stream.call = None
        if not isinstance(outcome, Message):
            tell_error(self.waiter, outcome)
        elif outcome.error:
            tell_error(self.waiter, RpcError(outcome.error))
        else:
            tell(self.waiter, outcome.body)

    def cancel(self) -> None:
        """Nobody waits any more. An answer that still comes would be taken for that of the next call."""
        if self._stream.call is self:
            self._timer.cancel()
            self._stream.call = None
            self._connection.drop(self._stream)


class _Connection(SessionProtocol):
    """One connection to a server and its calls."""

    def __init__(self, limits: PoolLimits) -> None:
        super().__init__(client=True)
        self._limits = limits
        self._streams: dict[int, _Stream] = {}
        self._idle: list[_Stream] = []
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._last_used = self._loop.time()
        self.lost = self._loop.create_future()

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer on it."""
        return len(self._streams) > len(self._idle) or bool(self._waiters)

    @property
    def usable(self) -> bool:
        """Whether new calls may be made on it."""
        return self.is_open and not self.session.used_up

    async def call(self, method: str, body: bytes, timeout_s: float) -> bytes:
        """The encoded reply. Raises RpcFailure."""
        due = self._loop.time() + timeout_s
        stream = self._free() or await self._when_free(due)
        future: asyncio.Future[bytes] = self._loop.create_future()
        call = self._begin(future, stream, method, body, due)
        try:
            return await future
        finally:
            call.cancel()

    def begin(self, waiter: Completion, method: str, body: bytes, timeout_s: float) -> Call | None:
        """As `call`, for those who do not wait for a stream: None when none is free. Raises RpcOverload."""
        stream = self._free() if not self._waiters else None
        return self._begin(waiter, stream, method, body, self._loop.time() + timeout_s) if stream is not None else None

    def _begin(self, waiter: Completion, stream: _Stream, method: str, body: bytes, due: float) -> Call:
        try:
            self.session.send(stream.number, encode_request(stream.seq, method, body))
        except WaitingFull as error:
            self.drop(stream)
            raise RpcOverload(str(error)) from None
        stream.seq += 1
        call = Call(self, stream, waiter, self._loop.call_at(due, self._expired, stream))
        self.flush_soon()
        return call

    def _expired(self, stream: _Stream) -> None:
        assert stream.call is not None
        stream.call.end(RpcTimeout(TIMED_OUT))
        self.drop(stream)

    def _free(self) -> _Stream | None:
        """A stream for a call, None when no more can be opened now, or the connection is lost."""
        if self._idle:
            return self._idle.pop()
        if not self.is_open or not self.session.can_open:
            return None
        number = self.session.open()
        stream = self._streams[number] = _Stream(number, self._limits.reply_bytes_max)
        return stream

    async def _when_free(self, due: float) -> _Stream:
        """A stream that became free or could be opened again. Raises RpcFailure."""
        while self.usable:
            stream = self._free()
            if stream is not None:
                return stream
            if len(self._waiters) >= CALLS_WAITING_MAX:
                raise RpcOverload("too many calls are waiting for the server")
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            timer = self._loop.call_at(due, _give_up, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                with contextlib.suppress(ValueError):
                    self._waiters.remove(waiter)
        raise ConnectionLost("EOF")

    def drop(self, stream: _Stream) -> None:
        """Give a stream up, with the call on it: the server cancels what it does for it.

        It is closed, not reset: the original logs a reset as an error. What it still answers is read and forgotten.
        """
        call = stream.call
        self._last_used = self._loop.time()
        if self._streams.pop(stream.number, None) is not None:
            if stream in self._idle:
                self._idle.remove(stream)
            self.session.close(stream.number, self._last_used)
            self.flush_soon()
        if call is not None:
            call.end(ConnectionLost("EOF"))

    def on_event(self, event: Event) -> None:
        stream = self._streams.get(event[0])
        if type(event) is Data:
            self.session.consume(event.stream, len(event.data))
            if stream is not None:
                self._received(stream, event.data)
        elif stream is not None and type(event) in (Closed, Reset):
            self.drop(stream)
        elif type(event) is GoneAway and self.idle_deadline() is not None:
            self.end("server accepts no more calls")

    def _received(self, stream: _Stream, data: bytes) -> None:
        call = stream.call
        if call is None:
            self._reject(stream, "answer to no request")
            return
        try:
            stream.reader.feed(data)
            message = stream.reader.next()
            if message is None:
                return
            if message.seq != stream.seq - 1 or stream.reader.buffered:
                raise CodecError("answer to another request")
        except CodecError as error:
            self._reject(stream, str(error))
            return
        self._last_used = self._loop.time()
        # After an error the server may be closing the stream: it does when it could not dispatch the request.
        if not message.error and len(self._idle) < self._limits.idle_streams_max:
            self._idle.append(stream)
        else:
            del self._streams[stream.number]
            self.session.close(stream.number, self._last_used)
        call.end(message)

    def _reject(self, stream: _Stream, reason: str) -> None:
        """What came is no answer: nothing more of it is wanted."""
        if stream.call is not None:
            stream.call.end(ConnectionLost(reason))
        self.session.reset(stream.number)
        self.drop(stream)

    def on_turn(self) -> None:
        room = len(self._idle) + (1 if self.session.can_open else 0) if self._waiters else 0
        while room and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                room -= 1

    def idle_deadline(self) -> float | None:
        if self.is_busy:
            return None
        return self._last_used + self._limits.idle_s

    def on_lost(self, reason: str) -> None:
        for stream in list(self._streams.values()):
            self.drop(stream)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ConnectionLost("EOF"))
        if not self.lost.done():
            self.lost.set_result(None)


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(RpcTimeout(TIMED_OUT))


class ConnectionPool:
    """Calls by address. ``source``: our own address to dial from, which the texts of errors name.

    ``tls``: how to dial where a call does not say, asked every time; connections made another way live until idle.
    """

    def __init__(
        self, limits: PoolLimits = CLIENT_LIMITS, *, source: str = "", tls: Callable[[], Tls | None] = lambda: None
    ) -> None:
        self._limits = limits
        self._tls = tls
        self._source = source
        # For new calls; those that the server wants no more of are only among all.
        self._connections: dict[_Key, _Connection] = {}
        self._all: set[_Connection] = set()
        self._dialling: dict[_Key, asyncio.Task[_Connection | ConnectionFailed]] = {}
        self._closed = False

    async def call(
        self, address: Address, method: str, request: Any, reply_type: type[T], *, timeout_s: float,
        tls: Tls | None = None,
    ) -> T:  # fmt: skip
        """Call ``method`` ("KVS.Get") of the server at ``address``; ``request`` None is an empty struct.

        ``timeout_s`` covers dialling too. Cancelling ends the call at the server as well. Raises RpcError for the
        server's error text, other RpcFailures where there is no answer, DecodeError for one of another type.
        """
        key = _Key(address, tls or self._tls())
        connection = self._connections.get(key)
        if connection is None or not connection.usable:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            connection = await self._connected(key, timeout_s)
            timeout_s -= loop.time() - begun
        reply = await connection.call(method, EMPTY if request is None else encode(request), timeout_s)
        return decode(reply_type, reply)

    def begin(
        self,
        waiter: Completion,
        address: Address,
        method: str,
        request: Any,
        *,
        timeout_s: float,
        tls: Tls | None = None,
    ) -> Call | None:
        """As `call`, but the encoded reply or the RpcFailure goes to ``waiter`` the moment it is there.

        None, and nothing was asked, when it cannot be sent at once: nothing is connected, or too much under way.
        Raises RpcOverload.
        """
        connection = self._connections.get(_Key(address, tls or self._tls()))
        if connection is None or not connection.usable:
            return None
        return connection.begin(waiter, method, EMPTY if request is None else encode(request), timeout_s)

    async def ping(self, address: Address, *, timeout_s: float, tls: Tls | None = None) -> bool:
        """Whether a server answers there."""
        try:
            await self.call(address, "Status.Ping", None, Empty, timeout_s=timeout_s, tls=tls)
        except (RpcFailure, DecodeError):
            return False
        return True

    async def open_snapshot(self, address: Address, *, tls: Tls | None = None) -> Streams:
        """A connection for saving or restoring a snapshot (RPC reference, section 6). Raises ConnectionFailed."""
        return await self._streams(address, FirstByte.SNAPSHOT, tls)

    async def dial_raft(self, address: Address, *, tls: Tls | None = None) -> Streams:
        """A connection for Raft's transport. Raises ConnectionFailed."""
        return await self._streams(address, FirstByte.RAFT, tls)

    async def _streams(self, address: Address, first: FirstByte, tls: Tls | None) -> Streams:
        return await dial_streams(
            address, first, tls=tls or self._tls(), source=self._source, timeout_s=self._limits.dial_timeout_s
        )  # fmt: skip

    def examine(self) -> None:
        """Find out which servers still answer, and end the calls to those that do not.

        The kernel of a process that stands still goes on accepting what is sent to it; without this its callers would
        wait for the time-outs of their calls.
        """
        for connection in self._all:
            if connection.is_busy:
                connection.examine(EXAMINE_S)

    async def close(self) -> None:
        """End all calls and connections."""
        self._closed = True
        for task in self._dialling.values():
            task.cancel()
        await asyncio.gather(*self._dialling.values(), return_exceptions=True)
        connections = list(self._all)
        for connection in connections:
            connection.session.go_away()
            connection.end("pool is closed")
        if connections:
            await asyncio.wait([connection.lost for connection in connections], timeout=CLOSE_TIMEOUT_S)
        for connection in connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _connected(self, key: _Key, timeout_s: float) -> _Connection:
        """The connection for ``key``; those who want it at the same time share one dial."""
        if self._closed:
            raise ConnectionFailed(GETTING_CLIENT + "rpc: client pool is shut down")
        task = self._dialling.get(key)
        if task is None:
            task = self._dialling[key] = asyncio.get_running_loop().create_task(self._dial(key))
            task.add_done_callback(lambda _: self._dialling.pop(key, None))
        try:
            async with asyncio.timeout(timeout_s):
                result = await asyncio.shield(task)
        except TimeoutError:
            raise RpcTimeout(TIMED_OUT) from None
        except asyncio.CancelledError:
            if self._closed and task.cancelled():
                raise ConnectionFailed(GETTING_CLIENT + "rpc: client pool is shut down") from None
            raise
        if isinstance(result, ConnectionFailed):
            raise ConnectionFailed(str(result)) from result
        return result

    async def _dial(self, key: _Key) -> _Connection | ConnectionFailed:
        limits = self._limits
        try:
            connection = await dial(
                key.address, FirstByte.MULTIPLEX, lambda: _Connection(limits), tls=key.tls, source=self._source,
                timeout_s=limits.dial_timeout_s,
            )  # fmt: skip
        except ConnectionFailed as error:
            return error
        self._connections[key] = connection
        self._all.add(connection)

        def gone(_: object) -> None:
            self._all.discard(connection)
            if self._connections.get(key) is connection:
                del self._connections[key]

        connection.lost.add_done_callback(gone)
        return connection
