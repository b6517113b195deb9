"""Questions for prepared queries, asked of the reference and of us; and what of our answers is kept, and for whom."""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dns_agents import DnsAgent, agent_pair, without_serial

from support.dns_packets import Parsed, query
from support.patience import PATIENCE_S

pytestmark = pytest.mark.reference

A, TXT, AAAA, SRV, ANY, MX = 1, 16, 28, 33, 255, 15
TEMPLATE = {"Type": "name_prefix_match"}


def catalog() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"Node": f"w{i}", "Address": f"10.5.0.{i}", "NodeMeta": {"k": "v"} if i else {},
         "Service": {"Service": "web", "Port": 80 + i, "Tags": ["a"] if i == 1 else []}}
        for i in range(1, 4)
    ]  # fmt: skip
    rows += [
        {"Node": "one", "Address": "10.5.1.1", "Service": {"Service": "one", "Port": 9, "Weights": {"Passing": 7}}},
        {"Node": "local", "Address": "127.0.0.1", "Service": {"Service": "web", "Port": 99}},
        {"Node": "warn", "Address": "10.5.1.2", "Service": {"Service": "warned", "Port": 9},
         "Check": {"CheckID": "c", "Name": "c", "Status": "warning", "ServiceID": "warned"}},
        {"Node": "named", "Address": "10.5.1.3",
         "Service": {"Service": "named", "Port": 9, "Address": "x.query.consul"}},
        {"Node": "own", "Address": "10.5.1.4", "Service": {"Service": "own", "Port": 9, "Address": "10.9.9.9"}},
        {"Node": "six", "Address": "fd00::6", "Service": {"Service": "six", "Port": 9}},
        {"Node": "lost", "Address": "10.5.1.5", "Service": {"Service": "lost", "Port": 9},
         "Check": {"CheckID": "c", "Name": "c", "Status": "critical", "ServiceID": "lost"}},
    ]  # fmt: skip
    return [
        *rows,
        *({"Node": f"big{i:03}", "Address": f"10.6.0.{i}", "Service": {"Service": "big", "Port": i}}
          for i in range(40)),
    ]  # fmt: skip


QUERIES: list[dict[str, Any]] = [
    {"Name": "x", "Service": {"Service": "one"}},
    {"Name": "Mixed.Name", "Service": {"Service": "one"}, "DNS": {"TTL": "30s"}},
    {"Name": "short", "Service": {"Service": "one"}, "DNS": {"TTL": "1500ms"}},
    {"Name": "zero", "Service": {"Service": "one"}, "DNS": {"TTL": "0s"}},
    {"Name": "configured", "Service": {"Service": "web", "Tags": ["a"]}},
    {"Name": "warned", "Service": {"Service": "warned"}},
    {"Name": "warned-passing", "Service": {"Service": "warned", "OnlyPassing": True}},
    {"Name": "lost", "Service": {"Service": "lost"}},
    {"Name": "lost-ignored", "Service": {"Service": "lost", "IgnoreCheckIDs": ["c"]}},
    {"Name": "nowhere", "Service": {"Service": "none", "Failover": {"NearestN": 2, "Datacenters": ["dc9"]}}},
    {"Name": "named", "Service": {"Service": "named"}},
    {"Name": "own", "Service": {"Service": "own"}},
    {"Name": "six", "Service": {"Service": "six"}},
    {"Name": "big", "Service": {"Service": "big"}, "DNS": {"TTL": "5s"}},
    {"Name": "near-ip", "Service": {"Service": "web", "Near": "_ip"}},
    {"Name": "t-", "Template": TEMPLATE, "Service": {"Service": "${name.suffix}"}, "DNS": {"TTL": "7s"}},
]
EXACT = [
    "x", "mixed.name", "MIXED.name", "short", "zero", "configured", "warned", "warned-passing", "lost", "lost-ignored",
    "nowhere", "named", "own", "six", "t-one", "t-nothing", "T-one", "unknown", "a.x", "_x._tcp",
]  # fmt: skip
SUFFIXES = ("query.consul", "query.dc1.consul", "query.dc9.consul", "query.dc1.dc1.consul")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DnsAgent, DnsAgent]]:
    config = 'dns_config { service_ttl = { "web" = "12s" "one" = "13s" } node_ttl = "4s" }'
    with agent_pair(tmp_path_factory.mktemp("dns"), config, catalog()) as pair:
        for agent in pair:
            for body in QUERIES:
                agent.put("/v1/query", body, "POST")
        yield pair


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_answers_equal_the_reference(pair: tuple[DnsAgent, DnsAgent], suffix: str) -> None:
    different = []
    for name in EXACT:
        for kind in (A, AAAA, SRV, ANY, TXT, MX):
            for edns in (0, 1232):
                packet = query(f"{name}.{suffix}", kind, edns=edns)
                expected, answer = (agent.udp(packet) for agent in pair)
                assert expected is not None
                assert answer is not None
                if without_serial(expected) != without_serial(answer):
                    if Parsed(expected).shape() != Parsed(answer).shape():
                        different.append((name, kind, edns, Parsed(expected).shape(), Parsed(answer).shape()))
    assert different == []


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("kind", [A, SRV])
@pytest.mark.parametrize("edns", [0, 4096])
def test_many_instances_are_cut_alike(pair: tuple[DnsAgent, DnsAgent], kind: int, edns: int, tcp: bool) -> None:
    packet = query("big.query.consul", kind, edns=edns)
    expected, answer = (agent.ask(packet, tcp=tcp) for agent in pair)
    assert expected is not None
    assert answer is not None
    assert Parsed(expected).outline() == Parsed(answer).outline()


def _first(agent: DnsAgent, packet: bytes) -> bytes:
    answer = agent.udp(packet)
    assert answer is not None
    return Parsed(answer).sections[0][0][4]


def test_the_client_subnet_says_who_is_near(pair: tuple[DnsAgent, DnsAgent]) -> None:
    """Nobody has a coordinate, so the node with the address comes first all the same, by everybody's own address."""
    for agent in pair:
        for number in (1, 2, 3, 1):
            option = struct.pack("!HHHBB4s", 8, 8, 1, 32, 0, bytes([10, 5, 0, number]))
            for _ in range(3):
                first = _first(agent, query("near-ip.query.consul", A, edns=1232, options=option))
                assert first == bytes([10, 5, 0, number])
        for _ in range(6):  # without a subnet it is the address that the question comes from
            assert _first(agent, query("near-ip.query.consul", A, edns=1232)) == bytes([127, 0, 0, 1])


def test_kept_answers_turn_and_end_with_what_they_rest_on(pair: tuple[DnsAgent, DnsAgent]) -> None:
    ours = pair[1]
    packet = query("big.query.consul", A)
    assert len({ours.udp(packet) for _ in range(60)}) > 10
    ours.put("/v1/query", {"Name": "changing", "Service": {"Service": "one"}, "DNS": {"TTL": "9s"}}, "POST")
    packet = query("changing.query.consul", A)
    assert [record[3] for record in Parsed(ours.udp(packet) or b"").sections[0]] == [9]
    ours.put("/v1/catalog/register", {"Node": "one", "Address": "10.5.1.200"})
    assert _first(ours, packet) == bytes([10, 5, 1, 200])
    ours.put("/v1/catalog/register", {"Node": "one", "Address": "10.5.1.1"})
    assert _first(ours, packet) == bytes([10, 5, 1, 1])


def test_a_query_that_is_removed_is_not_answered_any_more(pair: tuple[DnsAgent, DnsAgent]) -> None:
    for agent in pair:
        agent.put("/v1/session/create", {"Name": "s"})
        session = next(part for part in agent.get("/v1/session/list").decode().split('"') if part.count("-") == 4)
        agent.put("/v1/query", {"Name": "bound", "Session": session, "Service": {"Service": "one"}}, "POST")
        assert Parsed(agent.udp(query("bound.query.consul", A)) or b"").rcode == 0
        agent.put(f"/v1/session/destroy/{session}", None)
        until = time.monotonic() + PATIENCE_S
        while Parsed(agent.udp(query("bound.query.consul", A)) or b"").rcode != 3:
            assert time.monotonic() < until
