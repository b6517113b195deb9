"""HTTP/1.1 on one asyncio protocol object per connection.

Handlers are called in the read callback; one that answers at once costs no task and no future. Responses leave in
request order, so pipelined requests behind a slow one wait. A peer that does not read its responses stops being read
from; whatever it has cost stays bounded.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools

from proconsul.engine.http.encoding import encode_response, encode_stream_head
from proconsul.engine.http.request import PHRASES, Deferred, Request, Response, valid_escapes
from proconsul.engine.http.router import Answer, Route

# net/http: DefaultMaxHeaderBytes.
HEADER_BYTES_MAX = 1 << 20
# Requests parsed ahead on one connection; more would let one peer queue unbounded work.
PIPELINE_MAX = 128
# Bodies of requests that wait for earlier ones of their connection; two of the largest values of the KV store.
PIPELINE_BYTES_MAX = 1 << 20
# Bodies over the route's limit are read and dropped up to this size, so that the client gets to see the answer.
DISCARD_BYTES_MAX = 64 << 20
# A request whose header is not complete after this long is dropped (half-open connections, slowloris).
HEADER_TIMEOUT_S = 60.0
WRITE_BUFFER_BYTES_HIGH = 256 * 1024
# Connections that are written to in one turn of the event loop: a millisecond, even when a change wakes ten thousand.
FLUSHED_TOGETHER_MAX = 128

# Header names seen before, decoded; bounded, because clients choose them.
_names: dict[bytes, str] = {}
_NAMES_MAX = 256
# A client sends the same header block with every request of a connection: one that was parsed before is not parsed
# again. Bounded in number and size; what is not here takes the full parser.
_blocks: dict[bytes, tuple[dict[str, str], int]] = {}
_BLOCKS_MAX = 1024
_BLOCK_BYTES_MAX = 2048
# Clients also ask for the same things again and again: request lines that needed nothing but splitting, with their
# routes. When it is full it starts anew, so that keys of the moment push out those of the past.
_LINES_MAX = 4096
_LINE_BYTES_MAX = 512
# Method, path, query, route, what follows the route's prefix.
_Line = tuple[str, str, str, Route | None, str]
_REQUEST_LINE = re.compile(rb"(GET|PUT|DELETE) (/[!-~]*) HTTP/1\.1", re.ASCII)
# Headers that change how a message is framed or how the connection goes on: such blocks are not remembered.
_FRAMING = frozenset({"transfer-encoding", "expect", "upgrade", "connection", "trailer"})


class Application(Protocol):
    """What the front door needs from the API behind it."""

    @property
    def logs_requests(self) -> bool:
        """False spares the clock readings and the call of `log` for every request."""

    def route(self, request: Request) -> Route | None:
        """The route a request will take, known before its body is read; also kept in the request."""

    def handle(self, request: Request) -> Answer:
        """Answer one request. Must not raise."""

    def log(self, request: Request, status: int, seconds: float) -> None:
        """Record a finished request."""


class _Slot:
    """One request whose response is due; responses are written in slot order."""

    __slots__ = ("begun", "body_bytes", "request", "response", "started", "task")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.response: Response | None = None
        self.task: asyncio.Future[Response] | Deferred | None = None
        self.started = 0.0
        self.begun = True
        self.body_bytes = 0


class HTTPProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, application: Application, connections: ConnectionSet) -> None:
        self._app = application
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpRequestParser(self)
        self._slots: deque[_Slot] = deque()
        self._held_bytes = 0
        self._flushing = False
        self._peer_done = False
        self.peer = ""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._in_header = True
        self.header_started = 0.0
        self._request: Request | None = None
        self._route: Route | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._body_max = 0
        self._closing = False
        # The header block of the request now being parsed, if it is worth remembering.
        self._block = b""
        self._write_paused = False
        self._read_paused = False
        self._streaming: asyncio.Task[None] | None = None
        self._drained: asyncio.Event | None = None

    # ------------------------------------------------------------------ connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports only look like asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) and peer else ""
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_HIGH)
        if not self._connections.admit(self):
            self._transport.write(
                b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n"
                b"Connection: close\r\n\r\n"
                b"Your IP is issuing too many concurrent connections, please rate limit your calls\n"
            )
            self._transport.close()
            self._closing = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        self._closing = True
        for slot in self._slots:
            if slot.task is not None:
                slot.task.cancel()
        self._slots.clear()
        if self._streaming is not None:
            self._streaming.cancel()
        if self._drained is not None:
            self._drained.set()
        self._transport = None

    def pause_writing(self) -> None:
        self._write_paused = True
        if self._drained is not None:
            self._drained.clear()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._drained is not None:
            self._drained.set()
        self.flush()

    def eof_received(self) -> bool:
        # Keep the write side open for the answers still due; connection_lost follows when they are out.
        if not self._slots or _may_be_dropped(self._slots[0].task):
            return False
        self._slots[-1].request.keep_alive = False
        self._peer_done = True
        return True

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._in_header:
            if not self._header_bytes:
                if self._whole_request(data):
                    return
                self.header_started = time.monotonic()
            self._header_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # The request itself was delivered. Upgrades are not taken: what follows is the next request.
            self._parser = httptools.HttpRequestParser(self)
            rest = data[upgrade.args[0] :]
            if rest:
                self.data_received(rest)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, _Refused):
                self._refuse(cause.status, cause.detail)
            else:
                self._refuse(400)
        if self._in_header and self._header_bytes > HEADER_BYTES_MAX:
            self._refuse(431)

    def _whole_request(self, data: bytes) -> bool:
        """Take the short way for one whole request with a header block seen before; False when it is not that."""
        head_end = data.find(b"\r\n\r\n")
        line_end = data.find(b"\r\n")
        known = _blocks.get(data[line_end:head_end])
        if known is None or len(data) != head_end + 4 + known[1]:
            self._block = data[line_end:head_end] if 0 < head_end - line_end <= _BLOCK_BYTES_MAX else b""
            return False
        self._block = b""
        line = data[:line_end]
        parsed = self._connections.lines.get(line) or self._parse_line(line)
        if parsed is None:
            return False
        method, path, query, route, params = parsed
        request = Request(method, path, path, query, known[0])
        request.peer = self.peer
        request.route, request.params = route, params
        self._route = route
        self._body_bytes = known[1]
        self._body_max = route.body_bytes_max if route is not None else 0
        if known[1]:
            if known[1] > self._body_max:
                return False
            request.body = data[head_end + 4 :]
        self._begin(request)
        return True

    def _parse_line(self, line: bytes) -> _Line | None:
        """A plain request line in parts, with its route; None for anything the full parser should look at."""
        match = _REQUEST_LINE.fullmatch(line)
        if match is None or b"%" in match[2]:
            return None
        path, _, query = match[2].decode("ascii").partition("?")
        request = Request(match[1].decode("ascii"), path, path, query, {})
        parsed = (request.method, path, query, self._app.route(request), request.params)
        lines = self._connections.lines
        if len(lines) >= _LINES_MAX:
            lines.clear()
        if len(line) <= _LINE_BYTES_MAX:
            lines[line] = parsed
        return parsed

    def _remember_block(self, request: Request) -> None:
        """The header block of ``request`` was parsed and frames nothing unusual: next time it need not be parsed."""
        block, self._block = self._block, b""
        headers = request.headers
        if not block or len(_blocks) >= _BLOCKS_MAX or request.version != "1.1" or not request.keep_alive:
            return
        length = headers.get("content-length", "0")
        if not _FRAMING.isdisjoint(headers) or not length.isdigit() or int(length) != self._body_bytes:
            return
        _blocks[block] = (headers, int(length))

    def _refuse(self, status: int, detail: str = "") -> None:
        """Answer a request that cannot be understood, in the words of net/http, and hang up."""
        if self._closing or self._transport is None:
            return
        line = f"{status} {PHRASES[status]}"
        text = line + detail
        head = f"HTTP/1.1 {line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}"
        self._transport.write(head.encode())
        self._hang_up()

    def _hang_up(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def expire(self, now: float) -> None:
        """Drop the connection when its header has been incomplete for too long."""
        if self._in_header and self.header_started and now - self.header_started > HEADER_TIMEOUT_S:
            self._hang_up()

    def close_when_idle(self) -> None:
        """Shut down: idle connections at once, busy ones after the answer."""
        if self._slots:
            self._slots[-1].request.keep_alive = False
        else:
            self._hang_up()

    # ------------------------------------------------------------------ parser callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._in_header = True
        self._request = None
        self._body = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = _names.get(name)
        if key is None:
            key = name.decode("latin-1").lower()
            if len(_names) < _NAMES_MAX:
                _names[name] = key
        text = value.decode("latin-1")
        old = self._headers.get(key)
        self._headers[key] = text if old is None else f"{old}, {text}"

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._header_bytes = 0
        self.header_started = 0.0
        method = self._parser.get_method().decode("latin-1")
        raw_path, _, query = self._url.decode("latin-1").partition("?")
        if raw_path.startswith(("http://", "https://")):
            raw_path = "/" + raw_path.split("//", 1)[1].partition("/")[2]
        path = raw_path
        if "%" in raw_path:
            if not valid_escapes(raw_path):
                raise _Refused(400)
            path = unquote(raw_path, "utf-8", "surrogateescape")
        request = Request(method, raw_path, path, query, self._headers)
        request.peer = self.peer
        request.version = self._parser.get_http_version()
        request.keep_alive = self._parser.should_keep_alive()
        if request.version == "1.1" and "host" not in self._headers:
            raise _Refused(400, ": missing required Host header")
        self._request = request
        self._route = self._app.route(request)
        self._body_max = self._route.body_bytes_max if self._route is not None else 0
        self._expect(request)

    def _expect(self, request: Request) -> None:
        expect = self._headers.get("expect")
        if expect is None or self._transport is None:
            return
        if expect.lower() != "100-continue":
            raise _Refused(417)
        length = self._headers.get("content-length", "0")
        if self._route is not None and length.isdigit() and int(length) > self._body_max:
            # The client has not sent the body yet: answer now and make it not send it.
            request.keep_alive = False
            self._body_bytes = int(length)
            self._begin(request)
            self._request = None
        elif not self._slots:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._request is None:
            return
        self._body_bytes += len(body)
        if self._body_bytes <= self._body_max:
            self._body.append(body)
        elif self._body:
            self._body = []
        if self._body_bytes > DISCARD_BYTES_MAX + self._body_max:
            request, self._request = self._request, None
            request.keep_alive = False
            self._begin(request)

    def on_message_complete(self) -> None:
        self._in_header = True
        request = self._request
        if request is None:
            return
        self._request = None
        body = self._body
        if body:
            request.body = body[0] if len(body) == 1 else b"".join(body)
        if self._block:
            self._remember_block(request)
        self._begin(request)

    # ------------------------------------------------------------------ answering

    def _begin(self, request: Request) -> None:
        """Handle a request, or hold it while an earlier one of this connection is not answered.

        A client that sends a write and a read behind it expects the read to see the write, as with net/http.
        """
        if self._slots or self._streaming is not None:
            self._hold(request)
            return
        started = time.perf_counter() if self._app.logs_requests else 0.0
        answer = self._handle(request, self._body_bytes)
        if isinstance(answer, Response) and self._may_write_now(request, answer) and not started:
            assert self._transport is not None
            self._transport.write(encode_response(request, answer))
            return
        slot = _Slot(request)
        slot.started = started
        self._slots.append(slot)
        self._due(slot, answer)
        if self._write_paused:
            self._pause_reading()

    def _hold(self, request: Request) -> None:
        slot = _Slot(request)
        slot.begun, slot.body_bytes = False, self._body_bytes
        self._slots.append(slot)
        self._held_bytes += len(request.body)
        if self._is_full() or self._write_paused:
            self._pause_reading()

    def _is_full(self) -> bool:
        return len(self._slots) >= PIPELINE_MAX or self._held_bytes > PIPELINE_BYTES_MAX

    def _begin_held(self, slot: _Slot) -> None:
        slot.begun = True
        slot.started = time.perf_counter() if self._app.logs_requests else 0.0
        self._held_bytes -= len(slot.request.body)
        self._due(slot, self._handle(slot.request, slot.body_bytes))

    def _handle(self, request: Request, body_bytes: int) -> Answer:
        route: Route | None = request.route
        if route is not None and body_bytes > route.body_bytes_max and request.method in route.handlers:
            return route.too_large(body_bytes)
        return self._app.handle(request)

    def _due(self, slot: _Slot, answer: Answer) -> None:
        """Take the answer to a slot's request, or what will become it."""
        if isinstance(answer, Response):
            slot.response = answer
            self.flush()
        elif isinstance(answer, Deferred):
            slot.task = answer
            if self._peer_done and _may_be_dropped(answer):
                self._hang_up()
                return
            answer.when_done(lambda response: self._deliver(slot, response))
        else:
            slot.task = task = asyncio.ensure_future(answer)
            task.add_done_callback(lambda task: self._answered(slot, task))

    def _may_write_now(self, request: Request, response: Response) -> bool:
        """True when nothing is due before this answer and nothing special follows it."""
        return (
            not self._slots and not self._write_paused and self._streaming is None and response.stream is None
            and request.keep_alive and not response.close and self._transport is not None
        )  # fmt: skip

    def _answered(self, slot: _Slot, task: asyncio.Future[Response]) -> None:
        if not task.cancelled():
            self._deliver(slot, task.result())

    def _deliver(self, slot: _Slot, response: Response) -> None:
        if self._closing:
            return
        slot.response = response
        self._connections.flush_soon(self)

    def _pause_reading(self) -> None:
        if not self._read_paused and self._transport is not None:
            self._read_paused = True
            self._transport.pause_reading()

    def flush(self) -> None:
        """Write the responses that are ready, in order; each one lets the request behind it begin."""
        if self._flushing:
            return
        self._flushing = True
        try:
            self._flush_ready()
        finally:
            self._flushing = False

    def _flush_ready(self) -> None:
        while self._slots and not self._write_paused and self._streaming is None and self._transport is not None:
            slot = self._slots[0]
            if not slot.begun:
                self._begin_held(slot)
            response = slot.response
            if response is None:
                break
            self._slots.popleft()
            if slot.started:
                self._app.log(slot.request, response.status, time.perf_counter() - slot.started)
            if response.stream is not None:
                self._streaming = asyncio.ensure_future(self._stream(slot.request, response))
                return
            self._transport.write(encode_response(slot.request, response))
            if response.close or not slot.request.keep_alive:
                self._hang_up()
                return
        if self._read_paused and not self._write_paused and not self._is_full() and self._transport:
            self._read_paused = False
            self._transport.resume_reading()

    async def _stream(self, request: Request, response: Response) -> None:
        """Send a response of unknown length in chunks, as fast as the peer reads."""
        assert response.stream is not None and self._transport is not None
        chunked = request.version == "1.1"
        framing = b"Transfer-Encoding: chunked\r\n" if chunked else b"Connection: close\r\n"
        self._transport.write(encode_stream_head(response, framing))
        self._drained = asyncio.Event()
        if not self._write_paused:
            self._drained.set()
        try:
            async for part in response.stream:
                await self._drained.wait()
                if self._transport is None:
                    return
                if part:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            if chunked:
                self._transport.write(b"0\r\n\r\n")
        finally:
            closer = getattr(response.stream, "aclose", None)
            if closer is not None:
                await closer()
            self._streaming, self._drained = None, None
        if response.close or not request.keep_alive or not chunked:
            self._hang_up()
        else:
            self.flush()


def _may_be_dropped(task: asyncio.Future[Response] | Deferred | None) -> bool:
    """A read that waits for a change: a peer that has said its last word is hardly waiting for it any more.

    A closed socket looks like one closed for writing only; kept open, readers that gave up would fill the limit of
    connections per client for as long as their reads wait.
    """
    return isinstance(task, Deferred) and task.on_cancel is not None


class _Refused(Exception):
    """Raised inside a parser callback to refuse the request with ``status``."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail


class ConnectionSet:
    """The open connections of one listener, limited per client address (limits.http_max_conns_per_client)."""

    def __init__(self, per_client_max: int = 0, soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        """``soon`` calls what it is given when the event loop has done what it is at."""
        self.per_client_max = per_client_max
        self._soon = soon or (lambda callback: asyncio.get_running_loop().call_soon(callback))
        # Parsed request lines: they hold routes, so they belong to one application.
        self.lines: dict[bytes, _Line] = {}
        self._open: set[HTTPProtocol] = set()
        self._per_client: dict[str, int] = {}
        self._answered: list[HTTPProtocol] = []

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: HTTPProtocol) -> bool:
        count = self._per_client.get(connection.peer, 0)
        if self.per_client_max > 0 and connection.peer and count >= self.per_client_max:
            return False
        self._open.add(connection)
        self._per_client[connection.peer] = count + 1
        return True

    def remove(self, connection: HTTPProtocol) -> None:
        if connection in self._open:
            self._open.discard(connection)
            left = self._per_client[connection.peer] - 1
            if left:
                self._per_client[connection.peer] = left
            else:
                del self._per_client[connection.peer]

    def flush_soon(self, connection: HTTPProtocol) -> None:
        """Write the answers of ``connection`` together with all others that come in this turn of the event loop.

        A client that sleeps costs as much to wake as its answer to write; one after the other, most are awake.
        """
        self._answered.append(connection)
        if len(self._answered) == 1:
            self._soon(self._flush)

    def _flush(self) -> None:
        answered = self._answered
        self._answered = answered[FLUSHED_TOGETHER_MAX:]
        if self._answered:
            self._soon(self._flush)
        for connection in answered[:FLUSHED_TOGETHER_MAX]:
            connection.flush()

    def sweep(self, now: float) -> None:
        """Drop connections whose request header never ends; call every few seconds."""
        for connection in list(self._open):
            connection.expire(now)

    def close(self) -> None:
        for connection in list(self._open):
            connection.close_when_idle()


def factory(application: Application, connections: ConnectionSet) -> Callable[[], HTTPProtocol]:
    """What asyncio's create_server wants."""
    return lambda: HTTPProtocol(application, connections)
