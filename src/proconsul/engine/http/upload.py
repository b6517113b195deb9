"""A request body that is handed on while it arrives, for bodies too large to hold (see `Route.streams`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

# What waits for its reader before the client's connection is no longer read.
WAITING_BYTES_MAX = 1 << 20


class UploadError(Exception):
    """The body ended before its end: the client went away, or what it sent is no body. ``str()`` says which."""


class Upload:
    """One body, between the connection that receives it (`feed`, `end`, `fail`) and the one who reads it.

    ``on_room`` is called when the reader has taken what was waiting, so that the connection is read again.
    """

    def __init__(self, on_room: Callable[[], None]) -> None:
        self._on_room = on_room
        self._parts: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._error: UploadError | None = None
        self._changed: asyncio.Event | None = None
        # Nothing more comes: the body is whole or broken.
        self.ended = False

    @property
    def full(self) -> bool:
        """Whether its reader is behind, so that no more should be received."""
        return self._waiting_bytes >= WAITING_BYTES_MAX

    def feed(self, part: bytes) -> None:
        """The next bytes of the body."""
        self._parts.append(part)
        self._waiting_bytes += len(part)
        self._wake()

    def end(self) -> None:
        """The body is whole."""
        self.ended = True
        self._wake()

    def fail(self, text: str) -> None:
        """The body will never be whole."""
        if not self.ended:
            self._error = UploadError(text)
            self.end()

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()

    async def read(self) -> AsyncIterator[bytes]:
        """The body as it comes, in pieces of about a megabyte at most. Raises UploadError behind the last good one."""
        self._changed = asyncio.Event()
        while True:
            while self._parts:
                data = b"".join(self._parts)
                self._parts.clear()
                self._waiting_bytes = 0
                self._on_room()
                yield data
            if self.ended:
                break
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None:
            raise self._error
