"""Streams: sealed and read, however they are cut up, within bounds, with the original's refusals."""

from __future__ import annotations

import random
import struct

import gossip_vectors as vectors
import pytest

from proconsul.engine.gossip.codec import BadMessage, GossipError, encode, encode_body, encode_tags
from proconsul.engine.gossip.keyring import Keyring
from proconsul.engine.gossip.lzw import compress
from proconsul.engine.gossip.messages import (
    Ack,
    Alive,
    Compress,
    Error,
    Kind,
    Ping,
    PushNode,
    PushPullHeader,
    UserHeader,
)
from proconsul.engine.gossip.stream import (
    COMPRESS_BYTES_MAX,
    HEAVY_BYTES,
    MESSAGE_BYTES_MAX,
    NODES_MAX,
    Payload,
    PushPull,
    StreamCodec,
    StreamError,
    StreamReader,
    encode_push_pull,
    encode_user,
)

PLAIN = StreamCodec()
# Nonces always the same: what is sealed here names test cases, and all workers must collect the same names.
KEYS = Keyring([b"k" * 32], random_bytes=bytes)
PING = encode(Kind.PING, Ping(7, "n"))


def nodes(count: int) -> list[PushNode]:
    rng = random.Random(count)
    return [
        PushNode(f"node-{number}", rng.randbytes(4), 8301, encode_tags({"role": "node", "id": rng.randbytes(16).hex()}),
                 rng.getrandbits(32), number % 4, b"\x01\x05\x02\x02\x05\x04")
        for number in range(count)
    ]  # fmt: skip


def compressed(message: bytes) -> bytes:
    return encode(Kind.COMPRESS, Compress(0, compress(message)))


def read(codec: StreamCodec, data: bytes, cut: int = 1 << 30) -> tuple[Kind, Payload] | None:
    reader = codec.reader()
    for at in range(0, len(data), cut):
        assert reader.message() is None or at > 0
        reader.feed(data[at : at + cut])
    return reader.message()


def pushed(codec: StreamCodec, data: bytes, cut: int = 1 << 30) -> PushPull:
    found = read(codec, data, cut)
    assert found is not None and found[0] == Kind.PUSH_PULL and isinstance(found[1], PushPull)
    return found[1]


def refusal(codec: StreamCodec, data: bytes, cut: int = 1 << 30) -> StreamError:
    with pytest.raises(StreamError) as caught:
        read(codec, data, cut)
    return caught.value


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_a_captured_push_pull(cut: int) -> None:
    decoded = vectors.decoded("ml-pushpull-join-reply")
    exchange = pushed(PLAIN, vectors.wire("ml-pushpull-join-reply"), cut)
    found = list(exchange.nodes)
    assert found == [PushNode(**node) for node in decoded["nodes"]]
    assert (exchange.join, exchange.node_count) == (decoded["header"]["Join"], len(found))
    assert len(exchange.user_state) == decoded["header"]["UserStateLen"]
    again = b"".join(encode_push_pull(found, exchange.user_state, exchange.join))
    assert compressed(again) == vectors.wire("ml-pushpull-join-reply")


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_a_captured_encrypted_push_pull(cut: int) -> None:
    decoded, wire = vectors.decoded("ml-encrypted-stream"), vectors.wire("ml-encrypted-stream")
    codec = StreamCodec(b"", Keyring([b"another key of a", vectors.key("ml-encrypted-stream")]))
    exchange = pushed(codec, wire, cut)
    again = b"".join(encode_push_pull(list(exchange.nodes), exchange.user_state, exchange.join))
    assert again == decoded["decompressed"]
    assert compressed(again) == decoded["plain"]
    nonce = wire[6:18]
    same = StreamCodec(b"", Keyring([vectors.key("ml-encrypted-stream")], random_bytes=lambda _: nonce))
    assert same.seal(again) == wire


@pytest.mark.parametrize("codec", [PLAIN, StreamCodec(b"blue"), StreamCodec(b"", KEYS), StreamCodec(b"blue", KEYS)])
@pytest.mark.parametrize("cut", [1, 1000, 1 << 20])
@pytest.mark.parametrize("size", [0, 1, 3, 100])
def test_what_is_sealed_is_read(codec: StreamCodec, cut: int, size: int) -> None:
    sent, state = nodes(size), b"\x02state" * size
    message = b"".join(encode_push_pull(sent, state, True))
    for data in (codec.seal(message), codec.seal(message) + b"what follows is ignored"):
        exchange = pushed(codec, data, cut)
        assert (list(exchange.nodes), exchange.user_state, exchange.join) == (sent, state, True)
    for record, kind in ((Ping(1, "n"), Kind.PING), (Ack(1), Kind.ACK), (Error("no"), Kind.ERROR)):
        assert read(codec, codec.seal(encode(kind, record)), cut) == (kind, record)
    for body in (b"", b"\x04query" * size):
        assert read(codec, codec.seal(encode_user(body)), cut) == (Kind.USER, body)


def test_only_short_messages_are_compressed() -> None:
    short = encode_user(bytes(COMPRESS_BYTES_MAX - 100))
    assert PLAIN.seal(short)[0] == Kind.COMPRESS
    assert PLAIN.seal(PING) == PING  # would not get shorter
    long = encode_user(bytes(COMPRESS_BYTES_MAX))
    assert PLAIN.seal(long) == long


# The texts with which serf 0.9.4 answers, or which it logs when it does not answer.
@pytest.mark.parametrize(
    ("codec", "data", "text", "answered"),
    [
        (StreamCodec(b"", KEYS), PING, "Encryption is configured but remote state is not encrypted", True),
        (PLAIN, StreamCodec(b"", KEYS).seal(PING),
         "Remote state is encrypted and encryption is not configured", True),
        (StreamCodec(b"", KEYS), StreamCodec(b"", Keyring([b"o" * 16], random_bytes=bytes)).seal(PING),
         "No installed keys could decrypt the message", True),
        (StreamCodec(b"", KEYS), b"\x0a\xff\xff\xff\xff", "Remote node state is larger than limit (4294967295)", True),
        (StreamCodec(b"", KEYS), b"\x0a\x00\x00\x00\x05abcde", "Unsupported encryption version 97", True),
        (StreamCodec(b"", KEYS), b"\x0a\x00\x00\x00\x00", "Cannot decrypt empty payload", True),
        (PLAIN, b"\x09\x80", "unexpected EOF", True),
        (PLAIN, b"\x09\x82\xa4Algo\x00\xa3Buf\xa1x", "unexpected EOF", True),
        (PLAIN, b"\x09\x82\xa4Algo\x07\xa3Buf\xa1x", "Cannot decompress unknown algorithm 7", True),
        (PLAIN, b"\x63", "Received invalid msgType (99)", False),
        (PLAIN, encode(Kind.ALIVE, Alive()), "Received invalid msgType (4)", False),
        (PLAIN, compressed(compressed(PING)), "Received invalid msgType (9)", False),
        (StreamCodec(b"", KEYS), StreamCodec(b"", KEYS).seal(b"\x0a"), "Received invalid msgType (10)", False),
    ],
)  # fmt: skip
def test_refusals_are_the_originals(codec: StreamCodec, data: bytes, text: str, answered: bool) -> None:
    for cut in (1, 1 << 20):
        error = refusal(codec, data, cut)
        assert (str(error), error.answered) == (text, answered)


# serf 0.9.4 panics at the first three.
@pytest.mark.parametrize(
    "data",
    [
        encode(Kind.PUSH_PULL, PushPullHeader(-1)),
        encode(Kind.PUSH_PULL, PushPullHeader(0, -1)),
        compressed(b""),
        encode(Kind.USER, UserHeader(-1)),
        encode(Kind.PUSH_PULL, PushPullHeader(NODES_MAX + 1)),
        encode(Kind.PUSH_PULL, PushPullHeader(0, MESSAGE_BYTES_MAX)),
        encode(Kind.USER, UserHeader(MESSAGE_BYTES_MAX)),
        encode(Kind.USER, UserHeader(1 << 62)),
        b"\x06\xc1",
        b"\x06\x81\xa5Nodes\xa1x",
        b"\x00\x81\xa5SeqNo\xa1x",
        b"\x0d\xc1",
        compressed(PING[:-1]),
        compressed(encode(Kind.PUSH_PULL, PushPullHeader(2)) + encode_body(PushNode("n"))),
        compressed(encode(Kind.PUSH_PULL, PushPullHeader(0, 5)) + b"1234"),
        StreamCodec(b"", KEYS).seal(b""),
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    codec = StreamCodec(b"", KEYS, verify_incoming=False)
    for cut in (1, 1 << 20):
        assert str(refusal(codec, data, cut))


def test_damaged_nodes_are_found_when_they_are_taken() -> None:
    good = PushNode("n", b"\x7f\0\0\1")
    data = encode(Kind.PUSH_PULL, PushPullHeader(2, 1)) + encode_body(good) + b"\x81\xa4Port\xa1xS"
    exchange = pushed(PLAIN, data)
    assert exchange.user_state == b"S"
    assert next(exchange.nodes) == good
    with pytest.raises(BadMessage):
        next(exchange.nodes)


def test_encryption_is_phased_in() -> None:
    lenient = StreamCodec(b"", KEYS, verify_incoming=False, verify_outgoing=False)
    assert lenient.seal(PING) == PING
    assert read(lenient, PING) == read(lenient, StreamCodec(b"", KEYS).seal(PING)) == (Kind.PING, Ping(7, "n"))


def test_labels_must_match() -> None:
    blue = StreamCodec(b"blue").seal(PING)
    assert read(StreamCodec(b"blue"), blue, 1) == (Kind.PING, Ping(7, "n"))
    for codec, data in (
        (StreamCodec(b"cyan"), blue), (PLAIN, blue), (StreamCodec(b"blue"), PING), (PLAIN, b"\xf4\x00" + PING),
    ):  # fmt: skip
        for cut in (1, 1 << 20):
            assert not refusal(codec, data, cut).answered
    sealed = StreamCodec(b"blue", KEYS).seal(PING)
    assert refusal(StreamCodec(b"cyan", KEYS), sealed.replace(b"blue", b"cyan")).answered


def test_nothing_is_complete_before_its_last_byte() -> None:
    message = b"".join(encode_push_pull(nodes(3), b"state", False))
    for data in (message, compressed(message), StreamCodec(b"", KEYS).seal(message)):
        reader = StreamCodec(b"", KEYS, verify_incoming=False).reader()
        for number in range(len(data)):
            assert not reader.is_complete and reader.message() is None
            reader.feed(data[number : number + 1])
        assert reader.is_complete and reader.message() is not None


def test_heavy_messages_are_announced() -> None:
    def heavy(codec: StreamCodec, data: bytes) -> bool:
        reader = codec.reader()
        reader.feed(data)
        assert reader.is_complete
        return reader.is_heavy

    body = encode_user(random.Random(1).randbytes(HEAVY_BYTES))
    assert heavy(PLAIN, compressed(body))
    assert heavy(StreamCodec(b"", KEYS), StreamCodec(b"", KEYS).seal(body))
    assert not heavy(PLAIN, body)
    assert not heavy(PLAIN, PING)


def test_frames_beyond_the_limit_are_not_sent() -> None:
    with pytest.raises(GossipError, match="limit is"):
        StreamCodec(b"", KEYS).seal(bytes(MESSAGE_BYTES_MAX))


def test_plain_streams_are_bounded() -> None:
    reader = PLAIN.reader()
    reader.feed(b"\x06" + encode_body(PushPullHeader(1)) + b"\x81\xa4Meta\xdb" + struct.pack(">I", 1 << 31))
    piece = bytes(1 << 20)
    with pytest.raises(StreamError, match="larger than limit"):
        for _ in range(21):
            reader.feed(piece)
    assert not reader.is_complete


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x91" * 100_000,
        b"\x81\xa1x" * 50_000,
        b"\xdd\xff\xff\xff\xff" * 1000,
        b"\xdf\xff\xff\xff\xff" + b"\xa1x\xc0" * 1000,
    ],
)
def test_bombs_are_passed_over_without_being_built(bomb: bytes) -> None:
    for data in (b"\x06" + bomb, encode(Kind.PUSH_PULL, PushPullHeader(1)) + bomb, b"\x00" + bomb, b"\x08" + bomb):
        for cut in (1000, 1 << 20):
            reader = PLAIN.reader()
            try:
                for at in range(0, len(data), cut):
                    reader.feed(data[at : at + cut])
            except StreamError:
                continue
            assert not reader.is_complete


def test_inflation_is_bounded() -> None:
    bomb = compressed(encode_user(bytes(MESSAGE_BYTES_MAX)))
    assert "larger than limit" in str(refusal(PLAIN, bomb))


def test_five_thousand_members_are_taken_in_slices() -> None:
    sent = nodes(5000)
    pieces = list(encode_push_pull(sent, b"state", False))
    assert max(map(len, pieces)) < 64 << 10
    exchange = pushed(PLAIN, b"".join(pieces), 64 << 10)
    first = [next(exchange.nodes) for _ in range(100)]
    assert first + list(exchange.nodes) == sent


def test_a_reader_is_for_one_message() -> None:
    reader: StreamReader = PLAIN.reader()
    reader.feed(PING + PING)
    reader.feed(b"\x63")
    assert reader.message() == (Kind.PING, Ping(7, "n"))
