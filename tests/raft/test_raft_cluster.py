"""Several nodes in one event loop: replication, elections, membership, transfer, snapshots over the wire."""

# mypy: disable-error-code="comparison-overlap,misc"

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from raft_support import FAST, LinesFSM, make_node, servers

from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.errors import LeadershipLostError, MembershipError, NotLeaderError, RaftError
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.log import MemoryLog
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import MemorySnapshots, SnapshotMeta
from proconsul.testing.raft_transport import MemoryNetwork, MemoryTransport
from support.patience import PATIENCE_S


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


class Cluster:
    def __init__(self, path: Path | None = None, config: RaftConfig = FAST) -> None:
        self.network = MemoryNetwork()
        self.path = path
        self.config = config
        self.nodes: dict[str, RaftNode] = {}
        self.machines: dict[str, LinesFSM] = {}
        self.notes: list[str] = []

    async def start(self, server_id: str, *, voters: str = "") -> RaftNode:
        machine = LinesFSM()
        node = make_node(
            self.path / server_id if self.path is not None else None,
            fsm=machine,
            log=None if self.path is not None else MemoryLog(),
            snapshots=None if self.path is not None else MemorySnapshots(),
            config=self.config,
            server_id=server_id,
            address=self.address(server_id),
            transport=MemoryTransport(self.network, server_id),
            notes=self.notes,
        )
        if voters:
            node.bootstrap(servers(*voters))
        self.nodes[server_id], self.machines[server_id] = node, machine
        await node.start()
        return node

    def address(self, server_id: str) -> str:
        return f"127.0.0.1:{8300 + ord(server_id) - ord('a')}"

    async def leader(self, among: str = "") -> RaftNode:
        nodes = [self.nodes[i] for i in among or self.nodes]

        def agreed() -> RaftNode | None:
            leaders = [n for n in nodes if n.state is Role.LEADER]
            return leaders[0] if len(leaders) == 1 and all(n.leader_id == leaders[0].id for n in nodes) else None

        await until(lambda: agreed() is not None, "one leader known to all")
        found = agreed()
        assert found is not None
        return found

    async def same(self, lines: list[bytes], among: str = "") -> None:
        await until(lambda: all(self.machines[i].lines == lines for i in among or self.nodes), f"{lines} everywhere")

    async def stop(self) -> None:
        for node in self.nodes.values():
            await node.stop()


@pytest.fixture(params=["memory", "sqlite"])
async def trio(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path if request.param == "sqlite" else None)
    for server_id in "abc":
        await cluster.start(server_id, voters="abc")
    yield cluster
    await cluster.stop()


async def test_commands_reach_every_machine_in_the_same_order(trio: Cluster) -> None:
    leader = await trio.leader()
    results = await asyncio.gather(*[leader.propose(b"%d" % i) for i in range(500)])
    assert [data for _, data in results] == [b"%d" % i for i in range(500)]
    await trio.same([b"%d" % i for i in range(500)])
    await leader.verify_leader()
    assert not leader.is_leader_sync()
    follower = next(n for n in trio.nodes.values() if n is not leader)
    with pytest.raises(NotLeaderError, match="node is not the leader"):
        await follower.propose(b"x")
    with pytest.raises(NotLeaderError):
        await follower.verify_leader()
    assert follower.leader_address == leader.address
    contact = follower.last_contact
    assert contact is not None and contact < 1
    stats = follower.stats()
    assert stats["state"] == "Follower" and stats["num_peers"] == "2" and stats["last_contact"].endswith("s")


async def test_an_isolated_leader_loses_leadership_and_its_unfinished_writes(trio: Cluster) -> None:
    old = await trio.leader()
    await old.propose(b"kept")
    trio.network.isolate(old.id)
    lost = old.propose(b"lost")
    with pytest.raises(LeadershipLostError):
        await lost
    others = "".join(i for i in "abc" if i != old.id)
    new = await trio.leader(others)
    await new.propose(b"new")
    trio.network.heal()
    await trio.same([b"kept", b"new"])
    gained, ended = old.leadership.get_nowait(), old.leadership.get_nowait()
    assert (gained.is_leader, ended.is_leader) == (True, False) and gained.term == ended.term


async def test_leadership_moves_on_request_to_the_chosen_server(trio: Cluster) -> None:
    old = await trio.leader()
    target = next(i for i in "abc" if i != old.id)
    with pytest.raises(MembershipError, match="not another voter"):
        await old.transfer_leadership("z")
    await old.propose(b"1")
    await old.transfer_leadership(target)
    await until(lambda: trio.nodes[target].state is Role.LEADER, "the target leads")
    await trio.nodes[target].propose(b"2")
    await trio.same([b"1", b"2"])


async def test_servers_join_as_non_voters_get_promoted_and_leave() -> None:
    cluster = Cluster()
    leader = await cluster.start("a", voters="a")
    await cluster.leader()
    await leader.propose(b"1")
    for server_id in "bc":
        node = await cluster.start(server_id)
        await leader.add_nonvoter(server_id, cluster.address(server_id))
        await until(lambda n=node: n.leader_id == "a", "the new server knows its leader")
    assert leader.is_leader_sync()
    await cluster.same([b"1"])
    index, _ = leader.configuration
    with pytest.raises(MembershipError, match="configuration changed since 1"):
        await leader.add_voter("b", cluster.address("b"), prev_index=1)
    b, c = cluster.address("b"), cluster.address("c")
    await asyncio.gather(leader.add_voter("b", b, index), leader.add_voter("c", c))
    assert leader.members.voters == ("a", "b", "c") and not leader.is_leader_sync()
    await leader.demote("c")
    assert leader.members.voters == ("a", "b")
    await leader.remove_server("a")
    await until(lambda: cluster.nodes["b"].state is Role.LEADER, "the other voter takes over")
    assert leader.state is Role.FOLLOWER
    with pytest.raises(MembershipError, match="at least one voter"):
        await cluster.nodes["b"].remove_server("b")
    await cluster.nodes["b"].propose(b"2")
    await cluster.same([b"1", b"2"], "bc")
    await cluster.stop()


async def test_a_server_behind_the_compacted_log_gets_a_snapshot(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, replace(FAST, trailing_logs=0, snapshots_retained=1))
    for server_id in "abc":
        await cluster.start(server_id, voters="abc")
    leader = await cluster.leader()
    behind = next(i for i in "abc" if i != leader.id)
    cluster.network.isolate(behind)
    lines = [b"%d" % i for i in range(300)]
    await asyncio.gather(*[leader.propose(line) for line in lines])
    await leader.snapshot()
    cluster.network.heal()
    await cluster.same(lines)
    assert cluster.nodes[behind].last_snapshot[0] > 300
    assert any(note.startswith("installing snapshot") for note in cluster.notes)
    await leader_or_new(cluster, b"more")
    await cluster.same([*lines, b"more"])
    await cluster.nodes[behind].stop()
    node = await cluster.start(behind)
    await cluster.same([*lines, b"more"])
    assert node.last_snapshot[0] > 300
    await cluster.stop()


async def leader_or_new(cluster: Cluster, data: bytes) -> None:
    """Propose until it works: leadership may just have changed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await (await cluster.leader()).propose(data)
                return
            except RaftError:
                await asyncio.sleep(0.01)


async def test_user_restore_reaches_all_servers(trio: Cluster) -> None:
    leader = await trio.leader()
    await leader.propose(b"old")
    assert await leader.user_restore(SnapshotMeta("x", 500, 3), io.BytesIO(b"r1\nr2\n")) == 501
    await leader.propose(b"after")
    await trio.same([b"r1", b"r2", b"after"])
    assert all(node.last_snapshot[0] == 501 for node in trio.nodes.values())


async def test_restart_of_the_whole_cluster_keeps_everything(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    for server_id in "abc":
        await cluster.start(server_id, voters="abc")
    leader = await cluster.leader()
    await asyncio.gather(*[leader.propose(b"%d" % i) for i in range(50)])
    await cluster.stop()
    for server_id in "abc":
        await cluster.start(server_id)
    await leader_or_new(cluster, b"again")
    await cluster.same([*[b"%d" % i for i in range(50)], b"again"])
    await cluster.stop()


async def test_a_follower_with_a_new_disk_is_filled_again() -> None:
    cluster = Cluster()
    for server_id in "abc":
        await cluster.start(server_id, voters="abc")
    leader = await cluster.leader()
    await asyncio.gather(*[leader.propose(b"%d" % i) for i in range(200)])
    await cluster.same([b"%d" % i for i in range(200)])
    replaced = next(i for i in "abc" if i != leader.id)
    await cluster.nodes[replaced].stop()
    await cluster.start(replaced)
    await cluster.same([b"%d" % i for i in range(200)])
    await cluster.stop()
