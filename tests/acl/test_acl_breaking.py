"""Ways around access control, tried on an agent in this loop: each of them has been open once, or could be."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from urllib.parse import unquote

import pytest
from acl_locked import NOBODY, ROOT, Locked, numbers

from proconsul.engine.http.request import Request
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S


@pytest.fixture
async def locked() -> AsyncIterator[Locked]:
    async with AgentInLoop(Locked.SETTINGS) as agent:
        found = Locked(agent)
        await found.ready()
        yield found


async def test_what_the_process_does_is_for_operators(locked: Locked) -> None:
    """Also with ``enable_debug``, which without access control is enough."""
    reader, _, _ = await locked.token('operator = "read"')
    other, _, _ = await locked.token('agent_prefix "" { policy = "write" } node_prefix "" { policy = "write" }')
    for name in ("cmdline", "goroutine", "heap", "profile?seconds=0", "trace?seconds=0"):
        for token in ("", NOBODY, other):
            assert (await locked.call("GET", f"/debug/pprof/{name}", token=token))[0] == 403, name
        assert (await locked.call("GET", f"/debug/pprof/{name}", token=reader))[0] == 200, name


async def test_nobody_is_not_told_what_there_is(locked: Locked) -> None:
    for method, target in (
        ("GET", "/v1/agent/service/none"), ("GET", "/v1/agent/health/service/id/none"),
        ("PUT", "/v1/agent/service/deregister/none"), ("PUT", "/v1/agent/service/maintenance/none?enable=true"),
        ("PUT", "/v1/agent/check/deregister/none"), ("PUT", "/v1/agent/check/pass/none"),
        ("DELETE", "/v1/acl/token/none"), ("DELETE", "/v1/acl/token/00000000-0000-0000-0000-000000000002"),
    ):  # fmt: skip
        assert await locked.call(method, target, token=NOBODY) == (403, "ACL not found"), target
    # Whom to ask is told to all, as ever.
    assert (await locked.call("GET", "/v1/status/leader", token=NOBODY))[0] == 200
    assert (await locked.call("GET", "/v1/status/peers", token=NOBODY))[0] == 200


async def test_a_check_is_not_taken_from_another_service(locked: Locked) -> None:
    await locked.done("PUT", "/v1/agent/service/register", {"Name": "db", "Check": {"CheckID": "c", "TTL": "1h"}})
    await locked.done("PUT", "/v1/agent/check/register", {"Name": "of-node", "TTL": "1h"})
    secret, _, _ = await locked.token('service "web" { policy = "write" }')
    for check_id, owner in (("c", "service:write on db"), ("of-node", "node:write on ")):
        body = {"Name": "web", "Check": {"CheckID": check_id, "TTL": "1h"}}
        status, text = await locked.call("PUT", "/v1/agent/service/register", body, secret)
        assert (status, owner in text) == (403, True), text
    body = {"Name": "web", "Check": {"CheckID": "own", "TTL": "1h"}}
    for _ in range(2):
        assert (await locked.call("PUT", "/v1/agent/service/register", body, secret))[0] == 200
    assert json.loads((await locked.call("GET", "/v1/agent/checks"))[1])["c"]["ServiceName"] == "db"


async def _take_away(locked: Locked, how: str, accessor: str, policy: str) -> None:
    if how == "token":
        await locked.done("DELETE", f"/v1/acl/token/{accessor}")
    elif how == "policy":
        await locked.done("DELETE", f"/v1/acl/policy/{policy}")
    elif how == "rules":
        await locked.done("PUT", f"/v1/acl/policy/{policy}", {"Name": f"q{next(numbers)}", "Rules": ""})
    else:
        await locked.done("PUT", f"/v1/acl/token/{accessor}", {"Policies": []})


READS = [
    ("/v1/kv/k", 'key "k" { policy = "read" }'),
    ("/v1/kv/?recurse", 'key_prefix "" { policy = "read" }'),
    ("/v1/kv/?keys", 'key_prefix "" { policy = "read" }'),
    ("/v1/catalog/nodes", 'node_prefix "" { policy = "read" }'),
    ("/v1/health/service/secret", 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'),
]


@pytest.mark.parametrize("how", ["token", "policy", "rules", "links"])
async def test_who_waits_sees_only_what_it_may_see_when_it_is_answered(locked: Locked, how: str) -> None:
    """Rights that go while a query waits are gone for its answer."""
    await locked.done("PUT", "/v1/kv/k", b"before")
    waits = []
    for target, rules in READS:
        secret, accessor, policy = await locked.token(rules)
        joint = "&" if "?" in target else "?"
        index = await locked.index(target, secret)
        task = asyncio.create_task(locked.call("GET", f"{target}{joint}index={index}&wait=2s", token=secret))
        waits.append((target, task, accessor, policy))
    await asyncio.sleep(0)
    for _, task, accessor, policy in waits:
        assert not task.done()
        await _take_away(locked, how, accessor, policy)
    await locked.done("PUT", "/v1/kv/k", b"secret")
    await locked.done(
        "PUT", "/v1/catalog/register",
        {"Node": "secret", "Address": "10.0.0.9", "Service": {"Service": "secret"}, "SkipNodeUpdate": False},
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        for target, task, _, _ in waits:
            status, text = await task
            assert "secret" not in text and "c2VjcmV0" not in text, target
            if how == "token":
                assert (status, text) == (403, "ACL not found"), target
            else:
                answer = status, text.strip()
                denied = (status, text[:17]) == (403, "Permission denied")
                assert denied or answer in ((404, ""), (200, "[]")), (target, answer)


async def test_rights_that_come_and_go_leave_nothing_behind(locked: Locked) -> None:
    """What is kept under the rights of one moment is not shown in another, whoever waited on it."""
    await locked.done("PUT", "/v1/kv/a", b"1")
    secret, accessor, policy = await locked.token('key_prefix "" { policy = "read" }')

    async def link(*ids: str) -> None:
        await locked.done("PUT", f"/v1/acl/token/{accessor}", {"Policies": [{"ID": one} for one in ids]})

    target = "/v1/kv/?keys"
    for round_ in range(3):
        await link()
        assert await locked.call("GET", target, token=secret) == (200, "[]\n")
        index = await locked.index(target, secret)
        waiting = asyncio.create_task(locked.call("GET", f"{target}&index={index}&wait=10m", token=secret))
        await asyncio.sleep(0)
        await link(policy)
        async with asyncio.timeout(PATIENCE_S):
            assert '"a"' in (await waiting)[1], "it is answered when what it may see changes"
        await locked.done("PUT", f"/v1/kv/b{round_}", b"2")
        await link()
        assert await locked.call("GET", target, token=secret) == (200, "[]\n")
        await link(policy)
        assert f"b{round_}" in (await locked.call("GET", target, token=secret))[1]


async def test_who_waits_at_the_agent_is_answered_when_its_token_ends(locked: Locked) -> None:
    await locked.done("PUT", "/v1/agent/service/register", {"Name": "web"})
    rules = 'service_prefix "" { policy = "read" } event_prefix "" { policy = "read" }'
    secret, accessor, _ = await locked.token(rules)
    fingerprint = json.loads((await locked.call("GET", "/v1/agent/service/web", token=secret))[1])["ContentHash"]
    await locked.done("PUT", "/v1/event/fire/e", b"x")
    index = await locked.index("/v1/event/list", secret)
    targets = [f"{path}&wait={wait}" for wait in ("10m", "1s") for path in (
        f"/v1/agent/service/web?hash={fingerprint}", f"/v1/event/list?index={index}")]  # fmt: skip
    tasks = [asyncio.create_task(locked.call("GET", target, token=secret)) for target in targets]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    await locked.done("DELETE", f"/v1/acl/token/{accessor}")
    async with asyncio.timeout(PATIENCE_S):
        for task in tasks[2:]:
            assert await task == (403, "ACL not found"), "its time was over"
        await locked.done("PUT", "/v1/agent/service/register", {"Name": "web", "Port": 1})
        await locked.done("PUT", "/v1/event/fire/e", b"y")
        for task in tasks[:2]:
            assert await task == (403, "ACL not found"), "there was something new"


async def test_the_cache_says_nothing_of_what_others_asked(locked: Locked) -> None:
    one, _, _ = await locked.token('node_prefix "" { policy = "read" }')
    other, _, _ = await locked.token("")
    for token in (one, other, ""):
        states = []
        for _ in range(2):
            headers = {"X-Consul-Token": token} if token else {}
            response = await locked._agent.request("GET", "/v1/catalog/services?cached", b"", headers)
            states.append(response.headers["X-Cache"])
        assert states == ["MISS", "HIT"]


ASKED = [
    "/v1/catalog/nodes?filter=Meta.pw=={}", "/v1/catalog/service/db?filter=ServiceMeta.pw=={}",
    "/v1/catalog/node/hidden?filter=Meta.pw=={}", "/v1/health/service/db?filter=Service.Meta.pw=={}",
    "/v1/health/state/any?filter=Output=={}", "/v1/health/node/hidden?filter=Output=={}",
    "/v1/health/checks/db?filter=Output=={}", "/v1/agent/services?filter=Meta.pw=={}",
    "/v1/agent/checks?filter=Notes=={}", "/v1/catalog/nodes?node-meta=pw:{}", "/v1/catalog/services?node-meta=pw:{}",
    "/v1/catalog/service/db?node-meta=pw:{}", "/v1/health/service/db?node-meta=pw:{}",
    "/v1/health/checks/db?node-meta=pw:{}", "/v1/health/state/any?node-meta=pw:{}",
]  # fmt: skip


async def test_nobody_asks_for_what_is_hidden_by_what_it_matches(locked: Locked) -> None:
    """Neither rows nor headers say whether a row that may not be seen has a value."""
    row = {"Node": "hidden", "Address": "10.0.0.9", "NodeMeta": {"pw": "right"}}
    service = {"Service": {"Service": "db", "Meta": {"pw": "right"}}}
    check = {"Check": {"Name": "c", "Output": "right", "Status": "passing", "ServiceID": "db"}}
    await locked.done("PUT", "/v1/catalog/register", {**row, **service, **check})
    body = {"Name": "own", "Meta": {"pw": "right"}, "Check": {"TTL": "1h", "Notes": "right"}}
    await locked.done("PUT", "/v1/agent/service/register", body)
    secret, _, _ = await locked.token('node_prefix "seen" { policy = "read" }')
    for target in ASKED:
        told = []
        for value in ("right", "wrong"):
            headers = await locked.headers("GET", target.format(value), secret)
            told.append((await locked.call("GET", target.format(value), token=secret), headers))
        assert told[0] == told[1], target
        assert (await locked.call("GET", target.format("right"))) != (await locked.call("GET", target.format("wrong")))


async def test_urls_are_logged_without_secrets(locked: Locked, caplog: pytest.LogCaptureFixture) -> None:
    """In whatever place of them, and however they are spelled there."""
    secret, accessor, _ = await locked.token("")
    hidden = f"%{ord(secret[0]):x}{secret[1:]}"
    front, shown = locked.agent.front, f"/v1/acl/token/{accessor}?why=x%20y&pretty"
    targets = [
        *(f"/v1/kv/a?{name}={NOBODY}&stale" for name in ("token", "%74oken", "toke%6E", "a=b&token", "a;token")),
        *(f"/v1/acl/{verb}/{NOBODY}" for verb in ("info", "clone", "destroy")),
        *(f"{path}/{one}" for path in ("/v1/acl/token", "/v1/session/info", "/v1/kv/a") for one in (secret, hidden)),
        *(f"/v1/kv/a?index={one}" for one in (secret, hidden)), f"/v1/acl/token/{ROOT}/x", shown,
    ]  # fmt: skip
    with caplog.at_level(logging.DEBUG):
        for target in targets:
            path, _, query = target.partition("?")
            front.log(Request("GET", path, unquote(path), query, {}), 200, 0.1)
    assert caplog.text.count("Request finished") == len(targets) and shown in caplog.text
    for one in (secret, hidden, secret[1:], NOBODY, ROOT):
        assert one not in caplog.text


async def test_secrets_are_not_logged(locked: Locked, caplog: pytest.LogCaptureFixture) -> None:
    """However they are handed over, and whatever is wrong with the rest."""
    secret, accessor, _ = await locked.token("")
    with caplog.at_level(logging.DEBUG):
        for token in (secret, NOBODY):
            for target in ("/v1/kv/a", "/v1/kv/?recurse", "/v1/agent/self", "/v1/nothing", "/v1/catalog/nodes?near=x",
                           "/v1/acl/token/self", "/v1/event/list", "/v1/kv/a?index=x"):  # fmt: skip
                joint = "&" if "?" in target else "?"
                for query in (f"token={token}", f"a=b&token={token}&stale", f"%74oken={token}", f"token={token}%zz"):
                    _, text = await locked.call("GET", f"{target}{joint}{query}", token="")
                    assert token not in text or target == "/v1/acl/token/self", target
            body = {"Name": "s", "Token": token, "Check": {"HTTP": 3}}
            for one in (body, {**body, "Check": {"TTL": "1h"}, "Token": token}, b'{"Token":"%b",}' % token.encode()):
                _, text = await locked.call("PUT", "/v1/agent/service/register", one, token)
                assert token not in text
        await locked.done("DELETE", f"/v1/acl/token/{accessor}")
    assert secret not in caplog.text and ROOT not in caplog.text and NOBODY not in caplog.text


async def test_secrets_cannot_be_worked_out_from_ids(locked: Locked) -> None:
    """Ids of sessions are shown to everybody who makes them: a generator that they give away would give away tokens."""
    for rng in (locked.agent.rng, locked.agent.node.rng):
        assert isinstance(rng, random.SystemRandom)
