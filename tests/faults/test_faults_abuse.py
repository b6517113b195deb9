"""Hostile and broken clients: nothing crashes, memory stays bounded, and everybody else is still served."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from support.harness import Agent
from support.patience import PATIENCE_S

# What an agent may grow by under any of these attacks; one that keeps what it is sent grows by hundreds.
GROWTH_BYTES_MAX = 96 << 20
# Others are served meanwhile. A deadline against hanging, not a measurement.
SERVED_WITHIN_S = PATIENCE_S


def connect(agent: Agent) -> socket.socket:
    return socket.create_connection(("127.0.0.1", agent.ports["http"]), timeout=PATIENCE_S)


def served(agent: Agent) -> None:
    client = agent.client(timeout_s=SERVED_WITHIN_S)
    try:
        assert client.call("PUT", "/v1/kv/others", b"served").status == 200
        assert client.call("GET", "/v1/kv/others?raw").body == b"served"
    finally:
        client.close()


@pytest.fixture(autouse=True)
def unharmed(dev_agent: Agent) -> Iterator[None]:
    """After each attack: alive, no traceback, no great growth, and answering."""
    process = psutil.Process(dev_agent.pid)
    before, logged = process.memory_info().rss, len(dev_agent.log())
    yield
    assert dev_agent.process is not None and dev_agent.process.poll() is None
    served(dev_agent)
    assert "Traceback" not in dev_agent.log()[logged:]
    assert process.memory_info().rss - before < GROWTH_BYTES_MAX


BODIES = {
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep inside a known field": b'{"Name":"x","Meta":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "deep and closed": b"[" * 50_000 + b"]" * 50_000,
    "huge integer": b'{"Name":"x","Port":' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"Name":"x","Port":1e999999999}',
    "huge fraction": b'{"Name":"x","Port":0.' + b"1" * 100_000 + b"}",
    "infinity": b'{"Name":"x","Port":Infinity}',
    "invalid UTF-8": b'{"Name":"\xff\xfe"}',
    "lone surrogate": b'{"Name":"\\ud800","TTL":"900s"}',
    "NUL in a name": b'{"Name":"a\\u0000b","TTL":"900s"}',
    "a hundred thousand keys": b"{" + b",".join(b'"k%d":1' % i for i in range(100_000)) + b"}",
    "one key again and again": b"{" + b",".join([b'"Name":"x"'] * 100_000) + b"}",
    "a megabyte of spaces": b" " * (1 << 20) + b"{}",
    "no JSON": b"\x00\x01\x02",
    "half a value": b'{"Name":"',
}
TARGETS = (
    "/v1/agent/service/register", "/v1/agent/check/register", "/v1/catalog/register", "/v1/catalog/deregister",
    "/v1/session/create", "/v1/txn", "/v1/agent/check/update/x", "/v1/agent/token/default",
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_strange_bodies_get_an_answer(body: bytes, dev_agent: Agent) -> None:
    client = dev_agent.client()
    for target in TARGETS:
        reply = client.call("PUT", target, body)
        assert reply.status in (200, 400, 401, 409, 413, 500), (target, reply)
        assert "internal error" not in reply.text, (target, reply)
    client.close()


@pytest.mark.parametrize(
    "query",
    [
        "index=" + "9" * 5000, "index=18446744073709551615&wait=1ms", "index=-5", "index=1&wait=" + "9" * 400 + "h",
        "index=1&wait=9223372036854775807ns&stale", "wait=1e9s", "max_stale=" + "9" * 400 + "h", "flags=" + "9" * 4000,
        "cas=1e5", "cas=%00", "near=" + "n" * 10_000, "node-meta=" + ":" * 1000, "tag=" + "&tag=" * 2000,
        "filter=" + "(" * 5000, "filter=" + "not+" * 5000 + "Node==x", "filter=Node+matches+" + "a*" * 3000,
        "filter=" + "%FF" * 100, "dc=%00", "%ff=%fe", "&" * 10_000, "separator=" + "%00" * 50 + "&keys",
    ],
    ids=lambda query: query[:24],
)  # fmt: skip
def test_absurd_parameters_get_an_answer(query: str, dev_agent: Agent) -> None:
    client = dev_agent.client(timeout_s=20)
    for target in ("/v1/kv/abs", "/v1/catalog/nodes", "/v1/health/service/consul", "/v1/agent/services"):
        # A blocking read which waits is an answer too: it is only not waited for.
        if query.startswith(("index=1&", "index=184")):
            target = "/v1/status/leader"
        reply = client.call("GET", f"{target}?{query}")
        assert reply.status in (200, 400, 404, 500), (target, reply)
        assert "internal error" not in reply.text, (target, reply)
    reply = client.call("PUT", f"/v1/kv/abs?{query}", b"x")
    assert reply.status in (200, 400, 500), reply
    client.close()


def test_keys_of_any_bytes_come_back(dev_agent: Agent) -> None:
    client = dev_agent.client()
    for key in ("%FF%FE", "%C3%28", "a%2Fb", "%E2%82%AC", "k" * 8000):
        assert client.call("PUT", f"/v1/kv/{key}", b"v").status == 200
        assert client.call("GET", f"/v1/kv/{key}?raw").body == b"v"
        assert client.call("DELETE", f"/v1/kv/{key}").status == 200
    client.close()


def test_junk_on_the_socket(dev_agent: Agent) -> None:
    for junk in (b"\x00" * 4096, b"\xff" * 4096, b"GET " + b"/" * 70_000, b"\r\n" * 5000, b"GET / HTTP/9.9\r\n\r\n",
                 b"POST /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                 b"PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
                 ):  # fmt: skip
        with connect(dev_agent) as sock, contextlib.suppress(OSError):
            sock.sendall(junk)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    served(dev_agent)


def test_a_body_far_over_the_limit(dev_agent: Agent) -> None:
    reply = dev_agent.call("PUT", "/v1/kv/large", b"x" * (20 << 20))
    assert reply.status == 413
    reply = dev_agent.call("PUT", "/v1/catalog/register", b" " * (20 << 20))
    assert reply.status in (400, 413)


def test_half_open_and_slow_senders_do_not_hold_others(dev_agent: Agent) -> None:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(dev_agent)) for _ in range(100)]
        half = b"GET /v1/kv/a HTTP/1.1\r\nHo"
        beginnings = (b"", b"GET", half, b"PUT /v1/kv/s HTTP/1.1\r\nContent-Length: 9\r\n\r\nab")
        for number, sock in enumerate(socks):
            sock.sendall(beginnings[number % 4])
        served(dev_agent)
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.sendall(b"x")
        served(dev_agent)


def test_byte_by_byte_is_a_request_too(dev_agent: Agent) -> None:
    with connect(dev_agent) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"PUT /v1/kv/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
            sock.sendall(bytes([byte]))
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    assert dev_agent.call("GET", "/v1/kv/slow?raw").body == b"abc"


def test_clients_that_never_read_cost_little(dev_agent: Agent) -> None:
    assert dev_agent.call("PUT", "/v1/kv/heavy", b"h" * 500_000).status == 200
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            sock = stack.enter_context(connect(dev_agent))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(0.05)
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /v1/kv/heavy HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        served(dev_agent)
    served(dev_agent)


def test_a_thousand_blocking_readers_that_leave(dev_agent: Agent) -> None:
    assert dev_agent.call("PUT", "/v1/kv/blocked", "x").status == 200
    index = dev_agent.call("GET", "/v1/kv/blocked").index
    request = f"GET /v1/kv/blocked?index={index}&wait=10m HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    process = psutil.Process(dev_agent.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(connect(dev_agent)).sendall(request * 3)
        served(dev_agent)
    deadline = time.monotonic() + PATIENCE_S
    while len(process.net_connections()) > 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(process.net_connections()) <= 20
    assert dev_agent.call("PUT", "/v1/kv/blocked", "y").status == 200


def test_more_connections_than_one_client_may_have(dev_agent: Agent) -> None:
    """limits.http_max_conns_per_client is 200: the next one is refused, and is free again when others leave."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(dev_agent)) for _ in range(260)]
        refused = 0
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /v1/kv/none HTTP/1.1\r\nHost: x\r\n\r\n")
        for sock in socks:
            try:
                said = sock.recv(200)
            except OSError:
                said = b""
            refused += not said.startswith(b"HTTP/1.1 404")
        assert 40 <= refused <= 80
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(AssertionError, OSError):
            served(dev_agent)
            return
    pytest.fail("not served again after the crowd left")
