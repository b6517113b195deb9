"""The client's side of HTTP: what is made of answers, in any pieces; redirects; the event loop's shell and the blocking
one say the same."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.cli.api import AgentUnreachable, Client
from proconsul.client.settings import ClientConfig
from proconsul.engine.http.client import Exchange, HttpClientError, ResponseHead, ResponseReader
from proconsul.engine.http.fetch import HttpRequest, fetch
from support.odd_answers import ODD_ANSWERS

BROKEN = "net/http: HTTP/1.x transport connection broken: "


def taken(pieces: list[bytes], method: str = "GET") -> tuple[ResponseHead | None, bytes, str]:
    """Head, body and error of an answer that came in ``pieces``."""
    body: list[bytes] = []
    reader = ResponseReader(method, body.append)
    try:
        for piece in pieces:
            if not reader.done:
                reader.feed(piece)
        reader.end()
    except HttpClientError as error:
        return reader.head, b"".join(body), str(error)
    return reader.head, b"".join(body), ""


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10))
def test_pieces_make_no_difference(size: int, first: int) -> None:
    for answer in ODD_ANSWERS:
        if len(answer) > 4000:
            continue
        rest = answer[first:]
        pieces = [answer[:first], *(rest[at : at + size] for at in range(0, len(rest), size))]
        whole, split = taken([answer]), taken(pieces)
        assert split[:2] == whole[:2], answer
        # A line that is no HTTP is told of at once; at the end, with what came of it.
        assert split[2] == whole[2], answer


# What `consul kv get` of 1.8.7 said of bodies that break off: while decoding what came before it found nothing wrong.
BODIES = {
    b"Content-Length: 5\r\n\r\n": "unexpected EOF",
    b"Content-Length: 5\r\n\r\n[{": "unexpected EOF",
    b"Content-Length: 5\r\n\r\nhel": "invalid character 'h' looking for beginning of value",
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n": "invalid byte in chunk length",
    b"Transfer-Encoding: chunked\r\n\r\n\r\nhello": "http: suspiciously long trailer after chunked body",
    b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello": "http chunk length too large",
    b"Transfer-Encoding: chunked\r\n\r\n": "unexpected EOF",
    b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5000 + b"5\r\nhello\r\n0\r\n\r\n": "header line too long",
    b"Content-Encoding: gzip\r\n\r\nhello this is not gzip": "gzip: invalid header",
    b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n": "EOF",
    b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"[{")[:-4]: "unexpected EOF",
    b"Content-Length: 0\r\n\r\n": "EOF",
    b"Content-Length: 1\r\n\r\n[": "unexpected EOF",
}


@contextlib.contextmanager
def serving(answers: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers, one on each connection; where it is, and the requests it got."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(65536)
                    got.append(request)
                    with contextlib.suppress(OSError):
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", got
        thread.join()


def client(address: str) -> Client:
    return Client(ClientConfig({"CONSUL_HTTP_ADDR": address}))


def test_bodies_that_break_off() -> None:
    with serving([b"HTTP/1.1 200 OK\r\n" + rest for rest in BODIES]) as (address, _):
        for rest, text in BODIES.items():
            with pytest.raises(Exception) as caught:
                client(address).get("/v1/kv/k")
            assert str(caught.value) == text, rest


async def test_both_shells_say_the_same() -> None:
    answers = [one for one in ODD_ANSWERS if len(one) < 4000 and b"Location: " not in one]
    with serving([one for one in answers for _ in range(2)]) as (address, _):
        for answer in answers:
            body = bytearray()
            try:
                head = await fetch(HttpRequest(f"http://{address}/k"), body.extend, 30.0)
                theirs: object = (head.status, bytes(body))
            except HttpClientError as error:
                theirs = str(error)
            ours = await asyncio.to_thread(blocking, address)
            if isinstance(ours, tuple) and isinstance(theirs, tuple) and ours[1] is None:
                ours = (ours[0], theirs[1])  # the blocking one tells that the body broke off
            assert ours == theirs, answer


def blocking(address: str) -> object:
    try:
        response = client(address).request("GET", "/k")
    except AgentUnreachable as error:
        return str(error)
    try:
        return response.status, response.read()
    except AgentUnreachable:
        return response.status, None


def exchange(**options: object) -> Exchange:
    header = {"Authorization": ["a"], "X-Consul-Token": ["t"], "X-Other": ["o"], "Host": ["h"]}
    return Exchange("http://a.example/x?y", "PUT", header, b"body", **options)  # type: ignore[arg-type]


def moved(status: int, location: str) -> ResponseHead:
    return ResponseHead(status, f"{status} M", {"location": location} if location else {})


@pytest.mark.parametrize(("status", "location", "line", "kept"), [
    (302, "/y", b"GET /y HTTP/1.1\r\nHost: h\r\n", True),
    (301, "y", b"GET /y HTTP/1.1\r\nHost: h\r\n", True),
    (303, "http://a.example/y", b"GET /y HTTP/1.1\r\nHost: a.example\r\n", True),
    (307, "http://sub.a.example:80/y", b"PUT /y HTTP/1.1\r\nHost: sub.a.example:80\r\n", True),
    (308, "http://b.example/y", b"PUT /y HTTP/1.1\r\nHost: b.example\r\n", False),
    (302, "//nota.example/y", b"GET /y HTTP/1.1\r\nHost: ", False),
])  # fmt: skip
def test_redirects_keep_secrets_to_the_host_they_were_for(status: int, location: str, line: bytes, kept: bool) -> None:
    one = exchange()
    assert one.redirected(moved(status, location))
    head = one.head(one.place())
    assert head.startswith(line), head
    assert (b"X-Consul-Token: t" in head, b"Authorization: a" in head) == (kept, kept)
    assert b"X-Other: o" in head and b"Referer: http://a.example/x?y" in head
    assert one.body == (b"body" if status >= 307 else None)


def test_redirects_that_are_none() -> None:
    assert not exchange().redirected(moved(307, ""))
    assert not exchange(streamed=True).redirected(moved(307, "/y"))
    assert not exchange().redirected(ResponseHead(300, "300 M", {"location": "/y"}))
    with pytest.raises(HttpClientError, match="302 response missing Location header"):
        exchange().redirected(moved(302, ""))


def test_a_command_follows_redirects_and_streams_its_body_in_chunks(tmp_path: object) -> None:
    import io

    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with serving([b"HTTP/1.1 307 T\r\nLocation: /v1/kv/b\r\nContent-Length: 0\r\n\r\n", ok, ok]) as (address, got):
        assert client(address).request("PUT", "/v1/kv/a", body=b"v").read() == b"ok"
        assert got[0].startswith(b"PUT /v1/kv/a ") and got[1].startswith(b"PUT /v1/kv/b ")
        assert client(address).request("PUT", "/v1/snapshot", body=io.BytesIO(b"state")).read() == b"ok"
        assert b"Transfer-Encoding: chunked" in got[2]


@pytest.mark.parametrize(("address", "text"), [
    ("127.0.0.1:abc", 'Get "http://127.0.0.1:abc/k": dial tcp: lookup 127.0.0.1:abc: no such host'),
    ("127.0.0.1:99999", 'Get "http://127.0.0.1:99999/k": dial tcp: address 99999: invalid port'),
    ("::1", 'Get "http://::1/k": dial tcp: lookup :: no such host'),
    ("a b", 'Get "http://a%20b/k": dial tcp: lookup a b: no such host'),
    ("127.0.0.1:1/p", 'Get "http://127.0.0.1:1%2Fp/k": dial tcp: lookup 127.0.0.1:1/p: no such host'),
    ("[::1", "Get \"http://[::1/k\": dial tcp: address [[:]:1: unexpected '[' in address"),
    ("http://", 'Get "http:///k": http: no Host in request URL'),
    ("unix:///nowhere", 'Get "http://%2Fnowhere/k": dial unix /nowhere: connect: no such file or directory'),
    ("u:p@127.0.0.1:1", 'Get "http://u:p%40127.0.0.1:1/k": dial tcp: lookup u:p@127.0.0.1: no such host'),
    ("127.0.0.1%41:1", 'Get "http://127.0.0.1%2541:1/k": dial tcp: lookup 127.0.0.1%41: no such host'),
])  # fmt: skip
def test_addresses_of_agents_that_are_none(address: str, text: str) -> None:
    """The texts of `consul kv get -http-addr=...` of 1.8.7."""
    with pytest.raises(AgentUnreachable) as caught:
        client(address).request("GET", "/k")
    assert str(caught.value) == text


def test_a_connection_that_is_reset_says_between_whom() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reset() -> None:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(AgentUnreachable, match=rf"read tcp 127\.0\.0\.1:\d+->{address}: read: connection reset by"):
            client(address).request("GET", "/k")
        thread.join()
