"""Snapshot archives: a gzipped tar with ``meta.json``, ``state.bin`` and ``SHA256SUMS``.

Reads the whole archive once, checks every sum, and refuses what does not belong there.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from proconsul.cli import gotypes
from proconsul.client import gojson
from proconsul.client.gojson import Json

_META, _STATE, _SUMS = "meta.json", "state.bin", "SHA256SUMS"
_CHUNK_BYTES = 1 << 20
# meta.json and SHA256SUMS are a few hundred bytes; larger ones are an attack on our memory.
_SMALL_FILE_BYTES_MAX = 1 << 20
_TAR_BLOCK_BYTES = 512
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
        try:
            head = self._raw.read(10)
        except OSError as error:
            name = str(getattr(self._raw, "name", ""))
            raise ArchiveError(f"failed to decompress snapshot: read {name}: {gotypes.errno_text(error)}") from None
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
    size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(field.strip(b" \0") or b"0", 8)
    return _Member(name, size)


def verify(raw: BinaryIO) -> Mapping[str, Json]:
    """Check an archive and return its metadata; raises :class:`ArchiveError`."""
    stream = _Gunzip(raw)
    prefix = "failed to read snapshot file: "
    try:
        sums, small = _read_members(stream)
    except EOFError:
        raise ArchiveError(f"{prefix}failed reading snapshot: unexpected EOF") from None
    _check_sums(sums, small.get(_SUMS, b""))
    try:
        meta = gojson.loads(small[_META])
    except gojson.GoJsonError as error:
        raise ArchiveError(f"{prefix}failed to decode snapshot metadata: {error}") from None
    return meta if isinstance(meta, Mapping) else {}


def _read_members(stream: _Gunzip) -> tuple[dict[str, str], dict[str, bytes]]:
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
                f"failed to read snapshot file: unexpected file {gotypes.quote(member.name)} in snapshot"
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
            if member.name != _STATE and len(kept) < _SMALL_FILE_BYTES_MAX:
                kept += data
        if member.name != _SUMS:
            sums[member.name] = digest.hexdigest()
        if member.name != _STATE:
            small[member.name] = bytes(kept)
        stream.read(-member.size % _TAR_BLOCK_BYTES)


def _expect_end(stream: _Gunzip) -> None:
    """After the two empty blocks that end a tar, nothing may follow."""
    stream.read(_TAR_BLOCK_BYTES)
    left = 0
    while data := stream.read(_CHUNK_BYTES):
        left += len(data)
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
            raise ArchiveError(f"{prefix}list missing hash for {gotypes.quote(name)}")
        if match.group(1).lower() != sums[name]:
            raise ArchiveError(f"{prefix}hash check failed for {gotypes.quote(name)}")
        seen.add(name)
    for name in sums:
        if name not in seen:
            raise ArchiveError(f"{prefix}file missing for {gotypes.quote(name)}")
