"""What a request is made of: upgrades, lengths, chunks, heads; in any pieces, behind any other request."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_protocol import GET, Connection, bodies

from proconsul.engine.http.connections import LINGER_S_MAX
from proconsul.engine.http.encoding import takes_gzip
from proconsul.engine.http.message import Chunks, Refused, parse_head
from proconsul.engine.http.protocol import DISCARD_BYTES_MAX, UNWANTED_BYTES_MAX
from proconsul.engine.http.request import Response

OFFERS = [
    "", "h2c", "H2C", "websocket", "h2c, websocket", "TLS/1.0, HTTP/1.1",
]  # fmt: skip
CONNECTIONS = ["", "Upgrade", "upgrade, HTTP2-Settings", "keep-alive, UPGRADE", "HTTP2-Settings"]
FRAMINGS = ["length", "chunked"]


def offering(method: str, offer: str, connection: str, framing: str, target: str = "/v1/echo/a") -> bytes:
    """A request with the body ``new value`` that offers to speak another protocol."""
    lines = [f"{method} {target} HTTP/1.1", "Host: x"]
    lines += [f"Connection: {connection}"] if connection else []
    lines += [f"Upgrade: {offer}", "HTTP2-Settings: AAMAAABkAAQAAP__"] if offer else []
    if framing == "length":
        return "\r\n".join([*lines, "Content-Length: 9", "", "new value"]).encode()
    return "\r\n".join([*lines, "Transfer-Encoding: chunked", "", "4", "new ", "5", "value", "0", "", ""]).encode()


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("offer", OFFERS)
def test_no_upgrade_is_taken(offer: str, connection: str, framing: str) -> None:
    data = offering("PUT", offer, connection, framing)
    for split in range(0, len(data), 1 if offer == "h2c" else 7):
        one = Connection()
        sent = one.feed(data[:split]) + one.feed(data[split:] + GET)
        assert bodies(sent) == [b"PUT a  new value", b"GET a b=c "]
        # And again, now that the header block is known.
        assert bodies(one.feed(data) + one.feed(GET)) == [b"PUT a  new value", b"GET a b=c "]
        assert not one.transport.ended


def test_a_body_is_never_a_request() -> None:
    victim = "DELETE /v1/echo/victim HTTP/1.1\r\nHost: x\r\n\r\n"
    for method, target in itertools.product(["PUT", "CONNECT", "GET", "FOO"], ["/v1/echo/a", "other:443"]):
        head = f"{method} {target if method == 'CONNECT' else '/v1/echo/a'} HTTP/1.1\r\nHost: x\r\n"
        offer = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
        data = f"{head}{offer}Content-Length: {len(victim)}\r\n\r\n{victim}".encode()
        answers = bodies(Connection().feed(data + GET))
        assert len(answers) == 2 and not any(b"DELETE" in body and method != "PUT" for body in answers)


MALFORMED = [
    b"GET /v1/echo/%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"hello\r\n\r\n", b"GET  /v1/echo/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"GET /v1/echo/a HTTP/1.1\r\n\r\n",
    b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\na",
    b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
]  # fmt: skip
WAIT = b"GET /v1/wait/1 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("malformed", MALFORMED)
@pytest.mark.parametrize("behind", [b"", GET, MALFORMED[0]])
def test_answers_leave_in_order_whatever_comes_behind(malformed: bytes, behind: bytes) -> None:
    one = Connection()
    assert one.feed(WAIT + GET + malformed + behind) == b""
    one.application.waiting["1"].resolve(Response(200, b"first"))
    statuses = [int(part[:3]) for part in one.transport.sent.split(b"HTTP/1.1 ")[1:]]
    assert statuses[:2] == [200, 200] and len(statuses) == 3 and statuses[2] >= 400, one.transport.sent
    assert one.transport.sent.index(b"first") < one.transport.sent.index(b"GET a b=c ")
    assert one.transport.ended


@pytest.mark.parametrize("part", [b"GE", b"GET / HTTP/1.1\r\nHo", b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\n"
                                  b"Content-Length: 9\r\n\r\nab"])  # fmt: skip
def test_a_peer_that_stops_in_the_middle_gets_all_answers(part: bytes) -> None:
    one = Connection()
    one.feed(WAIT + GET + part)
    assert one.protocol.eof_received()
    one.application.waiting["1"].resolve(Response(200, b"first"))
    assert one.transport.sent.count(b"HTTP/1.1 200") == 2 and one.transport.sent.count(b"HTTP/1.1 400") == 1
    assert one.transport.closed


def test_writes_behind_a_waiting_read_happen_even_when_the_peer_ends() -> None:
    write = b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"
    one = Connection()
    one.feed(WAIT + write)
    assert one.protocol.eof_received()
    one.application.waiting["1"].resolve(Response(200, b"first"))
    assert bodies(one.transport.sent) == [b"first", b"PUT a  v"]
    assert one.transport.closed


def test_reads_that_wait_are_answered_when_the_peer_ends() -> None:
    """It may only have closed its writing side; and if it is gone, its place is wanted."""
    one = Connection()
    one.feed(WAIT + WAIT + GET)
    waiting = one.application.waiting["1"]
    waiting.on_hurry = partial(waiting.resolve, Response(200, b"now"))
    assert one.protocol.eof_received()
    again = one.application.waiting["1"]
    assert again is not waiting, "the second one began, and waits"
    again.resolve(Response(200, b"later"))
    assert bodies(one.transport.sent) == [b"now", b"later", b"GET a b=c "]
    assert one.transport.closed


def test_the_last_answer_is_not_lost_to_a_client_that_still_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Connection()
    sent = one.feed(b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
    assert sent.startswith(b"HTTP/1.1 413 ")
    for _ in range(3):
        one.feed(b"x" * 1000)
        one.later.pop()()
        assert not one.transport.closed
    one.later.pop()()
    assert one.transport.closed
    endless = Connection()
    endless.feed(b"hello\r\n\r\n")
    endless.feed(b"x" * (DISCARD_BYTES_MAX + 1))
    endless.later.pop()()
    assert endless.transport.closed
    slow = Connection()
    slow.feed(b"hello\r\n\r\n")
    slow.feed(b"x")
    monkeypatch.setattr("time.monotonic", lambda: 1e9 + LINGER_S_MAX)
    slow.later.pop()()
    assert slow.transport.closed


def test_a_body_that_nobody_wants_ends_the_connection_only_when_it_is_long() -> None:
    head = b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    short = Connection()
    assert bodies(short.feed(head % (UNWANTED_BYTES_MAX - 1) + b"x" * (UNWANTED_BYTES_MAX - 1) + GET)) == [
        b"GET a  ", b"GET a b=c ",
    ]  # fmt: skip
    long = Connection()
    assert b"Connection: close" in long.feed(head % UNWANTED_BYTES_MAX)
    assert long.transport.ended


def test_the_client_is_told_to_go_on_when_its_turn_comes() -> None:
    one = Connection()
    one.feed(WAIT + b"PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert one.transport.sent == b""
    one.application.waiting["1"].resolve(Response(200, b"first"))
    assert one.transport.sent.endswith(b"firstHTTP/1.1 100 Continue\r\n\r\n")
    assert bodies(one.feed(b"ok")) == [b"PUT a  ok"]


def test_expectations_on_requests_without_a_wanted_body() -> None:
    for length, closes in ((0, False), (3, True)):
        one = Connection()
        head = b"GET /v1/echo/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        sent = one.feed(head % length)
        assert sent.startswith(b"HTTP/1.1 200 ") and one.transport.ended is closes


def test_a_block_with_two_ends_is_not_taken_for_one() -> None:
    data = b"GET /v1/echo/a HTTP/1.1\r\nHost: x\n\nGET /v1/echo/b HTTP/1.1\r\nHost: x\r\n\r\n"
    one = Connection()
    for _ in range(3):
        assert bodies(one.feed(data)) == [b"GET a  ", b"GET b  "]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("gzip", True), ("GZIP", True), ("x-gzip", False), ("gzip;q=0", False), ("gzip; q=0.001", True),
     ("gzip;q=0.0", False), ("deflate, gzip;q=0.5", True), ("gzip;q=x", False), ("gzip;q=-1", False),
     ("gzip;level=1", True), ("*", False), ("gzip;q=0;x", True), (" gzip ,br", True), ("gzip, gzip;q=0", False),
     ("gzip;q= 1", False), ("gzip;q=1_0", False),
     ("", False), ("gzipped", False)],
)  # fmt: skip
def test_gzip_negotiation(accepted: str, expected: bool) -> None:
    assert takes_gzip(accepted) is expected


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.data())
@settings(max_examples=80, deadline=None)
def test_chunks_in_any_pieces(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(b"%x;e=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nT: 1\r\n\r\n"
    chunks, found, rest = Chunks(), list[bytes](), stream + b"next"
    while not chunks.done:
        size = data.draw(st.integers(1, len(rest)))
        taken = chunks.feed(rest[:size], 0, found)
        assert taken == size or chunks.done
        rest = rest[taken:]
    assert (b"".join(found), rest) == (b"".join(parts), b"next")


@given(st.text(alphabet="GETPU /v1:%\r\n\t xXHostK,;h\x00\xff01.", max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_head_is_parsed_or_refused(text: str) -> None:
    try:
        head = parse_head(text.encode("latin-1") + b"\r\n\r\n")
    except Refused as refused:
        assert refused.answer.startswith(b"HTTP/1.1 %d " % refused.status)
    else:
        assert head.path.startswith("/") or head.path in ("*", "")
