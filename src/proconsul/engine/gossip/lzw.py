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

# Codes are gathered in one number and written, or read, this many bytes at a time: several codes, yet quick to shift.
_CHUNK_BYTES = 15
_CHUNK_BITS = 8 * _CHUNK_BYTES
_CHUNK_MASK = (1 << _CHUNK_BITS) - 1
# What codes mean before anything is learned; None for the two that are no text, `CLEAR` and `END`.
_LITERALS: list[bytes | None] = [*(bytes((byte,)) for byte in range(256)), None, None]


class LzwError(GossipError):
    """The bytes are not a compressed message, or expand beyond the limit."""


class LzwTooLarge(LzwError):
    """The bytes expand beyond the limit."""


def compress(data: bytes, *, leading_clear: bool = False) -> bytes:
    """Compress ``data``. ``leading_clear`` writes the form of newer encoders."""
    out = bytearray()
    bits, count = (CLEAR, WIDTH_MIN) if leading_clear else (0, 0)
    table: dict[int, int] = {}  # prefix code and next byte, as one number
    known = table.get
    width, highest, overflow = WIDTH_MIN, END, 1 << WIDTH_MIN
    prefix = data[0] if data else -1
    for byte in data[1:]:
        pair = prefix << 8 | byte
        code = known(pair)
        if code is not None:
            prefix = code
            continue
        bits |= prefix << count
        count += width
        if count >= _CHUNK_BITS:
            out += (bits & _CHUNK_MASK).to_bytes(_CHUNK_BYTES, "little")
            bits >>= _CHUNK_BITS
            count -= _CHUNK_BITS
        prefix = byte
        highest += 1
        if highest == overflow:
            width += 1
            overflow <<= 1
        if highest == TABLE_MAX:
            bits |= CLEAR << count
            count += width
            table.clear()
            width, highest, overflow = WIDTH_MIN, END, 1 << WIDTH_MIN
        else:
            table[pair] = highest
    if prefix >= 0:
        bits |= prefix << count
        count += width
        highest += 1
        if highest == overflow:
            width += 1
        if highest == TABLE_MAX:
            bits |= CLEAR << count
            count += width
            width = WIDTH_MIN
    bits |= END << count
    count += width
    return bytes(out + bits.to_bytes((count + 7) // 8, "little"))


def decompress(data: bytes, output_bytes_max: int = OUTPUT_BYTES_MAX) -> bytes:
    """Expand ``data``. Raises LzwError when it is damaged, LzwTooLarge beyond ``output_bytes_max``."""
    out = bytearray()
    at = bits = count = 0
    table: list[bytes | None] = _LITERALS.copy()
    width, size, previous = WIDTH_MIN, FIRST, b""
    while True:
        if count < width:
            chunk = data[at : at + _CHUNK_BYTES]
            bits |= int.from_bytes(chunk, "little") << count
            at += _CHUNK_BYTES
            count += 8 * len(chunk)
            if count < width:
                raise LzwError("unexpected EOF")
        code = bits & (1 << width) - 1
        bits >>= width
        count -= width
        if code < size:
            entry = table[code]
            if entry is None:
                if code == END:
                    return bytes(out)
                table = _LITERALS.copy()
                width, size, previous = WIDTH_MIN, FIRST, b""
                continue
        elif code == size and previous:
            entry = previous + previous[:1]
        else:
            raise LzwError("invalid code in compressed message")
        out += entry
        if len(out) > output_bytes_max:
            raise LzwTooLarge(f"compressed message expands beyond {output_bytes_max} bytes")
        if previous and size <= TABLE_MAX:
            table.append(previous + entry[:1])
            size += 1
            # "Early" codes: the width grows as soon as the table is full, before the code that needs it.
            if size >> width and width < WIDTH_MAX:
                width += 1
        previous = entry
