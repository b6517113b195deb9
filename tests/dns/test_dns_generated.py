"""Generated questions and recursors' answers, asked of the reference and of us: equal to the byte, but where ours are
better: no answer is longer than its client takes, and chains of CNAMEs end in addresses."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dns_agents import DnsAgent, FakeRecursor, agent_pair, without_serial

from support.dns_packets import Parsed, query

pytestmark = pytest.mark.reference

Pair = tuple[DnsAgent, DnsAgent]

A, CNAME, TXT, AAAA, SRV, ANY = 1, 5, 16, 28, 33, 255
SUBNET = struct.pack("!HHHBB3s", 8, 7, 1, 24, 0, b"\x0a\0\1")
QUESTION = b"\3foo\4node\6consul\0\0\1\0\1"
RECORD = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(SUBNET)) + SUBNET


def _name(text: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def _addresses(count: int) -> list[tuple[int, bytes]]:
    return [(A, bytes([10, 5, number // 250, number % 250])) for number in range(count)]


def _sized(size: int, name: str, *, cut: bool = False) -> bytes:
    """A recursor's answer of so many bytes, with or without TC, behind its id."""
    left = size - 12 - len(_name(name)) - 4
    records = []
    while left > 0:
        data = min(left - 13, 240)
        if 0 < left - 13 - data < 13:
            data -= 13
        records.append(b"\xc0\x0c" + struct.pack("!HHIH", TXT, 1, 60, data + 1) + bytes([data]) + b"x" * data)
        left -= 13 + data
    return struct.pack("!5H", 0x8180 | (0x200 if cut else 0), 1, len(records), 0, 0) + b"QUESTION" + b"".join(records)


SIZES = (100, 511, 512, 513, 514, 600, 1231, 1232, 1233, 4096, 4097, 9000)
_OK = struct.pack("!5H", 0x8180, 1, 1, 0, 0) + b"QUESTION"
TABLE: dict[str, list[tuple[int, bytes]] | int | bytes] = {
    "many.example.org": _addresses(9),
    "txt.example.org": [(TXT, b"\5hello"), (A, b"\1\2\3\5"), (15, b"\0\1\1x\0"), (AAAA, bytes(15) + b"\1")],
    "alias.example.org": [(CNAME, _name("b.example.org")), (A, b"\1\2\3\6")],
    "only.example.org": [(CNAME, _name("b.example.org"))],
    "srv.example.org": [(SRV, b"\0\1\0\2\0\3" + _name("b.example.org")), (6, _name("a.b") + _name("c.d") + bytes(20))],
    "empty.example.org": [],
    "gone.example.org": 3,
    "big.example.org": _addresses(90),
    "half.example.org": _OK + b"\xc0\x0c\0\1\0\1",
    "behind.example.org": struct.pack("!5H", 0x8180, 1, 0, 0, 0) + b"QUESTIONjunk",
    "counts.example.org": struct.pack("!5H", 0x8180, 1, 3, 2, 1) + b"QUESTION",
    "length.example.org": _OK + RECORD[:-6] + b"\0\5\1\2\3\4\5",
    **{f"code{code}.example.org": code for code in range(16)},
    **{f"s{size}.example.org": _sized(size, f"s{size}.example.org") for size in SIZES},
    **{f"t{size}.example.org": _sized(size, f"t{size}.example.org", cut=True) for size in SIZES},
}


def _service(node: str, address: str, **service: Any) -> dict[str, Any]:
    return {"Node": node, "Address": address, "Service": service}


def _catalog() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"Node": "foo", "Address": "127.0.0.2", "NodeMeta": {"k": "v"}},
        {"Node": "v6", "Address": "fd00::1"},
        {"Node": "meta3", "Address": "127.0.0.3", "NodeMeta": {"a": "1"}},
        {"Node": "wordy", "Address": "127.0.0.4", "NodeMeta": {f"key{i}": "v" * 200 for i in range(8)}},
        {"Node": "tometa", "Address": "meta3.node.consul"},
        {"Node": "totxt", "Address": "n-txt.node.consul"},
        {"Node": "circle1", "Address": "circle2.node.consul"},
        {"Node": "circle2", "Address": "CIRCLE1.node.consul"},
        {"Node": "self", "Address": "self.node.consul"},
        {"Node": "link7", "Address": "10.8.8.8"},
        _service("foo", "127.0.0.2", ID="meta", Service="tometasvc", Port=1, Address="meta3.node.consul"),
        _service("sc", "127.0.0.5", ID="c0", Service="chain0", Port=1, Address="chain1.service.consul"),
        _service("sc", "127.0.0.5", ID="c1", Service="chain1", Port=1, Address="chain2.service.consul"),
        _service("sc", "127.0.0.5", ID="c2", Service="chain2", Port=1, Address="link5.node.consul"),
    ]
    rows += [{"Node": f"link{i}", "Address": f"link{i + 1}.node.consul"} for i in range(7)]
    for name in ("many", "txt", "alias", "only", "srv", "empty", "gone", "big", "half", "length"):
        row = _service(f"n-{name}", f"{name}.example.org", Service=f"s-{name}", Port=1)
        rows.append(row | {"NodeMeta": {"k": "v"}})
    for i in range(30):
        rows.append(_service(f"db{i:02}", f"10.3.0.{i + 1}", Service="db", Tags=["t"] * (i % 2), Port=5432))
        rows.append(_service(f"six{i:02}", f"fd00::{i + 1:x}", Service="six", Port=5432))
    return rows


@pytest.fixture(scope="module")
def recursor() -> Iterator[FakeRecursor]:
    fake = FakeRecursor(TABLE)
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, recursor: FakeRecursor) -> Iterator[Pair]:
    config = f'recursors = ["127.0.0.1:{recursor.port}"]\n'
    config += 'dns_config { recursor_timeout = "300ms", node_ttl = "7s", service_ttl { "s-txt" = "8s", "t*" = "9s" } }'
    with agent_pair(tmp_path_factory.mktemp("recursing"), config, _catalog()) as agents:
        yield agents


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with agent_pair(tmp_path_factory.mktemp("alone"), "", _catalog()[:2]) as agents:
        yield agents


def _both(agents: Pair, packets: list[bytes]) -> list[tuple[bytes, bytes | None, bytes | None]]:
    theirs, ours = (agent.udp_many(packets) for agent in agents)
    return list(zip(packets, theirs, ours, strict=True))


def _unequal(agents: Pair, packets: list[bytes]) -> list[str]:
    return [
        f"{packet.hex()}: {theirs and theirs.hex()} but ours {ours and ours.hex()}"
        for packet, theirs, ours in _both(agents, packets)
        if (theirs and without_serial(theirs)) != (ours and without_serial(ours))
    ]


def _raw(flags: int, rest: bytes, counts: tuple[int, ...] = (1, 0, 0, 0)) -> bytes:
    return struct.pack("!6H", 7, flags, *counts) + rest


def test_every_beginning_of_a_packet(alone: Pair) -> None:
    whole = [
        query("foo.node.consul", A), query("foo.node.consul", A, edns=1232, options=SUBNET),
        query("www.example.com", A), query("consul", SRV, flags=0x2130),
        _raw(0x100, QUESTION + RECORD, (1, 1, 0, 0)),
    ]  # fmt: skip
    packets = [packet[:end] for packet in whole for end in range(len(packet))]
    packets += [packet + tail for packet in whole for tail in (b"\0", b"\0\0", b"xxxxx", bytes(20))]
    assert _unequal(alone, packets) == []


def test_every_operation_and_flag(alone: Pair) -> None:
    packets = []
    for operation in range(16):
        for flags in (0, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x7FF, 0x1F, 0x130):
            both = operation << 11 | flags
            for name in ("foo.node.consul", "www.example.com", "nope.node.consul"):
                packets += [query(name, A, flags=both), query(name, A, flags=both, edns=1000)]
            packets += [query("consul", 252, flags=both), _raw(both, b""), _raw(both, QUESTION[:8])]
            packets += [_raw(both, QUESTION * 2, (2, 0, 0, 0)), _raw(both, QUESTION + RECORD[:-2], (1, 1, 0, 0))]
    assert _unequal(alone, packets) == []


# Types whose data the original parses when they stand in a query, which nobody sends.
_PARSED_BY_THE_ORIGINAL = frozenset({*range(1, 110), *range(249, 261), 32768, 32769}) - {1, 2, 5, 6, 12, 15, 28, 33, 41}


@pytest.mark.parametrize("seed", range(2))
def test_mutated_packets(alone: Pair, seed: int) -> None:
    rng = random.Random(seed)
    packets = []
    for _ in range(500):
        packet = bytearray(query("foo.node.consul", A, edns=1232, options=SUBNET))
        for _ in range(rng.choice([1, 1, 2, 3])):
            packet[rng.randrange(2, len(packet))] = rng.randrange(256)
        packet[2] &= 0x7F
        if int.from_bytes(packet[34:36]) not in _PARSED_BY_THE_ORIGINAL:
            packets.append(bytes(packet))
    parts = [QUESTION, RECORD, OPT, b"", RECORD[:7], QUESTION[:9], OPT[:5], OPT[:-1]]
    for _ in range(300):
        counts = tuple(rng.choice([0, 0, 1, 1, 2, 3, 65535]) for _ in range(4))
        rest = b"".join(rng.choice(parts) for _ in range(rng.randrange(4)))
        packets.append(_raw(rng.choice([0x100, 0x110, 0x2120]), rest, counts))
    assert _unequal(alone, packets) == []


@pytest.mark.parametrize("seed", range(2))
def test_random_names(alone: Pair, seed: int) -> None:
    """Labels of any bytes and case, known ones among them, asked for any type."""
    rng = random.Random(seed)
    known = b"foo FOO v6 node Node service consul CONSUL dc1 _tcp _foo addr connect query ingress 0a000001 in-addr ip6 "
    words = (known + b"arpa 2 127 0 1").split()
    packets = []
    for _ in range(700):
        labels = [rng.choice(words) for _ in range(rng.randrange(5))]
        if rng.random() < 0.3:
            labels.insert(rng.randrange(len(labels) + 1), rng.randbytes(rng.choice([1, 2, 5, 62, 63])))
        labels += rng.choice([[b"node", b"consul"], [b"consul"], [b"service", b"Consul"], [b"arpa"], []])
        name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
        kind = rng.choice([A, AAAA, SRV, TXT, ANY, 12, 15, 2, 6, CNAME, 41, 43, 249, 251, 252, 0, 257, 65535])
        packets.append(_raw(0x100, name + struct.pack("!HH", kind, rng.choice([1, 1, 1, 0, 3, 255]))))
    # The port of the service consul is each server's own.
    packets = [packet for packet in packets if b"\6consul\7service" not in packet.lower()]
    assert _unequal(alone, packets) == []


def test_no_answer_is_longer_than_its_client_takes(pair: Pair) -> None:
    """With any size and subnet; where the reference's fits, ours has as many records."""
    names = [(f"{service}.service.consul", kind) for service in ("db", "six") for kind in (A, AAAA, SRV)]
    names += [("_db._t.service.consul", SRV), ("s-big.service.consul", A), ("n-big.node.consul", A)]
    names += [("wordy.node.consul", kind) for kind in (A, TXT, ANY, AAAA)]
    sizes = [0, 1, 511, *range(512, 560, 3), *range(560, 2600, 61), 4096, 65535]
    asked = [(size, query(name, kind, edns=size, options=options)) for size in sizes for name, kind in names
             for options in ((b"", SUBNET) if size else (b"",))]  # fmt: skip
    answers = _both(pair, [packet for _, packet in asked])
    better = 0
    for (size, packet), (_, theirs, ours) in zip(asked, answers, strict=True):
        assert theirs is not None
        assert ours is not None
        assert len(ours) <= max(512, size), packet.hex()
        if len(theirs) <= max(512, size):
            assert Parsed(ours).outline() == Parsed(theirs).outline(), packet.hex()
        else:
            better += 1
    assert better > 20


def test_what_does_not_fit_is_said_to_be_missing_and_comes_over_tcp(pair: Pair) -> None:
    ours = pair[1]
    packet = query("wordy.node.consul", TXT)
    cut = ours.udp(packet)
    assert cut is not None
    assert Parsed(cut).flags & 0x0200
    assert 0 < len(Parsed(cut).sections[0]) < 8
    whole = Parsed(ours.tcp(packet))
    assert not whole.flags & 0x0200
    assert len(whole.sections[0]) == 8
    address = ours.udp(query("wordy.node.consul", A))
    assert address is not None
    # What was asked for is there; the texts beside it are extras.
    assert not Parsed(address).flags & 0x0200
    assert len(Parsed(address).sections[0]) == 1


def _kinds(agent: DnsAgent, name: str, kind: int, edns: int = 0) -> list[int]:
    answer = agent.udp(query(name, kind, edns=edns))
    assert answer is not None
    assert len(answer) <= max(512, edns)
    return [record[1] for record in Parsed(answer).sections[0]]


@pytest.mark.parametrize("edns", [0, 1232])
def test_chains_of_aliases_end_in_an_address(pair: Pair, edns: int) -> None:
    ours = pair[1]
    for number in range(7):
        assert _kinds(ours, f"link{number}.node.consul", A, edns) == [CNAME] * (7 - number) + [A]
    for number, aliases in ((0, 5), (1, 4), (2, 3)):
        for kind in (A, ANY):
            assert _kinds(ours, f"chain{number}.service.consul", kind, edns) == [CNAME] * aliases + [A]
    assert _kinds(ours, "s-many.service.consul", A) == [CNAME, A, A, A]
    assert _kinds(ours, "s-many.service.consul", A, 1232) == [CNAME] + [A] * 9


def test_circles_of_aliases_end(pair: Pair) -> None:
    assert _kinds(pair[1], "self.node.consul", A) == [CNAME]
    assert _kinds(pair[1], "circle1.node.consul", A) == [CNAME, CNAME]
    assert _kinds(pair[1], "Circle2.node.consul", ANY) == [CNAME, CNAME]


def test_external_nodes_and_services(pair: Pair) -> None:
    """What recursors say of a node's name is handed on whole, of a service's the addresses."""
    names = ["many", "txt", "alias", "only", "srv", "empty", "gone", "big", "half", "length"]
    ours = ["totxt.node.consul", "tometa.node.consul", "tometasvc.service.consul"]
    packets = [
        query(name, kind, edns=edns)
        for name in [*ours, *(f"n-{n}.node.consul" for n in names)]
        for kind in (A, AAAA, TXT, ANY, 15, SRV, CNAME)
        for edns in (0, 1232)
    ]  # fmt: skip
    packets += [query(f"s-{n}.service.consul", kind, edns=1232) for n in names for kind in (A, AAAA, TXT, SRV, 15)]
    packets += [query(f"s-{n}.service.consul", SRV) for n in names]
    assert _unequal(pair, packets) == []


def test_answers_of_recursors(pair: Pair) -> None:
    """Longer ones than the client takes, broken ones, and ones with more or less than their headers say."""
    packets = [query(name, A, edns=edns) for name in TABLE for edns in (0, 400, 1232, 4096)]
    found = _both(pair, packets)
    assert all(ours is not None for _, _, ours in found)
    # The original compresses anew what it hands on.
    differ = [packet for packet, theirs, ours in found if ours != theirs]
    assert [packet for packet in differ if b"\3srv\7example" not in packet and b"\5alias" not in packet
            and b"\4only" not in packet] == []  # fmt: skip
    for packet in packets[::5]:
        theirs, ours = (agent.tcp(packet) for agent in pair)
        if packet not in differ:
            assert ours == theirs
