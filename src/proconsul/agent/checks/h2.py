"""As much HTTP/2 (RFC 7540) as a health check needs: one unary call, or one ping, on a fresh connection.

Small enough to own: a general library would be a dependency of every agent for two frame types. Pure framing here plus
one connection object over asyncio streams.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Final, NamedTuple

from proconsul.agent.checks.hpack import HpackError, decode_block, encode_block
from proconsul.engine.dial import Stream
from proconsul.engine.streams import put

__all__ = ["H2Connection", "H2Error", "H2Response"]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_SETTINGS_HEADER_TABLE_SIZE: Final = 1
_SETTINGS_ENABLE_PUSH: Final = 2

# The protocol's own default limit, which we do not raise.
_FRAME_BYTES_MAX: Final = 16384
# 64 KiB of answer: a health reply has two bytes.
_BODY_BYTES_MAX: Final = 64 * 1024
# 1000 frames before the answer is complete: pings and window updates of a chatty peer, not an endless stream.
_FRAMES_MAX: Final = 1000


class H2Error(Exception):
    """The connection cannot be used. ``str()`` says why."""


class H2Response(NamedTuple):
    header: dict[str, str]
    trailer: dict[str, str]
    body: bytes


class _Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def encode_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame on the wire."""
    assert len(payload) <= _FRAME_BYTES_MAX
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _opening() -> bytes:
    """What a client says first."""
    settings = struct.pack(">HIHI", _SETTINGS_HEADER_TABLE_SIZE, 0, _SETTINGS_ENABLE_PUSH, 0)
    return PREFACE + encode_frame(_SETTINGS, 0, 0, settings)


class H2Connection:
    """A client's side of one connection, which is good for one ``ping`` or one ``call``."""

    def __init__(self, stream: Stream) -> None:
        self.reader, self.writer = stream

    def close(self) -> None:
        self.writer.close()

    def _write(self, data: bytes) -> None:
        try:
            put(self.writer, data)
        except ConnectionError:
            raise H2Error("connection closed") from None

    async def _read(self) -> _Frame:
        try:
            head = await self.reader.readexactly(9)
            size = int.from_bytes(head[:3], "big")
            if size > _FRAME_BYTES_MAX:
                raise H2Error("connection closed")
            payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise H2Error("connection closed") from None
        return _Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, payload)

    def _housekeeping(self, frame: _Frame) -> None:
        """Answer what every peer must answer."""
        if frame.kind == _SETTINGS and not frame.flags & _ACK:
            self._write(encode_frame(_SETTINGS, _ACK, 0))
        elif frame.kind == _PING and not frame.flags & _ACK:
            self._write(encode_frame(_PING, _ACK, 0, frame.payload))
        elif frame.kind == _GOAWAY:
            raise H2Error("connection closed")

    async def ping(self, payload: bytes = b"proconsu") -> None:
        """Send one PING and wait for its acknowledgement. Raises H2Error."""
        assert len(payload) == 8
        self._write(_opening() + encode_frame(_PING, 0, 0, payload))
        for _ in range(_FRAMES_MAX):
            frame = await self._read()
            if frame.kind == _PING and frame.flags & _ACK and frame.payload == payload:
                return
            self._housekeeping(frame)
        raise H2Error("no answer to ping")

    async def call(self, fields: list[tuple[str, str]], body: bytes) -> H2Response:
        """Send one request on stream 1 and read its whole answer. Raises H2Error."""
        self._write(_opening() + encode_frame(_HEADERS, _END_HEADERS, 1, encode_block(fields)))
        self._write(encode_frame(_DATA, _END_STREAM, 1, body))
        blocks: list[dict[str, str]] = []
        data = bytearray()
        for _ in range(_FRAMES_MAX):
            frame = await self._read()
            if frame.stream != 1:
                self._housekeeping(frame)
                continue
            if frame.kind == _RST_STREAM:
                code = int.from_bytes(frame.payload[:4], "big")
                raise H2Error(f"stream terminated by RST_STREAM with error code: {code}")
            if frame.kind == _HEADERS:
                blocks.append(await self._headers(frame))
            elif frame.kind == _DATA:
                data += _unpadded(frame)
                if len(data) > _BODY_BYTES_MAX:
                    raise H2Error("answer too large")
            if frame.kind in (_HEADERS, _DATA) and frame.flags & _END_STREAM:
                return H2Response(blocks[0] if blocks else {}, blocks[-1] if blocks else {}, bytes(data))
        raise H2Error("answer never ends")

    async def _headers(self, first: _Frame) -> dict[str, str]:
        block = bytearray(_unpadded(first))
        frame = first
        while not frame.flags & _END_HEADERS:
            frame = await self._read()
            if frame.kind != _CONTINUATION or len(block) > _BODY_BYTES_MAX:
                raise H2Error("bad header block")
            block += frame.payload
        try:
            return dict(decode_block(bytes(block)))
        except HpackError as error:
            raise H2Error(str(error)) from None


def _unpadded(frame: _Frame) -> bytes:
    payload = frame.payload
    if frame.flags & _PADDED and payload:
        pad = payload[0]
        payload = payload[1 : len(payload) - pad] if pad < len(payload) else b""
    if frame.kind == _HEADERS and frame.flags & _PRIORITY:
        payload = payload[5:]
    return payload
