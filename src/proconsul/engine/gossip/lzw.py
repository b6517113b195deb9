"""LZW as memberlist compresses: least significant bit first, literals of 8 bits, codes of 9 to 12, early codes.

Pure. This is GIF's variant. Encoders of newer releases begin with a clear code, older ones do not; both are read.
"""

from __future__ import annotations

from proconsul.engine.gossip.codec import GossipError

CLEAR, END, FIRST = 256, 257, 258
WIDTH_MIN, WIDTH_MAX = 9, 12
TABLE_MAX = 4095
# 20 MiB: memberlist's limit for a push/pull state, the largest thing that travels compressed.
OUTPUT_BYTES_MAX = 20 << 20


class LzwError(GossipError):
    """The bytes are not a compressed message, or expand beyond the limit."""


class LzwTooLarge(LzwError):
    """The bytes expand beyond the limit."""


def compress(data: bytes, *, leading_clear: bool = False) -> bytes:
    """Compress ``data``. ``leading_clear`` writes the form of newer encoders."""
    out = _BitWriter()
    if leading_clear:
        out.write(CLEAR, WIDTH_MIN)
    table: dict[tuple[int, int], int] = {}
    width, highest, overflow = WIDTH_MIN, END, 1 << WIDTH_MIN
    prefix = -1
    for byte in data:
        if prefix < 0:
            prefix = byte
            continue
        code = table.get((prefix, byte))
        if code is not None:
            prefix = code
            continue
        out.write(prefix, width)
        highest += 1
        if highest == overflow:
            width += 1
            overflow <<= 1
        if highest == TABLE_MAX:
            out.write(CLEAR, width)
            table.clear()
            width, highest, overflow = WIDTH_MIN, END, 1 << WIDTH_MIN
        else:
            table[prefix, byte] = highest
        prefix = byte
    if prefix >= 0:
        out.write(prefix, width)
        highest += 1
        if highest == overflow:
            width += 1
        if highest == TABLE_MAX:
            out.write(CLEAR, width)
            width = WIDTH_MIN
    out.write(END, width)
    return out.finish()


def decompress(data: bytes, output_bytes_max: int = OUTPUT_BYTES_MAX) -> bytes:
    """Expand ``data``. Raises LzwError when it is damaged, LzwTooLarge beyond ``output_bytes_max``."""
    out = bytearray()
    reader = _BitReader(data)
    table: list[bytes] = []
    width, previous = WIDTH_MIN, b""
    while True:
        code = reader.read(width)
        if code == END:
            return bytes(out)
        if code == CLEAR:
            table.clear()
            width, previous = WIDTH_MIN, b""
            continue
        entry = _entry(code, table, previous)
        out += entry
        if len(out) > output_bytes_max:
            raise LzwTooLarge(f"compressed message expands beyond {output_bytes_max} bytes")
        if previous and FIRST + len(table) < TABLE_MAX + 1:
            table.append(previous + entry[:1])
        previous = entry
        # "Early" codes: the width grows as soon as the table is full, before the code that needs it.
        if FIRST + len(table) >= 1 << width and width < WIDTH_MAX:
            width += 1


def _entry(code: int, table: list[bytes], previous: bytes) -> bytes:
    if code < CLEAR:
        return bytes((code,))
    position = code - FIRST
    if position < len(table):
        return table[position]
    if position == len(table) and previous:
        return previous + previous[:1]
    raise LzwError("invalid code in compressed message")


class _BitWriter:
    def __init__(self) -> None:
        self._out = bytearray()
        self._bits = self._count = 0

    def write(self, code: int, width: int) -> None:
        self._bits |= code << self._count
        self._count += width
        while self._count >= 8:
            self._out.append(self._bits & 0xFF)
            self._bits >>= 8
            self._count -= 8

    def finish(self) -> bytes:
        if self._count:
            self._out.append(self._bits & 0xFF)
        return bytes(self._out)


class _BitReader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._bits = self._count = 0

    def read(self, width: int) -> int:
        while self._count < width:
            if self._at >= len(self._data):
                raise LzwError("compressed message is cut short")
            self._bits |= self._data[self._at] << self._count
            self._at += 1
            self._count += 8
        code = self._bits & ((1 << width) - 1)
        self._bits >>= width
        self._count -= width
        return code
