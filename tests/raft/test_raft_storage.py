"""Log stores, snapshot stores, checksums and the small parts of the core."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raft_support import servers

from proconsul.engine.raft.cache import EntryCache
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Change, Configuration, Server, Suffrage
from proconsul.engine.raft.crc64 import LzmaCrc64, TableCrc64
from proconsul.engine.raft.errors import DamagedError, MembershipError, SnapshotCorruptError, StorageError, WireError
from proconsul.engine.raft.events import Append, PersistState, ResetLog
from proconsul.engine.raft.log import LogStore, MemoryLog, SqliteLog
from proconsul.engine.raft.messages import EntryType, LogEntry, StableState
from proconsul.engine.raft.snapshots import (
    DirectorySnapshots,
    MemorySnapshots,
    SnapshotMeta,
    SnapshotStore,
    write_chunks,
)
from proconsul.engine.raft.startup import load_state, newest_snapshot
from proconsul.engine.raft.stats import go_duration
from proconsul.engine.raft.terms import LogTerms

Factory = Callable[[], LogStore]


@pytest.fixture(params=["memory", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    return MemoryLog() if request.param == "memory" else SqliteLog(tmp_path)


def run(first: int, last: int, term: int, size: int = 1) -> Append:
    return Append(0, tuple(LogEntry(i, term, 0, b"%d" % i * size) for i in range(first, last + 1)))


def test_log_appends_truncates_compacts_and_resets(log: LogStore) -> None:
    assert (log.first_index, log.last_index, log.state()) == (0, 0, StableState())
    configuration = LogEntry(1, 1, EntryType.CONFIGURATION, servers("a").encode())
    log.write((PersistState(1, 3, 3, b"cand"), Append(2, (configuration,))))
    log.write((run(2, 9, 2),))
    log.write((run(6, 7, 3), PersistState(3, 4, 3, b"cand")))
    assert (log.first_index, log.last_index, log.state()) == (1, 7, StableState(4, 3, b"cand"))
    assert log.term_runs() == [(1, 1), (2, 2), (6, 3)]
    assert [entry.index for entry in log.configurations()] == [1]
    assert [(e.index, e.term, e.data) for e in log.read(5, 7, 1000)] == [(5, 2, b"5"), (6, 3, b"6"), (7, 3, b"7")]
    assert [e.index for e in log.read(2, 7, 2)] == [2, 3]
    while log.compact(4):
        pass
    assert (log.first_index, log.last_index) == (5, 7)
    with pytest.raises(StorageError, match="entry 4 is missing"):
        log.read(4, 7, 1000)
    log.write((ResetLog(0, 100, 5), run(101, 102, 5)))
    assert (log.first_index, log.last_index, log.term_runs()) == (101, 102, [(101, 5)])
    log.close()


def test_log_keeps_all_fields_and_large_batches(log: LogStore) -> None:
    entry = LogEntry(1, 1, 0, b"\x00\xff", b"ext", bytes(15))
    log.write((Append(0, (entry,)),))
    log.write((run(2, 3000, 1),))
    assert log.read(1, 1, 10) == [entry]
    assert len(log.read(1, 3000, 1 << 30)) == 3000
    log.close()


def test_sqlite_log_is_the_same_after_reopening(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    log.write((PersistState(0, 2, 2, b"x"), run(1, 20, 2)))
    log.close()
    log = SqliteLog(tmp_path)
    assert (log.first_index, log.last_index, log.state()) == (1, 20, StableState(2, 2, b"x"))
    log.close()


def test_sqlite_failed_write_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, pages_max=40)
    log.write((run(1, 3, 1),))
    with pytest.raises(StorageError, match="full"):
        log.write((run(3, 20, 2, 8000),))
    assert (log.last_index, log.term_runs()) == (3, [(1, 1)])
    log.write((run(4, 5, 1),))
    assert [e.index for e in log.read(1, 5, 1000)] == [1, 2, 3, 4, 5]
    log.close()


def test_sqlite_gives_space_back_after_compaction(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    for first in range(1, 12001, 2000):
        log.write((Append(0, tuple(LogEntry(i, 1, 0, bytes(4000)) for i in range(first, first + 2000))),))
    assert (tmp_path / "raft.sqlite").stat().st_size > 45_000_000
    steps = 0
    while log.compact(11900):
        steps += 1
    assert steps > 3 and log.first_index == 11901
    log.close()
    assert (tmp_path / "raft.sqlite").stat().st_size < 27_000_000


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "raft.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match="file is not a database"):
        SqliteLog(tmp_path)
    (tmp_path / "raft.sqlite").unlink()
    SqliteLog(tmp_path).close()


def test_a_hole_in_the_log_is_damage(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    log.write((run(1, 9, 1),))
    log.close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as connection:
        connection.execute("DELETE FROM log WHERE idx = 5")
    connection.close()
    log = SqliteLog(tmp_path)
    with pytest.raises(StorageError, match="entry 5 is missing"):
        log.read(1, 9, 1000)
    log.close()


@pytest.fixture(params=["memory", "directory"])
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    return MemorySnapshots() if request.param == "memory" else DirectorySnapshots(tmp_path / "snapshots")


def take(store: SnapshotStore, index: int, data: bytes) -> SnapshotMeta:
    sink = store.create(index, 2, servers("a"), 1)
    write_chunks(sink, [data[:5], data[5:]])
    meta = sink.commit()
    store.reap()
    return meta


def test_snapshots_keep_two_and_give_back_their_bytes(snapshots: SnapshotStore) -> None:
    for index in (10, 20, 30):
        take(snapshots, index, b"state at %d" % index)
    metas = snapshots.list()
    assert [(m.index, m.term, m.configuration, m.configuration_index) for m in metas] == [
        (30, 2, servers("a"), 1),
        (20, 2, servers("a"), 1),
    ]
    with snapshots.open(metas[0]) as reader:
        assert reader.read() == b"state at 30"
    snapshots.create(40, 2, servers("a"), 1).cancel()
    assert len(snapshots.list()) == 2


def test_snapshot_files_have_consuls_layout(tmp_path: Path) -> None:
    store = DirectorySnapshots(tmp_path, clock=lambda: 1700000000.5)
    meta = take(store, 12, b"123456789")
    assert meta.id == "2-12-1700000000500"
    assert sorted(p.name for p in (tmp_path / meta.id).iterdir()) == ["meta.json", "state.bin"]
    text = (tmp_path / meta.id / "meta.json").read_text()
    assert text.endswith("\n") and json.loads(text) == {
        "Version": 1,
        "ID": "2-12-1700000000500",
        "Index": 12,
        "Term": 2,
        "Peers": "ka4xMjcuMC4wLjE6ODMwMA==",
        "Configuration": {"Servers": [{"Suffrage": 0, "ID": "a", "Address": "127.0.0.1:8300"}]},
        "ConfigurationIndex": 1,
        "Size": 9,
        "CRC": "mV3Ju98ZOfo=",
    }


def test_damaged_and_unfinished_snapshots_are_passed_over(tmp_path: Path) -> None:
    store = DirectorySnapshots(tmp_path, retain=5)
    old, cut, flipped, bare = (take(store, index, b"state %d" % index) for index in (1, 2, 3, 4))
    (tmp_path / cut.id / "state.bin").write_bytes(b"st")
    (tmp_path / flipped.id / "state.bin").write_bytes(b"stote 3")
    (tmp_path / bare.id / "meta.json").write_bytes(b"{")
    (tmp_path / "2-9-9.tmp").mkdir()
    notes: list[str] = []
    store = DirectorySnapshots(tmp_path, retain=5, log=notes.append)
    assert not (tmp_path / "2-9-9.tmp").exists()
    found = newest_snapshot(store, notes.append)
    assert found is not None and found[0] == old
    found[1].close()
    assert len(notes) == 3
    (tmp_path / old.id / "state.bin").unlink()
    with pytest.raises(StorageError, match="failed to load any existing snapshots"):
        newest_snapshot(store, notes.append)
    with pytest.raises(SnapshotCorruptError):
        store.open(old)


def test_state_joins_snapshot_and_log() -> None:
    log = MemoryLog()
    log.write((run(5, 8, 2), PersistState(0, 3, 0, b"")))
    with pytest.raises(StorageError, match="begins at 5 but the newest usable snapshot ends at 0"):
        load_state(log, None)
    cases = [(4, 1, 8), (6, 2, 8), (8, 2, 8)]
    for index, term, last in cases:
        state = load_state(log, SnapshotMeta("x", index, term, servers("a"), 1))
        assert (state.terms.last_index, state.snapshot_index, state.stable.term) == (last, index, 3)
        assert state.terms.term_at(8) == 2 and state.terms.term_at(index) == term
    for index, term in ((6, 9), (50, 3)):
        log = MemoryLog()
        log.write((run(5, 8, 2),))
        state = load_state(log, SnapshotMeta("x", index, term, servers("a"), 1))
        assert (state.terms.last_index, state.terms.last_term, log.last_index) == (index, term, 0)


@given(st.lists(st.binary(max_size=3000), max_size=5), st.randoms())
def test_crc64_of_the_compressor_equals_the_plain_loop(parts: list[bytes], rng: Random) -> None:
    plain, quick = TableCrc64(), LzmaCrc64()
    for part in parts:
        plain.update(part)
        quick.update(part)
    assert plain.digest() == quick.digest() == quick.digest()


def test_crc64_check_value() -> None:
    crc = LzmaCrc64()
    crc.update(b"123456789")
    assert crc.digest().hex() == "995dc9bbdf1939fa"


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=12), st.data())
def test_log_terms_agree_with_a_plain_list(runs: list[tuple[int, int]], data: st.DataObject) -> None:
    terms, plain, term = LogTerms(), [0], 1
    for count, jump in runs:
        term += jump
        terms.extend(terms.last_index + count, term)
        plain += [term] * count
    base = data.draw(st.integers(0, len(plain) - 1))
    terms.compact(base)
    cut = data.draw(st.integers(base + 1, len(plain)))
    terms.truncate_from(cut)
    del plain[cut:]
    for index in range(-1, len(plain) + 2):
        expected = plain[index] if base <= index < len(plain) else None
        assert terms.term_at(index) == expected
    assert (terms.last_index, terms.last_term) == (len(plain) - 1, plain[-1])


def test_configuration_changes_follow_the_rules() -> None:
    one = servers("a")
    two = one.changed(Change.ADD_NONVOTER, "b", "h:2")
    assert two.voters == ("a",) and two.quorum == 1
    three = two.changed(Change.ADD_VOTER, "b", "h:3")
    assert three.get("b") == Server(Suffrage.VOTER, "b", "h:3") and three.quorum == 2
    assert three.changed(Change.ADD_NONVOTER, "b", "h:4").get("b") == Server(Suffrage.VOTER, "b", "h:4")
    assert three.changed(Change.DEMOTE, "b").get("b") == Server(Suffrage.NONVOTER, "b", "h:3")
    assert three.changed(Change.REMOVE, "b") == one
    assert three.changed(Change.REMOVE, "z") == three.changed(Change.DEMOTE, "z") == three
    assert three.by_address("h:3") == three.get("b") and three.by_address("x") is None
    for change, server_id, address in (
        (Change.REMOVE, "a", ""),
        (Change.DEMOTE, "a", ""),
        (Change.ADD_VOTER, "c", "127.0.0.1:8300"),
        (Change.ADD_VOTER, "c", ""),
        (Change.ADD_VOTER, "", "h:9"),
    ):
        with pytest.raises(MembershipError):
            one.changed(change, server_id, address)
    assert Configuration.decode(three.encode()) == three
    for bad in (b"\x91", b"\xc1", b"\x81\xa7Servers\x91\x01", b"\x81\xa7Servers\x91\x81\xa8Suffrage\x09"):
        with pytest.raises(WireError):
            Configuration.decode(bad)


def test_cache_window() -> None:
    cache = EntryCache(4)
    entries = run(1, 12, 1).entries
    cache.put(entries)
    assert [e.index for e in cache.get(3, 5)] == [3, 4, 5]
    cache.put(run(10, 11, 2).entries)
    assert [(e.index, e.term) for e in cache.get(9, 20)] == [(9, 1), (10, 2), (11, 2)]
    cache.trim(9)
    assert not cache.get(7, 8) and [e.index for e in cache.get(8, 11)] == [8, 9, 10, 11]
    cache.put(run(50, 51, 3).entries)
    assert not cache.get(11, 60) and len(cache.get(50, 60)) == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1.5e-8, "15ns"),
        (1.52e-5, "15.2µs"),
        (0.045123, "45.123ms"),
        (1.5, "1.5s"),
        (61, "1m1s"),
        (3723.5, "1h2m3.5s"),
    ],
)
def test_durations_print_as_in_go(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_configuration_of_timing() -> None:
    assert RaftConfig.dev().heartbeat_timeout_s < 0.1
    for bad in ({"leader_lease_timeout_s": 2.0}, {"election_timeout_s": 0.5}, {"inflight_max": 0}):
        with pytest.raises(ValueError):
            RaftConfig(**bad)


def test_no_damaged_byte_is_taken_for_what_was_written(tmp_path: Path) -> None:
    """Any byte of the file may change: what is read is what was written, or it is called damage."""
    rng = Random(17)
    original = tmp_path / "original"
    original.mkdir()
    log = SqliteLog(original)
    # Small entries, several in a page, and some that go over pages of their own.
    sizes = [rng.choice((10, 300, 20_000)) for _ in range(60)]
    written = tuple(LogEntry(i, 1 + i // 20, 0, rng.randbytes(size)) for i, size in enumerate(sizes, 1))
    log.write((Append(0, written), PersistState(0, 4, 4, b"somebody")))
    log.close()
    image = (original / "raft.sqlite").read_bytes()
    found = 0
    for number in range(100):
        directory = tmp_path / str(number)
        directory.mkdir()
        # Every third time where term and vote are.
        page = image.index(b"somebody") // 4096 * 4096
        at = rng.randrange(page, page + 4096) if number % 3 else rng.randrange(len(image))
        at = next(place for place in range(at, len(image)) if image[place])
        damaged = bytearray(image)
        damaged[at] ^= 1 << rng.randrange(8)
        (directory / "raft.sqlite").write_bytes(damaged)
        try:
            log = SqliteLog(directory)
        except DamagedError:
            found += 1
            continue
        try:
            read = log.read(1, len(written), 1 << 30)
            state = log.state()
        except DamagedError:
            found += 1
        else:
            assert read == list(written), at
            assert state == StableState(4, 4, b"somebody"), at
        finally:
            log.close()
    assert found > 60


def test_a_log_from_before_checksums_is_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "raft.sqlite") as connection:
        connection.executescript("""
            CREATE TABLE log(idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL, data BLOB NOT NULL,
                             ext BLOB, at BLOB);
            CREATE TABLE stable(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
            INSERT INTO log VALUES (1, 1, 0, X'61', NULL, NULL);
            INSERT INTO stable VALUES ('CurrentTerm', 3), ('LastVoteTerm', 2), ('LastVoteCand', X'6E31');
        """)
    connection.close()
    for _ in range(2):
        log = SqliteLog(tmp_path)
        assert log.state() == StableState(3, 2, b"n1")
        assert log.read(1, 1, 10) == [LogEntry(1, 1, 0, b"a")]
        log.close()
    log = SqliteLog(tmp_path)
    log.write((run(2, 3, 3), PersistState(0, 4, 4, b"n2")))
    log.close()
    log = SqliteLog(tmp_path)
    assert log.state() == StableState(4, 4, b"n2") and len(log.read(1, 3, 100)) == 3
    log.close()
