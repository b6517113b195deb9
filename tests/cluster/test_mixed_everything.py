"""Two servers of Consul 1.8.7 and one of ours with access control, Connect and all that is replicated, in one quorum.

What our endpoints do not serve yet is written and read through the real servers; that all three hold the same shows in
the snapshots that each takes of its own state.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from proconsul.features.messages import MessageType
from support.clusters import ELECTION_TIMEOUT_S, AcknowledgedWrites, Cluster, written
from support.fsm_records import Records, parse_snapshot, read_archive, without_defects
from support.fsm_story import Teller, tell
from support.harness import Subject, eventually, program, run
from support.pools import ConsulMember, require_reference

Kind = MessageType
OURS, THEIRS = Subject.OURS, Subject.REFERENCE
ROOT = "11111111-2222-3333-4444-555555555555"
# Every agent's default token may do everything, so that requests need none. Snapshots are taken all the time.
SETTINGS = f"""
acl {{ enabled = true default_policy = "deny" tokens {{ master = "{ROOT}" agent = "{ROOT}" default = "{ROOT}" }} }}
connect {{ enabled = true }} primary_datacenter = "dc1" limits {{ http_max_conns_per_client = 1000 }}
raft_snapshot_threshold = 50 raft_snapshot_interval = "1s" raft_trailing_logs = 10
"""
AUTOPILOT = {"LastContactThreshold": "1s", "MaxTrailingLogs": 250, "ServerStabilizationTime": "500ms"}
# Every kind of record that a snapshot may hold, but for coordinates, which are only written after seconds.
IN_SNAPSHOTS = {
    Kind.REGISTER, Kind.KVS, Kind.SESSION, Kind.TOMBSTONE, Kind.PREPARED_QUERY, Kind.AUTOPILOT,
    Kind.INTENTION, Kind.CONNECT_CA, Kind.CA_PROVIDER_STATE, Kind.CA_CONFIG, Kind.INDEX, Kind.ACL_TOKEN_SET,
    Kind.ACL_POLICY_SET, Kind.CONFIG_ENTRY, Kind.ACL_ROLE_SET, Kind.ACL_BINDING_RULE_SET, Kind.ACL_AUTH_METHOD_SET,
    Kind.CHUNKING_STATE, Kind.FEDERATION_STATE,
}  # fmt: skip
# What a real server must serve from a state that it got from ours. Left out: what a leader changes when it begins.
SERVED = (
    "acl/tokens", "acl/policies", "acl/roles", "acl/auth-methods", "acl/binding-rules", "query", "connect/intentions",
    "connect/ca/roots",
    *(f"config/{kind}" for kind in (
        "proxy-defaults", "service-defaults", "service-resolver", "service-router", "service-splitter",
        "ingress-gateway", "terminating-gateway",
    )),
)  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_reference()
    servers = [("r1", THEIRS), ("o1", OURS), ("r2", THEIRS)]
    with Cluster(tmp_path_factory.mktemp("everything"), *servers, extra=["-hcl", SETTINGS]) as made:
        first = made.let_lead(made.everybody()[0])  # only a real leader creates the token from the configuration
        eventually(lambda: first.call("GET", "/v1/acl/tokens").status == 200, "access control is set up")
        made.settled()
        yield made


def archive_of(server: ConsulMember) -> bytes:
    """A snapshot of the state that ``server`` itself has. Raises OSError while it cannot take one."""
    reply = server.call("GET", "/v1/snapshot?stale")
    if reply.status != 200:
        raise OSError(reply.text)
    return reply.body


def records_of(server: ConsulMember) -> Records:
    return parse_snapshot(read_archive(archive_of(server))["state.bin"])[1]


def same_records(cluster: Cluster) -> Records:
    """Wait until all servers hold the same. Returns it."""
    first = cluster.servers()[0]
    # Consul takes no snapshot while the last entry is a configuration.
    written(first, "PUT", "/v1/kv/mark")

    def wrong() -> object:
        states = {server.name: without_defects(records_of(server)) for server in cluster.servers()}
        expected = states[first.name]
        return {
            name: (list(state - expected)[:4], list(expected - state)[:4])
            for name, state in states.items() if state != expected
        }  # fmt: skip

    cluster.until(wrong, "all servers hold the same", ELECTION_TIMEOUT_S)
    return records_of(first)


def served(server: ConsulMember) -> dict[str, Any]:
    """All of it, but the builtin policy that only our leaders bring."""
    found = {path: server.ok("GET", f"/v1/{path}").json() for path in SERVED}
    policies = [policy for policy in found["acl/policies"] if policy["Name"] != "builtin/global-read-only"]
    return found | {"acl/policies": policies}


def wipe(cluster: Cluster, server: ConsulMember) -> None:
    """Start ``server`` without what it had of Raft."""
    server.kill()
    shutil.rmtree(server.data_dir / "raft")
    cluster.restart(server)
    cluster.settled()


def restore_while_others_write(cluster: Cluster, archive: bytes, leader: ConsulMember) -> None:
    """Of what each writer was told is written, it loses what came before the restore and nothing after."""
    with AcknowledgedWrites(cluster, f"while-{leader.name}-restores") as writes:
        writes.more()
        leader.ok("PUT", "/v1/snapshot", archive)
        before = set(writes.acknowledged)
        writes.more()
    missing = writes.missing(cluster.settled())
    assert missing and missing <= before
    for member in cluster.agents():
        lost, kept = (
            {int(key.rsplit("/", 1)[1]) for key in keys if f"/{member.name}/" in key}
            for keys in (missing, writes.acknowledged - missing)
        )
        assert not lost or not kept or max(lost) < min(kept), f"{member.name}: lost {sorted(lost)}, kept {sorted(kept)}"


def test_ours_holds_what_a_real_leader_writes(cluster: Cluster) -> None:
    r1, o1, _ = cluster.everybody()
    teller = Teller(cluster.let_lead(r1))
    teller.token = ROOT
    tell(teller)
    teller.put("/v1/operator/autopilot/configuration", AUTOPILOT)  # the story's would call every server unhealthy
    assert {kind for kind, _ in same_records(cluster)} >= IN_SNAPSHOTS
    o1.kill()  # its own log, or its own snapshot and the log after it, gives the same again
    cluster.restart(o1)
    cluster.settled()
    same_records(cluster)


def test_a_real_follower_gets_everything_from_our_leader(cluster: Cluster) -> None:
    """By a restore in front of writers, by the snapshot for one that lost its data, and by the log after it."""
    r1, o1, r2 = cluster.everybody()
    told = served(cluster.let_lead(r1))
    archive = archive_of(o1)  # a real server's has only the first of the auth methods
    restore_while_others_write(cluster, archive, cluster.let_lead(o1))
    same_records(cluster)
    wipe(cluster, r2)
    for number, member in enumerate(cluster.servers()):
        written(member, "PUT", f"/v1/kv/after/{number}", b"w" * 600)
        session = written(member, "PUT", "/v1/session/create").json()["ID"]
        written(member, "PUT", f"/v1/kv/locked/{number}?acquire={session}")
        node = {"Node": f"later-{number}", "Address": "192.0.2.1", "Service": {"Service": "late"}}
        written(member, "PUT", "/v1/catalog/register", json.dumps(node).encode())
    same_records(cluster)
    assert served(cluster.let_lead(r2)) == told


def test_ours_gets_everything_from_a_real_leader(cluster: Cluster) -> None:
    r1, o1, _ = cluster.everybody()
    cluster.let_lead(r1)
    restore_while_others_write(cluster, archive_of(o1), r1)
    same_records(cluster)
    wipe(cluster, o1)
    written(o1, "PUT", "/v1/kv/after-wipe", b"1")
    same_records(cluster)


def test_ours_transfers_leadership_to_a_real_server(cluster: Cluster) -> None:
    _, o1, r2 = cluster.everybody()
    cluster.let_lead(o1)
    target = f"/v1/operator/raft/transfer-leader?id={node_id(r2)}"
    o1.ok("POST", target)
    eventually(lambda: cluster.leader() is r2, "the chosen one leads", ELECTION_TIMEOUT_S)
    refused = o1.call("POST", target)  # 1.8.7, which leads now, has no such method
    assert refused.status == 500 and "can't find method" in refused.text
    same_records(cluster)


@pytest.mark.long
def test_leaders_leave_and_operators_remove_peers(cluster: Cluster) -> None:
    """Each side loses its leader to the other, and removes one of the other."""
    r1, o1, r2 = cluster.everybody()
    cluster.let_lead(r1)
    r1.leave()
    written(o1, "PUT", "/v1/kv/without-one")
    cluster.let_lead(o1)
    o1.leave()
    written(r2, "PUT", "/v1/kv/without-two")
    assert cluster.leader() is r2
    for member in (r1, o1):
        cluster.restart(member)
    eventually(lambda: node_id(o1) in peers(r2), "ours is back", ELECTION_TIMEOUT_S)
    remove_peer(r2, o1)
    written(r2, "PUT", "/v1/kv/one-removed")
    o1.kill()
    # Only who was seen to be gone is taken in again at once.
    eventually(lambda: r2.members()["o1"].status == "failed", "its death is noticed", ELECTION_TIMEOUT_S)
    cluster.restart(o1)
    cluster.settled()
    same_records(cluster)
    cluster.let_lead(o1)
    remove_peer(o1, r2)
    written(r1, "PUT", "/v1/kv/two-left")
    assert peers(o1) == {node_id(r1), node_id(o1)}
    r2.kill()
    same_records(cluster)


def node_id(member: ConsulMember) -> str:
    return str(member.ok("GET", "/v1/agent/self").json()["Config"]["NodeID"])


def peers(member: ConsulMember) -> set[str]:
    return {one["ID"] for one in member.ok("GET", "/v1/operator/raft/configuration").json()["Servers"]}


def remove_peer(leader: ConsulMember, removed: ConsulMember) -> None:
    """By the command line of the program that is removed."""
    words = ["operator", "raft", "remove-peer", f"-http-addr={leader.host}:{leader.ports['http']}"]
    done = run([*program(removed.subject), *words, f"-id={node_id(removed)}"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert node_id(removed) not in peers(leader)
