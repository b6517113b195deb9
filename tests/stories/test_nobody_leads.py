"""A lone survivor of three: what it still answers, and what it says of the rest. Every row is Consul 1.8.7's answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.message
import dns.query
import pytest

from proconsul.testing.ports import free_ports
from support.clusters import Cluster, written
from support.harness import Subject, eventually, program
from support.pools import ConsulMember

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS = Subject.OURS
NO_LEADER = (500, "No cluster leader")
READ = b'[{"KV": {"Verb": "get", "Key": "k"}}]'
WRITE = b'[{"KV": {"Verb": "set", "Key": "k", "Value": "dg=="}}]'


@pytest.fixture(scope="module")
def dns_port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory, dns_port: int) -> Iterator[ConsulMember]:
    # Who waits for a leader, waits a second; `?max_stale` and DNS decide by contact, which is lost a little later.
    extra = ["-dns-port", str(dns_port), "-hcl", 'performance { rpc_hold_timeout = "1s" }']
    servers = [(f"s{number}", OURS) for number in (1, 2, 3)]
    with Cluster(tmp_path_factory.mktemp("lone"), *servers, extra=extra) as cluster:
        leader = cluster.settled()
        written(leader, "PUT", "/v1/kv/k", b"v")
        cluster.same_state()
        survivor = next(member for member in cluster.servers() if member is not leader)
        for member in cluster.servers():
            if member is not survivor:
                member.kill()
        eventually(lambda: survivor.ok("GET", "/v1/status/leader").json() == "", "nobody leads", 60.0)
        yield survivor


REFUSED = [
    ("GET", "/v1/kv/k", b""), ("GET", "/v1/kv/k?consistent", b""), ("PUT", "/v1/kv/k", b"x"),
    ("GET", "/v1/kv/k?index=1&wait=1s", b""), ("PUT", "/v1/txn", READ), ("PUT", "/v1/txn", WRITE),
    ("PUT", "/v1/txn?stale", WRITE), ("PUT", "/v1/session/create", b"{}"), ("GET", "/v1/catalog/nodes", b""),
    ("PUT", "/v1/catalog/deregister", b'{"Node": "x"}'), ("GET", "/v1/coordinate/nodes", b""),
    ("GET", "/v1/operator/raft/configuration", b""), ("GET", "/v1/operator/autopilot/health", b""),
    ("GET", "/v1/operator/autopilot/configuration", b""), ("GET", "/v1/snapshot", b""),
    ("DELETE", "/v1/operator/raft/peer?address=10.0.0.1:8300", b""),
]  # fmt: skip
ANSWERED = [
    ("GET", "/v1/kv/k?stale", b""), ("GET", "/v1/kv/k?max_stale=1ms", b""),
    ("GET", "/v1/kv/k?stale&index=99&wait=1s", b""),
    ("PUT", "/v1/txn?stale", READ), ("GET", "/v1/catalog/nodes?stale", b""), ("GET", "/v1/session/list?stale", b""),
    ("GET", "/v1/coordinate/nodes?stale", b""), ("GET", "/v1/operator/raft/configuration?stale", b""),
    ("GET", "/v1/operator/autopilot/configuration?stale", b""), ("GET", "/v1/status/peers", b""),
    ("GET", "/v1/agent/self", b""), ("GET", "/v1/agent/members", b""), ("PUT", "/v1/event/fire/x", b""),
    ("PUT", "/v1/agent/service/register", b'{"Name": "meanwhile"}'), ("GET", "/v1/agent/services", b""),
]  # fmt: skip


def test_each_request_is_answered(lone: ConsulMember) -> None:
    questions = [*REFUSED, *ANSWERED]
    with ThreadPoolExecutor(len(questions)) as threads:
        replies = list(threads.map(lambda question: lone.client().call(*question), questions))
    for question, reply in zip(questions, replies, strict=True):
        found = (reply.status, reply.text.strip())
        assert found == NO_LEADER if question in REFUSED else reply.status == 200, (question, found)
    for target in ("/v1/kv/k?stale", "/v1/catalog/nodes?stale"):
        reply = lone.ok("GET", target)
        assert reply.header("X-Consul-KnownLeader") == "false"
        assert int(reply.header("X-Consul-LastContact") or 0) > 0


def test_discovery_goes_on(lone: ConsulMember, dns_port: int) -> None:
    """dns_config.allow_stale is on by default, so names are found as long as anybody is there."""
    for name in ("s1.node.consul", "consul.service.consul"):
        question = dns.message.make_query(name, "A")
        answer = dns.query.udp(question, lone.host, port=dns_port, timeout=30)
        assert answer.rcode() == 0 and answer.answer, name


@pytest.mark.parametrize(("words", "code", "text"), [
    (["kv", "get", "k"], 1, "Error querying Consul agent: Unexpected response code: 500"),
    (["kv", "get", "-stale", "k"], 0, "v"),
    (["members"], 0, "s1"),
    (["catalog", "nodes"], 1, "Error listing nodes: Unexpected response code: 500 (No cluster leader)"),
    (["operator", "raft", "list-peers"], 1, "Unexpected response code: 500 (No cluster leader)"),
    (["operator", "raft", "list-peers", "-stale"], 0, "follower"),
    (["operator", "autopilot", "get-config"], 1, "Unexpected response code: 500 (No cluster leader)"),
    (["snapshot", "save", "backup"], 1, "Error saving snapshot: Unexpected response code: 500 (No cluster leader)"),
    (["snapshot", "save", "-stale", "backup"], 0, "Saved and verified snapshot to index"),
])  # fmt: skip
def test_commands_say_so(lone: ConsulMember, tmp_path: Path, words: list[str], code: int, text: str) -> None:
    name = words.pop() if words[-1] in ("k", "backup") else ""
    line = [*words, f"-http-addr={lone.host}:{lone.ports['http']}", *([name] if name else [])]
    command = [*program(OURS), *line]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == code and text in done.stdout + done.stderr, done
    assert (tmp_path / "backup").exists() == (code == 0 and "snapshot" in words)
