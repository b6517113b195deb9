"""Agents inside the test's process."""

from __future__ import annotations

import http.client
import json

from proconsul.testing import AgentInLoop, AgentInThread, DevAgent
from support.patience import PATIENCE_S


def _get(address: str, path: str) -> object:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, body
    return json.loads(body)


def test_the_fixture_gives_a_working_agent(consul_agent: DevAgent, consul_agent_address: str) -> None:
    nodes = _get(consul_agent_address, "/v1/catalog/nodes")
    assert isinstance(nodes, list)
    assert [node["Node"] for node in nodes] == ["test"]
    assert consul_agent.http_address == consul_agent_address


def test_an_agent_in_a_thread_answers() -> None:
    with AgentInThread({"node_name": "n1"}) as agent:
        assert _get(agent.http_address, "/v1/agent/services") == {}


async def test_two_agents_in_one_loop_do_not_mix() -> None:
    async with AgentInLoop({"node_name": "one"}) as one, AgentInLoop({"node_name": "two"}) as two:
        await one.request("PUT", "/v1/kv/key", b"1")
        assert (await one.request("GET", "/v1/kv/key?raw")).body == b"1"
        assert (await two.request("GET", "/v1/kv/key?raw")).status == 404


async def test_the_prometheus_page_is_never_empty() -> None:
    async with AgentInLoop({"telemetry": {"prometheus_retention_time": "60s"}}) as agent:
        page = (await agent.request("GET", "/v1/agent/metrics?format=prometheus")).body.decode()
        assert "# TYPE consul_raft_applied_index gauge" in page
        clock = [1e9]
        agent.agent.metrics._clock = lambda: clock[0]
        for _ in range(5):  # also not when an interval has only begun
            clock[0] += 10
            page = (await agent.request("GET", "/v1/agent/metrics?format=prometheus")).body.decode()
            assert "consul_runtime_alloc_bytes" in page
