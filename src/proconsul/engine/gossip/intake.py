"""What incoming streams may hold: their number while they are read, and their bytes. Pure.

The original has neither bound: a thousand connections that each begin a message of 20 MiB are 20 GiB. Honest streams
are read within milliseconds, so the one that has taken longest, or has sent most, makes room for the next.
"""

from __future__ import annotations

from typing import Generic, TypeVar

# Streams being read at a time, well below the 1024 files that a process may usually open; two pools have one each.
READING_MAX = 256
# Bytes held together: three of the longest messages there are (stream.MESSAGE_BYTES_MAX).
HELD_BYTES_MAX = 64 << 20

T = TypeVar("T")


class Intake(Generic[T]):
    """Streams from their first byte to their end. ``T`` is whatever the driver knows a stream by."""

    def __init__(self) -> None:
        self._reading: dict[T, int] = {}
        self._serving: dict[T, int] = {}
        self._held_bytes = 0

    def begin(self, stream: T) -> T | None:
        """A stream was accepted. Returns the one to be closed for it, if there are too many."""
        self._reading[stream] = 0
        return next(iter(self._reading)) if len(self._reading) > READING_MAX else None

    def grow(self, stream: T, count: int) -> T | None:
        """``count`` bytes of a message came. Returns the stream to be closed, maybe this one, if that is too much.

        What still comes of one that was ended does not count.
        """
        if stream not in self._reading:
            return None
        self._reading[stream] += count
        self._held_bytes += count
        return max(self._reading, key=self._reading.__getitem__) if self._held_bytes > HELD_BYTES_MAX else None

    def serve(self, stream: T) -> None:
        """The message is there; its bytes are held until it was dealt with, and nobody takes its place."""
        if stream in self._reading:
            self._serving[stream] = self._reading.pop(stream)

    def end(self, stream: T) -> None:
        """The stream is closed. Nothing happens when it is closed already."""
        self._held_bytes -= self._reading.pop(stream, 0) + self._serving.pop(stream, 0)
