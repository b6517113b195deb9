"""Gossip records: the original's bytes, and what its decoder tolerates and refuses."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import gossip_vectors as vectors
import msgpack
import pytest

from proconsul.engine.gossip import messages as m
from proconsul.engine.gossip.codec import (
    ELEMENTS_MAX,
    BadMessage,
    CoordinateBody,
    MetaTooLarge,
    Truncated,
    decode,
    decode_address,
    decode_first,
    decode_ping_payload,
    decode_tags,
    encode,
    encode_address,
    encode_body,
    encode_ping_payload,
    encode_tags,
)
from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.wire.record import Record

RECORDS: dict[str, type[Record]] = {
    "ml-ping": m.Ping,
    "ml-indirect-ping": m.IndirectPing,
    "ml-ack-coord": m.Ack,
    "ml-nack": m.Nack,
    "ml-suspect": m.Suspect,
    "ml-alive": m.Alive,
    "ml-dead-left": m.Dead,
    "serf-ping-payload": CoordinateBody,
    "serf-join": m.JoinIntent,
    "serf-leave": m.LeaveIntent,
    "serf-user-event": m.UserEventMessage,
    "consul-user-event": m.UserEventMessage,
    "consul-new-leader": m.UserEventMessage,
    "serf-query-filters": m.QueryMessage,
    "serf-query-install-key": m.QueryMessage,
    "serf-query-list-keys": m.QueryMessage,
    "serf-query-conflict": m.QueryMessage,
    "serf-pushpull": m.SerfPushPull,
}
# Not one record each: wrappers, tags and the relayed message have tests of their own.
OTHERS = {
    "ml-compound", "ml-crc", "ml-compress", "ml-compress-2", "ml-encrypted-packet", "ml-encrypted-stream",
    "ml-encrypt-v0", "ml-encrypt-label", "ml-pushpull-join-reply", "serf-tags", "serf-tags-server", "serf-relay",
}  # fmt: skip


def test_no_captured_message_is_forgotten() -> None:
    assert set(vectors.names("memberlist") + vectors.names("serf")) == set(RECORDS) | OTHERS


@pytest.mark.parametrize("name", RECORDS)
def test_captured_messages_come_back_byte_for_byte(name: str) -> None:
    wire = vectors.wire(name)
    record = decode(RECORDS[name], wire[1:])
    assert encode(wire[0], record) == wire
    assert decode(RECORDS[name], memoryview(wire)[1:]) == record
    for field, value in vectors.decoded(name).items():
        if name != "serf-pushpull":
            assert getattr(record, field) == (b"" if field == "Payload" and value is None else value)


def test_serfs_state_holds_its_events() -> None:
    state = decode(m.SerfPushPull, vectors.wire("serf-pushpull")[1:])
    assert state.Events is not None and len(state.Events) == 512
    assert [slot for slot in state.Events if slot] == [m.EventSlot(1, [m.EventItem("consul:new-leader", b"s1")])]
    assert (state.StatusLTimes, state.LeftMembers, state.EventLTime) == ({"s1": 0}, [], 2)


def test_a_relayed_message_follows_its_header() -> None:
    wire, decoded = vectors.wire("serf-relay"), vectors.decoded("serf-relay")
    header, end = decode_first(m.RelayHeader, wire[1:])
    assert header == m.RelayHeader(m.RelayAddress(b"\x7f\0\0\1", 21600), "sf1")
    assert wire[1 + end :] == decoded["forward"]
    assert encode(9, header) + decoded["forward"] == wire
    answer = decode(m.QueryResponse, decoded["forward"][1:])
    assert encode(5, answer) == decoded["forward"]


def test_payloads_within_queries() -> None:
    install = decode(m.QueryMessage, vectors.wire("serf-query-install-key")[1:]).Payload
    assert encode(m.SerfKind.KEY_REQUEST, decode(m.KeyRequest, install[1:])) == install
    listing = decode(m.QueryMessage, vectors.wire("serf-query-list-keys")[1:]).Payload
    assert encode(m.SerfKind.KEY_REQUEST, m.KeyRequest()) == listing
    nodes, tag = decode(m.QueryMessage, vectors.wire("serf-query-filters")[1:]).Filters or []
    assert decode(list[str], nodes[1:]) == ["pysf"]
    assert b"\0" + encode_body(["pysf"]) == nodes
    assert encode(1, decode(m.TagFilter, tag[1:])) == tag == encode(1, m.TagFilter("role", "p.*"))


def test_sources_of_pings_are_left_out_together() -> None:
    assert encode(0, m.Ping(1, "n", b"", 7, "x")) == vectors.decoded("ml-encrypt-v0")["plain"]
    assert set(msgpack.unpackb(encode_body(m.IndirectPing(1, b"1234", 5, "n", True)))) == {
        "SeqNo", "Target", "Port", "Node", "Nack",
    }  # fmt: skip


def old(value: Any) -> bytes:
    return msgpack.packb(value, use_bin_type=False)


@pytest.mark.parametrize(
    ("cls", "body", "expected"),
    [
        (m.Alive, b"\xc0", m.Alive()),
        (m.Alive, b"\x80", m.Alive()),
        (m.Alive, old({"Node": None, "Addr": None, "Port": None}), m.Alive()),
        (m.Suspect, old({"Node": "n", "Later": [1, {"a": [2]}], "More": {"x": 1}}), m.Suspect(Node="n")),
        (m.Suspect, old([5, "n", "f"]), m.Suspect(5, "n", "f")),
        (m.Suspect, old([5, "n", "f", [1], 2]), m.Suspect(5, "n", "f")),
        (m.Suspect, old([5]), m.Suspect(5)),
        (m.Suspect, b"\x81\xa4Node\xd9\x01n", m.Suspect(Node="n")),  # str8
        (m.Suspect, b"\xde\x00\x01\xa4Node\xdb\x00\x00\x00\x01n", m.Suspect(Node="n")),  # map16, raw32
        (m.Suspect, b"\x81\xa4Node\xa2\xff\xfe", m.Suspect(Node="\udcff\udcfe")),
        (m.Suspect, old({"node": "n"}), m.Suspect()),
        (m.Suspect, b"\x81\xc4\x04Node\xa1n", m.Suspect()),  # a key must be a string too
        (m.Suspect, b"\x81\x07\xa1n", m.Suspect()),
        (m.Ack, b"\x81\xa7Payload\xc4\x02\xff\xfe", m.Ack(0, b"\xff\xfe")),  # bin
        (m.Ack, b"\x81\xa5SeqNo\xd0\x05", m.Ack(5)),  # the signed form of a small number
        (m.Ack, b"\x81\xa5SeqNo\xcf\x00\x00\x00\x00\xff\xff\xff\xff", m.Ack(2**32 - 1)),
        (m.PushNode, old({"State": -1}), m.PushNode(State=-1)),
        (m.QueryMessage, old({"Timeout": -5, "Filters": []}), m.QueryMessage(Timeout=-5, Filters=[])),
        (m.SerfPushPull, old({"StatusLTimes": {"a": 2**64 - 1}}), m.SerfPushPull(StatusLTimes={"a": 2**64 - 1})),
        (m.SerfPushPull, old({"Events": [None, {"Events": [None]}]}),
         m.SerfPushPull(Events=[None, m.EventSlot(Events=[m.EventItem()])])),
        (CoordinateBody, old({"Vec": [1, 2.5], "Error": 1}), CoordinateBody([1.0, 2.5], 1.0)),
        (m.IndirectPing, old({"Nack": True}), m.IndirectPing(Nack=True)),
    ],
)  # fmt: skip
def test_tolerated(cls: type[Record], body: bytes, expected: Record) -> None:
    assert decode(cls, body) == expected
    assert decode(cls, memoryview(body)) == expected


@pytest.mark.parametrize(
    ("cls", "body"),
    [
        (m.Alive, b""),
        (m.Alive, b"\x01"),
        (m.Alive, b"\xa4text"),
        (m.Alive, b"\x90\x01"),  # trailing bytes
        (m.Alive, b"\x80\x80"),
        (m.Ack, old({"SeqNo": 2**32})),
        (m.Ack, old({"SeqNo": -1})),
        (m.Ack, old({"SeqNo": True})),
        (m.Ack, old({"SeqNo": 1.0})),
        (m.Ack, old({"SeqNo": "1"})),
        (m.Ack, old({"Payload": 1})),
        (m.Ack, old({"Payload": []})),
        (m.Alive, old({"Port": 65536})),
        (m.QueryMessage, old({"RelayFactor": 256})),
        (m.PushNode, old({"State": 2**63})),
        (m.PushNode, old({"State": -(2**63), "Port": -1})),
        (m.SerfPushPull, old({"StatusLTimes": {"a": -1}})),
        (m.SerfPushPull, old({"LTime": -1})),
        (m.SerfPushPull, old({"LeftMembers": {"a": 1}})),
        (m.SerfPushPull, old({"Events": [[[["x"]]]]})),
        (m.Suspect, b"\x81\xa4Node\xc4\x01n"),  # bin in a string
        (m.Suspect, old({"Node": 1})),
        (m.Suspect, old({"Node": {}})),
        (m.IndirectPing, old({"Nack": 1})),
        (m.Suspect, b"\x81\xa4Node\xd4\x01n"),  # extension types
        (m.Suspect, b"\x81\xc1\x01"),
        (CoordinateBody, old({"Vec": ["x"]})),
        (CoordinateBody, old({"Error": True})),
    ],
)
def test_refused(cls: type[Record], body: bytes) -> None:
    with pytest.raises(BadMessage):
        decode(cls, body)


@pytest.mark.parametrize("name", RECORDS)
def test_every_cut_is_told_from_damage(name: str) -> None:
    wire = vectors.wire(name)
    for end in range(1, min(len(wire), 300)):
        with pytest.raises(Truncated):
            decode(RECORDS[name], wire[1:end])


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x91" * 100_000,
        b"\x81\xa1x" * 20_000 + b"\xc0",
        b"\x81\xa4Node" + b"\x91" * 1000,
        b"\x81\xa1x" + b"\xdd\x00\xff\xff\xff" * 500,
        b"\x81\xa1x" + b"\xdf\xff\xff\xff\xff" * 500,
        b"\x81\xa1x" + b"\x91" * 6 + b"\xc0",
        b"\xdf\xff\xff\xff\xff" + b"\xa1x\xc0" * 100,
        b"\xdd\xff\xff\xff\xff" + b"\xc0" * 100,
        b"\x81\xa4Node\xdb\xff\xff\xff\xff",
        b"\x81\xa6Events\xdd\x00\x0f\xff\xff" + b"\xdd\x00\x0f\xff\xff" * 100,
        b"\x81\xa6Events\xdd" + (ELEMENTS_MAX + 1).to_bytes(4, "big") + b"\xc0" * (ELEMENTS_MAX + 1),
    ],
)
@pytest.mark.parametrize("cls", [m.Suspect, m.SerfPushPull, m.RelayHeader])
def test_bombs_are_refused(cls: type[Record], bomb: bytes) -> None:
    with pytest.raises(BadMessage):
        decode(cls, bomb)


def test_the_deepest_message_fits() -> None:
    state = m.SerfPushPull(Events=[m.EventSlot(1, [m.EventItem("n", b"p")])])
    assert decode(m.SerfPushPull, encode_body(state)) == m.SerfPushPull(Events=state.Events, StatusLTimes=None)


@pytest.mark.parametrize(
    ("host", "raw", "shown"),
    [
        ("10.1.2.3", "0a010203", "10.1.2.3"),
        ("::ffff:10.1.2.3", "0a010203", "10.1.2.3"),
        ("2001:db8::1", "20010db8000000000000000000000001", "2001:db8::1"),
    ],
)
def test_addresses(host: str, raw: str, shown: str) -> None:
    assert encode_address(host).hex() == raw
    assert decode_address(bytes.fromhex(raw)) == shown


def test_addresses_in_long_form_are_ipv4() -> None:
    assert decode_address(bytes(10) + b"\xff\xff\x0a\x01\x02\x03") == "10.1.2.3"


@pytest.mark.parametrize("raw", [b"", b"123", b"12345", bytes(17)])
def test_addresses_of_other_lengths_are_refused(raw: bytes) -> None:
    with pytest.raises(BadMessage, match=f"address of {len(raw)} bytes"):
        decode_address(raw)


def test_names_are_not_addresses() -> None:
    with pytest.raises(BadMessage):
        encode_address("localhost")


@pytest.mark.parametrize("name", ["serf-tags", "serf-tags-server"])
def test_tags(name: str) -> None:
    tags = decode_tags(vectors.wire(name))
    assert tags == vectors.decoded(name)
    assert encode_tags(tags) == vectors.wire(name)


def test_metadata_without_tags_is_the_role() -> None:
    assert decode_tags(b"web") == {"role": "web"}
    assert decode_tags(b"") == {"role": ""}
    assert decode_tags(b"\xff\xc0") == {}


def test_tags_are_bounded_and_checked() -> None:
    assert len(encode_tags({"a": "x" * 505})) == 512
    with pytest.raises(MetaTooLarge, match="Encoded length of tags exceeds limit of 512 bytes"):
        encode_tags({"a": "x" * 506})
    for meta in (b"\xff", b"\xff\x81\xa1a", b"\xff\x81\xa1a\x01", b"\xff\x80x", b"\xff\x90"):
        with pytest.raises(BadMessage):
            decode_tags(meta)


def test_coordinates_ride_on_acknowledgements() -> None:
    payload = vectors.wire("serf-ping-payload")
    coordinate = decode_ping_payload(payload)
    assert coordinate is not None
    assert decode(m.Ack, vectors.wire("ml-ack-coord")[1:]).Payload == payload == encode_ping_payload(coordinate)
    assert decode_ping_payload(encode_ping_payload(Coordinate())) == Coordinate()
    assert decode_ping_payload(b"") is None


@pytest.mark.parametrize("payload", [b"\x02\x80", b"\x01", b"\x01\x81\xa3Vec\xdc\x00\x41" + b"\x00" * 65])
def test_coordinates_of_other_kinds_are_refused(payload: bytes) -> None:
    with pytest.raises(BadMessage):
        decode_ping_payload(payload)


def test_numbers_on_the_wire_stay() -> None:
    assert [(kind.name, kind.value) for kind in m.Kind] == [
        ("PING", 0), ("INDIRECT_PING", 1), ("ACK", 2), ("SUSPECT", 3), ("ALIVE", 4), ("DEAD", 5), ("PUSH_PULL", 6),
        ("COMPOUND", 7), ("USER", 8), ("COMPRESS", 9), ("ENCRYPT", 10), ("NACK", 11), ("CRC", 12), ("ERROR", 13),
        ("LABEL", 244),
    ]  # fmt: skip
    assert [kind.value for kind in m.SerfKind] == list(range(10))
