"""Kept connections that block their thread: the way of `Client` to agents. Any number of threads may call."""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from proconsul.client.blocking import forks
from proconsul.client.errors import BadAnswer, CallTimeout, Unavailable
from proconsul.client.transport import IDLE_MAX, IDLE_S_MAX, PIECE_BYTES, Endpoint, Upload, broke_off, chunk
from proconsul.client.wire import Answer, AnswerReader, Call, Deadline, request_bytes
from proconsul.engine.http.blocking import Connector
from proconsul.engine.http.client import HttpClientError
from proconsul.engine.http.url import Url
from proconsul.engine.lookup import DialError

if TYPE_CHECKING:
    import socket
    import ssl

__all__ = ["INTERRUPT", "Interrupt", "SocketStream", "SocketTransport"]


class Interrupt:
    """Ends the calls of a thread from another one: that which waits, and all later ones, raise Unavailable."""

    raised: threading.Event
    deaf: bool

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self.raised = threading.Event()
        # Called to have the thread look again, where it waits for no socket.
        self._waker: Callable[[], None] | None = None
        # Whether the thread waits for something that nobody can end.
        self.deaf = False

    def enter(self, sock: socket.socket | None) -> None:
        """The thread waits for ``sock`` from now on, or with None for something that is not ours."""
        with self._lock:
            if self.raised.is_set():
                raise Unavailable("interrupted", sent=True)
            self._sock, self.deaf = sock, sock is None

    def wakes(self, waker: Callable[[], None] | None) -> None:
        """The thread waits for something that ``waker`` has it look at again; None: no more."""
        with self._lock:
            self._waker = waker

    def leave(self) -> None:
        """It does so no more."""
        with self._lock:
            self._sock, self.deaf = None, False

    def set(self) -> None:
        """Wake the thread, now or when it next waits."""
        import socket as sockets
        from contextlib import suppress

        with self._lock:
            self.raised.set()
            if self._waker is not None:
                self._waker()
            if self._sock is not None:
                with suppress(OSError):
                    self._sock.shutdown(sockets.SHUT_RDWR)


# Of this thread, or of what it does just now.
INTERRUPT: Final[ContextVar[Interrupt | None]] = ContextVar("proconsul_client_interrupt", default=None)


class _Connection:
    """A socket, and when it was used last."""

    __slots__ = ("idle_since", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock: socket.socket = sock
        self.idle_since: float = 0.0

    def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer: not even its end."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            return not poll.poll(0)
        return not select.select([self.sock], [], [], 0)[0]


class SocketTransport:
    """Sends calls to agents and keeps the connections that can be asked again."""

    closed: bool

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.closed = False
        self._context: ssl.SSLContext | None = None
        self.forked()
        forks.tell(self)

    def forked(self) -> None:
        """Begin without connections. Those of the process this one was forked from are let go, and not ended: what is
        said on them there goes on."""
        self._lock = threading.Lock()
        self._idle: dict[int, deque[_Connection]] = {}
        self._busy: set[_Connection] = set()

    def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """Do a call at the ``place``-th agent. Raises Unavailable, CallTimeout and BadAnswer."""
        reader = AnswerReader(call.method)
        connection = self._started(place, call, token, deadline, body)
        try:
            self._read(connection, reader, deadline)
        except BaseException as error:
            self._drop(connection)
            if isinstance(error, Unavailable):
                self._forget(place)  # whoever ended this one has ended the others, too
            raise
        if reader.reusable:
            self._give_back(place, connection)
        else:
            self._drop(connection)
        return reader.answer()

    def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> SocketStream:
        """As `send`, but the body comes piece by piece; the deadline is for its beginning."""
        stream = SocketStream(self)
        stream.reader = AnswerReader(call.method, stream.taken.append)
        stream.connection = self._started(place, call, token, deadline, None)
        try:
            self._read(stream.connection, stream.reader, deadline, whole=False)
        except BaseException:
            self._drop(stream.connection)
            raise
        return stream

    def _started(
        self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None
    ) -> _Connection:  # fmt: skip
        """A connection on which the request has been sent."""
        data = request_bytes(call, self._endpoint.fixed[place], token)
        connection = self._take(place) or self._dial(place, deadline)
        try:
            with self._lock:
                if self.closed:
                    raise Unavailable("the client is closed")
                self._busy.add(connection)
            self._write(connection.sock, data, body, deadline)
        except BaseException:
            self._drop(connection)
            raise
        return connection

    def _write(self, sock: socket.socket, data: bytes, body: Upload | None, deadline: Deadline) -> None:
        """What the other side takes of it: one that has answered before it had everything may not."""
        sock.settimeout(_left(deadline))
        try:
            sock.sendall(data)
            while body is not None:
                piece = body.read(PIECE_BYTES)
                sock.settimeout(_left(deadline))
                sock.sendall(chunk(piece))
                if not piece:
                    return
        except TimeoutError:
            raise CallTimeout(f"not sent within {deadline.total_s:g} s", sent=True) from None
        except OSError:
            return  # the answer, or its absence, says why

    def _read(self, connection: _Connection, reader: AnswerReader, deadline: Deadline, *, whole: bool = True) -> None:
        """Take in the answer, or its head."""
        sock, interrupt = connection.sock, INTERRUPT.get()
        if interrupt is not None:
            interrupt.enter(sock)
        try:
            while not (reader.done or (not whole and reader.head is not None)):
                sock.settimeout(_left(deadline))
                self.receive(sock, reader)
        except TimeoutError:
            raise CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True) from None
        finally:
            if interrupt is not None:
                interrupt.leave()

    @staticmethod
    def receive(sock: socket.socket, reader: AnswerReader) -> None:
        """Take in what comes next. Raises TimeoutError, Unavailable and BadAnswer."""
        try:
            data = sock.recv(PIECE_BYTES)
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            raise broke_off(str(error), reader) from None
        try:
            if data:
                reader.feed(data)
            else:
                reader.end()
        except HttpClientError as error:
            raise (BadAnswer(f"the answer is no HTTP: {error}") if data else broke_off(str(error), reader)) from None

    # ------------------------------------------------------------------ connections

    def _take(self, place: int) -> _Connection | None:
        """A kept connection, the one used last."""
        while True:
            with self._lock:
                idle = self._idle.get(place)
                if not idle:
                    return None
                connection = idle.pop()
            if time.monotonic() - connection.idle_since < IDLE_S_MAX and connection.is_quiet():
                return connection
            connection.sock.close()

    def _give_back(self, place: int, connection: _Connection) -> None:
        now = connection.idle_since = time.monotonic()
        late: list[_Connection] = []
        with self._lock:
            self._busy.discard(connection)
            if self.closed:
                late.append(connection)
            else:
                idle = self._idle.setdefault(place, deque())
                idle.append(connection)
                while len(idle) > IDLE_MAX or idle[0].idle_since < now - IDLE_S_MAX:
                    late.append(idle.popleft())
        for one in late:
            one.sock.close()

    def _drop(self, connection: _Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.sock.close()

    def _forget(self, place: int) -> None:
        with self._lock:
            gone = self._idle.pop(place, ())
        for connection in gone:
            connection.sock.close()

    def _dial(self, place: int, deadline: Deadline) -> _Connection:
        if self.closed:
            raise Unavailable("the client is closed")
        where = self._endpoint.places[place]
        left_s, most_s = _left(deadline), self._endpoint.connect_timeout_s
        connector = Connector(
            timeout_s=min(left_s, most_s), unix_path=where.unix_path, context=self._secure,
            server_name=self._endpoint.config.tls_server_name,
        )  # fmt: skip
        host, port = where.host_and_port
        try:
            return _Connection(connector.connect(Url(where.scheme, None, host, port, where.host, "/")))
        except DialError as error:
            if time.monotonic() >= deadline.at:
                raise CallTimeout(f"no connection within {deadline.total_s:g} s") from None
            raise Unavailable(str(error)) from None
        except (ValueError, UnicodeError) as error:
            raise Unavailable(f"dial {where.host}: {error}") from None

    def _secure(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._endpoint.tls_context()
        return self._context

    def released(self, connection: _Connection) -> None:
        """A stream is done with its connection."""
        self._drop(connection)

    def close(self) -> None:
        """End all connections; calls of other threads that wait get Unavailable."""
        import socket as sockets
        from contextlib import suppress

        with self._lock:
            self.closed = True
            idle = [one for kept in self._idle.values() for one in kept]
            self._idle.clear()
            for connection in self._busy:  # closed by who waits for them
                with suppress(OSError):
                    connection.sock.shutdown(sockets.SHUT_RDWR)
        for connection in idle:
            connection.sock.close()


class SocketStream:
    """The body of an answer while it comes. Closed by `close`, and when it is over."""

    def __init__(self, transport: SocketTransport) -> None:
        self._transport = transport
        self.connection: _Connection
        self.reader: AnswerReader
        self.taken: deque[bytes] = deque()

    @property
    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        found = self.reader.head
        assert found is not None
        return found

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece. Raises Unavailable when it breaks off."""
        sock, interrupt = self.connection.sock, INTERRUPT.get()
        try:
            sock.settimeout(None)
            if interrupt is not None:
                interrupt.enter(sock)
            while True:
                while self.taken:
                    yield self.taken.popleft()
                if self.reader.done:
                    return
                self._transport.receive(sock, self.reader)
        finally:
            if interrupt is not None:
                interrupt.leave()
            self.close()

    def close(self) -> None:
        """Give the rest up."""
        self._transport.released(self.connection)


def _left(deadline: Deadline) -> float:
    """What is left of the time. Raises CallTimeout when nothing is."""
    left_s = deadline.at - time.monotonic()
    if left_s <= 0:
        raise CallTimeout(f"no answer within {deadline.total_s:g} s", sent=True)
    return left_s
