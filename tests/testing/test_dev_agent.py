"""Agents in the test's process: life, sockets, state."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from proconsul.testing import AsyncDevAgent, DevAgent
from support.harness import eventually
from support.patience import PATIENCE_S


def over_http(agent: DevAgent | AsyncDevAgent, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """One request over a socket."""
    connection = http.client.HTTPConnection(agent.http_address, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_an_agent_answers_without_and_with_a_socket() -> None:
    with DevAgent() as agent:
        assert agent.put("kv/a", "1", flags=3).json() is True
        assert agent.get("/v1/kv/a").json()[0]["Flags"] == 3
        assert over_http(agent, "GET", "/v1/kv/a?raw") == (200, b"1")
        assert agent.get("kv/none").status == 404
        assert [node["Node"] for node in agent.get("catalog/nodes").json()] == ["test"]
        assert agent.env()["CONSUL_HTTP_ADDR"] == agent.http_address == f"127.0.0.1:{agent.http_port}"


async def test_two_async_agents_share_the_tests_loop() -> None:
    async with AsyncDevAgent({"node_name": "one"}) as one, AsyncDevAgent({"node_name": "two"}) as two:
        await asyncio.gather(one.put("kv/a", "1"), two.put("kv/b", "2"))
        assert (await one.get("kv/a", raw=True)).text == "1"
        assert (await two.get("kv/a")).status == 404
        assert await asyncio.to_thread(over_http, one, "GET", "/v1/kv/a?raw") == (200, b"1")
        waiting = asyncio.create_task(one.get("kv/c", index=(await one.get("kv/c")).index, wait="30s"))
        await asyncio.sleep(0)
        await one.put("kv/c", "3")
        assert (await waiting).json()[0]["Key"] == "c"


async def test_a_request_that_is_cancelled_leaves_nothing() -> None:
    async with AsyncDevAgent() as agent:
        index = (await agent.get("kv/a")).index
        waiting = asyncio.create_task(agent.get("kv/a", index=index, wait="60s"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await agent.put("kv/a", "1")).ok
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_the_tests_loop_may_be_of_another_kind() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def use() -> None:
        async with AsyncDevAgent(frozen=True) as agent:
            assert (await agent.put("kv/a", "1")).json() is True
            assert await asyncio.to_thread(over_http, agent, "GET", "/v1/kv/a?raw") == (200, b"1")
            session = (await agent.put("session/create", {"TTL": "10s"})).json()["ID"]
            await agent.advance(21)
            assert (await agent.get(f"session/info/{session}")).json() == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(use())


async def test_an_agent_is_of_no_use_in_another_loop() -> None:
    async with AsyncDevAgent() as agent:

        async def elsewhere() -> None:
            with pytest.raises(RuntimeError, match="another event loop"):
                await agent.get("kv/a")

        await asyncio.to_thread(asyncio.run, elsewhere())


@pytest.mark.parametrize("acl", [{}, {"acl": {"enabled": True, "default_policy": "deny"}}])
def test_configured_services_are_there_from_the_start(acl: dict[str, Any]) -> None:
    with DevAgent({"services": [{"name": "web", "port": 80}], **acl}) as agent:
        assert agent.agent.local.service("web") is not None
        assert acl or agent.get("catalog/service/web").json()[0]["ServicePort"] == 80


def test_what_is_on_its_way_when_it_is_reset_does_not_come_after() -> None:
    with DevAgent() as agent:
        for number in range(50):
            agent.put("agent/service/register", {"Name": f"s{number}", "Check": {"TTL": "1h"}})
            agent.reset()
            assert list(agent.get("catalog/services").json()) == ["consul"], number
        agent.settle()
        assert list(agent.get("catalog/services").json()) == ["consul"]


def test_no_signal_handler_is_taken() -> None:
    numbers = signal.valid_signals()
    before = {number: signal.getsignal(number) for number in numbers}
    with DevAgent():
        assert {number: signal.getsignal(number) for number in numbers} == before


def test_nothing_is_left_behind() -> None:
    before = set(threading.enumerate())
    with DevAgent() as agent:
        address = agent.http_address
    agent.stop()
    assert set(threading.enumerate()) == before
    host, port = address.split(":")
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=1).close()
    with pytest.raises(RuntimeError, match="does not run"):
        agent.get("kv/a")


@pytest.mark.parametrize("settings", [{"node_name": 7}, {"no_such_key": 1}, {"server": False, "dev": False}])
async def test_a_start_that_fails_leaves_nothing_behind(settings: Mapping[str, Any]) -> None:
    before = set(threading.enumerate())
    with pytest.raises(Exception, match=r"."):
        DevAgent(settings).start()
    with pytest.raises(Exception, match=r"."):
        await AsyncDevAgent(settings).start()
    assert set(threading.enumerate()) == before
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_dns_is_answered_on_demand() -> None:
    dns = pytest.importorskip("dns.message")
    query = pytest.importorskip("dns.query")
    with DevAgent() as quiet, pytest.raises(RuntimeError, match="dns=True"):
        _ = quiet.dns_port
    with DevAgent(dns=True) as agent:
        agent.put("agent/service/register", {"Name": "web", "Port": 80})
        agent.settle()
        for ask in (query.udp, query.tcp):
            answer = ask(dns.make_query("web.service.consul", "SRV"), "127.0.0.1", port=agent.dns_port, timeout=30)
            assert [rr.port for rr in answer.answer[0]] == [80]


def test_reset_takes_everything_back() -> None:
    with DevAgent() as agent:
        agent.put("kv/kept", "1")
        agent.put("agent/service/register", {"Name": "old", "Check": {"TTL": "1h", "Status": "passing"}})
        agent.settle()
        session = agent.put("session/create", {"TTL": "30s"}).json()["ID"]
        agent.put("kv/lock", "me", acquire=session)
        kept = agent.snapshot()
        before = {path: agent.get(path).body for path in SHOWN}
        agent.put("kv/kept", "2")
        agent.put("kv/new", "2")
        agent.put(f"session/destroy/{session}")
        agent.put("agent/service/deregister/old")
        agent.put("agent/service/register", {"Name": "new", "Check": {"TTL": "1h"}})
        agent.put("event/fire/deploy", "x")
        agent.settle()
        agent.refuse(500, "not now")
        agent.recover()
        agent.restore(kept)
        agent.settle()
        assert {path: agent.get(path).body for path in SHOWN} == before
        assert agent.put("agent/check/pass/service:old").ok  # its TTL is there again
        assert agent.put("kv/lock", "me", release=session).json() is True
        agent.reset()
        agent.settle()
        assert list(agent.get("catalog/services").json()) == ["consul"]
        assert agent.get("kv/", recurse=True).status == 404
        assert agent.put("kv/after", "1").json() is True
        assert agent.get("agent/services").json() == {}


SHOWN = (
    "kv/?recurse", "catalog/services", "agent/services", "agent/checks", "session/list", "health/state/any",
    "event/list", "catalog/node/test",
)  # fmt: skip


def test_a_reset_wakes_who_waits() -> None:
    with DevAgent() as agent:
        agent.put("kv/a", "1")
        index = agent.get("kv/a").index
        found: list[int] = []
        waiter = threading.Thread(target=lambda: found.append(agent.get("kv/a", index=index, wait="5m").status))
        waiter.start()
        eventually(lambda: agent.agent.node.views.waiting, "somebody waits")
        agent.reset()
        waiter.join(PATIENCE_S)
        assert found == [404]


def test_a_snapshot_belongs_to_its_agent() -> None:
    with DevAgent() as one, DevAgent() as two:
        kept = one.snapshot()
        with pytest.raises(ValueError, match="another"):
            two.restore(kept)


def test_answers_say_what_they_are() -> None:
    with DevAgent() as agent:
        with pytest.raises(ValueError, match="status 404"):
            agent.get("kv/none").json()
        assert json.loads(agent.get("status/leader").body)
