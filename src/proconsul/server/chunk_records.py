"""The snapshot record of commands of which only some chunks have come (Raft reference, snapshots).

``{ChunkMap: {operation number: chunks in order}}``, where nil stands for a chunk that has not come yet.
"""

from __future__ import annotations

from typing import Any

from proconsul.engine.raft.chunking import CHUNKS_MAX, ChunkBuffer
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import Record, UInt, UInt64


class Chunk(Record, frozen=True):
    """One chunk that waits for the rest of its operation."""

    OpNum: UInt64 = 0
    SequenceNum: UInt = 0
    NumChunks: UInt = 0
    Term: UInt64 = 0
    Data: bytes | None = None


def chunks_to_record(buffer: ChunkBuffer) -> dict[str, Any]:
    """The plain msgpack value of the record."""
    operations: dict[int, list[Chunk | None]] = {}
    for op_num, parts in buffer.chunks.items():
        count = next(iter(parts.values()))[1]
        operations[op_num] = [
            Chunk(op_num, number, count, buffer.term, parts[number][0]) if number in parts else None
            for number in range(count)
        ]
    return {"ChunkMap": operations}


def chunks_from_record(value: Any, buffer: ChunkBuffer) -> None:
    """Fill an empty buffer. Raises DecodeError when the record cannot be."""
    operations = value.get("ChunkMap") if isinstance(value, dict) else None
    read = msgpack.decoder_for(list[Chunk | None])
    for op_num, plain in (operations or {}).items():
        chunks = read(plain)
        if len(chunks) > CHUNKS_MAX:
            raise msgpack.DecodeError(f"{len(chunks)} chunks in one operation, limit is {CHUNKS_MAX}")
        parts = {}
        for number, chunk in enumerate(chunks):
            if chunk is not None:
                parts[number] = (chunk.Data or b"", len(chunks))
                buffer.term = chunk.Term
        if parts:
            buffer.chunks[op_num] = parts
