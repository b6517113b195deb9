"""Leaders that stand still, and clusters in which nothing is wrong."""

# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from proconsul.testing.linearizability import check
from support.clusters import Cluster, paused, try_to_lead, written
from support.harness import Subject, eventually, program
from support.histories import RecordedClients
from support.pools import ConsulMember
from support.reference import require_reference

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS, REFERENCE = Subject.OURS, Subject.REFERENCE
# What operators have who configure nothing: `Cluster` makes votes come sooner.
DEFAULT_AUTOPILOT = ["-hcl", 'autopilot { server_stabilization_time = "10s" }']


def health(cluster: Cluster) -> dict[str, Any]:
    shown: dict[str, Any] = cluster.leader().call("GET", "/v1/operator/autopilot/health").json()
    return shown


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


def test_an_archive_of_a_leader_that_stands_still_is_another_ones(cluster: Cluster) -> None:
    """A restore says that it did not get through."""
    leader = cluster.settled()
    kept = leader.ok("GET", "/v1/snapshot").body
    askers = [member for member in cluster.agents() if member is not leader and member.subject is OURS]

    def ask(member: ConsulMember, method: str) -> tuple[float, int, str]:
        began = time.monotonic()
        reply = member.client(timeout_s=60.0).call(method, "/v1/snapshot", kept if method == "PUT" else None)
        return time.monotonic() - began, reply.status, "" if reply.body[:2] == b"\x1f\x8b" else reply.text

    with ThreadPoolExecutor(2 * len(askers)) as threads, paused(leader):
        restores = [threads.submit(ask, member, "PUT") for member in askers]
        saves = [threads.submit(ask, member, "GET") for member in askers]
        for save in saves:
            seconds, status, text = save.result(timeout=90.0)
            assert (status, text) == (200, "") and seconds < 2 * ANSWERED_S, (seconds, status, text)
        for restore in restores:
            seconds, status, text = restore.result(timeout=90.0)
            assert status in (200, 500) and seconds < 2 * ANSWERED_S, (seconds, status, text)
    cluster.settled()


@pytest.mark.long
def test_servers_that_are_rebooted_one_after_the_other_keep_their_votes(tmp_path: Path) -> None:
    """Twenty seconds down, a minute apart, almost no traffic: everybody votes again before the next one goes.

    Autopilot removes a dead server of three, as Consul does, so the vote is gone while the server is; it has to be
    back at the stabilisation time, or the next absence would cost the quorum.
    """
    servers = [("s1", OURS), ("s2", OURS), ("s3", OURS)]
    with Cluster(tmp_path, *servers, extra=DEFAULT_AUTOPILOT) as cluster:
        cluster.settled()
        written_keys = set()

        def trickle(seconds: float) -> None:
            """A write now and then, through whoever runs; each has to succeed in the end."""
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                key = f"reboot/{len(written_keys)}"
                written(cluster.agents()[0], "PUT", f"/v1/kv/{key}", key.encode())
                written_keys.add(key)
                time.sleep(5.0)

        for member in cluster.everybody():
            member.kill()
            trickle(20.0)
            cluster.restart(member)
            trickle(40.0)
            peers = cluster.leader().ok("GET", "/v1/operator/raft/configuration").json()["Servers"]
            assert [one["Voter"] for one in peers] == [True] * 3, (member.name, peers)
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
        waited: dict[str, float] = {}

        def all_vote() -> bool:
            for one in health(cluster)["Servers"]:
                if one["Name"] in new and one["Voter"]:
                    since = datetime.fromisoformat(one["StableSince"]).timestamp()
                    waited.setdefault(one["Name"], time.time() - since)
            return len(waited) == count

        eventually(all_vote, "all vote", 120.0)
        # Health is looked at every two seconds, and each new voter is one change of the configuration.
        assert max(waited.values()) < 10.0 + 2 * 2.0 + 5.0, waited


@pytest.mark.long
def test_histories_are_linearizable_through_a_storm(cluster: Cluster) -> None:
    """Leaders that are stopped again and again, for less and for more than an election, and handed over meanwhile."""
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    with RecordedClients(cluster, [f"storm/{number}" for number in range(4)], dice) as clients:
        clients.more(50)
        for _ in range(12):
            leader = cluster.leader(cluster.servers())
            with paused(leader):
                time.sleep(dice.choice((0.1, 0.5, 1.0, 2.0, 4.0)))
            if dice.random() < 0.5:
                cluster.let_lead(dice.choice(cluster.servers()))
        for _ in range(20):
            try_to_lead(dice.choice(cluster.servers()))
            time.sleep(dice.random() / 4)
        clients.more(100)
    assert (violation := check(clients.history)) is None, f"seed {seed}: {violation}"
    cluster.settled()
    cluster.same_state()


# Holds a lock of the operating system's as long as it lives: two at once cannot both have it.
CHILD = """
import fcntl, sys, time
with open(sys.argv[1], "a") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("two at once", file=file, flush=True)
    else:
        print("alone", file=file, flush=True)
    time.sleep(3600 if len(sys.argv) > 2 else 0.2)
"""


@pytest.mark.long
@pytest.mark.parametrize("subject", [OURS, REFERENCE], ids=["ours", "reference"])
def test_children_of_locks_are_never_two_at_once(cluster: Cluster, tmp_path: Path, subject: Subject) -> None:
    """Leaders stand still and are killed while two programs want the lock again and again, through client agents."""
    if subject is REFERENCE:
        require_reference()
    seen = tmp_path / "seen"
    seen.write_text("")
    over = threading.Event()

    def contend(member: ConsulMember, holds: bool) -> None:
        address = f"-http-addr={member.host}:{member.ports['http']}"
        child = [sys.executable, "-c", CHILD, str(seen), *(["long"] if holds else [])]
        while not over.is_set():
            command = [*program(subject), "lock", address, "-shell=false", f"story/{subject.value}", *child]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None:
                if over.wait(0.1):
                    process.terminate()
                    process.wait()

    clients = [member for member in cluster.agents() if "-server" not in member.arguments]
    with ThreadPoolExecutor(3) as threads:
        running = [threads.submit(contend, member, holds=False) for member in clients[:2]]
        running.append(threads.submit(contend, clients[2], holds=True))
        try:
            for down_s in (1.0, 3.0, 12.0):
                eventually(lambda: "alone" in seen.read_text(), "somebody holds it", 90.0)
                with paused(cluster.leader(cluster.servers())):
                    time.sleep(down_s)
            leader = cluster.leader(cluster.servers())
            leader.kill()
            cluster.leader(cluster.servers())
            cluster.restart(leader)
            cluster.settled()
        finally:
            over.set()
    for one in running:
        one.result()
    lines = seen.read_text().splitlines()
    assert set(lines) == {"alone"}, lines
