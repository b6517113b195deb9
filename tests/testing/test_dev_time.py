"""Time in the test's hand, and faults, on one agent."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from proconsul.testing import AsyncDevAgent, DevAgent
from support.patience import PATIENCE_S


@pytest.fixture
def agent() -> Iterator[DevAgent]:
    with DevAgent(frozen=True, seed=1) as agent:
        yield agent


def status_of(agent: DevAgent, check: str) -> str:
    return str(agent.get("agent/checks").json()[check]["Status"])


@pytest.mark.parametrize("ttl_s", [10, 30, 300])
def test_a_session_ends_after_twice_its_ttl_and_not_before(agent: DevAgent, ttl_s: int) -> None:
    session = agent.put("session/create", {"TTL": f"{ttl_s}s", "LockDelay": "15s"}).json()["ID"]
    assert agent.put("kv/lock", "me", acquire=session).json() is True
    agent.advance(2 * ttl_s - 1)
    assert agent.put(f"session/renew/{session}").ok
    agent.advance(2 * ttl_s - 1)
    assert agent.get(f"session/info/{session}").json()
    agent.advance(2)
    assert agent.get(f"session/info/{session}").json() == []
    assert "Session" not in agent.get("kv/lock").json()[0]
    other = agent.put("session/create", {}).json()["ID"]
    assert agent.put("kv/lock", "you", acquire=other).json() is False  # the lock-delay
    agent.advance(13)
    assert agent.put("kv/lock", "you", acquire=other).json() is False
    agent.advance(3)
    assert agent.put("kv/lock", "you", acquire=other).json() is True


def test_a_ttl_check_turns_critical_and_its_service_goes(agent: DevAgent) -> None:
    agent.put("agent/service/register", {
        "Name": "web", "Check": {"TTL": "20s", "Status": "passing", "DeregisterCriticalServiceAfter": "90m"},
    })  # fmt: skip
    agent.advance(19)
    assert status_of(agent, "service:web") == "passing"
    agent.advance(2)
    assert status_of(agent, "service:web") == "critical"
    assert agent.get("health/service/web", passing=True).json() == []
    agent.advance(89 * 60)
    assert agent.get("catalog/service/web").json()
    agent.advance(3 * 60)
    assert agent.get("catalog/service/web").json() == []
    assert agent.get("agent/services").json() == {}


class _Web(BaseHTTPRequestHandler):
    status = 200
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        time.sleep(0.02)  # slower than a turn of any loop
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_check_of_a_real_socket_is_waited_for(agent: DevAgent) -> None:
    class Web(_Web):
        """Counts for this test."""

    server = HTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        check = {"HTTP": f"http://127.0.0.1:{server.server_port}/", "Interval": "10s", "Timeout": "5s"}
        agent.put("agent/service/register", {"Name": "web", "Check": check})
        agent.advance(10)
        assert status_of(agent, "service:web") == "passing"
        before = Web.asked
        agent.advance(100)
        assert Web.asked == before + 10
        Web.status = 500
        agent.advance(10)
        assert status_of(agent, "service:web") == "critical"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_waits_is_answered_when_its_time_is_over(agent: DevAgent) -> None:
    index = agent.put("kv/a", "1") and agent.get("kv/a").index
    found: list[str] = []
    waiter = threading.Thread(target=lambda: found.append(agent.get("kv/a", index=index, wait="5m").text))
    waiter.start()
    while not agent.agent.node.views.waiting:
        time.sleep(0.001)
    agent.advance(330)
    waiter.join(PATIENCE_S)
    assert found


def test_time_passes_unless_it_is_frozen() -> None:
    with DevAgent() as agent:
        before = agent.now
        agent.freeze()
        stands = agent.now
        assert stands >= before and agent.now == stands
        agent.advance(50)
        assert agent.now == stands + 50
        agent.thaw()
        assert agent.now >= stands + 50
        agent.advance(1000)
        assert agent.now >= stands + 1050


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_time_does_not_go_back(agent: DevAgent, seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot be advanced"):
        agent.advance(seconds)


async def test_time_of_one_async_agent_is_not_that_of_another_or_of_the_test() -> None:
    async with AsyncDevAgent(frozen=True) as one, AsyncDevAgent(frozen=True) as two:
        loop = asyncio.get_running_loop()
        sessions = [(await agent.put("session/create", {"TTL": "10s"})).json()["ID"] for agent in (one, two)]
        began, other = loop.time(), two.now
        await one.advance(21)
        assert two.now == other and loop.time() - began < PATIENCE_S
        assert (await one.get(f"session/info/{sessions[0]}")).json() == []
        assert (await two.get(f"session/info/{sessions[1]}")).json()


def test_the_same_seed_has_the_same_course() -> None:
    def course() -> list[str]:
        with DevAgent(frozen=True, seed=7) as agent:
            return [agent.put("session/create", {}).json()["ID"] for _ in range(3)]

    assert course() == course()


# ---------------------------------------------------------------------- faults


def test_a_node_that_fails_answers_nobody_until_it_recovers() -> None:
    with DevAgent() as agent:
        connection = http.client.HTTPConnection(agent.http_address, timeout=PATIENCE_S)
        connection.request("GET", "/v1/status/leader")
        assert connection.getresponse().read()
        agent.fail()
        for _ in range(2):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                connection.request("GET", "/v1/status/leader")
                connection.getresponse()
            connection.close()
        with pytest.raises(ConnectionResetError):
            agent.get("kv/a")
        agent.recover()
        connection.request("GET", "/v1/status/leader")
        assert connection.getresponse().status == 200
        connection.close()


def test_faults_look_as_they_do_in_life(agent: DevAgent) -> None:
    agent.put("kv/a", "1")
    agent.lose_leader()
    assert (agent.get("kv/a").status, agent.get("kv/a").text) == (500, "No cluster leader")
    assert agent.put("kv/a", "2").status == 500
    assert agent.get("kv/a", stale=True, raw=True).text == "1"
    assert agent.get("agent/self").ok
    agent.recover()
    agent.lose_leader_in_next_write()
    lost = agent.put("kv/a", "3")
    assert lost.status == 500 and "leadership lost" in lost.text
    assert agent.get("kv/a", raw=True).text == "3"  # and yet it was done
    assert agent.put("kv/a", "4").json() is True
    agent.fill_disk()
    assert "no space left" in agent.put("kv/a", "5").text
    assert agent.get("kv/a", raw=True).text == "4"
    agent.recover()
    agent.deny("secret")
    assert agent.get("kv/a", headers={"X-Consul-Token": "secret"}).status == 403
    assert agent.get("kv/a", headers={"Authorization": "Bearer secret"}).status == 403
    assert agent.get("kv/a", token="secret").status == 403
    assert agent.get("kv/a").ok
    agent.refuse(429, "slow down", times=2)
    assert [agent.get("kv/a").status for _ in range(3)] == [429, 429, 200]


def test_a_slow_disk_takes_the_agents_time(agent: DevAgent) -> None:
    agent.slow_disk(60)
    writer = threading.Thread(target=agent.put, args=("kv/slow", "1"))
    writer.start()
    agent.settle()
    assert agent.get("kv/slow").status == 404
    while writer.is_alive():
        agent.advance(60)
    assert agent.get("kv/slow", raw=True).text == "1"
