"""The agent's own tokens: told by API, kept, used, and which of two counts."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.config import load
from proconsul.agent.tokens import FILE, TARGETS, AgentTokens
from proconsul.features.errors import ConsulError, NotFound
from proconsul.testing.agent import AgentInLoop

ROOT = "11111111-1111-1111-1111-111111111111"
SETTINGS: dict[str, Any] = {"node_name": "n1", "acl": {
    "enabled": True, "default_policy": "deny",
    "tokens": {"initial_management": ROOT, "agent": ROOT, "agent_recovery": "recover"},
}}  # fmt: skip


def kept(path: Path, **tokens: str) -> AgentTokens:
    acl = {"enabled": True, "enable_token_persistence": True, "tokens": tokens}
    config = load({"dev": True, "acl": acl})[0]
    return AgentTokens(str(path), config.fixed.acl, config.reloadable.tokens)


def test_what_the_api_was_told_is_kept_and_beats_the_configuration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = kept(tmp_path, agent="configured", default="of the file")
    for target in ("agent", "agent_master", "acl_replication_token"):
        tokens.update(target, f"told {target}")
    path = tmp_path / FILE
    assert json.loads(path.read_text()) == {
        "replication": "told acl_replication_token", "agent_master": "told agent_master", "agent": "told agent",
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with caplog.at_level(logging.WARNING, "agent"):
        again = kept(tmp_path, agent="configured", default="of the file")
    assert [record.getMessage() for record in caplog.records] == [
        '"agent" token present in both the configuration and persisted token store, using the persisted token'
    ]
    assert (again.for_agent(), again.default, again.for_dns()) == ("told agent", "of the file", "of the file")
    filed = kept(tmp_path, config_file_service_registration="filed", default="of the file")
    assert (filed.for_registration(True), filed.for_registration(False)) == ("filed", "of the file")
    assert again.is_recovery("told agent_master") and not again.is_recovery("") and not again.is_recovery("\udc80")


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"agent": 5, "nope": "x"}', "\xff\xfe"])
def test_a_damaged_file_leaves_the_configured_ones(tmp_path: Path, damage: str) -> None:
    (tmp_path / FILE).write_bytes(damage.encode("latin-1"))
    assert kept(tmp_path, agent="configured").for_agent() == "configured"


def test_without_persistence_nothing_is_written_and_a_reload_brings_the_configured_ones_back(tmp_path: Path) -> None:
    config = load({"dev": True, "acl": {"enabled": True, "tokens": {"agent": "a", "default": "d"}}})[0]
    tokens = AgentTokens(str(tmp_path), config.fixed.acl, config.reloadable.tokens)
    tokens.update("agent", "told")
    tokens.update("default", "")
    assert (tokens.for_agent(), tokens.default) == ("told", "")
    tokens.reloaded(config.reloadable)
    assert (tokens.for_agent(), tokens.default) == ("a", "d")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_told_and_the_token_is_used(tmp_path: Path) -> None:
    tokens = kept(tmp_path)
    (tmp_path / FILE).mkdir()
    with pytest.raises(ConsulError, match="Failed to persist tokens"):
        tokens.update("agent", "told")
    assert tokens.for_agent() == "told"
    with pytest.raises(NotFound, match='Token "nope" is unknown'):
        tokens.update("nope", "x")


async def test_tokens_are_told_by_api_and_used_at_once() -> None:
    async with AgentInLoop(SETTINGS) as agent:

        async def put(target: str, body: bytes, token: str = ROOT) -> tuple[int, bytes]:
            answer = await agent.request("PUT", f"/v1/agent/token/{target}?token={token}", body)
            return answer.status, answer.body

        assert (await agent.request("GET", "/v1/kv/a")).status == 403
        status, text = await put("default", json.dumps({"Token": ROOT}).encode(), "")
        assert (status, text.startswith(b"Permission denied: anonymous token lacks")) == (403, True)
        for target in TARGETS:
            assert (await put(target, json.dumps({"Token": "x"}).encode()))[0] == 200, target
        assert await put("nope", b'{"Token":"x"}') == (404, b'Token "nope" is unknown')
        for body in (b"", b'{"Token":5}', b'{"Foo":1}', b"[]"):
            status, text = await put("default", body)
            assert status == 400 and text.startswith(b"Request decode failed: ")
        assert (await agent.request("GET", "/v1/kv/a")).body == b"ACL not found"  # the default is "x" now
        assert (await put("default", json.dumps({"Token": ROOT}).encode()))[0] == 200
        assert (await agent.request("GET", "/v1/kv/a")).status == 404
        assert b'"acl":"enabled"' in (await agent.request("GET", "/v1/agent/self")).body.replace(b" ", b"")


async def test_the_recovery_token_opens_the_agent_and_nothing_else() -> None:
    async with AgentInLoop(SETTINGS) as agent:
        for path, status in (
            ("/v1/agent/self", 200), ("/v1/agent/members", 200), ("/v1/agent/host", 403), ("/v1/kv/a", 403),
            ("/v1/agent/service/x", 404),
        ):  # fmt: skip
            assert (await agent.request("GET", f"{path}?token=recover")).status == status, path
        assert (await agent.request("GET", "/v1/agent/self?token=recove")).status == 403
        assert len(json.loads((await agent.request("GET", "/v1/agent/members?token=recover")).body)) == 1
