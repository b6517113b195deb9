"""msgpack-rpc: captured calls, streams cut up in any way, noise and sizes."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rpc_vectors import decoded, names, wire

from proconsul.engine.rpc.codec import (
    EMPTY,
    HEADER_BYTES_MAX,
    Message,
    MessageReader,
    encode_error,
    encode_reply,
    encode_request,
)
from proconsul.engine.rpc.errors import CodecError
from proconsul.engine.wire.msgpack import unpack


def read_all(reader: MessageReader, data: bytes, size: int) -> list[Message]:
    found = []
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        while (message := reader.next()) is not None:
            found.append(message)
    return found


def plain(value: object) -> object:
    """Unpacked values with their strings as bytes, so that raw values compare whatever they hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", names("-req"))
def test_captured_requests(name: str) -> None:
    (message,) = read_all(MessageReader(), wire(name), 1 << 20)
    expected = decoded(name)
    assert (message.method, message.seq, message.error) == (*expected["header"].values(), "")
    assert plain(unpack(message.body)) == plain(expected["body"])
    # Ours has the same fields, with keys in the order the original sends them.
    again = read_all(MessageReader(), encode_request(message.seq, message.method, message.body), 1 << 20)
    assert again == [message]
    assert len(encode_request(message.seq, message.method, message.body)) == len(wire(name))


@pytest.mark.parametrize("name", names("-resp"))
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_captured_responses_are_read_and_written_byte_for_byte(name: str, size: int) -> None:
    (message,) = read_all(MessageReader(), wire(name), size)
    header = decoded(name)["header"]
    assert message[:3] == (header["ServiceMethod"], header["Seq"], header["Error"])
    if message.error:
        assert encode_error(message.seq, message.method, message.error) == wire(name)
    else:
        assert encode_reply(message.seq, message.method, message.body) == wire(name)


bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.binary(max_size=300) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
).map(lambda value: msgpack.packb(value, use_bin_type=True))
calls = st.tuples(st.integers(0, (1 << 64) - 1), st.text(max_size=30), bodies)


@settings(max_examples=150, deadline=None)
@given(st.lists(calls, max_size=8), st.integers(1, 400))
def test_calls_survive_any_cutting(sent: list[tuple[int, str, bytes]], size: int) -> None:
    stream = b"".join(encode_request(*call) for call in sent)
    reader = MessageReader()
    assert read_all(reader, stream, size) == [Message(method, seq, "", body) for seq, method, body in sent]
    assert reader.buffered == 0
    replies = b"".join(encode_reply(*call) for call in sent)
    assert read_all(reader, replies, size) == [Message(method, seq, "", body) for seq, method, body in sent]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 50))
def test_noise_raises_nothing_but_the_error_of_the_codec(noise: bytes, size: int) -> None:
    try:
        for message in read_all(MessageReader(), noise, size):
            assert isinstance(message.method, str)
    except CodecError:
        pass


@pytest.mark.parametrize(
    "header",
    [[], 5, {"Seq": -1}, {"Seq": "1"}, {"Seq": True}, {"ServiceMethod": 7}, {"ServiceMethod": ["x"]}, {"Error": 1}],
)
def test_headers_of_other_types_are_refused(header: object) -> None:
    reader = MessageReader()
    reader.feed(msgpack.packb(header, use_bin_type=False) + EMPTY)
    with pytest.raises(CodecError):
        reader.next()


def test_absent_and_nil_header_fields_are_zero() -> None:
    reader = MessageReader()
    reader.feed(EMPTY + EMPTY + msgpack.packb({"Seq": None, "Error": None, "ServiceMethod": None, "New": 1}) + EMPTY)
    assert reader.next() == reader.next() == Message("", 0, "", EMPTY)


def test_a_large_body_is_read_in_small_pieces_and_its_buffer_is_not_kept() -> None:
    body = msgpack.packb(b"v" * 400_000, use_bin_type=False)
    reader = MessageReader()
    (message,) = read_all(reader, encode_reply(1, "KVS.Get", body), 1000)
    assert message.body == body
    assert reader.buffered == 0
    (message,) = read_all(reader, encode_reply(2, "KVS.Get", b"\x01"), 1000)
    assert message == Message("KVS.Get", 2, "", b"\x01")


CLAIMS = {
    "raw": b"\xdb\xff\xff\xff\xff",
    "bin": b"\xc6\xff\xff\xff\xff",
    "array": b"\xdd\xff\xff\xff\xff",
    "map": b"\xdf\xff\xff\xff\xff",
    "nesting": b"\x91" * 100_000,
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_claims_to_be_huge_costs_no_more_than_it_brings(claim: str) -> None:
    reader = MessageReader(1 << 20)
    reader.feed(encode_request(1, "KVS.Apply", CLAIMS[claim]))
    try:
        assert reader.next() is None
        with pytest.raises(CodecError, match="too large"):
            for _ in range(17):
                reader.feed(bytes(64 << 10))
                assert reader.next() is None
    except CodecError as error:
        assert "not msgpack" in str(error)


def test_the_limits_are_exact() -> None:
    body = msgpack.packb(b"x" * 1000, use_bin_type=False)
    request = encode_request(1, "A.B", body)
    reader = MessageReader(len(request))
    reader.feed(request)
    assert reader.next() is not None
    reader = MessageReader(len(request) - 1)
    with pytest.raises(CodecError, match="too large"):
        reader.feed(request)
        reader.next()

    long = "m" * HEADER_BYTES_MAX
    for cut in (len(long), None):
        reader = MessageReader()
        with pytest.raises(CodecError, match="too large"):
            reader.feed(encode_request(1, long)[:cut])
            reader.feed(b"\0" * 20)
            reader.next()


def test_an_error_is_never_empty_nor_longer_than_readers_take() -> None:
    reader = MessageReader()
    reader.feed(encode_error(3, "A.B", "é" * HEADER_BYTES_MAX) + encode_error(4, "A.B", ""))
    first, second = reader.next(), reader.next()
    assert first is not None and second is not None
    assert len(first.error.encode("utf-8", "surrogateescape")) == HEADER_BYTES_MAX // 2
    assert second.error == "unknown error"


def test_bytes_ahead_of_a_busy_reader_are_limited() -> None:
    reader = MessageReader(1000)
    with pytest.raises(CodecError, match="too large"):
        for _ in range(20):
            reader.feed(bytes(64 << 10))
