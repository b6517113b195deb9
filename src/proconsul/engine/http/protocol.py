"""HTTP/1.1 on one asyncio protocol object per connection.

Handlers are called in the read callback; one that answers at once costs no task and no future. Responses leave in
request order, so pipelined requests behind a slow one wait. A peer that does not read its responses stops being read
from; whatever it has cost stays bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from proconsul.engine.http.connections import ConnectionSet
from proconsul.engine.http.encoding import encode_response, encode_stream_head
from proconsul.engine.http.known import BLOCK_BYTES_MAX, BLOCKS, parse_line, remember_block
from proconsul.engine.http.message import (
    HEAD_END,
    Chunks,
    Head,
    Refused,
    check_lines,
    parse_head,
    takes_continue,
)
from proconsul.engine.http.request import Deferred, Request, Response
from proconsul.engine.http.router import Answer, Route
from proconsul.engine.http.upload import Upload

# Requests parsed ahead on one connection; more would let one peer queue unbounded work.
PIPELINE_MAX = 128
# Bodies of requests that wait for earlier ones of their connection; two of the largest values of the KV store.
PIPELINE_BYTES_MAX = 1 << 20
# Bodies in chunks over the route's limit are read and dropped up to this size, so that the answer can say theirs; and
# as much is dropped behind an answer that ends the connection, so that the client gets to see it.
DISCARD_BYTES_MAX = 64 << 20
# A body that nobody wants is dropped if it is shorter; otherwise the connection ends with the answer (net/http).
UNWANTED_BYTES_MAX = 256 << 10
# A request whose header is not complete after this long is dropped (half-open connections, slowloris).
HEADER_TIMEOUT_S = 60.0
WRITE_BUFFER_BYTES_HIGH = 256 * 1024


class Application(Protocol):
    """What the front door needs from the API behind it."""

    @property
    def logs_requests(self) -> bool:
        """False spares the clock readings and the call of `log` for every request."""

    def route(self, request: Request) -> Route | None:
        """The route a request will take, known before its body is read; also kept in the request."""

    def body_bytes_max(self, request: Request) -> int:
        """How long a body will be looked at; 0 when its handler wants none. Asked before the body is read."""

    def handle(self, request: Request) -> Answer:
        """Answer one request. Must not raise. A body above its limit is empty, with its length in ``body_bytes``."""

    def log(self, request: Request, status: int, seconds: float) -> None:
        """Record a finished request."""


class _Slot:
    """One request whose response is due; responses are written in slot order.

    What cannot be understood takes its turn as well: ``refusal`` is its whole answer, the last one of the connection.
    """

    __slots__ = ("begun", "refusal", "request", "response", "started", "task")

    def __init__(self, request: Request, refusal: bytes = b"") -> None:
        self.request = request
        self.refusal = refusal
        self.response: Response | None = None
        self.task: asyncio.Future[Response] | Deferred | None = None
        self.started = 0.0
        self.begun = True


class HTTPProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, application: Application, connections: ConnectionSet) -> None:
        self._app = application
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._slots: deque[_Slot] = deque()
        self._held_bytes = 0
        self._flushing = False
        self._peer_done = False
        self.peer = ""
        # The beginning of a head that is not whole, and how much of it was looked at.
        self._rest = bytearray()
        self._looked_at = 0
        self.header_started = 0.0
        # The request whose body is arriving, and how much of the body is missing, or its chunks.
        self._request: Request | None = None
        self._left = 0
        self._chunks: Chunks | None = None
        self._body: list[bytes] = []
        self._body_max = 0
        # The client waits to be told to go on, behind answers to earlier requests.
        self._continue_due = False
        # Nothing that comes now is looked at: the connection ends with the answers that are due.
        self._deaf = False
        self._dropped_bytes = 0
        self._dropped_seen = 0
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
        """The peer has said its last word. The write side stays open for the answers still due."""
        if self._closing:
            return False
        if not self._deaf and (self._rest or self._request is not None):
            self._end_early()
        if not self._slots and self._streaming is None:
            return False
        # A closed socket looks like one closed for writing only. Reads that wait are answered now: kept, those of
        # readers that gave up would fill the limit of connections; dropped, the others would never hear of them.
        self._peer_done = True
        if self._slots and isinstance(self._slots[0].task, Deferred):
            self._slots[0].task.hurry()
        return True

    def _end_early(self) -> None:
        """The peer stopped in the middle of a request."""
        request = self._request
        if request is not None and request.upload is not None:
            self._break_off(request, request.upload, "unexpected EOF")
        elif request is not None and not self._body_max:
            request.keep_alive = False  # nobody wanted the body
            self._complete(request)
        else:
            self._refuse(Refused(400, body="unexpected EOF") if request is not None else Refused(400))

    def data_received(self, data: bytes) -> None:
        if self._closing or self._deaf:
            self._dropped_bytes += len(data)
            return
        if self._rest:
            self._rest += data
            if not self._has_head():
                return
            data = bytes(self._rest)
            self._rest.clear()
        elif self._request is None and self._whole_request(data):
            return
        try:
            self._take(data)
        except Refused as refused:
            self._refuse(refused)

    def _has_head(self) -> bool:
        """Whether the rest holds a whole head by now. Refuses what can no longer become one."""
        rest = self._rest
        if HEAD_END.search(rest, max(self._looked_at - 2, 0)) is not None:
            return True
        try:
            if len(rest) > self._connections.header_bytes_max:
                raise Refused(431)
            end = rest.rfind(b"\n", self._looked_at)
            if end >= 0:
                check_lines(bytes(rest[self._looked_at : end]), first=not self._looked_at)
                self._looked_at = end + 1
        except Refused as refused:
            self._refuse(refused)
        return False

    def _take(self, data: bytes) -> None:
        """Requests, and parts of them, from ``data``. Raises Refused."""
        position = 0
        while position < len(data) and not self._deaf and not self._closing:
            if self._request is not None:
                position = self._take_body(self._request, data, position)
                continue
            while data[position : position + 1] in (b"\r", b"\n"):
                position += 1  # empty lines before a request are ignored (RFC 9112, 2.2)
            match = HEAD_END.search(data, position)
            if match is None:
                self._keep_rest(data[position:])
                return
            if match.end() - position > self._connections.header_bytes_max:
                raise Refused(431)
            block = data[position : match.end()]
            if self._block and not (position == 0 and block.endswith(self._block + b"\r\n\r\n")):
                self._block = b""  # what looked like its head was not it
            position = match.end()
            self.header_started = 0.0
            self._begin_body(parse_head(block), data, position)

    def _keep_rest(self, rest: bytes) -> None:
        if not rest:
            return
        self._block = b""
        self._rest += rest
        self._looked_at = 0
        self.header_started = time.monotonic()
        self._has_head()

    def _begin_body(self, head: Head, data: bytes, position: int) -> None:
        """A head is there: make the request, and find out what becomes of its body. Raises Refused."""
        request = Request(head.method, head.raw_path, head.path, head.query, head.headers)
        request.peer, request.version, request.keep_alive = self.peer, head.version, head.keep_alive
        self._app.route(request)
        self._body_max = self._app.body_bytes_max(request) if head.length != 0 else 0
        length, unwanted = head.length or 0, not self._body_max
        waits = "expect" in head.headers and self._expects(head)
        if (waits and unwanted) or length > (self._body_max or UNWANTED_BYTES_MAX - 1):
            # Answer now, perhaps before the body is sent; it would be dropped in any case.
            request.body_bytes, request.keep_alive = length, False
            self._deaf = True
            self._begin(request)
        elif length == 0 and head.length is not None:
            self._complete(request)
        else:
            if waits:
                self._continue_due = True
                self._say_continue()
            self._request, self._left, self._body = request, length, []
            self._chunks = Chunks() if head.length is None else None
            if not unwanted and request.route.streams:
                self._begin_upload(request)

    def _begin_upload(self, request: Request) -> None:
        """Have a request handled whose body is handed on as it comes."""
        request.upload = Upload(self.flush)
        self._block = b""
        self._hold(request)
        self.flush()

    def _break_off(self, request: Request, upload: Upload, why: str) -> None:
        """Nothing more comes of a body, or nobody wants it: the answer ends the connection."""
        self._request, self._chunks = None, None
        request.keep_alive, self._deaf = False, True
        upload.fail(why)

    @staticmethod
    def _expects(head: Head) -> bool:
        """Whether the client waits before it sends its body. Raises Refused for what nobody can promise."""
        if takes_continue(head.headers):
            return head.version == "1.1" and head.length != 0
        if head.headers["expect"]:
            raise Refused(417, body="")
        return False

    def _say_continue(self) -> None:
        blocked = self._streaming is not None or (self._slots and self._slots[0].request is not self._request)
        if self._continue_due and not blocked and self._transport is not None:
            self._continue_due = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take_body(self, request: Request, data: bytes, position: int) -> int:
        """The part of a body that is in ``data``; where it ends. Raises Refused for chunks that are none."""
        if self._chunks is None:
            part = data[position : position + self._left] if position or len(data) > self._left else data
            self._left -= len(part)
            position += len(part)
            if request.upload is not None:
                self._hand_on(request.upload, [part])
            elif self._body_max:
                self._body.append(part)
            if not self._left:
                self._complete(request)
            return position
        parts: list[bytes] = []
        try:
            position = self._chunks.feed(data, position, parts)
        except Refused:
            if request.upload is not None:
                self._break_off(request, request.upload, "malformed chunked encoding")
                return len(data)
            if self._body_max:
                self._request = None
                raise
            return self._answer_deaf(request, data)
        if request.upload is not None:
            self._hand_on(request.upload, parts)
            if self._chunks.done:
                self._complete(request)
            return position
        request.body_bytes += sum(map(len, parts))
        if request.body_bytes <= self._body_max:
            self._body += parts
        else:
            self._body = []
        if request.body_bytes > (DISCARD_BYTES_MAX + self._body_max if self._body_max else UNWANTED_BYTES_MAX):
            return self._answer_deaf(request, data)
        if self._chunks.done:
            self._complete(request)
        return position

    def _hand_on(self, upload: Upload, parts: list[bytes]) -> None:
        for part in parts:
            upload.feed(part)
        if upload.full:
            self._pause_reading()

    def _answer_deaf(self, request: Request, data: bytes) -> int:
        """Answer a request whose body will not be read to its end."""
        self._request, self._body = None, []
        request.keep_alive = False
        self._deaf = True
        self._begin(request)
        return len(data)

    def _complete(self, request: Request) -> None:
        """A request is there with its whole body."""
        body, self._body, self._request, self._chunks = self._body, [], None, None
        self._continue_due = False
        if request.upload is not None:
            request.upload.end()
            return
        if body:
            request.body = body[0] if len(body) == 1 else b"".join(body)
            request.body_bytes = len(request.body)
        if self._block:
            remember_block(self._block, request)
            self._block = b""
        self._begin(request)

    def _whole_request(self, data: bytes) -> bool:
        """Take the short way for one whole request with a header block seen before; False when it is not that."""
        head_end = data.find(b"\r\n\r\n")
        line_end = data.find(b"\r\n")
        known = BLOCKS.get(data[line_end:head_end])
        self._block = b""
        if known is None or len(data) != head_end + 4 + known[1]:
            if 0 < head_end - line_end <= BLOCK_BYTES_MAX:
                self._block = data[line_end:head_end]
            return False
        line = data[:line_end]
        parsed = self._connections.lines.get(line) or parse_line(line, self._app.route, self._connections.lines)
        if parsed is None:
            return False
        method, path, query, route, params = parsed
        request = Request(method, path, path, query, known[0])
        request.peer = self.peer
        request.route, request.params = route, params
        if known[1]:
            if route is None or known[1] > route.body_bytes_max or known[1] >= UNWANTED_BYTES_MAX:
                return False
            request.body = data[head_end + 4 :]
            request.body_bytes = known[1]
        self._begin(request)
        return True

    def _refuse(self, refused: Refused) -> None:
        """Answer what cannot be understood when its turn comes, and hang up: nor can what follows."""
        self._deaf = True
        self._rest.clear()
        self._request, self._body, self.header_started = None, [], 0.0
        self._slots.append(_Slot(_NOTHING, refused.answer))
        self.flush()

    def _hang_up(self) -> None:
        """Say nothing more. A peer that still sends is listened to for a moment, or it might lose the last answer."""
        self._closing = True
        if self._transport is None:
            return
        if self._deaf and not self._peer_done and self._transport.can_write_eof():
            self._transport.write_eof()
            if self._read_paused:
                self._read_paused = False
                self._transport.resume_reading()
            self._connections.let_go(self)
        else:
            self._transport.close()

    def close_now(self, *, abort: bool = False) -> None:
        """Close, whatever the peer still sends; with ``abort`` whatever it is still sent."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort() if abort else self._transport.close()

    def ended_quietly(self) -> bool:
        """Whether the peer has sent nothing since this was asked last, or more than is worth reading."""
        quiet = self._dropped_bytes == self._dropped_seen or self._dropped_bytes > DISCARD_BYTES_MAX
        self._dropped_seen = self._dropped_bytes
        return self._transport is None or quiet

    def expire(self, now: float) -> None:
        """Drop the connection when its header has been incomplete for too long."""
        if self.header_started and now - self.header_started > HEADER_TIMEOUT_S:
            self.close_now()

    def close_when_idle(self) -> None:
        """Shut down: idle connections at once, busy ones after the answer."""
        if self._slots:
            self._slots[-1].request.keep_alive = False
        else:
            self._hang_up()

    # ------------------------------------------------------------------ answering

    def _begin(self, request: Request) -> None:
        """Handle a request, or hold it while an earlier one of this connection is not answered.

        A client that sends a write and a read behind it expects the read to see the write, as with net/http.
        """
        if self._slots or self._streaming is not None:
            self._hold(request)
            return
        started = time.perf_counter() if self._app.logs_requests else 0.0
        answer = self._app.handle(request)
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
        slot.begun = False
        self._slots.append(slot)
        self._held_bytes += len(request.body)
        if self._is_full() or self._write_paused:
            self._pause_reading()

    def _is_full(self) -> bool:
        upload = self._request.upload if self._request is not None else None
        full = upload is not None and upload.full
        return full or len(self._slots) >= PIPELINE_MAX or self._held_bytes > PIPELINE_BYTES_MAX

    def _begin_held(self, slot: _Slot) -> None:
        slot.begun = True
        slot.started = time.perf_counter() if self._app.logs_requests else 0.0
        self._held_bytes -= len(slot.request.body)
        self._due(slot, self._app.handle(slot.request))

    def _due(self, slot: _Slot, answer: Answer) -> None:
        """Take the answer to a slot's request, or what will become it."""
        if isinstance(answer, Response):
            slot.response = answer
            self.flush()
        elif isinstance(answer, Deferred):
            slot.task = answer
            answer.when_done(lambda response: self._deliver(slot, response))
            if self._peer_done:
                answer.hurry()
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
            if slot.refusal:
                self._slots.clear()
                self._transport.write(slot.refusal)
                self._hang_up()
                return
            if not slot.begun:
                self._begin_held(slot)
            response = slot.response
            if response is None:
                break
            self._slots.popleft()
            if slot.request is self._request and slot.request.upload is not None:
                self._break_off(slot.request, slot.request.upload, "the request was answered")
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
        if self._peer_done and not self._slots and self._streaming is None:
            self._hang_up()
        elif self._continue_due:
            self._say_continue()

    async def _stream(self, request: Request, response: Response) -> None:
        """Send a response of unknown length in chunks, as fast as the peer reads."""
        assert response.stream is not None and self._transport is not None
        chunked = request.version == "1.1"
        framing = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        self._transport.write(encode_stream_head(request, response, framing))
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


# Stands for the request in the place of one that cannot be understood.
_NOTHING = Request("", "", "", "", {})


def factory(application: Application, connections: ConnectionSet) -> Callable[[], HTTPProtocol]:
    """What asyncio's create_server wants."""
    return lambda: HTTPProtocol(application, connections)
