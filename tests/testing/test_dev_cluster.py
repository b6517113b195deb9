"""Clusters in one thread: their whole API, elections, partitions, disks, two datacenters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proconsul.testing import ClusterNode, DevCluster


@pytest.fixture
def cluster() -> Iterator[DevCluster]:
    with DevCluster(seed=1) as cluster:
        yield cluster


def test_every_server_has_the_whole_api(cluster: DevCluster) -> None:
    assert [node.is_leader for node in cluster.nodes].count(True) == 1
    for node in cluster.nodes:
        assert node.put(f"kv/of/{node.name}", node.name).json() is True
        assert {one["Name"] for one in node.get("agent/members").json()} == {"s1", "s2", "s3"}
    keys = [node.get("kv/of/", keys=True, consistent=True).json() for node in cluster.nodes]
    assert keys == [["of/s1", "of/s2", "of/s3"]] * 3
    follower = cluster.followers[0]
    follower.put("agent/service/register", {"Name": "web", "Check": {"TTL": "10s", "Status": "passing"}})
    cluster.advance(2)
    found = cluster.leader.get("health/service/web", passing=True).json()
    assert [row["Node"]["Node"] for row in found] == [follower.name]
    cluster.advance(10)
    assert cluster.leader.get("health/service/web", passing=True).json() == []


def test_a_leader_that_is_lost_in_mid_write(cluster: DevCluster) -> None:
    old = cluster.leader
    write = old.begin("PUT", "kv/a", "1")
    cluster.advance(0.0001)
    old.fail()
    with pytest.raises(ConnectionResetError):
        write.wait()
    assert not old.alive
    with pytest.raises(ConnectionRefusedError):
        old.get("kv/a")
    new = cluster.leader
    assert new is not old
    seen = new.get("kv/a", consistent=True).status
    assert seen in (200, 404)  # it may have been done
    assert new.put("kv/b", "2").json() is True
    old.recover()
    cluster.wait_until(lambda: old.begin("GET", "kv/b?stale").wait().ok)
    assert old.get("kv/a", consistent=True).status == seen


def test_a_failed_node_is_critical_and_comes_back(cluster: DevCluster) -> None:
    lost = cluster.followers[0]
    lost.fail()

    def status() -> str:
        return str(cluster.leader.get(f"health/node/{lost.name}").json()[0]["Status"])

    cluster.wait_until(lambda: status() == "critical")
    lost.recover()
    cluster.wait_until(lambda: status() == "passing")


@pytest.mark.parametrize("seed", range(3))
def test_a_minority_does_not_write(seed: int) -> None:
    with DevCluster(servers=5, seed=seed) as cluster:
        old = cluster.leader
        minority = [old, cluster.followers[0]]
        majority = [node for node in cluster.nodes if node not in minority]
        cluster.partition(minority, majority)
        cluster.wait_until(lambda: any(node.is_leader for node in majority))
        answers = [node.put("kv/minority", "x") for node in minority]
        assert all(answer.status == 500 for answer in answers), answers
        assert majority[0].put("kv/majority", "y").json() is True
        assert old.get("kv/minority", stale=True).status == 404
        cluster.heal()
        cluster.wait_until(lambda: old.get("kv/majority", stale=True).ok)
        assert old.get("kv/majority", consistent=True).ok


def test_leadership_is_handed_over(cluster: DevCluster) -> None:
    old = cluster.leader
    new = old.step_down()
    assert new is not old and cluster.leader is new
    with pytest.raises(RuntimeError, match="does not lead"):
        old.step_down()
    for node in cluster.nodes:
        node.let_lead()
        assert cluster.leader is node and node.put("kv/a", node.name).json() is True


def test_disks_that_are_slow_hang_or_are_full(cluster: DevCluster) -> None:
    follower = cluster.followers[0]
    follower.slow_disk(0.5)
    assert cluster.leader.put("kv/a", "1").json() is True  # the others are a majority
    began = cluster.now
    for node in cluster.nodes:
        node.slow_disk(0.2)
    assert cluster.leader.put("kv/a", "2").json() is True
    assert cluster.now - began > 0.02
    for node in cluster.nodes:
        node.recover()
    full = cluster.followers[0]
    cluster.wait_until(lambda: full.get("kv/a", stale=True, raw=True).text == "2")
    full.fill_disk()
    assert cluster.leader.put("kv/a", "3").json() is True
    assert full.get("kv/a", stale=True, raw=True).text == "2"
    full.recover()
    cluster.wait_until(lambda: full.begin("GET", "kv/a?stale&raw").wait().text == "3")


def test_a_session_survives_a_change_of_leader_with_its_whole_ttl(cluster: DevCluster) -> None:
    # That of a node which fails ends with the health of its node.
    session = cluster.followers[0].put("session/create", {"TTL": "10s"}).json()["ID"]
    cluster.advance(15)
    cluster.leader.fail()
    cluster.advance(15)
    assert cluster.leader.get(f"session/info/{session}").json()
    cluster.advance(25)
    assert cluster.leader.get(f"session/info/{session}").json() == []


def test_a_token_is_denied_where_that_is_asked_for(cluster: DevCluster) -> None:
    cluster["s1"].deny("secret")
    assert [node.get("kv/a", token="secret").status for node in cluster.nodes] == [403, 404, 404]


def test_two_datacenters_and_the_line_between_them() -> None:
    with DevCluster(servers=1, datacenters=2, seed=5) as cluster:
        here, there = cluster["s1"], cluster["s1-dc2"]
        cluster.wait_until(lambda: set(here.get("catalog/datacenters").json()) == {"dc1", "dc2"})
        assert here.put("kv/a", "1", dc="dc2").json() is True
        assert (there.get("kv/a", raw=True).text, here.get("kv/a").status) == ("1", 404)
        cluster.partition([here], [there])
        assert here.get("kv/a", dc="dc2").status == 500
        assert here.put("kv/a", "2").json() is True
        cluster.heal()
        cluster.wait_until(lambda: here.begin("GET", "kv/a?dc=dc2").wait().ok)


def test_the_same_seed_has_the_same_course() -> None:
    def course(seed: int) -> tuple[object, ...]:
        with DevCluster(seed=seed) as cluster:
            cluster.lossy(0.1)
            ids = [node.put("session/create", {}).text for node in cluster.nodes]
            cluster.leader.fail()
            return cluster.leader.name, cluster.now, ids

    assert course(11) == course(11)
    assert course(11) != course(12)


async def test_a_cluster_may_be_used_where_a_loop_runs() -> None:
    with DevCluster(servers=1) as cluster:
        assert cluster.leader.put("kv/a", "1").json() is True


@pytest.mark.parametrize("options", [{"servers": 0}, {"servers": 10}, {"datacenters": 0}])
def test_what_is_no_cluster_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="1 to 9"):
        DevCluster(**options)


@pytest.mark.consul(servers=1, settings={"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": "m"}}})
def test_the_fixture(consul_cluster: DevCluster) -> None:
    node: ClusterNode = consul_cluster.leader
    assert node.put("kv/a", "1").status == 403
    node.token = "m"
    assert node.put("kv/a", "1").json() is True
