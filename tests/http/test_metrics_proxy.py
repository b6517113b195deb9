"""The page's questions to a metrics server: what is asked there, and what is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proconsul.testing import AgentInLoop, free_port
from support.patience import PATIENCE_S

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"


class Prometheus:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode())
        writer.writelines([self.answer])
        writer.close()


@pytest.fixture
async def prometheus() -> AsyncIterator[tuple[Prometheus, str]]:
    found = Prometheus()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    async with server:
        yield found, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def settings(base: str, **proxy: Any) -> dict[str, Any]:
    return {
        "ui_config": {"enabled": True, "metrics_provider": "prometheus", "metrics_proxy": {"base_url": base, **proxy}}
    }


PROXY = "/v1/internal/ui/metrics-proxy"


async def test_what_may_be_asked_is_asked(prometheus: tuple[Prometheus, str]) -> None:
    server, base = prometheus
    headers = [{"name": "Authorization", "value": "Bearer m"}, {"name": "X-Scope", "value": "t"}]
    async with AgentInLoop(settings(f"{base}/prefix/", add_headers=headers)) as agent:
        target = f"{PROXY}/api/v1/query?query=up%7Ba=%22b%22%7D&token=x"
        found = await agent.request("GET", target, headers={"X-Consul-Token": "secret", "Cookie": "c"})
        assert (found.status, found.body, found.headers["Content-Type"]) == (200, b"{}", "application/json")
    [head] = server.asked
    assert head.startswith("GET /prefix/api/v1/query?query=up%7Ba=%22b%22%7D&token=x HTTP/1.1\r\n")
    assert "Authorization: Bearer m\r\n" in head and "X-Scope: t\r\n" in head
    assert "secret" not in head and "cookie" not in head.lower()


FORBIDDEN = [
    "/api/v1/admin", "/", "", "/api/v1/query/", "/api/v1/../v1/query", "/api/v1/%2e%2e/v1/query", "/api//v1/query",
    "/x/../../api/v1/query", "/api/v1/query%3Fx", "/api/v1/query%23", "/%2e%2e/api/v1/query", "/api/v1/query%00",
    "/api/v1/query%0d%0aX:y", "/..%2f..%2fapi/v1/query", "/api%5cv1/query", "/api/v1/%252e%252e/query", "@evil/",
]  # fmt: skip


async def test_nothing_else_is_asked(prometheus: tuple[Prometheus, str]) -> None:
    server, base = prometheus
    async with AgentInLoop(settings(base)) as agent:
        for path in FORBIDDEN:
            found = await agent.request("GET", PROXY + path)
            assert found.status in (301, 400, 403, 404), (path, found.body)
        assert (await agent.request("PUT", f"{PROXY}/api/v1/query", b"x")).status == 405
    assert server.asked == []


async def test_answers_come_as_they_are_or_not_at_all(
    prometheus: tuple[Prometheus, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, base = prometheus
    async with AgentInLoop(settings(base, path_allowlist=["/any"])) as agent:
        server.answer = b"HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: text/x\r\nContent-Length: 3\r\n\r\nbad"
        found = await agent.request("GET", f"{PROXY}/any")
        assert (found.status, found.body, found.headers["Content-Type"]) == (422, b"bad", "text/x")
        server.answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        assert (await agent.request("GET", f"{PROXY}/any")).status == 302  # nobody is led elsewhere
        monkeypatch.setattr("proconsul.agent.doors.metrics_proxy.ANSWER_BYTES_MAX", 2)
        server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbig"
        assert (await agent.request("GET", f"{PROXY}/any")).status == 502
    async with AgentInLoop(settings(f"http://127.0.0.1:{free_port()}")) as agent:
        found = await agent.request("GET", f"{PROXY}/api/v1/query")
        assert found.status == 502 and b"connection refused" in found.body


async def test_without_a_page_or_a_server_there_is_none() -> None:
    async with AgentInLoop({"ui": False}) as agent:
        found = await agent.request("GET", f"{PROXY}/api/v1/query")
        assert (found.status, found.body) == (404, b"UI is not enabled")
    async with AgentInLoop({}) as agent:
        found = await agent.request("GET", f"{PROXY}/api/v1/query")
        assert (found.status, found.body) == (404, b"Metrics proxy is not enabled")


RULES = {
    'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }': 200,
    'service_prefix "" { policy = "write" } node_prefix "" { policy = "write" } key_prefix "" { policy = "deny" }': 200,
    'service_prefix "" { policy = "read" }': 403,
    'node_prefix "" { policy = "read" }': 403,
    'service "" { policy = "read" } service "web" { policy = "read" } node_prefix "" { policy = "read" }': 403,
    'service_prefix "" { policy = "read" } service "x" { policy = "deny" } node_prefix "" { policy = "read" }': 403,
}


async def test_who_asks_may_see_everything(prometheus: tuple[Prometheus, str]) -> None:
    _, base = prometheus
    acl = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": ROOT}}}
    async with AgentInLoop(settings(base) | acl) as agent:

        async def ask(token: str, method: str = "GET", path: str = f"{PROXY}/api/v1/query", body: Any = None) -> Any:
            data = json.dumps(body).encode() if body is not None else b""
            return await agent.request(method, path, data, {"X-Consul-Token": token} if token else {})

        async with asyncio.timeout(PATIENCE_S):
            while (await ask(ROOT)).status != 200:
                await asyncio.sleep(0.01)
        assert (await ask("")).status == 403
        assert (await ask("11111111-aaaa-4bbb-8ccc-333333333333")).status == 403
        for number, (rules, status) in enumerate(RULES.items()):
            policy = {"Name": f"p{number}", "Rules": rules}
            assert (await ask(ROOT, "PUT", "/v1/acl/policy", policy)).status == 200
            made = await ask(ROOT, "PUT", "/v1/acl/token", {"Policies": [{"Name": f"p{number}"}]})
            assert (await ask(json.loads(made.body)["SecretID"])).status == status, rules
