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
    """Typed access to a decoded struct, with Go's zero values."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise WireError("failed to decode rpc: struct expected")
        self._fields = value

    def uint(self, name: str) -> int:
        value = self._fields.get(name)
        if value is None:
            return 0
        if type(value) is not int or not 0 <= value < _U64:
            raise WireError(f"failed to decode rpc: {name} is not an unsigned integer")
        return value

    def flag(self, name: str) -> bool:
        value = self._fields.get(name)
        if value is None:
            return False
        if type(value) is not bool:
            raise WireError(f"failed to decode rpc: {name} is not a boolean")
        return value

    def maybe_raw(self, name: str) -> bytes | None:
        value = self._fields.get(name)
        if value is None or isinstance(value, bytes):
            return value
        raise WireError(f"failed to decode rpc: {name} is not bytes")

    def raw(self, name: str) -> bytes:
        return self.maybe_raw(name) or b""

    def entries(self) -> tuple[LogEntry, ...] | None:
        value = self._fields.get("Entries")
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > ENTRIES_MAX:
            raise WireError("failed to decode rpc: bad Entries")
        return tuple(_read_log(_Reader(item)) for item in value)

    def header(self) -> dict[str, Any]:
        return {"protocol_version": self.uint("ProtocolVersion"), "id": self.raw("ID"), "addr": self.raw("Addr")}


def _read_log(reader: _Reader) -> LogEntry:
    kind = reader.uint("Type")
    if kind > 255:
        raise WireError("failed to decode rpc: entry type does not fit a byte")
    return LogEntry(
        reader.uint("Index"),
        reader.uint("Term"),
        kind,
        reader.raw("Data"),
        reader.raw("Extensions"),
        reader.maybe_raw("AppendedAt"),
    )


def _text_keys(value: object) -> object:
    # Raw values stay bytes (no field of Raft's RPCs is text); only the names become text.
    if isinstance(value, dict):
        return {
            key.decode("utf-8", "replace") if isinstance(key, bytes) else key: _text_keys(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value


def _append_request(r: _Reader) -> Request:
    return AppendEntriesRequest(
        r.uint("Term"),
        r.raw("Leader"),
        r.uint("PrevLogEntry"),
        r.uint("PrevLogTerm"),
        r.entries(),
        r.uint("LeaderCommitIndex"),
        **r.header(),
    )


def _vote_request(r: _Reader) -> Request:
    return RequestVoteRequest(
        r.uint("Term"),
        r.raw("Candidate"),
        r.uint("LastLogIndex"),
        r.uint("LastLogTerm"),
        r.flag("LeadershipTransfer"),
        **r.header(),
    )


def _snapshot_request(r: _Reader) -> Request:
    return InstallSnapshotRequest(
        r.uint("Term"),
        r.raw("Leader"),
        r.uint("LastLogIndex"),
        r.uint("LastLogTerm"),
        r.maybe_raw("Peers"),
        r.raw("Configuration"),
        r.uint("ConfigurationIndex"),
        r.uint("Size"),
        r.uint("SnapshotVersion"),
        **r.header(),
    )


_REQUESTS: Mapping[RpcType, Callable[[_Reader], Request]] = {
    RpcType.APPEND_ENTRIES: _append_request,
    RpcType.REQUEST_VOTE: _vote_request,
    RpcType.INSTALL_SNAPSHOT: _snapshot_request,
    RpcType.TIMEOUT_NOW: lambda r: TimeoutNowRequest(**r.header()),
    RpcType.REQUEST_PRE_VOTE: lambda r: PreVoteRequest(
        r.uint("Term"), r.uint("LastLogIndex"), r.uint("LastLogTerm"), **r.header()
    ),
}

_RESPONSES: Mapping[RpcType, Callable[[_Reader], Response]] = {
    RpcType.APPEND_ENTRIES: lambda r: AppendEntriesResponse(
        r.uint("Term"), r.uint("LastLog"), r.flag("Success"), r.flag("NoRetryBackoff"), **r.header()
    ),
    RpcType.REQUEST_VOTE: lambda r: RequestVoteResponse(
        r.uint("Term"), r.flag("Granted"), r.maybe_raw("Peers"), **r.header()
    ),
    RpcType.INSTALL_SNAPSHOT: lambda r: InstallSnapshotResponse(r.uint("Term"), r.flag("Success"), **r.header()),
    RpcType.TIMEOUT_NOW: lambda r: TimeoutNowResponse(**r.header()),
    RpcType.REQUEST_PRE_VOTE: lambda r: PreVoteResponse(r.uint("Term"), r.flag("Granted"), **r.header()),
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
        found = [_text_keys(unpacker.unpack()) for _ in range(count)]
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
