"""Kept connections from the event loop: the asynchronous client's way to agents."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final, cast

from proconsul.client.errors import BadAnswer, CallTimeout, ConsulError, Unavailable
from proconsul.client.settings import Place
from proconsul.client.transport import IDLE_MAX, IDLE_S_MAX, PIECE_BYTES, Endpoint, Upload, broke_off, chunk
from proconsul.client.wire import Answer, AnswerReader, Call, Deadline, request_bytes
from proconsul.engine.http.client import HttpClientError
from proconsul.engine.lookup import is_ip, lookup_error
from proconsul.engine.streams import connected
from proconsul.engine.unix_sockets import require_unix
from proconsul.engine.wire.goerrors import dial_error, tls_error

if TYPE_CHECKING:
    import ssl

__all__ = ["LoopStream", "LoopTransport"]

# Of a stream that nobody reads just now, so much is kept before the other side has to wait.
_STREAM_BYTES_MAX: Final = 256 * 1024


class _Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    __slots__ = ("_on_body", "_room", "closed", "idle_since", "loop", "reader", "transport", "waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.transport: asyncio.Transport
        self.reader: AnswerReader | None = None
        # Told when the answer is there, or that there is none.
        self.waiter: asyncio.Future[None] | None = None
        self.closed: bool = False
        self.idle_since: float = 0.0
        self._room: asyncio.Future[None] | None = None

    # ------------------------------------------------------------------ asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class

    def data_received(self, data: bytes) -> None:
        if self.reader is None or self.waiter is None:  # nobody asked: what comes can be no answer
            self.abort()
            return
        try:
            self.reader.feed(data)
        except HttpClientError as error:
            self._over(BadAnswer(f"the answer is no HTTP: {error}"))
            return
        except ConsulError as error:
            self._over(error)
            return
        if self.reader.done:
            self._over(None)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        reader = self.reader
        if reader is None or self.waiter is None:
            return
        try:
            if error is not None:
                raise HttpClientError(str(error))
            reader.end()
        except HttpClientError as reason:
            self._over(broke_off(str(reason), reader))
        else:
            self._over(None)

    def pause_writing(self) -> None:
        self._room = self.loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # ------------------------------------------------------------------ ours

    def begin(self, reader: AnswerReader) -> asyncio.Future[None]:
        """The next answer goes to ``reader``; the future says when it is whole, or why it will never be."""
        self.reader = reader
        self.waiter = self.loop.create_future()
        return self.waiter

    async def send(self, data: bytes, body: Upload | None) -> None:
        """Write a request, a streamed body as fast as it is taken."""
        self.transport.write(data)
        while body is not None and not self.closed and not (self.waiter is None or self.waiter.done()):
            piece = body.read(PIECE_BYTES)
            self.transport.write(chunk(piece))
            if not piece:
                return
            if self._room is not None:
                await self._room
            else:
                await asyncio.sleep(0)

    def abort(self) -> None:
        """Give the connection up, at once."""
        self.reader = self.waiter = None
        self.closed = True
        self.transport.abort()

    def _over(self, error: ConsulError | None) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


class LoopTransport:
    """Sends calls to agents and keeps the connections that can be asked again."""

    closed: bool

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: dict[int, deque[_Connection]] = {}
        self._busy: set[_Connection] = set()
        self.closed = False
        self._context: ssl.SSLContext | None = None

    async def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """Do a call at the ``place``-th agent. Raises Unavailable, CallTimeout and BadAnswer."""
        reader = AnswerReader(call.method)
        connection = await self._started(place, call, token, deadline, body, reader)
        self._busy.discard(connection)
        if reader.reusable and not connection.closed:
            self._give_back(place, connection)
        else:
            connection.abort()
        return reader.answer()

    async def _started(
        self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None, reader: AnswerReader,
        begun: asyncio.Future[None] | None = None,
    ) -> _Connection:  # fmt: skip
        """A connection whose answer is whole, or, with ``begun``, has begun."""
        data = request_bytes(call, self._endpoint.fixed[place], token)
        loop = asyncio.get_running_loop()
        connection = self._take(place, loop) or await self._dial(place, loop, deadline)
        self._busy.add(connection)
        waiter = connection.begin(reader)
        timer = loop.call_at(deadline.at, _expire, begun or waiter, deadline)
        if begun is not None:
            waiter.add_done_callback(lambda done: _pass_on(done, begun))
        try:
            if body is None:
                connection.transport.write(data)
            else:
                async with asyncio.timeout_at(deadline.at):
                    await connection.send(data, body)
            await (begun or waiter)
        except BaseException as error:
            self._busy.discard(connection)
            connection.abort()
            if isinstance(error, Unavailable):
                self._forget(place)  # whoever ended this one has ended the others, too
            if type(error) is TimeoutError:
                raise CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True) from None
            raise
        finally:
            timer.cancel()
        return connection

    async def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> LoopStream:
        """As `send`, but the body comes piece by piece; the deadline is for its beginning."""
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stream = LoopStream(self, begun)
        reader = AnswerReader(call.method, stream.take)
        stream.reader = reader
        stream.connection = await self._started(place, call, token, deadline, None, reader, begun)
        return stream

    def _take(self, place: int, loop: asyncio.AbstractEventLoop) -> _Connection | None:
        """A kept connection, the one used last."""
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop()
            if connection.closed:
                continue
            if connection.loop is loop and loop.time() - connection.idle_since < IDLE_S_MAX:
                return connection
            if connection.loop.is_closed():
                continue
            connection.abort()
        return None

    def _give_back(self, place: int, connection: _Connection) -> None:
        if self.closed:
            connection.abort()
            return
        connection.reader = connection.waiter = None
        connection.idle_since = connection.loop.time()
        idle = self._idle.get(place)
        if idle is None:
            idle = self._idle[place] = deque()
        idle.append(connection)
        while idle and (len(idle) > IDLE_MAX or idle[0].idle_since < connection.idle_since - IDLE_S_MAX):
            idle.popleft().abort()

    def _forget(self, place: int) -> None:
        for connection in self._idle.pop(place, ()):
            if not connection.closed and not connection.loop.is_closed():
                connection.abort()

    async def _dial(self, place: int, loop: asyncio.AbstractEventLoop, deadline: Deadline) -> _Connection:
        if self.closed:
            raise Unavailable("the client is closed")
        where = self._endpoint.places[place]
        left_s = deadline.at - loop.time()
        try:
            async with asyncio.timeout(min(left_s, self._endpoint.connect_timeout_s)):
                return await self._connected(where, loop)
        except TimeoutError as error:
            if type(error) is TimeoutError and left_s <= self._endpoint.connect_timeout_s:
                raise CallTimeout(f"no connection within {deadline.total_s:g} s") from None
            raise Unavailable(dial_error(where.host, TimeoutError())) from None
        except OSError as error:
            raise _not_connected(where, error) from None
        except (ValueError, UnicodeError) as error:
            raise Unavailable(f"dial {where.host}: {error}") from None

    async def _connected(self, where: Place, loop: asyncio.AbstractEventLoop) -> _Connection:
        connection = _Connection(loop)
        if where.unix_path:
            sock = await _dialled(loop, require_unix(), where.unix_path)
            await connected(sock, loop.create_unix_connection(lambda: connection, sock=sock))
            return connection
        host, port = where.host_and_port
        context = self._secure() if where.scheme == "https" else None
        name = (self._endpoint.config.tls_server_name or host) if context is not None else None
        sock = await _dialled_any(loop, host or "127.0.0.1", port, self._endpoint.connect_timeout_s)
        await connected(
            sock, loop.create_connection(lambda: connection, sock=sock, ssl=context, server_hostname=name)
        )  # fmt: skip
        return connection

    def _secure(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._endpoint.tls_context()
        return self._context

    def released(self, connection: _Connection) -> None:
        """A stream is done with its connection."""
        self._busy.discard(connection)
        connection.abort()

    async def aclose(self) -> None:
        """End all connections; calls that wait get Unavailable."""
        self.closed = True
        for place in list(self._idle):
            self._forget(place)
        for connection in list(self._busy):
            waiter = connection.waiter
            if waiter is not None and not waiter.done() and not connection.loop.is_closed():
                waiter.set_exception(Unavailable("the client is closed", sent=True))
        # A turn of the loop, in which the transports close their sockets.
        await asyncio.sleep(0)


class LoopStream:
    """The body of an answer while it comes. Closed by `aclose`, and when it is over."""

    def __init__(self, transport: LoopTransport, begun: asyncio.Future[None]) -> None:
        self._transport, self._begun = transport, begun
        self.connection: _Connection | None = None
        self.reader: AnswerReader
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._more: asyncio.Future[None] | None = None

    @property
    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        found = self.reader.head
        assert found is not None
        return found

    def take(self, data: bytes) -> None:
        """A piece of the body came."""
        self._pieces.append(data)
        self._size += len(data)
        if not self._begun.done():
            self._begun.set_result(None)
        elif self._size > _STREAM_BYTES_MAX and self.connection is not None:
            self.connection.transport.pause_reading()
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece. Raises Unavailable when it breaks off."""
        try:
            while True:
                while self._pieces:
                    data = self._pieces.popleft()
                    self._size -= len(data)
                    yield data
                if self.reader.done or self.connection is None:
                    return
                self.connection.transport.resume_reading()
                await self._arrival(self.connection)
        finally:
            self.close()

    async def _arrival(self, connection: _Connection) -> None:
        """Wait for more of the body, or for its end."""
        waiter = connection.waiter
        if waiter is None:
            raise Unavailable("the answer broke off", sent=True)
        self._more = asyncio.get_running_loop().create_future()
        waiter.add_done_callback(self._ended)
        try:
            await self._more
        finally:
            waiter.remove_done_callback(self._ended)

    def _ended(self, waiter: asyncio.Future[None]) -> None:
        if self._more is not None:
            _pass_on(waiter, self._more)

    def close(self) -> None:
        """Give the rest up."""
        if self.connection is not None:
            self._transport.released(self.connection)


async def _dialled_any(
    loop: asyncio.AbstractEventLoop, host: str, port: int, most_s: float
) -> socket.socket:  # fmt: skip
    """A socket that is connected to the first address of ``host`` that answers. Raises OSError."""
    if is_ip(host):
        return await _dialled(loop, socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: OSError | None = None
    for place, (family, _, _, _, address) in enumerate(found):
        try:
            # None of them may use up the time of the others.
            async with asyncio.timeout(most_s / 2 if place + 1 < len(found) else None):
                return await _dialled(loop, family, address)
        except OSError as error:  # as is TimeoutError
            failed = failed or error
    raise failed or OSError("no address")


async def _dialled(loop: asyncio.AbstractEventLoop, family: int, address: Any) -> socket.socket:
    """A connected socket. Whoever is cancelled leaves none behind. Raises OSError."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _pass_on(done: asyncio.Future[None], waiting: asyncio.Future[None]) -> None:
    error = None if done.cancelled() else done.exception()
    if waiting.done():
        return
    if error is not None:
        waiting.set_exception(error)
    else:
        waiting.set_result(None)


def _expire(waiter: asyncio.Future[None], deadline: Deadline) -> None:
    if not waiter.done():
        waiter.set_exception(CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True))


def _not_connected(where: Place, error: OSError) -> Unavailable:
    import ssl

    if isinstance(error, ssl.SSLError):
        return Unavailable(tls_error(error))
    if where.unix_path:
        return Unavailable(dial_error(where.unix_path, error, network="unix"))
    host, port = where.host_and_port
    if isinstance(error, socket.gaierror):
        return Unavailable(f"dial tcp: {lookup_error(host)}")
    return Unavailable(dial_error(f"{host}:{port}", error))
