"""A small state machine and node factory shared by the Raft tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from proconsul.engine.raft.chunking import ChunkBuffer
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.fsm import FSM
from proconsul.engine.raft.log import LogStore, SqliteLog
from proconsul.engine.raft.messages import LogEntry
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import DirectorySnapshots, SnapshotStore
from proconsul.engine.raft.transport import Transport


class Captured:
    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def persist(self) -> Iterator[bytes]:
        for line in self._lines:
            yield line + b"\n"


class LinesFSM:
    """Keeps every command; snapshots are one command per line."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.indexes: list[int] = []
        self.values: list[object] = []
        self.chunks = ChunkBuffer()

    def apply(self, index: int, term: int, entry_type: int, data: bytes, value: object | None) -> object:
        self.lines.append(data)
        self.indexes.append(index)
        self.values.append(value)
        if data == b"bad":
            return ValueError("bad command")
        return (index, data)

    def apply_chunk(self, entry: LogEntry, value: object | None) -> object:
        whole = self.chunks.add(entry.term, entry.extensions, entry.data)
        return None if whole is None else self.apply(entry.index, entry.term, 0, whole, value)

    def snapshot(self) -> Captured:
        return Captured(list(self.lines))

    def restore(self, reader: BinaryIO) -> None:
        self.lines = reader.read().splitlines()


class BatchLinesFSM(LinesFSM):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def apply_batch(self, entries: list[LogEntry], values: list[object]) -> list[object]:
        self.batches.append(len(entries))
        return [self.apply(e.index, e.term, 0, e.data, v) for e, v in zip(entries, values, strict=True)]


FAST = RaftConfig(heartbeat_timeout_s=0.1, election_timeout_s=0.1, leader_lease_timeout_s=0.1, commit_timeout_s=0.005)


def servers(*ids: str) -> Configuration:
    return Configuration.of(Server(Suffrage.VOTER, i, f"127.0.0.1:{8300 + n}") for n, i in enumerate(ids))


def make_node(
    path: Path | None = None,
    *,
    fsm: FSM | None = None,
    log: LogStore | None = None,
    snapshots: SnapshotStore | None = None,
    config: RaftConfig = FAST,
    server_id: str = "a",
    address: str = "127.0.0.1:8300",
    transport: Transport | None = None,
    notes: list[str] | None = None,
) -> RaftNode:
    if path is not None:
        log = log or SqliteLog(path)
        snapshots = snapshots or DirectorySnapshots(path / "snapshots")
    assert log is not None and snapshots is not None
    return RaftNode(
        config,
        server_id,
        address,
        log,
        snapshots,
        fsm if fsm is not None else LinesFSM(),
        transport,
        random.Random(server_id),
        note=notes.append if notes is not None else None,
    )
