"""Metrics for statsd, dogstatsd and statsite, and which names are kept: the lines, and through a running agent."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.agent.telemetry.metrics import Metrics
from proconsul.agent.telemetry.metrics_sinks import interval_of
from proconsul.agent.telemetry.name_filter import NameFilter
from proconsul.agent.telemetry.statsd import PACKET_BYTES_MAX, DatagramSink, dogstatsd_lines, packets, statsd_lines
from proconsul.plugins.protocols import Metric
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S


def sampled(*values: float) -> Metric:
    return Metric("sample", "consul.a.b", (), len(values), sum(values), min(values), max(values))


GAUGE = Metric("gauge", "consul.raft.index", (), 1, 7.0, 7.0, 7.0)
COUNTER = Metric("counter", "consul.api", (("node", "n 1"), ("op", "a:b|c")), 3, 5.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("metric", "host", "lines"),
    [
        (GAUGE, "vm", ["consul.vm.raft.index:7.000000|g"]),
        (GAUGE, "", ["consul.raft.index:7.000000|g"]),
        (COUNTER, "vm", ["consul.api.n_1.a_b_c:5.000000|c"]),
        (sampled(2.5), "vm", ["consul.a.b:2.500000|ms"]),
        (sampled(1, 4), "", ["consul.a.b:1.000000|ms", "consul.a.b:4.000000|ms"]),
        (sampled(1, 2, 4), "", ["consul.a.b:1.000000|ms", "consul.a.b:4.000000|ms", "consul.a.b:2.000000|ms"]),
        (sampled(1, 2, 3, 4), "", ["consul.a.b:1.000000|ms", "consul.a.b:4.000000|ms", "consul.a.b:2.500000|ms|@0.5"]),
    ],
)
def test_lines_of_statsd(metric: Metric, host: str, lines: list[str]) -> None:
    """As Consul's own agents write them, but for the rate."""
    assert list(statsd_lines(metric, host)) == lines


@pytest.mark.parametrize(
    ("metric", "tags", "line"),
    [
        (GAUGE, (), "consul.raft.index:7.000000|g"),
        (GAUGE, ("a:b", "plain"), "consul.raft.index:7.000000|g|#a:b,plain"),
        (COUNTER, ("x:y",), "consul.api:5|c|#x:y,node:n_1,op:a:b_c"),
        (sampled(2.5), ("x",), "consul.a.b:2.500000|ms|#x"),
    ],
)
def test_lines_of_dogstatsd(metric: Metric, tags: tuple[str, ...], line: str) -> None:
    assert list(dogstatsd_lines(metric, tags)) == [line]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_number_sum_least_and_most_of_samples_are_right(values: list[float]) -> None:
    found: list[tuple[float, float]] = []
    for line in statsd_lines(sampled(*values), ""):
        value, _, *rate = line.split(":")[1].split("|")
        found.append((float(value), 1 / float(rate[0][1:]) if rate else 1.0))
    assert sum(times for _, times in found) == pytest.approx(len(values), rel=1e-4)
    assert sum(value * times for value, times in found) == pytest.approx(sum(values), rel=1e-3, abs=1e-3)
    assert min(value for value, _ in found) == pytest.approx(min(values), abs=1e-6)
    assert max(value for value, _ in found) == pytest.approx(max(values), abs=1e-6)
    assert len(list(statsd_lines(sampled(*values), "", rates=False))) <= min(len(values), 102)


@given(st.lists(st.text(min_size=1, max_size=700), max_size=40))
def test_packets_hold_whole_lines(lines: list[str]) -> None:
    lines = [line.replace("\n", "_") for line in lines]
    found = list(packets(lines))
    assert b"".join(found) == "".join(line + "\n" for line in lines).encode("utf-8", "replace")
    assert all(packet.endswith(b"\n") for packet in found)
    assert all(len(packet) <= PACKET_BYTES_MAX or packet.count(b"\n") == 1 for packet in found)


@pytest.mark.parametrize(
    ("allowed", "blocked", "default", "kept"),
    [
        ((), (), True, {"consul.a", "consul.a.b", "consul.c"}),
        ((), (), False, set()),
        ((), ("consul.a",), True, {"consul.c"}),
        (("consul.a",), (), False, {"consul.a", "consul.a.b"}),
        (("consul.a.b",), ("consul.a",), True, {"consul.a.b", "consul.c"}),
        (("consul.a",), ("consul.a.b",), False, {"consul.a"}),
        (("consul.a",), ("consul.a",), True, {"consul.c"}),
    ],
)
def test_the_longest_prefix_decides(
    allowed: tuple[str, ...], blocked: tuple[str, ...], default: bool, kept: set[str]
) -> None:
    names = NameFilter(allowed, blocked, default=default)
    assert {name for name in ("consul.a", "consul.a.b", "consul.c") if names.keeps(name)} == kept
    metrics = Metrics(names=names)
    for name in ("a", "a.b", "c"):
        metrics.count(name)
        metrics.gauge(name, 1.0)
        metrics.sample(name, 1.0)
    shown = metrics.latest()
    for block in ("Counters", "Gauges", "Samples"):
        assert {one["Name"] for one in shown[block]} == kept


async def received(sock: socket.socket, wanted: bytes) -> bytes:
    """What comes until ``wanted`` is among it."""
    loop, found = asyncio.get_running_loop(), b""
    async with asyncio.timeout(PATIENCE_S):
        while wanted not in found:
            data = await loop.sock_recv(sock, 65536)
            assert data or sock.type == socket.SOCK_DGRAM, found
            found += data
    return found


@pytest.fixture
def udp() -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.setblocking(False)
        yield bound


async def test_an_agent_sends_to_all_three(udp: Any) -> None:
    """The last figures too, when it stops."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dog:
        tcp.setblocking(False)
        dog.bind(("127.0.0.1", 0))
        dog.setblocking(False)
        ports = [sock.getsockname()[1] for sock in (udp, dog, tcp)]
        settings = {"telemetry": {
            "statsd_address": f"127.0.0.1:{ports[0]}", "dogstatsd_addr": f"127.0.0.1:{ports[1]}",
            "dogstatsd_tags": ["env:test"], "statsite_address": f"127.0.0.1:{ports[2]}",
            "disable_hostname": True, "prefix_filter": ["-consul.runtime"],
        }}  # fmt: skip
        async with AgentInLoop(settings) as agent:
            assert (await agent.request("PUT", "/v1/kv/a", b"x")).status == 200
        assert b"consul.raft.last_index:" in await received(udp, b"consul.kvs.apply:")
        assert b"|c|#env:test" in await received(dog, b"consul.kvs.apply:1|c|#env:test")
        connection, _ = await asyncio.wait_for(loop.sock_accept(tcp), PATIENCE_S)
        with connection:
            connection.setblocking(False)
            got = await received(connection, b"consul.kvs.apply:1.000000|c\n")
    assert b"consul.runtime" not in got


async def test_a_sink_that_is_not_there_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "agent")
    sink = DatagramSink("no such host:1")
    for _ in range(3):
        try:
            await sink.emit(interval_of(Metrics(), Metrics()._current()), 5.0)
        except Exception as error:
            sink.complain(error)
    assert sum("metrics could not be sent" in one.getMessage() for one in caplog.records) == 1
    sink.well()
    sink.well()
    assert sum("metrics are sent again" in one.getMessage() for one in caplog.records) == 1
