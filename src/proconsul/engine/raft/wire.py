"""Byte form of the Raft RPCs: one type byte and a msgpack struct; answers are an error string and a struct.

The msgpack dialect is the old specification: text and bytes are both raw, struct keys are sorted by byte value.
Decoders follow Go's: nil and missing fields are zero, unknown fields are skipped, sizes are checked before use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from proconsul.engine.raft.errors import WireError
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    Request,
    RequestVoteRequest,
    RequestVoteResponse,
    Response,
    RpcType,
    TimeoutNowRequest,
    TimeoutNowResponse,
)

__all__ = ["MESSAGE_BYTES_MAX", "RPC_TYPES", "decode_request", "decode_response", "encode_request", "encode_response"]

# 64 entries of 512 KiB chunks and some; a peer sending more is broken or hostile.
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
# Entries in one AppendEntries: 64 by default, configurable in later Consul; far above any sensible setting.
ENTRIES_MAX = 8192
# Fields of one struct: the largest has 12; newer servers may add some.
FIELDS_MAX = 64
_U64 = 1 << 64

Fields = dict[str, object]

RPC_TYPES: Mapping[type, RpcType] = {
    AppendEntriesRequest: RpcType.APPEND_ENTRIES,
    RequestVoteRequest: RpcType.REQUEST_VOTE,
    InstallSnapshotRequest: RpcType.INSTALL_SNAPSHOT,
    TimeoutNowRequest: RpcType.TIMEOUT_NOW,
    PreVoteRequest: RpcType.REQUEST_PRE_VOTE,
}


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=False, unicode_errors="surrogateescape")
    return packed


def _struct(message: Any, fields: Fields) -> Fields:
    """Add the header and sort. Empty ID and Addr are left out, as raft before 1.3.7 does."""
    fields["ProtocolVersion"] = message.protocol_version
    if message.id:
        fields["ID"] = message.id
    if message.addr:
        fields["Addr"] = message.addr
    return dict(sorted(fields.items()))


def _log(entry: LogEntry) -> Fields:
    fields: Fields = {} if entry.appended_at is None else {"AppendedAt": entry.appended_at}
    fields["Data"] = entry.data or None
    fields["Extensions"] = entry.extensions or None
    fields["Index"] = entry.index
    fields["Term"] = entry.term
    fields["Type"] = entry.type
    return fields


def _request_fields(message: Request) -> Fields:
    if isinstance(message, AppendEntriesRequest):
        return {
            "Entries": None if message.entries is None else [_log(entry) for entry in message.entries],
            "Leader": message.leader,
            "LeaderCommitIndex": message.leader_commit_index,
            "PrevLogEntry": message.prev_log_entry,
            "PrevLogTerm": message.prev_log_term,
            "Term": message.term,
        }
    if isinstance(message, RequestVoteRequest):
        return {
            "Candidate": message.candidate,
            "LastLogIndex": message.last_log_index,
            "LastLogTerm": message.last_log_term,
            "LeadershipTransfer": message.leadership_transfer,
            "Term": message.term,
        }
    if isinstance(message, PreVoteRequest):
        return {"LastLogIndex": message.last_log_index, "LastLogTerm": message.last_log_term, "Term": message.term}
    if isinstance(message, InstallSnapshotRequest):
        return {
            "Configuration": message.configuration,
            "ConfigurationIndex": message.configuration_index,
            "LastLogIndex": message.last_log_index,
            "LastLogTerm": message.last_log_term,
            "Leader": message.leader,
            "Peers": message.peers,
            "Size": message.size,
            "SnapshotVersion": message.snapshot_version,
            "Term": message.term,
        }
    return {}


def _response_fields(message: Response) -> Fields:
    if isinstance(message, AppendEntriesResponse):
        return {
            "LastLog": message.last_log,
            "NoRetryBackoff": message.no_retry_backoff,
            "Success": message.success,
            "Term": message.term,
        }
    if isinstance(message, RequestVoteResponse):
        return {"Granted": message.granted, "Peers": message.peers, "Term": message.term}
    if isinstance(message, PreVoteResponse):
        return {"Granted": message.granted, "Term": message.term}
    if isinstance(message, InstallSnapshotResponse):
        return {"Success": message.success, "Term": message.term}
    return {}


def encode_request(message: Request) -> bytes:
    """Type byte and struct. For InstallSnapshot the ``size`` raw bytes must follow."""
    return bytes((RPC_TYPES[type(message)],)) + _pack(_struct(message, _request_fields(message)))


def encode_response(message: Response, error: str = "") -> bytes:
    """Error string and struct."""
    return _pack(error) + _pack(_struct(message, _response_fields(message)))


class _Reader:
    """Typed access to a decoded struct, with Go's zero values. Names are bytes, as everything raw."""

    __slots__ = ("_fields",)

    def __init__(self, value: object) -> None:
        if type(value) is not dict:
            raise WireError("failed to decode rpc: struct expected")
        self._fields = value

    def uint(self, name: bytes) -> int:
        value = self._fields.get(name)
        if value is None:
            return 0
        if type(value) is not int or not 0 <= value < _U64:
            raise WireError(f"failed to decode rpc: {name.decode()} is not an unsigned integer")
        return value

    def flag(self, name: bytes) -> bool:
        value = self._fields.get(name)
        if value is None:
            return False
        if type(value) is not bool:
            raise WireError(f"failed to decode rpc: {name.decode()} is not a boolean")
        return value

    def maybe_raw(self, name: bytes) -> bytes | None:
        value = self._fields.get(name)
        if value is None or type(value) is bytes:
            return value
        raise WireError(f"failed to decode rpc: {name.decode()} is not bytes")

    def raw(self, name: bytes) -> bytes:
        return self.maybe_raw(name) or b""

    def entries(self) -> tuple[LogEntry, ...] | None:
        value = self._fields.get(b"Entries")
        if value is None:
            return None
        if type(value) is not list or len(value) > ENTRIES_MAX:
            raise WireError("failed to decode rpc: bad Entries")
        return tuple([_read_log(_Reader(item)) for item in value])

    def header(self) -> dict[str, Any]:
        return {"protocol_version": self.uint(b"ProtocolVersion"), "id": self.raw(b"ID"), "addr": self.raw(b"Addr")}


def _read_log(reader: _Reader) -> LogEntry:
    kind = reader.uint(b"Type")
    if kind > 255:
        raise WireError("failed to decode rpc: entry type does not fit a byte")
    return LogEntry(
        reader.uint(b"Index"),
        reader.uint(b"Term"),
        kind,
        reader.raw(b"Data"),
        reader.raw(b"Extensions"),
        reader.maybe_raw(b"AppendedAt"),
    )


def _append_request(r: _Reader) -> Request:
    return AppendEntriesRequest(
        r.uint(b"Term"),
        r.raw(b"Leader"),
        r.uint(b"PrevLogEntry"),
        r.uint(b"PrevLogTerm"),
        r.entries(),
        r.uint(b"LeaderCommitIndex"),
        **r.header(),
    )


def _vote_request(r: _Reader) -> Request:
    return RequestVoteRequest(
        r.uint(b"Term"),
        r.raw(b"Candidate"),
        r.uint(b"LastLogIndex"),
        r.uint(b"LastLogTerm"),
        r.flag(b"LeadershipTransfer"),
        **r.header(),
    )


def _snapshot_request(r: _Reader) -> Request:
    return InstallSnapshotRequest(
        r.uint(b"Term"),
        r.raw(b"Leader"),
        r.uint(b"LastLogIndex"),
        r.uint(b"LastLogTerm"),
        r.maybe_raw(b"Peers"),
        r.raw(b"Configuration"),
        r.uint(b"ConfigurationIndex"),
        r.uint(b"Size"),
        r.uint(b"SnapshotVersion"),
        **r.header(),
    )


_REQUESTS: Mapping[RpcType, Callable[[_Reader], Request]] = {
    RpcType.APPEND_ENTRIES: _append_request,
    RpcType.REQUEST_VOTE: _vote_request,
    RpcType.INSTALL_SNAPSHOT: _snapshot_request,
    RpcType.TIMEOUT_NOW: lambda r: TimeoutNowRequest(**r.header()),
    RpcType.REQUEST_PRE_VOTE: lambda r: PreVoteRequest(
        r.uint(b"Term"), r.uint(b"LastLogIndex"), r.uint(b"LastLogTerm"), **r.header()
    ),
}

_RESPONSES: Mapping[RpcType, Callable[[_Reader], Response]] = {
    RpcType.APPEND_ENTRIES: lambda r: AppendEntriesResponse(
        r.uint(b"Term"), r.uint(b"LastLog"), r.flag(b"Success"), r.flag(b"NoRetryBackoff"), **r.header()
    ),
    RpcType.REQUEST_VOTE: lambda r: RequestVoteResponse(
        r.uint(b"Term"), r.flag(b"Granted"), r.maybe_raw(b"Peers"), **r.header()
    ),
    RpcType.INSTALL_SNAPSHOT: lambda r: InstallSnapshotResponse(r.uint(b"Term"), r.flag(b"Success"), **r.header()),
    RpcType.TIMEOUT_NOW: lambda r: TimeoutNowResponse(**r.header()),
    RpcType.REQUEST_PRE_VOTE: lambda r: PreVoteResponse(r.uint(b"Term"), r.flag(b"Granted"), **r.header()),
}


def _objects(data: bytes | memoryview, count: int) -> tuple[list[object], int] | None:
    """The first ``count`` msgpack objects and the bytes they took; None if more bytes are needed."""
    unpacker = msgpack.Unpacker(
        raw=True,
        strict_map_key=False,
        max_buffer_size=MESSAGE_BYTES_MAX,
        max_array_len=ENTRIES_MAX,
        max_map_len=FIELDS_MAX,
    )
    try:
        unpacker.feed(data)
        found = [unpacker.unpack() for _ in range(count)]
    except msgpack.OutOfData:
        if len(data) >= MESSAGE_BYTES_MAX:
            raise WireError("failed to decode rpc: message too large") from None
        return None
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise WireError(f"failed to decode rpc: {error}") from error
    return found, unpacker.tell()


def decode_request(data: bytes | memoryview) -> tuple[Request, int] | None:
    """The request at the start of ``data`` and its length; None if incomplete; WireError if it is none."""
    found = _objects(data, 2)
    if found is None:
        if data and data[0] >= len(RpcType):
            raise WireError(f"unknown rpc type {data[0]}")
        return None
    (kind, value), length = found
    if not isinstance(kind, int) or kind not in RpcType._value2member_map_:
        raise WireError(f"unknown rpc type {kind!r}")
    return _REQUESTS[RpcType(kind)](_Reader(value)), length


def decode_response(kind: RpcType, data: bytes | memoryview) -> tuple[Response, str, int] | None:
    """The response to a request of this kind, its error string and its length; None if incomplete."""
    found = _objects(data, 2)
    if found is None:
        return None
    (error, value), length = found
    if not isinstance(error, bytes | None):
        raise WireError("failed to decode rpc: error string expected")
    return _RESPONSES[kind](_Reader(value)), (error or b"").decode("utf-8", "replace"), length
