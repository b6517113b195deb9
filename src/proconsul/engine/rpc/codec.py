"""msgpack-rpc: a call is two objects back to back, header and argument; so is its answer (RPC reference, section 3).

Where a body ends is found by passing over it, which builds nothing: whoever knows the method decodes it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgpack

from proconsul.engine.rpc.errors import CodecError
from proconsul.engine.wire.msgpack import BUFFER_BYTES_MAX, DecodeError, encode, unpack
from proconsul.engine.wire.record import Record

# An empty struct: the body of those who have nothing to say, and of every error.
EMPTY = b"\x80"
# The largest header holds the text of an error, which may quote a key or a filter expression.
HEADER_BYTES_MAX = 64 << 10
# As much as may come behind a message before it is complete: a window, or a read.
_AHEAD_BYTES = 1 << 20
# A buffer that had to grow further than this is not kept for the next message.
_KEEP_BYTES = 64 << 10
_UINT64_MAX = (1 << 64) - 1
# Names come from the peer, so they are remembered in bounded number; there are some hundred methods.
_NAMES_MAX = 512

_HEAD_REQUEST, _HEAD_RESPONSE = b"\x82\xa3Seq", b"\x83\xa5Error"


class Empty(Record, frozen=True):
    """A struct without fields: the argument or the reply of methods that have none."""


class Message(NamedTuple):
    """A request (``error`` is empty) or a response. ``body`` is one msgpack object, not decoded."""

    method: str
    seq: int
    error: str
    body: bytes


class MessageReader:
    """Collects messages from a stream cut up in any way: `feed` what arrives, then take them with `next`."""

    def __init__(self, message_bytes_max: int = BUFFER_BYTES_MAX) -> None:
        """``message_bytes_max``: the longest header and body together."""
        self._bytes_max = message_bytes_max
        self._restart()

    def _restart(self) -> None:
        self._unpacker: Any = msgpack.Unpacker(max_buffer_size=self._bytes_max + _AHEAD_BYTES, read_size=4096)
        self._data = b""
        self._more: list[bytes] = []
        self.buffered = 0
        # Positions: of the message in the data, of the data in all the unpacker was fed, of the body in the message.
        self._start = self._origin = self._body_at = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises CodecError."""
        try:
            self._unpacker.feed(data)
        except msgpack.BufferFull:
            raise self._too_large() from None
        if self.buffered:
            self._more.append(data)
        else:
            self._origin += len(self._data)
            self._start, self._data = 0, data
        self.buffered += len(data)

    def next(self) -> Message | None:
        """The next message, None when it is not all there. Raises CodecError; the stream is then of no more use."""
        if not self.buffered:
            return None
        unpacker, begin = self._unpacker, self._origin + self._start
        try:
            if not self._body_at:
                unpacker.skip()
                self._body_at = unpacker.tell() - begin
            unpacker.skip()
        except msgpack.OutOfData:
            if self.buffered >= self._bytes_max or (not self._body_at and self.buffered > HEADER_BYTES_MAX):
                raise self._too_large() from None
            return None
        except (ValueError, msgpack.UnpackException) as error:
            raise CodecError(f"not msgpack: {error}") from None
        return self._take(self._body_at, unpacker.tell() - begin)

    def _take(self, body_at: int, length: int) -> Message:
        if length > self._bytes_max or body_at > HEADER_BYTES_MAX:
            raise self._too_large()
        if self._more:
            self._origin += self._start
            self._data = b"".join((memoryview(self._data)[self._start :], *self._more))
            self._start, self._more = 0, []
        data, start = self._data, self._start
        message = _parse(data[start : start + body_at], data[start + body_at : start + length])
        self._start += length
        self.buffered -= length
        self._body_at = 0
        if not self.buffered and length > _KEEP_BYTES:
            self._restart()
        return message

    def _too_large(self) -> CodecError:
        return CodecError(f"message too large, limit is {self._bytes_max} bytes, {HEADER_BYTES_MAX} of them header")


def _parse(header: bytes, body: bytes) -> Message:
    try:
        fields = unpack(header)
    except DecodeError as damage:
        raise CodecError(str(damage)) from None
    if not isinstance(fields, dict):
        raise CodecError("header is not a map")
    method, seq, error = fields.get("ServiceMethod") or "", fields.get("Seq") or 0, fields.get("Error") or ""
    if type(method) is not str or type(seq) is not int or not 0 <= seq <= _UINT64_MAX or type(error) is not str:
        raise CodecError("header has fields of other types")
    return Message(method, seq, error, body)


@lru_cache(_NAMES_MAX)
def _named(method: str) -> bytes:
    return b"\xadServiceMethod" + encode(method)


_NO_ERROR = _HEAD_RESPONSE + b"\xa0\xa3Seq"


def encode_request(seq: int, method: str, body: bytes = EMPTY) -> bytes:
    """A call of ``method`` with its encoded argument."""
    return _HEAD_REQUEST + encode(seq) + _named(method) + body


def encode_reply(seq: int, method: str, body: bytes = EMPTY) -> bytes:
    """The answer to call ``seq``."""
    return _NO_ERROR + encode(seq) + _named(method) + body


def encode_error(seq: int, method: str, text: str) -> bytes:
    """The answer that a call failed. Texts beyond what readers take are cut."""
    # Raw lengths are bytes: cut by these, and leave the method its share.
    room = HEADER_BYTES_MAX // 2
    raw = text.encode("utf-8", "surrogateescape")[:room] or b"unknown error"
    return _HEAD_RESPONSE + encode(raw) + b"\xa3Seq" + encode(seq) + _named(method) + EMPTY
