"""HPACK (RFC 7541), the part a client of health checks needs: read any header block, write plain literals.

We announce a dynamic table of size 0, so a block never refers to earlier ones; sizes and indexes are checked all the
same.
Pure.
"""

from __future__ import annotations

from typing import Final

__all__ = ["HpackError", "decode_block", "encode_block"]

# 64 KiB for one decoded block: trailers of a health check have a handful of short fields.
_DECODED_BYTES_MAX: Final = 64 * 1024


class HpackError(ValueError):
    """The peer's header block is malformed."""


# RFC 7541 appendix A: only the names and values an answer may refer to by index.
_STATIC_LINES: Final = (
    ":authority", ":method GET", ":method POST", ":path /", ":path /index.html", ":scheme http", ":scheme https",
    ":status 200", ":status 204", ":status 206", ":status 304", ":status 400", ":status 404", ":status 500",
    "accept-charset", "accept-encoding gzip, deflate", "accept-language", "accept-ranges", "accept",
    "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition",
    "content-encoding", "content-language", "content-length", "content-location", "content-range", "content-type",
    "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match",
    "if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate",
    "proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie",
    "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
)  # fmt: skip
_STATIC: Final = tuple(line.partition(" ")[::2] for line in _STATIC_LINES)

# RFC 7541 appendix B: the length of each symbol's code in bits, 256 octets and the end marker. The code is canonical,
# so the lengths determine it.
_HUFFMAN_LENGTHS: Final = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
    6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
    20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
    23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
    22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
    27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
    26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
)  # fmt: skip
_END_SYMBOL: Final = 256


def _canonical_codes() -> dict[tuple[int, int], int]:
    codes: dict[tuple[int, int], int] = {}
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(_HUFFMAN_LENGTHS)):
        code <<= length - previous
        previous = length
        codes[(length, code)] = symbol
        code += 1
    return codes


_CODES: Final = _canonical_codes()


def _huffman(data: bytes) -> bytes:
    out = bytearray()
    code = length = 0
    for octet in data:
        for shift in range(7, -1, -1):
            code = code << 1 | (octet >> shift & 1)
            length += 1
            symbol = _CODES.get((length, code))
            if symbol is not None:
                if symbol == _END_SYMBOL:
                    raise HpackError("end marker inside of a string")
                out.append(symbol)
                code = length = 0
            elif length > 30:
                raise HpackError("no such code")
    if length > 7 or code != (1 << length) - 1:
        raise HpackError("bad padding")
    return bytes(out)


class _Block:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.dynamic: list[tuple[str, str]] = []

    def integer(self, prefix_bits: int) -> int:
        mask = (1 << prefix_bits) - 1
        value = self.octet() & mask
        if value < mask:
            return value
        shift = 0
        while True:
            octet = self.octet()
            value += (octet & 0x7F) << shift
            shift += 7
            if not octet & 0x80:
                return value
            if shift > 28:
                raise HpackError("integer too large")

    def octet(self) -> int:
        if self.at >= len(self.data):
            raise HpackError("header block is cut off")
        self.at += 1
        return self.data[self.at - 1]

    def string(self) -> str:
        packed = bool(self.data[self.at] & 0x80) if self.at < len(self.data) else False
        size = self.integer(7)
        raw = self.data[self.at : self.at + size]
        if len(raw) < size:
            raise HpackError("header block is cut off")
        self.at += size
        return (_huffman(raw) if packed else raw).decode("utf-8", "replace")

    def entry(self, index: int) -> tuple[str, str]:
        if 1 <= index <= len(_STATIC):
            name, value = _STATIC[index - 1]
            return name, value
        if len(_STATIC) < index <= len(_STATIC) + len(self.dynamic):
            return self.dynamic[index - len(_STATIC) - 1]
        raise HpackError(f"no entry {index}")

    def literal(self, prefix_bits: int) -> tuple[str, str]:
        index = self.integer(prefix_bits)
        name = self.entry(index)[0] if index else self.string()
        return name, self.string()

    def fields(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        size = 0
        while self.at < len(self.data):
            first = self.data[self.at]
            if first & 0x80:
                found.append(self.entry(self.integer(7)))
            elif first & 0xC0 == 0x40:
                found.append(self.literal(6))
                # A table of size 0 keeps nothing; within one block we stay lenient towards peers that have not
                # seen our settings yet.
                self.dynamic.insert(0, found[-1])
            elif first & 0xE0 == 0x20:
                self.integer(5)
                continue
            else:
                found.append(self.literal(4))
            size += len(found[-1][0]) + len(found[-1][1]) + 32
            if size > _DECODED_BYTES_MAX:
                raise HpackError("header block too large")
        return found


def decode_block(data: bytes) -> list[tuple[str, str]]:
    """Decode one complete header block. Raises HpackError."""
    return _Block(data).fields()


def _string(text: str) -> bytes:
    data = text.encode()
    assert len(data) < 1 << 20, "we write short fields only"
    return _integer(len(data), 7) + data


def _integer(value: int, prefix_bits: int) -> bytes:
    mask = (1 << prefix_bits) - 1
    if value < mask:
        return bytes((value,))
    out = bytearray((mask,))
    value -= mask
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_block(fields: list[tuple[str, str]]) -> bytes:
    """Encode fields as literals without indexing; every peer understands that."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)
