"""A handler of log lines that never raises: a log that cannot be written to must not stop what is logged."""

from __future__ import annotations

import abc
import logging

__all__ = ["DroppingHandler"]


class DroppingHandler(logging.Handler, abc.ABC):
    """What `write` does not take is dropped and counted, and told of in the log as soon as it takes lines again."""

    dropped = 0

    @abc.abstractmethod
    def write(self, level: int, text: str) -> None:
        """Take one line, without its end, at once. Raises OSError; then nothing of it is there."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.dropped:
                told = logging.LogRecord("agent", logging.WARNING, "", 0, "Dropped lines of the log: dropped_count=%s",
                                         (self.dropped,), None)  # fmt: skip
                self.write(told.levelno, self.format(told))
                self.dropped = 0
            self.write(record.levelno, self.format(record))
        except OSError:
            self.dropped += 1
