"""Datagrams: wrappers put on and taken off, in the original's order and within bounds."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import struct
import zlib

import gossip_vectors as vectors
import pytest

from proconsul.engine.gossip.codec import GossipError, decode, encode
from proconsul.engine.gossip.keyring import Keyring
from proconsul.engine.gossip.lzw import compress
from proconsul.engine.gossip.messages import Alive, Compress, Kind, Ping
from proconsul.engine.gossip.packet import (
    DEPTH_MAX,
    INFLATED_BYTES_MAX,
    MESSAGES_MAX,
    PACKET_BYTES_MAX,
    PART_OVERHEAD,
    PARTS_MAX,
    Dropped,
    PacketCodec,
)

PLAIN = PacketCodec()


def keyring(*keys: bytes) -> Keyring:
    return Keyring(keys or (b"k" * 32,))


def compressed(message: bytes) -> bytes:
    return encode(Kind.COMPRESS, Compress(0, compress(message)))


def compound(*parts: bytes) -> bytes:
    return struct.pack(f">BB{len(parts)}H", 7, len(parts), *map(len, parts)) + b"".join(parts)


def with_crc(message: bytes) -> bytes:
    return b"\x0c" + struct.pack(">I", zlib.crc32(message)) + message


def refusal(codec: PacketCodec, datagram: bytes) -> str:
    with pytest.raises(Dropped) as caught:
        codec.open(datagram)
    assert str(caught.value)
    return caught.value.reason


def test_captured_compounds() -> None:
    opened = PLAIN.open(vectors.wire("ml-compound"))
    assert opened == (vectors.decoded("ml-compound")["parts"], None)
    assert PLAIN.seal(opened.messages) == vectors.wire("ml-compound")


def test_captured_checksums() -> None:
    opened = PLAIN.open(vectors.wire("ml-crc"))
    assert [message[0] for message in opened.messages] == [Kind.ALIVE, Kind.USER]
    assert PLAIN.seal(opened.messages, crc=True) == vectors.wire("ml-crc")


@pytest.mark.parametrize(("name", "kinds"), [("ml-compress", [4, 4, 8]), ("ml-compress-2", [4, 4, 4, 8, 8])])
def test_captured_compressed_packets(name: str, kinds: list[int]) -> None:
    plain = vectors.decoded(name)["plain"]
    opened = PLAIN.open(vectors.wire(name))
    assert [message[0] for message in opened.messages] == kinds
    assert PLAIN.seal(opened.messages) == plain
    assert decode(Alive, opened.messages[0][1:]).Vsn[:2] == b"\x01\x05"
    if name == "ml-compress":
        assert compressed(plain) == vectors.wire(name)


@pytest.mark.parametrize("name", ["ml-encrypted-packet", "ml-encrypt-v0", "ml-encrypt-label"])
def test_captured_encrypted_packets(name: str) -> None:
    label = b"blue" if name == "ml-encrypt-label" else b""
    keys = Keyring([b"other-key-16-b!!", vectors.key(name)])
    assert PacketCodec(label, keys).open(vectors.wire(name)).messages == [vectors.decoded(name)["plain"]]


def test_sealing_as_captured() -> None:
    wire = vectors.wire("ml-encrypt-label")
    keys = Keyring([vectors.key("ml-encrypt-label")], random_bytes=lambda count: bytes(range(count)))
    assert PacketCodec(b"blue", keys).seal([vectors.decoded("ml-encrypt-label")["plain"]]) == wire


@pytest.mark.parametrize("label", [b"", b"blue", b"x" * 255])
@pytest.mark.parametrize("keys", [None, keyring()])
@pytest.mark.parametrize("crc", [False, True])
@pytest.mark.parametrize("count", [1, 2, PARTS_MAX])
def test_what_is_sealed_opens(label: bytes, keys: Keyring | None, crc: bool, count: int) -> None:
    codec = PacketCodec(label, keys)
    messages = [bytes((8, number)) for number in range(count)]
    assert codec.open(codec.seal(messages, crc=crc)) == (messages, None)


def test_labels_must_match() -> None:
    blue, green = PacketCodec(b"blue"), PacketCodec(b"green")
    sealed = blue.seal([b"\x08x"])
    assert refusal(green, sealed) == "label"
    assert refusal(PLAIN, sealed) == "label"
    assert refusal(blue, b"\x08x") == "label"
    for damaged in (b"\xf4", b"\xf4\x00\x08x", b"\xf4\x09blue"):
        assert refusal(blue, damaged) == "label"
    with pytest.raises(GossipError):
        PacketCodec(b"x" * 256)


def test_labels_are_authenticated() -> None:
    keys = keyring()
    sealed = PacketCodec(b"blue", keys).seal([b"\x08x"])
    assert refusal(PacketCodec(b"cyan", keys), sealed.replace(b"blue", b"cyan")) == "decrypt"


def test_encrypting_pools_refuse_the_plain_and_the_changed() -> None:
    codec = PacketCodec(b"", keyring())
    sealed = codec.seal([b"\x08x"])
    for datagram in (b"\x08x", b"\x00" * 40, b"", sealed[:-1], sealed[:20], sealed[:-1] + b"\0", b"\x02" + sealed[1:]):
        assert refusal(codec, datagram) == "decrypt"
    assert refusal(PacketCodec(b"", keyring(b"o" * 16)), sealed) == "decrypt"


def test_encryption_is_phased_in() -> None:
    keys = keyring()
    lenient = PacketCodec(b"", keys, verify_incoming=False, verify_outgoing=False)
    assert lenient.seal([b"\x08x"]) == b"\x08x"
    assert lenient.open(b"\x08x").messages == [b"\x08x"]
    assert lenient.open(PacketCodec(b"", keys).seal([b"\x08x"])).messages == [b"\x08x"]
    assert lenient.budget(0) == PLAIN.budget(0)


@pytest.mark.parametrize("datagram", [b"", with_crc(b""), compressed(b""), compound(b"")])
def test_nothing_is_dropped_as_empty(datagram: bytes) -> None:
    assert refusal(PLAIN, datagram) == "empty"


def test_checksums_are_checked_and_only_outermost() -> None:
    assert refusal(PLAIN, with_crc(b"\x08x")[:-1] + b"y") == "crc"
    assert refusal(PLAIN, b"\x0c\x01\x02\x03") == "truncated"
    inner = with_crc(b"\x08x")
    assert PLAIN.open(compound(inner, b"\x08y")).messages == [inner, b"\x08y"]  # left to the reader of kinds


def test_compress_and_compound_nest_either_way() -> None:
    assert PLAIN.open(compressed(compound(b"\x08a", b"\x08b"))).messages == [b"\x08a", b"\x08b"]
    assert PLAIN.open(compound(compressed(b"\x08a"), b"\x08b")).messages == [b"\x08a", b"\x08b"]
    assert PLAIN.open(compound(compound(b"\x08a"), compressed(compound(b"\x08b")))).messages == [b"\x08a", b"\x08b"]


def test_nesting_is_bounded() -> None:
    packet = b"\x08x"
    for _ in range(DEPTH_MAX):
        packet = compound(packet)
    assert PLAIN.open(packet).messages == [b"\x08x"]
    assert refusal(PLAIN, compound(packet)) == "depth"


def test_the_whole_parts_of_a_cut_compound_are_kept() -> None:
    packet = compound(b"\x08aa", b"\x08bb", b"\x08cc")
    opened = PLAIN.open(packet[:-1])
    assert opened.messages == [b"\x08aa", b"\x08bb"]
    assert opened.dropped is not None and opened.dropped.reason == "truncated"
    assert refusal(PLAIN, packet[:9]) == "truncated"  # not one whole part
    assert refusal(PLAIN, packet[:7]) == "truncated"  # not even the lengths
    assert refusal(PLAIN, b"\x07") == "truncated"
    assert PLAIN.open(b"\x07\x00").messages == []


def test_a_faulty_part_spares_its_neighbours() -> None:
    opened = PLAIN.open(compound(b"\x08a", b"\x09\x80x", b"", b"\x08b"))
    assert opened.messages == [b"\x08a", b"\x08b"]
    assert opened.dropped is not None and opened.dropped.reason == "empty"


@pytest.mark.parametrize(
    "packet",
    [
        b"\x09",
        b"\x09\x80\x01",
        encode(Kind.COMPRESS, Compress(1, compress(b"\x08x"))),
        encode(Kind.COMPRESS, Compress(0, compress(b"\x08xyz")[:-1])),
    ],
)
def test_damaged_compression(packet: bytes) -> None:
    assert refusal(PLAIN, packet) == "compress"


def test_inflation_is_bounded_by_datagram() -> None:
    bomb = compressed(b"\x08" + bytes(INFLATED_BYTES_MAX))
    assert refusal(PLAIN, bomb) == "compress-bomb"
    half = compressed(b"\x08" + bytes(INFLATED_BYTES_MAX // 2))
    opened = PLAIN.open(compound(half, half, b"\x08x"))
    assert len(opened.messages) == 1
    assert opened.dropped is not None and opened.dropped.reason == "compress-bomb"


def test_messages_are_bounded_by_datagram() -> None:
    full = compound(*[b"\x08"] * 255)
    opened = PLAIN.open(compound(full, full, full))
    assert len(opened.messages) == MESSAGES_MAX
    assert opened.dropped is not None and opened.dropped.reason == "count"


def test_budget_is_the_originals() -> None:
    assert PLAIN.budget(0) == 1398
    assert PLAIN.budget(100) == 1298
    assert PacketCodec(b"", keyring()).budget(0) == 1369
    assert PacketCodec(b"blue", keyring()).budget(0) == 1363


def test_a_full_budget_makes_no_larger_packet_on_gossip_ticks() -> None:
    codec = PacketCodec(b"blue", keyring())
    budget, messages = codec.budget(0), []
    while budget >= 50 + PART_OVERHEAD:
        messages.append(b"\x04" + bytes(49))
        budget -= 50 + PART_OVERHEAD
    assert PACKET_BYTES_MAX - 52 < len(codec.seal(messages)) <= PACKET_BYTES_MAX


def test_types_are_left_to_the_caller() -> None:
    ping = encode(Kind.PING, Ping(1, "n"))
    assert PLAIN.open(b"\xc8junk").messages == [b"\xc8junk"]
    assert PLAIN.open(PLAIN.seal([ping])).messages == [ping]
