"""Client agents of one program on servers of the other: what each leaves to its servers, and what they answer."""

# mypy: disable-error-code="call-overload,union-attr"

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import dns.message
import dns.query
import pytest

from proconsul.testing.ports import free_ports
from support.clusters import Cluster
from support.fsm_story import Rpc
from support.harness import Reply, Subject
from support.patience import PATIENCE_S
from support.pools import ConsulMember, require_reference

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
UNKNOWN = "11111111-1111-1111-1111-111111111111"


class Pair:
    """A server, and a client agent of another program."""

    def __init__(self, cluster: Cluster, dns_port: int) -> None:
        self.cluster, self.dns_port = cluster, dns_port
        self.server, self.client = cluster.members["s"], cluster.members["c"]
        assert isinstance(self.server, ConsulMember) and isinstance(self.client, ConsulMember)


@pytest.fixture(scope="module", params=[(THEIRS, OURS), (OURS, THEIRS), (OURS, OURS)], ids=lambda pair: "-".join(
    "their" if one is THEIRS else "our" for one in pair))  # fmt: skip
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    require_reference()
    server, client = request.param
    port = free_ports(1)[0]
    with Cluster(tmp_path_factory.mktemp("pair"), ("s", server)) as cluster:
        member = cluster._add("c", client, ["-dns-port", str(port)])
        cluster.restart(member)
        cluster.settled()
        yield Pair(cluster, port)


def put(member: Any, target: str, body: Any) -> Reply:
    reply: Reply = member.call("PUT", target, json.dumps(body).encode())
    return reply


def test_a_service_without_checks(pair: Pair) -> None:
    """Its list of checks is nil in Go, and it is found all the same: by HTTP, blocking or not, and by DNS."""
    node = {"Node": "nC", "Address": "10.0.0.3", "SkipNodeUpdate": False, "Service": {"Service": "bare", "Port": 80}}
    assert put(pair.server, "/v1/catalog/register", node).status == 200
    client = pair.client.client(timeout_s=10)
    for target in ("/v1/health/service/bare", "/v1/health/service/bare?index=1&wait=1s",
                   "/v1/health/service/bare?passing", "/v1/health/connect/bare"):  # fmt: skip
        reply = client.call("GET", target)
        names = [one["Service"]["Service"] for one in reply.json()]
        assert (reply.status, names) == (200, [] if "connect" in target else ["bare"]), target
        assert all(one["Checks"] == [] for one in reply.json())
    shown = client.call("GET", "/v1/catalog/service/bare").json()[0]
    assert (shown["ServiceMeta"], shown["ServiceTags"]) == ({}, [])
    question = dns.message.make_query("bare.service.consul", "A")
    answer = dns.query.udp(question, pair.client.host, port=pair.dns_port, timeout=10)
    assert [item.to_text() for record in answer.answer for item in record] == ["10.0.0.3"]


def test_an_alias_of_another_node(pair: Pair) -> None:
    """Clients have no catalog of their own to look at."""
    check = {"CheckID": "far", "Name": "far", "Status": "passing"}
    far = {"Node": "far", "Address": "10.0.0.9", "Check": check}
    assert put(pair.server, "/v1/catalog/register", far).status == 200
    alias = {"ID": "near", "Name": "near", "AliasNode": "far"}
    assert put(pair.client, "/v1/agent/check/register", alias).status == 200
    said = {"passing": "All checks passing.", "critical": 'Aliased check "far" failing: '}
    for status in ("passing", "critical", "passing"):
        check["Status"] = status
        put(pair.server, "/v1/catalog/register", far)
        shown, deadline = ("", ""), time.monotonic() + PATIENCE_S
        while shown != (status, said[status]) and time.monotonic() < deadline:
            near = pair.client.call("GET", "/v1/agent/checks").json()["near"]
            shown = near["Status"], near["Output"]
        assert shown == (status, said[status])


def test_sessions_are_renewed(pair: Pair) -> None:
    body = {"TTL": "10s", "Node": "s", "NodeChecks": []}
    session = put(pair.server, "/v1/session/create", body).json()["ID"]
    for member in (pair.client, pair.server):
        for spelling in (session, session.upper()):
            renewed = member.call("PUT", f"/v1/session/renew/{spelling}")
            assert (renewed.status, [one["ID"] for one in renewed.json()]) == (200, [session])
        missing = member.call("PUT", f"/v1/session/renew/{UNKNOWN}")
        assert (missing.status, missing.text.strip()) == (404, f"Session id '{UNKNOWN}' not found")
    assert put(pair.client, f"/v1/kv/locked?acquire={session.upper()}", "v").text.strip() == "true"
    assert put(pair.client, f"/v1/session/destroy/{session}", None).status == 200
    assert "Session" not in pair.client.ok("GET", "/v1/kv/locked").json()[0]


def test_ids_that_are_left_out_are_the_names(pair: Pair) -> None:
    ops = [
        {"Node": {"Verb": "set", "Node": {"Node": "nT", "Address": "10.0.0.4"}}},
        {"Service": {"Verb": "set", "Node": "nT", "Service": {"Service": "named"}}},
        {"Check": {"Verb": "set", "Check": {"Node": "nT", "Name": "alive", "Status": "passing"}}},
    ]
    results = put(pair.client, "/v1/txn", ops).json()["Results"]
    assert (results[1]["Service"]["ID"], results[2]["Check"]["CheckID"]) == ("named", "alive")
    assert put(pair.client, "/v1/txn", [{"KV": {"Verb": "delete", "Key": "none"}}]).json()["Results"] == []
    assert put(pair.client, "/v1/txn", [{"KV": {"Verb": "check-not-exists", "Key": "none"}}]).json()["Results"] == []
    gone = [{"Check": {"Verb": "delete", "Check": {"Node": "nT", "Name": "alive"}}},
            {"Service": {"Verb": "delete", "Node": "nT", "Service": {"Service": "named"}}}]  # fmt: skip
    assert put(pair.client, "/v1/txn", gone).status == 200
    assert pair.client.ok("GET", "/v1/health/node/nT").json() == []


def test_transactions_that_only_read(pair: Pair) -> None:
    assert put(pair.client, "/v1/kv/t", "v").status == 200
    for query in ("", "?consistent", "?stale"):
        found = put(pair.client, f"/v1/txn{query}", [{"KV": {"Verb": "get", "Key": "t"}}])
        assert (found.status, found.json()["Results"][0]["KV"]["Key"]) == (200, "t")
        assert found.header("X-Consul-Index") == "" and found.json()["KnownLeader"] is True
    refused = put(pair.client, "/v1/txn?consistent", [{"KV": {"Verb": "get", "Key": k}} for k in ("x", "t", "y")])
    assert [one["OpIndex"] for one in refused.json()["Errors"]] == [0, 2]


@pytest.mark.parametrize("verb", ["set", "cas", "delete", "delete-cas", "delete-tree", "lock", "unlock"])
def test_a_read_on_the_rpc_port_writes_nothing(pair: Pair, verb: str) -> None:
    """Only the state machine writes, whatever a peer asks for."""
    assert put(pair.server, "/v1/kv/only/there", "v").status == 200
    before = pair.server.ok("GET", "/v1/kv/?recurse")
    rpc = Rpc(pair.server.ports["server"], pair.server.host)
    for key in ("only/there", "only/new"):
        entry = {"Key": key, "Value": b"x", "Session": UNKNOWN, "ModifyIndex": 0}
        ops = [{"KV": {"Verb": "get", "DirEnt": {"Key": "only/there"}}}, {"KV": {"Verb": verb, "DirEnt": entry}}]
        answer = rpc.call("Txn.Read", {"Datacenter": "dc1", "Ops": ops})
        if pair.cluster.members["s"].subject is OURS:
            assert [one["OpIndex"] for one in answer["Errors"]] == [1] and answer["Results"] is None
    rpc.close()
    after = pair.server.ok("GET", "/v1/kv/?recurse")
    assert (after.body, after.header("X-Consul-Index")) == (before.body, before.header("X-Consul-Index"))


def test_a_read_whose_client_has_said_its_last_word_is_answered(pair: Pair) -> None:
    request = b"GET /v1/kv/absent?index=99999999&wait=20s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for member in (pair.client, pair.server):
        if member.subject is THEIRS:
            continue  # it answers when the wait is over
        with socket.create_connection((member.host, member.ports["http"]), timeout=15) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 404 "), answer
