"""From what is on disk to the core's initial state."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from proconsul.engine.raft.configuration import EMPTY, Configuration
from proconsul.engine.raft.errors import SnapshotCorruptError, StorageError
from proconsul.engine.raft.events import ResetLog
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.snapshots import SnapshotMeta, SnapshotStore
from proconsul.engine.raft.state import InitialState
from proconsul.engine.raft.terms import LogTerms


def newest_snapshot(snapshots: SnapshotStore, note: Callable[[str], None]) -> tuple[SnapshotMeta, BinaryIO] | None:
    """The newest whole snapshot, opened. Corrupt ones are passed over with a note; StorageError if all are corrupt."""
    metas = snapshots.list()
    for meta in metas:
        try:
            return meta, snapshots.open(meta)
        except SnapshotCorruptError as error:
            note(f"skipping snapshot {meta.id}: {error}")
    if metas:
        raise StorageError("failed to load any existing snapshots")
    return None


def check_storage(log: LogStore, snapshots: SnapshotStore) -> None:
    """Whether a server could start from these; StorageError if not. Nobody learns of skipped snapshots twice."""
    found = newest_snapshot(snapshots, lambda text: None)
    if found is not None:
        found[1].close()
    load_state(log, found[0] if found is not None else None)


def load_state(log: LogStore, snapshot: SnapshotMeta | None) -> InitialState:
    """Join log and snapshot; StorageError if entries between them are missing."""
    stable = log.state()
    index, term, configuration = 0, 0, (0, EMPTY)
    if snapshot is not None:
        index, term = snapshot.index, snapshot.term
        configuration = (snapshot.configuration_index, snapshot.configuration)
    first, last = log.first_index, log.last_index
    if last and first > index + 1:
        raise StorageError(f"the raft log begins at {first} but the newest usable snapshot ends at {index}")
    runs = log.term_runs()
    if last and not _joins(runs, first, last, index, term):
        # The process ended between storing a snapshot and dropping the log it replaces.
        log.write((ResetLog(0, index, term),))
        first = last = 0
        runs = []
    if not last:
        terms = LogTerms(index, term)
    else:
        # The term before the first kept entry is only known if the snapshot ends there.
        base = (index, term) if index == first - 1 else (first, runs[0][1])
        terms = LogTerms.of(base, runs, last)
    configurations = [(e.index, Configuration.decode(e.data)) for e in log.configurations()] if last else []
    return InitialState(stable, terms, configurations, index, term, configuration)


def _joins(runs: list[tuple[int, int]], first: int, last: int, index: int, term: int) -> bool:
    """True if the log goes on from the snapshot: it holds the snapshot's last entry, or starts right behind it."""
    if index == first - 1:
        return True
    if not first <= index <= last:
        return False
    found = [run_term for start, run_term in runs if start <= index]
    return found[-1] == term
