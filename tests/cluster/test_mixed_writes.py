"""Our server and two of Consul 1.8.7: what ours writes never stops or confuses them, and sessions outlive leaders."""

# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.clusters import ELECTION_TIMEOUT_S, Cluster, written
from support.fsm_story import Rpc
from support.harness import Subject, eventually
from support.pools import ConsulMember, require_reference

OURS, THEIRS = Subject.OURS, Subject.REFERENCE
SETTINGS = 'session_ttl_min = "1s" autopilot { cleanup_dead_servers = false }'
# A leader waits for twice the TTL.
TTL_S = 2.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_reference()
    servers = [("o1", OURS), ("r1", THEIRS), ("r2", THEIRS)]
    with Cluster(tmp_path_factory.mktemp("writes"), *servers, extra=["-hcl", SETTINGS]) as made:
        made.settled()
        yield made


# ---------------------------------------------------------------------------------------------- odd writes


_number = itertools.count()


def service(**fields: Any) -> dict[str, Any]:
    """Each is another instance, so that all that are taken stay and can be compared."""
    return {"Node": "n1", "Address": "192.0.2.1", "Service": {"Service": "web", "ID": f"web-{next(_number)}", **fields}}


def proxy(**fields: Any) -> dict[str, Any]:
    return service(Kind="connect-proxy", Port=1, Proxy={"DestinationServiceName": "w", **fields})


def check(**fields: Any) -> dict[str, Any]:
    return {"Node": "n2", "Address": "192.0.2.2", "Check": {"Name": f"check-{next(_number)}", **fields}}


def deep(levels: int) -> dict[str, Any]:
    return {"x": [deep(levels - 1)]} if levels else {}


HUGE = (2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**70)
SIDECARS: tuple[Any, ...] = (5, "x", [], {}, {"Port": "x"}, {"Name": "x", "Checks": [None]}, {"Check": 7}, {"odd": 1})
REGISTRATIONS: tuple[Any, ...] = (
    None, {}, {"Node": ""}, {"Node": "\x00\udcff", "Address": "1"}, {"Node": "x" * 100_000, "Address": "1"},
    *(service(Connect={"SidecarService": sidecar}) for sidecar in SIDECARS),
    *(proxy(Config=config) for config in (deep(60), {"n": 2**70}, {"a": 1, "b": [1, [True, {"c": "d"}]]})),
    *(service(Meta=meta) for meta in ({"é": "x"}, {"": "x"}, {"a": "x" * 513}, {"consul-x": "y"}, {"k" * 129: "v"},
                                      {f"k{number}": "v" for number in range(65)})),
    # Consul 1.8.7 takes these, but whoever reads the service there loses the connection.
    *(service(Service="nulls", Proxy={"Config": config}) for config in ({"a": [None]}, {"a": None})),
    proxy(Upstreams=[None]), proxy(Upstreams=[{"DestinationName": "a", "LocalBindPort": 2, "Config": {"x": [[None]]}}]),
    *(service(**{name: number}) for name in ("Port", "CreateIndex", "ModifyIndex") for number in HUGE),
    *(service(Weights={"Passing": number, "Warning": 1}) for number in (0, -1, 65535, 65536, *HUGE)),
    *(service(Weights={"Passing": 1, "Warning": number}) for number in (-1, 65535, 65536)),
    service(Weights=None, Meta={"a": None}, Tags=[None], TaggedAddresses={"lan": None}), service(Kind="odd"),
    *(check(Definition={name: number}) for name in ("Interval", "Timeout") for number in (*HUGE, "-5s", "99999999h")),
    check(Definition={"HTTP": "x", "Header": {"a": []}}), check(Status="odd"), {**check(), "Checks": [None]},
    {**check(), "Checks": [{"Node": "other", "Name": "b"}], "NodeMeta": {"a": None}, "TaggedAddresses": {"a": None}},
)  # fmt: skip
SESSIONS: tuple[Any, ...] = (
    None, {}, {"NodeChecks": [None]}, {"ServiceChecks": [None]}, {"Checks": None}, {"Behavior": "odd"},
    {"LockDelay": 2**62, "NodeChecks": []}, {"LockDelay": "99999999h"}, {"Name": "\x00\udc00"}, {"TTL": "99999999h"},
)  # fmt: skip
OPERATIONS: tuple[Any, ...] = (
    None, {}, *({kind: value} for kind in ("KV", "Node", "Service", "Check", "Intention", "Session")
                for value in (None, {}, {"Verb": "set"}, {"Verb": "odd"}, {"Op": "odd"}, {"Verb": "delete"})),
    {"KV": {"Verb": "odd", "Key": "a"}}, {"KV": {"Verb": "set", "Key": ""}}, {"KV": {"Verb": "delete-tree"}},
    {"KV": {"Verb": "lock", "Key": "a", "Session": "none"}},
    {"KV": {"Verb": "set", "Key": "\udcff", "Flags": 2**64 - 1}},
    {"KV": {"Verb": "cas", "Key": "a", "Index": 2**64 - 1}}, {"KV": {"Verb": "set", "Key": "a", "Value": None}},
    {"Node": {"Verb": "set", "Node": {"Node": "t", "Address": "1", "Meta": {"a": None}}}},
    {"Node": {"Verb": "cas", "Node": {"Node": "t", "ModifyIndex": 2**64 - 1}}},
    *({"Service": {"Verb": "set", "Node": "t", "Service": body["Service"]}} for body in REGISTRATIONS
      if body and "Service" in body),
    *({"Check": {"Verb": "set", "Check": {**body["Check"], "Node": "t"}}} for body in REGISTRATIONS
      if body and "Check" in body),
    {"Service": {"Verb": "delete", "Node": "t", "Service": {"ID": "nothing"}}},
    {"Check": {"Verb": "delete", "Check": {"Node": "t", "CheckID": "nothing"}}},
)  # fmt: skip
COORDINATES: tuple[Any, ...] = (
    None, {}, {"Node": "n1", "Coord": None}, {"Node": "nobody", "Segment": "odd", "Coord": {"Vec": [0] * 8}},
    {"Node": "n1", "Coord": {"Vec": [1e308] * 8, "Error": 1e308, "Height": -1e308}},
)  # fmt: skip
# Settings by which servers stay healthy come last.
AUTOPILOT: tuple[Any, ...] = (
    None, {"MaxTrailingLogs": -1}, {"LastContactThreshold": "99999999h", "MaxTrailingLogs": 2**63 - 1},
    {"ServerStabilizationTime": "-5s", "UpgradeVersionTag": None},
    {"LastContactThreshold": "1s", "MaxTrailingLogs": 250, "ServerStabilizationTime": "500ms"},
)  # fmt: skip
BODIES = (
    *(("PUT", "/v1/catalog/register", body) for body in REGISTRATIONS),
    *(("PUT", "/v1/session/create", body) for body in SESSIONS),
    *(("PUT", "/v1/txn", [operation]) for operation in OPERATIONS), ("PUT", "/v1/txn", None), ("PUT", "/v1/txn", []),
    *(("PUT", "/v1/coordinate/update", body) for body in COORDINATES),
    *(("PUT", "/v1/operator/autopilot/configuration", body) for body in AUTOPILOT),
    *(("PUT", f"/v1/kv/{target}", "x") for target in (
        "%FF%00?flags=18446744073709551615", "a?acquire=%FF", "a?release=none", "a?cas=18446744073709551615", "")),
    ("DELETE", "/v1/kv/a?cas=18446744073709551615", None), ("PUT", "/v1/session/destroy/%FF", None),
    *(("PUT", "/v1/catalog/deregister", body) for body in (None, {"Node": "nobody"}, {"Node": "n2", "CheckID": 5})),
)  # fmt: skip
# What only other servers and clients send: HTTP has no words for it.
KEY = {"Key": "rpc", "Value": b"v"}
WHOLE = {"ID": "dddddddd-0000-0000-0000-000000000001", "SourceName": "a", "DestinationName": "b", "Action": "allow"}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("KVS.Apply", {"Op": op, "DirEnt": entry}) for op in ("odd", "", "get", "lock", "unlock", "check-index", "set")
      for entry in (None, {}, KEY, {**KEY, "Session": "none", "LockIndex": 2**64 - 1, "ModifyIndex": 2**64 - 1})),
    *(("Session.Apply", {"Op": op, "Session": session}) for op in ("odd", "", "create", "destroy", "renew")
      for session in (None, {}, {"Node": "nobody"}, {"ID": "odd"}, {"Node": "o1", "ID": b"\xff", "Checks": [b"\xff"]})),
    *(("Catalog.Register", {"Node": "n3", "Address": "1", **more}) for more in (
        {"Service": {"Service": "rpc", "Connect": {"SidecarService": {"Port": 1}}}}, {"Checks": [None]},
        {"Service": {"Service": "rpc", "Proxy": {"Config": {"a": [None]}}}}, {"ID": b"\xff"}, {"Check": {}},
        {"Service": {"Service": "rpc", "Proxy": {"Config": {"a": [{1: 2}]}}}},
        {"Service": {"Service": "rpc", "Proxy": {"Config": {b"\xff": b"\xff"}}}},
        {"Service": {"Service": b"\xff", "Tags": [b"\xff"], "Meta": {b"\xff": b"\xff"}}}, {"Datacenter": "dc1"},
    )),
    *(("Txn.Apply", {"Ops": ops}) for ops in (
        None, [], [None], [{}], [{"Session": {"Verb": "odd"}}],
        [{"Session": {"Verb": "delete", "Session": {"ID": "odd"}}}],
        *([{"Intention": {"Op": op, "Intention": intention}}] for op in ("odd", "", "create", "update", "delete")
          for intention in (None, {}, WHOLE)),
        [{"Service": {"Verb": "set", "Node": "n1", "Service": {"Service": "x", "Proxy": {"Config": {"a": [None]}}}}}],
    )),
    ("Coordinate.Update", {"Node": "n1", "Coord": {"Vec": [float("nan")] * 8}}), ("Coordinate.Update", {"Coord": {}}),
    ("Operator.AutopilotSetConfiguration", {"Config": {"MinQuorum": 0, "LastContactThreshold": 10**9}, "CAS": True}),
)  # fmt: skip


def test_no_write_of_ours_stops_a_real_server(cluster: Cluster) -> None:
    """Nor is anything written that it cannot show, or takes for something else. The real leader's answer to the same
    is the matter of the differential tests."""
    o1, r1, r2 = cluster.everybody()
    cluster.let_lead(o1)
    statuses = set()
    for method, target, body in BODIES:
        statuses.add(o1.call(method, target, json.dumps(body).encode()).status)
        assert r1.running and r2.running, f"stopped by {method} {target} {body}"
    rpc = Rpc(o1.ports["server"], o1.host)
    for name, arguments in CALLS:
        with contextlib.suppress(RuntimeError):
            rpc.call(name, {"Datacenter": "dc1", **arguments})
        assert r1.running and r2.running, f"stopped by {name} {arguments}"
    assert statuses >= {200, 400, 409, 500}, "some are taken, some are refused"
    written(o1, "PUT", "/v1/kv/last")
    cluster.same_state()
    cluster.let_lead(r1)
    written(r1, "PUT", "/v1/kv/theirs")
    cluster.same_state()


# ---------------------------------------------------------------------------------------------- sessions


@contextlib.contextmanager
def renewing(member: ConsulMember, sessions: list[str]) -> Iterator[None]:
    """Renew what is in ``sessions`` all the time; between two leaders that fails."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(0.1):
            for session in list(sessions):
                try:
                    member.call("PUT", f"/v1/session/renew/{session}")
                except (OSError, http.client.HTTPException):
                    pass

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("first", "second"), [("r1", "o1"), ("o1", "r1")])
def test_sessions_get_their_full_ttl_from_the_next_leader(cluster: Cluster, first: str, second: str) -> None:
    members = {member.name: member for member in cluster.everybody()}
    dying, heir, witness = cluster.let_lead(members[first]), members[second], members["r2"]

    def hold(key: str, behavior: str) -> str:
        body = {"TTL": f"{TTL_S:.0f}s", "Behavior": behavior, "LockDelay": "60s"}
        session = str(written(witness, "PUT", "/v1/session/create", json.dumps(body).encode()).json()["ID"])
        renewed.append(session)
        assert written(witness, "PUT", f"/v1/kv/{first}/{key}?acquire={session}").json() is True
        # The leader has it; what the witness shows next is to be its end, so its beginning is waited for.
        eventually(lambda: shown(key).get("Session") == session, f"{key} is held", ELECTION_TIMEOUT_S)
        return session

    def shown(key: str) -> dict[str, Any]:
        reply = witness.call("GET", f"/v1/kv/{first}/{key}?stale")
        if reply.status not in (200, 404):
            raise OSError(reply.text)  # not known now: asked again
        return reply.json()[0] if reply.status == 200 else {}

    renewed: list[str] = []
    with renewing(witness, renewed):
        kept, _, _ = hold("kept", "delete"), hold("released", "release"), hold("deleted", "delete")
        renewed[1:] = []
        cluster.let_lead(dying)  # a busy machine may have elected another meanwhile, which counts from then on
        killed_at = time.monotonic()
        dying.kill()
        try:
            cluster.let_lead(heir)
            eventually(lambda: not shown("deleted"), "the key goes with its session", ELECTION_TIMEOUT_S)
            assert time.monotonic() - killed_at >= 2 * TTL_S
            eventually(lambda: {"Session"} - shown("released").keys(), "the key is released", ELECTION_TIMEOUT_S)
            assert shown("released"), "released, not deleted"
            for key in ("released", "deleted"):  # lock-delay
                assert written(witness, "PUT", f"/v1/kv/{first}/{key}?acquire={kept}").json() is False
            assert shown("kept")["Session"] == kept
        finally:
            cluster.restart(dying)  # whatever becomes of this test, the next one has all servers
        cluster.settled()
        cluster.same_state()
        assert [one["ID"] for one in witness.ok("GET", "/v1/session/list?stale").json() if one["ID"] == kept] == [kept]
