"""Files that survive a crash: written beside, synced, renamed, readable by their owner only."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path

# What a file system says that has no such call.
_UNKNOWN = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY)

log = logging.getLogger("agent")

# Ends the names of files that are being written, Consul's too.
UNFINISHED = ".tmp"


def sync_file(descriptor: int) -> None:
    """Have what was written reach the disk itself. Raises OSError.

    On macOS ``fsync`` leaves it in the disk's own cache (fsync(2) there), and F_FULLFSYNC does not; file systems that
    do not know that, network ones, get the ``fsync`` they can do.
    """
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Make a new name in ``directory`` durable. Windows has no such call and needs none."""
    if sys.platform != "win32":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


def replace_file(path: Path, data: bytes, *, sync_name: bool = True) -> None:
    """Make ``path`` hold ``data``; whoever looks finds the old content or the new, after a crash too.

    ``sync_name`` makes the rename itself durable, where directories can be opened; without it a power cut (not a
    crash of the process) may bring the old content back. Raises OSError when the disk refuses; the old file then stays.
    """
    temporary = str(path) + UNFINISHED
    try:
        descriptor = _create(temporary)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = _create(temporary)
    try:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    if sync_name:
        sync_directory(path.parent)


def remove_unfinished(directory: Path) -> None:
    """Remove what writers left behind that were ended in the middle. Nobody else may write there meanwhile."""
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        if path.name.endswith(UNFINISHED) and path.is_file():
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.error("failed to remove file: file=%s error=%s", path, error)


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
