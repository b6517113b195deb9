"""The programs of examples/ run as they stand, with real servers and agents."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from leftovers import nothing_left

from proconsul.client import Client
from proconsul.embed import Attached, EmbeddedAgent, WebService
from proconsul.testing import AgentInThread, free_port
from support.harness import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_S = 60.0


def load(name: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Any:
    """The module of an example, new."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    path = EXAMPLES / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Lifespan:
    """What an ASGI server does with an application besides requests (ASGI: lifespan protocol 2.0)."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Any] = asyncio.Queue()
        self._from_app: asyncio.Queue[Any] = asyncio.Queue()
        self.state: dict[str, Any] = {}

    async def __aenter__(self) -> Lifespan:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.ensure_future(self._app(scope, self._to_app.get, self._from_app.put))
        await self._say("lifespan.startup")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._say("lifespan.shutdown")
        await self._task

    async def _say(self, what: str) -> None:
        await self._to_app.put({"type": what})
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._from_app.get()
        assert answer["type"] == f"{what}.complete", answer

    async def get(self, path: str) -> Any:
        """The JSON of a page."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._app({**scope, "state": dict(self.state)}, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as visitor:
            answer = await visitor.get(path)
            return answer.json() if answer.status_code == 200 else answer.status_code


async def until(probe: Any, wanted: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (found := await probe()) != wanted:
            await asyncio.sleep(0.02)
    assert found == wanted


@pytest.fixture(scope="module")
def outside() -> Iterator[str]:
    """The address of an agent that is there before, and after."""
    with AgentInThread() as agent:
        yield agent.http_address


def test_fastapi_under_uvicorn(outside: str) -> None:
    """Registered and checked while it runs, gone when it ends; and it finds others."""
    port = free_port()
    environment = {**os.environ, "CONSUL_HTTP_ADDR": outside, "PORT": str(port), "PYTHONPATH": str(EXAMPLES)}
    command = [sys.executable, "-m", "uvicorn", "fastapi_service:app", "--port", str(port), "--log-level", "warning"]
    with Client(outside) as client, subprocess.Popen(command, env=environment, cwd=EXAMPLES) as process:
        try:
            eventually(lambda: client.health.service("orders", passing=True), "the service passes its check")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as visitor:
                assert visitor.get("/").json() == {"greeting": "hello", "limit": 10}
                assert visitor.get("/prices").status_code == 503
                client.agent.services.register("prices", port=99, address="10.0.0.1")
                eventually(lambda: visitor.get("/prices").status_code == 200, "the other service is found")
                assert visitor.get("/prices").json() == {"address": "10.0.0.1:99"}
                client.kv.put("orders/greeting", "good day")
                eventually(lambda: visitor.get("/").json()["greeting"] == "good day", "the setting is followed")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
        assert client.agent.services.get("orders") is None
        client.agent.services.deregister("prices")


async def test_fastapi_lives_without_its_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It starts while nobody answers, is registered when the agent comes, again when that has forgotten it, and ends
    when it is gone."""
    port = free_port()
    monkeypatch.setattr("proconsul.client.aio.registration._LOOK_S", 0.2)
    module = load("fastapi_service", monkeypatch, CONSUL_HTTP_ADDR=f"127.0.0.1:{port}", PORT="8000")
    agent = EmbeddedAgent({"dev": True, "ports": {"http": port}}, free_ports=True, gossip=False)
    async with nothing_left():
        began = time.monotonic()
        async with Lifespan(module.app) as app:
            assert time.monotonic() - began < PATIENCE_S
            assert await app.get("/") == {"greeting": "hello", "limit": 10}
            assert await app.get("/prices") == 503
            for _ in range(2):
                async with agent, agent.client() as client:

                    async def registered() -> bool:
                        return await client.agent.services.get("orders") is not None

                    await until(registered, True)
            assert await app.get("/") == {"greeting": "hello", "limit": 10}


async def test_attaching_may_be_cancelled_at_any_moment() -> None:
    """Neither a task nor a registration is left."""
    async with EmbeddedAgent({"dev": True}, free_ports=True, gossip=False) as agent, agent.client() as client:
        assert await client.status.leader()  # its connection is there before
        async with nothing_left():
            for turns in range(10_000):
                attached = Attached(
                    address=agent.http_address, register=WebService("orders"), resolve=["orders"], prefix="orders/"
                )  # fmt: skip
                task = asyncio.ensure_future(attached.__aenter__())
                for _ in range(turns):
                    await asyncio.sleep(0)
                if task.done():
                    break
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert await client.agent.services.get("orders") is None
            assert turns > 10
            assert await client.agent.services.get("orders") is not None
            await attached.__aexit__(None, None, None)
            assert await client.agent.services.get("orders") is None


async def test_a_silent_agent_is_asked_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application begins within one time-out, however much it wants to know."""
    monkeypatch.setattr("proconsul.embed.service._START_S", 3600.0)
    asked: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: asked.append(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    names = ["a", "b", "c"]
    attached = Attached(address=f"{host}:{port}", resolve=names, prefix="x/", register=WebService("orders"))
    task = asyncio.ensure_future(attached.__aenter__())

    async def all_asked() -> bool:
        return len(asked) == len(names) + 1

    await until(all_asked, True)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    for writer in asked:
        writer.close()
    server.close()


async def test_starlette_with_an_agent_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOIN", raising=False)
    module = load("starlette_service", monkeypatch)
    async with nothing_left():
        for _ in range(2):  # an application may be started again
            async with Lifespan(module.app) as app:
                name = module.agent.node_name
                await until(lambda: app.get("/"), [f"{name}:8000"])
            assert not module.agent.is_running


async def test_an_agent_inside_that_cannot_start_keeps_the_application_from_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    monkeypatch.setenv("JOIN", "127.0.0.1:1")
    monkeypatch.setenv("DATA_DIR", f"{tmp_path}/file/below")
    (tmp_path / "file").write_text("")
    module = load("starlette_service", monkeypatch)
    async with nothing_left():
        lifespan = Lifespan(module.app)
        with pytest.raises(AssertionError, match=r"lifespan\.startup\.failed"):
            async with lifespan:
                pass
        await asyncio.gather(lifespan._task, return_exceptions=True)


async def test_aiohttp(outside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiohttp import ClientSession
    from aiohttp.test_utils import TestServer

    module = load("aiohttp_service", monkeypatch, CONSUL_HTTP_ADDR=outside, PORT="8123")
    async with nothing_left():
        async with TestServer(module.make()) as server, ClientSession() as visitor:

            async def seen() -> Any:
                async with visitor.get(server.make_url("/")) as answer:
                    return await answer.json()

            await until(seen, ["127.0.0.1:8123"])
        await asyncio.sleep(0)
    with Client(outside) as client:
        assert client.agent.services.get("mail") is None


def test_flask(outside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("flask_settings/app", monkeypatch, CONSUL_HTTP_ADDR=outside)
    try:
        visitor = module.app.test_client()
        assert visitor.get("/").json == {"title": "Shop", "page_size": 20, "sale": False}
        module.client.kv.put("shop/title", "New")
        eventually(lambda: visitor.get("/").json["title"] == "New", "the setting is followed")
        module.client.kv.delete_tree("shop/")
    finally:
        module.settings.stop()
        module.client.close()


def test_django(outside: str) -> None:
    command = [sys.executable, str(Path(__file__).parent / "django_life.py"), outside]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES / "django_settings")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert first == {"title": "Shop", "page_size": 20, "sale": False}
    assert second == {"title": "Shop", "page_size": 20, "sale": True}  # a size of "many" is none
