"""Snapshot archives: a gzipped tar with ``meta.json``, ``state.bin`` and ``SHA256SUMS`` (Raft reference, archive).

Reading goes through the whole archive once, checks every sum, and refuses what does not belong there. What usual tools
make of the three files by hand is read as well: tars of any format, padded at their end, of a directory (``./``), with
sums in the form for binary files.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO, NamedTuple

from proconsul.engine.wire.text import quoted

__all__ = ["ArchiveError", "read_archive", "write_archive"]

_META, _STATE, _SUMS = "meta.json", "state.bin", "SHA256SUMS"
_CHUNK_BYTES = 1 << 20
# meta.json and SHA256SUMS are a few hundred bytes; larger ones are an attack on our memory.
_SMALL_FILE_BYTES_MAX = 1 << 20
_TAR_BLOCK_BYTES = 512
# zlib's default: archives are read and written in seconds, and kept for long.
_COMPRESSION = 6
# A star stands before the names of binary files where a tool tells them from text.
_SUM_LINE = re.compile(r"^([0-9a-fA-F]*)\s+\*?(?:\./)?(\S+)$")


class ArchiveError(ValueError):
    """The archive cannot be used; ``str()`` is Consul's text."""


_CORRUPT = "failed to read snapshot file: failed reading snapshot: flate: corrupt input"
_INVALID_GZIP = "gzip: invalid header"
_INVALID_TAR = "failed to read snapshot file: failed reading snapshot: archive/tar: invalid tar header"


class _Gunzip:
    """Reads decompressed bytes, of one gzip member behind the other; keeps at most one chunk in memory."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._inflate = zlib.decompressobj(31)
        self._buffer = self._ahead = b""
        self._check_header()

    def _check_header(self) -> None:
        head = self._raw.read(10)
        if not head:
            raise ArchiveError("failed to decompress snapshot: EOF")
        if len(head) < 10:
            raise ArchiveError("failed to decompress snapshot: unexpected EOF")
        if head[:3] != b"\x1f\x8b\x08":
            raise ArchiveError(f"failed to decompress snapshot: {_INVALID_GZIP}")
        try:
            self._buffer = self._inflate.decompress(head)
        except zlib.error:
            raise ArchiveError(f"failed to decompress snapshot: {_INVALID_GZIP}") from None

    def _next_member(self) -> bool:
        """Go on behind the end of a member; False when there is nothing. Raises ArchiveError for anything else."""
        rest = self._inflate.unused_data
        while len(rest) < 3 and (data := self._raw.read(_CHUNK_BYTES)):
            rest += data
        if not rest:
            return False
        if rest[:3] != b"\x1f\x8b\x08":
            raise ArchiveError(_INVALID_GZIP)
        self._inflate = zlib.decompressobj(31)
        self._ahead = rest
        return True

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end; raises :class:`EOFError` when cut off."""
        parts = [self._buffer]
        have = len(self._buffer)
        while have < size:
            if self._inflate.eof:
                if not self._next_member():
                    break
                continue
            data = self._inflate.unconsumed_tail or self._ahead or self._raw.read(_CHUNK_BYTES)
            self._ahead = b""
            if not data:
                raise EOFError
            try:
                part = self._inflate.decompress(data, _CHUNK_BYTES)
            except zlib.error:
                raise ArchiveError(_CORRUPT) from None
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self._buffer = data[size:]
        return data[:size]


class _Member(NamedTuple):
    name: str
    size: int
    kind: bytes


# Types of members: contents, a directory, and what GNU and POSIX tars say about the next one or all.
_CONTENTS, _DIRECTORY, _ABOUT = (b"0", b"\0", b"7"), b"5", (b"x", b"g", b"L", b"K")
# What the directory itself is called in a tar of it; other types, as links and devices, have no contents.
_ROOT_NAMES = ("", ".")


def _header(block: bytes) -> _Member | None:
    if not block.strip(b"\0"):
        return None
    try:
        size, checksum = _number(block[124:136]), _number(block[148:156])
    except ValueError:
        raise ArchiveError(_INVALID_TAR) from None
    if checksum != sum(block[:148]) + 8 * ord(" ") + sum(block[156:]):
        raise ArchiveError(_INVALID_TAR)
    name, kind = _text(block[:100]), block[156:157]
    if block[257:263] == b"ustar\0" and (directory := _text(block[345:500])):
        name = f"{directory}/{name}"
    return _Member(name, size if kind in (*_CONTENTS, *_ABOUT) else 0, kind)


def _number(field: bytes) -> int:
    """A number of a tar header, octal or in base 256. Raises ValueError."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    return int(field.split(b"\0", 1)[0].strip(b" ") or b"0", 8)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


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
    # Sums start from empty files, so that a missing file shows as a wrong sum, as does one that is there twice.
    digests = {name: hashlib.sha256() for name in (_META, _STATE, _SUMS)}
    small: dict[str, bytes] = {}
    while (member := _next_header(stream)) is not None:
        if member.kind in _ABOUT:
            _skip_about(stream, member)
            continue
        # As `tar -C <directory> .` names them.
        name = member.name.removeprefix("./")
        if member.kind == _DIRECTORY and name in _ROOT_NAMES:
            continue
        if name not in digests:
            raise ArchiveError(f"failed to read snapshot file: unexpected file {quoted(member.name)} in snapshot")
        kept = _read_member(stream, name, member.size, digests[name], on_state)
        if name != _STATE:
            small[name] = kept
    return {name: digests[name].hexdigest() for name in (_META, _STATE)}, small


def _next_header(stream: _Gunzip) -> _Member | None:
    """The header of the next member; None behind the last. Raises EOFError and ArchiveError."""
    block = stream.read(_TAR_BLOCK_BYTES)
    if not block:
        return None
    if len(block) < _TAR_BLOCK_BYTES:
        raise EOFError
    member = _header(block)
    if member is None:
        _expect_end(stream)
    return member


def _skip_about(stream: _Gunzip, member: _Member) -> None:
    """Leave out what is said of a member beside its header: times and owners; the three names and sizes fit there.

    Raises ArchiveError when it is no such thing but a file of its own.
    """
    if member.size > _SMALL_FILE_BYTES_MAX:
        raise ArchiveError(f"failed to read snapshot file: unexpected file {quoted(member.name)} in snapshot")
    said = stream.read(member.size + -member.size % _TAR_BLOCK_BYTES)
    if re.search(rb"(^|\n)[0-9]+ (path|size|GNU\.sparse[^=]*)=", said) is not None:
        raise ArchiveError(_INVALID_TAR)


def _read_member(
    stream: _Gunzip, name: str, size: int, digest: hashlib._Hash, on_state: Callable[[bytes], object] | None
) -> bytes:
    """Take one member in; its begin, unless it is the state. Raises ArchiveError."""
    kept = bytearray()
    left = size
    while left:
        try:
            data = stream.read(min(left, _CHUNK_BYTES))
        except EOFError:
            data = b""
        if not data:
            what = "snapshot data" if name == _STATE else "snapshot metadata"
            raise ArchiveError(f"failed to read snapshot file: failed to read or write {what}: unexpected EOF")
        digest.update(data)
        left -= len(data)
        if name == _STATE and on_state is not None:
            on_state(data)
        if name != _STATE and len(kept) < _SMALL_FILE_BYTES_MAX:
            kept += data
    stream.read(-size % _TAR_BLOCK_BYTES)
    return bytes(kept)


def _expect_end(stream: _Gunzip) -> None:
    """Behind the empty blocks that end a tar nothing may follow; tools pad with empty ones to 10240 bytes."""
    left = 0
    try:
        if stream.read(_TAR_BLOCK_BYTES).strip(b"\0"):
            raise ArchiveError(_INVALID_TAR)
        while data := stream.read(_CHUNK_BYTES):
            if left or data.strip(b"\0"):
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
