"""What an agent registers while nobody leads, or while it knows no server, is in the catalog soon after the return."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import Cluster
from support.harness import Subject, eventually
from support.pools import ConsulMember

OURS = Subject.OURS
# It is two seconds at the most; ten are still less than the fifteen after which anybody tries again for no reason.
SOON_S = 10.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("small"), ("s1", OURS), clients=[("c1", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        cluster.settled()
        yield cluster


def register(member: ConsulMember, name: str) -> None:
    body = {"Name": name, "Check": {"CheckID": f"check-{name}", "TTL": "1h"}}
    member.ok("PUT", "/v1/agent/service/register", json.dumps(body).encode())
    member.ok("PUT", f"/v1/agent/check/pass/check-{name}")


def passing(server: ConsulMember, name: str) -> bool:
    return bool(server.call("GET", f"/v1/health/service/{name}?passing").json())


def arrives(server: ConsulMember, names: dict[str, bool]) -> float:
    """Wait until services are there, or gone; seconds since ``server`` answers as, or through, a leader."""
    eventually(lambda: server.call("GET", "/v1/kv/nothing").status == 404, "somebody leads", 60)
    began = time.monotonic()
    for name, there in names.items():
        eventually(lambda name=name, there=there: passing(server, name) is there, f"{name} arrives", SOON_S)  # type: ignore[misc]
    return time.monotonic() - began


def outage(cluster: Cluster, how: str, seconds: float, number: int) -> float:
    """Take the only server away and register meanwhile. Returns how late the catalog knew."""
    server, client = cluster.members["s1"], cluster.members["c1"]
    assert isinstance(server, ConsulMember) and isinstance(client, ConsulMember)
    register(client, f"before{number}")
    eventually(lambda: passing(server, f"before{number}"), "the first service is known")
    if how == "kill":
        server.kill()
    else:
        os.kill(server.pid, signal.SIGSTOP)
    began = time.monotonic()
    register(client, f"during{number}")
    client.ok("PUT", f"/v1/agent/service/deregister/before{number}")
    while time.monotonic() - began < seconds:
        client.ok("GET", "/v1/agent/services")
        time.sleep(0.1)
    if how == "kill":
        server.start()
        server.wait_ready()
    else:
        os.kill(server.pid, signal.SIGCONT)
    eventually(lambda: client.members()["s1"].status == "alive", "the client knows its server")
    return arrives(server, {f"during{number}": True, f"before{number}": False})


def test_the_only_server_comes_back(small: Cluster) -> None:
    outage(small, "kill", 4.0, 0)


def test_an_agent_that_starts_before_any_server(small: Cluster) -> None:
    server = small.members["s1"]
    assert isinstance(server, ConsulMember)
    server.kill()
    early = small._add("early", OURS, [])
    small.restart(early)
    register(early, "early")
    server.start()
    server.wait_ready()
    eventually(lambda: early.members().get("s1") is not None, "the agent has found a server")
    arrives(server, {"early": True})


@pytest.mark.long
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_outages_of_all_lengths(small: Cluster, how: str) -> None:
    late = [outage(small, how, seconds, 100 + number) for number, seconds in enumerate((1, 4, 9, 16, 33, 50))]
    assert sorted(late)[len(late) // 2] < 2.0, late


@pytest.mark.long
def test_a_quorum_is_gone_and_comes_back(tmp_path: Path) -> None:
    names = ("s1", "s2", "s3")
    with Cluster(tmp_path, *((name, OURS) for name in names), clients=[("c1", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        cluster.settled()
        client = cluster.members["c1"]
        assert isinstance(client, ConsulMember)
        for number, seconds in enumerate((0, 10, 30)):
            *gone, left = cluster.servers()
            for server in gone:
                server.kill()
            began = time.monotonic()
            for member in (left, client):
                register(member, f"{member.name}-{number}")
            while time.monotonic() - began < seconds:
                client.ok("GET", "/v1/agent/services")
                time.sleep(0.1)
            for server in gone:
                cluster.restart(server, wait=False)
            arrives(left, {f"{member.name}-{number}": True for member in (left, client)})
            cluster.settled()
