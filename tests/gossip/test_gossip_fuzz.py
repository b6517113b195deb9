"""Whatever arrives, every decoder answers with a value or its own error, and what it keeps is bounded."""

# mypy: disable-error-code="assignment"

from __future__ import annotations

import struct
from typing import Any, get_args, get_origin

import gossip_vectors as vectors
import msgpack
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proconsul.engine.gossip import messages as m
from proconsul.engine.gossip.codec import (
    BadMessage,
    CoordinateBody,
    decode,
    decode_each,
    decode_first,
    decode_ping_payload,
    decode_tags,
    encode_body,
    encode_tags,
)
from proconsul.engine.gossip.keyring import DecryptError, Keyring, KeyringError, parse_key, parse_keyring
from proconsul.engine.gossip.lzw import LzwError, compress, decompress
from proconsul.engine.gossip.packet import INFLATED_BYTES_MAX, MESSAGES_MAX, PARTS_MAX, Dropped, PacketCodec
from proconsul.engine.gossip.stream import (
    MESSAGE_BYTES_MAX,
    PushPull,
    StreamCodec,
    StreamError,
    encode_push_pull,
    encode_user,
)
from proconsul.engine.wire.record import Record

RECORDS = [
    m.Ping, m.IndirectPing, m.Ack, m.Nack, m.Suspect, m.Alive, m.Dead, m.PushPullHeader, m.PushNode, m.UserHeader,
    m.Compress, m.Error, m.LeaveIntent, m.JoinIntent, m.SerfPushPull, m.UserEventMessage, m.QueryMessage,
    m.QueryResponse, m.TagFilter, m.MemberBody, m.KeyRequest, m.KeyResponse, m.RelayHeader, CoordinateBody,
]  # fmt: skip
KEY = vectors.key("ml-encrypted-packet")
CAPTURED = [vectors.wire(name) for layer in ("memberlist", "serf") for name in vectors.names(layer)]
CAPTURED += [vectors.decoded(name)["plain"] for name in ("ml-compress", "ml-encrypted-stream", "ml-encrypt-v0")]
CAPTURED += [vectors.decoded("ml-encrypted-stream")["decompressed"]]
# Beginnings of containers and raw values that claim to be long, and type bytes.
TOKENS = [
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdc\xff\xff", b"\xde\xff\xff", b"\xdb\xff\xff\xff\xff",
    b"\xda\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x00", b"\x91" * 9, b"\x81\xa1x" * 9, b"\xc0",
    b"\xc1", b"\xd9\x00", b"\xc4\x00", b"\xcf" + b"\xff" * 8, b"\xd3\x80" + bytes(7), b"\x0a", b"\x0c", b"\xf4\x01x",
    b"\x07\xff", b"\x09", b"\x08",
]  # fmt: skip
FAST = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A captured message with some bytes changed, put in, taken out or repeated, or cut off."""
    data = bytearray(draw(st.sampled_from(CAPTURED)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        match draw(st.integers(0, 4)):
            case 0:
                data[at:end] = draw(st.binary(max_size=8))
            case 1:
                data[at:end] = draw(st.sampled_from(TOKENS))
            case 2:
                data[at:at] = data[at : at + draw(st.integers(0, 300))]
            case 3:
                del data[at:]
            case _:
                del data[at:end]
    return bytes(data)


INPUTS = st.one_of(st.binary(max_size=300), mutated(), st.lists(st.sampled_from(TOKENS), max_size=20).map(b"".join))


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values a field of type ``kind`` can hold, its width respected."""
    if get_origin(kind) is not None and hasattr(kind, "__metadata__"):
        inner, note = get_args(kind)[0], kind.__metadata__[0]
        bits = {"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}.get(note)
        return st.integers(0, (1 << bits) - 1) if bits else values(inner)
    if get_origin(kind) is list:
        return st.lists(values(get_args(kind)[0]), max_size=4)
    if get_origin(kind) is dict:
        numbers = st.integers(0, (1 << 64) - 1)
        item = get_args(kind)[1]
        return st.dictionaries(values(str), numbers if item is int else values(item), max_size=4)
    if get_args(kind):
        return st.one_of(*(st.none() if part is type(None) else values(part) for part in get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Record):
        return st.builds(kind, *(values(field.type) for field in msgspec.structs.fields(kind)))
    return {
        bool: st.booleans(),
        bytes: st.binary(max_size=40),
        float: st.floats(allow_nan=False),
        int: st.integers(-(1 << 63), (1 << 63) - 1),
        str: st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    }[kind]


@pytest.mark.parametrize("cls", RECORDS)
@given(data=st.data())
@settings(FAST, max_examples=30)
def test_every_record_comes_back(cls: type[Record], data: st.DataObject) -> None:
    record = data.draw(values(cls))
    body = encode_body(record)
    if cls in (m.Ping, m.IndirectPing) and not record.SourceAddr:
        record = msgspec.structs.replace(record, SourcePort=0, SourceNode="")
    assert decode(cls, body) == record
    assert decode_first(cls, body + b"\xc1") == (record, len(body))
    assert list(decode_each(cls, body * 3, 3)) == [record] * 3


@pytest.mark.parametrize("cls", RECORDS)
@given(body=INPUTS)
@settings(FAST, max_examples=60)
def test_decoders_agree_and_refuse_with_their_own_error(cls: type[Record], body: bytes) -> None:
    for skipped in (0, 1):  # with and without a type byte
        try:
            careful, end = decode_first(cls, body[skipped:])
        except BadMessage:
            with pytest.raises(BadMessage):
                decode(cls, body[skipped:])
            continue
        if end < len(body) - skipped:
            with pytest.raises(BadMessage):
                decode(cls, body[skipped:])
        else:
            assert repr(decode(cls, body[skipped:])) == repr(careful)  # by text: NaN is not equal to itself


@given(
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text("Node", max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("Node", max_size=4), inner),
    )
)
@FAST  # fmt: skip
def test_any_object_is_refused_or_read(value: Any) -> None:
    body = msgpack.packb(value, use_bin_type=False)
    for cls in (m.Suspect, m.SerfPushPull, m.RelayHeader):
        try:
            assert isinstance(decode(cls, body), cls)
        except BadMessage:
            continue


@given(INPUTS)
@FAST
def test_metadata_and_payloads(data: bytes) -> None:
    for meta in (data, b"\xff" + data):
        try:
            tags = decode_tags(meta)
        except BadMessage:
            continue
        assert all(type(key) is str and type(value) is str for key, value in tags.items())
        if meta[:1] == b"\xff" and len(meta) < 400:
            assert decode_tags(encode_tags(tags)) == tags
    for payload in (data, b"\x01" + data):
        try:
            decode_ping_payload(payload)
        except BadMessage:
            continue


@given(INPUTS, st.sampled_from([b"", b"x"]), st.booleans())
@FAST
def test_datagrams(data: bytes, label: bytes, encrypted: bool) -> None:
    keyring = Keyring([b"o" * 16, KEY]) if encrypted else None
    codec = PacketCodec(label, keyring)
    for datagram in (data, b"\x0c" + struct.pack(">I", 0) + data, codec.seal([data or b"\x00"], crc=True)):
        try:
            opened = codec.open(datagram)
        except Dropped as error:
            assert error.reason.replace("-", "").isalpha()
            continue
        assert len(opened.messages) <= MESSAGES_MAX
        assert sum(map(len, opened.messages)) <= len(datagram) + INFLATED_BYTES_MAX
        assert all(message and message[0] not in (m.Kind.COMPOUND, m.Kind.COMPRESS) for message in opened.messages)


@given(
    st.lists(INPUTS.filter(lambda data: data and data[0] not in (7, 9, 12, 244)), min_size=1, max_size=PARTS_MAX),
    st.sampled_from([b"", b"blue"]),
    st.booleans(),
    st.booleans(),
)
@settings(FAST, max_examples=60)  # fmt: skip
def test_sealed_datagrams_open_and_cuts_keep_whole_parts(
    messages: list[bytes], label: bytes, encrypted: bool, crc: bool
) -> None:
    codec = PacketCodec(label, Keyring([KEY]) if encrypted else None)
    assert codec.open(codec.seal(messages, crc=crc)) == (messages, None)
    plain = PacketCodec()
    datagram = plain.seal(messages)
    for end in {len(datagram) // 2, len(datagram) - 1}:
        try:
            opened = plain.open(datagram[:end])
        except Dropped:
            continue
        if len(messages) > 1:
            assert opened.messages == messages[: len(opened.messages)]
            assert opened.dropped is not None and opened.dropped.reason == "truncated"


@given(INPUTS, st.integers(1, 50), st.booleans(), st.booleans())
@FAST
def test_streams(data: bytes, cut: int, encrypted: bool, sealed: bool) -> None:
    codec = StreamCodec(b"", Keyring([b"o" * 16, KEY]) if encrypted else None, verify_incoming=False)
    wire = codec.seal(data) if sealed else data
    found = []
    for step in (cut, len(wire) or 1):  # however it is cut up, the same comes of it
        reader = codec.reader()
        try:
            for at in range(0, len(wire), step):
                reader.feed(wire[at : at + step])
            message = reader.message()
            assert (message is not None) == reader.is_complete
        except StreamError as error:
            found.append(str(error))
            continue
        if message is not None and isinstance(message[1], PushPull):
            assert len(message[1].user_state) <= MESSAGE_BYTES_MAX
            try:
                message = message[0], message[1].user_state + repr(list(message[1].nodes)).encode()
            except BadMessage as error:
                message = message[0], str(error).encode()
        found.append(repr(message))
    assert found[0] == found[1] or "larger than limit" in found[0]


@given(st.lists(values(m.PushNode), max_size=5), st.binary(max_size=300), st.booleans(), st.integers(1, 40))
@settings(FAST, max_examples=60)
def test_exchanges_come_back(nodes: list[m.PushNode], state: bytes, join: bool, cut: int) -> None:
    codec = StreamCodec(b"blue", Keyring([KEY]))
    for wire, expected in (
        (codec.seal(b"".join(encode_push_pull(nodes, state, join))), (join, nodes, state)),
        (codec.seal(encode_user(state)), state),
    ):
        reader = codec.reader()
        for at in range(0, len(wire), cut):
            reader.feed(wire[at : at + cut])
        message = reader.message()
        assert message is not None
        payload = message[1]
        if isinstance(payload, PushPull):
            payload = (payload.join, list(payload.nodes), payload.user_state)
        assert payload == expected


@given(INPUTS, st.binary(max_size=5))
@FAST
def test_keys(data: bytes, aad: bytes) -> None:
    keyring = Keyring([KEY])
    for sealed in (data, b"\x00" + data, b"\x01" + data, keyring.encrypt(data, aad)[:-1], keyring.encrypt(data, b"x")):
        with pytest.raises(DecryptError):
            keyring.decrypt(sealed, b"not these")
    for version in (0, 1):
        assert keyring.decrypt(keyring.encrypt(data, aad, version), aad) == data


@given(st.text(max_size=30) | st.text("ab=/+ \n", max_size=12) | st.text('[]",ab= {}nul1\\', max_size=12))
@FAST
def test_keys_as_text(text: str) -> None:
    for parse in (parse_key, parse_keyring):
        try:
            parse(text)
        except KeyringError as error:
            assert str(error)


@given(INPUTS, st.integers(0, 2000))
@FAST
def test_compression(data: bytes, output_bytes_max: int) -> None:
    assert decompress(compress(data)) == decompress(compress(data, leading_clear=True)) == data
    try:
        assert len(decompress(data, output_bytes_max)) <= output_bytes_max
    except LzwError:
        return
