"""raft/peers.json: a cluster whose other servers are gone goes on with what one of them has."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proconsul.engine.raft.errors import RaftError
from proconsul.server.recovery import read_peers
from proconsul.testing import AgentInLoop

OTHER = {"id": "other", "address": "127.0.0.2:1", "non_voter": True}


def settings(directory: Path) -> dict[str, object]:
    return {"dev": False, "server": True, "bootstrap": True, "data_dir": str(directory), "bind_addr": "127.0.0.1"}


async def test_the_named_servers_are_the_cluster(tmp_path: Path) -> None:
    raft = tmp_path / "raft"
    raft.mkdir()
    (raft / "peers.json").write_text("not even JSON")  # at the very first start there is nothing to recover
    async with AgentInLoop(settings(tmp_path)) as agent:
        assert not (raft / "peers.json").exists()
        assert "peers.json" in (raft / "peers.info").read_text()
        big = b"x" * 400_000
        for number in range(3):
            await agent.request("PUT", f"/v1/kv/{number}", big)
        own = agent.agent.node_id
        index = agent.server.raft.last_index
    listed = [{"id": own, "address": "127.0.0.1:8300"}, OTHER]
    (raft / "peers.json").write_text(json.dumps(listed))
    async with AgentInLoop(settings(tmp_path)) as agent:
        assert not (raft / "peers.json").exists()
        servers = agent.server.raft.members.servers
        assert [(one.id, one.suffrage.name) for one in servers] == [(own, "VOTER"), ("other", "NONVOTER")]
        for number in range(3):
            assert (await agent.request("GET", f"/v1/kv/{number}?raw")).body == big
        assert agent.server.raft.last_index > index
        assert (await agent.request("PUT", "/v1/kv/after", b"1")).body.strip() == b"true"
    async with AgentInLoop(settings(tmp_path)) as agent:
        assert (await agent.request("GET", "/v1/kv/after?raw")).body == b"1"


async def test_a_file_that_makes_no_sense_stops_the_start_and_stays(tmp_path: Path) -> None:
    async with AgentInLoop(settings(tmp_path)):
        assert (tmp_path / "raft" / "peers.info").exists()
    path = tmp_path / "raft" / "peers.json"
    path.write_text("[]")
    with pytest.raises(RaftError, match=r"recovery failed to parse peers\.json"):
        async with AgentInLoop(settings(tmp_path)):
            raise AssertionError("started")
    assert path.exists()


@pytest.mark.parametrize("text", [
    "", "{}", "[]", '["127.0.0.1:8300"]', '[{"id":"a"}]', '[{"id":1,"address":"a"}]', '[{"id":"","address":"a"}]',
    '[{"id":"a","address":"x"},{"id":"a","address":"y"}]', '[{"id":"a","address":"x","non_voter":true}]',
])  # fmt: skip
def test_what_is_no_cluster(text: str) -> None:
    with pytest.raises(RaftError, match=r"recovery failed to parse peers\.json"):
        read_peers(text.encode())
