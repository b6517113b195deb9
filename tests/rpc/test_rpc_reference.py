"""The pool calls a real Consul 1.8.7 server, and a real client agent lives on a server made of these parts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.gossip.tags import server_tags
from proconsul.engine.gossip.config import LAN
from proconsul.engine.gossip.packet import PacketCodec
from proconsul.engine.gossip.pool import GossipPool, PoolLogs
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import consul
from proconsul.engine.gossip.stream import StreamCodec
from proconsul.engine.rpc.codec import Empty
from proconsul.engine.rpc.dial import FirstByte
from proconsul.engine.rpc.errors import ConnectionLost, RpcError
from proconsul.engine.rpc.mux import OnProtocol, RpcListener
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.rpc.server import RpcServer
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.msgpack import encode, unpack
from proconsul.engine.wire.record import Record
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest, QueryMeta
from proconsul.features.catalog.model import (
    HealthCheck,
    IndexedHealthChecks,
    IndexedNodes,
    Node,
    NodeService,
    RegisterRequest,
)
from proconsul.features.coordinate.model import CoordinateUpdateRequest
from proconsul.features.kv.model import DirEntry, IndexedDirEntries, KeyRequest, KVSRequest
from proconsul.testing.ports import free_ports
from support.harness import Agent, Client, Subject, eventually
from support.pools import die_with_parent, new_host
from support.reference import require_reference

pytestmark = pytest.mark.reference

TIMEOUT_S = 30.0


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A real development server."""
    require_reference()
    agent = Agent(Subject.REFERENCE, tmp_path_factory.mktemp("reference"), limits=die_with_parent)
    agent.start()
    agent.wait_ready()
    yield agent
    agent.kill()


@pytest.fixture
async def pool() -> AsyncIterator[ConnectionPool]:
    made = ConnectionPool(source="127.0.0.1")
    yield made
    await made.close()


def address(agent: Agent) -> Address:
    return Address("127.0.0.1", agent.ports["server"])


async def put(pool: ConnectionPool, at: Address, key: str, value: bytes) -> None:
    request = KVSRequest(Datacenter="dc1", Op="set", DirEnt=DirEntry(Key=key, Value=value))
    await pool.call(at, "KVS.Apply", request, bool, timeout_s=TIMEOUT_S)


async def get(pool: ConnectionPool, at: Address, key: str, **options: Any) -> IndexedDirEntries:
    request = KeyRequest(Datacenter="dc1", Key=key, **options)
    return await pool.call(at, "KVS.Get", request, IndexedDirEntries, timeout_s=TIMEOUT_S)


async def test_calls_of_a_real_server(reference: Agent, pool: ConnectionPool) -> None:
    at = address(reference)
    assert await pool.ping(at, timeout_s=TIMEOUT_S)
    assert await pool.call(at, "Status.Leader", None, str, timeout_s=TIMEOUT_S) == str(at)
    nodes = await pool.call(
        at, "Catalog.ListNodes", DCSpecificRequest(Datacenter="dc1"), IndexedNodes, timeout_s=TIMEOUT_S
    )
    assert nodes.KnownLeader and [node.Node for node in nodes.Nodes or []] == ["n1"]

    with pytest.raises(RpcError, match=r"^rpc: can't find method Status\.Nope$"):
        await pool.call(at, "Status.Nope", None, Empty, timeout_s=TIMEOUT_S)
    with pytest.raises(RpcError, match=r"^rpc: can't find service Nope\.Nope$"):
        await pool.call(at, "Nope.Nope", None, Empty, timeout_s=TIMEOUT_S)
    with pytest.raises(RpcError, match=r"^No path to datacenter$"):
        request = DCSpecificRequest(Datacenter="dc9")
        await pool.call(at, "Catalog.ListNodes", request, IndexedNodes, timeout_s=TIMEOUT_S)
    assert await pool.ping(at, timeout_s=TIMEOUT_S)


async def test_large_values_on_parallel_streams(reference: Agent, pool: ConnectionPool) -> None:
    at = address(reference)
    values = {f"large/{number}": random.Random(number).randbytes(400_000) for number in range(16)}
    await asyncio.gather(*(put(pool, at, key, value) for key, value in values.items()))
    replies = await asyncio.gather(*(get(pool, at, key) for key in values))
    for (key, value), reply in zip(values.items(), replies, strict=True):
        assert reply.Entries is not None and reply.Entries[0].Key == key and reply.Entries[0].Value == value
    assert len(pool._all) == 1


async def test_a_blocking_read_is_woken_and_a_cancelled_one_does_no_harm(
    reference: Agent, pool: ConnectionPool
) -> None:
    at = address(reference)
    await put(pool, at, "watched", b"1")
    index = (await get(pool, at, "watched")).Index
    connections = set(pool._all)
    waiting = asyncio.create_task(get(pool, at, "watched", MinQueryIndex=index, MaxQueryTime=600 * 10**9))
    given_up = asyncio.create_task(get(pool, at, "watched", MinQueryIndex=index, MaxQueryTime=600 * 10**9))
    await put(pool, at, "elsewhere", b"x")
    assert not waiting.done()
    given_up.cancel()
    await put(pool, at, "watched", b"2")
    reply = await waiting
    assert reply.Index > index and reply.Entries is not None and reply.Entries[0].Value == b"2"
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert (await get(pool, at, "watched")).Entries == reply.Entries
    assert pool._all == connections
    # A stream that is reset; TCP's "connection reset by peer" may be the end of an earlier test's connection.
    assert not re.search(r"reset(?! by peer)", reference.log())


async def test_a_snapshot_is_saved_through_its_connection(reference: Agent, pool: ConnectionPool) -> None:
    reader, writer = await pool.open_snapshot(address(reference))
    writer.write(encode({"Datacenter": "dc1", "Token": "", "AllowStale": False, "Op": 0}))
    writer.write_eof()
    answer = await reader.read()
    at = answer.index(b"\x1f\x8b")  # the archive is compressed by gzip
    header = unpack(answer[:at])
    assert header["Error"] == "" and header["Index"] > 0
    writer.close()


async def test_a_server_that_dies_fails_its_calls(tmp_path: Path, reference_binary: Path, pool: ConnectionPool) -> None:
    agent = Agent(Subject.REFERENCE, tmp_path / "dying", limits=die_with_parent)
    agent.start()
    try:
        await asyncio.to_thread(agent.wait_ready)
        at = address(agent)
        await put(pool, at, "watched", b"1")
        index = (await get(pool, at, "watched")).Index
        waiting = asyncio.create_task(get(pool, at, "watched", MinQueryIndex=index, MaxQueryTime=600 * 10**9))
        await put(pool, at, "other", b"")
    finally:
        agent.kill()
    with pytest.raises(ConnectionLost, match=r"^EOF$"):
        await waiting
    with pytest.raises(OSError, match=r"connect: connection refused$"):
        await get(pool, at, "nothing")


# ---------------------------------------------------------------------- a real client of a server of ours


class NodeServiceList(Record, frozen=True):
    """Catalog.NodeServiceList's answer (RPC reference, structures)."""

    Node: Node | None = None
    Services: list[NodeService] | None = None


class IndexedNodeServiceList(QueryMeta, frozen=True, kw_only=True):
    NodeServices: NodeServiceList = NodeServiceList()


class Catalog:
    """As much of a server as a client agent needs to register itself."""

    def __init__(self) -> None:
        self.registered: list[RegisterRequest] = []
        self.coordinates: list[str] = []
        self.services: dict[str, NodeService] = {}
        self.checks: dict[str, HealthCheck] = {}
        self.pings = 0

    def serve(self, server: RpcServer) -> None:
        server.register("Status.Ping", Empty, self.ping)
        server.register("Catalog.NodeServiceList", NodeSpecificRequest, self.node_services)
        server.register("Health.NodeChecks", NodeSpecificRequest, self.node_checks)
        server.register("Catalog.Register", RegisterRequest, self.register)
        server.register("Coordinate.Update", CoordinateUpdateRequest, self.update)
        server.register("KVS.Get", KeyRequest, self.get)

    def ping(self, request: Empty) -> None:
        self.pings += 1

    def node_services(self, request: NodeSpecificRequest) -> IndexedNodeServiceList:
        node = Node(Node=request.Node, Address="127.0.0.1", Datacenter="dc1")
        return IndexedNodeServiceList(
            Index=1, KnownLeader=True, NodeServices=NodeServiceList(node, list(self.services.values()))
        )

    def node_checks(self, request: NodeSpecificRequest) -> IndexedHealthChecks:
        return IndexedHealthChecks(Index=1, KnownLeader=True, HealthChecks=list(self.checks.values()))

    async def register(self, request: RegisterRequest) -> None:
        await asyncio.sleep(0)
        self.registered.append(request)
        if request.Service is not None:
            self.services[request.Service.ID] = request.Service
        for check in [*(request.Checks or []), *([request.Check] if request.Check else [])]:
            self.checks[check.CheckID] = check

    def update(self, request: CoordinateUpdateRequest) -> None:
        self.coordinates.append(request.Node)

    def get(self, request: KeyRequest) -> IndexedDirEntries:
        if request.Key == "forbidden":
            raise RpcError("Permission denied")
        value = random.Random(request.Key).randbytes(400_000)
        return IndexedDirEntries(Index=7, KnownLeader=True, Entries=[DirEntry(Key=request.Key, Value=value)])


@contextlib.asynccontextmanager
async def little_server(catalog: Catalog, host: str, serf_port: int) -> AsyncIterator[None]:
    server = RpcServer()
    catalog.serve(server)
    listener = RpcListener({FirstByte.MULTIPLEX: OnProtocol(server.multiplexed)})
    port = await listener.start(host, 0)
    tags = server_tags(
        datacenter="dc1", node_id="99999999-2222-3333-4444-555555555555", build="1.8.7:", port=port, wan_port=0,
        bootstrap=True, expect=0,
    )  # fmt: skip
    rng, log = random.Random(1), logging.getLogger("little")
    serf = Serf(consul("little"), tags, rng, time.monotonic())
    at = Address(host, serf_port)
    gossip = GossipPool(
        "little", at, at, LAN, serf, packets=PacketCodec(), streams=StreamCodec(), on_effect=lambda _: None,
        logs=PoolLogs(log, log), rng=rng,
    )  # fmt: skip
    await gossip.start()
    try:
        yield
    finally:
        await gossip.stop()
        await listener.close()
        server.close()


async def test_a_real_client_agent_registers_itself(tmp_path: Path, reference_binary: Path) -> None:
    catalog, host = Catalog(), new_host()
    serf, http, client_serf = free_ports(3)
    service = {"name": "web", "port": 80, "tags": ["a"], "check": {"ttl": "1h", "status": "passing"}}
    (tmp_path / "agent.json").write_text(json.dumps({
        "node_name": "client", "bind_addr": "127.0.0.1", "data_dir": str(tmp_path / "data"), "service": service,
        "ports": {"http": http, "serf_lan": client_serf, "dns": -1, "grpc": -1},
        "retry_join": [f"{host}:{serf}"], "log_level": "debug",
    }))  # fmt: skip
    async with little_server(catalog, host, serf):
        agent = Agent(
            Subject.REFERENCE, tmp_path, ["-config-file", str(tmp_path / "agent.json")], plain=True,
            limits=die_with_parent,
        )  # fmt: skip
        with agent:
            async with asyncio.timeout(60.0):
                while "web" not in catalog.services or "service:web" not in catalog.checks:
                    await asyncio.sleep(0.02)
            assert {request.Node for request in catalog.registered} == {"client"}
            assert catalog.services["web"].Port == 80 and catalog.services["web"].Tags == ["a"]
            assert catalog.checks["service:web"].Status == "passing"
            await asyncio.to_thread(ask_agent, http)
    assert "Synced service: service=web" in agent.log()


def ask_agent(http: int) -> None:
    """The agent's own HTTP reads go to our server too, in parallel and large."""

    def fetch(key: str) -> tuple[int, bytes]:
        client = Client("127.0.0.1", http)
        try:
            reply = client.call("GET", f"/v1/kv/{key}?raw")
            return reply.status, reply.body
        finally:
            client.close()

    with ThreadPoolExecutor(8) as threads:
        keys = [f"k{number}" for number in range(16)]
        for key, (status, body) in zip(keys, threads.map(fetch, keys), strict=True):
            assert status == 200 and body == random.Random(key).randbytes(400_000)
    assert fetch("forbidden") == (403, b"rpc error making call: Permission denied")
    eventually(lambda: fetch("again")[0] == 200, "the agent goes on after an error")
