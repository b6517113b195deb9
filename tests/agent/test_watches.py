"""Watch definitions, and handlers run by a real agent in this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from proconsul.agent.hooks.watches import parse_watch
from proconsul.features.errors import ConsulError
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"type": "key", "args": ["x"]}, "Must specify a single key to watch"),
        ({"type": "bogus", "args": ["x"]}, "Unsupported watch type: bogus"),
        ({"type": "nodes"}, "Must define a watch handler"),
        ({"type": "nodes", "args": ["x"], "handler": "y"}, "Only one watch handler allowed"),
        ({"type": "nodes", "args": ["x"], "zz": 1}, "Invalid parameters: [zz]"),
        ({"type": "nodes", "handler_type": "http"}, "Handler type 'http' requires 'http_handler_config' to be set"),
    ],
)
def test_refusals_use_the_reference_texts(raw: dict[str, object], text: str) -> None:
    with pytest.raises(ConsulError) as caught:
        parse_watch(raw)
    assert text in str(caught.value)


@pytest.mark.parametrize("value", [5, True, {"a": 1}, [{"a": 1}], [["x"]], [None], 1.5], ids=repr)
@pytest.mark.parametrize(
    "raw",
    [
        {"args": "?"}, {"handler": "?"}, {"handler_type": "http", "http_handler_config": "?"},
        *({"handler_type": "http", "http_handler_config": {"path": "http://x", key: "?"}}
          for key in ("path", "method", "header", "timeout")),
        {"handler_type": "http", "http_handler_config": [{"path": "http://x", "header": {"a": "?"}}]},
        {"handler_type": "plugin", "plugin": "?"}, {"handler_type": "plugin", "plugin": "x", "plugin_config": "?"},
        {"handler_type": "plugin", "plugin": "x", "plugin_timeout": "?"}, {"handler_type": "?", "args": ["x"]},
        {"handler_type": "?"},
    ],
    ids=repr,
)  # fmt: skip
def test_values_of_any_type_are_taken_or_refused(raw: dict[str, object], value: object) -> None:
    """A file may say anything where a watch of Consul is a map of anything; none may end the agent by an accident."""

    def filled(given: object) -> object:
        if isinstance(given, dict):
            return {key: filled(one) for key, one in given.items()}
        return [filled(one) for one in given] if isinstance(given, list) else value if given == "?" else given

    watch = filled({"type": "nodes", **raw})
    assert isinstance(watch, dict)
    with contextlib.suppress(ConsulError):
        handler = parse_watch(watch).handler
        assert all(isinstance(one, str) for one in (*handler.command, handler.url, handler.method))
        assert all(isinstance(one, str) for values in handler.header.values() for one in values)


async def test_a_command_gets_the_result_and_its_index(tmp_path: Path) -> None:
    fifo = tmp_path / "out"
    script = f'(echo "$CONSUL_INDEX"; cat) >> {fifo}; echo done >> {fifo}'
    watch = {"type": "key", "key": "watched", "args": ["/bin/sh", "-c", script]}
    async with AgentInLoop({"watches": [watch]}) as agent:
        await _lines(fifo, 3)
        response = await agent.request("PUT", "/v1/kv/watched", b"value")
        assert response.status == 200
        lines = await _lines(fifo, 6)
    # The first run reports the missing key, the second one its value.
    assert lines[1] == "null"
    entry = json.loads(lines[4])
    assert entry["Key"] == "watched"
    assert entry["Value"] == "dmFsdWU="
    assert int(lines[3]) == entry["ModifyIndex"]


async def _lines(path: Path, count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            lines = path.read_text().splitlines() if path.exists() else []
            if len(lines) >= count:
                return lines
            await asyncio.sleep(0.01)


async def test_an_http_handler_gets_the_result_and_its_index() -> None:
    received: asyncio.Queue[tuple[dict[str, str], object]] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        received.put_nowait((headers, json.loads(body)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    watch = {
        "type": "services", "handler_type": "http",
        "http_handler_config": {"path": f"http://127.0.0.1:{port}/hook", "method": "POST", "timeout": "5s"},
    }  # fmt: skip
    async with AgentInLoop({"watches": [watch]}) as agent:
        async with asyncio.timeout(PATIENCE_S):
            headers, services = await received.get()
            assert "x-consul-index" in headers
            await agent.request("PUT", "/v1/agent/service/register", b'{"Name":"web"}')
            while "web" not in services:  # type: ignore[operator]
                headers, services = await received.get()
    server.close()
    assert services == {"consul": [], "web": []}
