"""Two clusters of one datacenter are joined by accident and parted again: neither writes over what the other has."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster
from support.harness import Subject, eventually
from support.pools import ConsulMember

OURS = Subject.OURS


def member(cluster: Cluster, name: str) -> ConsulMember:
    found = cluster.members[name]
    assert isinstance(found, ConsulMember)
    return found


def raft_names(asked: ConsulMember) -> set[str]:
    shown = asked.ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
    return {one["Node"] for one in shown}


def told(leader: ConsulMember, stranger: str) -> bool:
    said = [line for line in leader.log().splitlines() if "failed to reconcile member" in line]
    return any(f"member={stranger} " in line and "remove its data directory" in line for line in said)


def meet(directory: Path, count: int) -> None:
    """Join two clusters of ``count`` servers under writes, part them, and give the second one up."""
    names = {side: [f"{side}{number}" for number in range(count)] for side in "ab"}
    first = Cluster(directory / "a", *((name, OURS) for name in names["a"]), clients=[("ca", OURS)])
    second = Cluster(directory / "b", *((name, OURS) for name in names["b"]))
    with first, second:
        first.settled()
        second.settled()
        with AcknowledgedWrites(first, "first") as kept, AcknowledgedWrites(second, "second") as other:
            kept.more()
            other.more()
            member(first, "a0").join(member(second, "b0").gossip)
            leaders = first.leader(first.servers()), second.leader(second.servers())
            for leader, strangers in zip(leaders, (names["b"], names["a"]), strict=True):
                for name in strangers:
                    eventually(lambda one=leader, name=name: told(one, name), f"{leader.name} says why", 60)  # type: ignore[misc]
            kept.more()
            other.more()
        for cluster, writes, side in ((first, kept, "a"), (second, other, "b")):
            assert raft_names(cluster.leader(cluster.servers())) == set(names[side])
            for server in cluster.servers():
                eventually(lambda one=server, writes=writes: not writes.missing(one), f"{server.name} has all")  # type: ignore[misc]
        give_up(first, second, names["b"])
        assert not kept.missing(first.leader(first.servers()))


def give_up(first: Cluster, second: Cluster, names: list[str]) -> None:
    """The way out, as the log names it: stop the second cluster, remove its directories, have it join the first."""
    second.power_off()
    leader = first.leader(first.servers())

    def wrong() -> Any:
        nodes = {one["Node"]: one for one in leader.call("GET", "/v1/catalog/nodes").json()}
        return nodes.keys() & set(names) or not leader.call("GET", "/v1/operator/autopilot/health").json()["Healthy"]

    first.until(wrong, "the first is as it was", ELECTION_TIMEOUT_S)
    for name in names:
        one = member(second, name)
        shutil.rmtree(one.data_dir)
        one.arguments = [word for word in one.arguments if "expect" not in word]
        one.arguments += ["-retry-join", member(first, "a0").gossip]
        one.start()
    eventually(lambda: set(names) < raft_names(leader), "they are servers of the first", ELECTION_TIMEOUT_S)


@pytest.mark.long
def test_single_servers(tmp_path: Path) -> None:
    meet(tmp_path, 1)


@pytest.mark.long
def test_whole_clusters(tmp_path: Path) -> None:
    meet(tmp_path, 3)
