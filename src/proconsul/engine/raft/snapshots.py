"""Snapshots of the state machine, in Consul's directory layout.

``<directory>/<term>-<index>-<unix ms>/{meta.json,state.bin}``. A snapshot is written to a name ending in ``.tmp``,
every file and the directory are fsynced, then it is renamed: a name without ``.tmp`` is always whole. Consul reads
these directories and we read Consul's.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from proconsul.engine.durable import sync_directory, sync_file
from proconsul.engine.raft.configuration import EMPTY, Configuration
from proconsul.engine.raft.crc64 import Crc64
from proconsul.engine.raft.errors import RaftError, SnapshotCorruptError, StorageError
from proconsul.engine.raft.private import DIRECTORY_MODE, make_private, opener
from proconsul.engine.wire import plainjson

__all__ = ["DirectorySnapshots", "MemorySnapshots", "SnapshotMeta", "SnapshotSink", "SnapshotStore"]

# Piece size for reading and writing: large enough for the disk, small enough to give way to the event loop between.
CHUNK_BYTES = 256 * 1024
# meta.json holds one configuration; anything larger is damaged.
META_BYTES_MAX = 1024 * 1024


class SnapshotMeta(msgspec.Struct, frozen=True):
    """What a snapshot holds. ``size`` is the length of state.bin, ``crc`` its CRC-64/ECMA once known."""

    id: str
    index: int
    term: int
    configuration: Configuration = EMPTY
    configuration_index: int = 0
    size: int = 0
    crc: bytes = b""
    version: int = 1

    @property
    def taken_at_s(self) -> float:
        """When it was taken or received, in seconds since the epoch; its id says so. 0 when it does not."""
        milliseconds = self.id.rpartition("-")[2]
        return int(milliseconds) / 1000 if milliseconds.isdigit() and milliseconds.isascii() else 0.0

    def to_json(self) -> bytes:
        """One line, with Consul's names; without a checksum that is not known, as in archives."""
        value: dict[str, object] = {
            "Version": self.version,
            "ID": self.id,
            "Index": self.index,
            "Term": self.term,
            "Peers": base64.b64encode(self.configuration.encode_peers()).decode(),
            "Configuration": {
                "Servers": [
                    {"Suffrage": int(s.suffrage), "ID": s.id, "Address": s.address} for s in self.configuration.servers
                ]
            },
            "ConfigurationIndex": self.configuration_index,
            "Size": self.size,
        }
        if self.crc:
            value["CRC"] = base64.b64encode(self.crc).decode()
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> SnapshotMeta:
        """Read meta.json; SnapshotCorruptError if it is not one."""
        try:
            value = plainjson.loads(data)
            return cls(
                str(value["ID"]),
                int(value["Index"]),
                int(value["Term"]),
                Configuration.from_wire(value.get("Configuration")),
                int(value.get("ConfigurationIndex", 0)),
                int(value["Size"]),
                base64.b64decode(value.get("CRC") or b""),
                int(value.get("Version", 0)),
            )
        except (ValueError, KeyError, TypeError, RaftError) as error:
            raise SnapshotCorruptError(f"failed to read snapshot metadata: {error}") from error


class SnapshotSink(Protocol):
    """A snapshot being written. ``write`` and ``finish`` may run on any one thread; ``commit`` is quick."""

    def write(self, data: bytes) -> None:
        """Add bytes of state.bin."""
        ...

    def finish(self) -> None:
        """All bytes are written: make them durable, still under the temporary name."""
        ...

    def place(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> None:
        """Between ``finish`` and ``commit``: say anew what it is a snapshot of. Quick."""
        ...

    def commit(self) -> SnapshotMeta:
        """Give the finished snapshot its name, durably. What it makes superfluous is for `SnapshotStore.reap`."""
        ...

    def cancel(self) -> None:
        """Throw it away; safe after anything."""
        ...


class SnapshotStore(Protocol):
    """Where snapshots are kept."""

    def create(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> SnapshotSink:
        """Start writing a snapshot."""
        ...

    def list(self) -> list[SnapshotMeta]:
        """Whole snapshots, newest first."""
        ...

    def open(self, meta: SnapshotMeta) -> BinaryIO:
        """Read state.bin; SnapshotCorruptError if its checksum is wrong."""
        ...

    def reap(self) -> None:
        """Drop the oldest beyond the retained number; to remove a large file takes its time."""
        ...


class DirectorySnapshots:
    """Snapshots as directories, shared format with Consul."""

    def __init__(
        self,
        directory: Path,
        *,
        retain: int = 2,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] | None = None,
    ) -> None:
        assert retain >= 1
        self.directory = directory
        self._retain = retain
        self._clock = clock
        self._log = log or (lambda text: None)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for path in directory.iterdir():
                if path.name.endswith(".tmp"):
                    # Left by a crash; never had a name, so nobody depends on it.
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    make_private(path)
        except OSError as error:
            raise StorageError(f"cannot open snapshots in {directory}: {error}") from error

    def create(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> DirectorySink:
        """Start writing a snapshot."""
        return DirectorySink(self, self.meta(index, term, configuration, configuration_index))

    def meta(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> SnapshotMeta:
        """What a snapshot taken now says about itself."""
        snapshot_id = f"{term}-{index}-{int(self._clock() * 1000)}"
        return SnapshotMeta(snapshot_id, index, term, configuration, configuration_index)

    def list(self) -> list[SnapshotMeta]:
        """Whole snapshots, newest first. One whose metadata cannot be read is skipped, with a sentence in the log."""
        found: list[SnapshotMeta] = []
        try:
            paths = [path for path in self.directory.iterdir() if path.is_dir() and not path.name.endswith(".tmp")]
        except OSError as error:
            raise StorageError(f"cannot list snapshots in {self.directory}: {error}") from error
        for path in paths:
            try:
                with open(path / "meta.json", "rb") as file:
                    meta = SnapshotMeta.from_json(file.read(META_BYTES_MAX))
                if meta.id != path.name:
                    raise SnapshotCorruptError(f"metadata names another snapshot: {meta.id}")
                found.append(meta)
            except (OSError, SnapshotCorruptError) as error:
                self._log(f"skipping snapshot {path.name}: {error}")
        return sorted(found, key=lambda meta: (meta.term, meta.index, meta.id), reverse=True)

    def open(self, meta: SnapshotMeta) -> BinaryIO:
        """Read state.bin; SnapshotCorruptError if its length or checksum is wrong."""
        path = self.directory / meta.id / "state.bin"
        try:
            file = open(path, "rb")  # noqa: SIM115 - handed to the caller
        except OSError as error:
            raise SnapshotCorruptError(f"cannot open snapshot {meta.id}: {error}") from error
        try:
            crc = Crc64()
            size = 0
            while chunk := file.read(CHUNK_BYTES):
                crc.update(chunk)
                size += len(chunk)
            if size != meta.size or crc.digest() != meta.crc:
                raise SnapshotCorruptError(f"CRC checksum failed for snapshot {meta.id}")
            file.seek(0)
        except BaseException as error:
            file.close()
            if isinstance(error, OSError):
                raise SnapshotCorruptError(f"cannot read snapshot {meta.id}: {error}") from error
            raise
        return file

    def reap(self) -> None:
        """Keep only the newest ones."""
        for meta in self.list()[self._retain :]:
            shutil.rmtree(self.directory / meta.id, ignore_errors=True)


class DirectorySink:
    """One snapshot on its way to disk."""

    def __init__(self, store: DirectorySnapshots, meta: SnapshotMeta) -> None:
        self._store = store
        self._meta = meta
        self._crc = Crc64()
        self._size = 0
        self._path = store.directory / f"{meta.id}.tmp"
        self._finished = False
        try:
            self._path.mkdir(DIRECTORY_MODE)
            self._file: BinaryIO | None = open(  # noqa: SIM115 - closed by finish/cancel
                self._path / "state.bin", "wb", opener=opener
            )
        except OSError as error:
            raise StorageError(f"cannot create snapshot {meta.id}: {error}") from error

    def write(self, data: bytes) -> None:
        """Add bytes of state.bin; StorageError if the disk refuses them."""
        assert self._file is not None, "write after finish"
        try:
            self._file.write(data)
        except OSError as error:
            raise StorageError(f"cannot write snapshot {self._meta.id}: {error}") from error
        self._crc.update(data)
        self._size += len(data)

    def finish(self) -> None:
        """Make the contents durable under the temporary name."""
        assert self._file is not None, "finished twice"
        self._meta = msgspec.structs.replace(self._meta, size=self._size, crc=self._crc.digest())
        try:
            _sync_and_close(self._file)
            self._file = None
        except OSError as error:
            raise StorageError(f"cannot write snapshot {self._meta.id}: {error}") from error
        self._write_meta()
        self._finished = True

    def _write_meta(self) -> None:
        try:
            with open(self._path / "meta.json", "wb") as file:
                file.write(self._meta.to_json())
                file.flush()
                sync_file(file.fileno())
            sync_directory(self._path)
        except OSError as error:
            raise StorageError(f"cannot write snapshot {self._meta.id}: {error}") from error

    def place(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> None:
        """Say anew what it is a snapshot of."""
        assert self._finished, "placed before finish"
        meta = self._store.meta(index, term, configuration, configuration_index)
        self._meta = msgspec.structs.replace(meta, size=self._size, crc=self._crc.digest())
        self._write_meta()

    def commit(self) -> SnapshotMeta:
        """Give it its name."""
        assert self._finished, "commit before finish"
        try:
            os.rename(self._path, self._store.directory / self._meta.id)
            sync_directory(self._store.directory)
        except OSError as error:
            raise StorageError(f"cannot name snapshot {self._meta.id}: {error}") from error
        return self._meta

    def cancel(self) -> None:
        """Throw it away; safe after anything."""
        if self._file is not None:
            self._file.close()
            self._file = None
        shutil.rmtree(self._path, ignore_errors=True)


def _sync_and_close(file: BinaryIO) -> None:
    file.flush()
    sync_file(file.fileno())
    file.close()


class MemorySnapshots:
    """Snapshots that are gone with the process."""

    def __init__(self, *, retain: int = 2, clock: Callable[[], float] = time.time) -> None:
        self._retain = retain
        self._clock = clock
        self._kept: list[tuple[SnapshotMeta, bytes]] = []

    def create(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> MemorySink:
        """Start writing a snapshot."""
        return MemorySink(self, self.meta(index, term, configuration, configuration_index))

    def meta(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> SnapshotMeta:
        """What a snapshot taken now says about itself."""
        snapshot_id = f"{term}-{index}-{int(self._clock() * 1000)}"
        return SnapshotMeta(snapshot_id, index, term, configuration, configuration_index)

    def keep(self, meta: SnapshotMeta, data: bytes) -> None:
        """Store a finished snapshot."""
        self._kept.append((meta, data))
        self._kept.sort(key=lambda kept: (kept[0].term, kept[0].index, kept[0].id), reverse=True)

    def reap(self) -> None:
        """Keep only the newest ones."""
        del self._kept[self._retain :]

    def list(self) -> list[SnapshotMeta]:
        """Snapshots, newest first."""
        return [meta for meta, _ in self._kept]

    def open(self, meta: SnapshotMeta) -> BinaryIO:
        """Read the state."""
        for kept, data in self._kept:
            if kept.id == meta.id:
                return io.BytesIO(data)
        raise SnapshotCorruptError(f"cannot open snapshot {meta.id}: it is gone")


class MemorySink:
    """One snapshot being written in memory."""

    def __init__(self, store: MemorySnapshots, meta: SnapshotMeta) -> None:
        self._store = store
        self._meta = meta
        self._parts: list[bytes] = []
        self._data = b""

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._parts.append(data)

    def finish(self) -> None:
        """Nothing to sync."""
        self._data, self._parts = b"".join(self._parts), []
        self._meta = msgspec.structs.replace(self._meta, size=len(self._data))

    def place(self, index: int, term: int, configuration: Configuration, configuration_index: int) -> None:
        """Say anew what it is a snapshot of."""
        meta = self._store.meta(index, term, configuration, configuration_index)
        self._meta = msgspec.structs.replace(meta, size=len(self._data))

    def commit(self) -> SnapshotMeta:
        """Keep it."""
        self._store.keep(self._meta, self._data)
        return self._meta

    def cancel(self) -> None:
        """Throw it away."""
        self._parts = []


def write_chunks(sink: SnapshotSink, chunks: Iterable[bytes], pause: Callable[[], None] | None = None) -> int:
    """Write small pieces as large ones and finish. ``pause`` is called between them, to give way. Returns the size."""
    parts: list[bytes] = []
    waiting = total = 0
    for chunk in chunks:
        parts.append(chunk)
        waiting += len(chunk)
        if waiting >= CHUNK_BYTES:
            sink.write(b"".join(parts))
            total += waiting
            parts, waiting = [], 0
            if pause is not None:
                pause()
    if parts:
        sink.write(b"".join(parts))
    sink.finish()
    return total + waiting
