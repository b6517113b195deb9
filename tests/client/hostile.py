"""A server that does what it is told, be it sensible or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

# Gets the request's number, counted from 0, and whom to answer.
Script = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"true", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An answer; ``length``: another than the body has."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def in_turn(*answers: bytes | None) -> Script:
    """Send these, one for each request, the last one again and again; None ends the connection."""

    async def script(number: int, writer: asyncio.StreamWriter) -> None:
        data = answers[min(number, len(answers) - 1)]
        if data is None or not data.startswith(b"HTTP"):
            writer.write(data or b"")
            writer.close()
        else:
            writer.write(data)
            if data.endswith(b"\0END"):
                writer.close()

    return script


class Hostile:
    """Where it is, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()


@asynccontextmanager
async def hostile(script: Script) -> AsyncIterator[Hostile]:
    """Serve by ``script`` while the block runs."""
    about = Hostile()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        about.connections += 1
        about.open.add(writer)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        head += await reader.readexactly(int(line.partition(b":")[2]))
                about.requests.append(head)
                await script(len(about.requests) - 1, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            about.open.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    about.address = "{}:{}".format(*server.sockets[0].getsockname())
    try:
        yield about
    finally:
        server.close()
        for writer in list(about.open):
            writer.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def pieces(data: bytes, size: int) -> Sequence[bytes]:
    """``data`` cut up."""
    return [data[begin : begin + size] for begin in range(0, len(data), size)]
