"""Settings that are followed, with both clients."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from both import client_of
from test_recipes import eventually, unique

from proconsul.client import AsyncClient, Client, ConsulError, SettingsSnapshot
from proconsul.embed import EmbeddedAgent
from proconsul.testing import AgentInThread, free_port

PATIENCE_S = 60


async def test_settings_are_followed(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    prefix = unique("settings") + "/"
    await client.kv.put(f"{prefix}size", "7")
    told: list[tuple[int, int]] = []
    settings = client.live_settings(prefix, {"size": 20, "beta": False})

    def change(before: SettingsSnapshot, now: SettingsSnapshot) -> None:
        told.append((before.integer("size"), now.integer("size")))

    def broken(before: SettingsSnapshot, now: SettingsSnapshot) -> None:
        raise ZeroDivisionError("of somebody else")

    settings.on_change(broken)
    end = settings.on_change(change)
    assert settings.integer("size") == 20 and settings.is_stale
    async with settings:
        assert (settings.integer("size"), settings.flag("beta"), settings.is_stale) == (7, False, False)
        await client.kv.put(f"{prefix}beta", "yes")
        await eventually(lambda: _so(settings.flag("beta")))
        await client.kv.put(f"{prefix}size", "many")
        await eventually(lambda: _so("size" in settings.wrong))
        assert settings.integer("size") == 7 and not settings.is_stale
        await client.kv.put(f"{prefix}size", "8")
        await eventually(lambda: _so(settings.integer("size") == 8))
        await eventually(lambda: _so(told == [(20, 7), (7, 7), (7, 8)]))
        assert not settings.wrong
        end()
        await client.kv.delete_tree(prefix)
        await eventually(lambda: _so(settings.integer("size") == 20 and not settings.flag("beta")))
        assert len(told) == 3
    assert settings.integer("size") == 20 and settings.is_stale
    messages = [record.getMessage() for record in caplog.records if record.name == "proconsul.client"]
    assert any("broken" in one for one in messages) and any("size is not a whole number" in one for one in messages)
    assert {record.levelno for record in caplog.records if record.name == "proconsul.client"} == {logging.ERROR}


async def _so(value: Any) -> bool:
    return bool(value)


async def test_settings_outlive_their_agent(kind: str, tmp_path: Path) -> None:
    """Defaults before anybody answers, the last values after; and all is well again when the agent is."""
    options = {"server": True, "bootstrap": True, "data_dir": str(tmp_path), "bind_addr": "127.0.0.1",
               "ports": {"http": free_port(), "dns": -1}}  # fmt: skip
    agent = EmbeddedAgent(options, free_ports=True, gossip=False)
    client = client_of(kind, f"127.0.0.1:{options['ports']['http']}", token="")  # type: ignore[index]
    settings = client.live_settings("app/", {"size": 20})
    with pytest.raises(ConsulError):
        await settings.start(0.2, required=True)
    async with asyncio.timeout(PATIENCE_S):
        await settings.start(PATIENCE_S)
    assert settings.integer("size") == 20 and settings.is_stale
    for size in (1, 2):
        async with agent, agent.client() as other:
            await other.kv.put("app/size", str(size))
            await eventually(lambda size=size: _so(settings.integer("size") == size and not settings.is_stale))
        await eventually(lambda: _so(settings.is_stale))
        assert settings.integer("size") == size
    await settings.stop()
    await client.aclose()


async def test_a_refusal_is_told_and_waited_out(kind: str) -> None:
    acl = {"enabled": True, "default_policy": "deny", "tokens": {"master": "root"}}
    agent = EmbeddedAgent({"dev": True, "acl": acl}, free_ports=True, gossip=False)
    async with agent:
        client = client_of(kind, agent.http_address, token="nobody")
        settings = client.live_settings("app/", {"size": 20})
        await settings.start(PATIENCE_S)
        assert settings.integer("size") == 20 and "ACL not found" in str(settings.last_error)
        await settings.stop()
        await client.aclose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_prefork_server_follows_in_each_worker() -> None:
    with AgentInThread() as agent:
        command = [sys.executable, str(Path(__file__).parent / "prefork.py"), agent.http_address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert (done.stdout.split(), done.returncode) == (["0", "0", "0"], 0), done.stderr


async def test_who_is_started_again_waits_again(kind: str) -> None:
    """Settings, instances and a registration: none runs twice, and what was known before does not count as known."""
    agent = EmbeddedAgent({"dev": True}, free_ports=True, gossip=False)
    async with agent:
        client = client_of(kind, agent.http_address, token="")
        settings, resolver = client.live_settings("app/", {"size": 20}), client.resolver("consul")
        registration = client.registration("web", ttl=None)
        for one in (settings, resolver, registration):
            for _ in range(2):
                await one.start(required=True)
                with pytest.raises(RuntimeError, match="already"):
                    await one.start(required=True)
                await one.stop()
        assert settings.is_stale and resolver.is_stale and resolver.instances
    for follower in (settings, resolver):
        with pytest.raises(ConsulError):
            await follower.start(0.2, required=True)
    assert resolver.instances  # known last, and still of use
    await client.aclose()


def test_a_callback_that_ends_its_thread_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with AgentInThread() as agent, Client(agent.http_address) as client:
        settings = client.live_settings("app/", {"size": 20})
        settings.on_change(lambda before, now: sys.exit(3))
        settings.start()
        client.kv.put("app/size", "7")
        deadline = time.monotonic() + PATIENCE_S
        while settings.last_error is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert "SystemExit" in str(settings.last_error) and settings.is_stale and settings.integer("size") == 7
        settings.stop()
    assert "following the settings of app/ failed" in caplog.text


async def test_a_callback_that_would_have_to_be_awaited(client: AsyncClient) -> None:
    async def change(before: SettingsSnapshot, now: SettingsSnapshot) -> None: ...

    with pytest.raises(TypeError, match="coroutine function"):
        client.live_settings("app/", {}).on_change(change)  # type: ignore[arg-type]


def test_a_snapshot_never_changes() -> None:
    declared: dict[str, Any] = {"hosts": ["a", ["b"]], "word": "x"}
    snapshot = SettingsSnapshot({"word": b'"quoted"', "list": b"[[1]]"}, declared)
    # The same setting as text and as JSON, in either order.
    for _ in range(2):
        assert snapshot.text("word") == '"quoted"' and snapshot.json("word", str) == "quoted"
    for name, value in (("list", [[1]]), ("hosts", ["a", ["b"]])):
        found = snapshot.json(name, list)
        assert found == value
        found[-1].append(2)
        found.append(3)
        assert snapshot.json(name, list) == value
    declared["hosts"].append("c")
    assert snapshot.json("hosts", list) == ["a", ["b"]]
    with pytest.raises(TypeError, match="declared"):
        snapshot.json("hosts", dict)
