"""Requests over HTTP from the event loop: one request, one connection, bounded memory, Go's error texts.

The body streams into a callback, so that a check keeps only the end of it. Nothing is pooled, because a check shall
see what a new client would see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proconsul.engine.dial import DialError, Stream, dial, dial_unix
from proconsul.engine.http.client import Exchange, HttpClientError, ResponseHead, ResponseReader
from proconsul.engine.http.url import Url, parse
from proconsul.engine.streams import put
from proconsul.engine.wire.goerrors import read_error
from proconsul.engine.wire.hostport import Address

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpClientError", "HttpRequest", "fetch"]

_READ_BYTES: Final = 16 * 1024


@dataclass(frozen=True)
class HttpRequest:
    """What to ask. ``header`` may hold ``Host``; ``unix_path`` replaces the network address. Without ``context`` the
    system's authorities are trusted."""

    url: str
    method: str = "GET"
    header: Mapping[str, Sequence[str]] | None = None
    body: bytes = b""
    follow_redirects: bool = True
    context: Callable[[], ssl.SSLContext] | None = None
    server_name: str = ""
    unix_path: str = ""


async def fetch(request: HttpRequest, on_body: Callable[[bytes], None], timeout_s: float) -> ResponseHead:
    """Do the request and its redirects; feed the final body to ``on_body``.

    Raises HttpClientError. When the time runs out inside the body, or it breaks off, the answer stands with what was
    read.
    """
    place = parse(_on_the_socket(request.url)) if request.unix_path else None
    exchange = Exchange(request.url, request.method, request.header, request.body, place=place)
    answered: list[ResponseHead] = []
    try:
        async with asyncio.timeout(timeout_s):
            while not answered:
                await _once(request, exchange, on_body, answered)
    except TimeoutError:
        if not answered:
            text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            raise exchange.failed(text) from None
    return answered[0]


async def _once(
    request: HttpRequest, exchange: Exchange, on_body: Callable[[bytes], None], answered: list[ResponseHead]
) -> None:
    """One round. An answer that is no redirect is put into ``answered`` as soon as its head is there."""
    parts = exchange.place()
    try:
        reader, writer = await _connect(request, parts)
    except DialError as error:
        text = "http: server gave HTTP response to HTTPS client" if error.not_tls else str(error)
        raise exchange.failed(text) from None
    held: list[bytes] = []
    answer = ResponseReader(exchange.method, lambda data: on_body(data) if answered else held.append(data))
    try:
        put(writer, exchange.head(parts) + (exchange.body or b""))
        while not answer.done:
            data = await reader.read(_READ_BYTES)
            broken = _taken(answer, data)
            if answer.head is not None and not answered:
                if request.follow_redirects and exchange.redirected(answer.head):
                    return
                answered.append(answer.head)
                for piece in held:
                    on_body(piece)
            if broken is not None:
                if not answered:
                    raise exchange.failed(broken) from None
                return  # The status is known; a body that breaks off does not change it.
    except OSError as error:
        if not answered:
            raise exchange.failed(read_error(_shown(writer, "sockname"), _shown(writer, "peername"), error)) from None
    finally:
        writer.close()


def _shown(writer: asyncio.StreamWriter, what: str) -> object:
    name = writer.get_extra_info(what)
    return Address(*name[:2]) if isinstance(name, tuple) else name


def _taken(answer: ResponseReader, data: bytes) -> str | None:
    """Give the answer what came; why it is broken."""
    try:
        if data:
            answer.feed(data)
        else:
            answer.end()
    except HttpClientError as error:
        return str(error)
    return None


async def _connect(request: HttpRequest, parts: Url) -> Stream:
    """Raises DialError."""
    if request.unix_path:
        return await dial_unix(request.unix_path)
    if parts.scheme == "http":
        return await dial(parts.hostname, parts.port or 80)
    # Whoever asks http may be sent on to https.
    context = (request.context or _system_context)()
    return await dial(parts.hostname, parts.port or 443, context, request.server_name)


_contexts: list[ssl.SSLContext] = []


def _system_context() -> ssl.SSLContext:
    """The system's authorities; made once, as loading them is slow."""
    import ssl

    if not _contexts:
        _contexts.append(ssl.create_default_context())
    return _contexts[0]


def _on_the_socket(url: str) -> str:
    """The URL without its host, which stands for the path of a socket."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://localhost/{rest.partition('/')[2]}"
