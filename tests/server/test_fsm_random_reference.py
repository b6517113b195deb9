"""Random requests to a real server, whose log must give our state machine the same state after every entry."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import msgpack as msgpack_c
import pytest

from proconsul.features.state import State
from proconsul.server.fsm import FSM
from support.bolt import BoltFile
from support.fsm_records import parse_snapshot, read_archive, without_defects
from support.fsm_story import Rpc
from support.harness import Agent, Subject

pytestmark = pytest.mark.reference

REQUESTS = 400
# Few names, so that requests meet; some differ in case only. Services do not: see `Requests.service`.
NODES = ("n-a", "n-b", "N-A", "n-c")
NODE_IDS = ("", "", *(f"{digit * 8}-aaaa-bbbb-cccc-000000000000" for digit in "123"))
SERVICES = ("web", "api", "Up", "db")
SERVICE_IDS = ("s1", "s2", "S1", "s3")
CHECK_IDS = ("c1", "c2", "C1", "serfHealth")
KEYS = ("a", "a/b", "a/b/c", "b", "é", "")
CATALOG_VERBS = ("set", "cas", "get", "delete", "delete-cas")
KEY_VERBS = ("set", "cas", "lock", "unlock", "get", "get-tree", "check-index", "check-session", "check-not-exists",
             "delete", "delete-tree", "delete-cas")  # fmt: skip
Request = tuple[str, dict[str, Any]]


class Requests:
    """Makes requests; knows the sessions and queries that were made last."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.sessions = ["dddddddd-0000-0000-0000-000000000000"]
        self.queries: list[str] = []

    def any(self) -> Request:
        makers = (self.register, self.register, self.deregister, self.key, self.key, self.session, self.txn, self.query)
        return self._rng.choice(makers)()

    def _one(self, *values: Any) -> Any:
        return self._rng.choice(values)

    def _index(self) -> int:
        return int(self._one(0, 0, self._rng.randint(1, 200)))

    def node(self) -> dict[str, Any]:
        return {"Node": self._one(*NODES), "Address": self._one("1.1.1.1", "2.2.2.2"), "ID": self._one(*NODE_IDS),
                "Datacenter": "dc1", "TaggedAddresses": self._one(None, {}, {"lan": "1.1.1.1"})}  # fmt: skip

    def check(self, node: str) -> dict[str, Any]:
        return {"Node": node, "CheckID": self._one(*CHECK_IDS), "ServiceID": self._one("", "", *SERVICE_IDS),
                "Status": self._one("passing", "passing", "critical", "warning", ""),
                "Output": self._one("", "o")}  # fmt: skip

    def service(self) -> dict[str, Any]:
        """Names do not differ in case only: whose spelling an index row then has is chance, in the original too."""
        kind = self._one("", "", "", "", "connect-proxy", "mesh-gateway", "terminating-gateway")
        service = {"ID": self._one(*SERVICE_IDS), "Service": self._one(*SERVICES), "Kind": kind,
                   "Port": 443 if kind else self._one(0, 80), "Tags": self._one(None, [], ["t"], ["t", "u"]),
                   "Meta": self._one(None, {}, {"a": "b"}),
                   "Weights": self._one(None, None, {"Passing": self._one(0, 5), "Warning": 1})}  # fmt: skip
        if kind == "connect-proxy":
            service["Proxy"] = {"DestinationServiceName": self._one(*SERVICES)}
        elif not kind:
            service["Connect"] = {"Native": self._rng.random() < 0.2}
        return service

    def register(self) -> Request:
        node = self.node()
        checks = [self.check(self._one(node["Node"], "")) for _ in range(self._rng.randint(0, 2))]
        return "Catalog.Register", {
            **node, "NodeMeta": self._one(None, {}, {"x": "y"}), "SkipNodeUpdate": self._rng.random() < 0.3,
            "Service": self.service() if self._rng.random() < 0.6 else None, "Checks": checks or None,
        }  # fmt: skip

    def deregister(self) -> Request:
        return "Catalog.Deregister", {"Node": self._one(*NODES), "ServiceID": self._one("", "", *SERVICE_IDS),
                                      "CheckID": self._one("", *CHECK_IDS)}  # fmt: skip

    def entry(self) -> dict[str, Any]:
        return {"Key": self._one(*KEYS), "Value": self._one(None, b"", b"x", b"\xff"), "Flags": self._one(0, 1),
                "ModifyIndex": self._index(), "Session": self._one(*self.sessions, "")}  # fmt: skip

    def key(self) -> Request:
        op = self._one("set", "set", "cas", "delete", "delete-cas", "delete-tree", "lock", "lock", "unlock")
        return "KVS.Apply", {"Op": op, "DirEnt": self.entry()}

    def session(self) -> Request:
        if self._rng.random() < 0.3:
            return "Session.Apply", {"Op": "destroy", "Session": {"ID": self._one(*self.sessions)}}
        checks = self._one({"Checks": ["c1"]}, {"Checks": None}, {"NodeChecks": []}, {"NodeChecks": ["c2"]})
        return "Session.Apply", {"Op": "create", "Session": {
            "Node": self._one(*NODES), "Behavior": self._one("", "release", "delete"), "LockDelay": 1, **checks,
        }}  # fmt: skip

    def query(self) -> Request:
        op = self._one("create", "create", "update", "delete")
        return "PreparedQuery.Apply", {"Op": op, "Query": {
            "ID": "" if op == "create" else self._one(*self.queries, ""), "Name": self._one("", "q1", "Q1", "q2"),
            "Session": self._one(*self.sessions, "", "", ""), "Service": {"Service": self._one("web", "${x}", "${")},
            "Template": {"Type": self._one("", "", "name_prefix_match")},
        }}  # fmt: skip

    def txn(self) -> Request:
        return "Txn.Apply", {"Ops": [self._op() for _ in range(self._rng.randint(1, 4))]}

    def _op(self) -> dict[str, Any]:
        verb, node = self._one(*CATALOG_VERBS), self._one(*NODES)
        at = {"ModifyIndex": self._index()}
        return dict(self._one(
            {"KV": {"Verb": self._one(*KEY_VERBS), "DirEnt": self.entry()}},
            {"KV": {"Verb": "set", "DirEnt": self.entry()}},
            {"Node": {"Verb": verb, "Node": {**self.node(), **at}}},
            {"Service": {"Verb": verb, "Node": node, "Service": {**self.service(), **at}}},
            {"Check": {"Verb": verb, "Check": {**self.check(node), **at}}},
            {"Session": {"Verb": "delete", "Session": {"ID": self._one(*self.sessions)}}},
        ))  # fmt: skip


def send(agent: Agent, requests: Requests) -> dict[int, bytes]:
    """Send them all; the server's state after each, by index."""
    packer = msgpack_c.Packer(use_bin_type=False, unicode_errors="surrogateescape")
    rpc, client = Rpc(agent.ports["server"]), agent.client()
    states = {}
    for _ in range(REQUESTS):
        method, argument = requests.any()
        head = packer.pack({"Seq": 1, "ServiceMethod": method})
        error, reply = rpc.exchange(head + packer.pack({"Datacenter": "dc1", **argument}))
        if not error and argument.get("Op") == "create":
            known = requests.sessions if method == "Session.Apply" else requests.queries
            known[:] = [*known[-5:], reply]
        archive = read_archive(client.call("GET", "/v1/snapshot").body)
        states[json.loads(archive["meta.json"])["Index"]] = archive["state.bin"]
    return states


@pytest.mark.parametrize("seed", [5])
def test_random_requests_leave_the_same_state(reference_binary: Path, tmp_path: Path, seed: int) -> None:
    agent = Agent(Subject.REFERENCE, tmp_path, ["-hcl", "raft_snapshot_threshold = 1000000"], dev=False)
    agent.start()
    try:
        agent.wait_ready()
        states = send(agent, Requests(Random(seed)))
    finally:
        agent.kill()
    machine = FSM(State())
    compared = 0
    for _, value in BoltFile(agent.data_dir / "raft" / "raft.db").bucket(b"logs"):
        entry = msgpack_c.unpackb(value, raw=True)
        result: object = None
        if entry[b"Type"] == 0:
            result = machine.apply(entry[b"Index"], entry[b"Term"], 0, entry[b"Data"], None)
        if entry[b"Index"] in states:
            ours = without_defects(parse_snapshot(b"".join(machine.snapshot().persist()))[1])
            theirs = without_defects(parse_snapshot(states[entry[b"Index"]])[1])
            assert ours == theirs, f"after {entry}: {result}"
            compared += 1
    assert compared > REQUESTS / 2
