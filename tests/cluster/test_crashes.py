"""Three of our servers that are killed, paused and run out of disk while clients write: what was told is true."""

# mypy: disable-error-code="attr-defined,misc"

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.message
import dns.query
import pytest

from proconsul.testing.linearizability import check
from proconsul.testing.ports import free_ports
from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster, paused, written
from support.harness import Subject, eventually
from support.histories import RecordedClients
from support.pools import ConsulMember

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS = Subject.OURS
SERVERS = [(f"s{number}", OURS) for number in (1, 2, 3)]
DISK_FULL = "no write is acknowledged until it works again"
# Or the next to die might be needed by those who are left.
KEEP_VOTES = "autopilot { cleanup_dead_servers = false }"
KEYS = [f"h/{number}" for number in range(4)]


@pytest.fixture(scope="module")
def dns_port() -> int:
    """The same for all: each has an address of its own."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, dns_port: int) -> Iterator[Cluster]:
    extra = ["-hcl", KEEP_VOTES, "-hcl", "dns_config { allow_stale = false }", "-dns-port", str(dns_port)]
    with Cluster(tmp_path_factory.mktemp("crashes"), *SERVERS, extra=extra) as made:
        made.settled()
        yield made


def others(cluster: Cluster, member: ConsulMember) -> list[ConsulMember]:
    return [server for server in cluster.servers() if server is not member]


def test_histories_are_linearizable_through_kills_and_pauses(cluster: Cluster) -> None:
    seed = random.randrange(1 << 32)
    with RecordedClients(cluster, KEYS, random.Random(seed)) as clients:
        clients.more(100)
        leader = cluster.leader()
        leader.kill()
        cluster.leader()
        cluster.restart(leader)
        clients.more(50)
        leader = cluster.settled()
        with paused(leader):
            cluster.leader(others(cluster, leader))
            clients.more(20)
        clients.more(50)
        follower = others(cluster, cluster.settled())[0]
        with paused(follower):
            clients.more(50)
        follower.kill()
        clients.more(50)
        cluster.restart(follower)
        clients.more(50)
    assert (violation := check(clients.history)) is None, f"seed {seed}: {violation}"


def address_of(host: str, port: int) -> str:
    """What the DNS of an agent says of the node ``pn``."""
    question = dns.message.make_query("pn.node.consul", "A")
    answer = dns.query.udp(question, host, port=port, timeout=30)
    return " ".join(item.to_text() for record in answer.answer for item in record)


def test_a_paused_leader_answers_nothing_that_is_over(cluster: Cluster, dns_port: int) -> None:
    """Whatever is asked of it while it stands still is the first thing it reads, before any clock of its own."""
    leader = cluster.settled()
    written(leader, "PUT", "/v1/kv/paused", b"old")
    written(leader, "PUT", "/v1/catalog/register", b'{"Node": "pn", "Address": "10.0.0.1"}')
    for server in cluster.servers():
        assert address_of(server.host, dns_port) == "10.0.0.1", "whoever does not lead asks the leader"
    read, keys = [{"KV": {"Verb": "get", "Key": "paused"}}], [{"KV": {"Verb": "get-tree", "Key": "pau"}}]
    questions = [
        ("GET", "/v1/kv/paused", b""), ("GET", "/v1/kv/paused?consistent", b""), ("GET", "/v1/kv/pau?recurse", b""),
        ("PUT", "/v1/txn", json.dumps(read).encode()), ("PUT", "/v1/txn?consistent", json.dumps(read).encode()),
        ("PUT", "/v1/txn", json.dumps(keys).encode()),
    ]  # fmt: skip
    clients = [leader.client() for _ in questions]
    for client in clients:
        client.call("GET", "/v1/status/leader")
    with ThreadPoolExecutor(len(questions) + 1) as threads:
        with paused(leader):
            successor = cluster.leader(others(cluster, leader))
            written(successor, "PUT", "/v1/kv/paused", b"new")
            written(successor, "PUT", "/v1/catalog/register", b'{"Node": "pn", "Address": "10.0.0.2"}')
            address = threads.submit(address_of, leader.host, dns_port)
            replies = [
                threads.submit(client.call, *question) for client, question in zip(clients, questions, strict=True)
            ]
            # They have been sent once a later one of the same process has been answered.
            eventually(lambda: all(one.running() for one in (*replies, address)), "all have asked")
            successor.ok("GET", "/v1/kv/paused?consistent")
        for question, reply in zip(questions, replies, strict=True):
            found = reply.result()
            assert found.status == 200 and "bmV3" in found.text, (question, found.status, found.text)
        assert address.result() == "10.0.0.2"


def test_a_lock_rests_under_the_next_leader_too(cluster: Cluster) -> None:
    leader = cluster.settled()
    ids = [
        written(leader, "PUT", "/v1/session/create", b'{"LockDelay": "30s", "NodeChecks": []}').json()["ID"]
        for _ in range(2)
    ]
    assert written(leader, "PUT", f"/v1/kv/rests?acquire={ids[0].upper()}", b"1").text.strip() == "true"
    assert written(leader, "PUT", f"/v1/kv/rests?acquire={ids[1]}", b"2").text.strip() == "false"
    written(leader, "PUT", f"/v1/session/destroy/{ids[0]}")
    assert written(leader, "PUT", f"/v1/kv/rests?acquire={ids[1]}", b"2").text.strip() == "false"
    leader.kill()
    successor = cluster.leader(others(cluster, leader))
    body = json.dumps([{"KV": {"Verb": "lock", "Key": "rests", "Session": ids[1], "Value": "Mg=="}}]).encode()
    for server in others(cluster, leader):
        assert written(server, "PUT", f"/v1/kv/rests?acquire={ids[1]}", b"2").text.strip() == "false"
    refused = successor.call("PUT", "/v1/txn", body)
    assert (refused.status, "due to lock delay" in refused.text) == (409, True)
    cluster.restart(leader)
    cluster.settled()


def test_nothing_acknowledged_is_lost_by_many_quick_kills(cluster: Cluster) -> None:
    """Of one server after the other as soon as it is back, at last of all at once."""
    with AcknowledgedWrites(cluster, "quick") as writes:
        for server in cluster.everybody() * 2:
            writes.more(10)
            server.kill()
            cluster.restart(server)
        writes.more(10)
        cluster.power_off()
        for server in cluster.everybody():
            cluster.restart(server, wait=False)
        leader = cluster.settled()
        writes.more(10)
    assert not writes.missing(leader)
    cluster.same_state()


@pytest.fixture
def small_disks(tmp_path: Path) -> Iterator[list[Path]]:
    """Data directories of three servers, each a file system of eight mebibytes."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount small file systems")
    places = [tmp_path / name for name, _ in SERVERS]
    try:
        for place in places:
            disk = place / "data"
            disk.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=True)
        yield places
    finally:
        for place in places:
            subprocess.run(["umount", "-l", str(place / "data")], check=False)


@pytest.fixture
def full_disk(small_disks: list[Path], tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, *SERVERS, extra=["-hcl", KEEP_VOTES]) as made:
        made.settled()
        yield made


def test_full_disks(full_disk: Cluster) -> None:
    """Of a follower, then of a leader: the others go on, all clients are served, and nothing is lost."""
    cluster = full_disk
    with AcknowledgedWrites(cluster, "w") as writes:
        for is_leader in (False, True):
            leader = cluster.leader()
            full = leader if is_leader else others(cluster, leader)[0]
            known = full.log().count(DISK_FULL)
            stuff(full.data_dir)
            eventually(
                lambda full=full, known=known: full.log().count(DISK_FULL) > known, "it notices", ELECTION_TIMEOUT_S
            )
            assert cluster.leader() is not full, "and all know who leads, it too"
            writes.more()
            written(full, "PUT", f"/v1/kv/through-the-full/{is_leader}", b"1")
            (full.data_dir / "stuffing").unlink()
            cluster.settled()
    for server in cluster.servers():
        eventually(lambda server=server: not writes.missing(server), f"{server.name} has everything")
    cluster.same_state()


def stuff(place: Path) -> None:
    """Take all the room there is."""
    with (place / "stuffing").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def test_an_idle_cluster_is_never_called_unhealthy(tmp_path: Path) -> None:
    """With the default timing, in which heartbeats are rarer than autopilot has patience."""
    with Cluster(tmp_path, *SERVERS, extra=["-hcl", "performance { raft_multiplier = 5 }"]) as made:
        leader = made.settled()

        def healthy() -> bool:
            return bool(leader.call("GET", "/v1/operator/autopilot/health").json()["Healthy"])

        eventually(healthy, "all servers are stable", ELECTION_TIMEOUT_S)
        shown = []
        for _ in range(3):  # autopilot looks every two seconds
            time.sleep(2.1)
            shown.append(leader.ok("GET", "/v1/operator/autopilot/health").json())
        assert all(one["Healthy"] for one in shown), shown
        assert len({str([server["StableSince"] for server in one["Servers"]]) for one in shown}) == 1
