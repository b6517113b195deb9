"""Generated requests on sockets (upgrades, lengths, hosts, versions, pipelines): the reference is right about all."""

from __future__ import annotations

import itertools
import random

import pytest
from test_differential_raw import shown

from support.harness import Agent

pytestmark = pytest.mark.reference

# Every conversation ends with this, so that nobody has to wait for silence.
LAST = "GET /v1/kv/framing?raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def same(agents: list[Agent], send: str, answers: int = 9) -> None:
    expected, answer = (shown(agent, {"send": send, "answers": answers}) for agent in agents)
    assert answer == expected, send


def test_upgrades_are_ignored_as_by_the_reference(agents: list[Agent]) -> None:
    offers = ["h2c", "websocket", "H2C, other"]
    connections = ["Upgrade", "upgrade , HTTP2-Settings", "close, Upgrade", "HTTP2-Settings"]
    for offer, connection, method, chunked in itertools.product(
        offers, connections, ("PUT", "GET", "CONNECT"), (True, False)
    ):
        value = f"{offer} {connection} {method}"
        body = f"{len(value):x}\r\n{value}\r\n0\r\n\r\n" if chunked else value
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(value)}"
        head = f"{method} /v1/kv/framing HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nUpgrade: {offer}\r\n"
        same(agents, f"{head}{framing}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n{body}{LAST}")


PARTS: dict[str, list[str]] = {
    "line": ["PUT /v1/kv/framing HTTP/1.1", "GET /v1/kv/framing?raw HTTP/1.1", "GET  /v1/kv/framing HTTP/1.1",
             "GET /v1/kv/framing HTTP/1.0", "GET /v1/kv/framing HTTP/1.2", "GET /v1/kv/framing HTTP/0.9",
             "GET /v1/kv/framing HTTP/2.0", "GET /v1/kv/framing", "FOO /v1/kv/framing HTTP/1.1",
             "CONNECT host:443 HTTP/1.1", "CONNECT /v1/kv/framing HTTP/1.1", "OPTIONS * HTTP/1.1", "GET * HTTP/1.1",
             "GET http://h:80/v1/kv/framing?raw HTTP/1.1", "GET http://h:x/v1/kv/framing HTTP/1.1", "hello",
             "HEAD /v1/kv/framing HTTP/1.1", "GET / HTTP/1.1", "GET /v1/kv/%zz HTTP/1.1",
             "GET /v1/kv/fr\u00ff HTTP/1.1", "get /v1/kv/framing HTTP/1.1"],
    "host": ["Host: x", "", "Host: a\r\nHost: a", "Host: a b", "Host:", "Host: \u00e9", "host: [::1]:80"],
    "connection": ["", "Connection: keep-alive", "Proxy-Connection: close", "Connection: foo\r\nConnection: Close"],
    "length": ["Content-Length: 2", "Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2\r\nContent-Length: 3",
               "Content-Length: +2", "Content-Length: 2, 2", "Transfer-Encoding: gzip, chunked",
               "Transfer-Encoding: identity\r\nContent-Length: 2", "Content-Length:"],
    "other": ["", "X : y", ": y", "X: \u0001", "X: y\r\n z", "broken", "Expect: 100-continue", "Expect: wonders",
              "Accept-Encoding: GZIP", "Accept-Encoding: x-gzip", "Accept-Encoding: gzip;q=0", "X\u00ff: y"],
}  # fmt: skip
PLAIN = {name: values[0] for name, values in PARTS.items()}


def message(parts: dict[str, str], end: str = "\r\n") -> str:
    head = end.join(parts[name] for name in PARTS if parts[name])
    body = "" if parts["length"] == "Content-Length:" else "ok"
    return f"{head}{end}{end}{body}"


def test_heads_are_read_as_by_the_reference(agents: list[Agent]) -> None:
    cases = [{**PLAIN, name: value} for name, values in PARTS.items() for value in values]
    chance = random.Random(9)
    cases += [{name: chance.choice([values[0], *values]) for name, values in PARTS.items()} for _ in range(120)]
    for parts in cases:
        if "gzip, chunked" not in parts["length"] or "HTTP/1.0" not in parts["line"]:
            same(agents, message(parts) + LAST)
    same(agents, message(PLAIN, "\n") + LAST)


def test_malformed_requests_take_their_turn(agents: list[Agent]) -> None:
    malformed = ["GET /v1/kv/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                 "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n"]  # fmt: skip
    waiting = "GET /v1/kv/framing?index=99999999&wait=20ms HTTP/1.1\r\nHost: x\r\n\r\n"
    for first, second in itertools.product([message(PLAIN), waiting, waiting + message(PLAIN)], malformed):
        same(agents, first + second)
        same(agents, first + second + malformed[0])
