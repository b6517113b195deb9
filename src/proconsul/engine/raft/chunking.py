"""Commands larger than one log entry should be, split in the format of go-raft-chunking.

Each chunk is a command entry with at most 512 KiB of data and Extensions = protobuf {1 operation number (random),
2 sequence number, 3 number of chunks, 4 next extensions}; fields that are zero are left out. The whole takes effect at
the index of the last chunk. Only the first chunk begins with the command's type byte.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from proconsul.engine.raft.errors import WireError

__all__ = ["CHUNK_BYTES_MAX", "ChunkBuffer", "ChunkInfo", "split"]

# raft's SuggestedMaxDataSize: larger entries stall replication and heartbeats.
CHUNK_BYTES_MAX = 512 * 1024
# A transaction body is at most some megabytes; 4096 chunks are 2 GiB. Larger numbers are damage.
CHUNKS_MAX = 4096
_MASK64 = 0xFFFFFFFFFFFFFFFF


class ChunkInfo(msgspec.Struct, frozen=True):
    """Which part of which operation an entry is."""

    op_num: int = 0
    sequence_num: int = 0
    num_chunks: int = 0
    next_extensions: bytes = b""

    def encode(self) -> bytes:
        """The protobuf bytes."""
        out = bytearray()
        for field, value in ((1, self.op_num), (2, self.sequence_num), (3, self.num_chunks)):
            if value:
                out.append(field << 3)
                out += _varint(value)
        if self.next_extensions:
            out.append(4 << 3 | 2)
            out += _varint(len(self.next_extensions))
            out += self.next_extensions
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> ChunkInfo:
        """Read the protobuf; WireError if it is none. Unknown fields are skipped."""
        values: dict[int, int] = {}
        following = b""
        position = 0
        while position < len(data):
            key, position = _read_varint(data, position)
            field, kind = key >> 3, key & 7
            if kind == 0:
                values[field], position = _read_varint(data, position)
            elif kind == 2:
                length, position = _read_varint(data, position)
                if position + length > len(data):
                    raise WireError("chunk information is cut short")
                if field == 4:
                    following = data[position : position + length]
                position += length
            else:
                raise WireError(f"chunk information has wire type {kind}")
        return cls(values.get(1, 0), values.get(2, 0), values.get(3, 0), following)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise WireError("chunk information is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK64, position
        shift += 7


def split(data: bytes, op_num: int) -> Iterator[tuple[bytes, bytes]]:
    """(data, extensions) of each entry for a large command. ``op_num``: a random 64-bit number."""
    count = -(-len(data) // CHUNK_BYTES_MAX)
    for number in range(count):
        part = data[number * CHUNK_BYTES_MAX : (number + 1) * CHUNK_BYTES_MAX]
        yield part, ChunkInfo(op_num, number, count).encode()


class ChunkBuffer:
    """Chunks waiting for the rest of their operation. Part of the state machine, so it goes into snapshots.

    ``chunks`` maps op number to {sequence number: (data, number of chunks)}; ``term`` is the term they belong to. When
    the term changes, unfinished operations are dropped: their proposer has lost leadership.
    """

    def __init__(self) -> None:
        self.term = 0
        self.chunks: dict[int, dict[int, tuple[bytes, int]]] = {}

    def add(self, term: int, extensions: bytes, data: bytes) -> bytes | None:
        """Take one chunk; the whole command if it was the last missing one."""
        info = ChunkInfo.decode(extensions)
        if not 0 < info.num_chunks <= CHUNKS_MAX or info.sequence_num >= info.num_chunks:
            raise WireError(f"chunk {info.sequence_num} of {info.num_chunks} is not possible")
        if term != self.term:
            self.chunks.clear()
            self.term = term
        parts = self.chunks.setdefault(info.op_num, {})
        parts[info.sequence_num] = (data, info.num_chunks)
        if len(parts) < info.num_chunks:
            return None
        del self.chunks[info.op_num]
        return b"".join(parts[number][0] for number in range(info.num_chunks))
