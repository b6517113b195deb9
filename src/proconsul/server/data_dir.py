"""Whether a server's data directory is what it was: nothing begins anew where a state was lost, or is another's.

Consul starts on anything: without its log it goes on from a snapshot that may be old, and on another program's
directory it is a new server. Both lose what was acknowledged, and neither says so.
"""

from __future__ import annotations

import logging
from pathlib import Path

from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.errors import StorageError
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.snapshots import SnapshotStore
from proconsul.engine.raft.startup import check_storage

log = logging.getLogger("agent.server")

# Consul's log; ours has another name and another form.
CONSULS_LOG = "raft.db"
_SIGN = "README"
_SIGN_TEXT = """\
This directory belongs to a proconsul server, whose log is raft.sqlite beside this.
Where Consul would have its log, raft.db, is a directory, so that Consul does not start
here by mistake: it would take up an old snapshot and lose everything behind it.

To go from proconsul to Consul, or back, start the other program with a data
directory of its own, and carry the state over with

    consul snapshot save state.snap         (from the running cluster)
    consul snapshot restore state.snap      (into the new one)
"""


def refuse_foreign(directory: Path) -> None:
    """Look at a raft directory before a log is made in it. Raises StorageError for one that is Consul's."""
    theirs = directory / CONSULS_LOG
    if theirs.is_file():
        raise StorageError(
            f"{theirs} is the raft log of Consul, which proconsul does not read. Start with a data directory of its "
            "own and carry the state over with 'consul snapshot save' and 'consul snapshot restore'. To begin without "
            f"that state, move {directory} away"
        )


def put_up_sign(directory: Path) -> None:
    """Have Consul refuse this raft directory (it cannot open a log that is a directory). Raises StorageError."""
    sign = directory / CONSULS_LOG / _SIGN
    try:
        if not sign.exists():
            sign.parent.mkdir(exist_ok=True)
            sign.write_text(_SIGN_TEXT)
    except OSError as error:
        raise StorageError(f"cannot write {sign}: {error}") from error


def check_whole(directory: Path, log: LogStore, snapshots: SnapshotStore) -> None:
    """See that log and snapshots belong together, after recovery and before Raft starts.

    Raises StorageError: for a log that is gone while snapshots are there, as it held the vote of this server and
    whatever it acknowledged since; and for what `check_storage` refuses.
    """
    try:
        check_storage(log, snapshots)
    except StorageError as error:
        raise StorageError(f"the raft directory {directory} is damaged: {error}") from None
    stored = log.state()
    newest = next(iter(snapshots.list()), None)
    if newest is not None and not stored.term and not log.last_index:
        raise StorageError(
            f"the raft log in {directory} is missing or empty, but snapshots are there (newest: {newest.id}): what was "
            "acknowledged since is lost with it. In a cluster, move this raft directory away, and the others give this "
            "server everything again. Where nobody else has it, put back the log, or a file peers.json as peers.info "
            "says, to go on from the snapshot"
        )


def warn_of_strangers(configuration: Configuration, node_id: str) -> None:
    """Say it when a log names other servers only: this one was removed, or has lost its node id, and cannot lead."""
    servers = configuration.servers
    if servers and all(server.id != node_id for server in servers):
        log.warning(
            "this server is not among the Raft peers of its own log: if it was not removed, put its node id back into "
            "the file node-id: id=%s peers=%s", node_id, ",".join(f"{one.id}@{one.address}" for one in servers),
        )  # fmt: skip
