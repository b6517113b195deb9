"""States that take seconds to load, written straight into a data directory or an archive."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from random import Random

from proconsul.engine.raft.archive import write_archive
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.events import PersistState, ResetLog
from proconsul.engine.raft.log import SqliteLog
from proconsul.engine.raft.snapshots import DirectorySnapshots, SnapshotMeta, write_chunks
from proconsul.engine.wire import msgpack
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.server.fsm import SnapshotHeader

INDEX, TERM = 10_000_000, 3


def stream(keys: int, value_bytes: int = 20, seed: int = 1) -> Iterator[bytes]:
    """A snapshot of so many keys ``big/<number>`` with random values."""
    rng = Random(seed)
    yield msgpack.encode(SnapshotHeader(INDEX))
    kind = bytes((MessageType.KVS,))
    for number in range(keys):
        entry = DirEntry(
            Key=f"big/{number:07}", Value=rng.randbytes(value_bytes), CreateIndex=number + 1, ModifyIndex=number + 1
        )
        yield kind + msgpack.encode(entry)


def write_data(data_dir: Path, node_id: str, address: str, keys: int) -> None:
    """The data directory of a server that is alone and has stopped with so many keys."""
    (data_dir / "raft").mkdir(parents=True)
    (data_dir / "node-id").write_text(node_id)
    configuration = Configuration((Server(Suffrage.VOTER, node_id, address),))
    sink = DirectorySnapshots(data_dir / "raft" / "snapshots").create(INDEX, TERM, configuration, 1)
    write_chunks(sink, stream(keys))
    sink.commit()
    log = SqliteLog(data_dir / "raft")
    log.write((ResetLog(0, INDEX, TERM), PersistState(0, TERM, TERM, address.encode())))
    log.close()


def archive(keys: int, value_bytes: int = 20, seed: int = 1) -> bytes:
    """The same as `snapshot save` gives it."""
    state = b"".join(stream(keys, value_bytes, seed))
    meta = SnapshotMeta(f"{TERM}-{INDEX}-1", INDEX, TERM, size=len(state))
    out = io.BytesIO()
    write_archive(out, meta.to_json(), io.BytesIO(state), len(state), 0)
    return out.getvalue()
