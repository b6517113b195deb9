"""How the doctor comes by its facts: answers of the agent, and its data directory where that is here.

Nothing is changed by looking. What could not be seen is kept with the reason, so that no rule takes it for health.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proconsul.cli import archive
from proconsul.cli.doctor.facts import DataDirectory, Facts
from proconsul.client.gojson import GoJsonError
from proconsul.engine.wire.goerrors import path_error

if TYPE_CHECKING:
    from proconsul.cli.api import Client

__all__ = ["gather", "look_at"]

# An agent that takes longer for one answer is not well.
ASK_TIMEOUT_S = 20.0
# Answers by the names they have in `Facts`.
QUESTIONS = {
    "own": "/v1/agent/self", "members": "/v1/agent/members", "leader": "/v1/status/leader",
    "autopilot": "/v1/operator/autopilot/state", "raft": "/v1/operator/raft/configuration",
    "settings": "/v1/operator/autopilot/configuration", "metrics": "/v1/agent/metrics",
    "certificates": "/v1/agent/metrics/certificates", "sync": "/v1/agent/sync",
}  # fmt: skip
# Any server may answer these, so that they are answered without a leader too.
_STALE = frozenset({"raft"})


def gather(client: Client, data_dir: str | None) -> Facts:
    """Ask the agent, and look at ``data_dir``; None takes the agent's own, when it is on this machine."""
    found: dict[str, Any] = {}
    unseen: dict[str, str] = {}
    clock_off_s = 0.0
    for name, path in QUESTIONS.items():
        try:
            began = time.time()
            query = {"stale": ""} if name in _STALE else None
            answer = client.ok("GET", path, query, timeout_s=ASK_TIMEOUT_S)
            clock_off_s = _clock_off(answer.header("Date"), began, time.time())
            found[name] = _of_shape(name, answer.json())
        except (_api_error(), GoJsonError) as error:
            unseen[name] = str(error)
            if name == "own" and _is_unreachable(error):
                return Facts(unseen=unseen)
    directory, why = _directory(found.get("own"), client.host, data_dir)
    data = None
    if directory:
        try:
            data = look_at(directory)
        except OSError as error:
            why = path_error("open", directory, error)
    return Facts(**found, unseen=unseen, clock_off_s=clock_off_s, data=data, unseen_data="" if data else why)


def _of_shape(name: str, answer: Any) -> Any:
    """Raises GoJsonError for what is no answer to that question, from whatever answers there."""
    wanted = {"members": list, "leader": str}.get(name, Mapping)
    of_shape = isinstance(answer, wanted)
    if name == "members":
        of_shape = of_shape and all(isinstance(one, Mapping) and isinstance(one.get("Name"), str) for one in answer)
    elif name == "own":
        of_shape = of_shape and isinstance(answer.get("Config"), Mapping)
    if not of_shape:
        raise GoJsonError(f"an odd answer: {str(answer)[:80]}")
    return answer


def _api_error() -> type[Exception]:
    from proconsul.cli.api import ApiError

    return ApiError


def _is_unreachable(error: Exception) -> bool:
    from proconsul.cli.api import AgentUnreachable

    return isinstance(error, AgentUnreachable)


def _clock_off(date: str, began: float, ended: float) -> float:
    """How far the agent's clock is from ours; 0 where the time of the answer itself explains it."""
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0
    if began - 1.0 <= theirs <= ended:  # it says whole seconds
        return 0.0
    return theirs - (began + ended) / 2


def _directory(own: Any, host: str, given: str | None) -> tuple[str, str]:
    """The data directory to look at, or why none."""
    if given is not None:
        return given, ""
    config = own.get("DebugConfig") if isinstance(own, Mapping) else None
    path = config.get("DataDir") if isinstance(config, Mapping) else None
    if not path or config is None or config.get("DevMode"):
        return "", "the agent keeps nothing on a disk" if config is not None else "the agent does not say where it is"
    if not host.startswith(("127.", "localhost", "[::1]", "/")) and os.sep not in host:
        return "", "the agent is on another machine: run doctor there, or name the directory with -data-dir"
    return str(path), ""


def look_at(directory: str) -> DataDirectory:
    """Look at a data directory. Raises OSError when it cannot be read."""
    root = Path(directory)
    os.listdir(root)
    usage = shutil.disk_usage(root)
    log = [*root.glob("raft/raft.sqlite*"), root / "raft/raft.db"]  # Consul's, which is a folder of ours
    secrets = [root / "acl-tokens.json", *root.glob("serf/*.keyring"), *root.glob("raft/snapshots/*/state.bin")]
    found = {}
    for path in [*log, *secrets]:
        with contextlib.suppress(FileNotFoundError):  # it may have gone meanwhile
            if stat.S_ISREG((seen := path.stat()).st_mode):
                found[path] = seen
    log_bytes = sum(found[path].st_size for path in log if path in found)
    modes = {str(path.relative_to(root)): seen.st_mode & 0o777 for path, seen in found.items()}
    node_id = ""
    with contextlib.suppress(OSError):
        node_id = (root / "node-id").read_bytes()[:64].decode(errors="replace").strip()
    return DataDirectory(directory, usage.free, usage.total, log_bytes, node_id, modes, tuple(_snapshots(root)))


def _snapshots(root: Path) -> list[tuple[float, Mapping[str, int]]]:
    """What the snapshots hold, by kind; one that is damaged, or goes meanwhile, is left out."""
    from proconsul.cli import contents
    from proconsul.cli.command import Failure

    found: list[tuple[float, Mapping[str, int]]] = []
    for path in root.glob("raft/snapshots/*/state.bin"):
        table = contents.Contents()
        try:
            _, problem = contents.read(str(path), table.add)
            at = path.stat().st_mtime
        except (Failure, OSError, archive.ArchiveError):
            continue
        if not problem:
            found.append((at, {kind: share.size for kind, share in table.kinds.items()}))
    return sorted(found, key=lambda one: one[0])
