"""The gate, through the doors of an agent: who is shown what, for which datacenter, for how long, from whose state."""

# mypy: disable-error-code="assignment,attr-defined"

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Hashable
from typing import Any

import pytest

from proconsul.engine.raft.errors import ShutdownError
from proconsul.engine.store.watch import WatchSet
from proconsul.features.errors import ConsulError, NoLeader
from proconsul.features.kv import endpoint as kv
from proconsul.features.kv.model import DirEntry, KeyRequest, KVSRequest
from proconsul.features.options import PLAIN
from proconsul.features.permission import Visible
from proconsul.features.server import ReadMethod
from proconsul.server.forwarding import Way
from proconsul.server.service import register
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S
from support.told import Told

PERMISSION_DENIED = "Permission denied"


class FirstLetter:
    """Whoever has token ``a`` sees and writes what begins with an a; ``root`` everything; nobody else may call."""

    unlimited = False

    def admit(self, method: Any, args: Any, token: str) -> Hashable:
        entry = getattr(args, "DirEnt", None)
        if not token or (entry is not None and token != "root" and not entry.Key.startswith(token)):
            raise ConsulError(PERMISSION_DENIED, 403)
        return token

    def watch(self, token: str, watch: WatchSet) -> None:
        return

    def visible(self, method: Any, value: Any, sees: Any) -> Visible:
        if sees == "root" or not isinstance(method, ReadMethod) or not method.name.startswith("KVS."):
            return Visible(value, False)
        if isinstance(value, list):
            shown = [one for one in value if (one if isinstance(one, str) else one.Key).startswith(sees)]
            return Visible(shown, len(shown) != len(value))
        return Visible(value if value is None or value.Key.startswith(sees) else None, False)


async def shown(agent: AgentInLoop, target: str, token: str) -> tuple[int, Any]:
    response = await agent.request("GET", target, headers={"X-Consul-Token": token})
    if response.status != 200:
        return response.status, response.body.decode()
    rows = json.loads(response.body)
    return 200, [row if isinstance(row, str) else row["Key"] for row in rows]


async def test_answers_are_of_whoever_asks() -> None:
    """Also those that are kept: views, encoded answers, and the most frequent read of all."""
    async with AgentInLoop() as agent:
        for key in ("a1", "a2", "b1"):
            assert (await agent.request("PUT", f"/v1/kv/{key}", b"x")).status == 200
            assert await shown(agent, f"/v1/kv/{key}", "") == (200, [key]), "kept without permissions"
        assert await shown(agent, "/v1/kv/?recurse", "") == (200, ["a1", "a2", "b1"])
        agent.agent.node.gate.permission = FirstLetter()
        for _ in range(2):
            for target, a, b in (
                ("/v1/kv/?recurse", ["a1", "a2"], ["b1"]), ("/v1/kv/?keys", ["a1", "a2"], ["b1"]),
                ("/v1/kv/?recurse&stale", ["a1", "a2"], ["b1"]), ("/v1/kv/a1", ["a1"], None),
                ("/v1/kv/b1", None, ["b1"]), ("/v1/kv/a1?stale", ["a1"], None), ("/v1/kv/a1?consistent", ["a1"], None),
            ):  # fmt: skip
                for token, rows in (("a", a), ("b", b)):
                    assert await shown(agent, target, token) == ((404, "") if rows is None else (200, rows)), target
                assert (await shown(agent, target, ""))[0] == 403, target
        assert await shown(agent, "/v1/kv/?recurse", "root") == (200, ["a1", "a2", "b1"])


async def test_writes_are_admitted_or_not() -> None:
    async with AgentInLoop() as agent:
        agent.agent.node.gate.permission = FirstLetter()

        async def put(target: str, token: str, body: bytes = b"x") -> tuple[int, bytes]:
            response = await agent.request("PUT", target, body, headers={"X-Consul-Token": token})
            return response.status, response.body.strip()

        assert await put("/v1/kv/a1", "a") == (200, b"true")
        assert await put("/v1/kv/b1", "a") == (403, PERMISSION_DENIED.encode())
        for target, body in (
            ("/v1/kv/x", b"x"), ("/v1/session/create", b"{}"), ("/v1/catalog/register", b'{"Node":"n","Address":"a"}'),
            ("/v1/txn", b'[{"KV":{"Verb":"set","Key":"x"}}]'), ("/v1/operator/autopilot/configuration", b"{}"),
        ):  # fmt: skip
            assert await put(target, "", body) == (403, PERMISSION_DENIED.encode()), target


async def test_who_waits_hears_of_what_is_shown_to_it() -> None:
    async with AgentInLoop() as agent:
        agent.agent.node.gate.permission = FirstLetter()
        root = {"X-Consul-Token": "root"}
        await agent.request("PUT", "/v1/kv/a1", b"1", root)
        first = await agent.request("GET", "/v1/kv/?recurse", headers={"X-Consul-Token": "a"})
        index = first.lines.split(b"X-Consul-Index: ")[1].split(b"\r\n")[0].decode()
        target = f"/v1/kv/?recurse&index={index}&wait=5m"
        waits = [asyncio.create_task(agent.request("GET", target, headers={"X-Consul-Token": token})) for token in "ab"]
        await asyncio.sleep(0)
        await agent.request("PUT", "/v1/kv/b1", b"2", root)
        async with asyncio.timeout(PATIENCE_S):
            a, b = [await one for one in waits]
        assert [row["Key"] for row in json.loads(a.body)] == ["a1"]
        assert [row["Key"] for row in json.loads(b.body)] == ["b1"]


ELSEWHERE = [
    ("GET", "/v1/kv/a", b""), ("GET", "/v1/kv/?recurse", b""), ("PUT", "/v1/kv/a", b"x"), ("DELETE", "/v1/kv/a", b""),
    ("GET", "/v1/catalog/nodes", b""), ("GET", "/v1/health/service/web", b""), ("GET", "/v1/health/state/any", b""),
    ("PUT", "/v1/session/create", b"{}"), ("GET", "/v1/session/list", b""), ("PUT", "/v1/session/renew/x", b""),
    ("GET", "/v1/coordinate/nodes", b""), ("PUT", "/v1/txn", b'[{"KV":{"Verb":"get","Key":"a"}}]'),
    ("PUT", "/v1/txn", b'[{"KV":{"Verb":"set","Key":"a"}}]'), ("GET", "/v1/operator/raft/configuration", b""),
    ("GET", "/v1/operator/autopilot/health", b""), ("GET", "/v1/snapshot", b""), ("GET", "/v1/status/leader", b""),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "body"), ELSEWHERE, ids=[f"{one[0]} {one[1]}" for one in ELSEWHERE])
async def test_there_is_no_way_to_another_datacenter(method: str, target: str, body: bytes) -> None:
    async with AgentInLoop() as agent:
        response = await agent.request(method, f"{target}{'&' if '?' in target else '?'}dc=elsewhere", body)
        assert (response.status, response.body) == (500, b"No path to datacenter")
        own = await agent.request(method, f"{target}{'&' if '?' in target else '?'}dc=dc1", body)
        assert own.body != b"No path to datacenter"


class Port:
    """The RPC port of an agent, without a socket."""

    def __init__(self, agent: AgentInLoop) -> None:
        self.methods: dict[str, Any] = {}
        register(agent.agent.node, self)  # type: ignore[arg-type]

    def register(self, name: str, request: type[Any], handler: Any) -> None:
        self.methods[name] = handler

    async def call(self, method: ReadMethod, args: Any) -> Any:
        found = self.methods[method.name](args)
        return await found if isinstance(found, asyncio.Future) else found


async def test_reads_by_rpc_wait_as_long_as_is_configured() -> None:
    async with AgentInLoop() as agent:
        port, gate = Port(agent), agent.agent.node.gate
        gate.default_query_time_ns = gate.max_query_time_ns = 20_000_000
        await agent.request("PUT", "/v1/kv/a", b"x")
        index = (await port.call(kv.GET, KeyRequest(Key="a"))).Index
        async with asyncio.timeout(PATIENCE_S):
            for wait_ns in (0, 600_000_000_000):
                reply = await port.call(kv.GET, KeyRequest(Key="a", MinQueryIndex=index, MaxQueryTime=wait_ns))
                assert (reply.Index, reply.Entries[0].Value) == (index, b"x")


async def test_reads_by_rpc_are_shown_by_token() -> None:
    async with AgentInLoop() as agent:
        port = Port(agent)
        for key in ("a1", "b1"):
            await agent.request("PUT", f"/v1/kv/{key}", b"x")
        assert len((await port.call(kv.LIST, KeyRequest(Key=""))).Entries) == 2
        agent.agent.node.gate.permission = FirstLetter()
        for _ in range(2):
            for token in "ab":
                reply = await port.call(kv.LIST, KeyRequest(Key="", Token=token))
                assert [entry.Key for entry in reply.Entries] == [f"{token}1"]
        with pytest.raises(ConsulError, match=PERMISSION_DENIED):
            await port.call(kv.LIST, KeyRequest(Key=""))


@pytest.mark.parametrize("level", ["", "&consistent"])
@pytest.mark.parametrize("changed", [True, False], ids=["a change", "its time is over"])
async def test_a_read_that_waited_is_not_answered_by_who_led_when_it_began(
    monkeypatch: pytest.MonkeyPatch, level: str, changed: bool
) -> None:
    async with AgentInLoop() as agent:
        server = agent.agent.node
        await agent.request("PUT", "/v1/kv/a", b"x")
        index = server.raft.applied_index
        wait = "5m" if changed else "50ms"
        waits = asyncio.create_task(agent.request("GET", f"/v1/kv/a?index={index}&wait={wait}{level}"))
        while not server.views.waiting:
            await asyncio.sleep(0)

        async def nobody(consistency: str) -> bool:
            raise NoLeader

        monkeypatch.setattr(server, "answers", lambda consistency: consistency == "stale")
        monkeypatch.setattr(server, "may_answer", nobody)
        if changed:
            entry = DirEntry(Key="a", Value=b"of a deposed leader")
            server.endpoint(kv.KVS).apply(Told(), KVSRequest(Op="set", DirEnt=entry))
        async with asyncio.timeout(PATIENCE_S):
            response = await waits
        assert (response.status, response.body) == (500, b"No cluster leader")
        monkeypatch.undo()
        rows = json.loads((await agent.request("GET", "/v1/kv/a")).body)
        assert b64decode(rows[0]["Value"]) == (b"of a deposed leader" if changed else b"x")


async def test_who_gives_up_leaves_nothing_behind() -> None:
    async with AgentInLoop() as agent:
        server, told = agent.agent.node, Told()
        read = server.endpoint(kv.KVS).get(KeyRequest(Key="a"))
        pending = server.gate.begin(told, read, PLAIN._replace(min_index=10_000))
        assert server.views.waiting == 1
        pending.cancel()
        pending.cancel()
        assert server.views.waiting == 0 and not told.results


async def test_a_read_whose_leader_cannot_be_asked_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is that consensus says: a node that stops, or has too many checks of leadership under way."""
    async with AgentInLoop() as agent:
        server = agent.agent.node

        async def stopped(consistency: str) -> bool:
            raise ShutdownError

        monkeypatch.setattr(server, "answers", lambda consistency: False)
        monkeypatch.setattr(server, "may_answer", stopped)
        async with asyncio.timeout(PATIENCE_S):
            response = await agent.request("GET", "/v1/kv/a?consistent")
        assert (response.status, response.body) == (500, b"raft is already shutdown")
        monkeypatch.undo()


class Elsewhere:
    """Another server leads: this one answers nothing, and keeps what it hands on."""

    leading = on_duty = is_client = False

    def __init__(self, home: Way) -> None:
        self.home = home
        self.asked: list[Any] = []

    def answers(self, consistency: str) -> bool:
        return False

    async def may_answer(self, consistency: str) -> bool:
        return False

    def ask(self, waiter: Any, method: Any, args: Any, way: Way) -> Any:
        self.asked.append((method.name, args.Token, waiter))
        return lambda: None

    def write(self, waiter: Any, method: Any, args: Any, way: Way) -> None:
        self.asked.append((method.name, args.Token, waiter))


async def test_who_may_is_decided_where_it_is_done() -> None:
    """A follower may not have heard of a token yet that the leader has given out."""
    async with AgentInLoop() as agent:
        node = agent.agent.node
        gate, elsewhere = node.gate, Elsewhere(node.forwarding.home)
        authority, gate.permission = gate.authority, FirstLetter()
        gate.authority = gate.forwarding = elsewhere
        read, written = Told(), Told()
        gate.begin(read, gate.reading(kv.GET, KeyRequest(Key="b")), PLAIN, "")
        gate.write(written, kv.APPLY, KVSRequest(Op="set", DirEnt=DirEntry(Key="b1"), Token="a"))
        assert [one[:2] for one in elsewhere.asked] == [("KVS.Get", ""), ("KVS.Apply", "a")]
        assert not read.done() and not written.done()
        gate.authority = authority  # by now it is ours to answer, and to refuse
        for (_, _, waiter), told in zip(elsewhere.asked, (read, written), strict=True):
            waiter.set_result(None)
            assert [str(one) for one in told.results] == [PERMISSION_DENIED]
