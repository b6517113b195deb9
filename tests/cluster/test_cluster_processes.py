"""Three server processes and a client agent: what users see while servers come, go, stop and move."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster, written
from support.harness import Subject, eventually
from support.pools import ConsulMember, new_host

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS = Subject.OURS
AUTOPILOT = {"LastContactThreshold": "5s", "MaxTrailingLogs": 250, "ServerStabilizationTime": "500ms"}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    servers = [(f"s{number}", OURS) for number in (1, 2, 3)]
    with Cluster(tmp_path, *servers, clients=[("c1", OURS)]) as cluster:
        cluster.settled()
        yield cluster


def test_every_agent_does_everything(cluster: Cluster) -> None:
    for member in cluster.agents():
        name = member.name
        assert member.ok("PUT", f"/v1/kv/{name}", b"v").json() is True
        raw = member.ok("GET", f"/v1/kv/{name}?raw")
        assert (raw.body, raw.header("Content-Security-Policy")) == (b"v", "sandbox")
        session = member.ok("PUT", "/v1/session/create", b'{"TTL": "30s"}').json()["ID"]
        assert member.ok("PUT", f"/v1/kv/lock-{name}?acquire={session}", b"l").json() is True
        assert member.ok("PUT", f"/v1/session/renew/{session}").json()[0]["ID"] == session
        node = {"Node": f"n-{name}", "Address": "192.0.2.1", "Service": {"Service": "web", "Port": 80},
                "Check": {"Name": "up", "Status": "passing"}}  # fmt: skip
        assert member.ok("PUT", "/v1/catalog/register", json.dumps(node).encode()).json() is True
        txn = [{"KV": {"Verb": "set", "Key": f"txn-{name}", "Value": "eA=="}}]
        assert member.ok("PUT", "/v1/txn", json.dumps(txn).encode()).json()["Results"]
        assert member.ok("GET", "/v1/kv/?keys").json().count(name) == 1
        assert member.ok("GET", "/v1/kv/?keys&consistent").json().count(f"txn-{name}") == 1
        stale = member.ok("GET", "/v1/kv/?keys&stale")
        assert int(stale.header("X-Consul-LastContact")) >= 0
        assert stale.header("X-Consul-KnownLeader") == "true"
        assert f"n-{name}" in [one["Node"] for one in member.ok("GET", "/v1/health/service/web").json()
                               for one in [one["Node"]]]  # fmt: skip
        assert member.call("GET", "/v1/kv/absent").status == 404
    cluster.same_state()


def test_a_write_elsewhere_wakes_readers_of_every_agent(cluster: Cluster) -> None:
    leader = cluster.leader()
    leader.ok("PUT", "/v1/kv/watched", b"1")
    index = leader.ok("GET", "/v1/kv/watched").index
    readers = cluster.agents()
    with ThreadPoolExecutor(len(readers)) as threads:
        waiting = [threads.submit(reader.ok, "GET", f"/v1/kv/watched?raw&index={index}&wait=60s") for reader in readers]
        members = {reader.name: reader for reader in readers}
        members["c1"].ok("PUT", "/v1/kv/watched", b"2")
        woken = [done.result() for done in waiting]
    assert [reply.body for reply in woken] == [b"2"] * len(readers)
    assert {reply.index for reply in woken} == {woken[0].index} and woken[0].index > index


def test_nothing_acknowledged_is_lost_with_leaders(cluster: Cluster) -> None:
    with AcknowledgedWrites(cluster, "w") as writes:
        writes.more()
        client = next(member for member in cluster.agents() if member not in cluster.servers())
        session = written(client, "PUT", "/v1/session/create", b'{"TTL": "120s"}').json()["ID"]
        assert written(client, "PUT", f"/v1/kv/lock?acquire={session}").json() is True
        for cleanup in (True, False):
            leader = cluster.leader()
            settings = {**AUTOPILOT, "CleanupDeadServers": cleanup}
            written(leader, "PUT", "/v1/operator/autopilot/configuration", json.dumps(settings).encode())
            leader.kill()
            writes.more()
            now = cluster.leader()
            assert now is not leader
            assert now.ok("GET", "/v1/kv/lock").json()[0]["Session"] == session
            cluster.restart(leader)
            cluster.settled()
    for member in cluster.agents():
        assert not writes.missing(member)
    cluster.same_state()


def test_without_a_quorum_nobody_answers_but_stale_reads(cluster: Cluster) -> None:
    cluster.leader().ok("PUT", "/v1/kv/a", b"1")
    cluster.same_state()
    leader = cluster.leader()
    survivor, *others = [server for server in cluster.servers() if server is not leader]
    for other in (leader, *others):
        other.kill()

    def refused() -> bool:
        return survivor.call("GET", "/v1/kv/a").text == "No cluster leader"

    eventually(refused, "the survivor refuses", ELECTION_TIMEOUT_S)
    for reply in (survivor.call("GET", "/v1/kv/a?consistent"), survivor.call("PUT", "/v1/kv/a", b"2")):
        assert (reply.status, reply.text) == (500, "No cluster leader")
    stale = survivor.ok("GET", "/v1/kv/a?stale&raw")
    assert stale.body == b"1" and stale.header("X-Consul-KnownLeader") == "false"
    survivor.kill()
    cluster.restart(survivor, wait=False)

    def knows_nothing() -> bool:
        try:
            return survivor.call("GET", "/v1/kv/a?stale").text == "No cluster leader"
        except OSError:
            return False

    eventually(knows_nothing, "who never heard a leader refuses even stale reads", ELECTION_TIMEOUT_S)
    for other in (leader, *others):
        cluster.restart(other, wait=False)
    assert cluster.settled().ok("GET", "/v1/kv/a?raw").body == b"1"


@pytest.mark.parametrize("moved", [False, True], ids=["same addresses", "new addresses"])
def test_power_comes_back(cluster: Cluster, moved: bool) -> None:
    with AcknowledgedWrites(cluster, "w") as writes:
        writes.more()
        cluster.power_off()
    if moved:
        for member in cluster.everybody():
            member.host = new_host()
    for member in cluster.everybody():
        cluster.restart(member, wait=False)
    leader = cluster.settled()
    assert not writes.missing(leader)
    written(leader, "PUT", "/v1/kv/again")
    cluster.same_state()
    if moved:
        now = {f"{one.host}:{one.ports['server']}" for one in cluster.servers()}

        def outdated() -> set[str]:
            peers = cluster.leader().ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
            return now - {one["Address"] for one in peers if one["Voter"]}

        cluster.until(outdated, "the configuration has the new addresses", ELECTION_TIMEOUT_S)


def test_a_paused_leader_steps_down(cluster: Cluster) -> None:
    leader = cluster.leader()
    others = [server for server in cluster.servers() if server is not leader]
    with AcknowledgedWrites(cluster, "w") as writes:
        writes.more()
        os.kill(leader.pid, signal.SIGSTOP)
        try:
            new = cluster.leader(others)
            written(new, "PUT", "/v1/kv/while-paused", b"1")
        finally:
            os.kill(leader.pid, signal.SIGCONT)
        # A default read of the deposed leader may be old; a consistent one may not.
        assert written(leader, "GET", "/v1/kv/while-paused?consistent&raw").body == b"1"
        cluster.settled()
        writes.more()
    for member in cluster.agents():
        assert not writes.missing(member)
    cluster.same_state()


@pytest.mark.parametrize("who", ["a follower", "the leader"])
def test_a_server_leaves(cluster: Cluster, who: str) -> None:
    leader = cluster.leader()
    leaving = leader if who == "the leader" else next(one for one in cluster.servers() if one is not leader)
    leader.ok("PUT", "/v1/kv/before", b"1")
    leaving.leave()
    now = cluster.leader()

    def gone() -> bool:
        peers = now.ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
        return {one["Node"] for one in peers} == {one.name for one in cluster.servers()}

    eventually(gone, f"{leaving.name} is out of Raft", ELECTION_TIMEOUT_S)
    written(now, "PUT", "/v1/kv/after", b"1")
    assert now.ok("GET", "/v1/kv/before?raw").body == b"1"
    cluster.same_state()


def test_a_fourth_server_joins_and_a_wiped_one_comes_back(cluster: Cluster) -> None:
    cluster.leader().ok("PUT", "/v1/kv/a", b"1")
    fourth = cluster.add_server("s4", OURS)
    cluster.settled()
    assert fourth.ok("GET", "/v1/kv/a?stale&raw").body == b"1"
    leader = cluster.leader()
    wiped = next(one for one in cluster.servers() if one not in (leader, fourth))
    wiped.kill()
    shutil.rmtree(wiped.directory / "data" / "raft")
    written(leader, "PUT", "/v1/kv/b")
    cluster.restart(wiped)
    cluster.settled()
    cluster.same_state()


def test_every_server_measures_consensus(cluster: Cluster) -> None:
    leader = cluster.leader()
    follower = next(one for one in cluster.servers() if one is not leader)
    for number in range(20):
        leader.ok("PUT", f"/v1/kv/{number}", b"v")
    leader.ok("GET", "/v1/kv/1?consistent")

    def names(member: ConsulMember) -> set[str]:
        shown = member.ok("GET", "/v1/agent/metrics").json()
        listed = [*shown["Gauges"], *shown["Counters"], *shown["Samples"]]
        return {one["Name"].removeprefix("consul.") for one in listed}

    expected = {
        "raft.apply", "raft.commitTime", "raft.leader.dispatchLog", "raft.leader.lastContact", "raft.state.leader",
        "raft.verify_leader", "raft.barrier", "leader.reconcile", "autopilot.healthy", "autopilot.failure_tolerance",
    }  # fmt: skip
    seen: dict[str, set[str]] = {leader.name: set(), follower.name: set()}

    def missing() -> object:
        for member in (leader, follower):
            seen[member.name] |= names(member)
        return expected - seen[leader.name] or {"raft.rpc.appendEntries", "raft.state.follower"} - seen[follower.name]

    cluster.until(missing, "both have measured what they do", 60.0)
