"""The same questions asked of the reference and of us: same flags, codes, counts, records and, unshuffled, bytes."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dns_agents import DnsAgent, FakeRecursor, agent_pair, without_serial

from support.dns_packets import Parsed, query
from support.patience import PATIENCE_S

pytestmark = pytest.mark.reference

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "DS": 43,
    "IXFR": 251, "AXFR": 252, "ANY": 255,
}  # fmt: skip


def _service(node: str, address: str = "", **service: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"Node": node, "Service": service}
    return body | ({"Address": address} if address else {"Address": "x", "SkipNodeUpdate": True})


def _check(node: str, service: str, status: str) -> dict[str, Any]:
    return {"Node": node, "CheckID": f"{service}-{status}", "Name": "c", "Status": status, "ServiceID": service}


def catalog() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"Node": "foo", "Address": "127.0.0.2", "NodeMeta": {"k": "v"}},
        {"Node": "meta3", "Address": "127.0.0.3", "NodeMeta": {"k": "v", "rfc1035-x": "plain", "eq=s": "a`b", "e": ""}},
        {"Node": "v6", "Address": "fd00::1"},
        {"Node": "Dotted.Name", "Address": "10.2.0.9"},
        {"Node": "loopn", "Address": "loopn.node.consul"},
        _service("ext", "www.example.com", Service="extsvc", Port=443) | {"NodeMeta": {"k": "v"}},
        _service("intn", "foo.node.consul", Service="intsvc", Port=443),
        _service("tosvc", "db.service.consul", Service="tosvc", Port=5),
        _service("bad_node", "10.2.0.10", Service="bad_svc", Port=1),
        _service("foo", Service="one", Port=80, Weights={"Passing": 7, "Warning": 2}),
        _service("foo", ID="a4", Service="addrsvc", Port=81, Address="10.9.9.9"),
        _service("foo", ID="a6", Service="addr6svc", Port=81, Address="fd00::9"),
        _service("foo", ID="cn", Service="cnsvc", Port=81, Address="foo.node.consul"),
        _service("foo", ID="cns", Service="cnself", Port=81, Address="cnself.service.consul"),
        _service("foo", ID="cne", Service="cnext", Port=81, Address="api.example.org"),
        _service("foo", ID="many", Service="cnmany", Port=81, Address="many.example.org"),
        _service("foo", ID="mix1", Service="mix", Port=81, Address="api.example.org"),
        _service("foo", ID="mix2", Service="mix", Port=81, Address="10.7.7.7"),
        _service("foo", ID="chain", Service="chain", Port=81, Address="cnsvc.service.consul"),
        *(_service("foo", ID=f"dup{i}", Service="dup", Port=82 + i // 2) for i in range(3)),
        _service("foo", ID="warn", Service="warnsvc", Port=83, Weights={"Passing": 7, "Warning": 2})
        | {"Check": _check("foo", "warn", "warning")},
        _service("foo", ID="crit", Service="critsvc", Port=83) | {"Check": _check("foo", "crit", "critical")},
        _service("foo", ID="wp", Kind="connect-proxy", Service="wp", Port=9, Proxy={"DestinationServiceName": "webc"}),
        _service("v6", ID="nat", Service="nat", Port=9091, Connect={"Native": True}),
        _service("foo", ID="Upper", Service="Upper", Port=9091, Tags=["V1"]),
        _service("sick", "10.2.0.11", Service="sicksvc", Port=1)
        | {"Check": {"Node": "sick", "CheckID": "n", "Name": "n", "Status": "critical"}},
    ]
    rows += [
        _service(f"db{i:02}", f"10.3.0.{i + 1}", Service="db", Tags=["Master", "m.x"] if i < 10 else [], Port=5432)
        | {"NodeMeta": {"a": "1", "b": "2"}}
        for i in range(20)
    ]
    rows += [_service(f"big{i:03}", f"10.4.{i // 250}.{i % 250 + 1}", Service="big", Port=1000) for i in range(260)]
    return rows


# Questions with one possible answer, but for the order of TXT records of nodes with much metadata.
EXACT = """
foo.node.consul A AAAA ANY TXT MX SRV CNAME PTR IXFR
FOO.Node.ConsuL A TXT
v6.node.consul A AAAA ANY MX TXT
meta3.node.consul A AAAA TXT ANY
dotted.name.node.consul A
intn.node.consul A ANY TXT
nope.node.consul A AAAA
foo.node.dc1.consul A
foo.node.dc2.consul A
foo.node.dc1.dc1.consul A
foo.node.dc.dc1.consul A
bad_node.node.consul A
consul A SOA NS AXFR DS
any.name.consul A SOA NS
one.service.consul A AAAA SRV TXT ANY MX CNAME PTR DS
one.service.dc1.consul A SRV
one.service.dc9.consul A
x.service.a.b.consul A
addrsvc.service.consul A AAAA SRV
addr6svc.service.consul A AAAA SRV TXT ANY
cnsvc.service.consul A AAAA SRV TXT MX
cnself.service.consul A AAAA SRV
chain.service.consul A SRV
intsvc.service.consul A SRV
dup.service.consul A
warnsvc.service.consul A SRV
critsvc.service.consul A SRV
sicksvc.service.consul A
webc.connect.consul A SRV
x.webc.connect.consul A
nat.connect.consul A AAAA SRV
webc.ingress.consul A
wp.service.consul A
upper.service.consul A SRV
v1.UPPER.service.consul SRV
v2.upper.service.consul SRV
_upper._tcp.service.consul SRV A
_upper._v1.service.consul SRV
_upper._udp.consul SRV
_upper._tcp.consul SRV A
_upper._tcp.dc1.consul SRV
bad_svc.service.consul A
0a000001.addr.consul A AAAA TXT
0A00000F.addr.consul A
0a000001.addr.dc2.consul A
0a000001.addr.a.b.consul A
0a00001.addr.consul A
0a00000g.addr.consul A
0a000001f.addr.consul A
x.0a000001.addr.consul A
fd000000000000000000000000000009.addr.consul AAAA A
2.0.0.127.in-addr.arpa PTR A
9.9.9.10.in-addr.arpa PTR
9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR
service.consul A
node.consul A
query.consul A
q.query.consul A
addr.consul A
foo.virtual.consul A
service.service.consul A
a.b.c.one.service.consul A
"""
# Answers of several instances: the records are compared as a set.
SHUFFLED = """
db.service.consul A ANY
master.db.service.consul A
m.x.db.service.consul A
"""
# Answers that are cut: which records are kept is random, how many is not.
CUT = """
db.service.consul A SRV ANY
_db._tcp.service.consul SRV
big.service.consul A SRV
dup.service.consul SRV
mix.service.consul A SRV
"""


def _questions(table: str) -> list[tuple[str, str]]:
    lines = [line.split() for line in table.strip().splitlines()]
    return [(line[0], kind) for line in lines for kind in line[1:]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DnsAgent, DnsAgent]]:
    with agent_pair(tmp_path_factory.mktemp("plain"), "", catalog()) as agents:
        yield agents


def _differences(
    agents: tuple[DnsAgent, DnsAgent], table: str, compare: str, *, edns: int = 0, tcp: bool = False
) -> list[str]:
    found = []
    for name, kind in _questions(table):
        packet = query(name, TYPES[kind], edns=edns)
        answers = [agent.ask(packet, tcp=tcp) for agent in agents]
        assert answers[0] is not None, f"{name} {kind}: the reference does not answer"
        if answers[1] is None:
            found.append(f"{name} {kind}: no answer")
            continue
        theirs, ours = Parsed(answers[0]), Parsed(answers[1])
        if not tcp and len(theirs.packet) > max(512, edns):
            # The original forgets its OPT record when it cuts, by at most four bytes.
            assert len(ours.packet) <= max(512, edns) < len(theirs.packet) <= max(512, edns) + 4
            assert len(ours.sections[0]) == len(theirs.sections[0]) - 1
            continue
        if getattr(theirs, compare)() != getattr(ours, compare)():
            found.append(f"{name} {kind}: {getattr(theirs, compare)()} but ours {getattr(ours, compare)()}")
        elif compare == "shape" and len(theirs.packet) != len(ours.packet):
            found.append(f"{name} {kind}: {len(theirs.packet)} bytes but ours {len(ours.packet)}")
    return found


@pytest.mark.parametrize(("edns", "tcp"), [(0, False), (1232, False), (0, True), (4096, True)])
def test_answers(pair: tuple[DnsAgent, DnsAgent], edns: int, tcp: bool) -> None:
    assert len(_questions(EXACT)) >= 100
    assert _differences(pair, EXACT, "shape", edns=edns, tcp=tcp) == []


def test_bytes(pair: tuple[DnsAgent, DnsAgent]) -> None:
    """Where nothing is shuffled the packets are equal to the byte, compression included."""
    for name, kind in _questions(EXACT):
        if name.startswith("meta3"):
            continue
        for edns in (0, 4096):
            packet = query(name, TYPES[kind], edns=edns)
            theirs, ours = (agent.udp(packet) for agent in pair)
            assert theirs is not None
            assert ours is not None
            assert without_serial(ours) == without_serial(theirs), f"{name} {kind}"


@pytest.mark.parametrize(("edns", "tcp"), [(4096, False), (0, True)])
def test_shuffled_answers(pair: tuple[DnsAgent, DnsAgent], edns: int, tcp: bool) -> None:
    assert _differences(pair, SHUFFLED, "shape", edns=edns, tcp=tcp) == []


@pytest.mark.parametrize("edns", [0, 100, 512, 513, 600, 1000, 1232, 4096, 65535])
def test_cut_answers(pair: tuple[DnsAgent, DnsAgent], edns: int) -> None:
    assert _differences(pair, CUT, "outline", edns=edns) == []


def test_cut_answers_over_tcp(pair: tuple[DnsAgent, DnsAgent]) -> None:
    assert _differences(pair, CUT, "outline", tcp=True) == []


def _raw(flags: int = 0x100, counts: tuple[int, ...] = (1, 0, 0, 0), rest: bytes = b"") -> bytes:
    return struct.pack("!6H", 7, flags, *counts) + rest


_Q = b"\3foo\4node\6consul\0\0\1\0\1"
_RR = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"


def _opt(options: bytes = b"", size: int = 1232, version: int = 0, flags: int = 0) -> bytes:
    return b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, flags, len(options)) + options


ODD = {
    "empty": b"",
    "short": _raw()[:8],
    "bare header": _raw(),
    "no question": _raw(counts=(0, 0, 0, 0)),
    "cut name": _raw(rest=_Q[:5]),
    "no class": _raw(rest=_Q[:-2]),
    "two questions": _raw(counts=(2, 0, 0, 0), rest=_Q + _Q),
    "a response": _raw(0x8100, rest=_Q),
    "inverse query": _raw(0x0900, rest=_Q),
    "notify": _raw(0x2100, rest=_Q),
    "update": _raw(0x2900, rest=_Q),
    "pointer to itself": _raw(rest=b"\xc0\x0c\0\1\0\1"),
    "pointer loop": _raw(rest=b"\3foo\xc0\x0c\0\1\0\1"),
    "trailing junk": _raw(rest=_Q + b"junk"),
    "class CH": _raw(rest=_Q[:-2] + b"\0\3"),
    "checking disabled": _raw(0x110, rest=_Q),
    "authentic data": _raw(0x120, rest=_Q),
    "no recursion": _raw(0, rest=_Q),
    "all flags": _raw(0x0780, rest=_Q),
    "do bit": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(flags=0x8000)),
    "edns version 1": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(version=1)),
    "subnet": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HHHBB3s", 8, 7, 1, 24, 0, b"\x0a\0\1"))),
    "subnet host bits": _raw(
        counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HHHBB4s", 8, 8, 1, 20, 0, b"\x0a\0\xff\1"))
    ),
    "subnet v6": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HHHBB4s", 8, 8, 2, 32, 0, b"\x20\1\x0d\xb8"))),
    "subnet none": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HHHBB", 8, 4, 0, 0, 0))),
    "subnet too long": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HHHBB3s", 8, 7, 1, 40, 0, b"\x0a\0\1"))),
    "cookie": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(struct.pack("!HH8s", 10, 8, b"cookie12"))),
    "cut option": _raw(counts=(1, 0, 0, 1), rest=_Q + _opt(b"\0\x08\0")),
    "two opts": _raw(counts=(1, 0, 0, 2), rest=_Q + _opt() + _opt()),
    "three opts": _raw(counts=(1, 0, 0, 3), rest=_Q + _opt() * 3),
    "additional missing": _raw(counts=(1, 0, 0, 1), rest=_Q),
    "answer missing": _raw(counts=(1, 1, 0, 0), rest=_Q),
    "an answer": _raw(counts=(1, 1, 0, 0), rest=_Q + _RR),
    "two answers": _raw(counts=(1, 2, 0, 0), rest=_Q + _RR + _RR),
    "cut record": _raw(counts=(1, 1, 0, 0), rest=_Q + _RR[:-2]),
    "long label": _raw(rest=b"\x40" + b"a" * 64 + b"\0\0\1\0\1"),
    "long name": _raw(rest=(b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1"),
    "root": _raw(rest=b"\0\0\1\0\1"),
    "dot in label": _raw(rest=b"\3f.o\4node\6consul\0\0\1\0\1"),
    "binary label": _raw(rest=b"\3f\xffo\4node\6consul\0\0\1\0\1"),
    "opt as type": _raw(rest=_Q[:-4] + b"\0\x29\0\1"),
    "foreign name": query("www.example.com", 1),
    "foreign name with edns": query("www.example.com", 1, edns=1232),
    "unknown reverse": query("9.9.9.9.in-addr.arpa", 12),
    "unknown reverse with edns": query("9.9.9.9.in-addr.arpa", 12, edns=1232),
    "no reverse": query("foo.arpa", 12),
}


@pytest.mark.parametrize("what", ODD)
def test_odd_packets(pair: tuple[DnsAgent, DnsAgent], what: str) -> None:
    theirs, ours = (agent.udp_many([ODD[what]])[0] for agent in pair)
    assert (ours is None) == (theirs is None)
    if theirs is not None and ours is not None:
        assert without_serial(ours) == without_serial(theirs)


def test_pipelined_tcp(pair: tuple[DnsAgent, DnsAgent]) -> None:
    import socket

    from dns_agents import read_tcp

    for agent in pair:
        with socket.create_connection(("127.0.0.1", agent.dns), timeout=PATIENCE_S) as sock:
            for number in range(20):
                packet = query("one.service.consul", 1, query_id=number)
                sock.sendall(struct.pack("!H", len(packet)) + packet)
            assert sorted(struct.unpack("!H", read_tcp(sock)[:2])[0] for _ in range(20)) == list(range(20))


def test_dig_reads_our_answers(pair: tuple[DnsAgent, DnsAgent]) -> None:
    dig = shutil.which("dig")
    if dig is None:
        pytest.skip("dig is not installed")
    for arguments in (["one.service.consul", "SRV"], ["db.service.consul", "+tcp"], ["-x", "127.0.0.2"]):
        outputs = []
        for agent in pair:
            command = [dig, "@127.0.0.1", "-p", str(agent.dns), "+noall", "+answer", "+comments", "+time=2", *arguments]
            outputs.append(subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout)
        theirs, ours = (
            sorted(line for line in text.splitlines() if "id:" not in line and "COOKIE" not in line) for text in outputs
        )
        assert ours == theirs
        assert any("NOERROR" in text for text in outputs)


CONFIG = """
domain = "example.internal."
alt_domain = "alt.internal"
dns_config {
  node_ttl = "10s"
  service_ttl { "one" = "1s", "d*" = "2s", "db" = "3s", "*" = "4s" }
  enable_truncate = true
  only_passing = true
  a_record_limit = 2
  udp_answer_limit = 5
  enable_additional_node_meta_txt = false
  soa { refresh = 3600, retry = 600, expire = 100000, min_ttl = 30 }
}
"""
CONFIGURED = """
foo.node.DOMAIN A TXT ANY AAAA
nope.node.DOMAIN A
one.service.DOMAIN A SRV MX
warnsvc.service.DOMAIN A
dup.service.DOMAIN A
upper.service.DOMAIN A SRV
DOMAIN SOA NS A
any.DOMAIN NS SOA
0a000001.addr.DOMAIN A
addrsvc.service.DOMAIN SRV
webc.connect.DOMAIN SRV
foo.node.consul A
"""


@pytest.mark.parametrize("extra", ["", "disable_compression = true"])
def test_configured_answers(tmp_path: Path, extra: str) -> None:
    with agent_pair(tmp_path, CONFIG.replace("dns_config {", f"dns_config {{\n  {extra}"), catalog()) as agents:
        for domain in ("example.internal", "alt.internal", "Alt.Internal"):
            table = CONFIGURED.replace("DOMAIN", domain)
            assert _differences(agents, table, "shape") == []
            assert _differences(agents, "2.0.0.127.in-addr.arpa PTR\n9.9.9.10.in-addr.arpa PTR SOA", "shape") == []
            cut = f"db.service.{domain} A SRV\nbig.service.{domain} A SRV\n"
            for edns in (0, 600, 4096):
                assert _differences(agents, cut, "outline", edns=edns) == []
            assert _differences(agents, cut, "outline", tcp=True) == []


RECURSED = """
www.example.com A AAAA
gone.example.com A
refused.example.com A
ext.node.consul A ANY AAAA
extsvc.service.consul A SRV AAAA MX
cnext.service.consul A SRV
cnmany.service.consul SRV
9.9.9.9.in-addr.arpa PTR
foo.node.consul A
one.service.consul A
nope.service.consul A
"""


def test_recursors(tmp_path: Path) -> None:
    """Recursors are asked in order; refusals and silence lead to the next; targets of CNAMEs are resolved."""
    many = [(1, bytes([10, 5, 5, number])) for number in range(9)]
    first = FakeRecursor({"www.example.com": 2, "gone.example.com": 3, "refused.example.com": 5, "api.example.org": 2})
    second = FakeRecursor(
        {
            "www.example.com": [(1, b"\x01\x02\x03\x04")],
            "refused.example.com": 5,
            "api.example.org": [(1, b"\x05\x06\x07\x08")],
            "many.example.org": many,
            "9.9.9.9.in-addr.arpa": [(12, b"\3foo\3com\0")],
        }
    )
    config = f'recursors = ["127.0.0.1:{first.port}", "127.0.0.1:{second.port}"]\n'
    config += 'dns_config { recursor_timeout = "500ms" }'
    try:
        with agent_pair(tmp_path, config, catalog()) as agents:
            assert _differences(agents, RECURSED, "shape") == []
            assert _differences(agents, RECURSED, "shape", edns=1232) == []
            assert _differences(agents, "www.example.com A\nrefused.example.com A", "shape", tcp=True) == []
            first.table["www.example.com"] = -1
            assert _differences(agents, "www.example.com A", "shape") == []
    finally:
        first.close()
        second.close()
