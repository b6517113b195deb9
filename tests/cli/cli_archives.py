"""Snapshot archives, sound and broken, for the tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

# A state's header, and no records.
STATE = b"\x81\xa9LastIndex\x09"
META = json.dumps({"Version": 1, "ID": "2-9-1", "Index": 9, "Term": 2, "Size": len(STATE)}).encode()


def sums(files: dict[str, bytes]) -> bytes:
    """Return the content of SHA256SUMS."""
    return b"".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode() for name, data in files.items())


def pack(files: dict[str, bytes]) -> bytes:
    """Return the gzipped tar of the files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    # Python fills the tar up to whole records; the reference wants it to end after two empty blocks.
    blocks = sum(512 + -(-len(data) // 512) * 512 for data in files.values())
    return gzip.compress(buffer.getvalue()[: blocks + 1024])


def write_all(folder: Path) -> None:
    """Write every archive the cases mention."""
    folder.mkdir(exist_ok=True)
    both = {"meta.json": META, "state.bin": STATE}
    good = {**both, "SHA256SUMS": sums(both)}
    bad_meta = {"meta.json": b"{bad", "state.bin": STATE}
    only_meta, only_state = {"meta.json": META}, {"state.bin": STATE}
    archives = {
        "s.snap": pack(good),
        "empty": b"",
        "trunc": pack({**good, "state.bin": STATE * 100_000})[:200],
        "t5": pack(good)[:5],
        "badsum": pack({**good, "state.bin": STATE + b"x"}),
        "nosum": pack(both),
        "nostate": pack({"meta.json": META, "SHA256SUMS": sums(both)}),
        "extra": pack({**good, "foo": b"x"}),
        "badmeta": pack({**bad_meta, "SHA256SUMS": sums(bad_meta)}),
        "badline": pack({**good, "SHA256SUMS": b"zzz\n"}),
        "unk": pack({**good, "SHA256SUMS": sums(both) + b"aa  foo\n"}),
        "nostate2": pack({**only_meta, "SHA256SUMS": sums(only_meta)}),
        "nometa2": pack({**only_state, "SHA256SUMS": sums(only_state)}),
        "plain": gzip.compress(b"hello world"),
        "emptygz": gzip.compress(b""),
    }
    for name, data in archives.items():
        (folder / name).write_bytes(data)
