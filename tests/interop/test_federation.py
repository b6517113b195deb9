"""Datacenters of Consul 1.8.7 and of ours in one federation: whoever is asked, the answer is the same.

Two observers, one of each program, ask the same about the same two other datacenters, which are one of each program
too; then once more through client agents, and while a datacenter is lost and comes back.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from proconsul.testing.ports import free_port
from support.dns_packets import Parsed, query
from support.harness import Reply, Subject, eventually
from support.patience import PATIENCE_S
from support.pools import ConsulMember, Pool, require_reference

pytestmark = pytest.mark.reference

A, TXT, AAAA, SRV, ANY = 1, 16, 28, 33, 255
TARGETS = ("theirs2", "ours2", "nowhere")
NO_SESSION = "2ecf4b9e-6c6b-4ba8-8e3e-5c95d8a1b9c2"
TAGGED = {"lan_ipv4": "10.5.5.5", "wan": "9.9.9.9", "wan_ipv4": "8.8.8.8"}
SERVICE = {
    "Service": "six", "Port": 1, "Address": "10.2.2.2",
    "TaggedAddresses": {"lan": {"Address": "10.2.2.2", "Port": 1}, "wan": {"Address": "7.7.7.7", "Port": 9}},
}  # fmt: skip
CATALOG = (
    {"Node": "n6", "Address": "10.1.1.1", "TaggedAddresses": TAGGED, "Service": SERVICE},
    {"Node": "n7", "Address": "10.1.1.7", "TaggedAddresses": {"wan": "9.9.9.7"}, "Service": {"Service": "seven"},
     "Check": {"Name": "c", "Status": "warning"}},
    {"Node": "n8", "Address": "10.1.1.8", "TaggedAddresses": {"wan": "w.example"},
     "Service": {"Service": "eight", "TaggedAddresses": {"wan": {"Address": "s.example", "Port": 0}}}},
    {"Node": "n9", "Address": "fd00::1", "TaggedAddresses": {"lan_ipv4": "10.5.5.9", "wan_ipv6": "fd00::9"},
     "Service": {"Service": "nine", "Address": "fd00::2", "TaggedAddresses": {"lan_ipv4": {"Address": "10.6.6.6"}}}},
    # Addresses that are of no use to some: empty ones, of the other family, of both.
    {"Node": "o1", "Address": "10.1.2.1", "TaggedAddresses": {"wan": "::ffff:9.9.9.1"},
     "Service": {"Service": "mapped"}},
    {"Node": "o2", "Address": "10.1.2.2", "TaggedAddresses": {"wan": "9.9.9.2"},
     "Service": {"Service": "empty", "Address": "10.2.2.2", "TaggedAddresses": {"wan": {"Address": "", "Port": 9}}}},
    {"Node": "o3", "Address": "10.1.2.3", "TaggedAddresses": {"wan": "9.9.9.3"},
     "Service": {"Service": "sixth", "Port": 6, "TaggedAddresses": {"wan": {"Address": "fd00::3", "Port": 7}}}},
    {"Node": "o4", "Address": "fd00::4", "TaggedAddresses": {"wan": "fd00::5"},
     "Service": {"Service": "fourth", "Port": 4, "TaggedAddresses": {"wan": {"Address": "9.9.9.4", "Port": 8}}}},
)  # fmt: skip
# What is asked about a datacenter, in this order.
REQUESTS: tuple[tuple[str, str, bytes | None], ...] = (
    ("PUT", "/v1/kv/a?dc=%s", b"v"),
    ("GET", "/v1/kv/a?raw&dc=%s", None),
    ("GET", "/v1/kv/?keys&dc=%s&consistent", None),
    ("GET", "/v1/kv/none?dc=%s", None),
    ("PUT", "/v1/kv/b?dc=%s&cas=7777", b""),
    ("PUT", "/v1/kv/b?dc=%s&acquire=x", b""),
    ("DELETE", "/v1/kv/a?dc=%s", None),
    ("PUT", "/v1/txn?dc=%s", b'[{"KV":{"Verb":"set","Key":"t","Value":"eA=="}}]'),
    ("PUT", "/v1/txn?dc=%s", b'[{"KV":{"Verb":"get","Key":"t"}}]'),
    ("PUT", "/v1/txn?dc=%s", b'[{"KV":{"Verb":"get","Key":"none"}}]'),
    ("GET", "/v1/catalog/nodes?dc=%s&filter=Node+matches+%%22%%5En%%22", None),
    ("GET", "/v1/catalog/nodes?dc=%s&near=_agent&filter=Node==n6", None),
    ("GET", "/v1/catalog/services?dc=%s&stale", None),
    ("GET", "/v1/catalog/service/six?dc=%s", None),
    ("GET", "/v1/catalog/service/eight?dc=%s&tag=none", None),
    ("GET", "/v1/catalog/node/n6?dc=%s", None),
    ("GET", "/v1/catalog/node/none?dc=%s", None),
    ("GET", "/v1/catalog/node-services/n7?dc=%s", None),
    ("GET", "/v1/catalog/connect/six?dc=%s", None),
    ("GET", "/v1/health/service/nine?dc=%s&consistent", None),
    ("GET", "/v1/health/service/seven?dc=%s&passing", None),
    ("GET", "/v1/health/service/six?dc=%s&max_stale=1ms", None),
    ("GET", "/v1/health/node/n7?dc=%s", None),
    ("GET", "/v1/health/checks/six?dc=%s", None),
    ("GET", "/v1/health/state/warning?dc=%s", None),
    ("GET", "/v1/health/connect/six?dc=%s", None),
    ("GET", "/v1/status/leader?dc=%s", None),
    ("GET", "/v1/status/peers?dc=%s", None),
    ("PUT", "/v1/session/create?dc=%s", b"{}"),
    ("PUT", "/v1/session/create?dc=%s", b'{"Node":"n6","NodeChecks":[]}'),
    ("GET", "/v1/session/node/none?dc=%s", None),
    ("GET", f"/v1/session/info/{NO_SESSION}?dc=%s", None),
    ("PUT", f"/v1/session/renew/{NO_SESSION}?dc=%s", b""),
    ("PUT", f"/v1/session/destroy/{NO_SESSION}?dc=%s", b""),
    ("PUT", "/v1/event/fire/deploy?dc=%s", b"x"),
    ("GET", "/v1/operator/raft/configuration?dc=%s&stale", None),
    ("GET", "/v1/operator/autopilot/configuration?dc=%s", None),
    ("PUT", "/v1/operator/autopilot/configuration?dc=%s&cas=7777", b'{"CleanupDeadServers":true}'),
    ("DELETE", "/v1/operator/raft/peer?address=127.0.0.1:1&dc=%s", None),
    ("GET", "/v1/coordinate/node/none?dc=%s", None),
    ("PUT", "/v1/catalog/register?dc=%s", b'{"Node":"x","Address":"1.2.3.4"}'),
    ("PUT", "/v1/catalog/register?to=%s", b'{"Datacenter":"%s","Node":"x","Address":"1.2.3.4"}'),
    ("PUT", "/v1/catalog/deregister?to=%s", b'{"Datacenter":"%s","Node":"x"}'),
    ("PUT", "/v1/catalog/deregister?dc=%s", b'{"Node":"x"}'),
    ("POST", "/v1/query?dc=%s", b'{"Name":"tried","Service":{"Service":"six"}}'),
    ("POST", "/v1/query?dc=%s", b'{"Name":"tried","Service":{"Service":"six"}}'),
    ("POST", "/v1/query?dc=%s", b'{"Name":"tried2"}'),
    ("GET", "/v1/query/none?dc=%s", None),
    ("GET", f"/v1/query/{NO_SESSION}?dc=%s", None),
    ("PUT", f"/v1/query/{NO_SESSION}?dc=%s", b'{"Name":"x","Service":{"Service":"six"}}'),
    ("DELETE", f"/v1/query/{NO_SESSION}?dc=%s", None),
    ("GET", "/v1/query/tried/execute?dc=%s", None),
    ("GET", "/v1/query/tried/execute?dc=%s&near=_agent&limit=1", None),
    ("GET", "/v1/query/tried/execute?dc=%s&near=_ip&stale", None),
    ("GET", "/v1/query/tried/execute?dc=%s&connect=true&consistent", None),
    ("GET", "/v1/query/tried/explain?dc=%s", None),
    ("GET", "/v1/query/nobody/execute?dc=%s", None),
    ("GET", "/v1/query/nobody/explain?dc=%s", None),
    ("GET", "/v1/kv/a?dc=%s&index=x", None),
    ("GET", "/v1/kv/a?dc=%s&stale&consistent", None),
)
QUESTIONS = tuple(
    (f"{name}.%s.consul", kind)
    for name in ("n6.node", "n7.node", "n9.node", "none.node", "six.service", "seven.service", "eight.service",
                 "nine.service", "none.service", "o1.node", "mapped.service", "empty.service",
                 "sixth.service", "fourth.service", "eight.query", "warned.query", "none.query",
                 "_six._tcp.service", "none.connect")
    for kind in (A, AAAA, SRV, ANY, TXT)
)  # fmt: skip


TEMPLATE = {"Type": "name_prefix_match"}
# Services that a query of the observers' datacenters looks for, and where else.
FAILING_OVER: tuple[dict[str, Any], ...] = (
    {"Service": "six", "Failover": {"Datacenters": ["nowhere", "ours2", "theirs2"]}},
    {"Service": "six", "Failover": {"Datacenters": ["theirs2", "ours2"]}},
    {"Service": "none", "Failover": {"Datacenters": ["ours2", "nowhere", "theirs2"]}},
    {"Service": "none", "Failover": {"Datacenters": ["ours2", "ours2", "theirs1", "ours1", "theirs2"]}},
    {"Service": "none", "Failover": {"NearestN": 9, "Datacenters": ["ours2", "theirs2"]}},
    {"Service": "none", "Failover": {"Datacenters": ["nowhere"]}},
    {"Service": "seven", "OnlyPassing": True, "Failover": {"Datacenters": ["theirs2", "ours2"]}},
    {"Service": "seven", "Near": "n7", "Tags": ["!x"], "Failover": {"Datacenters": ["theirs2", "ours2"]}},
    {"Service": "eight", "Connect": True, "Failover": {"Datacenters": ["ours2", "theirs2"]}},
    {"Service": "${name.suffix}", "Failover": {"Datacenters": ["${name.suffix}", "ours2", "theirs2"]}},
    {"Service": "nine", "Failover": {"Datacenters": ["theirs2"]}},
)


class Observer(NamedTuple):
    """Who is asked: an agent, and the port of its DNS."""

    agent: ConsulMember
    dns: int

    def asked(self, name: str, kind: int) -> Parsed:
        """The answer to a question."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE_S)
            sock.sendto(query(name, kind, edns=4096), (self.agent.host, self.dns))
            return Parsed(sock.recv(65535))


class Federation(NamedTuple):
    """ours1 and theirs1 watch ours2 and theirs2; clients of each kind are in ours1."""

    pool: Pool
    observers: tuple[Observer, Observer]
    clients: tuple[Observer, Observer]

    def agent(self, name: str) -> ConsulMember:
        member = self.pool.members[name]
        assert isinstance(member, ConsulMember)
        return member


def _begin(pool: Pool, name: str, subject: Subject, datacenter: str, *words: str, server: bool) -> Observer:
    port = free_port()
    words = (*words, "-datacenter", datacenter, "-dns-port", str(port), "-hcl", "translate_wan_addrs = true")
    return Observer(pool.add_consul(name, subject, *words, server=server), port)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """All of it, joined and with the same catalog in the datacenters that are watched."""
    require_reference()
    ours, theirs = Subject.OURS, Subject.REFERENCE
    with Pool(tmp_path_factory.mktemp("federation")) as pool:
        first = _begin(pool, "ours1", ours, "ours1", server=True)
        wan = ("-retry-join-wan", first.agent.wan_gossip, "-retry-interval-wan", "1s")
        second = _begin(pool, "theirs1", theirs, "theirs1", *wan, server=True)
        for subject, name in ((ours, "ours2"), (theirs, "theirs2")):
            _begin(pool, name, subject, name, *wan, server=True)
        lan = ("-retry-join", first.agent.gossip, "-retry-interval", "1s")
        clients = [_begin(pool, f"client{number}", subject, "ours1", *lan, server=False)
                   for number, subject in enumerate((theirs, ours))]  # fmt: skip
        found = Federation(pool, (first, second), (clients[0], clients[1]))
        for member in pool.agents():
            member.wait_ready()
        for member in pool.agents():
            eventually(lambda one=member: len(datacenters(one)) == 4, f"{member.name} knows all")  # type: ignore[misc]
        for name in ("ours2", "theirs2"):
            for row in CATALOG:
                found.agent(name).ok("PUT", "/v1/catalog/register", json.dumps(row).encode())
            for query_name, service in (("eight", "eight"), ("warned", "seven")):
                body = {"Name": query_name, "Service": {"Service": service}, "DNS": {"TTL": "8s"}}
                found.agent(name).ok("POST", "/v1/query", json.dumps(body).encode())
        for name in ("ours1", "theirs1"):
            for number, wanted in enumerate(FAILING_OVER):
                body = {"Name": f"f{number}-", "Template": TEMPLATE, "Service": wanted, "DNS": {"TTL": "9s"}}
                found.agent(name).ok("POST", "/v1/query", json.dumps(body).encode())
        yield found


def datacenters(agent: ConsulMember) -> list[str]:
    reply = agent.call("GET", "/v1/catalog/datacenters")
    return list(reply.json()) if reply.status == 200 else []


def shown(reply: Reply) -> tuple[Any, ...]:
    """An answer without what differs from run to run."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", reply.text)
    text = re.sub(r',"LastIndex":\d+}', "}", text)  # of servers in Raft, from 1.16 on
    text = re.sub(r'("(?:Create|Modify)Index"|"LTime"): ?\d+', r"\1:0", text)
    headers = {name.lower(): value for name, value in reply.headers}
    kept = {name: value for name, value in headers.items()
            if name.startswith("x-") and name not in ("x-consul-index", "x-consul-lastcontact")}  # fmt: skip
    return reply.status, text, headers.get("content-type"), sorted(kept.items())


def asked(observer: Observer, target: str) -> list[tuple[Any, ...]]:
    found = []
    observer.agent.call("DELETE", f"/v1/kv/?recurse&dc={target}", b"")
    left = observer.agent.call("GET", f"/v1/query?dc={target}")
    for one in left.json() if left.status == 200 else ():
        if one["Name"] == "tried":
            observer.agent.ok("DELETE", f"/v1/query/{one['ID']}?dc={target}")
    for method, path, body in REQUESTS:
        reply = observer.agent.call(method, path % target, body.replace(b"%s", target.encode()) if body else body)
        found.append((method, path, *shown(reply)))
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_requests_for_another_datacenter(federation: Federation, target: str) -> None:
    ours, theirs = (asked(observer, target) for observer in federation.observers)
    for mine, reference in zip(ours, theirs, strict=True):
        assert mine[:2] == reference[:2] and mine == reference, f"{mine}\n{reference}"


@pytest.mark.parametrize("target", TARGETS)
def test_requests_through_client_agents(federation: Federation, target: str) -> None:
    through_theirs, through_ours = (asked(observer, target) for observer in federation.clients)
    for mine, reference in zip(through_ours, through_theirs, strict=True):
        assert mine[:2] == reference[:2] and mine == reference, f"{mine}\n{reference}"


@pytest.mark.parametrize("target", TARGETS)
def test_names_of_another_datacenter(federation: Federation, target: str) -> None:
    for name, kind in QUESTIONS:
        one, other, *clients = [
            observer.asked(name % target, kind).shape() for observer in (*federation.observers, *federation.clients)
        ]
        for found in (one, *clients):
            assert found == other, f"{name % target} {kind}"


def test_an_empty_address_for_the_wan_is_none(federation: Federation) -> None:
    row = {"Node": "hollow", "Address": "10.1.3.1", "TaggedAddresses": {"wan": ""}, "Service": {"Service": "hollow"}}
    for target in TARGETS[:2]:
        federation.agent(target).ok("PUT", "/v1/catalog/register", json.dumps(row).encode())
        for observer in (federation.observers[0], federation.clients[1]):
            for name in ("hollow.node", "hollow.service"):
                found = observer.asked(f"{name}.{target}.consul", A)
                assert b"\x0a\x01\x03\x01" in [record[4] for record in found.sections[0]], f"{name} in {target}"


def test_queries_fail_over(federation: Federation) -> None:
    """What is found elsewhere, where, and after how many were asked: as Consul says it, also to DNS and to clients."""
    targets = [f"/v1/query/f{number}-eight/execute{option}" for number in range(len(FAILING_OVER))
               for option in ("", "?limit=1", "?stale", "?near=_agent", "?connect=true")]  # fmt: skip
    for target in targets:
        one, other, *clients = [
            _without_place(shown(observer.agent.call("GET", target)))
            for observer in (*federation.observers, *federation.clients)
        ]
        for found in (one, *clients):
            assert found == other, target
    nearest = federation.agent("ours1").ok("GET", "/v1/query/f1-/execute").json()
    assert (nearest["Datacenter"], nearest["Failovers"], len(nearest["Nodes"])) == ("theirs2", 1, 1)
    for number in range(len(FAILING_OVER)):
        for kind in (A, SRV, ANY):
            one, other, *clients = [
                observer.asked(f"f{number}-eight.query.consul", kind).shape()
                for observer in (*federation.observers, *federation.clients)
            ]
            for answer in (one, *clients):
                assert answer == other, f"{number} {kind}"


def _without_place(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What nobody finds was looked for last in a datacenter of each observer's own."""
    status, text, *rest = answer
    if '"Nodes":[]' in text:
        text = re.sub(r'"Datacenter":"\w+","Failovers":\d', "", text)
    return status, text, *rest


def test_a_read_waits_for_a_change_elsewhere(federation: Federation) -> None:
    for number, observer in enumerate((*federation.observers, *federation.clients)):
        for target in ("ours2", "theirs2"):
            path = f"/v1/kv/watched?dc={target}"
            observer.agent.ok("PUT", path, b"0")
            index = dict(observer.agent.ok("GET", path).headers)["X-Consul-Index"]
            replies: list[Reply] = []
            wait = f"{path}&index={index}&wait=60s"
            thread = threading.Thread(target=lambda: replies.append(observer.agent.ok("GET", wait)))  # noqa: B023
            thread.start()
            federation.agent(target).ok("PUT", "/v1/kv/watched", f"new{number}".encode())
            thread.join(PATIENCE_S)
            assert replies[0].json()[0]["Value"] == b64encode(f"new{number}".encode()).decode()


def test_sessions_and_locks_elsewhere(federation: Federation) -> None:
    for number, observer in enumerate((*federation.observers, *federation.clients)):
        for target in ("ours2", "theirs2"):
            call, key = observer.agent.ok, f"/v1/kv/lock{number}?dc={target}"
            body = json.dumps({"Node": target, "TTL": "60s"}).encode()
            session = call("PUT", f"/v1/session/create?dc={target}", body).json()["ID"]
            assert call("PUT", f"{key}&acquire={session}", b"").json() is True
            assert call("PUT", f"/v1/session/renew/{session}?dc={target}").json()[0]["ID"] == session
            assert call("PUT", f"{key}&release={session}", b"").json() is True
            assert call("PUT", f"/v1/session/destroy/{session}?dc={target}").json() is True
            assert observer.agent.call("PUT", f"/v1/session/renew/{session}?dc={target}", b"").status == 404


def test_events_reach_another_datacenter(federation: Federation) -> None:
    for number, observer in enumerate((*federation.observers, *federation.clients)):
        for target in ("ours2", "theirs2"):
            observer.agent.ok("PUT", f"/v1/event/fire/over{number}?dc={target}", b"there")
            there = federation.agent(target)
            eventually(lambda: there.has_event(f"over{number}", "there"), f"{target} has the event")  # noqa: B023


def test_snapshots_of_another_datacenter(federation: Federation) -> None:
    for observer in (*federation.observers, *federation.clients):
        for target in ("ours2", "theirs2"):
            saved = observer.agent.ok("GET", f"/v1/snapshot?dc={target}")
            assert saved.body[:2] == b"\x1f\x8b"
            observer.agent.ok("PUT", f"/v1/snapshot?dc={target}", saved.body)
            eventually(lambda: federation.agent(target).call("GET", "/v1/kv/?keys").status in (200, 404), "it leads")  # noqa: B023


def test_each_knows_where_the_others_are(federation: Federation) -> None:
    for observer in (*federation.observers, *federation.clients):
        maps = observer.agent.ok("GET", "/v1/coordinate/datacenters").json()
        assert {one["Datacenter"] for one in maps} == {"ours1", "theirs1", "ours2", "theirs2"}
        assert all(one["Coordinates"][0]["Node"] == one["Datacenter"] for one in maps)


def test_a_datacenter_is_lost_leaves_and_comes_back(federation: Federation) -> None:
    """Lost, it stays known and nobody answers for it; once it left nobody knows it any more."""
    lost = federation.agent("ours2")
    ours = federation.observers[0].agent

    def answer() -> tuple[int, str]:
        reply = ours.call("GET", "/v1/kv/a?dc=ours2")
        return reply.status, reply.text

    lost.kill()
    unreachable = (500, "Remote DC has no server currently reachable")
    eventually(lambda: answer() == unreachable, "it is told that nobody is there", 60)
    assert "ours2" in datacenters(ours)
    assert federation.observers[0].asked("n6.node.ours2.consul", A).rcode == 2
    lost.start()
    lost.wait_ready()
    eventually(lambda: answer()[0] in (200, 404), "it is back", 60)
    # Who has not heard of the others yet has an old clock, and its leaving counts as older than its failing.
    eventually(lambda: len(datacenters(lost)) == 4, "it knows everybody", 60)
    lost.leave()
    eventually(lambda: answer() == (500, "No path to datacenter"), "it is forgotten", 60)
    assert "ours2" not in datacenters(ours)
    assert federation.observers[0].asked("n6.node.ours2.consul", A).rcode == 3
    lost.start()
    lost.wait_ready()
    eventually(lambda: answer()[0] in (200, 404), "it is back again", 60)
