"""What `http_config` adds to answers and keeps from being asked, and how odd characters are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.harness import Agent, Subject
from support.normal import Names, normal

pytestmark = pytest.mark.reference

CONFIG = (
    'http_config { response_headers { "X-Foo" = "bar" "content-type" = "text/x" "Vary" = "foo" "X-Consul-Index" = "7" }'
    ' allow_write_http_from = ["10.0.0.0/8"] block_endpoints = ["/v1/agent/self"] }'
)
REQUESTS: list[tuple[str, str, int]] = [
    ("GET", "/v1/kv/none", 0), ("GET", "/v1/kv/none?raw", 0), ("GET", "/v1/kv/", 0), ("GET", "/v1/kv/?keys", 0),
    ("GET", "/v1/nope", 0), ("GET", "//v1/kv/a", 0), ("OPTIONS", "/v1/kv/a", 0), ("POST", "/v1/kv/a", 3),
    ("FOO", "/v1/kv/a", 0), ("CONNECT", "/v1/kv/a", 0), ("PUT", "/v1/kv/a", 1), ("PUT", "/v1/kv/a", 600_000),
    ("DELETE", "/v1/kv/a", 0), ("PUT", "/v1/kv/a?x=%zz", 1), ("GET", "/v1/kv/a?x=%zz", 0), ("PUT", "/v1/nope", 1),
    ("GET", "/v1/agent/self", 0), ("POST", "/v1/agent/self", 600_000), ("GET", "/v1/kv/a%01", 0),
    ("GET", "/v1/catalog/nodes?index=x", 0), ("GET", "/v1/session/list", 0), ("GET", "/v1/status/leader", 0),
    ("GET", "/v1/catalog/connect", 0), ("GET", "/v1/catalog/services", 0), ("GET", "/v1/health/service/none", 0),
    ("PUT", "/v1/txn", 600_000), ("GET", "/v1/kv/a", 600_000),
]  # fmt: skip


@pytest.fixture(scope="module")
def guarded(reference_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Agent]]:
    pair = [
        Agent(subject, tmp_path_factory.mktemp(subject.value), ["-hcl", CONFIG])
        for subject in (Subject.REFERENCE, Subject.OURS)
    ]
    try:
        for agent in pair:
            agent.start()
        for agent in pair:
            agent.wait_ready()
        yield pair
    finally:
        for agent in pair:
            agent.kill()


@pytest.mark.parametrize(("method", "target", "size"), REQUESTS)
def test_configured_headers_and_refusals(method: str, target: str, size: int, guarded: list[Agent]) -> None:
    expected, answer = (
        normal(agent.call(method, target, b"x" * size if size else None), Names(agent), set()) for agent in guarded
    )
    assert answer == expected


def test_odd_characters_in_answers(agents: list[Agent]) -> None:
    odd = "\b\f\n\r\t\v\a\x01\x1f\x7f\\b\\\\f\"'<>&\u2028\u2029\u00e9\U0001f600\\"
    for body in (
        {"Node": "odd", "Address": "1.1.1.1", "Check": {"Name": odd, "Notes": odd, "Output": odd}},
        {"Node": "odd", "Address": "1.1.1.1", odd: 1},
    ):
        expected, answer = (agent.call("PUT", "/v1/catalog/register", json.dumps(body)) for agent in agents)
        assert (answer.status, answer.text) == (expected.status, expected.text)
    for target in ("/v1/health/node/odd", "/v1/health/node/odd?pretty"):
        expected, answer = (agent.call("GET", target) for agent in agents)
        texts = [agent_answer.text.split('"ServiceID"')[0] for agent_answer in (expected, answer)]
        assert texts[0] == texts[1] and "u0008" in texts[0]
    escaped = "%08%0c%0b%07%7f%ff%22%5c%0a%c2%a0%f3%a0%80%81"
    for method, target in (
        ("PUT", f"/v1/kv/a?flags={escaped}"), ("GET", f"/v1/kv/a?max_stale={escaped}"),
        ("PUT", f"/v1/agent/maintenance?enable={escaped}"), ("PUT", f"/v1/kv/a?cas=1&acquire={escaped}"),
    ):  # fmt: skip
        expected, answer = (agent.call(method, target, b"" if method == "PUT" else None) for agent in agents)
        assert (answer.status, answer.body) == (expected.status, expected.body)
