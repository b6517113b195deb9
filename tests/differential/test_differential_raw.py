"""Bytes on a socket: both agents must understand, and refuse, the same things in the same words."""

from __future__ import annotations

import difflib
import http.client
import io
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest

from support.harness import Agent, Reply
from support.normal import Names, normal

pytestmark = pytest.mark.reference

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "raw.toml").read_text())["case"]
# How long a side may take to say something, and how long silence must last to count as the end.
ANSWER_TIMEOUT_S = 10.0
SILENCE_S = 0.1


class _Text(io.BytesIO):
    """What http.client reads answers from."""

    def makefile(self, mode: str) -> _Text:
        return self

    def close(self) -> None:
        """Stay open: the next answer follows in the same bytes."""


def converse(agent: Agent, case: dict[str, Any]) -> tuple[bytes, bool]:
    """Everything the agent says to the case's bytes, and whether it hangs up then."""
    data = case["send"].encode("latin-1")
    method = _method(case)
    if "repeat" in case:
        data = data.replace(b"@@", case["repeat"]["text"].encode() * case["repeat"]["count"])
    with socket.create_connection(("127.0.0.1", agent.ports["http"]), timeout=ANSWER_TIMEOUT_S) as sock:
        heard = b""
        try:
            sock.sendall(data)
            if "then" in case:
                heard += sock.recv(65536)
                sock.sendall(case["then"].encode())
            if case.get("half_close"):
                sock.shutdown(socket.SHUT_WR)
            while True:
                part = sock.recv(65536)
                if not part:
                    return heard, True
                heard += part
                if len(parse(heard, method)) >= case.get("answers", 1):
                    sock.settimeout(SILENCE_S)
        except TimeoutError:
            return heard, False
        except ConnectionError:
            return heard, True


def parse(heard: bytes, method: str = "GET") -> list[Reply]:
    """The complete answers in ``heard``, which answer requests of this method."""
    source, found = _Text(heard), []
    while source.tell() < len(heard):
        response = http.client.HTTPResponse(source, method=method)  # type: ignore[arg-type]
        interim = heard[source.tell() :].startswith(b"HTTP/1.1 100")
        try:
            if interim:
                found.append(Reply(100, [], b""))
                source.seek(heard.index(b"\r\n\r\n", source.tell()) + 4)
                continue
            response.begin()
            found.append(Reply(response.status, response.getheaders(), response.read()))
        except (http.client.HTTPException, ValueError, OSError):
            break
    return found


def _method(case: dict[str, Any]) -> str:
    """HEAD for a conversation that consists of it, as its answer has no body."""
    return "HEAD" if case["send"].startswith("HEAD ") and case.get("answers", 1) == 1 else "GET"


def shown(agent: Agent, case: dict[str, Any]) -> list[str]:
    heard, closed = converse(agent, case)
    lines = []
    for reply in parse(heard, _method(case)):
        lines += normal(reply, Names(agent), set()).splitlines() if reply.status != 100 else ["status 100"]
    return [*lines, "then closes" if closed else "then waits"]


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_bytes_are_answered_as_by_the_reference(case: dict[str, Any], agents: list[Agent]) -> None:
    expected, answer = (shown(agent, case) for agent in agents)
    diff = "\n".join(difflib.unified_diff(expected, answer, "reference", "ours", lineterm="", n=2))
    if "reason" in case:
        assert diff, f"no longer differs; remove the reason: {case['reason']}"
    elif diff:
        pytest.fail(diff, pytrace=False)
