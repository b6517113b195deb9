"""Key/value types (RPC reference, structures; HTTP API: kv)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from proconsul.engine.wire.record import Record, UInt64
from proconsul.features.base import QueryMeta, QueryOptions, WriteRequest

# HTTP API: kv. Larger values stall the Raft batch they travel in.
VALUE_BYTES_MAX = 512 * 1024


class KVOp(StrEnum):
    """Operations of KVS.Apply and verbs of KV transactions. The texts are on the wire: append only."""

    SET = "set"
    DELETE = "delete"
    DELETE_CAS = "delete-cas"
    DELETE_TREE = "delete-tree"
    CAS = "cas"
    LOCK = "lock"
    UNLOCK = "unlock"
    GET = "get"
    GET_TREE = "get-tree"
    CHECK_SESSION = "check-session"
    CHECK_INDEX = "check-index"
    CHECK_NOT_EXISTS = "check-not-exists"


class DirEntry(Record, frozen=True):
    """One key. ``Key`` holds bytes that are not UTF-8 as surrogate escapes."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Session"})
    LockIndex: UInt64 = 0
    Key: str = ""
    Flags: UInt64 = 0
    Value: bytes | None = None
    Session: str = ""
    CreateIndex: UInt64 = 0
    ModifyIndex: UInt64 = 0


class Tombstone(Record, frozen=True):
    """Remembers the index at which a key or prefix was deleted, so that list indexes never go back."""

    Key: str = ""
    Index: int = 0


class KVSRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    DirEnt: DirEntry = DirEntry()


class KeyRequest(QueryOptions, frozen=True, kw_only=True):
    Datacenter: str = ""
    Key: str = ""


class KeyListRequest(QueryOptions, frozen=True, kw_only=True):
    Datacenter: str = ""
    Prefix: str = ""
    Seperator: str = ""


class IndexedDirEntries(QueryMeta, frozen=True, kw_only=True):
    Entries: list[DirEntry] | None = None


class IndexedKeyList(QueryMeta, frozen=True, kw_only=True):
    Keys: list[str] | None = None


class TombstoneRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = "reap"
    ReapIndex: int = 0
