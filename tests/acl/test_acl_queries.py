"""Prepared queries where nobody may do anything without a token: whose rights count, and who is shown what."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from acl_locked import NOBODY, ROOT, Locked

from proconsul.testing import AgentInLoop

READ = 'service "web" { policy = "read" } node_prefix "" { policy = "read" } '
HIDDEN = r'"\u003chidden\u003e"'
QUERY = 'query "q" { policy = "read" } '


@pytest.fixture
async def locked() -> AsyncIterator[Locked]:
    async with AgentInLoop(Locked.SETTINGS) as agent:
        found = Locked(agent)
        await found.ready()
        for name in ("web", "db"):
            body = {"Node": "n9", "Address": "10.0.0.9", "Service": {"Service": name, "Port": 80}}
            await found.done("PUT", "/v1/catalog/register", body)
        yield found


async def _made(locked: Locked, **query: Any) -> str:
    return str((await locked.done("POST", "/v1/query", {"Service": {"Service": "web"}} | query))["ID"])


async def _found(locked: Locked, name: str, token: str) -> int:
    status, text = await locked.call("GET", f"/v1/query/{name}/execute", None, token)
    assert status == 200, text
    return len(json.loads(text)["Nodes"])


async def test_the_token_of_a_query_counts_instead_of_the_callers(locked: Locked) -> None:
    reader, _, policy = await locked.token(READ)
    other, _, _ = await locked.token('service "db" { policy = "read" } node_prefix "" { policy = "read" }')
    await _made(locked, Name="plain")
    await _made(locked, Name="carried", Token=reader)
    await _made(locked, Name="poor", Token=other)
    await _made(locked, Name="nobody", Token=NOBODY)
    for _ in range(2):  # the second time what was found is known
        assert [await _found(locked, "plain", token) for token in (ROOT, reader, other, "")] == [1, 1, 0, 0]
        assert [await _found(locked, "carried", token) for token in (ROOT, other, "")] == [1, 1, 1]
        assert [await _found(locked, "poor", token) for token in (ROOT, reader)] == [0, 0]
    assert await locked.call("GET", "/v1/query/nobody/execute") == (403, "ACL not found")
    assert await locked.call("GET", "/v1/query/plain/execute", None, NOBODY) == (403, "ACL not found")
    assert await locked.call("GET", "/v1/query/carried/execute", None, NOBODY) == (200, (
        await locked.call("GET", "/v1/query/carried/execute"))[1])  # fmt: skip
    assert (await locked.call("GET", "/v1/query/none/execute", None, NOBODY))[0] == 404
    await locked.done("PUT", f"/v1/acl/policy/{policy}", {"Name": "changed", "Rules": ""})
    assert await _found(locked, "carried", ROOT) == 0


async def test_who_sees_less_hears_of_it_whatever_the_query_wants(locked: Locked) -> None:
    nodes, _, _ = await locked.token('node_prefix "" { policy = "read" }')
    await _made(locked, Name="all")
    await _made(locked, Name="none", Service={"Service": "web", "Tags": ["nobody-has-it"]})
    for name in ("all", "none"):
        told = [
            "X-Consul-Results-Filtered-By-Acls" in await locked.headers("GET", f"/v1/query/{name}/execute", token)
            for token in (nodes, ROOT, "")
        ]
        assert told == [True, False, False]


async def test_tokens_are_shown_to_managers_only(locked: Locked) -> None:
    reader, _, _ = await locked.token(QUERY + 'query "t" { policy = "read" }')
    named = await _made(locked, Name="q", Token="secret")
    template = {"Type": "name_prefix_match"}
    await _made(locked, Name="t", Token="secret", Template=template)
    for target in ("/v1/query", f"/v1/query/{named}", "/v1/query/q/explain", "/v1/query/txyz/explain"):
        status, text = await locked.call("GET", target, None, reader)
        assert status == 200
        assert "secret" not in text
        assert HIDDEN in text
        assert '"secret"' in (await locked.call("GET", target))[1]
    writer, _, _ = await locked.token('query "q" { policy = "write" }')
    status, text = await locked.call("GET", f"/v1/query/{named}", None, writer)
    status, text = await locked.call("PUT", f"/v1/query/{named}", json.loads(text)[0], writer)
    assert (status, "redacted token" in text) == (500, True)


async def test_queries_without_a_name_are_their_makers(locked: Locked) -> None:
    """Who knows the id may see and change them; lists and explanations show them to managers only."""
    session = (await locked.done("PUT", "/v1/session/create", {}))["ID"]
    nameless = await _made(locked, Session=session, Token="secret")
    stranger, _, _ = await locked.token('query_prefix "" { policy = "write" }')
    status, text = await locked.call("GET", "/v1/query", None, stranger)
    assert (status, text.strip()) == (200, "[]")
    assert nameless in (await locked.call("GET", "/v1/query"))[1]
    status, text = await locked.call("GET", f"/v1/query/{nameless}", None, stranger)
    assert status == 200
    assert HIDDEN in text
    assert (await locked.call("GET", f"/v1/query/{nameless}/explain", None, stranger))[0] == 403
    body = {"Session": session, "Service": {"Service": "db"}}
    assert (await locked.call("PUT", f"/v1/query/{nameless}", body, stranger))[0] == 200
    taken = {"Name": "taken", "Service": {"Service": "db"}}
    reader, _, _ = await locked.token(QUERY)
    status, text = await locked.call("PUT", f"/v1/query/{nameless}", taken, reader)
    assert (status, text.partition(":")[0]) == (403, "Permission denied")
    assert (await locked.call("DELETE", f"/v1/query/{nameless}", None, reader))[0] == 200


async def test_a_name_needs_its_rule_before_and_after(locked: Locked) -> None:
    query = await _made(locked, Name="q")
    catch_all = {"Type": "name_prefix_match"}
    cases: list[tuple[str, dict[str, Any], int]] = [
        ('query "q" { policy = "write" }', {"Name": "p"}, 403),
        ('query "p" { policy = "write" }', {"Name": "p"}, 403),
        ('query_prefix "" { policy = "write" } query "q" { policy = "read" }', {"Name": "p"}, 403),
        ('query "q" { policy = "write" }', {"Name": "", "Template": catch_all}, 403),
        ('query "q" { policy = "write" } query "" { policy = "write" }', {"Name": "", "Template": catch_all}, 200),
    ]
    for rules, change, status in cases:
        token, _, _ = await locked.token(rules)
        body: dict[str, Any] = {"Service": {"Service": "web"}, **change}
        assert (await locked.call("PUT", f"/v1/query/{query}", body, token))[0] == status, rules
    token, _, _ = await locked.token('query "q" { policy = "write" }')
    assert (await locked.call("DELETE", f"/v1/query/{query}", None, token))[0] == 403, "it is the catch-all now"
