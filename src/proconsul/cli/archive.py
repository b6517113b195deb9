"""Snapshot archives as the command line reads them: checked, and their metadata decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from proconsul.client import gojson
from proconsul.client.gojson import Json
from proconsul.engine.raft.archive import ArchiveError, read_archive
from proconsul.engine.wire.goerrors import errno_text

__all__ = ["ArchiveError", "verify"]


def verify(raw: BinaryIO) -> Mapping[str, Json]:
    """Check an archive and return its metadata; raises :class:`ArchiveError`."""
    try:
        data = read_archive(raw)
    except OSError as error:
        name = str(getattr(raw, "name", ""))
        raise ArchiveError(f"failed to decompress snapshot: read {name}: {errno_text(error)}") from None
    try:
        meta = gojson.loads(data)
    except gojson.GoJsonError as error:
        raise ArchiveError(f"failed to read snapshot file: failed to decode snapshot metadata: {error}") from None
    return meta if isinstance(meta, Mapping) else {}
