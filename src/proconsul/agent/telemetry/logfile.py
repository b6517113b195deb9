"""Logging to a file with rotation by age and size (Consul docs: log_file, log_rotate_*)."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

DEFAULT_NAME = "consul"
DEFAULT_ROTATE_S = 24 * 3600.0


class RotatingFile(logging.Handler):
    """Writes ``name-<unix nanoseconds>.ext`` files, one after another, and keeps at most ``files_max`` old ones."""

    def __init__(self, path: Path, rotate_bytes: int, rotate_s: float, files_max: int) -> None:
        super().__init__()
        self._directory = path.parent
        self._stem, self._suffix = path.stem, path.suffix or ".log"
        self._rotate_bytes, self._rotate_s, self._files_max = rotate_bytes, rotate_s or DEFAULT_ROTATE_S, files_max
        self._open()

    def _open(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._opened = time.time()
        self._bytes = 0
        path = self._directory / f"{self._stem}-{time.time_ns()}{self._suffix}"
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640), "w", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record) + "\n"
        too_old = time.time() - self._opened >= self._rotate_s
        if too_old or (self._rotate_bytes > 0 and self._bytes >= self._rotate_bytes):
            self._file.close()
            self._open()
            self._prune()
        self._bytes += len(line)
        self._file.write(line)
        self._file.flush()

    def _prune(self) -> None:
        if self._files_max == 0:
            return
        keep = max(self._files_max, 0) + 1
        files = sorted(self._directory.glob(f"{self._stem}-*{self._suffix}"))
        for path in files[: max(len(files) - keep, 0)]:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_log_file(path: str, rotate_bytes: int, rotate_s: float, files_max: int) -> RotatingFile:
    """A path that ends with a slash is a directory. Raises OSError."""
    name = Path(path) / f"{DEFAULT_NAME}.log" if path.endswith("/") else Path(path)
    return RotatingFile(name, rotate_bytes, rotate_s, files_max)
