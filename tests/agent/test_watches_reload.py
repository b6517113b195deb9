"""Watches and reloads: what a reload brings, changes and takes away; and that nothing a handler does ends its watch."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.config import reload
from proconsul.agent.hooks.watches import Watches
from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop

sys.path.insert(0, str(Path(__file__).parents[1] / "checks"))

from check_certificates import server_context

from support.patience import PATIENCE_S

Watch = dict[str, Any]
Act = Callable[[AgentInLoop, str], Awaitable[Any]]


async def _reload(agent: AgentInLoop, watches: list[Watch], **more: Any) -> None:
    settings = {**agent._settings, "watches": watches, **more}
    agent.agent.reloading.read = lambda current: reload(settings, current)[0]
    await agent.agent.reload()


def _put(path: str, body: Mapping[str, Any], agent: AgentInLoop, mark: str) -> Awaitable[Any]:
    text = json.dumps(body).replace("MARK", mark)
    return agent.request("PUT", path.replace("MARK", mark), text.encode())


_SERVICE = {"Name": "web", "Port": 1, "Tags": ["MARK"]}
_CHECK = {"Node": "other", "Address": "10.0.0.9", "Check": {"CheckID": "c", "Name": "c", "Notes": "MARK"}}
# A watch of every type, and what changes its result.
KINDS: dict[str, tuple[Watch, Act]] = {
    "key": ({"key": "watched/key"}, partial(_put, "/v1/kv/watched/key", {"v": "MARK"})),
    "keyprefix": ({"prefix": "watched/"}, partial(_put, "/v1/kv/watched/key", {"v": "MARK"})),
    "services": ({}, partial(_put, "/v1/agent/service/register", {"Name": "web-MARK"})),
    "nodes": ({}, partial(_put, "/v1/catalog/register", {"Node": "n-MARK", "Address": "10.0.0.1"})),
    "service": ({"service": "web"}, partial(_put, "/v1/agent/service/register", _SERVICE)),
    "checks": ({"state": "critical"}, partial(_put, "/v1/catalog/register", _CHECK)),
    "event": ({"name": "deploy"}, partial(_put, "/v1/event/fire/deploy", {"v": "MARK"})),
}


def _writing(kind: str, path: Path, round_: str = "") -> Watch:
    command = f"cat > /dev/null; echo ran{round_} >> {path}"
    return {"type": kind, **KINDS[kind][0], "args": ["/bin/sh", "-c", command]}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def test_watches_of_every_type_come_change_and_go_with_reloads(tmp_path: Path) -> None:
    files = {kind: tmp_path / kind for kind in KINDS}
    async with AgentInLoop() as agent:
        # The first watches of this agent.
        await _reload(agent, [_writing(kind, files[kind]) for kind in KINDS])
        for kind, (_, act) in KINDS.items():
            await _until(lambda kind=kind: _lines(files[kind]) != [])  # type: ignore[misc]
            before = len(_lines(files[kind]))
            await act(agent, f"first-{kind}")
            await _until(lambda kind=kind, before=before: len(_lines(files[kind])) > before)  # type: ignore[misc]
        # All change; each handler runs at once.
        await _reload(agent, [_writing(kind, files[kind], "-changed") for kind in KINDS])
        for kind in KINDS:
            await _until(lambda kind=kind: "ran-changed" in _lines(files[kind]))  # type: ignore[misc]
        # Every second one goes.
        kept = list(KINDS)[::2]
        await _reload(agent, [_writing(kind, files[kind], "-kept") for kind in kept])
        for kind in kept:
            await _until(lambda kind=kind: "ran-kept" in _lines(files[kind]))  # type: ignore[misc]
        for kind in kept:
            before = len(_lines(files[kind]))
            await KINDS[kind][1](agent, f"third-{kind}")
            await _until(lambda kind=kind, before=before: len(_lines(files[kind])) > before)  # type: ignore[misc]
            assert _lines(files[kind])[-1] == "ran-kept"
        for kind in set(KINDS) - set(kept):
            assert "ran-kept" not in _lines(files[kind])
        await _reload(agent, [])
        # Handlers that ran already run to their end.
        (watches,) = [part for part in agent.agent._parts._parts if isinstance(part, Watches)]
        await _until(lambda: not watches._handlers)
        counts = {kind: len(_lines(files[kind])) for kind in kept}
        for kind in kept:
            await KINDS[kind][1](agent, "fourth")
        # Something new is seen, and what is gone saw nothing of it.
        await _reload(agent, [_writing("key", tmp_path / "last")])
        await _until(lambda: _lines(tmp_path / "last") == ["ran"])
        assert {kind: len(_lines(files[kind])) for kind in kept} == counts


async def test_a_reload_with_a_bad_watch_keeps_the_old_ones(tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with AgentInLoop({"watches": [_writing("key", out)]}) as agent:
        await _until(lambda: _lines(out) == ["ran"])
        with pytest.raises(ConsulError, match=r"Failed reloading watches: .*Must specify a single key to watch"):
            await _reload(agent, [{"type": "key", "args": ["true"]}], services=[{"name": "new"}], log_level="err")
        assert json.loads((await agent.request("GET", "/v1/agent/services")).body) == {}, "nothing has changed"
        await KINDS["key"][1](agent, "x")
        await _until(lambda: _lines(out) == ["ran", "ran"])


async def test_a_handler_lives_through_the_reload_it_asks_for(tmp_path: Path) -> None:
    began, ended, gate = tmp_path / "began", tmp_path / "ended", tmp_path / "gate"
    script = f"echo x >> {began}; while [ ! -e {gate} ]; do sleep 0.01; done; echo x >> {ended}"
    async with AgentInLoop({"watches": [{"type": "nodes", "args": ["/bin/sh", "-c", script]}]}) as agent:
        await _until(lambda: len(_lines(began)) == 1)
        await _reload(agent, [])
        gate.touch()
        await _until(lambda: len(_lines(ended)) == 1)


@pytest.mark.parametrize(
    "handler",
    [
        {"args": ["/nonexistent"]},
        {"args": ["/"]},
        {"args": ["a\0b"]},
        {"args": ["/bin/sh", "-c", "exit 3"]},
        {"args": ["/bin/sh", "-c", "kill -9 $$"]},
        {"args": ["/bin/sh", "-c", "exec <&-; exec >&-; exit 0"]},
        {"handler_type": "http", "http_handler_config": {"path": "http://127.0.0.1:1/"}},
        {"handler_type": "http", "http_handler_config": {"path": "https://127.0.0.1:1/"}},
        {"handler_type": "http", "http_handler_config": {"path": "ftp://127.0.0.1/"}},
        {"handler_type": "http", "http_handler_config": {"path": "http://[::1"}},
        {"handler_type": "http", "http_handler_config": {"path": "http://127.0.0.1:x/"}},
        {"handler_type": "http", "http_handler_config": {"path": "http://a..b/"}},
        {"handler_type": "http", "http_handler_config": {"path": "https://" + "a" * 70 + ".example/"}},
        {"handler_type": "http", "http_handler_config": {"path": "http://127.0.0.1:1/", "method": "P\r\nX: 1"}},
    ],
    ids=str,
)
async def test_no_handler_ends_its_watch(
    handler: Watch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import logging

    runs = []
    run = Watches._run

    async def counted(self: Watches, *args: Any) -> None:
        await run(self, *args)
        runs.append(args)

    monkeypatch.setattr(Watches, "_run", counted)
    caplog.set_level(logging.ERROR, "agent")
    async with AgentInLoop({"watches": [{"type": "key", "key": "k", **handler}]}) as agent:
        await _until(lambda: len(runs) == 1)
        await agent.request("PUT", "/v1/kv/k", b"1")
        await _until(lambda: len(runs) == 2)
    failed = [record for record in caplog.records if record.getMessage().startswith("Failed to run watch handler")]
    assert len(failed) == (0 if "exec <&-" in str(handler) else 2)
    assert all(not record.exc_info for record in failed)


async def test_an_answer_that_cannot_be_read_does_not_end_its_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proconsul.client import watchplan

    ask, asked = Watches._ask, []

    async def broken(self: Watches, *args: Any) -> tuple[int, Any]:
        asked.append(args)
        if len(asked) == 1:
            raise KeyError("ID")
        return await ask(self, *args)

    monkeypatch.setattr(Watches, "_ask", broken)
    monkeypatch.setattr(watchplan, "retry_s", lambda failures: 0)
    out = tmp_path / "out"
    async with AgentInLoop({"watches": [_writing("key", out)]}):
        await _until(lambda: _lines(out) == ["ran"])


async def _hook(context: ssl.SSLContext | None, answer: str) -> tuple[asyncio.Server, int, list[str]]:
    """A web server that gives ``answer`` to every request, and the bodies it gets."""
    bodies: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].split("\r\n")[0] or 0)
            bodies.append((await reader.readexactly(length)).decode())
            writer.write(answer.encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1], bodies


@pytest.mark.parametrize("redirected", [False, True])
async def test_https_handlers(redirected: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With verification switched off they get the result; else an unknown authority is an error, every time again."""
    hook, port, bodies = await _hook(server_context(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    url = f"https://127.0.0.1:{port}/hook"
    if redirected:
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"
        first, first_port, _ = await _hook(None, answer)
        url = f"http://127.0.0.1:{first_port}/"
    config = {"path": url, "timeout": "5s", "tls_skip_verify": True}
    watch = {"type": "key", "key": "k", "handler_type": "http", "http_handler_config": config}
    async with AgentInLoop({"watches": [watch]}) as agent:
        await _until(lambda: bodies == ["null\n"])
        await agent.request("PUT", "/v1/kv/k", b"1")
        await _until(lambda: len(bodies) == 2)
        await _reload(agent, [{**watch, "http_handler_config": {**config, "tls_skip_verify": False}}])
        await _until(lambda: caplog.text.count("Failed to run watch handler") == 1)
        await agent.request("PUT", "/v1/kv/k", b"2")
        await _until(lambda: caplog.text.count("Failed to run watch handler") == 2)
    assert "x509" in caplog.text
    assert len(bodies) == 2
    hook.close()
    if redirected:
        first.close()
