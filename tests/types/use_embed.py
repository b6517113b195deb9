"""Agents within programs and within tests, as users write it; a type checker reads this, nobody runs it."""

from pathlib import Path
from typing import assert_type

from proconsul.client import AsyncClient, AsyncLiveSettings, AsyncRegistration, AsyncResolver, Client
from proconsul.embed import AgentEnded, Attached, ConfigError, EmbeddedAgent, WebService, cleanup_context, lifespan
from proconsul.testing import AsyncDevAgent, DevAgent, DevCluster, HttpAnswer


def ended(error: AgentEnded | None) -> None:
    if error is not None:
        assert_type(error.code, int)


async def embedded(folder: Path) -> None:
    settings = {"dev": True, "ports": {"http": 8500}}
    async with EmbeddedAgent(settings, config_files=[folder], free_ports=True, on_end=ended) as agent:
        assert_type(agent, EmbeddedAgent)
        assert_type(agent.http_address, str)
        assert_type(agent.dns_address, str)
        assert_type(agent.gossip_address, str)
        assert_type(agent.env(), dict[str, str])
        assert_type(agent.client(token="t"), AsyncClient)
        assert_type(agent.is_running, bool)
        try:
            await agent.reload({"dev": True})
        except ConfigError as error:
            print(error)
        await agent.ready(5)
        await agent.wait()


async def attached() -> None:
    service = WebService("web", port=80, ttl=10, tags=["v1"])
    async with Attached(register=service, resolve=["db"], prefix="web/", defaults={"size": 1}) as consul:
        assert_type(consul.client, AsyncClient)
        assert_type(consul.agent, EmbeddedAgent | None)
        assert_type(consul.registration, AsyncRegistration | None)
        assert_type(consul.resolver("db"), AsyncResolver)
        assert_type(consul.settings, AsyncLiveSettings)
    async with lifespan(register=service)(object()) as state:
        print(state["consul"])
    cleanup_context({"dev": True}, key="consul")


def tests() -> None:
    with DevAgent({"node_name": "n1"}, frozen=True) as agent:
        assert_type(agent, DevAgent)
        answer = agent.put("kv/a", "1")
        assert_type(answer, HttpAnswer)
        assert_type(answer.status, int)
        assert_type(agent.client(), Client)
        agent.advance(10)
    with DevCluster(servers=3, seed=1) as cluster:
        assert_type(cluster.leader.get("kv/a"), HttpAnswer)


async def asynchronous_tests() -> None:
    async with AsyncDevAgent() as agent:
        assert_type(await agent.get("kv/a"), HttpAnswer)
        assert_type(agent.client(), AsyncClient)
