"""A read-only reader of BoltDB files, as far as a Raft log needs it (format: bbolt's public page description).

A file is pages of equal size. Pages 0 and 1 are meta pages, of which the one with the higher transaction id counts; a
bucket is a B+ tree of branch and leaf pages. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_MAGIC = 0xED0CDAED
_HEADER = struct.Struct("<QHHI")  # page id, flags, count of elements, overflow pages
_META = struct.Struct("<IIIIQQQQQ")  # magic, version, page size, flags, root page, sequence, freelist, pages, txid
_LEAF_ELEMENT = struct.Struct("<IIII")  # flags, position from the element, key size, value size
_BRANCH_ELEMENT = struct.Struct("<IIQ")  # position, key size, page
_BRANCH, _LEAF = 1, 2
_IS_BUCKET = 1


class BoltFile:
    """One file, read whole. Raises ValueError when it is no BoltDB file."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        metas = [meta for offset in (0, self._page_size()) if (meta := self._meta(offset)) is not None]
        if not metas:
            raise ValueError(f"{path} is no BoltDB file")
        self._size, self._root = max(metas)[1:]

    def _page_size(self) -> int:
        return int(_META.unpack_from(self._data, _HEADER.size)[2])

    def _meta(self, offset: int) -> tuple[int, int, int] | None:
        values = _META.unpack_from(self._data, offset + _HEADER.size)
        return (values[8], values[2], values[4]) if values[0] == _MAGIC else None

    def bucket(self, name: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of a top-level bucket, in key order. Raises KeyError when there is none."""
        for flags, key, value in self._elements(self._page(self._root)):
            if key == name and flags & _IS_BUCKET:
                root = int.from_bytes(value[:8], "little")
                page = self._page(root) if root else value[16:]
                return ((key, value) for _, key, value in self._elements(page))
        raise KeyError(name)

    def _page(self, number: int) -> bytes:
        start = number * self._size
        overflow = _HEADER.unpack_from(self._data, start)[3]
        return self._data[start : start + (1 + overflow) * self._size]

    def _elements(self, page: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        _, flags, count, _ = _HEADER.unpack_from(page)
        for number in range(count):
            at = _HEADER.size + number * 16
            if flags & _LEAF:
                kind, position, key_size, value_size = _LEAF_ELEMENT.unpack_from(page, at)
                key_at = at + position
                value_at = key_at + key_size
                yield kind, page[key_at:value_at], page[value_at : value_at + value_size]
            elif flags & _BRANCH:
                yield from self._elements(self._page(_BRANCH_ELEMENT.unpack_from(page, at)[2]))
            else:
                raise ValueError(f"page with flags {flags} in a tree")
