"""The leader's catalog follows the pool, whatever the catalog held before and whoever else has the name."""

# mypy: disable-error-code="type-var"

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.meters import Meters
from proconsul.engine.raft.errors import MembershipError, NotLeaderError
from proconsul.engine.rpc.errors import RpcTimeout
from proconsul.features.catalog.model import SERF_CHECK_ID, HealthCheck, NodeService, RegisterRequest
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.server.config import ServerConfig
from proconsul.server.fsm import FSM, encode_command
from proconsul.server.membership import ForeignServer, RaftMembers
from proconsul.server.peers import Peers
from proconsul.server.reconciler import Reconciler

ID = "0000000{}-1111-2222-3333-444444444444"
OWN = "self"
ALIVE, FAILED, LEFT = MemberStatus.ALIVE, MemberStatus.FAILED, MemberStatus.LEFT


class Raft:
    """What Raft is asked to do."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.refusals: dict[str, Exception] = {}

    async def add(self, server: Any) -> None:
        if server.name in self.refusals:
            raise self.refusals[server.name]
        self.added.append(server.name)

    async def remove(self, server: Any) -> None:
        self.added.remove(server.name)


class Server:
    """As much of a leader as reconciling needs, around a real state machine."""

    datacenter, node_name = "dc1", OWN

    def __init__(self, *members: Member) -> None:
        self.gossip, self.pool = self, object()
        self.known = [member_of(OWN, 0), *members]
        self.state = State()
        self.fsm = FSM(self.state)
        self.writes: list[Any] = []
        self.refused: dict[str, Exception] = {}
        self.raft_members = Raft()
        self.config, self.now = ServerConfig(OWN, ID.format(0), "dc1", "10.0.0.0:8300"), 0.0
        self.meters, self.clock = Meters(), lambda: self.now
        self.reconciler = Reconciler(self, lambda: None)  # type: ignore[arg-type]
        self.now = self.config.pool_known_after_s

    def members(self) -> list[Member]:
        return self.known

    def propose(self, kind: MessageType, request: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.writes.append(request)
        if request.Node in self.refused:
            future.set_exception(self.refused[request.Node])
        else:
            future.set_result(self.apply(kind, request))
        return future

    def apply(self, kind: MessageType, request: Any) -> Any:
        return self.fsm.apply(len(self.writes) + 10, 1, 0, encode_command(kind, request), request)

    def holds(self, name: str, number: int, status: str = "passing", service: str = "") -> None:
        """Put an entry there, as a snapshot or an earlier life would have."""
        refusal = self.apply(MessageType.REGISTER, RegisterRequest(
            Datacenter="dc1", Node=name, ID=ID.format(number), Address=f"10.0.9.{number}",
            Service=NodeService(ID=service, Service=service) if service else None,
            Check=HealthCheck(Node=name, CheckID=SERF_CHECK_ID, Name="Serf Health Status", Status=status),
        ))  # fmt: skip
        assert refusal is None or isinstance(refusal, StateError)

    def entries(self) -> dict[str, tuple[str, str, str]]:
        """Name, id and state of serfHealth of each entry, by its key."""
        tables = self.state.tables
        shown = {}
        for node in tables.nodes.all():
            check = tables.checks.get((node.Node.lower(), SERF_CHECK_ID.lower()))
            shown[node.Node.lower()] = (node.Node, node.ID, check.Status if check is not None else "")
        return shown


def member_of(name: str, number: int, status: MemberStatus = ALIVE, *, server: bool = False) -> Member:
    tags = {"id": ID.format(number), "dc": "dc1", "role": "node"}
    if server:
        tags |= {"role": "consul", "port": "8300", "build": "1.8.7:x", "vsn": "2", "raft_vsn": "3"}
    return Member(name, f"10.0.0.{number}", 8301, tags, status)


NAMES = st.sampled_from(["web", "Web", "WEB", "db", "DB", "x"])
members = st.lists(
    st.builds(member_of, NAMES, st.integers(1, 6), st.sampled_from([ALIVE, FAILED, LEFT])),
    max_size=6, unique_by=(lambda member: member.name, lambda member: member.tags["id"]),
)  # fmt: skip
held = st.lists(st.tuples(NAMES, st.integers(1, 9), st.sampled_from(["passing", "critical"])), max_size=4)


@settings(max_examples=80, deadline=None)
@given(members, held, st.randoms(use_true_random=False))
def test_entries_show_who_has_the_name(
    pool: list[Member], before: list[tuple[str, int, str]], rng: random.Random
) -> None:
    server = Server(*pool)
    for name, number, status in before:
        server.holds(name, number, status)
    rng.shuffle(server.known)

    async def twice() -> int:
        assert await server.reconciler.everybody()
        assert await server.reconciler.everybody()
        before = len(server.writes)
        for member in server.known:
            await server.reconciler.one(member)
        assert await server.reconciler.everybody()
        return len(server.writes) - before

    assert asyncio.run(twice()) == 0, "members of one name write by turns"
    shown = server.entries()
    for member in server.known:
        others = [other for other in server.known if other.name.lower() == member.name.lower()]
        key = member.name.lower()
        alive = {other.tags["id"] for other in others if other.status is ALIVE}
        if alive:
            assert shown[key][1] in alive and shown[key][2] == "passing"
        elif {other.status for other in others} == {LEFT}:
            assert key not in shown
        elif key in shown:
            assert shown[key][2] == "critical"
    assert {member.name.lower() for member in server.known} >= shown.keys()


async def test_who_cannot_be_written_keeps_nobody_back(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(member_of("a", 1), member_of("b", 2), member_of("c", 3))
    server.refused = {"a": ConsulError("not this one"), "b": ValueError("nor this")}
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert await server.reconciler.everybody()
        await server.reconciler.one(member_of("a", 1))
    assert server.entries().keys() == {OWN, "c"}
    assert sorted(record.args[0] for record in caplog.records if isinstance(record.args, tuple)) == ["a", "b"]
    server.refused = {"a": ConsulError("for another reason")}
    with caplog.at_level(logging.ERROR):
        await server.reconciler.everybody()
    assert "for another reason" in caplog.text
    assert server.entries().keys() == {OWN, "b", "c"}


async def test_a_server_that_raft_does_not_take_is_in_the_catalog_all_the_same() -> None:
    server = Server(member_of("a", 1, server=True), member_of("b", 2, server=True))
    server.raft_members.refusals = {"a": MembershipError()}
    assert not await server.reconciler.everybody()
    assert server.entries().keys() == {OWN, "a", "b"}
    assert server.raft_members.added == ["b"]


async def test_nothing_is_tried_after_leadership() -> None:
    server = Server(member_of("a", 1), member_of("b", 2))
    server.refused = {"a": NotLeaderError(), "b": NotLeaderError(), OWN: NotLeaderError()}
    with pytest.raises(NotLeaderError):
        await server.reconciler.everybody()
    assert len(server.writes) == 1


async def test_the_name_of_one_who_leaves_goes_to_who_has_it_too() -> None:
    server = Server(member_of("Web", 1), member_of("web", 2))
    server.holds("Web", 1, service="api")
    await server.reconciler.everybody()
    assert server.entries()["web"] == ("Web", ID.format(1), "passing")
    gone = member_of("Web", 1, LEFT)
    server.known[1:] = [gone, member_of("web", 2)]
    await server.reconciler.one(gone)
    assert server.entries()["web"] == ("web", ID.format(2), "passing")
    # The first of them is reaped long after: that is nothing to the second.
    del server.known[1]
    await server.reconciler.one(gone._replace(status=MemberStatus.NONE))
    assert server.entries()["web"] == ("web", ID.format(2), "passing")


async def test_a_server_back_under_another_name_stays_in_raft() -> None:
    class Configuration:
        servers = ()

    old, new = member_of("old", 1, LEFT, server=True), member_of("new", 1, server=True)
    pool = [old, new]
    peers = Peers(lambda: pool, random.Random(1))
    removed: list[str] = []

    class Node:
        members = Configuration

        async def remove_server(self, server_id: str) -> None:
            removed.append(server_id)

    async def ask(server: Any) -> list[str]:
        raise AssertionError("who leaves is not asked")

    Configuration.servers = tuple(peers.alive())  # type: ignore[assignment]
    raft = RaftMembers(Node(), peers, "own", ask)  # type: ignore[arg-type]
    (gone,) = [server for server in peers.all() if server.name == "old"]
    await raft.remove(gone)
    assert removed == []
    pool.remove(new)
    peers.changed()
    await raft.remove(gone)
    assert removed == [ID.format(1)]


@pytest.mark.parametrize(
    ("theirs", "taken"),
    [
        ([], True),
        (["10.0.0.1:8300", "10.0.9.2:8300"], True),  # it was one of us, and removed while it was away
        (["10.0.0.7:8300"], False),
        (["10.0.0.7:8300", "10.0.0.8:8300"], False),
        (None, False),  # cannot be asked
    ],
)
async def test_a_server_with_a_cluster_of_its_own_is_not_taken(theirs: list[str] | None, taken: bool) -> None:
    own, new = member_of("own", 1, server=True), member_of("new", 7, server=True)
    peers = Peers(lambda: [own, new], random.Random(1))
    added: list[str] = []

    class Known:
        id, address = ID.format(1), "10.0.0.1:8300"

    class Configuration:
        servers = (Known,)

    class Node:
        members = Configuration

        async def add_nonvoter(self, server_id: str, address: str) -> None:
            added.append(server_id)

    async def ask(server: Any) -> list[str]:
        if theirs is None:
            raise RpcTimeout("timeout")
        return theirs

    raft = RaftMembers(Node(), peers, ID.format(1), ask)  # type: ignore[arg-type]
    for server in peers.all():
        try:
            await raft.add(server)
        except (ForeignServer, MembershipError) as error:
            assert not taken and (theirs is None or "remove its data directory" in str(error))
    assert added == ([ID.format(7)] if taken else [])


async def test_who_has_just_started_takes_nobody_out_for_what_the_pool_has_not_told_yet() -> None:
    """A server that leads right after its start may know nobody but itself."""
    server = Server(member_of("web", 1))
    await server.reconciler.everybody()
    assert server.state.tables.nodes.get("web") is not None
    server.known = server.known[:1]
    for now, kept in ((0.0, True), (server.config.pool_known_after_s - 1, True), (1e6, False)):
        server.now = now
        await server.reconciler.everybody()
        assert (server.state.tables.nodes.get("web") is not None) is kept
