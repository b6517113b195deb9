"""Members are replaced, removed, change their role and lose their disks; nothing acknowledged is lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proconsul.testing.ports import free_ports
from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster, written
from support.harness import Subject, eventually
from support.pools import ConsulMember, new_host

OURS = Subject.OURS
SERVERS = ("s1", "s2", "s3")


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three servers and a client; every test leaves as many behind."""
    directory = tmp_path_factory.mktemp("trio")
    with Cluster(directory, *((name, OURS) for name in SERVERS), clients=[("c1", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        cluster.settled()
        yield cluster


def member(cluster: Cluster, name: str) -> ConsulMember:
    found = cluster.members[name]
    assert isinstance(found, ConsulMember)
    return found


def node_id(one: ConsulMember) -> str:
    return str(one.ok("GET", "/v1/agent/self").json()["Config"]["NodeID"])


def entry(asked: ConsulMember, name: str) -> tuple[str, str, str] | None:
    """Id, address and serfHealth of a node in the catalog."""
    node = asked.call("GET", f"/v1/catalog/node/{name}").json()
    checks = asked.call("GET", f"/v1/health/node/{name}").json()
    health = [check["Status"] for check in checks if check["CheckID"] == "serfHealth"]
    return (node["Node"]["ID"], node["Node"]["Address"], "".join(health)) if node else None


def raft_peers(asked: ConsulMember) -> dict[str, bool]:
    """Who is in Raft, by node id, and votes."""
    shown = asked.ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
    return {one["ID"]: one["Voter"] for one in shown}


def whole(cluster: Cluster, *servers: str) -> None:
    """Wait until the running servers, and nobody else, vote, and the catalog has everybody as he is."""
    assert {one.name for one in cluster.servers()} == set(servers)

    def wrong() -> Any:
        leader = cluster.leader()
        expected = {node_id(member(cluster, name)): True for name in servers}
        if raft_peers(leader) != expected:
            return raft_peers(leader), expected
        for one in cluster.agents():
            if entry(leader, one.name) != (node_id(one), one.host, "passing"):
                return one.name, entry(leader, one.name)
        names = {node["Node"] for node in leader.call("GET", "/v1/catalog/nodes").json()}
        return names ^ {one.name for one in cluster.agents()}

    cluster.until(wrong, f"{servers} vote and the catalog is true", 2 * ELECTION_TIMEOUT_S)


def replace_host(cluster: Cluster, one: ConsulMember) -> ConsulMember:
    """A machine with the name of one that is gone, and nothing else of it."""
    shutil.rmtree(one.data_dir)
    one.host, one.ports = new_host(), dict(zip(one.ports, free_ports(len(one.ports)), strict=True))
    cluster.restart(one)
    return one


def test_a_new_one_with_the_name_of_one_who_left(trio: Cluster) -> None:
    with AcknowledgedWrites(trio, "left") as writes:
        for name in ("c1", "s2"):
            one = member(trio, name)
            before = node_id(one)
            one.leave()
            replace_host(trio, one)
            assert node_id(one) != before
        writes.more()
    whole(trio, *SERVERS)
    assert not writes.missing(trio.leader())


@pytest.mark.long
def test_a_new_one_with_the_name_of_one_who_died(trio: Cluster) -> None:
    """Its address is another: the pool believes it once the old one is known to be dead."""
    with AcknowledgedWrites(trio, "died") as writes:
        for name in ("c1", "s2"):
            one = member(trio, name)
            one.kill()
            replace_host(trio, one)
        writes.more()
    whole(trio, *SERVERS)
    assert not writes.missing(trio.leader())


def removed(asked: ConsulMember, name: str, *, prune: bool) -> None:
    """Have one who died leave, and wait until the catalog knows."""
    eventually(lambda: asked.members()[name].status == "failed", f"{name} failed", ELECTION_TIMEOUT_S)
    asked.ok("PUT", f"/v1/agent/force-leave/{name}{'?prune' if prune else ''}")
    eventually(lambda: entry(asked, name) is None, f"{name} is out of the catalog", ELECTION_TIMEOUT_S)


@pytest.mark.long
def test_who_was_removed_while_away_comes_back(trio: Cluster) -> None:
    with AcknowledgedWrites(trio, "away") as writes:
        for name in ("c1", "s3"):
            one = member(trio, name)
            one.kill()
            leader = trio.leader([other for other in trio.servers() if other.running])
            removed(leader, name, prune=name == "c1")
            trio.restart(one)
        writes.more()
    whole(trio, *SERVERS)
    assert not writes.missing(trio.leader())


@pytest.mark.long
def test_a_peer_that_was_removed_while_it_was_stopped_goes_on(trio: Cluster) -> None:
    with AcknowledgedWrites(trio, "removed") as writes:
        one = next(server for server in trio.servers() if server is not trio.leader())
        gone = node_id(one)
        one.kill()
        leader = trio.leader(trio.servers())
        leader.ok("DELETE", f"/v1/operator/raft/peer?id={gone}")
        assert gone not in raft_peers(leader)
        writes.more()
        trio.restart(one)
        writes.more()
    whole(trio, *SERVERS)
    assert not writes.missing(trio.leader())
    assert not writes.missing(one)


def is_no_server(asked: ConsulMember, name: str) -> None:
    def wrong() -> bool:
        return "consul" in asked.call("GET", f"/v1/catalog/node/{name}").json()["Services"]

    eventually(lambda: not wrong(), f"{name} is no server in the catalog", 2 * ELECTION_TIMEOUT_S)
    health = asked.call("GET", "/v1/operator/autopilot/health").json()
    assert name not in {one["Name"] for one in health["Servers"]}


@pytest.mark.long
def test_a_server_becomes_a_client_and_a_server_again(trio: Cluster) -> None:
    one = next(server for server in trio.servers() if server is not trio.leader())
    as_server = one.arguments
    rest = [name for name in SERVERS if name != one.name]
    with AcknowledgedWrites(trio, "role") as writes:
        for how in ("kill", "leave"):
            one.kill() if how == "kill" else one.leave()
            one.arguments = [word for word in as_server if word != "-server" and "expect" not in word]
            trio.restart(one)
            whole(trio, *rest)
            is_no_server(trio.leader(), one.name)
            writes.more()
            one.kill() if how == "kill" else one.leave()
            one.arguments = as_server
            trio.restart(one)
            whole(trio, *SERVERS)
    assert not writes.missing(trio.leader())
    assert not writes.missing(one)


@pytest.mark.long
@pytest.mark.parametrize("same_id", [True, False])
def test_a_follower_comes_back_with_an_empty_disk(trio: Cluster, same_id: bool) -> None:
    one = next(server for server in trio.servers() if server is not trio.leader())
    before = node_id(one)
    with AcknowledgedWrites(trio, f"empty{same_id}") as writes:
        writes.more()
        one.kill()
        shutil.rmtree(one.data_dir)
        one.arguments = [word for word in one.arguments if not word.startswith("-node-id")]
        if same_id:
            one.arguments.append(f"-node-id={before}")
        trio.restart(one)
        writes.more()
    assert (node_id(one) == before) is same_id
    whole(trio, *SERVERS)
    trio.same_state()
    assert not writes.missing(one)


@pytest.mark.long
def test_all_servers_leave_one_after_the_other_and_start_again(tmp_path: Path) -> None:
    with Cluster(tmp_path, *((name, OURS) for name in SERVERS), clients=[("c1", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        cluster.settled()
        for number in range(2):
            written(member(cluster, "c1"), "PUT", f"/v1/kv/round{number}", b"kept")
            for name in SERVERS:
                member(cluster, name).leave()
            for name in SERVERS:
                cluster.restart(member(cluster, name), wait=False)
            for name in SERVERS:
                member(cluster, name).wait_ready()
            whole(cluster, *SERVERS)
            for before in range(number + 1):
                assert cluster.leader().ok("GET", f"/v1/kv/round{before}?raw").text == "kept"


@pytest.mark.long
def test_five_to_one_and_to_five_again(tmp_path: Path) -> None:
    first, second = [f"a{number}" for number in range(5)], [f"b{number}" for number in range(4)]
    with Cluster(tmp_path, *((name, OURS) for name in first), clients=[("c1", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        whole(cluster, *first)
        left = list(first)

        def everything(writes: AcknowledgedWrites) -> None:
            for server in cluster.servers():
                eventually(lambda server=server: not writes.missing(server), f"{server.name} has all", 60)  # type: ignore[misc]

        while len(left) > 1:
            with AcknowledgedWrites(cluster, f"down{len(left)}") as writes:
                writes.more()
                member(cluster, left.pop(0)).leave()
                writes.more()
            whole(cluster, *left)
            everything(writes)
        for name in second:
            with AcknowledgedWrites(cluster, f"up{name}") as writes:
                cluster.add_server(name, OURS)
                left.append(name)
                writes.more()
            whole(cluster, *left)
            everything(writes)
        member(cluster, left.pop(0)).leave()
        whole(cluster, *left)
        everything(writes)
