"""Raft over the network: hashicorp/raft's transport on connections that somebody else dials and accepts.

Requests follow one another on a connection and are answered in order. To a peer there are up to three: a pipeline for
log entries, one for everything that must not wait behind them, and one for pre-votes, which servers older than raft 1.7
answer by closing. A snapshot gets a connection of its own (Raft wire reference, transport).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgpack

from proconsul.engine.raft.configuration import Server
from proconsul.engine.raft.errors import RaftError, TransportError, UnsupportedRpcError, WireError
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    InstallSnapshotRequest,
    PreVoteRequest,
    Request,
    Response,
    RpcType,
)
from proconsul.engine.raft.transport import Body, Done, Handler
from proconsul.engine.raft.wire import (
    MESSAGE_BYTES_MAX,
    RPC_TYPES,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from proconsul.engine.streams import put

__all__ = ["NetworkTransport"]

TIMEOUT_S = 10.0
# A snapshot may take ten seconds for each of these.
SNAPSHOT_BYTES_PER_TIMEOUT = 256 << 10
READ_BYTES = 256 << 10
# Pieces of an incoming snapshot that wait for the disk before the connection is read no further.
BODY_PIECES_MAX = 16
# A disk that takes no piece for so long has failed, or nobody is interested any more.
STORE_TIMEOUT_S = 60.0
# Requests of one connection that wait for their answer: peers pipeline 128 at most, and never more in total.
REQUESTS_WAITING_MAX = 256

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[Server], Awaitable[Streams]]


class _Buffer:
    """Bytes of a connection and the requests or responses at their start.

    Whether a large message is complete is found by passing over its objects once, not by decoding it again and again.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self._passing: msgpack.Unpacker | None = None

    def feed(self, data: bytes) -> None:
        self.data += data
        if self._passing is not None:
            self._passing.feed(data)

    def drop(self, count: int) -> None:
        del self.data[:count]
        self._passing = None

    def is_complete(self) -> bool:
        """Whether the two objects of a message are there. Raises WireError."""
        if self._passing is None:
            self._passing = msgpack.Unpacker(max_buffer_size=MESSAGE_BYTES_MAX)
            self._passing.feed(self.data)
            self._left = 2
        try:
            while self._left:
                self._passing.skip()
                self._left -= 1
        except msgpack.OutOfData:
            if len(self.data) >= MESSAGE_BYTES_MAX:
                raise WireError("failed to decode rpc: message too large") from None
            return False
        except (ValueError, msgpack.UnpackException) as error:
            raise WireError(f"failed to decode rpc: {error}") from error
        return True

    def request(self) -> Request | None:
        """Take the request at the start, None when it is not all there. Raises WireError."""
        if not self.data:
            return None
        if self.data[0] not in RpcType._value2member_map_:
            raise WireError(f"unknown rpc type {self.data[0]}")
        if self._passing is not None and not self.is_complete():
            return None
        found = decode_request(bytes(self.data))
        if found is None:
            self.is_complete()
            return None
        self.drop(found[1])
        return found[0]

    def response(self, kind: RpcType) -> tuple[Response, str] | None:
        """Take the response to a request of ``kind``, None when it is not all there. Raises WireError."""
        found = decode_response(kind, bytes(self.data))
        if found is None:
            return None
        self.drop(found[2])
        return found[0], found[1]


class _Outgoing:
    """One connection to a peer. It connects when first used; when it fails, all that waits on it fails."""

    def __init__(self, server: Server, dial: Dial, closed: Callable[[], None]) -> None:
        self.server = server
        self._dial = dial
        self._closed = closed
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[RpcType, Done, float]] = deque()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._run())

    def send(self, request: Request, done: Done) -> None:
        self._waiting.append((RPC_TYPES[type(request)], done, self._loop.time() + TIMEOUT_S))
        data = encode_request(request)
        if self._writer is None:
            self._unsent.append(data)
        elif not self._writer.is_closing():  # or all that waits fails when the reader has its turn
            put(self._writer, data)
        if self._timer is None:
            self._timer = self._loop.call_at(self._waiting[0][2], self._check_time)

    def close(self, reason: str = "transport closed") -> None:
        self._task.cancel()
        self._fail(TransportError(reason))

    def _check_time(self) -> None:
        """The oldest request decides: answers come in order."""
        self._timer = None
        if not self._waiting:
            return
        due = self._waiting[0][2]
        if due <= self._loop.time():
            self.close("i/o timeout")
        else:
            self._timer = self._loop.call_at(due, self._check_time)

    async def _run(self) -> None:
        reason: RaftError = TransportError("connection closed")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, self._writer = await self._dial(self.server)
            put(self._writer, b"".join(self._unsent))
            self._unsent.clear()
            await self._read(reader)
            if self._waiting and self._waiting[0][0] is RpcType.REQUEST_PRE_VOTE:
                reason = UnsupportedRpcError("peer closed the connection at a pre-vote")
        except (OSError, TimeoutError) as error:
            reason = TransportError(str(error) or "i/o timeout")
        except RaftError as error:
            reason = error
        finally:
            self._fail(reason)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        buffer = _Buffer()
        while data := await reader.read(READ_BYTES):
            buffer.feed(data)
            while self._waiting:
                kind, done, _ = self._waiting[0]
                found = buffer.response(kind)
                if found is None:
                    break
                self._waiting.popleft()
                response, error = found
                done(refusal(error) if error else response)

    def _fail(self, reason: RaftError) -> None:
        """Everything that waits here fails; a second time nothing does."""
        self._closed()
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            self._writer.close()
        waiting, self._waiting = self._waiting, deque()
        error = reason if isinstance(reason, TransportError) else TransportError(str(reason))
        for _, done, _ in waiting:
            done(error)


def refusal(text: str) -> TransportError:
    """A peer's error string. "unexpected command" is how those say so that do not know a request."""
    return UnsupportedRpcError(text) if "unexpected command" in text else TransportError(text)


class _Incoming:
    """One connection of a peer: requests in, answers out in the order of the requests."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
        self._reader, self._writer, self._handler = reader, writer, handler
        self._buffer = _Buffer()
        # Encoded answers in request order; None while one is being worked on.
        self._answers: deque[list[bytes | None]] = deque()
        self._room = asyncio.Event()
        self._room.set()

    async def run(self) -> None:
        while True:
            request = self._buffer.request()
            if request is None:
                data = await self._reader.read(READ_BYTES)
                if not data:
                    return
                self._buffer.feed(data)
                continue
            if isinstance(request, InstallSnapshotRequest):
                await self._snapshot(request)
            else:
                self._hand_over(request, None)
            if len(self._answers) >= REQUESTS_WAITING_MAX:
                self._room.clear()
                await self._room.wait()

    def _hand_over(self, request: Request, body: Body | None) -> None:
        slot: list[bytes | None] = [None]
        self._answers.append(slot)

        def respond(response: Response, error: str) -> None:
            slot[0] = encode_response(response, error)
            self._flush()

        self._handler(request, body, respond)

    def _flush(self) -> None:
        ready = []
        while self._answers and self._answers[0][0] is not None:
            ready.append(self._answers.popleft()[0] or b"")
        if ready and not self._writer.is_closing():
            put(self._writer, b"".join(ready))
        if len(self._answers) < REQUESTS_WAITING_MAX:
            self._room.set()

    async def _snapshot(self, request: InstallSnapshotRequest) -> None:
        """Pass the bytes that follow on to whoever stores them, no faster than they are taken."""
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue(BODY_PIECES_MAX)
        self._hand_over(request, _body(pieces))
        left = request.size
        try:
            while left > 0:
                data = bytes(self._buffer.data[:left])
                if data:
                    self._buffer.drop(len(data))
                else:
                    data = await self._reader.read(min(READ_BYTES, left))
                    if not data:
                        raise TransportError("snapshot is cut short")
                left -= len(data)
                async with asyncio.timeout(STORE_TIMEOUT_S):
                    await pieces.put(data)
        finally:
            while left and pieces.full():
                pieces.get_nowait()  # what is not whole is worth nothing
            async with asyncio.timeout(STORE_TIMEOUT_S):
                await pieces.put(None)


async def _body(pieces: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    ended = False
    while not ended and (piece := await pieces.get()) is not None:
        # What waits is taken together: for whoever stores it, each piece costs a change of threads.
        parts = [piece]
        while not pieces.empty() and not ended:
            more = pieces.get_nowait()
            ended = more is None
            parts.append(more or b"")
        yield b"".join(parts)


class NetworkTransport:
    """`Transport` on connections. ``dial`` connects to a server and says the protocol's first byte."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._handler: Handler | None = None
        self._outgoing: dict[tuple[str, str], _Outgoing] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def set_handler(self, handler: Handler) -> None:
        """Serve requests."""
        self._handler = handler

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A peer's connection, after its first byte. Returns when it is over."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self._handler is not None:
                await _Incoming(reader, writer, self._handler).run()
        except (OSError, TimeoutError, RaftError):
            return  # the peer dials again; what it asked for is undone by its own time-outs
        finally:
            self._tasks.discard(task)
            writer.close()

    def send(self, target: Server, request: Request, body: Body | None, done: Done) -> None:
        """See `Transport.send`."""
        if body is not None:
            assert isinstance(request, InstallSnapshotRequest)
            task = asyncio.get_running_loop().create_task(self._send_snapshot(target, request, body, done))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        lane = _lane(request)
        connection = self._outgoing.get((target.id, lane))
        if connection is not None and target.address and connection.server.address != target.address:
            connection.close()
            connection = None
        if connection is None:
            connection = self._connect(target, lane)
        connection.send(request, done)

    def _connect(self, target: Server, lane: str) -> _Outgoing:
        key = (target.id, lane)

        def closed() -> None:
            if self._outgoing.get(key) is connection:
                del self._outgoing[key]

        connection = self._outgoing[key] = _Outgoing(target, self._dial, closed)
        return connection

    async def _send_snapshot(self, target: Server, request: InstallSnapshotRequest, body: Body, done: Done) -> None:
        result: Response | TransportError
        try:
            async with asyncio.timeout(TIMEOUT_S * max(1.0, request.size / SNAPSHOT_BYTES_PER_TIMEOUT)):
                reader, writer = await self._dial(target)
                try:
                    result = await _exchange_snapshot(reader, writer, request, body)
                finally:
                    writer.close()
        except (OSError, TimeoutError, RaftError) as error:
            result = TransportError(str(error) or "i/o timeout")
        except asyncio.CancelledError:
            done(TransportError("transport closed"))
            raise
        done(result)

    async def close(self) -> None:
        """Drop all connections; outstanding requests fail."""
        self._handler = None
        for connection in list(self._outgoing.values()):
            connection.close()
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)


async def _exchange_snapshot(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: InstallSnapshotRequest, body: Body
) -> Response | TransportError:
    put(writer, encode_request(request))
    async for piece in body:
        put(writer, piece)
        await writer.drain()
    buffer = _Buffer()
    while (found := buffer.response(RpcType.INSTALL_SNAPSHOT)) is None:
        data = await reader.read(READ_BYTES)
        if not data:
            raise TransportError("connection closed")
        buffer.feed(data)
    return refusal(found[1]) if found[1] else found[0]


def _lane(request: Request) -> str:
    if isinstance(request, AppendEntriesRequest) and (request.entries or request.prev_log_entry):
        return "pipeline"
    return "pre-vote" if isinstance(request, PreVoteRequest) else "control"
