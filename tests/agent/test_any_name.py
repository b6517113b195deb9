"""Whatever can be registered can be read, changed and removed again, whatever it is called."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proconsul.features.catalog.reads import id_prefix
from proconsul.testing import AgentInLoop, AgentInThread
from support.patience import PATIENCE_S

NAMES = [
    "a//b", "/leading", "trailing/", "..", ".", "a/../b", "a/./b", "../../self", "new\nline", "tab\tbell\a", "a%2Fb",
    "%", "?q=1", "#fragment", "a;b", "a+b", "a b", "é", "//", "register", "deregister/x", "\x7f", "./", "/..",
    "U+2028\u2028",
]  # fmt: skip


async def ask(agent: AgentInLoop, method: str, target: str, body: object = None) -> tuple[int, str]:
    reply = await agent.request(method, target, b"" if body is None else json.dumps(body).encode())
    return reply.status, reply.body.decode()


def escaped(name: str) -> str:
    """Everything that may mean something in a path, also to those that clean it on the way."""
    return quote(name, safe="").replace(".", "%2E")


async def live_and_die(agent: AgentInLoop, name: str) -> None:
    """Register ``name`` everywhere, look at it through every door, and remove it."""
    path = escaped(name)
    assert (await ask(agent, "PUT", "/v1/agent/service/register", {"ID": name, "Name": "any"}))[0] == 200
    status, text = await ask(agent, "GET", f"/v1/agent/service/{path}")
    if name != "register":  # the route of that name takes reads as well
        assert status == 200 and json.loads(text)["ID"] == name
    assert (await ask(agent, "GET", f"/v1/agent/health/service/id/{path}"))[0] == 200
    for enable, expected in (("true", 503), ("false", 200)):
        assert (await ask(agent, "PUT", f"/v1/agent/service/maintenance/{path}?enable={enable}"))[0] == 200
        assert (await ask(agent, "GET", f"/v1/agent/health/service/id/{path}"))[0] == expected
    assert (await ask(agent, "PUT", "/v1/agent/check/register", {"ID": name, "Name": "any", "TTL": "1h"}))[0] == 200
    for verb in ("pass", "warn", "fail", "update"):
        body = {"Status": "passing"} if verb == "update" else None
        assert (await ask(agent, "PUT", f"/v1/agent/check/{verb}/{path}", body))[0] == 200
    assert json.loads((await ask(agent, "GET", "/v1/agent/checks"))[1])[name]["Status"] == "passing"
    assert (await ask(agent, "PUT", f"/v1/agent/check/deregister/{path}"))[0] == 200
    assert (await ask(agent, "PUT", f"/v1/agent/service/deregister/{path}"))[0] == 200
    assert json.loads((await ask(agent, "GET", "/v1/agent/checks"))[1]) == {}
    assert json.loads((await ask(agent, "GET", "/v1/agent/services"))[1]) == {}


@pytest.mark.parametrize("name", NAMES)
async def test_services_and_checks_of_any_name(name: str) -> None:
    async with AgentInLoop() as agent:
        await live_and_die(agent, name)


@given(st.lists(st.sampled_from(["/", ".", "%", "a", "%2F", "\n", "?", "//", "..", "é", " "]), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_names(consul_agent: AgentInThread, parts: Sequence[str]) -> None:
    """Over a socket, escaped, and as clients of Go send them: only what must be is escaped."""
    name = "".join(parts)
    connection = http.client.HTTPConnection(consul_agent.http_address, timeout=PATIENCE_S)
    for safe in ("", "/."):
        path = quote(name, safe=safe)
        for method, target, body in (
            ("PUT", "/v1/agent/service/register", json.dumps({"ID": name, "Name": "any"})),
            ("PUT", f"/v1/agent/service/deregister/{path}", None),
        ):
            connection.request(method, target, body)
            reply = connection.getresponse()
            assert (reply.status, reply.read()) == (200, b""), (method, target)
        connection.request("GET", "/v1/agent/services")
        assert json.loads(connection.getresponse().read()) == {}, path
    connection.close()


async def test_nodes_and_keys_of_any_name() -> None:
    async with AgentInLoop() as agent:
        for name in NAMES:
            if name.isprintable():
                path = escaped(name)
                body = {"Node": name, "Address": "1.1.1.1", "Service": {"Service": name}}
                assert (await ask(agent, "PUT", "/v1/catalog/register", body))[0] == 200
                for target in ("catalog/node", "catalog/service", "health/service", "catalog/node-services"):
                    status, text = await ask(agent, "GET", f"/v1/{target}/{path}")
                    assert status == 200 and len(text) > 20, (target, name)
                assert (await ask(agent, "PUT", f"/v1/kv/{path}", {}))[0] == 200
                assert (await ask(agent, "GET", f"/v1/kv/{path}?raw")) == (200, "{}")
                assert (await ask(agent, "DELETE", f"/v1/kv/{path}"))[0] == 200


async def test_reads_of_paths_are_still_redirected() -> None:
    async with AgentInLoop() as agent:
        reads = ("/v1/kv/a//b", "/v1/kv/a/../b", "/v1//kv/a", "/v1/agent/service/a//b", "/v1/%2e./kv", "/v1/kv//")
        for target in reads:
            assert (await ask(agent, "GET", target))[0] == 301, target
        assert (await ask(agent, "PUT", "/v1/kv/a//b", {}))[0] == 301


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abcdef01", "abcdef01"), ("ABCDEF01-2345", "abcdef01234"[:0]), ("abcdef01-", "abcdef01"), ("ab", "ab"), ("a", ""),
     ("abc", "ab"), ("no", ""), ("--", ""), ("a" * 37, "a" * 36), ("a" * 38, ""), ("ab-cd-ef-01-23-45", "")],
)  # fmt: skip
def test_beginnings_of_ids(text: str, expected: str) -> None:
    assert id_prefix(text) == expected
