"""Leaders that stand still, and clusters in which nothing is wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, written
from support.harness import Subject, eventually
from support.pools import ConsulMember

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS, REFERENCE = Subject.OURS, Subject.REFERENCE
# What operators have who configure nothing: `Cluster` makes votes come sooner.
DEFAULT_AUTOPILOT = ["-hcl", 'autopilot { server_stabilization_time = "10s" }']




def health(cluster: Cluster) -> dict[str, Any]:
    shown: dict[str, Any] = cluster.leader().call("GET", "/v1/operator/autopilot/health").json()
    return shown


@contextmanager
def paused(member: ConsulMember) -> Iterator[None]:
    os.kill(member.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(member.pid, signal.SIGCONT)


@pytest.mark.long
@pytest.mark.parametrize("third", [OURS, REFERENCE], ids=["ours", "mixed"])
def test_an_idle_cluster_is_never_called_unhealthy(tmp_path: Path, third: Subject) -> None:
    servers = [("s1", OURS), ("s2", OURS), ("s3", third)]
    with Cluster(tmp_path, *servers, extra=DEFAULT_AUTOPILOT) as cluster:
        for leads in cluster.everybody():
            cluster.settled()
            cluster.let_lead(leads)
            eventually(lambda: health(cluster)["Healthy"], "healthy at first", 60.0)
            until, bad = time.monotonic() + 120.0, []
            while time.monotonic() < until:
                shown = health(cluster)
                if not shown["Healthy"]:
                    bad.append([(one["Name"], one["LastContact"], one["Healthy"]) for one in shown["Servers"]])
                time.sleep(1.0)
            assert not bad, (leads.name, bad)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    clients = [("c1", OURS), ("c2", OURS), ("c3", OURS), ("rc", REFERENCE)]
    servers = [("s1", OURS), ("s2", OURS), ("s3", OURS)]
    keep_votes = ["-hcl", "autopilot { cleanup_dead_servers = false }"]
    with Cluster(tmp_path_factory.mktemp("leadership"), *servers, clients=clients, extra=keep_votes) as made:
        made.settled()
        yield made


# Far below the time for which a call is waited for otherwise.
ANSWERED_S = 20.0


def test_what_was_asked_of_a_leader_that_stands_still_is_answered(cluster: Cluster) -> None:
    """By everybody who still runs, while it goes on standing still: the process whose kernel takes connections."""
    leader = cluster.settled()
    written(leader, "PUT", "/v1/kv/still", b"1")
    askers = [member for member in cluster.agents() if member is not leader]
    questions = [("GET", "/v1/kv/still"), ("GET", "/v1/kv/still?consistent"), ("GET", "/v1/health/service/consul"),
                 ("PUT", "/v1/kv/still/{}"), ("GET", "/v1/kv/still?index=1&wait=5s")]  # fmt: skip

    def ask(member: ConsulMember, method: str, target: str) -> tuple[float, int, str]:
        began = time.monotonic()
        reply = member.client(timeout_s=60.0).call(method, target.format(member.name), b"2" if method == "PUT" else b"")
        return time.monotonic() - began, reply.status, reply.text

    with ThreadPoolExecutor(len(askers) * len(questions)) as threads, paused(leader):
        asked = {
            (member.name, *question): threads.submit(ask, member, *question)
            for member in askers for question in questions
        }  # fmt: skip
        answers = {name: one.result(timeout=90.0) for name, one in asked.items()}
        successor = cluster.leader([one for one in cluster.servers() if one is not leader])
        for member in askers:
            assert written(member, "PUT", "/v1/kv/still/after", b"3").status == 200
        assert successor.ok("GET", "/v1/kv/still/after?raw").text == "3"
    for name, (seconds, status, text) in answers.items():
        if name[0] != "rc":
            assert seconds < ANSWERED_S, (name, seconds, status, text)
        # A write that was under way may have failed, but says so.
        assert status == 200 or status == 500, (name, status, text)
        if name[1] == "GET" and name[0] != "rc":
            assert status == 200, (name, seconds, status, text)
    cluster.settled()


@pytest.mark.long
def test_servers_that_are_rebooted_one_after_the_other_keep_their_votes(tmp_path: Path) -> None:
    """Twenty seconds down, a minute apart, almost no traffic: no vote, no quorum and no write is lost."""
    servers = [("s1", OURS), ("s2", OURS), ("s3", OURS)]
    with Cluster(tmp_path, *servers, extra=DEFAULT_AUTOPILOT) as cluster:
        cluster.settled()
        written_keys = set()

        def trickle(seconds: float) -> None:
            """A write now and then, through whoever runs; each has to succeed in the end, and all keep their votes."""
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                key = f"reboot/{len(written_keys)}"
                written(cluster.agents()[0], "PUT", f"/v1/kv/{key}", key.encode())
                written_keys.add(key)
                peers = cluster.leader().ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
                assert [one["Voter"] for one in peers] == [True] * 3, peers
                time.sleep(5.0)

        for member in cluster.everybody():
            member.kill()
            trickle(20.0)
            cluster.restart(member)
            trickle(40.0)
        assert health(cluster)["Healthy"] and health(cluster)["FailureTolerance"] == 1
        for member in cluster.servers():
            assert written_keys <= set(member.ok("GET", "/v1/kv/reboot?keys&stale").json())


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 3, 5])
def test_new_servers_vote_at_the_stabilisation_time(tmp_path: Path, count: int) -> None:
    """Ten seconds after they were found healthy first, however many come at once."""
    with Cluster(tmp_path, *[(f"s{number}", OURS) for number in (1, 2, 3)], extra=DEFAULT_AUTOPILOT) as cluster:
        cluster.settled()
        new = [f"n{number}" for number in range(count)]
        for name in new:
            cluster.restart(cluster._add(name, OURS, ["-server"]), wait=False)
        stable_since: dict[str, float] = {}
        votes_since: dict[str, float] = {}

        def all_vote() -> bool:
            now = time.time()
            for one in health(cluster)["Servers"]:
                if one["Name"] in new and one["Healthy"]:
                    stable_since.setdefault(one["Name"], now)
                    if one["Voter"]:
                        votes_since.setdefault(one["Name"], now)
            return len(votes_since) == count

        eventually(all_vote, "all vote", 120.0)
        waited = {name: votes_since[name] - stable_since[name] for name in new}
        print(waited)
        # Health is looked at every two seconds, and each new voter is one change of the configuration.
        assert max(waited.values()) < 10.0 + 2 * 2.0 + 5.0, waited
