"""raft/peers.json: operators name the servers of a cluster that has lost its quorum (Consul docs: outage recovery).

The file is read once, at the next start: the state is rebuilt from snapshot and log, whole, and kept as a snapshot
with the servers that the file names; then the file is removed. Entries that were never committed count as committed
from then on: with the quorum gone nobody can tell them apart, and losing acknowledged writes would be worse.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from proconsul.engine.raft.configuration import Configuration, Suffrage
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.errors import MembershipError, RaftError
from proconsul.engine.raft.events import PersistState, ResetLog
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.messages import EntryType
from proconsul.engine.raft.snapshots import SnapshotStore, write_chunks
from proconsul.engine.raft.startup import newest_snapshot
from proconsul.engine.wire import plainjson
from proconsul.features.state import State
from proconsul.server.fsm import FSM

log = logging.getLogger("agent.server")

# Data of the log that is held in memory at once.
BATCH_BYTES = 8 << 20
# A file of more than some hundred servers is none that an operator wrote.
PEERS_BYTES_MAX = 1 << 20
# The snapshot of a recovery has its configuration from nowhere in the log; the original writes 1 too.
_CONFIGURATION_INDEX = 1
_INFO = """\
The file peers.json beside this one is for recovery after an outage in which the
servers have lost their quorum for good. It is a JSON array with every server
that shall be in the cluster:

[
  {"id": "<node id, as in the file node-id>", "address": "<ip:port of its RPC>", "non_voter": false}
]

Stop all servers, put the same file on each of those that remain, and start them.
Each reads it once, takes the servers it names for the members of the cluster,
and removes it. "non_voter" may be left out.

While this file is missing, peers.json is not read but removed: a server that
starts for the first time has nothing to recover.
"""


def recover(directory: Path, entries: LogStore, snapshots: SnapshotStore) -> bool:
    """Do what ``directory``/peers.json asks for, before Raft starts; True when there was one. Blocks on the disk.

    Raises RaftError, also for a file that makes no sense: going on without it would not be what was asked for.
    """
    info, path = directory / "peers.info", directory / "peers.json"
    try:
        if not info.exists():
            info.write_text(_INFO)
            info.chmod(0o755)
            if path.exists():
                path.unlink()
                log.info("deleted peers.json file (see peers.info for more information)")
            return False
        if not path.exists():
            return False
        log.info("found peers.json file, recovering Raft configuration...")
        configuration = read_peers(path.read_bytes())
        _rebuild(entries, snapshots, configuration)
        os.unlink(path)
    except OSError as error:
        raise RaftError(f"recovery failed: {error}") from None
    log.info("deleted peers.json file after successful recovery")
    return True


def read_peers(data: bytes) -> Configuration:
    """The servers a peers.json names. Raises RaftError."""
    prefix = "recovery failed to parse peers.json: "
    if len(data) > PEERS_BYTES_MAX:
        raise RaftError(f"{prefix}it has {len(data)} bytes")
    try:
        listed: Any = plainjson.loads(data)
        if not isinstance(listed, list):
            raise ValueError("it must be an array")
        return Configuration.of(_server(item) for item in listed)
    except (ValueError, MembershipError) as error:
        raise RaftError(f"{prefix}{error}") from None


def _server(item: object) -> RaftServer:
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("id", "address")):
        raise ValueError("every server needs an id and an address")
    suffrage = Suffrage.NONVOTER if item.get("non_voter") is True else Suffrage.VOTER
    return RaftServer(suffrage, item["id"], item["address"])


def read_state(entries: LogStore, snapshots: SnapshotStore) -> tuple[FSM, int, int]:
    """All that is kept, applied, with the index and term of the last entry, 0 when there is none. Raises RaftError."""
    fsm, index, term = FSM(State()), 0, 0
    found = newest_snapshot(snapshots, log.warning)
    if found is not None:
        with found[1] as reader:
            fsm.restore(reader)
        index, term = found[0].index, found[0].term
    while index < entries.last_index:
        for entry in entries.read(index + 1, entries.last_index, BATCH_BYTES):
            if entry.type == EntryType.COMMAND:
                if entry.extensions:
                    fsm.apply_chunk(entry, None)
                else:
                    fsm.apply(entry.index, entry.term, entry.type, entry.data, None)
            index, term = entry.index, entry.term
    return fsm, index, term


def _rebuild(entries: LogStore, snapshots: SnapshotStore, configuration: Configuration) -> None:
    """Make snapshot and log one snapshot with ``configuration``. May be repeated after a crash at any point."""
    fsm, index, term = read_state(entries, snapshots)
    if not index:
        raise RaftError("refused to recover cluster with no initial state, this is probably an operator error")
    sink = snapshots.create(index, term, configuration, _CONFIGURATION_INDEX)
    try:
        write_chunks(sink, fsm.snapshot().persist())
        sink.commit()
        snapshots.reap()
    except BaseException:
        sink.cancel()
        raise
    # A log that was lost does not know the term: without one, the next start would miss it again.
    stored = entries.state()
    state = PersistState(0, max(stored.term, term), stored.vote_term, stored.voted_for)
    entries.write((ResetLog(0, index, term), state))
