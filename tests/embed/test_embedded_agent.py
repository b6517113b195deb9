"""An agent in somebody else's event loop: it comes and goes whole, and touches nothing that is not its own."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from leftovers import nothing_left, nothing_left_of_a_loop

from proconsul.agent.agent import Agent
from proconsul.client import AsyncClient, Unavailable
from proconsul.embed import AgentEnded, ConfigError, EmbeddedAgent
from proconsul.engine.ports import some_free
from proconsul.features.errors import ConsulError
from proconsul.testing import free_port
from support.remote_sides import Certificate

WAIT_S = 30.0
DEV: dict[str, Any] = {"dev": True}


def alone(**settings: Any) -> EmbeddedAgent:
    """Without gossip's sockets."""
    return EmbeddedAgent({**DEV, **settings}, free_ports=True, gossip=False)


async def eventually(probe: Callable[[], Awaitable[Any]], what: str) -> Any:
    async with asyncio.timeout(WAIT_S):
        while True:
            if found := await probe():
                return found
            await asyncio.sleep(0.02)
    raise AssertionError(what)


async def test_two_agents_in_one_loop_are_one_datacenter(tmp_path: Path) -> None:
    async with nothing_left():
        async with EmbeddedAgent({**DEV, "node_name": "one"}, free_ports=True) as server:
            settings = {
                "node_name": "two", "data_dir": str(tmp_path), "bind_addr": "127.0.0.1",
                "retry_join": [server.gossip_address],
                "service": {"name": "web", "port": 80},
            }  # fmt: skip
            async with EmbeddedAgent(settings, free_ports=True) as member:
                await member.ready(WAIT_S)
                async with member.client() as client, server.client() as other:
                    assert client.caller is not other.caller
                    await client.kv.put("from", "two")
                    assert await other.kv.get("from") == b"two"
                    found = await eventually(lambda: other.catalog.service("web"), "two's service is in the catalog")
                    assert found[0].Node == "two"
                assert member.dns_address != server.dns_address
                await member.leave()
                assert not member.is_running
            with pytest.raises(RuntimeError, match="does not run"):
                _ = member.http_address


async def test_a_data_directory_is_kept_for_the_next_one(tmp_path: Path) -> None:
    settings = {
        "server": True, "bootstrap": True, "data_dir": str(tmp_path), "bind_addr": "127.0.0.1", "node_name": "n1"
    }  # fmt: skip
    async with nothing_left():
        for turn in (b"first", b"second"):
            async with EmbeddedAgent(settings, free_ports=True, gossip=False) as agent, agent.client() as client:
                assert await client.kv.get("turn") == (None if turn == b"first" else b"first")
                await client.kv.put("turn", turn)


async def test_settings_are_as_of_a_file(tmp_path: Path) -> None:
    """Paths, tuples and numbers that are whole mean what a file would mean with them; at a reload as well."""
    (tmp_path / "a.hcl").write_text('service { name = "of-file" }')
    settings = {**DEV, "dev": False, "server": True, "bootstrap": True, "bind_addr": "127.0.0.1", "data_dir": tmp_path,
                "services": ({"name": "web", "port": 80.0},), "node_name": None}  # fmt: skip
    agent = EmbeddedAgent(settings, config_files=str(tmp_path / "a.hcl"), free_ports=True, gossip=False)
    async with agent, agent.client() as client:
        found = await client.agent.services.list()
        assert set(found) == {"web", "of-file"} and found["web"].Port == 80
        await agent.reload({**settings, "services": ({"name": "db", "port": 81.0},)})
        assert set(await client.agent.services.list()) == {"db", "of-file"}


async def test_files_and_settings(tmp_path: Path) -> None:
    """Settings win over files, files over the ports that would be chosen."""
    port = 1
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    (tmp_path / "a.hcl").write_text(f'node_name = "of-file"\ndatacenter = "east"\nports {{ http = {port} }}')
    agent = EmbeddedAgent({**DEV, "node_name": "of-settings"}, config_files=[tmp_path], free_ports=True, gossip=False)
    async with agent:
        assert agent.node_name == "of-settings" and agent.http_address == f"127.0.0.1:{port}"
        assert agent.env() == {"CONSUL_HTTP_ADDR": f"127.0.0.1:{port}", "CONSUL_HTTP_SSL": "false"}
        async with agent.client() as client:
            assert await client.catalog.datacenters() == ["east"]
            (tmp_path / "a.hcl").write_text('service { name = "new" }')
            await agent.reload()
            assert "new" in await client.agent.services.list()
            await agent.reload({"node_name": "of-settings", "service": {"name": "newer"}})
            assert {"new", "newer"} <= set(await client.agent.services.list())
            with pytest.raises(ConsulError):
                await agent.reload({"service": {"name": "x", "check": {"ttl": "nonsense"}}})
            with pytest.raises(ConfigError, match="serice"):
                await agent.reload({"serice": {}})
            await agent.reload()  # with what it had
            assert {"new", "newer"} <= set(await client.agent.services.list())


@pytest.mark.parametrize("address", ["unix", "https"])
async def test_other_doors(address: str, tmp_path: Path) -> None:
    if address == "unix":
        door: dict[str, Any] = {"addresses": {"http": f"unix://{tmp_path}/http.sock"}}
    else:
        made = Certificate.made(tmp_path)
        files = {"ca_file": str(made.path), "cert_file": str(made.path), "key_file": str(made.key_path)}
        door = {"ports": {"http": -1, "https": free_port()}, **files}
    async with nothing_left():
        async with alone(**door) as agent:
            assert agent.http_address.startswith(address)
            async with agent.client() as client:
                assert await client.status.leader()
    assert not (tmp_path / "http.sock").exists()


async def test_the_host_hears_what_is_logged_and_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with nothing_left():
        async with alone(node_name="heard", service={"name": "web", "port": 8080}) as agent:
            told = [record.getMessage() for record in caplog.records if record.name == "agent"]
            (line,) = [text for text in told if text.startswith("agent is embedded")]
            assert f"node=heard http={agent.http_address} dns={agent.dns_address}" in line
            assert not logging.getLogger("agent").handlers
            async with agent.client() as client:  # a monitor reads along, as with `consul monitor`
                stream = client.agent.monitor()
                waiting = asyncio.ensure_future(anext(stream))
                await eventually(lambda: _has_handler(), "the monitor listens")
                await agent.reload()
                assert "Reloaded configuration" in str(await waiting)
                await stream.aclose()  # type: ignore[attr-defined]
            await eventually(lambda: _has_no_handler(), "nobody reads along any more")


async def _has_handler() -> bool:
    return bool(logging.getLogger("agent").handlers)


async def _has_no_handler() -> bool:
    return not logging.getLogger("agent").handlers


# ---------------------------------------------------------------------- again and again


def _live_agents() -> int:
    gc.collect()
    return sum(isinstance(one, Agent) for one in gc.get_objects())


async def test_fifty_times_in_one_process_leave_no_trace() -> None:
    async with alone():
        pass
    before = _live_agents()
    async with nothing_left():
        agent = alone()
        for _ in range(50):
            async with agent, AsyncClient(agent.http_address) as client:
                assert await client.kv.put("a", "1")
    assert _live_agents() <= before + 1


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_loops_in_threads_have_agents_of_their_own(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    met = threading.Barrier(2, timeout=WAIT_S)
    seen: dict[str, bytes | None] = {}

    async def live(name: str) -> None:
        for _ in range(3):
            async with alone(node_name=name) as agent, agent.client() as client:
                await client.kv.put("name", name)
                await asyncio.to_thread(met.wait)
                seen[name] = await client.kv.get("name")
                assert [node.Node for node in await client.catalog.nodes()] == [name]

    def run(name: str) -> None:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(live(name))

    loop().close()  # what libuv has once in a process
    with nothing_left_of_a_loop():
        threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == {"a": b"a", "b": b"b"}


# ---------------------------------------------------------------------- what goes wrong


FAILS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a key that is none": ({"nod_name": "a"}, ConfigError, "nod_name"),
    "a value that is none": ({"retry_interval": "soon"}, ConfigError, "soon"),
    "a value that no file can have": ({"node_meta": {"a": object()}}, ConfigError, "of type object"),
    "bytes": ({"data_dir": b"/tmp"}, ConfigError, "of type bytes"),
    "a number that is none": ({"ports": {"http": float("nan")}}, ConfigError, "failed to parse settings"),
    "files that are none": ({"config_files": 1}, ConfigError, "of type int"),
    "two that do not go together": ({"dev": False, "server": True}, ConfigError, "data_dir"),
    "a certificate that is not there": (
        {"ports": {"https": 1}, "cert_file": "/nowhere", "key_file": "/nowhere"}, ConsulError, "nowhere"
    ),
    "a check that cannot be": ({"service": {"name": "a", "check": {"ttl": "x"}}}, ConfigError, "x"),
    "an address of somebody else": ({"addresses": {"http": "192.0.2.1"}}, OSError, "192.0.2.1"),
    "a pool that is not there": ({"start_join": ["127.0.0.1:1"]}, ConsulError, "127.0.0.1"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILS)
async def test_a_start_that_fails_leaves_nothing(name: str) -> None:
    settings, kind, words = FAILS[name]
    async with nothing_left():
        agent = EmbeddedAgent({**DEV, **settings}, free_ports=True)
        for _ in range(2):
            with pytest.raises(kind, match=words):
                await agent.start()
        assert not agent.is_running
        await agent.stop()


async def test_a_port_of_somebody_else_is_an_error() -> None:
    async with alone() as one:
        port = int(one.http_address.rpartition(":")[2])
        async with nothing_left():
            with pytest.raises(OSError, match="in use"):
                await alone(ports={"http": port}).start()


async def test_ports_that_others_take_meanwhile_are_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = [taken.getsockname()[1]]

        def some(count: int, rng: random.Random) -> list[int]:
            return [given.pop(), *some_free(count - 1, rng)] if given else some_free(count, rng)

        monkeypatch.setattr("proconsul.embed.agent.some_free", some)
        async with nothing_left():
            async with alone() as agent:
                assert not given and agent.http_address != f"127.0.0.1:{taken.getsockname()[1]}"


async def test_it_runs_once() -> None:
    agent = alone()
    async with agent:
        with pytest.raises(RuntimeError, match="runs already"):
            await agent.start()
    await agent.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        await agent.ready()


async def test_reloads_at_once_are_each_of_their_own_settings() -> None:
    """One that fails neither fails another nor brings back what was before that."""
    async with alone() as agent, agent.client() as client:
        good = [{**DEV, "services": [{"name": name}]} for name in ("a", "b", "c")]
        bad = {**DEV, "watches": [{"type": "nothing"}]}
        results = await asyncio.gather(
            *(agent.reload(one) for one in (good[0], bad, good[1], bad, good[2], bad)), return_exceptions=True
        )
        assert [result is None for result in results] == [True, False] * 3
        assert list(await client.agent.services.list()) == ["c"]
        await agent.reload()
        assert list(await client.agent.services.list()) == ["c"]


async def test_a_fault_of_its_own_ends_the_block() -> None:
    """A part of the server dies: the host is told, with what it was, and nobody listens there any more."""
    told: list[AgentEnded | None] = []
    async with nothing_left():
        agent = EmbeddedAgent(DEV, free_ports=True, gossip=False, on_end=told.append)
        with pytest.raises(AgentEnded) as raised:
            async with agent:
                address = agent.http_address
                assert agent._bare.server is not None
                agent._bare.server.died(ZeroDivisionError("a fault"))
                await asyncio.sleep(WAIT_S)
        assert isinstance(raised.value.__cause__, ZeroDivisionError) and raised.value.code == 1
        with pytest.raises(AgentEnded):
            await agent.wait()
    assert told == [raised.value]
    async with AsyncClient(address, timeout=2) as client:
        with pytest.raises(Unavailable):
            await client.status.leader()
    async with agent:  # and begins anew
        assert agent.is_running


async def test_what_the_block_raises_is_not_hidden() -> None:
    async with nothing_left():
        with pytest.raises(KeyError):
            async with alone():
                raise KeyError("of the host")


async def test_told_to_leave_it_ends_and_the_block_goes_on() -> None:
    told: list[AgentEnded | None] = []
    settings = {**DEV, "performance": {"leave_drain_time": "10ms"}}
    async with nothing_left():
        async with EmbeddedAgent(settings, free_ports=True, gossip=False, on_end=told.append) as agent:
            async with agent.client() as client:
                await client.agent.leave()
            async with asyncio.timeout(WAIT_S):
                await agent.wait()
            assert not agent.is_running and told == [None]


# ---------------------------------------------------------------------- cancellation


async def cancelled_after(work: Awaitable[Any], turns: int) -> bool:
    """Cancel after so many turns of the loop; whether it was not over by then."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    was_over = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return not was_over


async def test_a_start_may_be_cancelled_at_any_moment(tmp_path: Path) -> None:
    """As the turns of a start depend on threads, they are not counted but tried, until it is over before."""
    agent = EmbeddedAgent(DEV, free_ports=True)
    async with nothing_left():
        turns = 0
        while await cancelled_after(agent.start(), turns):
            assert not agent.is_running
            turns += 1 if turns < 40 else turns // 4
            assert turns < 1_000_000
        assert agent.is_running
        await agent.stop()


async def test_a_stop_that_is_cancelled_is_done_all_the_same() -> None:
    async with nothing_left():
        for turns in (*range(1, 12), 20, 40):  # one that has not begun does nothing
            agent = alone()
            await agent.start()
            task = asyncio.ensure_future(agent.stop())
            for _ in range(turns):
                await asyncio.sleep(0)
            was_over = task.done()
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(result, asyncio.CancelledError) is not was_over
            assert not agent.is_running
            await agent.stop()


async def test_two_may_stop_it_at_once_and_during_its_start() -> None:
    async with nothing_left():
        agent = alone()
        starting = asyncio.ensure_future(agent.start())
        await asyncio.sleep(0)
        await asyncio.gather(agent.stop(), agent.stop(), starting)
        assert not agent.is_running
