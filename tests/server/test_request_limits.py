"""Limits of what a server takes of others: requests a second, connections, and the time to say what one wants."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.features.catalog.endpoint import LIST_NODES
from proconsul.features.errors import RetryElsewhere, RetryLater
from proconsul.features.kv.endpoint import APPLY
from proconsul.features.server import CallMethod
from proconsul.server.request_limits import BURST_S, Limiting, RequestLimits
from proconsul.testing import AgentInLoop
from support.harness import Agent, Subject, eventually
from support.patience import PATIENCE_S
from support.reference import require_reference

STATUS = CallMethod("Status.Leader", dict, str, anywhere=True)
OPERATE = CallMethod("Operator.RaftRemovePeerByID", dict, None, reads=False)


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def limits(mode: Limiting, read: float, write: float, *, leads: bool = True) -> tuple[RequestLimits, Time]:
    clock = Time()
    return RequestLimits(mode, read, write, clock, lambda: leads, Counter()), clock


def refused(one: RequestLimits, method: Any, times: int) -> int:
    found = 0
    for _ in range(times):
        try:
            one.spend(method)
        except (RetryElsewhere, RetryLater):
            found += 1
    return found


def test_reads_and_writes_have_rates_of_their_own() -> None:
    one, clock = limits(Limiting.ENFORCING, 2.0, 1.0)
    assert refused(one, LIST_NODES, 2 * BURST_S) == 0 and refused(one, LIST_NODES, 1) == 1
    assert refused(one, APPLY, BURST_S) == 0 and refused(one, OPERATE, 1) == 1
    clock.now += 1
    assert refused(one, LIST_NODES, 3) == 1 and refused(one, APPLY, 2) == 1
    assert refused(one, STATUS, 100) == 0, "who asks after the cluster is always answered"


@pytest.mark.parametrize(
    ("method", "leads", "error"),
    [(LIST_NODES, True, RetryElsewhere), (LIST_NODES, False, RetryElsewhere), (APPLY, True, RetryLater),
     (APPLY, False, RetryElsewhere)],
)  # fmt: skip
def test_who_is_refused_is_told_where_to_try(method: Any, leads: bool, error: type[Exception]) -> None:
    one, _ = limits(Limiting.ENFORCING, 0.0, 0.0, leads=leads)
    with pytest.raises(error):
        one.spend(method)


def test_permissive_only_counts() -> None:
    one, _ = limits(Limiting.PERMISSIVE, 0.0, -1.0)
    assert refused(one, LIST_NODES, 3) == refused(one, APPLY, 1000) == 0
    assert one.exceeded == {("global/read", LIST_NODES.name, "permissive"): 3}


@given(st.floats(0.1, 50), st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_rate_and_one_burst(rate: float, waits: list[float]) -> None:
    one, clock = limits(Limiting.ENFORCING, rate, -1.0)
    taken = 0
    for wait in waits:
        clock.now += wait
        taken += 5 - refused(one, LIST_NODES, 5)
    assert taken <= max(rate * BURST_S, 1) + rate * sum(waits) + 1


@pytest.mark.parametrize("rate", [1e308, 1.7e308, 1e18, 1e-320, -1e308, -0.0])
def test_any_rate_that_a_number_can_be(rate: float) -> None:
    one, clock = limits(Limiting.ENFORCING, rate, rate)
    for wait in (0.0, 1.0, 1e9):
        clock.now += wait
        assert refused(one, LIST_NODES, 100) == (0 if abs(rate) > 1 else 99 if rate and not wait else 100)


# ---------------------------------------------------------------------------------------------- through the doors


READS = ("/v1/kv/a", "/v1/kv/?keys", "/v1/catalog/nodes", "/v1/health/service/consul", "/v1/session/list",
         "/v1/operator/raft/configuration", "/v1/query", "/v1/coordinate/nodes", "/v1/kv/a?stale",
         "/v1/catalog/services?consistent", "/v1/internal/ui/nodes")  # fmt: skip
WRITES = (
    ("PUT", "/v1/kv/a", b"x"), ("DELETE", "/v1/kv/a", b""), ("PUT", "/v1/session/create", b"{}"),
    ("PUT", "/v1/txn", json.dumps([{"KV": {"Verb": "set", "Key": "b", "Value": ""}}]).encode()),
    ("PUT", "/v1/catalog/register", b'{"Node": "n", "Address": "1.1.1.1"}'),
    ("POST", "/v1/query", b'{"Service": {"Service": "web"}}'),
    ("PUT", "/v1/operator/autopilot/configuration", b"{}"),
)  # fmt: skip


async def test_every_kind_of_request_is_limited_through_http() -> None:
    async with AgentInLoop() as agent:
        agent.server.limit_serving(Limiting.ENFORCING, 0.0, 0.0, 0)
        for target in READS:
            reply = await agent.request("GET", target)
            text = b"rate limit exceeded, try again later or against a different server"
            assert (reply.status, reply.body) == (429, text), target
        for method, target, body in WRITES:
            reply = await agent.request(method, target, body)
            assert reply.status == 503, target
            assert reply.body.startswith(b"rate limit exceeded for operation that can only be performed by the leader")
        assert (await agent.request("GET", "/v1/status/leader")).status == 200
        assert (await agent.request("GET", "/v1/agent/self")).status == 200
        agent.server.limit_serving(Limiting.PERMISSIVE, 0.0, 0.0, 0)
        assert (await agent.request("GET", "/v1/catalog/nodes")).status == 200
        agent.agent.measure.sample()
        found = json.loads((await agent.request("GET", "/v1/agent/metrics")).body)["Counters"]
        told = [one["Labels"] for one in found if one["Name"] == "consul.rpc.rate_limit.exceeded"]
        assert {"limit_type": "global/read", "mode": "enforcing", "op": "Catalog.ListNodes"} in told


CONNECTIONS = """
limits { rpc_max_conns_per_client = 3 rpc_handshake_timeout = "500ms" }
"""


@pytest.mark.reference
@pytest.mark.parametrize("kind", list(Subject))
def test_connections_of_one_client_and_their_patience(kind: Subject, tmp_path: Path) -> None:
    """As the original: the connection above the limit is closed at once, one that says nothing a little later."""
    if kind is Subject.REFERENCE:
        require_reference()
    with Agent(kind, tmp_path, ["-hcl", CONNECTIONS]) as agent:
        eventually(lambda: agent.call("GET", "/v1/status/leader").text not in ("", '""'), "somebody leads")
        address = ("127.0.0.1", agent.ports["server"])
        opened = [socket.create_connection(address, PATIENCE_S) for _ in range(4)]
        for one in opened:
            one.settimeout(PATIENCE_S)
        began = time.monotonic()
        ends = []
        for one in reversed(opened):  # the last was too many
            ends.append((one.recv(1), time.monotonic() - began))
            one.close()
        assert [data for data, _ in ends] == [b""] * 4
        assert ends[0][1] <= ends[1][1]
        with socket.create_connection(address, PATIENCE_S) as again:  # there is room again, for one that speaks
            again.sendall(b"\x00")
            again.settimeout(1.0)
            with pytest.raises(TimeoutError):
                again.recv(1)
