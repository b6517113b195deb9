"""Snapshot archives: a gzipped tar with ``meta.json``, ``state.bin`` and ``SHA256SUMS`` (Raft reference, archive).

Reading goes through the whole archive once, checks every sum, and refuses what does not belong there.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO

from proconsul.engine.wire.text import quoted

__all__ = ["ArchiveError", "read_archive", "write_archive"]

_META, _STATE, _SUMS = "meta.json", "state.bin", "SHA256SUMS"
_CHUNK_BYTES = 1 << 20
# meta.json and SHA256SUMS are a few hundred bytes; larger ones are an attack on our memory.
_SMALL_FILE_BYTES_MAX = 1 << 20
_TAR_BLOCK_BYTES = 512
# zlib's default: archives are read and written in seconds, and kept for long.
_COMPRESSION = 6
_SUM_LINE = re.compile(r"^([0-9a-fA-F]*)\s+(\S+)$")


class ArchiveError(ValueError):
    """The archive cannot be used; ``str()`` is Consul's text."""


class _Gunzip:
    """Reads decompressed bytes; keeps at most one chunk in memory."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._inflate = zlib.decompressobj(31)
        self._buffer = b""
        self._check_header()

    def _check_header(self) -> None:
        head = self._raw.read(10)
        if not head:
            raise ArchiveError("failed to decompress snapshot: EOF")
        if len(head) < 10:
            raise ArchiveError("failed to decompress snapshot: unexpected EOF")
        if head[:3] != b"\x1f\x8b\x08":
            raise ArchiveError("failed to decompress snapshot: gzip: invalid header")
        self._buffer = self._inflate.decompress(head)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end; raises :class:`EOFError` when cut off."""
        parts = [self._buffer]
        have = len(self._buffer)
        while have < size and not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._raw.read(_CHUNK_BYTES)
            if not data:
                raise EOFError
            try:
                part = self._inflate.decompress(data, _CHUNK_BYTES)
            except zlib.error:
                raise ArchiveError(
                    "failed to read snapshot file: failed reading snapshot: flate: corrupt input"
                ) from None
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self._buffer = data[size:]
        return data[:size]


class _Member:
    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size


def _header(block: bytes) -> _Member | None:
    if not block.strip(b"\0"):
        return None
    name = block[:100].split(b"\0", 1)[0].decode("utf-8", "replace")
    field = block[124:136]
    try:
        size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise ArchiveError(
            "failed to read snapshot file: failed reading snapshot: archive/tar: invalid tar header"
        ) from None
    return _Member(name, size)


def read_archive(raw: BinaryIO, on_state: Callable[[bytes], object] | None = None) -> bytes:
    """Check an archive and return its meta.json; ``on_state`` gets state.bin piece by piece, before it is known good.

    Raises ArchiveError, and OSError when ``raw`` cannot be read.
    """
    stream = _Gunzip(raw)
    prefix = "failed to read snapshot file: "
    try:
        sums, small = _read_members(stream, on_state)
    except EOFError:
        raise ArchiveError(f"{prefix}failed reading snapshot: unexpected EOF") from None
    _check_sums(sums, small.get(_SUMS, b""))
    return small.get(_META, b"")


def write_archive(out: BinaryIO, meta: bytes, state: BinaryIO, state_bytes: int, mtime_s: int) -> None:
    """Write an archive as Consul does: the same members in the same order, and the end of the tar not padded.

    Raises OSError.
    """
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed:
        meta_sum = hashlib.sha256(meta).hexdigest()
        packed.write(_tar_header(_META, len(meta), mtime_s) + meta + _padding(len(meta)))
        packed.write(_tar_header(_STATE, state_bytes, mtime_s))
        digest, left = hashlib.sha256(), state_bytes
        while left:
            data = state.read(min(left, _CHUNK_BYTES))
            if not data:
                raise OSError("the state is shorter than it was")
            digest.update(data)
            packed.write(data)
            left -= len(data)
        packed.write(_padding(state_bytes))
        sums = f"{meta_sum}  {_META}\n{digest.hexdigest()}  {_STATE}\n".encode()
        packed.write(_tar_header(_SUMS, len(sums), mtime_s) + sums + _padding(len(sums)))
        packed.write(bytes(2 * _TAR_BLOCK_BYTES))


def _tar_header(name: str, size: int, mtime_s: int) -> bytes:
    """A ustar header; sizes that eight octal digits cannot hold are written in base 256, as GNU tar and Go do."""
    octal = b"%011o\0" % size
    packed = octal if len(octal) == 12 else b"\x80" + size.to_bytes(11, "big")
    start = name.encode().ljust(100, b"\0") + b"0000600\0" + b"0000000\0" * 2 + packed + b"%011o\0" % mtime_s
    rest = (b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2).ljust(_TAR_BLOCK_BYTES - 156, b"\0")
    checksum = sum(start) + sum(rest) + 8 * ord(" ")
    return start + b"%06o\0 " % checksum + rest


def _padding(size: int) -> bytes:
    return bytes(-size % _TAR_BLOCK_BYTES)


def _read_members(
    stream: _Gunzip, on_state: Callable[[bytes], object] | None
) -> tuple[dict[str, str], dict[str, bytes]]:
    # Sums start from empty files, so that a missing file shows as a wrong sum.
    sums = {name: hashlib.sha256().hexdigest() for name in (_META, _STATE)}
    small: dict[str, bytes] = {}
    while True:
        block = stream.read(_TAR_BLOCK_BYTES)
        if not block:
            return sums, small
        if len(block) < _TAR_BLOCK_BYTES:
            raise EOFError
        member = _header(block)
        if member is None:
            _expect_end(stream)
            return sums, small
        if member.name not in (_META, _STATE, _SUMS):
            raise ArchiveError(
                f"failed to read snapshot file: unexpected file {quoted(member.name)} in snapshot"
            )
        digest = hashlib.sha256()
        kept = bytearray()
        left = member.size
        while left:
            try:
                data = stream.read(min(left, _CHUNK_BYTES))
            except EOFError:
                data = b""
            if not data:
                what = "snapshot data" if member.name == _STATE else "snapshot metadata"
                raise ArchiveError(f"failed to read snapshot file: failed to read or write {what}: unexpected EOF")
            digest.update(data)
            left -= len(data)
            if member.name == _STATE and on_state is not None:
                on_state(data)
            if member.name != _STATE and len(kept) < _SMALL_FILE_BYTES_MAX:
                kept += data
        if member.name != _SUMS:
            sums[member.name] = digest.hexdigest()
        if member.name != _STATE:
            small[member.name] = bytes(kept)
        stream.read(-member.size % _TAR_BLOCK_BYTES)


def _expect_end(stream: _Gunzip) -> None:
    """After the two empty blocks that end a tar, nothing may follow."""
    left = 0
    try:
        stream.read(_TAR_BLOCK_BYTES)
        while data := stream.read(_CHUNK_BYTES):
            left += len(data)
    except EOFError:
        raise ArchiveError("unexpected EOF") from None
    if left:
        raise ArchiveError(f"{left} unread uncompressed bytes remain")


def _check_sums(sums: Mapping[str, str], listing: bytes) -> None:
    prefix = "failed to read snapshot file: failed checking integrity of snapshot: "
    seen: set[str] = set()
    for line in listing.decode("utf-8", "replace").splitlines():
        match = _SUM_LINE.match(line)
        if match is None:
            raise ArchiveError(f"{prefix}no hex data for %x string")
        name = match.group(2)
        if name not in sums:
            raise ArchiveError(f"{prefix}list missing hash for {quoted(name)}")
        if match.group(1).lower() != sums[name]:
            raise ArchiveError(f"{prefix}hash check failed for {quoted(name)}")
        seen.add(name)
    for name in sums:
        if name not in seen:
            raise ArchiveError(f"{prefix}file missing for {quoted(name)}")
