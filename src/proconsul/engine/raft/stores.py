"""What one node keeps its state in, as the parts of the driver are handed it."""

from __future__ import annotations

from dataclasses import dataclass

from proconsul.engine.raft.cache import EntryCache
from proconsul.engine.raft.disk import Disk
from proconsul.engine.raft.fsm import FSM
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.snapshots import SnapshotStore

__all__ = ["Stores"]


@dataclass(frozen=True, slots=True)
class Stores:
    """``log`` may only be used through ``disk``; ``cache`` has its newest entries in memory."""

    log: LogStore
    disk: Disk
    cache: EntryCache
    snapshots: SnapshotStore
    fsm: FSM
