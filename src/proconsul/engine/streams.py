"""Writing to a connection that may be over.

What ends a connection and what notices it are two things: its transport is closed, while the coroutine that reads has
not had its turn. asyncio drops what is written meanwhile; uvloop raises RuntimeError, which no handler of network
errors catches. So every `asyncio.StreamWriter` here is written to through `put` and ended through `put_eof`.
"""

from __future__ import annotations

import asyncio

_OVER = "connection is closed"


def put(writer: asyncio.StreamWriter, data: bytes | bytearray) -> None:
    """As ``writer.write``. Raises ConnectionResetError when the connection is over."""
    if writer.is_closing():
        raise ConnectionResetError(_OVER)
    writer.write(data)


def put_eof(writer: asyncio.StreamWriter) -> None:
    """As ``writer.write_eof``. Raises ConnectionResetError when the connection is over."""
    if writer.is_closing():
        raise ConnectionResetError(_OVER)
    writer.write_eof()
