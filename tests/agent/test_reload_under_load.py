"""A reload while clients read and register, with every kind of broken file: nobody sees anything of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.config import reload
from proconsul.testing import AgentInLoop
from proconsul.testing.ports import free_port
from support.patience import PATIENCE_S

GOOD = {
    "service": {"name": "cfg", "port": 1, "check": {"id": "cfg", "ttl": "1h"}},
    "node_meta": {"rack": "one"}, "check_update_interval": "0s",
}  # fmt: skip
BROKEN: dict[str, str | bytes] = {
    "no JSON": '{"service":', "no object": "5", "an unknown key": '{"servce": {}}', "a wrong type": '{"service": 5}',
    "a bad duration": '{"check_update_interval": "soon"}', "a service without a name": '{"service": {"port": 2}}',
    "a check without anything": '{"check": {"name": "x"}}', "a check of no service":
    '{"check": {"name": "x", "ttl": "5s", "service_id": "none"}}', "a forbidden script":
    '{"service": {"name": "a", "check": {"args": ["true"], "interval": "5s"}}}', "a bad watch":
    '{"node_meta": {"rack": "two"}, "watches": [{"type": "zork", "args": ["true"]}]}', "a bad recursor":
    '{"node_meta": {"rack": "two"}, "recursors": ["1.2.3.4:x"]}', "a certificate that is not there":
    '{"node_meta": {"rack": "two"}, "cert_file": "/nowhere", "key_file": "/nowhere"}', "an authority that is none":
    '{"node_meta": {"rack": "two"}, "ca_file": "/dev/null"}', "a good one among bad ones":
    '{"services": [{"name": "new", "port": 3}, {"name": "b", "tagged_addresses": {"lan_ipv4": {"address": "x"}}}]}',
    "bytes": b"\xff\xfe\x00", "nothing that can be read": "",
}  # fmt: skip


class World:
    """An agent, its file, and what clients saw of it."""

    def __init__(self, agent: AgentInLoop, path: Path, flags: dict[str, Any]) -> None:
        self.agent, self.path = agent, path
        self.seen: set[str] = set()
        self.rounds = 0
        agent.agent.reloading.read = lambda current: reload(flags, current)[0]

    async def put(self, target: str, body: Any = None) -> tuple[int, str]:
        data = json.dumps(body).encode() if body is not None else b""
        response = await self.agent.request("PUT", target, data)
        return response.status, response.body.decode()

    async def get(self, target: str) -> Any:
        return json.loads((await self.agent.request("GET", target)).body)

    async def read(self) -> None:
        """What must never look otherwise, again and again."""
        while True:
            services, checks = await self.get("/v1/agent/services"), await self.get("/v1/agent/checks")
            catalog = await self.get("/v1/catalog/service/cfg")
            rack = (await self.get("/v1/agent/self"))["Meta"]["rack"]
            self.seen.add(f"{services['cfg']['Port']} {checks['cfg']['Status']} {len(catalog)} {rack}")
            self.rounds += 1
            await asyncio.sleep(0)

    async def write(self) -> None:
        """Registrations through the API meanwhile, each of which must last."""
        number = 0
        while True:
            name = f"api{number % 5}"
            assert await self.put("/v1/agent/service/register", {"Name": name, "Port": number}) == (200, "")
            assert (await self.get("/v1/agent/services"))[name]["Port"] == number
            number += 1
            await asyncio.sleep(0)

    async def turn(self) -> None:
        before = self.rounds
        async with asyncio.timeout(PATIENCE_S):
            while self.rounds < before + 2:
                await asyncio.sleep(0)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(GOOD))
    flags = {
        "dev": True, "node_name": "test", "data_dir": str(tmp_path / "data"), "config_files": [str(path)],
        "ports": {"dns": free_port(), "http": -1, "grpc": -1},
    }  # fmt: skip
    async with AgentInLoop(flags) as agent:
        yield World(agent, path, flags)


async def test_broken_files_change_nothing_and_good_ones_everything(world: World) -> None:
    assert await world.put("/v1/agent/check/pass/cfg?note=fine") == (200, "")
    await world.agent.agent.sync.sync_full()
    clients = [asyncio.ensure_future(world.read()), asyncio.ensure_future(world.write())]
    try:
        for what, content in BROKEN.items():
            if content:
                world.path.write_bytes(content if isinstance(content, bytes) else content.encode())
            else:
                world.path.unlink()
            status, text = await world.put("/v1/agent/reload")
            assert status == 500 and text, what
            await world.turn()
        assert world.seen == {"1 passing 1 one"}
        world.path.write_text(json.dumps({**GOOD, "node_meta": {"rack": "two"}}))
        answers = await asyncio.gather(*(world.put("/v1/agent/reload") for _ in range(5)))
        assert answers == [(200, "")] * 5
        await world.turn()
        assert world.seen == {"1 passing 1 one", "1 passing 1 two"}
    finally:
        for client in clients:
            client.cancel()
        ends = await asyncio.gather(*clients, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
