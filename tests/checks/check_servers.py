"""Small real servers on loopback for check tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(handler: Handler, ssl_context: object = None) -> AsyncIterator[int]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=ssl_context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def unix_server(handler: Handler, path: Path) -> AsyncIterator[str]:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(closing, str(path))
    async with server:
        yield str(path)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, list[str]], bytes]:
    """The request line, the headers in lower case and the body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.split("\r\n")
    header: dict[str, list[str]] = {}
    for row in rest:
        if row:
            name, _, value = row.partition(": ")
            header.setdefault(name.lower(), []).append(value)
    body = await reader.readexactly(int(header.get("content-length", ["0"])[0]))
    return line, header, body


def reply(status: str = "200 OK", body: bytes = b"hello", **header: str) -> bytes:
    rows = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    rows += [f"{name.replace('_', '-')}: {value}" for name, value in header.items()]
    return ("\r\n".join(rows) + "\r\n\r\n").encode() + body
