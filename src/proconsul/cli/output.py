"""Where commands write: plain lines for pipes, colour and progress only for people at a terminal."""

from __future__ import annotations

import os
import sys
import time

# A progress line is rewritten at most this often; faster is unreadable and slows the terminal.
_PROGRESS_INTERVAL_S = 0.2
# Work shorter than this shows no progress at all: most exports are over before anybody could read it.
_PROGRESS_AFTER_S = 1.0


class Ui:
    """Standard output and standard error of one command run.

    Text may hold bytes that are no UTF-8 (decoded with ``surrogateescape``); they are written back unchanged.
    """

    def out(self, text: str | bytes = "") -> None:
        """Write one line to standard output."""
        _write(sys.stdout, text, b"\n")

    def error(self, text: str) -> None:
        """Write one line to standard error."""
        _write(sys.stderr, text, b"\n")


def _write(stream: object, text: str | bytes, end: bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write((data + end).decode("utf-8", "replace"))  # type: ignore[attr-defined]
        return
    stream.flush()  # type: ignore[attr-defined]
    binary.write(data + end)
    binary.flush()


def colour_wanted(stream: object) -> bool:
    """Tell whether escape codes may be written: a terminal, and the user did not set ``NO_COLOR``."""
    is_terminal = getattr(stream, "isatty", lambda: False)()
    return bool(is_terminal) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, code: str, stream: object) -> str:
    """Return ``text`` in the colour of the SGR ``code`` when the stream is a terminal, else unchanged."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour_wanted(stream) else text


class ProgressLine:
    """A counter on standard error for long work; silent unless standard error is a terminal."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._count = 0
        self._shown = False
        self._enabled = sys.stderr.isatty()
        self._started = time.monotonic()
        self._last = self._started

    def advance(self, count: int = 1) -> None:
        """Count ``count`` more units of work as done."""
        self._count += count
        if not self._enabled:
            return
        now = time.monotonic()
        if now - self._started < _PROGRESS_AFTER_S or now - self._last < _PROGRESS_INTERVAL_S:
            return
        self._last = now
        self._shown = True
        of_total = f"/{self._total}" if self._total is not None else ""
        sys.stderr.write(f"\r\x1b[K{self._what}: {self._count}{of_total}")
        sys.stderr.flush()

    def done(self) -> None:
        """Remove the progress line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
