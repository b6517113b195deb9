"""HTTP/1.1 fed whole, byte by byte and with trailing junk, over a fake transport."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.http.connections import ConnectionSet
from proconsul.engine.http.message import HEADER_BYTES_MAX
from proconsul.engine.http.protocol import HEADER_TIMEOUT_S, HTTPProtocol
from proconsul.engine.http.request import Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Route, Router, too_large
from support.patience import PATIENCE_S


class Transport:
    """What the protocol needs of a transport; remembers what was written."""

    def __init__(self, peer: str = "127.0.0.1") -> None:
        self.peer, self.sent, self.closed, self.reading, self.ended = peer, b"", False, True, False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return self.peer, 1

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def write(self, data: bytes) -> None:
        assert not self.ended, "written after the end"
        self.sent += data

    def close(self) -> None:
        self.closed = self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Application:
    """Echoes method, path, query and body; /wait/<name> answers when told to."""

    logs_requests = False

    def __init__(self) -> None:
        self.router = Router()
        self.router.add("/v1/echo/", {"GET": self.echo, "PUT": self.echo, "DELETE": self.echo}, body_bytes_max=1000)
        self.router.add("/v1/wait/", {"GET": self.wait})
        self.router.add("/v1/stream", {"GET": self.stream})
        self.waiting: dict[str, Deferred] = {}
        self.cancelled: list[str] = []

    def route(self, request: Request) -> Route | None:
        request.route, request.params = self.router.find(request.path)
        return request.route

    def body_bytes_max(self, request: Request) -> int:
        return request.route.body_bytes_max if request.route is not None and request.method == "PUT" else 0

    def handle(self, request: Request) -> Answer:
        if request.route is not None and request.body_bytes > request.route.body_bytes_max and request.method == "PUT":
            return too_large(request.body_bytes, request.route.body_bytes_max)
        if request.route is None or request.method not in request.route.handlers:
            return text_response(404, "no such thing")
        return request.route.handlers[request.method](request)

    def echo(self, request: Request) -> Response:
        return Response(200, f"{request.method} {request.params} {request.query_string} ".encode() + request.body)

    def wait(self, request: Request) -> Deferred:
        deferred = self.waiting[request.params] = Deferred()
        deferred.on_cancel = lambda: self.cancelled.append(request.params)
        return deferred

    def stream(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            yield b"two"

        return Response(200, stream=parts())

    def log(self, request: Request, status: int, seconds: float) -> None:
        raise AssertionError("logs_requests is False")


class Connection:
    def __init__(self, application: Application | None = None, connections: ConnectionSet | None = None) -> None:
        self.application = application or Application()
        self.transport = Transport()
        self.later: list[Callable[[], None]] = []
        at_once = ConnectionSet(0, lambda callback: callback(), lambda _, callback: self.later.append(callback))
        self.protocol = HTTPProtocol(self.application, connections if connections is not None else at_once)
        self.protocol.connection_made(self.transport)  # type: ignore[arg-type]

    def feed(self, data: bytes, *, step: int = 0) -> bytes:
        before = len(self.transport.sent)
        pieces = [data] if not step else [data[at : at + step] for at in range(0, len(data), step)]
        for piece in pieces:
            self.protocol.data_received(piece)
        return self.transport.sent[before:]


def bodies(sent: bytes) -> list[bytes]:
    """The bodies of a run of responses with Content-Length."""
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(rest[:length])
        sent = rest[length:]
    return found


GET = b"GET /v1/echo/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("step", [0, 1, 3, 7])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GET, [b"GET a b=c "]),
        (PUT, [b"PUT a  hello"]),
        (CHUNKED, [b"PUT a  hello"]),
        (GET + PUT + CHUNKED + GET, [b"GET a b=c ", b"PUT a  hello", b"PUT a  hello", b"GET a b=c "]),
    ],
)
def test_the_same_bytes_in_any_pieces(data: bytes, expected: list[bytes], step: int) -> None:
    connection = Connection()
    assert bodies(connection.feed(data, step=step)) == expected
    # The short way for known header blocks gives the same answers.
    assert bodies(connection.feed(data, step=step)) == expected
    assert not connection.transport.closed


@given(st.lists(st.sampled_from([GET, PUT, CHUNKED]), min_size=1, max_size=4), st.data())
@settings(max_examples=60, deadline=None)
def test_any_split_of_any_pipeline(requests: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(requests)
    connection = Connection()
    sent, rest = b"", stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        sent += connection.feed(rest[:size])
        rest = rest[size:]
    assert len(bodies(sent)) == len(requests)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_noise_is_refused_or_ignored(noise: bytes) -> None:
    connection = Connection()
    connection.feed(noise)
    if not connection.transport.sent:
        # It may be the beginning of something, of which this is no end.
        assert not connection.transport.closed
        connection.feed(b" \x00\r\n\r\n")
    assert connection.transport.sent.startswith(b"HTTP/1.1 4")
    assert connection.transport.sent.count(b"HTTP/1.1 ") == 1
    assert connection.transport.ended, "whoever still sends is listened to for a moment, and told nothing more"
    assert connection.feed(GET) == b""


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /v1/echo/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /v1/echo/a HTTP/1.1\r\n\r\n", 400),
        (b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n", 417),
        (b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * (HEADER_BYTES_MAX // 6 + 10), 431),
    ],
)
def test_what_cannot_be_understood_is_refused(data: bytes, status: int) -> None:
    connection = Connection()
    sent = connection.feed(data)
    assert sent.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close\r\n" in sent
    assert connection.transport.ended
    assert connection.feed(GET) == b""


@pytest.mark.parametrize(("limit", "room", "step"), [
    (0, HEADER_BYTES_MAX, 0), (0, HEADER_BYTES_MAX, 65_536), (1000, 1000 + 4096, 0), (1000, 1000 + 4096, 100),
    (100_000, 104_096, 5000),
])  # fmt: skip
def test_how_long_a_head_may_be(limit: int, room: int, step: int) -> None:
    """http_config.max_header_bytes, and the slack that Go's server gives."""
    for more, status in ((0, 200), (1, 431)):
        begin = b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\nLong: "
        data = begin + b"a" * (room - len(begin) - 4 + more) + b"\r\n\r\n"
        connections = ConnectionSet(0, lambda callback: callback(), lambda *_: None, header_bytes_max=limit)
        assert Connection(connections=connections).feed(data, step=step).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    ("head", "closed"),
    [(b"HTTP/1.1\r\nHost: x", False), (b"HTTP/1.1\r\nHost: x\r\nConnection: close", True), (b"HTTP/1.0", True),
     (b"HTTP/1.0\r\nConnection: keep-alive", False)],
)  # fmt: skip
def test_how_connections_go_on(head: bytes, closed: bool) -> None:
    connection = Connection()
    connection.feed(b"GET /v1/echo/a " + head + b"\r\n\r\n")
    assert connection.transport.closed is closed


def test_answers_leave_in_request_order() -> None:
    connection = Connection()
    connection.feed(b"GET /v1/wait/1 HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"GET /v1/wait/2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.transport.sent == b""
    assert list(connection.application.waiting) == ["1"]  # what follows may depend on it, so it has not begun
    connection.application.waiting["1"].resolve(Response(200, b"first"))
    assert bodies(connection.transport.sent) == [b"first", b"GET a b=c "]
    connection.application.waiting["2"].resolve(Response(200, b"second"))
    assert bodies(connection.transport.sent) == [b"first", b"GET a b=c ", b"second"]


def test_a_lost_connection_cancels_what_waits() -> None:
    connection = Connection()
    connection.feed(b"GET /v1/wait/1 HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.protocol.connection_lost(None)
    assert connection.application.cancelled == ["1"]
    connection.application.waiting["1"].resolve(Response(200, b"late"))
    assert connection.transport.sent == b""


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    connection = Connection()
    connection.protocol.pause_writing()
    connection.feed(GET)
    assert (connection.transport.sent, connection.transport.reading) == (b"", False)
    connection.protocol.resume_writing()
    assert bodies(connection.transport.sent) == [b"GET a b=c "]
    assert connection.transport.reading


def test_pipelines_are_bounded() -> None:
    connection = Connection()
    connection.feed(b"GET /v1/wait/1 HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
    assert not connection.transport.reading


def test_large_bodies_get_their_answer() -> None:
    connection = Connection()
    sent = connection.feed(b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001)
    assert sent.startswith(b"HTTP/1.1 413 ")
    assert bodies(sent) == [b"Request body(1001 bytes) too large, max size: 1000 bytes."]


def test_expect_asks_before_the_body_is_sent() -> None:
    connection = Connection()
    head = b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    assert connection.feed(head % 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert bodies(connection.feed(b"hello")) == [b"PUT a  hello"]
    refused = Connection()
    assert refused.feed(head % 5000).startswith(b"HTTP/1.1 413 ")
    assert refused.transport.ended


def test_gzip_when_asked() -> None:
    connection = Connection()
    sent = connection.feed(b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, deflate\r\n\r\n")
    assert b"Content-Encoding: gzip\r\n" in sent
    assert gzip.decompress(bodies(sent)[0]) == b"GET a  "


def test_head_has_no_body() -> None:
    connection = Connection()
    sent = connection.feed(b"HEAD /v1/echo/a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert sent.endswith(b"\r\n\r\n")
    assert b"Content-Length: 13\r\n" in sent


async def test_streams_are_chunked() -> None:
    connection = Connection()
    connection.feed(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
    async with asyncio.timeout(PATIENCE_S):
        while not connection.transport.sent.endswith(b"GET a b=c "):
            await asyncio.sleep(0)
    assert b"Transfer-Encoding: chunked" in connection.transport.sent
    assert b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK" in connection.transport.sent


def test_connections_are_limited_per_client() -> None:
    connections = ConnectionSet(per_client_max=2)
    first, second, third = (Connection(connections=connections) for _ in range(3))
    assert third.transport.sent.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert third.transport.closed
    assert third.feed(GET) == b""
    third.protocol.connection_lost(None)
    first.protocol.connection_lost(None)
    assert Connection(connections=connections).feed(GET).startswith(b"HTTP/1.1 200 ")
    assert len(connections) == 2
    assert second.feed(GET).startswith(b"HTTP/1.1 200 ")


def test_headers_that_never_end_are_dropped() -> None:
    connection = Connection()
    connection.feed(b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\n")
    started = connection.protocol.header_started
    connection.protocol.expire(started + HEADER_TIMEOUT_S)
    assert not connection.transport.closed
    connection.protocol.expire(started + HEADER_TIMEOUT_S + 1)
    assert connection.transport.closed
