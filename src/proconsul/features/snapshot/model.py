"""What is said before and after an archive on a snapshot connection (RPC reference, section 6)."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import IntEnum
from typing import BinaryIO, NamedTuple, Protocol

from proconsul.engine.wire.record import Record
from proconsul.features.base import QueryMeta
from proconsul.features.server import CallMethod


class SnapshotOp(IntEnum):
    SAVE = 0
    RESTORE = 1


class SnapshotRequest(Record, frozen=True):
    Datacenter: str = ""
    Token: str = ""
    AllowStale: bool = False
    Op: int = SnapshotOp.SAVE


class SnapshotResponse(QueryMeta, frozen=True, kw_only=True):
    """``Error`` is empty when it worked; ``Index`` is the Raft index the snapshot has."""

    Error: str = ""


class Saved(NamedTuple):
    """An archive: a file without a name, at its begin, for the caller to close."""

    response: SnapshotResponse
    archive: BinaryIO
    archive_bytes: int


class SnapshotService(Protocol):
    """Saves and restores, here or through another server."""

    def save(self, args: SnapshotRequest) -> Awaitable[Saved]:
        """Archive the state. Raises ConsulError."""

    def restore(self, args: SnapshotRequest, archive: BinaryIO) -> Awaitable[None]:
        """Replace the state of all servers. Raises ConsulError; then nothing has changed."""


# What rights to archives are asked by; on the wire they have connections of their own.
SNAPSHOT = CallMethod("Snapshot", SnapshotRequest, None)
