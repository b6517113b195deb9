"""A client agent that has never met a server still runs, and says what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proconsul.agent.agent import Agent
from proconsul.agent.config import load
from proconsul.engine.http.request import Request


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
async def test_only_what_needs_a_server_fails(
    tmp_path: Path, method: str, path: str, status: int, text: str
) -> None:
    config, _ = load({
        "data_dir": str(tmp_path), "bind_addr": "127.0.0.1", "node_name": "c1", "ports": {"http": -1, "dns": -1},
        "node_id": "11111111-1111-1111-1111-111111111111", "dev": True, "server": False,
    })  # fmt: skip
    assert not config.server
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
