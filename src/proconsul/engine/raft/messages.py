"""Values of the Raft protocol: log entries and the five RPCs of hashicorp/raft, protocol version 3.

All are frozen. Field meanings follow hashicorp/raft; the byte form is in ``wire.py``. ``id`` and ``addr`` are the
sender's header fields, known since raft 1.3.7; empty means an older sender.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

__all__ = [
    "PROTOCOL_VERSION",
    "PROTOCOL_VERSION_MAX",
    "PROTOCOL_VERSION_MIN",
    "SNAPSHOT_VERSION_MAX",
    "SNAPSHOT_VERSION_MIN",
    "AppendEntriesRequest",
    "AppendEntriesResponse",
    "EntryType",
    "InstallSnapshotRequest",
    "InstallSnapshotResponse",
    "LogEntry",
    "PreVoteRequest",
    "PreVoteResponse",
    "Request",
    "RequestVoteRequest",
    "RequestVoteResponse",
    "Response",
    "RpcType",
    "StableState",
    "TimeoutNowRequest",
    "TimeoutNowResponse",
]

PROTOCOL_VERSION = 3
PROTOCOL_VERSION_MIN = 0
PROTOCOL_VERSION_MAX = 3
SNAPSHOT_VERSION_MIN = 0
SNAPSHOT_VERSION_MAX = 1


class RpcType(IntEnum):
    """First byte of a request; append-only."""

    APPEND_ENTRIES = 0
    REQUEST_VOTE = 1
    INSTALL_SNAPSHOT = 2
    TIMEOUT_NOW = 3
    REQUEST_PRE_VOTE = 4


class EntryType(IntEnum):
    """Kinds of log entry; append-only. Only COMMAND reaches the state machine."""

    COMMAND = 0
    NOOP = 1
    ADD_PEER_DEPRECATED = 2
    REMOVE_PEER_DEPRECATED = 3
    BARRIER = 4
    CONFIGURATION = 5


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry of the replicated log. ``type`` is an EntryType number, kept as int because entries are made often."""

    index: int
    term: int
    type: int
    data: bytes
    extensions: bytes = b""
    appended_at: bytes | None = None


class StableState(msgspec.Struct, frozen=True):
    """What must never be forgotten: the current term and the vote given in ``vote_term`` (candidate's address)."""

    term: int = 0
    vote_term: int = 0
    voted_for: bytes = b""


class AppendEntriesRequest(msgspec.Struct, frozen=True):
    """Replication and heartbeat. ``entries`` None is Go's nil slice (heartbeats)."""

    term: int
    leader: bytes
    prev_log_entry: int
    prev_log_term: int
    entries: tuple[LogEntry, ...] | None
    leader_commit_index: int
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class AppendEntriesResponse(msgspec.Struct, frozen=True):
    """``last_log`` is the follower's last index, a hint where to go on; ``no_retry_backoff`` asks to retry at once."""

    term: int
    last_log: int
    success: bool
    no_retry_backoff: bool = False
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class RequestVoteRequest(msgspec.Struct, frozen=True):
    """A candidate asks for a vote. ``leadership_transfer`` overrides the rule that a known leader is kept."""

    term: int
    candidate: bytes
    last_log_index: int
    last_log_term: int
    leadership_transfer: bool = False
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class RequestVoteResponse(msgspec.Struct, frozen=True):
    """``peers`` is a legacy field, nil since version 2."""

    term: int
    granted: bool
    peers: bytes | None = None
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class PreVoteRequest(msgspec.Struct, frozen=True):
    """Would you vote for me in this term? Changes nothing at the receiver (raft 1.7)."""

    term: int
    last_log_index: int
    last_log_term: int
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class PreVoteResponse(msgspec.Struct, frozen=True):
    """Answer to a pre-vote."""

    term: int
    granted: bool
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class InstallSnapshotRequest(msgspec.Struct, frozen=True):
    """Header of a snapshot transfer; ``size`` raw bytes follow on the wire."""

    term: int
    leader: bytes
    last_log_index: int
    last_log_term: int
    peers: bytes | None
    configuration: bytes
    configuration_index: int
    size: int
    snapshot_version: int = SNAPSHOT_VERSION_MAX
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class InstallSnapshotResponse(msgspec.Struct, frozen=True):
    """Success means the state is restored and durable at the follower."""

    term: int
    success: bool
    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class TimeoutNowRequest(msgspec.Struct, frozen=True):
    """The leader asks its chosen successor to campaign at once."""

    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


class TimeoutNowResponse(msgspec.Struct, frozen=True):
    """Empty acknowledgement."""

    protocol_version: int = PROTOCOL_VERSION
    id: bytes = b""
    addr: bytes = b""


Request = AppendEntriesRequest | RequestVoteRequest | InstallSnapshotRequest | TimeoutNowRequest | PreVoteRequest
Response = AppendEntriesResponse | RequestVoteResponse | InstallSnapshotResponse | TimeoutNowResponse | PreVoteResponse
