"""Commands and snapshot records as bytes that can be compared: Go writes the keys of free maps in random order."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter

from proconsul.features.messages import MessageType

# Records of which the original writes the first row only, over and over.
DEFECTIVE = frozenset({MessageType.ACL_AUTH_METHOD_SET})
Records = Counter[tuple[int, bytes]]


def canonical(data: bytes, *, nested: int = 0) -> bytes:
    """One msgpack object with the entries of every map sorted by key, and nothing else changed.

    ``nested``: how many layers of raw strings hold msgpack themselves.
    """
    value, rest = _object(data, nested)
    assert not rest, "more than one object"
    return value


def canonical_record(kind: int, data: bytes) -> bytes:
    """A command's value or a record; config entries are raw strings in which a raw string may be."""
    return canonical(data, nested=2 if kind == MessageType.CONFIG_ENTRY else 0)


def parse_snapshot(stream: bytes) -> tuple[bytes, Records]:
    """The header and the multiset of records of a state.bin."""
    header, rest = _object(stream, 0)
    records: Records = Counter()
    while rest:
        kind, rest = rest[0], rest[1:]
        whole = rest
        _, rest = _object(rest, 0)
        records[kind, canonical_record(kind, whole[: len(whole) - len(rest)])] += 1
    return header, records


def without_defects(records: Records) -> Records:
    """Leaves out what the original is known to write wrongly."""
    return Counter({key: count for key, count in records.items() if key[0] not in DEFECTIVE})


def _object(data: bytes, nested: int) -> tuple[bytes, bytes]:
    """One object in canonical form, and what follows it."""
    tag = data[0]
    if tag >> 4 == 0x8 or tag in (0xDE, 0xDF):
        count, head = _length(data, 0x0F, {0xDE: 2, 0xDF: 4})
        return _map(data[:head], data[head:], count, nested)
    if tag >> 4 == 0x9 or tag in (0xDC, 0xDD):
        count, head = _length(data, 0x0F, {0xDC: 2, 0xDD: 4})
        out, rest = data[:head], data[head:]
        for _ in range(count):
            item, rest = _object(rest, nested)
            out += item
        return out, rest
    if tag >> 5 == 0b101 or tag in (0xDA, 0xDB, 0xC4, 0xC5, 0xC6):
        size, head = _length(data, 0x1F, {0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4})
        return data[:head] + _raw(data[head : head + size], nested), data[head + size :]
    sizes = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
    end = 1 + sizes.get(tag, 0)
    return data[:end], data[end:]


def _length(data: bytes, mask: int, sizes: dict[int, int]) -> tuple[int, int]:
    size = sizes.get(data[0])
    return (data[0] & mask, 1) if size is None else (int.from_bytes(data[1 : 1 + size], "big"), 1 + size)


def _map(head: bytes, rest: bytes, count: int, nested: int) -> tuple[bytes, bytes]:
    entries = []
    for _ in range(count):
        key, rest = _object(rest, 0)
        value, rest = _object(rest, nested if key in (b"\xa5Entry", b"\xa0") else 0)
        entries.append(key + value)
    return head + b"".join(sorted(entries)), rest


def _raw(content: bytes, nested: int) -> bytes:
    """A raw string's content; the objects in it, when it holds some."""
    out = b""
    while nested and content:
        item, content = _object(content, nested - 1)
        out += item
    return out + content


def read_archive(data: bytes) -> dict[str, bytes]:
    """The members of a snapshot archive."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {name: file.read() for name in archive.getnames() if (file := archive.extractfile(name)) is not None}


def write_archive(meta: bytes, state: bytes) -> bytes:
    """An archive of ``state``; Consul refuses more than one block of padding at the end of the tar."""
    changed = json.loads(meta) | {"Size": len(state)}
    files = {"meta.json": json.dumps(changed, separators=(",", ":")).encode() + b"\n", "state.bin": state}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    tar = b""
    for name, content in {**files, "SHA256SUMS": sums.encode()}.items():
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        tar += member.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)
    return gzip.compress(tar + bytes(1024))
