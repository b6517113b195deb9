"""Allow access control to be bootstrapped once more, on a server that is stopped: for who has lost the last token.

A leader takes another bootstrap when its data directory has a file with the index of the last one (Consul docs:
acl/bootstrap, reset). A running cluster tells that index to whoever tries; here it is read from the disk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from proconsul.engine.durable import replace_file
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.raft.log import SqliteLog
from proconsul.engine.raft.snapshots import DirectorySnapshots
from proconsul.features.acl.endpoint import RESET_FILE
from proconsul.server.data_dir import refuse_foreign
from proconsul.server.recovery import read_state


class LastBootstrap(NamedTuple):
    """What was found: the index of the last bootstrap, 0 for none, how many tokens there are, and the file."""

    bootstrapped_at: int
    tokens: int
    path: Path


def find(data_dir: Path) -> LastBootstrap:
    """Read the state of a stopped server. Raises RaftError, also for a server that runs, and OSError."""
    directory = data_dir / "raft"
    if not directory.is_dir():
        raise RaftError(f"{data_dir} is no data directory of a server: it has no directory raft")
    refuse_foreign(directory)
    if not (directory / "raft.sqlite").exists():
        raise RaftError(f"{directory} has no log of a proconsul server")
    entries = SqliteLog(directory)
    try:
        fsm, _, _ = read_state(entries, DirectorySnapshots(directory / "snapshots"))
    finally:
        entries.close()
    acl = fsm.state.acl
    return LastBootstrap(acl.can_bootstrap()[1], len(acl.tokens), data_dir / RESET_FILE)


def allow(reset: LastBootstrap) -> None:
    """Write the file that allows one more bootstrap, for the owner of the data directory. Raises OSError."""
    owner = reset.path.parent.stat()
    replace_file(reset.path, f"{reset.bootstrapped_at}\n".encode())
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(reset.path, owner.st_uid, owner.st_gid)  # the server reads and removes it
