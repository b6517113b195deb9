"""Reads under rights: what says that something was left out, and readers who wait while their rights change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from acl_locked import Locked

from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

HEADER = "X-Consul-Results-Filtered-By-Acls"
LISTS = ["/v1/kv/?keys", "/v1/kv/?recurse", "/v1/catalog/services", "/v1/catalog/nodes", "/v1/health/state/any",
         "/v1/agent/services", "/v1/agent/checks", "/v1/agent/members"]  # fmt: skip
RULES = 'key_prefix "a" { policy = "read" } service_prefix "web" { policy = "read" }'


@pytest.fixture
async def locked() -> AsyncIterator[Locked]:
    async with AgentInLoop(Locked.SETTINGS) as agent:
        found = Locked(agent)
        await found.ready()
        for key in ("a1", "b1"):
            await found.done("PUT", f"/v1/kv/{key}", b"x")
        for name in ("web", "db"):
            await found.done("PUT", "/v1/agent/service/register", {"Name": name, "Check": {"TTL": "1h"}})
        async with asyncio.timeout(PATIENCE_S):
            while "db" not in await found.done("GET", "/v1/catalog/services"):
                await asyncio.sleep(0.01)
        yield found


@pytest.mark.parametrize("target", LISTS)
async def test_lists_say_that_something_was_left_out(locked: Locked, target: str) -> None:
    secret, _, _ = await locked.token(RULES)
    everything, _, _ = await locked.token(
        RULES + 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'
        + 'key_prefix "" { policy = "read" }'
    )  # fmt: skip
    for _ in range(2):  # kept answers, too
        assert (await locked.headers("GET", target, secret)).get(HEADER) == "true"
        assert HEADER not in await locked.headers("GET", target, everything)
        assert HEADER not in await locked.headers("GET", target, ""), "nobody is not told that there is more"


async def test_reads_say_what_holds_where_no_rule_says_anything(locked: Locked) -> None:
    secret, _, _ = await locked.token(RULES)
    for target in ("/v1/kv/?keys", "/v1/kv/a1", "/v1/catalog/services", "/v1/health/service/web?index=1&wait=1ms"):
        assert (await locked.headers("GET", target, secret))["X-Consul-Default-Acl-Policy"] == "deny", target


async def test_who_waits_is_answered_when_rights_change(locked: Locked) -> None:
    """By a policy that is written anew, a role that gets one, or links of the token; nobody else is woken."""
    secret, accessor, policy = await locked.token('key_prefix "a" { policy = "read" }')
    other, _, _ = await locked.token('key_prefix "a" { policy = "read" }')
    more = await locked.done("PUT", "/v1/acl/policy", {"Name": "more", "Rules": 'key_prefix "b" { policy = "read" }'})
    role = await locked.done("PUT", "/v1/acl/role", {"Name": "role"})
    rules = 'key_prefix "" { policy = "read" }'
    changes = [
        ("/v1/acl/policy/" + policy, {"ID": policy, "Name": "anew", "Rules": rules}, ["a1", "b1"]),
        ("/v1/acl/policy/" + policy, {"ID": policy, "Name": "anew", "Rules": 'key "none" { policy = "read" }'}, []),
        ("/v1/acl/token/" + accessor, {"Roles": [{"ID": role["ID"]}]}, []),
        ("/v1/acl/role/" + role["ID"], {"Name": "role", "Policies": [{"ID": more["ID"]}]}, ["b1"]),
    ]
    bystander = asyncio.create_task(locked.call("GET", "/v1/kv/?keys&index=999999&wait=10m", token=other))
    for target, body, seen in changes:
        waiting = asyncio.create_task(locked.call("GET", "/v1/kv/?keys&index=999999&wait=10m", token=secret))
        await asyncio.sleep(0)
        await locked.done("PUT", target, body)
        async with asyncio.timeout(PATIENCE_S):
            assert json.loads((await waiting)[1]) == seen, target
    waiting = asyncio.create_task(locked.call("GET", "/v1/kv/?keys&index=999999&wait=10m", token=secret))
    await asyncio.sleep(0)
    await locked.done("DELETE", f"/v1/acl/token/{accessor}")
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting == (403, "ACL not found")
    assert not bystander.done()
    bystander.cancel()
    await asyncio.gather(bystander, return_exceptions=True)
    assert not locked.agent.node.gate.bearers._groups, "who waits no more is forgotten"


async def test_tokens_with_the_same_rights_share_answers(locked: Locked) -> None:
    """Each is asked for its own rights all the same: one that goes is refused, and the others wait on."""
    policy = await locked.done("PUT", "/v1/acl/policy", {"Name": "same", "Rules": 'key_prefix "a" { policy = "read" }'})
    tokens = [await locked.done("PUT", "/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]}) for _ in range(20)]
    before = len(locked.agent.node.views)
    target = "/v1/kv/?keys&index=999999&wait=10m"
    waiting = [asyncio.create_task(locked.call("GET", target, token=token["SecretID"])) for token in tokens]
    await asyncio.sleep(0)
    assert len(locked.agent.node.views) == before + 1
    await locked.done("DELETE", f"/v1/acl/token/{tokens[0]['AccessorID']}")
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting[0] == (403, "ACL not found")
    assert not any(task.done() for task in waiting[1:])
    await locked.done("PUT", "/v1/acl/policy/" + policy["ID"], {"ID": policy["ID"], "Name": "same", "Rules": ""})
    async with asyncio.timeout(PATIENCE_S):
        assert [json.loads((await task)[1]) for task in waiting[1:]] == [[]] * 19
