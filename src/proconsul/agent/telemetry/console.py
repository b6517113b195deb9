"""What the agent tells on standard output: its start, then its log.

It is written at once and past Python's buffers: what a full disk refuses would stay in those, come again and again, and
end the process with an error at last.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

__all__ = ["Console"]


class Console:
    """Text for ``stream``, by default for standard output; for nobody, when that is closed."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO | None = stream if stream is not None else sys.stdout
        try:
            self._file = self._stream.fileno() if self._stream is not None else -1
        except OSError:  # it is no file, as in tests
            self._file = -1
        # Of a text that was taken in part: it comes first.
        self._rest = b""

    def write(self, text: str) -> None:
        """Raises OSError; then nothing of ``text`` is there, nor will be."""
        if self._stream is None:
            return
        if self._file < 0:
            self._stream.write(text)
            self._stream.flush()
            return
        self._finish()
        self._rest = data = text.encode(self._stream.encoding or "utf-8", "backslashreplace")
        try:
            self._finish()
        except OSError:
            if len(self._rest) == len(data):
                self._rest = b""
                raise

    def _finish(self) -> None:
        while self._rest:
            self._rest = self._rest[os.write(self._file, self._rest) :]

    def tell(self, text: str) -> None:
        """The same, for what may be lost."""
        with contextlib.suppress(OSError):
            self.write(text)
