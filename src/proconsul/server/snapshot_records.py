"""Reading a snapshot stream record by record, without turning large values into text first.

The wire knows one kind of string, which is read as text with escapes for what is no UTF-8. For half a megabyte of any
bytes that is milliseconds in both directions, with the interpreter held, and a state of such values kept a follower
that installs it from everything else for seconds.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgpack as msgpack_c

from proconsul.engine.wire import msgpack

# The last field of a key's record (fields are sorted), with the mark of a raw value of 64 KiB or more.
_LARGE_VALUE = b"\xa5Value\xdb"
# Where it is looked for: behind the key, of 512 bytes at most in the original, the session and five numbers.
_HEAD_BYTES = 1024
_LENGTH_BYTES = 4
# What is read at once.
_WINDOW_BYTES = 1 << 20


class SnapshotRecords:
    """Records of a stream, as plain values. Raises ValueError, TypeError and msgpack's UnpackException."""

    def __init__(self, source: BinaryIO) -> None:
        self._start = source.tell()
        self._ahead = _Ahead(source)
        self._unpacker = msgpack_c.Unpacker(
            source, raw=False, unicode_errors="surrogateescape", strict_map_key=False,
            max_buffer_size=msgpack.BUFFER_BYTES_MAX,
        )  # fmt: skip

    def next(self) -> Any:
        """The next record. Raises StopIteration behind the last."""
        return next(self._unpacker)

    def kinds(self) -> Iterator[int]:
        """The type bytes between the records; `next` or `next_key` is to be called for each."""
        kinds: Iterator[int] = self._unpacker
        return kinds

    def next_key(self) -> Any:
        """As `next`, for the record of a key: its value is bytes when it is large."""
        ahead, start = self._ahead, self._start + self._unpacker.tell()
        mark = ahead.find(_LARGE_VALUE, start)
        if mark < 0:
            return next(self._unpacker)
        self._unpacker.skip()
        end = self._start + self._unpacker.tell()
        value_at = mark + len(_LARGE_VALUE) + _LENGTH_BYTES
        length = int.from_bytes(ahead.read(value_at - _LENGTH_BYTES, value_at), "big")
        if value_at + length != end:
            return msgpack.unpack(ahead.read(start, end))  # what looked like the value was part of the key
        record = msgpack.unpack(ahead.read(start, mark) + b"\xa5Value\xc0")
        record["Value"] = ahead.read(value_at, end)
        return record


class _Ahead:
    """The bytes of a source, read without moving it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source: BinaryIO | None = None if isinstance(source, io.BytesIO) else source
        self._window = source.getvalue() if isinstance(source, io.BytesIO) else b""
        self._window_at = 0

    def find(self, what: bytes, start: int) -> int:
        """Where ``what`` is within the head of a record at ``start``; -1 when it is not there."""
        self._look(start, start + _HEAD_BYTES)
        found = self._window.find(what, start - self._window_at, start - self._window_at + _HEAD_BYTES)
        return found + self._window_at if found >= 0 else -1

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``."""
        self._look(start, end)
        return self._window[start - self._window_at : end - self._window_at]

    def _look(self, start: int, end: int) -> None:
        inside = self._window_at <= start and end <= self._window_at + len(self._window)
        if self._source is not None and not inside:
            self._window = os.pread(self._source.fileno(), max(_WINDOW_BYTES, end - start), start)
            self._window_at = start
