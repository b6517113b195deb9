"""Files that only their owner may read: logs and snapshots have the secrets of tokens in them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
_OTHERS = 0o077


def opener(path: str, flags: int) -> int:
    """For ``open``: what it makes is private."""
    return os.open(path, flags, FILE_MODE)


def make_private(path: Path, *, create: bool = False) -> None:
    """Let nobody else read ``path``, also when it is from before; with ``create`` it is made. Raises OSError.

    Of a file that is somebody else's the mode stays as it is: whoever it belongs to has decided.
    """
    if create:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
    with contextlib.suppress(FileNotFoundError, PermissionError):
        status = path.stat()
        if status.st_mode & _OTHERS:
            path.chmod(status.st_mode & ~_OTHERS)
