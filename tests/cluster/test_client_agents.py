"""Client agents, ours and Consul's, side by side under one Consul server: before it is there, with it, and after it.

Everything is asked of both, and has to be answered alike: by themselves, by their caches, and by the server.
"""

# mypy: disable-error-code="misc,arg-type"

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rdatatype
import pytest

from proconsul.testing.ports import free_ports
from support.clusters import Cluster, paused
from support.harness import Reply, Subject, eventually
from support.pools import ConsulMember, require_reference

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
HEADERS = (
    "Age", "X-Cache", "X-Consul-Index", "X-Consul-Knownleader", "X-Consul-Lastcontact",
    "X-Consul-Effective-Consistency",
)  # fmt: skip
DNS_PORTS: dict[str, int] = {}
WEB = "/v1/health/service/web?cached"
# Asked while no server is known. What is asked of the cache then the reference asks for again by itself, later.
ALONE = (
    "GET /v1/kv/a", "GET /v1/kv/a?recurse", "GET /v1/kv/a?cached", "PUT /v1/kv/a", "DELETE /v1/kv/a",
    "GET /v1/catalog/nodes", "GET /v1/catalog/nodes?stale", "GET /v1/catalog/services",
    "GET /v1/catalog/services?cached&node-meta=a:b",
    "GET /v1/catalog/service/web", "GET /v1/catalog/service/alone?cached", "GET /v1/catalog/datacenters",
    "GET /v1/catalog/datacenters?cached", "GET /v1/catalog/node/x", "PUT /v1/catalog/register {}",
    "GET /v1/health/service/web", "GET /v1/health/service/alone?cached", "GET /v1/health/service/web?index=5&wait=1s",
    "GET /v1/health/service/alone?cached&index=5&wait=1s", "GET /v1/health/node/x", "GET /v1/health/state/any",
    "GET /v1/health/service/web?dc=other", "GET /v1/health/service/web?dc=dc1", "GET /v1/kv/a?consistent",
    "GET /v1/status/leader", "GET /v1/status/peers", "PUT /v1/session/create", "GET /v1/session/list",
    "PUT /v1/session/renew/11111111-1111-1111-1111-111111111111",
    "PUT /v1/txn [{\"KV\":{\"Verb\":\"get\",\"Key\":\"a\"}}]",
    "GET /v1/coordinate/nodes", "GET /v1/operator/raft/configuration", "GET /v1/operator/autopilot/configuration",
    "GET /v1/operator/keyring", "PUT /v1/event/fire/x", "GET /v1/event/list", "GET /v1/snapshot",
    "GET /v1/agent/services?filter=Meta.a==1", "GET /v1/agent/health/service/name/web",
    "GET /v1/health/service/web?filter=xx", "GET /v1/acl/tokens", "GET /v1/acl/bootstrap",
)  # fmt: skip
# Asked when there is one. What begins with ? is about `WEB`.
SERVED = (
    WEB, WEB, "?passing", "?stale", "?max_stale=10s", "?dc=dc1", "?index=1&wait=1s", "?tag=none", "?tag=none",
    "?node-meta=a:b", "?filter=Service.Port==80", "?filter=xx", "?filter=xx", "?consistent", "?dc=other", "?pretty",
    "/v1/health/service/web?filter=xx", "/v1/catalog/nodes?filter=xx", "/v1/catalog/nodes?cached",
    "/v1/catalog/services?cached", "/v1/catalog/services?cached", "/v1/catalog/service/web?cached",
    "/v1/catalog/service/web?cached", "/v1/catalog/connect/web?cached", "/v1/health/connect/web?cached",
    "/v1/catalog/datacenters?cached", "/v1/catalog/datacenters?cached", "/v1/catalog/datacenters?cached|max-age=3600",
    "/v1/catalog/datacenters?cached|max-age=0", "/v1/catalog/datacenters?cached|must-revalidate",
    "/v1/catalog/datacenters?cached|max-age", f"{WEB}|must-revalidate",
    f"{WEB}|max-age=0", "/v1/kv/none?cached", "/v1/kv/none?index=1&wait=1ms", "/v1/catalog/node/none",
    "/v1/status/leader",
    "/v1/kv/none?dc=other", "/v1/health/service/none?cached", "/v1/health/service/none?cached", "/v1/acl/tokens",
    "/v1/session/info/x", "/v1/health/service/web?index=1&wait=1ms", "/v1/health/state/xx",
)  # fmt: skip


class Clients:
    """The two clients."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self.cluster, self.directory = cluster, directory
        members = [cluster.members["theirs"], cluster.members["ours"]]
        self.both = [member for member in members if isinstance(member, ConsulMember)]

    def configure(self, **more: Any) -> None:
        for member in self.both:
            service = {"name": f"of-{member.name}", "check": {"ttl": "1h", "status": "passing"}}
            settings = {"service": service, "dns_config": {"use_cache": True}, **more}
            (self.directory / f"{member.name}.json").write_text(json.dumps(settings))

    def ask(self, what: str) -> list[tuple[Any, ...]]:
        """The answers of both."""
        return [shown(one_answer(member, what)) for member in self.both]

    def all_same(self, asked: Sequence[str]) -> None:
        """Ask all of it, one after the other."""
        answers = {f"{number} {what}": self.ask(what) for number, what in enumerate(asked)}
        assert {what: both for what, both in answers.items() if both[0] != both[1]} == {}

    def same(self, what: str) -> tuple[Any, ...]:
        theirs, ours = self.ask(what)
        assert ours == theirs, what
        return ours


def one_answer(member: ConsulMember, what: str) -> Reply:
    """``METHOD target body|Cache-Control``; a method is not needed."""
    method, _, rest = what.partition(" ") if what[0] != "/" and what[0] != "?" else ("GET", "", what)
    target, _, control = rest.partition("|")
    target, _, body = target.partition(" ")
    target = WEB + "&" + target[1:] if target.startswith("?") else target
    client = member.client()
    try:
        return client.call(
            method, target, body.encode() if method != "GET" else None, [("Cache-Control", control)] if control else ()
        )
    finally:
        client.close()


def resolved(member: ConsulMember) -> set[int]:
    """The ports that DNS has of the service."""
    question = dns.message.make_query("web.service.consul", "SRV")
    answer = dns.query.udp(question, member.host, port=DNS_PORTS[member.host], timeout=10)
    return {row.port for rows in answer.answer for row in rows if row.rdtype == dns.rdatatype.SRV}


def shown(reply: Reply) -> tuple[Any, ...]:
    """What has to be alike: an age is one, however many seconds; a port of its own is none of the answer's."""
    headers = {name: reply.header(name) for name in HEADERS if reply.header(name)}
    if "Age" in headers:
        headers["Age"] = "old" if int(headers["Age"]) > 600 else "young"
    return reply.status, headers, re.sub(r"\d+\.\d+\.\d+\.\d+:0->", "", reply.text)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    require_reference()
    directory = tmp_path_factory.mktemp("clients")
    names = [("theirs", THEIRS), ("ours", OURS)]
    with Cluster(directory) as cluster:
        server = ConsulMember("s", directory / "s", subject=THEIRS, arguments=["-server", "-bootstrap-expect=1"])
        cluster.members["s"] = server
        for name, subject in names:
            port = free_ports(1)[0]
            file = str(directory / f"{name}.json")
            member = cluster._add(name, subject, ["-config-file", file, "-dns-port", str(port)])
            DNS_PORTS[member.host] = port
        found = Clients(cluster, directory)
        found.configure()
        for member in found.both:
            cluster.restart(member, wait=False)
        yield found


def test_before_there_are_servers(clients: Clients) -> None:
    """What they answer by themselves, and what they say of the rest; then everything registered arrives by itself."""
    for member in clients.both:
        eventually(lambda member=member: member.call("GET", "/v1/agent/self").status == 200, "they run")
    clients.all_same(ALONE)
    for member in clients.both:
        stats = member.call("GET", "/v1/agent/self").json()["Stats"]
        assert stats["consul"] == {"acl": "disabled", "known_servers": "0", "server": "false"}
    clients.cluster.restart(clients.cluster.members["s"])
    for member in clients.both:
        where = f"/v1/health/service/of-{member.name}?passing"
        eventually(lambda member=member, where=where: member.ok("GET", where).json() != [], f"{where} is known")
        stats = member.call("GET", "/v1/agent/self").json()["Stats"]
        assert stats["consul"] == {"acl": "disabled", "known_servers": "1", "server": "false"}


def test_with_a_server(clients: Clients) -> None:
    server = clients.cluster.members["s"]
    assert isinstance(server, ConsulMember)
    server.ok("PUT", "/v1/agent/service/register", b'{"Name": "web", "Port": 80}')

    def settled() -> bool:
        """Whether all has been written that agents and the leader write by themselves, one after the other."""
        nodes = server.ok("GET", "/v1/catalog/nodes").json()
        alive = [row for row in server.ok("GET", "/v1/health/state/any").json() if row["CheckID"] == "serfHealth"]
        return len(alive) == 3 and all(node["Meta"] and node["TaggedAddresses"] for node in nodes)

    eventually(settled, "nobody writes any more")
    clients.all_same(SERVED)
    # Who waits is told of a change, through the cache or not; and then the cache has it, at once.
    ports = iter(range(1000, 2000))
    for path in ("/v1/health/service/web?cached", "/v1/health/service/web?"):
        for member in clients.both:
            index = server.ok("GET", "/v1/health/service/web").index
            eventually(lambda member=member, path=path, index=index: member.ok("GET", path).index == index, "it knows")
            with Waits(member, f"{path}&index={index}&wait=5m") as wait:
                body = {"Name": "web", "Port": next(ports)}
                server.ok("PUT", "/v1/agent/service/register", json.dumps(body).encode())
                reply = wait()
            assert reply.json()[0]["Service"]["Port"] == body["Port"]
            assert (reply.header("X-Cache") != "") == ("cached" in path)
            now = member.ok("GET", path)
            assert now.json()[0]["Service"]["Port"] == body["Port"]
    for member in clients.both:
        timeout = member.ok("GET", f"{WEB}&index={member.ok('GET', WEB).index}&wait=10ms")
        assert (timeout.header("X-Cache"), timeout.header("Age")) == ("MISS", "")


def test_who_stood_still_is_back_with_all_it_has(clients: Clients) -> None:
    """Of a node that was taken for dead everything may have been removed: the agent looks as soon as it hears of it."""
    server, ours = clients.cluster.members["s"], clients.both[1]
    assert isinstance(server, ConsulMember)

    def passing() -> set[str]:
        rows = server.ok("GET", f"/v1/health/node/{ours.name}").json()
        return {one["CheckID"] for one in rows if one["Status"] == "passing"}

    eventually(lambda: passing() == {"serfHealth", "service:of-ours"}, "all is there")
    before = ours.ok("GET", "/v1/agent/sync").json()["NextComparison"]
    with paused(ours):
        eventually(lambda: not passing() - {"service:of-ours"}, "it is taken for dead", 60.0)
        server.ok("PUT", f"/v1/agent/force-leave/{ours.name}")
        eventually(lambda: not server.ok("GET", f"/v1/health/node/{ours.name}").json(), "it is removed", 60.0)
    eventually(lambda: passing() == {"serfHealth", "service:of-ours"}, "all is there again", 150.0)
    after = ours.ok("GET", "/v1/agent/sync").json()["LastComparison"]
    assert after < before, "it was not waited for the next comparison"


def test_limits_of_calls(clients: Clients) -> None:
    """A reload limits what is asked of servers; what is cached is answered all the same."""
    clients.same(WEB)
    clients.configure(limits={"rpc_rate": 1e-9, "rpc_max_burst": 1})
    for member in clients.both:
        member.ok("PUT", "/v1/agent/reload")
    try:
        eventually(lambda: {one[0] for one in clients.ask("/v1/kv/a")} == {429}, "both have asked enough")
        for what in ("/v1/kv/a", "/v1/health/service/web", "PUT /v1/kv/a x", "/v1/status/leader", "GET /v1/snapshot",
                     "PUT /v1/session/create {}", "/v1/health/service/new?cached", "/v1/operator/raft/configuration",
                     "/v1/catalog/datacenters"):  # fmt: skip
            theirs, ours = clients.ask(what)
            # The body of 1.8.7 is empty.
            assert (theirs[0], ours[0], ours[2]) == (429, 429, "RPC rate limit exceeded"), what
        assert clients.same(WEB)[1]["X-Cache"] == "HIT"
        assert clients.same("/v1/agent/services?filter=Port==1")[0] == 200
    finally:
        clients.configure()
        for member in clients.both:
            member.ok("PUT", "/v1/agent/reload")
    eventually(lambda: {one[0] for one in clients.ask("/v1/kv/a")} == {404}, "servers are asked again")


def test_when_the_server_has_gone(clients: Clients) -> None:
    """The last answers are had from the cache, older and older; when it is back they are current again."""
    server = clients.cluster.members["s"]
    assert isinstance(server, ConsulMember)
    clients.same(WEB)
    server.ok("PUT", "/v1/agent/service/register", b'{"Name": "web", "Port": 80}')
    for member in clients.both:
        eventually(lambda member=member: resolved(member) == {80}, "DNS has it")
    server.kill()
    for member in clients.both:
        eventually(lambda member=member: int(member.call("GET", WEB).header("Age")) > 0, "it is old")
        assert member.call("GET", WEB).header("X-Cache") == "HIT"
        assert resolved(member) == {80}, "DNS has it from the cache, too"
        for control in ("must-revalidate", "max-age=1", "max-age=1,stale-if-error=1"):
            reply = one_answer(member, f"{WEB}|{control}")
            assert (reply.status, reply.header("X-Cache")) == (200, "HIT"), control  # as documented: it is refreshed
        eventually(lambda member=member: member.call("GET", "/v1/kv/a").text == "No known Consul servers", "it is gone")
    ours = clients.both[1]
    for what in ("/v1/health/service/new?cached", "/v1/kv/a", f"{WEB}&index=99999999&wait=1s"):
        assert clients.same(what)[0] == 500, what
    # 1.8.7 answers must-revalidate with what is old, and does not know stale-if-error for this endpoint.
    datacenters = "/v1/catalog/datacenters?cached"
    refused = one_answer(ours, f"{datacenters}|must-revalidate")
    assert (refused.status, refused.text) == (500, "No known Consul servers")
    for control in ("must-revalidate,stale-if-error=3600", "max-age=1,stale-if-error=3600", ""):
        reply = one_answer(ours, f"{datacenters}|{control}")
        assert (reply.status, reply.header("X-Cache"), reply.json()) == (200, "HIT", ["dc1"]), control
    clients.cluster.restart(server)
    # That of 1.8.7 stays old until the next change, or for ten minutes.
    eventually(lambda: ours.call("GET", WEB).header("Age") == "0", "it is current again")
    server.ok("PUT", "/v1/agent/service/register", b'{"Name": "web", "Port": 7}')
    for member in clients.both:
        eventually(lambda member=member: b'"Port":7,' in member.call("GET", WEB).body, "the change has arrived")


class Waits:
    """A request under way on a thread."""

    def __init__(self, member: ConsulMember, target: str) -> None:
        self._replies: list[Reply] = []
        self._thread = threading.Thread(target=lambda: self._replies.append(member.call("GET", target)))

    def __enter__(self) -> Any:
        self._thread.start()
        return self._wait

    def _wait(self) -> Reply:
        self._thread.join(60)
        return self._replies[0]

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
