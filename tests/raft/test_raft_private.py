"""Logs and snapshots have secrets in them: nobody but their owner may read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proconsul.engine.raft.configuration import EMPTY
from proconsul.engine.raft.events import Append
from proconsul.engine.raft.log import SqliteLog
from proconsul.engine.raft.messages import EntryType, LogEntry
from proconsul.engine.raft.private import make_private
from proconsul.engine.raft.snapshots import DirectorySnapshots

OTHERS = 0o077


def readable(directory: Path) -> list[str]:
    """Files that others could read, as far as directories let them."""
    found = []
    for path in directory.iterdir():
        if path.stat().st_mode & OTHERS:
            found += readable(path) if path.is_dir() else [path.name]
    return found


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _write_log(directory: Path, index: int) -> SqliteLog:
    log = SqliteLog(directory)
    log.write([Append(1, [LogEntry(index=index, term=1, type=EntryType.COMMAND, data=b"secret")])])
    return log


def test_the_log_is_private_from_the_first_byte_and_when_it_was_not(tmp_path: Path) -> None:
    log = _write_log(tmp_path, 1)
    assert readable(tmp_path) == ["LOCK"]
    log.close()
    for path in tmp_path.iterdir():
        path.chmod(0o666)
    log = _write_log(tmp_path, 2)
    assert readable(tmp_path) == ["LOCK"]
    log.close()


def test_snapshots_are_private(tmp_path: Path) -> None:
    store = DirectorySnapshots(tmp_path / "snapshots")
    sink = store.create(5, 1, EMPTY, 1)
    sink.write(b"secret")
    assert readable(tmp_path) == [], "while it is written"
    sink.finish()
    sink.commit()
    assert readable(tmp_path) == []
    kept = next((tmp_path / "snapshots").iterdir())
    kept.chmod(0o755)
    DirectorySnapshots(tmp_path / "snapshots")
    assert readable(tmp_path) == [], "those of older releases too"


def test_what_is_gone_is_nothing_to_hide(tmp_path: Path) -> None:
    make_private(tmp_path / "none")
    assert not (tmp_path / "none").exists()
