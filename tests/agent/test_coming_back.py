"""What others remove from or change in the catalog comes back with a registration or a full comparison."""

from __future__ import annotations

import json
from typing import Any

from proconsul.testing import AgentInLoop

WEB = {"Name": "web", "Port": 80, "Check": {"CheckID": "c", "TTL": "1h"}}
OTHER = {"Name": "other", "Check": {"CheckID": "o", "TTL": "1h"}}
MEMORY = {"ID": "mem", "Name": "memory", "TTL": "1h"}


async def ok(loop: AgentInLoop, target: str, body: Any = None) -> None:
    response = await loop.request("PUT", target, json.dumps(body).encode() if body is not None else b"")
    assert response.status == 200, response.body


async def deregister(loop: AgentInLoop, **what: str) -> None:
    await ok(loop, "/v1/catalog/deregister", {"Node": "test", **what})


async def catalog(loop: AgentInLoop) -> tuple[set[str], set[str], dict[str, Any] | None]:
    """Services, checks and node as the catalog has them."""
    shown = json.loads((await loop.request("GET", "/v1/catalog/node/test")).body)
    checks = json.loads((await loop.request("GET", "/v1/health/node/test")).body)
    if shown is None:
        return set(), {check["CheckID"] for check in checks}, None
    node = {key: value for key, value in shown["Node"].items() if not key.endswith("Index")}
    return set(shown["Services"]), {check["CheckID"] for check in checks}, node


async def registered(loop: AgentInLoop) -> tuple[set[str], set[str], dict[str, Any] | None]:
    await ok(loop, "/v1/agent/service/register", WEB)
    await ok(loop, "/v1/agent/service/register", OTHER)
    await ok(loop, "/v1/agent/check/register", MEMORY)
    await ok(loop, "/v1/agent/check/pass/c?note=fine")
    await loop.agent.sync.sync_full()
    return await catalog(loop)


REMOVALS: list[tuple[dict[str, str], str, dict[str, Any]]] = [
    ({"ServiceID": "web"}, "/v1/agent/service/register", WEB),
    ({"CheckID": "c"}, "/v1/agent/service/register", WEB),
    ({"CheckID": "mem"}, "/v1/agent/check/register", MEMORY),
    ({"CheckID": "o"}, "/v1/agent/check/register", {"ID": "o", "Name": "Service 'other' check", "ServiceID": "other",
                                                  "TTL": "1h"}),
]  # fmt: skip


async def test_the_same_registration_again_brings_it_back_at_once() -> None:
    async with AgentInLoop({"check_update_interval": "0s"}) as loop:
        before = await registered(loop)
        for what, target, body in REMOVALS:
            await deregister(loop, **what)
            assert await catalog(loop) != before
            await ok(loop, target, body)
            assert await catalog(loop) == before, what


async def test_a_node_that_was_removed_comes_back_with_its_properties() -> None:
    async with AgentInLoop({"check_update_interval": "0s", "node_meta": {"rack": "r1"}}) as loop:
        _, _, node = await registered(loop)
        await deregister(loop)
        assert (await catalog(loop))[2] is None
        await ok(loop, "/v1/agent/service/register", WEB)
        services, checks, again = await catalog(loop)
        assert again == node
        assert ("web" in services, "c" in checks) == (True, True)


async def test_a_full_comparison_brings_everything_back() -> None:
    async with AgentInLoop({"check_update_interval": "0s", "node_meta": {"rack": "r1"}}) as loop:
        before = await registered(loop)
        own = before[2]
        assert own is not None
        changes: list[dict[str, Any]] = [
            {}, {"ServiceID": "web"}, {"ServiceID": "other"}, {"CheckID": "c"}, {"CheckID": "mem"},
        ]  # fmt: skip
        for what in changes:
            await deregister(loop, **what)
            await loop.agent.sync.sync_full()
            after = await catalog(loop)
            assert (after[0] - {"consul"}, after[1] - {"serfHealth"}, after[2]) == (
                before[0] - {"consul"}, before[1] - {"serfHealth"}, own,
            ), what  # fmt: skip
        for changed in ({"Address": "9.9.9.9"}, {"NodeMeta": {"rack": "r2"}}, {"TaggedAddresses": {"lan": "9.9.9.9"}}):
            request = {"Node": "test", "ID": own["ID"], "Address": own["Address"], "NodeMeta": own["Meta"],
                       "TaggedAddresses": own["TaggedAddresses"], **changed}  # fmt: skip
            await ok(loop, "/v1/catalog/register", request)
            assert (await catalog(loop))[2] != own
            await loop.agent.sync.sync_full()
            assert (await catalog(loop))[2] == own, changed


async def test_one_service_that_the_catalog_refuses_keeps_no_other_back() -> None:
    services: list[dict[str, Any]] = [{"name": f"bad{i}", "address": address, "check": {"ttl": "1h"}}
                                      for i, address in enumerate(["0.0.0.0", "::", "[::]"])]  # fmt: skip
    settings = {"services": [*services, {"name": "good", "check": {"ttl": "1h", "id": "g"}}], "node_meta": {"a": "b"},
                "check": {"name": "mem", "ttl": "1h"}}  # fmt: skip
    async with AgentInLoop(settings) as loop:
        await ok(loop, "/v1/agent/service/register", WEB)
        services_of, checks, node = await catalog(loop)
        assert services_of == {"consul", "good", "web"}
        assert checks >= {"g", "mem", "c"}
        assert node is not None and node["Meta"]["a"] == "b"
        local = json.loads((await loop.request("GET", "/v1/agent/services")).body)
        assert set(local) == {"bad0", "bad1", "bad2", "good", "web"}
        for target in ("/v1/catalog/service/bad0", "/v1/health/service/bad1"):
            assert json.loads((await loop.request("GET", target)).body) == []
