"""CRC-64/ECMA (as Go's ``crc64.ECMA``; also known as CRC-64/XZ), which Consul's snapshot metadata carries.

Python has no such function, and a loop in Python does about 8 MB/s. The library behind the standard ``lzma`` has it, as
a public function of its C interface (gigabytes per second, without the interpreter lock), but only a Python that is
linked to the shared library lets it be found. Elsewhere the .xz format helps: it ends each block with exactly this
checksum of the uncompressed data, so the compressor computes it with its cheapest settings (hundreds of MB/s for the
repetitive records of a state, 12 MB/s for random bytes). The table loop remains for Pythons built without lzma.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

__all__ = ["Crc64"]

_POLYNOMIAL = 0xC96C5795D7870F42
_MASK = 0xFFFFFFFFFFFFFFFF
# The end of an .xz stream: check (8), index (at most 28 for one block), footer (12), with room to spare.
_TAIL_BYTES = 256
# What the checksum of these digits has to be (the check value of CRC-64/XZ).
_CHECK = (b"123456789", 0x995DC9BBDF1939FA)

_Function = Callable[[bytes, int, int], int]


@cache
def _native() -> _Function | None:
    """liblzma's ``lzma_crc64(data, size, value)``, checked; None where it cannot be found."""
    try:
        import _lzma

        function = ctypes.CDLL(_lzma.__file__).lzma_crc64
    except (ImportError, AttributeError, OSError):
        return None
    function.restype = ctypes.c_uint64
    function.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)
    return function if function(_CHECK[0], len(_CHECK[0]), 0) == _CHECK[1] else None


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


class TableCrc64:
    """The plain loop."""

    def __init__(self) -> None:
        self._table = _table()
        self._value = _MASK

    def update(self, data: bytes) -> None:
        """Add bytes."""
        table, value = self._table, self._value
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        """The checksum as 8 big-endian bytes."""
        return (self._value ^ _MASK).to_bytes(8, "big")


class NativeCrc64:
    """liblzma's function; only where `available`."""

    def __init__(self) -> None:
        function = _native()
        assert function is not None, "ask whether it is available first"
        self._function = function
        self._value = 0

    @staticmethod
    def available() -> bool:
        """Whether this Python's lzma shows the function."""
        return _native() is not None

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._value = self._function(data, len(data), self._value)

    def digest(self) -> bytes:
        """The checksum as 8 big-endian bytes."""
        return self._value.to_bytes(8, "big")


class LzmaCrc64:
    """The checksum taken from the end of an .xz stream that is otherwise thrown away."""

    def __init__(self) -> None:
        import lzma

        filters = [
            {
                "id": lzma.FILTER_LZMA2,
                "mode": lzma.MODE_FAST,
                "mf": lzma.MF_HC3,
                "dict_size": 4096,
                "nice_len": 4,
                "depth": 1,
                "lc": 0,
                "lp": 0,
                "pb": 0,
            }
        ]
        self._compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=filters)
        self._tail = b""
        self._any = False
        self._digest: bytes | None = None

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._any = self._any or bool(data)
        self._keep(self._compressor.compress(data))

    def _keep(self, out: bytes) -> None:
        if out:
            self._tail = (self._tail + out)[-_TAIL_BYTES:] if len(out) < _TAIL_BYTES else out[-_TAIL_BYTES:]

    def digest(self) -> bytes:
        """The checksum as 8 big-endian bytes. Ends the stream: no update after it."""
        if self._digest is None:
            self._keep(self._compressor.flush())
            if self._any:
                # footer: crc32 (4), backward size (4, in units of 4 bytes less one), flags (2), magic (2)
                backward = (int.from_bytes(self._tail[-8:-4], "little") + 1) * 4
                end = len(self._tail) - 12 - backward
                self._digest = self._tail[end - 8 : end][::-1]
            else:
                self._digest = bytes(8)
        return self._digest


class Crc64:
    """Incremental CRC-64/ECMA."""

    def __init__(self) -> None:
        self._inner: NativeCrc64 | LzmaCrc64 | TableCrc64
        try:
            self._inner = NativeCrc64() if NativeCrc64.available() else LzmaCrc64()
        except ImportError:
            self._inner = TableCrc64()

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self._inner.update(data)

    def digest(self) -> bytes:
        """The checksum as 8 big-endian bytes; no update after it."""
        return self._inner.digest()
