"""Snapshot archives as the command line reads them: checked, and their metadata decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.raft.archive import ArchiveError, read_archive
from proconsul.engine.wire.goerrors import errno_text

__all__ = ["ArchiveError", "decode_meta", "verify"]


def verify(raw: BinaryIO, on_state: Callable[[bytes], object] | None = None) -> Mapping[str, Json]:
    """Check an archive and return its metadata; ``on_state`` gets the state in pieces, before it is known good.

    Raises :class:`ArchiveError`.
    """
    try:
        data = read_archive(raw, on_state)
    except OSError as error:
        name = str(getattr(raw, "name", ""))
        raise ArchiveError(f"failed to decompress snapshot: read {name}: {errno_text(error)}") from None
    return decode_meta(data)


def decode_meta(data: bytes) -> Mapping[str, Json]:
    """The contents of meta.json. Raises :class:`ArchiveError`."""
    try:
        meta = gojson.loads(data)
    except gojson.GoJsonError as error:
        raise ArchiveError(f"failed to read snapshot file: failed to decode snapshot metadata: {error}") from None
    return meta if isinstance(meta, Mapping) else {}
