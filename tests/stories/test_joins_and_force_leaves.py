"""Joins that lead nowhere, and members that are made to leave: gone for good, still alive, known under two names."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from support.clusters import Cluster, written
from support.harness import Agent, Subject, eventually
from support.pools import ConsulMember

OURS = Subject.OURS


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that takes connections and never says anything."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., ConsulMember]]:
    begun: list[ConsulMember] = []

    def start(name: str, *arguments: str, folder: str = "", server: bool = True) -> ConsulMember:
        member = ConsulMember(name, tmp_path / (folder or name), subject=OURS, server=server, arguments=list(arguments))
        begun.append(member)
        member.start()
        return member

    yield start
    for member in begun:
        member.kill()


def exit_code(one: ConsulMember) -> int:
    """Once it has ended, which on a busy machine takes its time."""
    eventually(lambda: not one.running, f"{one.name} ends", 90)
    return one.wait_exit()


def wan(asked: ConsulMember) -> dict[str, str]:
    return {name: seen.status for name, seen in asked.members(wan=True).items()}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("no.such.name.invalid", "Failed to resolve no.such.name.invalid: lookup no.such.name.invalid"),
        ("127.0.0.1:1", "Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused"),
        ("node/127.0.0.1:1", "Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: connection refused"),
        ("127.0.0.1:99999", "Failed to resolve 127.0.0.1:99999"),
        ("a:b:c", "Failed to resolve a:b:c"), ("", "Failed to resolve"), (" ", "Failed to resolve"),
    ],
)  # fmt: skip
def test_addresses_that_are_none(dev_agent: Agent, target: str, said: str) -> None:
    reply = dev_agent.call("PUT", f"/v1/agent/join/{quote(target, safe='')}")
    assert reply.status == 500 and "1 error occurred:" in reply.text and said in reply.text


def test_itself(dev_agent: Agent) -> None:
    own = f"{dev_agent.host}:{dev_agent.ports['serf_lan']}"
    assert dev_agent.call("PUT", f"/v1/agent/join/{own}").status == 200
    assert len(dev_agent.call("GET", "/v1/agent/members").json()) == 1


def test_empty_lists_join_nobody(begin: Callable[..., ConsulMember]) -> None:
    lists = 'start_join = [""] retry_join = []'
    one = begin("s1", "-join", "", "-retry-join", "", "-retry-join-wan", " ", "-hcl", lists)
    one.wait_ready()
    eventually(lambda: one.call("GET", "/v1/status/leader").text.strip() != '""', "it leads")
    assert "joining:" not in one.log() and "Failed to resolve" not in one.log()


@pytest.mark.parametrize("server", [True, False])
def test_a_black_hole_and_signals(begin: Callable[..., ConsulMember], black_hole: str, server: bool) -> None:
    """Waiting for an answer that never comes, an agent reloads, answers, and ends when it is told to."""
    one = begin("m1", "-retry-join", black_hole, "-retry-interval=1s", server=server)
    one.wait_ready()
    eventually(lambda: f"(LAN) joining: lan_addresses=[{black_hole}]" in one.log(), "it joins")
    assert one.process is not None
    one.process.send_signal(signal.SIGHUP)
    eventually(lambda: "Caught: signal=hangup" in one.log(), "it reloads")
    one.ok("GET", "/v1/agent/self")
    one.process.send_signal(signal.SIGTERM)
    # As Consul: clients leave when they are told to end, servers do not.
    assert exit_code(one) == (1 if server else 0)


def test_retries_are_counted(begin: Callable[..., ConsulMember]) -> None:
    one = begin("s1", "-retry-join", "no.such.name.invalid", "-retry-max=2", "-retry-interval=1s")
    assert exit_code(one) == 1
    assert one.log().count("Join cluster failed, will retry") == 2
    assert "max join LAN retry exhausted, exiting" in one.log()


@pytest.mark.long
def test_a_wan_server_gone_for_good(begin: Callable[..., ConsulMember]) -> None:
    """Of a server in another datacenter the name in the WAN pool is the only one; 1.8.7 knows none of that name."""
    here, there = begin("s1"), begin("s1", "-datacenter=dc2", folder="there")
    for one in (here, there):
        one.wait_ready()
    there.ok("PUT", f"/v1/agent/join/{here.wan_gossip}?wan=1")
    eventually(lambda: wan(here) == {"s1.dc1": "alive", "s1.dc2": "alive"}, "both are in the WAN pool")
    there.kill()
    eventually(lambda: wan(here)["s1.dc2"] == "failed", "the other is known to be gone")
    for name in ("s1.dc3", "s2", "s1.dc2.dc1"):
        reply = here.call("PUT", f"/v1/agent/force-leave/{name}")
        assert (reply.status, reply.text.strip()) == (500, f"agent: No node found with name '{name}'")
    here.ok("PUT", "/v1/agent/force-leave/s1.dc2")
    assert wan(here) == {"s1.dc1": "alive", "s1.dc2": "left"}
    there.start()
    there.wait_ready()
    there.ok("PUT", f"/v1/agent/join/{here.wan_gossip}?wan=1")
    eventually(lambda: wan(here)["s1.dc2"] == "alive", "it comes back")
    there.kill()
    eventually(lambda: wan(here)["s1.dc2"] == "failed", "it is gone again")
    here.ok("PUT", "/v1/agent/force-leave/s1.dc2?prune")
    eventually(lambda: wan(here) == {"s1.dc1": "alive"}, "it is forgotten")
    assert here.members()["s1"].status == "alive"


@pytest.mark.long
def test_who_is_alive_cannot_be_made_to_leave(tmp_path: Path) -> None:
    """1.8.7 forgets a living member that is pruned, and its services with it, until it happens to come by."""
    with Cluster(tmp_path, ("s1", OURS), clients=[("c1", OURS), ("c2", OURS)]) as cluster:
        assert isinstance(cluster, Cluster)
        leader, client, other = cluster.settled(), cluster.members["c1"], cluster.members["c2"]
        assert isinstance(client, ConsulMember) and isinstance(other, ConsulMember)
        written(client, "PUT", "/v1/agent/service/register", b'{"Name": "web"}')
        for name in ("c1", "c1.dc1", "s1", "s1.dc1"):
            for how in ("", "?prune"):
                leader.ok("PUT", f"/v1/agent/force-leave/{name}{how}")
        cluster.everybody_sees()
        assert wan(leader) == {"s1.dc1": "alive"}
        eventually(lambda: bool(leader.call("GET", "/v1/health/service/web?passing").json()), "its service is there")
        other.kill()
        eventually(lambda: leader.members()["c2"].status == "failed", "one who died is known to")
        leader.ok("PUT", "/v1/agent/force-leave/c2?prune")
        eventually(lambda: "c2" not in leader.members() and "c2" not in client.members(), "and forgotten")
        eventually(lambda: leader.call("GET", "/v1/catalog/node/c2").json() is None, "by the catalog, too")
        cluster.restart(other)
        cluster.everybody_sees()
        eventually(lambda: leader.call("GET", "/v1/catalog/node/c2").json() is not None, "until it returns")
