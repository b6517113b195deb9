"""Where audit events go: files that are rotated, or standard output, written by a thread of their own.

A line is written whole or not at all: by one call, and what a full disk cut is taken back. So a reader sees no torn
line, whenever the process ends. The queue is bounded. When it is full, ``best-effort`` drops and counts; ``enforced``
makes the door refuse requests until there is room.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

log = logging.getLogger("agent.audit")

# Some seconds of a busy agent; with a thousand bytes each, a bound on the memory of a sink whose disk hangs.
QUEUED_MAX = 16384
# How long a stop waits for a disk that does not take the last lines.
STOP_S = 5.0
_BATCH = 512
_ROTATE_AGAIN_NS = 60 * 10**9


class Output(Protocol):
    """Takes whole lines."""

    def open(self) -> None:
        """Raises OSError."""

    def write(self, lines: list[bytes]) -> None:
        """Raises OSError; what was written then is whole lines."""

    def close(self) -> None: ...


class StandardOutput:
    """Standard output, for those who collect the output of programs."""

    def open(self) -> None:
        """It is open."""

    def write(self, lines: list[bytes]) -> None:
        data = memoryview(b"".join(lines))
        while data:
            data = data[os.write(1, data) :]

    def close(self) -> None:
        """It is not ours."""


class RotatedFile:
    """``path``, renamed to ``name-<unix nanoseconds>.ext`` when it is old or long enough; the newest are kept.

    ``rotate_s`` and ``rotate_bytes`` are no limit when 0; ``files_max`` 0 keeps all, below 0 none.
    """

    def __init__(
        self, path: Path, *, rotate_s: float, rotate_bytes: int, files_max: int, mode: int,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self.path, self._rotate_s, self._rotate_bytes, self._files_max = path, rotate_s, rotate_bytes, files_max
        self._mode, self._clock_ns = mode, clock_ns
        self._fd = -1
        self._bytes, self._opened_ns = 0, 0
        # After a rotation that failed.
        self._rotates_again_ns = 0

    def open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, self._mode)
        self._opened_ns = self._clock_ns()
        self._mend()

    def _mend(self) -> None:
        """Take back what an earlier life could not write to its end."""
        self._bytes = size = os.fstat(self._fd).st_size
        while size:
            start = max(size - 65536, 0)
            found = os.pread(self._fd, size - start, start).rfind(b"\n")
            if found >= 0:
                size = start + found + 1
                break
            size = start
        if size != self._bytes:
            os.ftruncate(self._fd, size)
            self._bytes = size

    def write(self, lines: list[bytes]) -> None:
        if self._fd < 0:
            self.open()
        for text in lines:
            self._rotate_if_due(len(text))
            try:
                done = os.write(self._fd, text)
            except OSError:
                os.ftruncate(self._fd, self._bytes)
                raise
            if done < len(text):
                os.ftruncate(self._fd, self._bytes)
                raise OSError(28, "No space left on device")
            self._bytes += done

    def _rotate_if_due(self, coming: int) -> None:
        too_old = self._rotate_s > 0 and self._clock_ns() - self._opened_ns >= self._rotate_s * 1e9
        too_long = self._rotate_bytes > 0 and self._bytes + coming > self._rotate_bytes
        if not self._bytes or not (too_old or too_long) or self._clock_ns() < self._rotates_again_ns:
            return
        os.close(self._fd)
        self._fd = -1
        try:
            self.path.rename(self.path.with_name(f"{self.path.stem}-{self._clock_ns()}{self.path.suffix}"))
            self._prune()
        except OSError as error:
            # A file that is too long is better than none.
            log.error("failed to rotate the audit log: path=%s error=%s", self.path, error)
            self._rotates_again_ns = self._clock_ns() + _ROTATE_AGAIN_NS
        self.open()

    def _prune(self) -> None:
        if self._files_max == 0:
            return
        # Only what we have renamed: the files of other sinks may have names that begin like ours.
        ours = re.compile(rf"{re.escape(self.path.stem)}-[0-9]{{19}}{re.escape(self.path.suffix)}")
        old = sorted(path for path in self.path.parent.iterdir() if ours.fullmatch(path.name))
        for path in old[: max(len(old) - max(self._files_max, 0), 0)]:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Sink:
    """A queue and a thread before an output. ``enforced``: nothing may be lost, so that a full queue refuses.

    ``lines_max``: how many lines are written at a time; when that fails, it counts as none of them.
    """

    def __init__(
        self, name: str, output: Output, *, enforced: bool, queued_max: int = QUEUED_MAX, lines_max: int = 1
    ) -> None:
        self.name, self.enforced, self._lines_max = name, enforced, lines_max
        self._output, self._queued_max = output, queued_max
        self._queue: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None
        # How many lines were lost since the start.
        self.dropped = 0
        self._failing = False

    def start(self) -> None:
        """Raises OSError when the output cannot be opened."""
        self._output.open()
        self._thread = threading.Thread(target=self._work, name=f"audit-{self.name}", daemon=True)
        self._thread.start()

    @property
    def refuses(self) -> bool:
        """Whether nothing more may be done before some of the queue is written."""
        return self.enforced and len(self._queue) >= self._queued_max

    def put(self, text: bytes) -> None:
        """Have a line written. One that is over the bound is lost, unless nothing may be: then it waits in line."""
        with self._changed:
            if len(self._queue) >= self._queued_max and not self.enforced:
                self.dropped += 1
                return
            self._queue.append(text)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._ending:
                    self._changed.wait()
                batch = [self._queue[n] for n in range(min(len(self._queue), _BATCH))]
                if not batch:
                    return
            self._write(batch)

    def _write(self, batch: list[bytes]) -> None:
        """Write them piece by piece, so that it is known how many are; what fails is tried again, or lost."""
        done = 0
        try:
            while done < len(batch):
                piece = batch[done : done + self._lines_max]
                self._output.write(piece)
                done += len(piece)
            self._failing = False
        except OSError as error:
            if not self._failing:
                log.error("failed to write the audit log: sink=%s error=%s", self.name, error)
            self._failing = True
            if not self.enforced:
                self.dropped += len(batch) - done
                done = len(batch)
        with self._changed:
            for _ in range(done):
                self._queue.popleft()
            if self._failing and self.enforced and not self._ending:
                self._changed.wait(0.5)
            elif self._failing and self._ending:
                self._queue.clear()

    def stop(self) -> None:
        """Write what is queued and end. Blocks, but not for a disk that hangs."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                log.error("the audit log does not take its last lines: sink=%s lost=%d", self.name, len(self._queue))
                return
            self._thread = None
        with contextlib.suppress(OSError):
            self._output.close()
        if self.dropped:
            log.warning("audit events were lost: sink=%s lost=%d", self.name, self.dropped)
