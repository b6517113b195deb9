"""Byte form of the RPCs against bytes captured from Consul 1.8.7 servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.raft.chunking import ChunkBuffer, ChunkInfo, split
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.errors import WireError
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    RequestVoteRequest,
    RequestVoteResponse,
    RpcType,
    TimeoutNowRequest,
    TimeoutNowResponse,
)
from proconsul.engine.raft.wire import decode_request, decode_response, encode_request, encode_response

VECTORS: dict[str, dict[str, Any]] = {
    vector["id"]: vector for vector in json.loads((Path(__file__).parent / "testdata/vectors.json").read_text())
}
FROM_CONSUL = ["raft-req-0-1", "raft-req-0-2", "raft-req-1-1", "raft-req-2-1", "raft-heartbeat", "raft-append-config"]


def raw(vector_id: str) -> bytes:
    return bytes.fromhex(VECTORS[vector_id]["hex"])


@pytest.mark.parametrize("vector_id", FROM_CONSUL)
def test_requests_of_real_servers_reencode_to_the_same_bytes(vector_id: str) -> None:
    data = raw(vector_id)
    decoded = decode_request(data + b"\x01trailing")
    assert decoded is not None
    request, length = decoded
    assert length == len(data)
    assert encode_request(request) == data


def test_request_fields() -> None:
    heartbeat = decode_request(raw("raft-heartbeat"))
    assert heartbeat is not None
    assert heartbeat[0] == AppendEntriesRequest(2, b"127.0.0.1:21000", 0, 0, None, 0)
    vote = decode_request(raw("raft-req-1-1"))
    assert vote is not None
    assert vote[0] == RequestVoteRequest(3, b"127.0.0.1:21000", 380, 2, False)
    snapshot = decode_request(raw("raft-req-2-1"))
    assert snapshot is not None and isinstance(snapshot[0], InstallSnapshotRequest)
    assert (snapshot[0].size, snapshot[0].last_log_index, snapshot[0].configuration_index) == (415885, 605, 596)
    assert Configuration.decode(snapshot[0].configuration).quorum == 2
    assert snapshot[0].peers == Configuration.decode(snapshot[0].configuration).encode_peers()


def test_messages_of_an_earlier_python_node_mean_the_same() -> None:
    for vector_id, kind in (("raft-out-1-1", RequestVoteRequest), ("raft-out-0-1", AppendEntriesRequest)):
        decoded = decode_request(raw(vector_id))
        assert decoded is not None and isinstance(decoded[0], kind)
        again = decode_request(encode_request(decoded[0]))
        assert again is not None and again[0] == decoded[0]
    expected = {
        "raft-resp-0-1": (RpcType.APPEND_ENTRIES, AppendEntriesResponse(2, 0, False, True)),
        "raft-resp-0-2": (RpcType.APPEND_ENTRIES, AppendEntriesResponse(2, 64, True, False)),
        "raft-resp-1-1": (RpcType.REQUEST_VOTE, RequestVoteResponse(3, True)),
        "raft-resp-2-1": (RpcType.INSTALL_SNAPSHOT, InstallSnapshotResponse(6, True)),
    }
    for vector_id, (rpc, response) in expected.items():
        assert decode_response(rpc, raw(vector_id)) == (response, "", len(raw(vector_id)))


def test_configuration_bytes() -> None:
    data = raw("raft-configuration")
    configuration = Configuration.decode(data)
    assert configuration == Configuration(
        (
            Server(Suffrage.VOTER, "c86642c8-1859-9ea8-5d2d-7873529c84ac", "127.0.0.1:21000"),
            Server(Suffrage.VOTER, "99999999-2222-3333-4444-555555555555", "127.0.0.1:21300"),
        )
    )
    assert configuration.encode() == data


REQUESTS = [
    AppendEntriesRequest(
        7,
        b"127.0.0.1:1",
        5,
        6,
        (LogEntry(6, 7, 0, b"\xff\x00", b"ext", bytes(15)), LogEntry(7, 7, 1, b"")),
        4,
        id=b"a",
        addr=b"127.0.0.1:1",
    ),
    RequestVoteRequest(2**64 - 1, b"c", 1, 2, True, id=b"c", addr=b"d"),
    PreVoteRequest(3, 4, 5, id=b"c", addr=b"d"),
    InstallSnapshotRequest(3, b"l", 4, 5, None, b"conf", 6, 7, id=b"c", addr=b"d"),
    TimeoutNowRequest(id=b"c", addr=b"d"),
]
RESPONSES = [
    (RpcType.APPEND_ENTRIES, AppendEntriesResponse(1, 2, True, id=b"x", addr=b"y")),
    (RpcType.REQUEST_VOTE, RequestVoteResponse(1, False, b"p", id=b"x", addr=b"y")),
    (RpcType.INSTALL_SNAPSHOT, InstallSnapshotResponse(1, True)),
    (RpcType.TIMEOUT_NOW, TimeoutNowResponse()),
    (RpcType.REQUEST_PRE_VOTE, PreVoteResponse(9, True)),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_requests_survive_and_wait_for_all_their_bytes(request_: Any) -> None:
    data = encode_request(request_)
    assert decode_request(data) == (request_, len(data))
    for cut in range(len(data)):
        assert decode_request(data[:cut]) is None


@pytest.mark.parametrize(("kind", "response"), RESPONSES, ids=lambda r: getattr(r, "name", type(r).__name__))
def test_responses_survive_and_wait_for_all_their_bytes(kind: RpcType, response: Any) -> None:
    data = encode_response(response, "some error")
    assert decode_response(kind, data) == (response, "some error", len(data))
    for cut in range(len(data)):
        assert decode_response(kind, data[:cut]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x05\x80",
        b"\x63",
        b"\x00\x90",
        b"\x00\x81\xa4Term\xff",
        b"\x00\x81\xa4Term\xa1x",
        b"\x00\x81\xa7Entries\xa1x",
        b"\x00\x81\xa7Entries\xdd\xff\xff\xff\xff",
        b"\x00\x81\xa7Entries\x91\x81\xa4Type\xcd\x01\x00",
        b"\x01\x81\xb2LeadershipTransfer\x01",
        b"\x00\xc1",
    ],
)
def test_malformed_requests_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_request(data)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    for prefix in (b"", b"\x00", b"\x02\x81"):
        try:
            decoded = decode_request(prefix + data)
        except WireError:
            continue
        assert decoded is None or decoded[1] <= len(prefix + data)


def test_chunk_extensions_match_those_of_a_real_server() -> None:
    for vector_id, sequence in (("raft-chunk-ext-0", 0), ("raft-chunk-ext-1", 1)):
        info = ChunkInfo.decode(raw(vector_id))
        assert (info.sequence_num, info.num_chunks) == (sequence, 2)
        assert info.encode() == raw(vector_id)


@given(st.integers(0, 2**64 - 1), st.integers(1, 3_000_000))
def test_chunks_join_again_in_any_order(op_num: int, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    parts = list(split(data, op_num))
    assert all(len(part) <= 524288 for part, _ in parts)
    buffer = ChunkBuffer()
    results = [buffer.add(3, extensions, part) for part, extensions in reversed(parts)]
    assert results[-1] == data and all(result is None for result in results[:-1])
    assert not buffer.chunks


def test_unfinished_chunks_are_dropped_when_the_term_changes() -> None:
    (first, first_ext), (second, second_ext) = split(bytes(600_000), 9)
    buffer = ChunkBuffer()
    assert buffer.add(1, first_ext, first) is None
    assert buffer.add(2, second_ext, second) is None
    assert list(buffer.chunks[9]) == [1]
    for bad in (b"\x08", b"\x0d", b"\x18\x00", ChunkInfo(1, 5, 5).encode(), b"\x22\x05abc", b"\xff" * 11):
        with pytest.raises(WireError):
            buffer.add(2, bad, b"")
