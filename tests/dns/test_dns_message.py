"""Wire form: compression, records, and noise."""

from __future__ import annotations

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.dns import message as m
from proconsul.dns.trim import trim
from support.dns_packets import Parsed, query


def _name(text: str) -> bytes:
    return m.pack_name(text)


def _query(name: str, kind: int, edns: int = 0) -> m.DnsQuery:
    found = m.parse_query(query(name, kind, edns=edns))
    assert found is not None
    return found


def test_names() -> None:
    assert _name("Foo.consul.") == b"\3Foo\6consul\0"
    assert m.unpack_name(b"\3a.b\3\xff1 \0") == ["a\\.b", "\\2551\\ "]
    for bad in ("x" * 64, ".".join(["x" * 60] * 5), "a..b"):
        with pytest.raises(m.Unpackable):
            m.pack_name(bad)


def test_every_record_is_read_back_by_another_library() -> None:
    owner, target = _name("web.service.consul"), _name("n1.node.dc1.consul")
    reply = m.DnsReply()
    reply.answer = [
        m.address_record(owner, 1, bytes([10, 0, 0, 1])),
        m.address_record(owner, 1, bytes(15) + b"\1"),
        m.srv_record(owner, 2, 3, 80, target),
        m.name_record(owner, m.CNAME, 4, target),
        m.txt_record(owner, 5, "k=v"),
        m.txt_record(owner, 5, "x" * 300),
    ]
    reply.authority = [
        m.soa_record(_name("consul"), 0, (_name("ns.consul"), _name("hostmaster.consul")), (1, 2, 3, 4, 5)),
        m.name_record(_name("consul"), m.NS, 6, target),
    ]
    reply.additional = [m.address_record(target, 1, bytes([10, 0, 0, 2]))]
    for compress in (True, False):
        packet = m.encode(_query("web.service.consul", m.SRV, 4096), reply, compress=compress)
        parsed = dns.message.from_wire(packet)
        texts = {f"{rrset.rdtype.name} {rdata}" for rrset in parsed.answer for rdata in rrset}
        assert {"A 10.0.0.1", "AAAA ::1", "SRV 1 3 80 n1.node.dc1.consul.", 'TXT "k=v"'} <= texts
        assert f'TXT "{"x" * 255}" "{"x" * 45}"' in texts
        assert str(parsed.authority[0][0]) == "ns.consul. hostmaster.consul. 1 2 3 4 5"
        assert parsed.payload == 4096
        assert parsed.additional[0].name.to_text() == "n1.node.dc1.consul."


def test_srv_targets_are_not_compressed_but_pointed_to() -> None:
    owner, target = _name("web.service.consul"), _name("n1.node.dc1.consul")
    reply = m.DnsReply()
    reply.answer = [m.srv_record(owner, 0, 1, 80, target)]
    reply.additional = [m.address_record(target, 0, bytes(4))]
    packet = m.encode(_query("web.service.consul", m.SRV), reply, compress=True)
    assert packet.count(target) == 1
    at = packet.index(target)
    assert packet[at + len(target) :].startswith(bytes([0xC0 | at >> 8, at & 0xFF]))


def test_compression_minds_case_and_the_reach_of_pointers() -> None:
    reply = m.DnsReply()
    reply.answer = [m.address_record(_name("FOO.consul"), 0, bytes(4))]
    packet = m.encode(_query("foo.consul", m.A), reply, compress=True)
    assert b"\3FOO\xc0" in packet
    reply.answer = [m.txt_record(_name(f"n{number}.consul"), 0, "x" * 250) for number in range(200)]
    assert len(Parsed(m.encode(_query("foo.consul", m.A), reply, compress=True)).sections[0]) == 200


def _many(count: int, kind: int) -> m.DnsReply:
    owner = _name("web.service.consul")
    reply = m.DnsReply()
    for number in range(count):
        packed = number.to_bytes(4, "big")
        if kind == m.A:
            reply.answer.append(m.address_record(owner, 0, packed))
            continue
        target = _name(f"n{number}.node.dc1.consul")
        reply.answer.append(m.srv_record(owner, 0, 1, 80, target))
        reply.additional += [m.address_record(target, 0, packed), m.txt_record(target, 0, "k=v")]
    return reply


@pytest.mark.parametrize(
    ("kind", "count", "edns", "tcp", "answers", "additionals"),
    [
        (m.A, 3, 0, False, 3, 0),
        (m.A, 20, 0, False, 3, 0),
        (m.A, 20, 512, False, 3, 0),
        (m.A, 20, 4096, False, 20, 0),
        (m.SRV, 3, 0, False, 3, 6),
        (m.SRV, 4, 0, False, 3, 3),
        (m.SRV, 20, 4096, False, 20, 40),
        (m.A, 5000, 0, True, 4090, 0),
        (m.SRV, 1500, 0, True, 1000, 1000),
    ],
)
def test_trimming(kind: int, count: int, edns: int, tcp: bool, answers: int, additionals: int) -> None:
    asked = _query("web.service.consul", kind, edns)
    reply = _many(count, kind)
    trim(asked, reply, tcp=tcp, compress=True, udp_answer_limit=3, truncate=True)
    size = len(m.encode(asked, reply, compress=True))
    if tcp:
        assert size <= m.MESSAGE_BYTES_MAX
        assert len(reply.answer) >= answers
    else:
        assert (len(reply.answer), len(reply.additional)) == (answers, additionals)
    assert reply.truncated is (len(reply.answer) < count)


def test_one_record_is_sent_however_big() -> None:
    asked = _query("web.service.consul", m.SRV)
    reply = _many(2, m.SRV)
    reply.additional += [m.txt_record(_name("n0.node.dc1.consul"), 0, "x" * 250)] * 4
    trim(asked, reply, tcp=False, compress=True, udp_answer_limit=3, truncate=False)
    assert len(reply.answer) >= 1
    assert reply.truncated is False


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_noise_is_dropped_or_refused(packet: bytes) -> None:
    try:
        found = m.parse_query(packet)
    except m.FormError as error:
        assert error.query is not None
        assert len(m.refusal(error.query, m.FORMERR, question=bool(error.query.name))) >= m.HEADER_BYTES
    else:
        assert found is None or len(found.name) <= m.NAME_BYTES_MAX


@given(st.integers(0, 40), st.binary(max_size=6), st.integers(0, 60))
@settings(max_examples=500, deadline=None)
def test_damaged_queries_are_dropped_or_refused(at: int, noise: bytes, cut: int) -> None:
    packet = query("foo.node.consul", 1, edns=1232, options=b"\0\x08\0\x07\0\1\x18\0\x0a\0\1")
    packet = (packet[:at] + noise + packet[at + len(noise) :])[: max(cut, 12)]
    try:
        found = m.parse_query(packet)
    except m.FormError as error:
        assert error.query is not None
    else:
        assert found is None or found.name == b"" or found.name.endswith(b"\0")
