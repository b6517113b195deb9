"""A client agent that has never met a server still runs, and says what it cannot do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from proconsul.agent.agent import Agent
from proconsul.agent.config import load
from proconsul.engine.gossip.member import Member
from proconsul.engine.gossip.serf_effects import MemberChange
from proconsul.engine.http.request import Request
from proconsul.features.catalog.model import NodeService
from proconsul.features.errors import ConsulError, NoServers
from support.patience import PATIENCE_S


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/v1/kv/a", 500, "No known Consul servers"),
        ("PUT", "/v1/kv/a", 500, "No known Consul servers"),
        ("GET", "/v1/catalog/nodes", 500, "No known Consul servers"),
        ("GET", "/v1/catalog/datacenters", 500, "No known Consul servers"),
        ("GET", "/v1/status/leader", 500, "No known Consul servers"),
        ("PUT", "/v1/session/create", 500, "No known Consul servers"),
        ("GET", "/v1/agent/services", 200, "{}"),
    ],
)
async def test_only_what_needs_a_server_fails(tmp_path: Path, method: str, path: str, status: int, text: str) -> None:
    config, _ = load({
        "data_dir": str(tmp_path), "bind_addr": "127.0.0.1", "node_name": "c1", "ports": {"http": -1, "dns": -1},
        "node_id": "11111111-1111-1111-1111-111111111111", "dev": True, "server": False,
    })  # fmt: skip
    assert not config.fixed.server
    agent = Agent(config, solo=True)
    await agent.start()
    try:
        response = await agent.front.answer(Request(method, path, path, "", {}))
        assert (response.status, response.body.decode().strip()) == (status, text)
        members = await agent.front.answer(Request("GET", "/v1/agent/members", "/v1/agent/members", "", {}))
        assert [member["Tags"]["role"] for member in json.loads(members.body)] == ["node"]
        described = await agent.front.answer(Request("GET", "/v1/agent/self", "/v1/agent/self", "", {}))
        stats = json.loads(described.body)["Stats"]
        # The blocks and keys of the original's client; its servers are counted, and it has no Raft.
        assert sorted(stats) == ["agent", "build", "consul", "runtime", "serf_lan"]
        assert stats["consul"] == {"acl": "disabled", "known_servers": "0", "server": "false"}
    finally:
        await agent.stop()


async def test_a_server_that_appears_is_told_everything_soon(tmp_path: Path) -> None:
    config, _ = load({
        "data_dir": str(tmp_path), "bind_addr": "127.0.0.1", "node_name": "c1", "ports": {"http": -1, "dns": -1},
        "dev": True, "server": False,
    })  # fmt: skip
    agent = Agent(config, solo=True)
    tried: list[str] = []
    leads = False

    async def own_services(node: str) -> tuple[None, list[NodeService]]:
        tried.append(node)
        raise ConsulError("refused") if leads else NoServers

    async def reachable() -> bool:
        return leads

    agent.catalog_port.own_services = own_services  # type: ignore[method-assign]
    agent.catalog_port.reachable = reachable  # type: ignore[method-assign]
    agent.sync._rng = NoStagger()
    tags = {"role": "consul", "dc": "dc1", "port": "8300", "id": "i", "build": "1.8.7:", "vsn": "2"}
    strangers = [{**tags, "role": "node"}, {**tags, "dc": "dc2"}]
    await agent.start()
    try:
        await until(lambda: agent.sync._unreachable)
        assert len(tried) == 1
        leads = True  # and no event says so
        await until(lambda: len(tried) == 2)
        for other in strangers:
            agent.pools.on_member(MemberChange.JOIN, Member("other", "127.0.0.1", 1, other))
        assert not agent.sync._full.is_set()
        agent.pools.on_member(MemberChange.JOIN, Member("s1", "127.0.0.1", 1, tags))
        await until(lambda: len(tried) == 3)
    finally:
        await agent.stop()


class NoStagger(random.Random):
    def random(self) -> float:
        return 0.0


async def until(probe: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not probe():
            await asyncio.sleep(0.01)
