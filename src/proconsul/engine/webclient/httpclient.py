"""A small HTTP/1.1 client: one request, one connection, bounded memory, Go's error texts.

Streams the body into a callback, so that a check keeps only the end of it. Redirects, chunked and gzip bodies and TLS
are understood; nothing is pooled (``Connection: close``): a check shall see what a new client would see.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proconsul.engine.streams import put
from proconsul.engine.webclient.dial import DialError, Stream, dial, dial_unix
from proconsul.engine.webclient.httpfields import FieldError, canonical, host_of, require_fields, require_method
from proconsul.engine.webclient.url import Url, UrlError, parse
from proconsul.engine.wire.text import quoted

if TYPE_CHECKING:
    import ssl
__all__ = ["HttpClientError", "HttpRequest", "HttpResponse", "fetch", "parse_url", "shown_url"]

# 10: the limit of Go's client, which operators see in the error text.
_REDIRECTS_MAX: Final = 10
# 256 header lines of at most 64 KiB (the stream's limit): far above any real server.
_HEADER_LINES_MAX: Final = 256
_READ_BYTES: Final = 16 * 1024
_REDIRECT_CODES: Final = frozenset({301, 302, 303, 307, 308})
_BODILESS_CODES: Final = frozenset({204, 304})


@functools.cache
def _system_context() -> ssl.SSLContext:
    """Trusts the system's authorities. Kept: loading them is slow."""
    import ssl

    return ssl.create_default_context()


class HttpClientError(Exception):
    """The request failed. ``str()`` is the text to show."""


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


@dataclass(frozen=True)
class HttpResponse:
    status: int
    reason: str
    header: Mapping[str, str]  # lower-case names, first value

    @property
    def status_text(self) -> str:
        """``200 OK``."""
        return f"{self.status} {self.reason}".rstrip()


def parse_url(url: str) -> Url:
    """Take a URL apart. Raises HttpClientError with Go's text."""
    try:
        return parse(url)
    except UrlError as error:
        raise HttpClientError(str(error)) from None


def shown_url(url: str) -> str:
    """The URL as error texts show it: with the password hidden."""
    head, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    authority = authority.removesuffix(":")
    user, at, host = authority.rpartition("@")
    if separator and at and ":" in user:
        name = user.partition(":")[0]
        return f"{head}://{name}:xxxxx@{host}{slash}{path}"
    return f"{head}{separator}{authority}{slash}{path}"


def _failed(method: str, url: str, text: str) -> HttpClientError:
    verb = (method or "GET")[:1].upper() + (method or "GET")[1:].lower()
    return HttpClientError(f"{verb} {quoted(shown_url(url))}: {text}")


async def fetch(request: HttpRequest, on_body: Callable[[bytes], None], timeout_s: float) -> HttpResponse:
    """Do the request and its redirects; feed the final body to ``on_body``.

    Raises HttpClientError. When the time runs out inside the body the answer stands with what was read.
    """
    try:
        require_method(request.method or "GET")
    except FieldError as error:
        raise HttpClientError(str(error)) from None
    state = _Exchange(request, on_body)
    try:
        async with asyncio.timeout(timeout_s):
            await state.run()
    except TimeoutError:
        if state.response is None:
            text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            raise _failed(state.method, state.url, text) from None
    assert state.response is not None
    return state.response


class _Exchange:
    """One request and the redirects it leads to."""

    def __init__(self, request: HttpRequest, on_body: Callable[[bytes], None]) -> None:
        self.request = request
        self.on_body = on_body
        self.url = request.url
        self.method = request.method or "GET"
        self.body = request.body
        self.response: HttpResponse | None = None

    async def run(self) -> None:
        from urllib.parse import urljoin

        absolute = self.url
        for _ in range(_REDIRECTS_MAX):
            location = await self.once(absolute)
            if location is None:
                return
            try:
                parse_url(location)
                absolute = urljoin(absolute, location)
            except (HttpClientError, ValueError) as error:
                text = f"failed to parse Location header {quoted(location)}: {error}"
                raise _failed(self.method, self.url, text) from None
            self.url = location
        raise _failed(self.method, self.url, f"stopped after {_REDIRECTS_MAX} redirects")

    async def once(self, absolute: str) -> str | None:
        """One round; return where it redirects to, or None when it is the answer."""
        parts = parse_url(_on_the_socket(absolute) if self.request.unix_path else absolute)
        try:
            if parts.scheme in ("http", "https"):
                require_fields(self.request.header or {})
            stream = await self.connect(parts)
        except FieldError as error:
            raise _failed(self.method, self.url, str(error)) from None
        except DialError as error:
            raise _failed(self.method, self.url, str(error)) from None
        reader, writer = stream
        try:
            put(writer, self.head(parts) + self.body)
            await writer.drain()
            response = await _read_head(reader)
            if response.status in _REDIRECT_CODES and self.request.follow_redirects:
                return self.redirect(response)
            self.response = response
            if self.method != "HEAD" and response.status not in _BODILESS_CODES:
                await _read_body(reader, response, self.on_body)
            return None
        except HttpClientError as error:
            raise _failed(self.method, self.url, str(error)) from None
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            if self.response is not None:
                return None  # The status is known; a body that breaks off does not change it.
            text = "EOF" if isinstance(error, asyncio.IncompleteReadError) else _read_text(error)
            raise _failed(self.method, self.url, text) from None
        finally:
            writer.close()

    def redirect(self, response: HttpResponse) -> str:
        location = response.header.get("location", "")
        if not location:
            raise HttpClientError(f"{response.status} response missing Location header")
        if response.status in (301, 302, 303):
            self.method = "HEAD" if self.method == "HEAD" else "GET"
            self.body = b""
        return location

    async def connect(self, parts: Url) -> Stream:
        if self.request.unix_path:
            return await dial_unix(self.request.unix_path)
        if parts.scheme not in ("http", "https"):
            raise DialError(f"unsupported protocol scheme {quoted(parts.scheme)}")
        if not parts.hostname:
            raise DialError("http: no Host in request URL")
        if parts.scheme == "http":
            return await dial(parts.hostname, parts.port or 80)
        # Whoever asks http may be sent on to https.
        context = self.request.context or _system_context
        return await dial(parts.hostname, parts.port or 443, context(), self.request.server_name)

    def head(self, parts: Url) -> bytes:
        """The request up to its body. What is in it was found to fit into its lines."""
        header = {canonical(name): list(values) for name, values in (self.request.header or {}).items()}
        given = {name: values for name, values in header.items() if name not in _OWN_FIELDS}
        host = host_of(next(iter(header.get("Host", [])), "") or parts.authority)
        agent = next(iter(header.get("User-Agent", [])), "") or "Go-http-client/1.1"
        lines = [f"{self.method} {parts.target} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent.strip()}"]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body)}")
        if parts.user is not None and "Authorization" not in given:
            given["Authorization"] = [_basic(*parts.user)]
        for name, values in sorted(given.items(), key=lambda field: field[0].lower()):
            lines.extend(f"{name}: {value.strip(_BLANK)}" for value in values)
        if "Accept-Encoding" not in given and "Range" not in given and self.method != "HEAD":
            lines.append("Accept-Encoding: gzip")
        lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _on_the_socket(url: str) -> str:
    """The URL without its host, which stands for the path of a socket."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://localhost/{rest.partition('/')[2]}"


# What the client decides itself.
_OWN_FIELDS: Final = frozenset({"Content-Length", "Host", "Trailer", "Transfer-Encoding", "User-Agent"})
_BLANK: Final = " \t"


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()


def _read_text(error: Exception) -> str:
    from proconsul.engine.webclient.dial import errno_text

    if isinstance(error, OSError):
        return f"read: {errno_text(error)}"
    return "net/http: HTTP/1.x transport connection broken: malformed response"


async def _read_head(reader: asyncio.StreamReader) -> HttpResponse:
    """Read the status line and headers; informational answers are skipped."""
    while True:
        line = await reader.readline()
        if not line:
            raise HttpClientError("EOF")
        text = line.decode("latin-1").rstrip("\r\n")
        version, _, rest = text.partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/") or not (len(code) == 3 and code.isdigit()):
            broken = "net/http: HTTP/1.x transport connection broken"
            raise HttpClientError(f"{broken}: malformed HTTP response {quoted(text)}")
        header = await _read_header(reader)
        if int(code) >= 200 or int(code) == 101:
            return HttpResponse(int(code), rest[3:].strip(), header)


async def _read_header(reader: asyncio.StreamReader) -> dict[str, str]:
    header: dict[str, str] = {}
    for _ in range(_HEADER_LINES_MAX):
        line = await reader.readline()
        if not line:
            raise HttpClientError("unexpected EOF")
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return header
        name, _, value = text.partition(":")
        header.setdefault(name.strip().lower(), value.strip())
    raise HttpClientError("net/http: server response headers exceeded limit")


async def _read_body(reader: asyncio.StreamReader, response: HttpResponse, on_body: Callable[[bytes], None]) -> None:
    sink = on_body
    if response.header.get("content-encoding", "").lower() == "gzip":
        sink = _gunzip(on_body)
    if "chunked" in response.header.get("transfer-encoding", "").lower():
        await _read_chunks(reader, sink)
        return
    length = response.header.get("content-length", "")
    if length.isdigit():
        await _copy(reader.read, int(length), sink)
        return
    while data := await reader.read(_READ_BYTES):
        sink(data)


def _gunzip(on_body: Callable[[bytes], None]) -> Callable[[bytes], None]:
    import zlib

    unzip = zlib.decompressobj(wbits=31)

    def feed(data: bytes) -> None:
        # In pieces, so that a small body which unpacks to gigabytes costs time but no memory.
        while data:
            piece = unzip.decompress(data, _READ_BYTES)
            on_body(piece)
            data = unzip.unconsumed_tail
            if not piece and not data:
                return

    def guarded(data: bytes) -> None:
        try:
            feed(data)
        except zlib.error:
            raise ValueError("gzip: invalid data") from None

    return guarded


async def _copy(read: Callable[[int], Awaitable[bytes]], count: int, sink: Callable[[bytes], None]) -> None:
    while count > 0:
        data = await read(min(count, _READ_BYTES))
        if not data:
            return
        sink(data)
        count -= len(data)


async def _read_chunks(reader: asyncio.StreamReader, sink: Callable[[bytes], None]) -> None:
    while True:
        line = await reader.readline()
        size = int(line.split(b";", 1)[0].strip() or b"0", 16) if line else 0
        if size <= 0:
            return
        await _copy(reader.read, size, sink)
        await reader.readline()
