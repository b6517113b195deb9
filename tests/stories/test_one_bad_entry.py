"""One entry that cannot be written keeps no other from the catalog: neither a member's nor a registration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.clusters import Cluster, written
from support.harness import Agent, Subject, eventually
from support.pools import ConsulMember

OURS = Subject.OURS


def entry(leader: ConsulMember, name: str) -> dict[str, str]:
    """Id and serfHealth of a node, empty when it is not there."""
    node = leader.call("GET", f"/v1/catalog/node/{name}").json()
    checks = leader.call("GET", f"/v1/health/node/{name}").json()
    health = [check["Status"] for check in checks if check["CheckID"] == "serfHealth"]
    return {"name": node["Node"]["Node"], "id": node["Node"]["ID"], "serf": "".join(health)} if node else {}


def services(leader: ConsulMember, name: str) -> set[str]:
    node = leader.call("GET", f"/v1/catalog/node/{name}").json()
    return set(node["Services"]) if node else set()


def node_id(member: ConsulMember) -> str:
    return str(member.call("GET", "/v1/agent/self").json()["Config"]["NodeID"])


def lines(member: ConsulMember | Agent, *words: str) -> list[str]:
    return [line for line in member.log().splitlines() if all(word in line for word in words)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    running: list[Cluster] = []

    def begin(folder: str, *clients: str) -> Cluster:
        one = Cluster(tmp_path / folder, ("s1", OURS), clients=[(name, OURS) for name in clients])
        running.append(one)
        return one

    yield begin
    for one in running:
        one.__exit__()


@pytest.mark.long
def test_two_members_whose_names_differ_in_case_only(cluster: Callable[..., Cluster]) -> None:
    pool = cluster("pool", "A-web")
    leader, first = pool.settled(), pool.members["A-web"]
    assert isinstance(first, ConsulMember)
    written(first, "PUT", "/v1/agent/service/register", b'{"Name": "api"}')
    pool._add("a-WEB", OURS, [])
    second = pool.members["a-WEB"]
    assert isinstance(second, ConsulMember)
    pool.restart(second)
    written(second, "PUT", "/v1/agent/service/register", b'{"Name": "other"}')
    said = ("failed to reconcile member", "member=a-WEB", "held by A-web")
    eventually(lambda: lines(leader, *said), "the leader says it")
    eventually(lambda: lines(second, "failed to sync node", "is reserved by node"), "the second says it")
    # Everybody else is looked after, by the next leader as well.
    later = pool._add("z-late", OURS, [])
    pool.restart(later)
    eventually(lambda: entry(leader, "z-late").get("serf") == "passing", "who comes later is in the catalog")
    leader.kill()
    pool.restart(leader)
    pool.leader([leader])
    eventually(lambda: len(lines(leader, *said)) == 2, "the next leader says it")
    later.kill()
    eventually(lambda: entry(leader, "z-late").get("serf") == "critical", "who dies is called so")
    assert entry(leader, "a-web") == {"name": "A-web", "id": node_id(first), "serf": "passing"}
    assert services(leader, "a-web") == {"api"}
    # The name is free: the other has it within seconds, with what it registered and nothing else.
    first.leave()
    eventually(lambda: entry(leader, "a-web").get("id") == node_id(second), "the second takes the entry over")
    second.call("PUT", "/v1/agent/service/register", b'{"Name": "again"}')
    eventually(lambda: services(leader, "a-web") == {"other", "again"}, "and what it registered")
    assert len(lines(leader, "failed to reconcile member")) == 2, "once in each life of the leader"


def test_a_snapshot_of_the_cluster_that_had_these_names(cluster: Callable[..., Cluster]) -> None:
    """1.8.7 refuses the new agents for good: their names are reserved by ids nobody has any more."""
    old = cluster("old", "c1")
    written(old.settled(), "PUT", "/v1/kv/kept", b"yes")
    client = old.members["c1"]
    assert isinstance(client, ConsulMember)
    written(client, "PUT", "/v1/agent/service/register", b'{"Name": "old"}')
    eventually(lambda: services(old.leader(), "c1") == {"old"}, "the old service is in the catalog")
    archive = old.leader().ok("GET", "/v1/snapshot").body
    old.power_off()
    new = cluster("new", "c1")
    leader, client = new.settled(), new.members["c1"]
    assert isinstance(client, ConsulMember)
    leader.ok("PUT", "/v1/snapshot", archive)
    for member in (leader, client):
        whole = {"name": member.name, "id": node_id(member), "serf": "passing"}
        eventually(lambda whole=whole: entry(leader, whole["name"]) == whole, f"{member.name} has its entry")  # type: ignore[misc]
    assert leader.ok("GET", "/v1/kv/kept?raw").text == "yes"
    written(client, "PUT", "/v1/agent/service/register", b'{"Name": "web"}')
    eventually(lambda: "web" in services(leader, "c1"), "what the new agent registers arrives")


BAD: dict[str, Any] = {
    "empty": "",
    "nothing": "{}",
    "null": '{"Service": null}',
    "no-object": "[]",
    "cut": '{"Service": {"ID": "x"',
    "phantom": '{"Service": {"ID": "phantom"}}',
    "wrong-type": '{"Service": {"ID": 1, "Service": "x"}}',
    "refused": '{"Service": {"ID": "refused", "Service": "refused", "Meta": {"": "x"}}}',
    "refused-too": '{"Service": {"ID": "refused-too", "Service": "r", "Meta": {"a/b": "x"}}}',
}
BAD_CHECKS = {
    "empty": "",
    "nothing": "{}",
    "null": '{"Check": null}',
    "orphan": '{"Check": {"CheckID": "o", "ServiceID": "no"}}',
    "cannot-run": '{"Check": {"CheckID": "c"}, "ChkType": {"TCP": "x:1"}}',
}


def test_files_and_registrations_that_are_no_good(start_agent: Callable[..., Agent]) -> None:
    agent = start_agent("-log-level=info", dev=False)
    for number in range(20):
        agent.call("PUT", "/v1/agent/service/register", json.dumps({"Name": f"good{number}"}))
    agent.kill()
    for folder, bad in (("services", BAD), ("checks", BAD_CHECKS)):
        (agent.data_dir / folder).mkdir(exist_ok=True)
        for name, text in bad.items():
            (agent.data_dir / folder / name).write_text(text)
    agent.restart()

    def known() -> set[str]:
        return set(agent.call("GET", "/v1/catalog/node/n1").json()["Services"])

    expected = {"consul", *(f"good{number}" for number in range(20))}
    eventually(lambda: known() == expected, "all that are good are there")
    agent.call("PUT", "/v1/agent/service/register", json.dumps({"Name": "later"}))
    assert known() == expected | {"later"}
    assert agent.call("PUT", "/v1/agent/reload").status == 200
    agent.call("PUT", "/v1/agent/service/deregister/good0")
    eventually(lambda: known() == expected - {"good0"} | {"later"}, "what goes, goes")
    for name in BAD.keys() - {"phantom", "refused", "refused-too"}:
        assert lines(agent, "[ERROR]", f"/services/{name} "), f"{name} is named"
    for name in ("empty", "nothing", "null"):
        assert lines(agent, "[ERROR]", f"/checks/{name} "), f"{name} is named"
    assert len(lines(agent, "failed to sync service", "service=refused ")) == 1
    assert len(lines(agent, "failed to sync service", "service=refused-too ")) == 1
