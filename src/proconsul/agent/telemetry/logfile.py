"""Logging to a file with rotation by age and size (Consul docs: log_file, log_rotate_*)."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from pathlib import Path

from proconsul.agent.telemetry.dropping import DroppingHandler

DEFAULT_NAME = "consul"
DEFAULT_ROTATE_S = 24 * 3600.0


class RotatingFile(DroppingHandler):
    """Writes ``name-<unix nanoseconds>.ext`` files, one after another, and keeps at most ``files_max`` old ones."""

    def __init__(self, path: Path, rotate_bytes: int, rotate_s: float, files_max: int) -> None:
        self._directory = path.parent
        self._stem, self._suffix = path.stem, path.suffix or ".log"
        self._rotate_bytes, self._rotate_s, self._files_max = rotate_bytes, rotate_s or DEFAULT_ROTATE_S, files_max
        self._file = self._open()
        super().__init__()

    def _open(self) -> int:
        """Raises OSError, that names the file."""
        self._opened = time.time()
        self._bytes = 0
        path = self._directory / f"{self._stem}-{time.time_ns()}{self._suffix}"
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def write(self, level: int, text: str) -> None:
        """See `DroppingHandler`. Where no new file can be had, the old one goes on, and it is tried again later."""
        line = (text + "\n").encode("utf-8", "replace")
        too_old = time.time() - self._opened >= self._rotate_s
        if too_old or (self._rotate_bytes > 0 and self._bytes >= self._rotate_bytes):
            with contextlib.suppress(OSError):
                old, self._file = self._file, self._open()
                os.close(old)
                self._prune()
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(errno.ENOSPC, "the disk is full")
        self._bytes += written

    def _prune(self) -> None:
        if self._files_max == 0:
            return
        keep = max(self._files_max, 0) + 1
        ours = re.compile(rf"{re.escape(self._stem)}-(\d+){re.escape(self._suffix)}")
        found = ((ours.fullmatch(name), name) for name in os.listdir(self._directory))
        files = sorted((int(match[1]), name) for match, name in found if match)
        for _, name in files[: max(len(files) - keep, 0)]:
            (self._directory / name).unlink(missing_ok=True)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        super().close()


def open_log_file(path: str, rotate_bytes: int, rotate_s: float, files_max: int) -> RotatingFile:
    """A path that ends with a slash is a directory. Raises OSError."""
    name = Path(path) / f"{DEFAULT_NAME}.log" if path.endswith("/") else Path(path)
    return RotatingFile(name, rotate_bytes, rotate_s, files_max)
