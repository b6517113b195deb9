"""The durable log and the two facts that must never be forgotten (term and vote).

Law: ``write`` is one transaction; when it returns, everything in it survives kill -9 and power loss; when it raises
StorageError, nothing of it was kept and ``last_index`` says again what the disk holds. What is read is what was
written, or DamagedError. A store is used by one thread at a time (the node's disk thread after start).
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from proconsul.engine.durable import sync_directory
from proconsul.engine.raft.errors import DamagedError, DirectoryLockedError, StorageError
from proconsul.engine.raft.events import Append, PersistState, ResetLog, Write
from proconsul.engine.raft.messages import EntryType, LogEntry, StableState
from proconsul.engine.raft.private import make_private

__all__ = ["DirectoryLock", "LogStore", "MemoryLog", "SqliteLog"]

# Rows per INSERT statement. One statement is one hand-over of the interpreter lock, so a busy event loop delays a
# batch once, not once per row. 7 values a row stay far below SQLite's 32,766 parameters.
ROWS_PER_STATEMENT = 256
# Rows removed per transaction when compacting, so that appends wait a few milliseconds at most.
COMPACT_ROWS = 4096
# Free pages (4 KiB) above which space is given back to the file system, and pages moved per step: below 16 MiB the
# next entries reuse them anyway.
FREE_PAGES_MAX = 4096
VACUUM_PAGES = 2048
# The write-ahead file is cut back to this after a checkpoint; a burst may make it larger for a while.
WAL_BYTES_MAX = 16 * 1024 * 1024


class LogStore(Protocol):
    """What the node needs of a log. ``is_blocking`` False means writes are instant and may run on the event loop."""

    is_blocking: bool

    @property
    def first_index(self) -> int:
        """Index of the first kept entry; 0 if empty."""
        ...

    @property
    def last_index(self) -> int:
        """Index of the last entry; 0 if empty."""
        ...

    def state(self) -> StableState:
        """The durable term and vote."""
        ...

    def write(self, writes: Sequence[Write]) -> None:
        """Make the writes durable, in order, all or nothing."""
        ...

    def read(self, first: int, last: int, bytes_max: int) -> list[LogEntry]:
        """Entries from ``first``, at most to ``last``, stopping after ``bytes_max`` of data (at least one entry)."""
        ...

    def term_runs(self) -> list[tuple[int, int]]:
        """(first index, term) of each run of entries with the same term."""
        ...

    def configurations(self) -> list[LogEntry]:
        """All configuration entries."""
        ...

    def compact(self, up_to: int) -> bool:
        """Drop some entries up to ``up_to``; True if there is more to drop."""
        ...

    def close(self) -> None:
        """Release files and locks."""
        ...


class DirectoryLock:
    """An exclusive lock on a data directory, held until ``release`` or the end of the process.

    Raises DirectoryLockedError if another process (or another node in this one) holds it.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "LOCK"
        handle = open(self.path, "a+b")  # noqa: SIM115 - the open file is the lock
        try:
            _lock_file(handle)
        except OSError as error:
            handle.close()
            raise DirectoryLockedError(
                f"data directory {directory} is in use by another process (lock file {self.path})"
            ) from error
        self._handle: IO[bytes] | None = handle

    def release(self) -> None:
        """Give the directory free; safe to call twice."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None


def _lock_file(handle: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        handle.seek(0)
        # The module has these names on Windows only.
        vars(msvcrt)["locking"](handle.fileno(), vars(msvcrt)["LK_NBLCK"], 1)
    else:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS log(
  idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL, data BLOB NOT NULL, ext BLOB, at BLOB,
  sum INTEGER);
CREATE INDEX IF NOT EXISTS log_configuration ON log(idx) WHERE type = 5;
CREATE TABLE IF NOT EXISTS stable(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""


# The file's format: 1 has checksums.
_VERSION = 1
# What SQLite says of a file that is not as it left it.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _failure(error: Exception, verb: str, where: str = "") -> StorageError:
    """What a failed statement means: a disk that will not, or one that has forgotten."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
        return DamagedError(f"raft log{where} is damaged: {error}")
    return StorageError(f"cannot {verb} raft log{where}: {error}")


def _sum(entry: LogEntry) -> int:
    """CRC-32 of an entry: a page of the file can change without SQLite's noticing."""
    head = b"%d %d %d " % (entry.index, entry.term, entry.type)
    return zlib.crc32(entry.extensions, zlib.crc32(entry.data, zlib.crc32(head)))


def _state_of(values: Mapping[object, object]) -> StableState:
    """Term and vote as the table has them. Raises DamagedError."""
    term, vote_term = values.get(b"CurrentTerm", 0), values.get(b"LastVoteTerm", 0)
    voted_for = values.get(b"LastVoteCand", b"")
    if not isinstance(term, int) or not isinstance(vote_term, int) or not isinstance(voted_for, bytes):
        raise DamagedError("raft log is damaged: term or vote has the wrong type")
    return StableState(term, vote_term, voted_for)


def _state_sum(state: StableState) -> int:
    return zlib.crc32(b"%d %d %b" % (state.term, state.vote_term, state.voted_for))


class SqliteLog:
    """The log in ``<directory>/raft.sqlite``: WAL, synchronous=FULL, one transaction per batch.

    ``pages_max`` bounds the file (4 KiB pages); reaching it is reported like a full disk.
    """

    is_blocking = True

    def __init__(self, directory: Path, *, pages_max: int | None = None) -> None:
        self.directory = directory
        self._lock = DirectoryLock(directory)
        self._first = 0
        self._last = 0
        try:
            self._connection = self._open(directory / "raft.sqlite", pages_max)
        except (sqlite3.Error, OSError) as error:
            self._lock.release()
            raise _failure(error, "open", f" in {directory}") from error

    def _open(self, path: Path, pages_max: int | None) -> sqlite3.Connection:
        existed = path.exists()
        make_private(path, create=True)  # what SQLite puts beside it gets its mode
        for suffix in ("-wal", "-shm"):
            make_private(path.with_name(path.name + suffix))
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=1.0
        )
        try:
            execute = connection.execute
            execute("PRAGMA auto_vacuum = INCREMENTAL")
            execute("PRAGMA locking_mode = EXCLUSIVE")
            execute("PRAGMA journal_mode = WAL")
            execute("PRAGMA synchronous = FULL")
            # On macOS a plain fsync does not reach the disk; elsewhere these two change nothing.
            execute("PRAGMA fullfsync = ON")
            execute("PRAGMA checkpoint_fullfsync = ON")
            execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
            if pages_max is not None:
                execute(f"PRAGMA max_page_count = {int(pages_max)}")
            connection.executescript(_SCHEMA)
            # What is damaged need not be text any more.
            connection.text_factory = bytes
            if execute("PRAGMA user_version").fetchone()[0] < _VERSION:
                self._add_sums(connection)
            self._bounds(connection)
        except BaseException:
            connection.close()
            raise
        if not existed:
            sync_directory(path.parent)
        return connection

    def _add_sums(self, connection: sqlite3.Connection) -> None:
        """A new file, or one from before there were checksums: what is in the latter has none, but for the vote."""
        execute = connection.execute
        execute("BEGIN IMMEDIATE")
        if b"sum" not in {row[1] for row in execute("PRAGMA table_info(log)")}:
            execute("ALTER TABLE log ADD COLUMN sum INTEGER")
        values = dict(execute("SELECT key, value FROM stable").fetchall())
        if values:
            execute("INSERT OR REPLACE INTO stable VALUES ('Sum', ?)", (_state_sum(_state_of(values)),))
        execute(f"PRAGMA user_version = {_VERSION}")
        execute("COMMIT")

    def _bounds(self, connection: sqlite3.Connection) -> None:
        first, last = connection.execute("SELECT (SELECT MIN(idx) FROM log), (SELECT MAX(idx) FROM log)").fetchone()
        self._first, self._last = first or 0, last or 0

    @property
    def first_index(self) -> int:
        """Index of the first kept entry; 0 if empty."""
        return self._first

    @property
    def last_index(self) -> int:
        """Index of the last entry; 0 if empty."""
        return self._last

    def state(self) -> StableState:
        """The durable term and vote."""
        values: dict[object, object] = {}
        for key, value in self._query("SELECT key, value FROM stable"):
            values[key] = value
        state = _state_of(values)
        if values and values.get(b"Sum") != _state_sum(state):
            raise DamagedError("raft log is damaged: term or vote is not what was written")
        return state

    def _query(self, sql: str, parameters: tuple[int, ...] = ()) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _failure(error, "read") from error

    def write(self, writes: Sequence[Write]) -> None:
        """Make the writes durable, in order, all or nothing."""
        connection = self._connection
        try:
            rows = self._plain_append(writes)
            if rows is not None:
                # One statement is its own transaction.
                self._insert(rows)
                self._last = rows[-1].index
                self._first = self._first or rows[0].index
                return
            connection.execute("BEGIN IMMEDIATE")
            first, last = self._first, self._last
            for write in writes:
                first, last = self._perform(write, first, last)
            connection.execute("COMMIT")
            self._first, self._last = first, last
        except (sqlite3.Error, OSError) as error:
            self._recover()
            raise _failure(error, "write") from error

    def _plain_append(self, writes: Sequence[Write]) -> Sequence[LogEntry] | None:
        if len(writes) == 1:
            write = writes[0]
            if isinstance(write, Append) and len(write.entries) <= ROWS_PER_STATEMENT:
                if self._last and write.entries[0].index == self._last + 1:
                    return write.entries
        return None

    def _insert(self, entries: Sequence[LogEntry]) -> None:
        for start in range(0, len(entries), ROWS_PER_STATEMENT):
            part = entries[start : start + ROWS_PER_STATEMENT]
            values: list[object] = []
            for entry in part:
                extensions = entry.extensions or None
                values += (
                    entry.index, entry.term, entry.type, entry.data, extensions, entry.appended_at, _sum(entry)
                )  # fmt: skip
            rows = ",".join(["(?,?,?,?,?,?,?)"] * len(part))
            self._connection.execute(f"INSERT INTO log VALUES {rows}", values)

    def _perform(self, write: Write, first: int, last: int) -> tuple[int, int]:
        execute = self._connection.execute
        if isinstance(write, PersistState):
            state = StableState(write.term, write.vote_term, write.voted_for)
            execute(
                "INSERT OR REPLACE INTO stable VALUES ('CurrentTerm', ?), ('LastVoteTerm', ?), ('LastVoteCand', ?), "
                "('Sum', ?)",
                (state.term, state.vote_term, state.voted_for, _state_sum(state)),
            )
            return first, last
        if isinstance(write, ResetLog):
            execute("DELETE FROM log")
            return 0, 0
        index = write.entries[0].index
        if last >= index:
            execute("DELETE FROM log WHERE idx >= ?", (index,))
        elif last and index != last + 1:
            raise AssertionError("gap in the log")
        self._insert(write.entries)
        return (first if first and first < index else index), write.entries[-1].index

    def _recover(self) -> None:
        """After a failed write: undo it and look again at what the disk holds."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._bounds(self._connection)
        except sqlite3.Error:
            # Still failing: the bounds of the last good write stand, because the transaction was never committed.
            return

    def read(self, first: int, last: int, bytes_max: int) -> list[LogEntry]:
        """Entries from ``first``, at most to ``last``, stopping after ``bytes_max`` of data (at least one entry)."""
        entries: list[LogEntry] = []
        total = 0
        try:
            cursor = self._connection.execute(
                "SELECT idx, term, type, data, ext, at, sum FROM log WHERE idx BETWEEN ? AND ? ORDER BY idx",
                (first, last),
            )
            # Row by row: a few hundred of the largest would be a hundred megabytes.
            for index, term, entry_type, data, extensions, at, known in cursor:
                if index != first + len(entries):
                    raise DamagedError(f"raft log is damaged: entry {first + len(entries)} is missing")
                entry = LogEntry(index, term, entry_type, data, extensions or b"", at)
                if known is not None and known != _sum(entry):
                    raise DamagedError(f"raft log is damaged: entry {index} is not what was written")
                entries.append(entry)
                total += len(data)
                if total >= bytes_max:
                    break
            cursor.close()
        except sqlite3.Error as error:
            raise _failure(error, "read") from error
        if not entries:
            raise DamagedError(f"raft log is damaged: entry {first} is missing")
        return entries

    def term_runs(self) -> list[tuple[int, int]]:
        """(first index, term) of each run of entries with the same term. Terms never decrease, so this is a search."""
        return list(_runs(self._first, self._last, self._term_at))

    def _term_at(self, index: int) -> int:
        rows = self._query("SELECT term FROM log WHERE idx = ?", (index,))
        if not rows:
            raise DamagedError(f"raft log is damaged: entry {index} is missing")
        term = rows[0][0]
        assert isinstance(term, int)
        return term

    def configurations(self) -> list[LogEntry]:
        """All configuration entries."""
        rows = self._query("SELECT idx, term, type, data FROM log WHERE type = 5 ORDER BY idx")
        return [LogEntry(*row) for row in rows]  # type: ignore[arg-type]

    def compact(self, up_to: int) -> bool:
        """Drop some entries up to ``up_to``; True if there is more to drop."""
        up_to = min(up_to, self._last - 1)
        if not self._first or up_to < self._first:
            return self._vacuum()
        end = min(up_to, self._first + COMPACT_ROWS - 1)
        try:
            self._connection.execute("DELETE FROM log WHERE idx <= ?", (end,))
        except sqlite3.Error as error:
            self._recover()
            raise _failure(error, "compact") from error
        self._first = end + 1
        return end < up_to or self._vacuum()

    def _vacuum(self) -> bool:
        try:
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            if free <= FREE_PAGES_MAX:
                return False
            self._connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        except sqlite3.Error as error:
            raise _failure(error, "compact") from error
        return bool(free - VACUUM_PAGES > FREE_PAGES_MAX)

    def close(self) -> None:
        """Release files and locks."""
        try:
            self._connection.close()
        finally:
            self._lock.release()


def _runs(first: int, last: int, term_at: object) -> Iterable[tuple[int, int]]:
    assert callable(term_at)
    index = first
    while index and index <= last:
        term = term_at(index)
        yield index, term
        low, high = index, last
        while low < high:
            middle = (low + high + 1) // 2
            if term_at(middle) == term:
                low = middle
            else:
                high = middle - 1
        index = low + 1


class MemoryLog:
    """A log that is gone with the process: ``agent -dev`` and tests."""

    is_blocking = False

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._offset = 1
        self._state = StableState()

    @property
    def first_index(self) -> int:
        """Index of the first kept entry; 0 if empty."""
        return self._offset if self._entries else 0

    @property
    def last_index(self) -> int:
        """Index of the last entry; 0 if empty."""
        return self._offset + len(self._entries) - 1 if self._entries else 0

    def state(self) -> StableState:
        """The term and vote."""
        return self._state

    def write(self, writes: Sequence[Write]) -> None:
        """Perform the writes."""
        for write in writes:
            if isinstance(write, PersistState):
                self._state = StableState(write.term, write.vote_term, write.voted_for)
            elif isinstance(write, ResetLog):
                self._entries = []
            else:
                index = write.entries[0].index
                if not self._entries:
                    self._offset = index
                del self._entries[index - self._offset :]
                assert index == self._offset + len(self._entries), "gap in the log"
                self._entries.extend(write.entries)

    def read(self, first: int, last: int, bytes_max: int) -> list[LogEntry]:
        """Entries from ``first``, at most to ``last``, stopping after ``bytes_max`` of data (at least one entry)."""
        if not self._entries or not self._offset <= first <= self.last_index:
            raise DamagedError(f"raft log is damaged: entry {first} is missing")
        found: list[LogEntry] = []
        total = 0
        for entry in self._entries[first - self._offset : last - self._offset + 1]:
            found.append(entry)
            total += len(entry.data)
            if total >= bytes_max:
                break
        return found

    def term_runs(self) -> list[tuple[int, int]]:
        """(first index, term) of each run of entries with the same term."""
        return list(_runs(self.first_index, self.last_index, lambda i: self._entries[i - self._offset].term))

    def configurations(self) -> list[LogEntry]:
        """All configuration entries."""
        return [entry for entry in self._entries if entry.type == EntryType.CONFIGURATION]

    def compact(self, up_to: int) -> bool:
        """Drop entries up to ``up_to``."""
        up_to = min(up_to, self.last_index - 1)
        if self._entries and up_to >= self._offset:
            del self._entries[: up_to - self._offset + 1]
            self._offset = up_to + 1
        return False

    def close(self) -> None:
        """Nothing to release."""
