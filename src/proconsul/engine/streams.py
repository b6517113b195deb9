"""Writing to a connection that may be over, and what event loops leave behind of those who are cancelled.

What ends a connection and what notices it are two things: its transport is closed, while the coroutine that reads has
not had its turn. asyncio drops what is written meanwhile; uvloop raises RuntimeError, which no handler of network
errors catches. So every `asyncio.StreamWriter` here is written to through `put` and ended through `put_eof`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import TypeVar

S = TypeVar("S", bound=asyncio.AbstractServer)

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


async def connected(sock: socket.socket, making: Awaitable[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]) -> None:
    """Wait for an event loop to put a protocol on ``sock``, which is its own, or closed, from now on. Raises OSError.

    Who is cancelled meanwhile leaves a protocol behind that may know its transport, and have data, already. uvloop
    closes that transport and does not say so; here the protocol is told that the connection is lost. The socket must
    not be closed before: the loop would go on with its number, whosever that is by then.
    """
    made = asyncio.ensure_future(making)
    try:
        await asyncio.shield(made)
    except asyncio.CancelledError:
        made.add_done_callback(partial(_abort, sock))
        raise
    except BaseException:
        sock.close()
        raise


async def listener(making: Awaitable[S]) -> S:
    """As ``await making``, of a server of an event loop. Raises OSError.

    Who is cancelled in the turn that a server needs to begin leaves one behind that listens, and that nobody knows:
    here it is waited for, and closed.
    """
    made = asyncio.ensure_future(making)
    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        while not made.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([made])
        if not made.cancelled() and made.exception() is None:
            made.result().close()
        raise


def _abort(sock: socket.socket, made: asyncio.Future[tuple[asyncio.BaseTransport, asyncio.BaseProtocol]]) -> None:
    if made.cancelled() or made.exception() is not None:
        sock.close()
        return
    transport = made.result()[0]
    assert hasattr(transport, "abort")
    transport.abort()
