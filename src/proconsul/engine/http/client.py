"""The client's side of HTTP/1.1 as Go's net/http has it, without a connection: what to send, and what is made of the
bytes that come back. `fetch` (asyncio) and `blocking` (sockets) are the two shells around it.

Redirects, chunked and gzip bodies are understood; nothing is pooled (``Connection: close``). Pure. The texts of errors
are Go's; what is read, and how, was told by Consul 1.8.7, whose checks and commands were given such answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urljoin

from proconsul.engine.http.fields import FieldError, canonical, host_of, require_fields, require_method
from proconsul.engine.http.message import (
    HEAD_END,
    VERSION,
    VERSION_MAX,
    ChunkError,
    Chunks,
    MalformedField,
    read_fields,
)
from proconsul.engine.http.url import Url, UrlError, parse
from proconsul.engine.wire.gostrconv import NumberError, parse_int, parse_uint
from proconsul.engine.wire.text import quoted

__all__ = ["REDIRECTS_MAX", "Exchange", "HttpClientError", "ResponseHead", "ResponseReader", "shown_url"]

# Of Go's client, which operators see in the error text.
REDIRECTS_MAX: Final = 10
HEADER_BYTES_MAX: Final = 10 << 20
_INFORMATIONAL_MAX: Final = 5
# A packed body is unpacked in pieces, so that one which unpacks to gigabytes costs time but no memory.
_PIECE_BYTES: Final = 16 * 1024
_REDIRECT_CODES: Final = frozenset({301, 302, 303, 307, 308})
_BODILESS_CODES: Final = frozenset({204, 304})
_BROKEN: Final = "net/http: HTTP/1.x transport connection broken"
# What the client decides itself, and what another host must not be told.
_OWN_FIELDS: Final = frozenset({"Content-Length", "Host", "Trailer", "Transfer-Encoding", "User-Agent"})
_SECRET_FIELDS: Final = frozenset({"Authorization", "Www-Authenticate", "Cookie", "Cookie2", "X-Consul-Token"})
_BLANK: Final = " \t"


class HttpClientError(Exception):
    """The request failed. ``str()`` is the text to show."""


class ResponseHead(NamedTuple):
    """``status_text`` is the code with its reason, as sent (``200 OK``); names are in small letters, first values."""

    status: int
    status_text: str
    headers: dict[str, str]


# ---------------------------------------------------------------------- the answer


class ResponseReader:
    """Takes in one answer in pieces of any size. ``on_body`` gets the body, unpacked, while it comes.

    ``head`` is there once it was read, ``done`` says that no more is wanted. Raises HttpClientError; with a ``head``
    it was the body that broke off.
    """

    def __init__(self, method: str, on_body: Callable[[bytes], None]) -> None:
        self.head: ResponseHead | None = None
        self.done = False
        self._method = method
        self._sink = on_body
        self._buffer = bytearray()
        self._searched = 0
        self._line_seen = False
        self._informational = 0
        # What is left of a body of known length, None for one that ends with the connection.
        self._left: int | None = None
        self._chunks: Chunks | None = None
        self._unzip: _Unzip | None = None
        # Whether the other side keeps the connection, and whether it has sent more than the answer.
        self._keeps = self._excess = False

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on the connection: the answer is over, and says where it ends."""
        return self.done and self._keeps and not self._excess

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        if self.done:
            self._excess = True
            return
        if self.head is None:
            self._buffer += data
            while self.head is None and not self.done:
                if not self._take_head():
                    return
            data, self._buffer = bytes(self._buffer), bytearray()
            self._excess = self.done and bool(data)
        if data and not self.done:
            self._take_body(data)

    def end(self) -> None:
        """No more bytes come. Raises HttpClientError unless that is how the answer ends."""
        if self.done:
            return
        if self.head is None:
            if not self._buffer and not self._informational:
                raise HttpClientError("EOF")
            # A line counts as whole at the end: what is wrong with it is said first.
            lines = bytes(self._buffer).split(b"\n")
            if self._buffer:
                _status_line(lines[0])
                _fields([line for line in lines[1:] if line])
            raise HttpClientError(f"{_BROKEN}: unexpected EOF")
        self.done = True
        if self._chunks is not None:
            raise HttpClientError(
                "http: unexpected EOF reading trailer" if self._chunks.in_trailer else "unexpected EOF"
            )
        if self._left:
            raise HttpClientError("unexpected EOF")
        self._finish()

    # ------------------------------------------------------------------ head

    def _take_head(self) -> bool:
        """Whether a whole head was there."""
        if not self._line_seen and b"\n" in self._buffer:
            self._line_seen = True
            _status_line(bytes(self._buffer.partition(b"\n")[0]))  # what is no HTTP need not be waited for
        found = HEAD_END.search(self._buffer, self._searched)
        if found is None or found.end() > HEADER_BYTES_MAX:
            if len(self._buffer) > HEADER_BYTES_MAX:
                text = f"net/http: server response headers exceeded {HEADER_BYTES_MAX} bytes; aborted"
                raise HttpClientError(f"{_BROKEN}: {text}")
            self._searched = max(len(self._buffer) - 2, 0)
            return False
        lines = bytes(self._buffer[: found.end()]).split(b"\n")
        del self._buffer[: found.end()]
        self._searched, self._line_seen = 0, False
        status, status_text, version = _status_line(lines[0])
        head = self._framed(status, status_text, version, _fields(lines[1:-2]))
        if 100 <= status < 200 and status != 101:
            self._informational += 1
            if self._informational > _INFORMATIONAL_MAX:
                raise HttpClientError(f"{_BROKEN}: net/http: too many 1xx informational responses")
            return True
        self.head = head
        if self._method == "HEAD" or status == 101 or status in _BODILESS_CODES or self._left == 0:
            self.done = True
        if self._left == 0 and head.headers.get("content-encoding", "").lower() == "gzip":
            raise HttpClientError("EOF")
        return True

    def _framed(
        self, status: int, status_text: str, version: tuple[int, int], fields: Sequence[tuple[str, str]]
    ) -> ResponseHead:
        """Note how long the body is. Raises HttpClientError for what cannot be known."""
        headers: dict[str, str] = {}
        for name, value in fields:
            headers.setdefault(name, value)
        codings = [value for name, value in fields if name == "transfer-encoding"] if version >= (1, 1) else []
        self._chunks, self._left = None, None
        if len(codings) > 1:
            raise HttpClientError(f"{_BROKEN}: too many transfer encodings: {_all_quoted(codings)}")
        if codings:
            if codings[0].lower() != "chunked":
                raise HttpClientError(f"{_BROKEN}: unsupported transfer encoding: {quoted(codings[0])}")
            self._chunks = Chunks()
        lengths = [value for name, value in fields if name == "content-length"] if not codings else []
        if len(set(lengths)) > 1:
            text = f"http: message cannot contain multiple Content-Length headers; got {_all_quoted(lengths)}"
            raise HttpClientError(f"{_BROKEN}: {text}")
        if lengths and lengths[0] and status not in _BODILESS_CODES and status >= 200 and self._method != "HEAD":
            try:
                self._left = parse_uint(lengths[0], bits=63)
            except NumberError:
                raise HttpClientError(f"{_BROKEN}: bad Content-Length {quoted(lengths[0])}") from None
        if headers.get("content-encoding", "").lower() == "gzip":
            self._unzip = _Unzip(self._sink)
        self._keeps = (
            version >= (1, 1) and "close" not in headers.get("connection", "").lower()
            and (self._left is not None or self._chunks is not None or status in _BODILESS_CODES
                 or self._method == "HEAD")
        )  # fmt: skip
        return ResponseHead(status, status_text, headers)

    # ------------------------------------------------------------------ body

    def _take_body(self, data: bytes) -> None:
        if self._chunks is not None:
            parts: list[bytes] = []
            try:
                self._excess = self._chunks.feed(data, 0, parts) < len(data)
            except ChunkError as error:
                raise HttpClientError(error.text) from None
            finally:
                for part in parts:
                    self._give(part)
            if self._chunks.done:
                self._finish()
            return
        if self._left is not None:
            self._excess = len(data) > self._left
            data = data[: self._left]
            self._left -= len(data)
        self._give(data)
        if self._left == 0:
            self._finish()

    def _give(self, data: bytes) -> None:
        if self._unzip is not None:
            self._unzip.feed(data)
        elif data:
            self._sink(data)

    def _finish(self) -> None:
        self.done = True
        if self._unzip is not None:
            self._unzip.finish()


def _status_line(line: bytes) -> tuple[int, str, tuple[int, int]]:
    """Code, code with reason, version. Raises HttpClientError."""
    text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    protocol, space, rest = text.partition(" ")
    if not space:
        raise HttpClientError(f"{_BROKEN}: malformed HTTP response {quoted(text)}")
    status_text = rest.lstrip(" ")
    code = status_text.partition(" ")[0]
    try:
        status = parse_int(code)
    except NumberError:
        status = -1
    if len(code) != 3 or status < 0:
        raise HttpClientError(f"{_BROKEN}: malformed HTTP status code {quoted(code)}")
    match = VERSION.fullmatch(protocol.encode("utf-8", "surrogateescape"))
    if match is None or max(int(match[1][:9]), int(match[2][:9])) > VERSION_MAX:
        raise HttpClientError(f"{_BROKEN}: malformed HTTP version {quoted(protocol)}")
    shown = status_text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return status, shown, (int(match[1]), int(match[2]))


def _fields(lines: list[bytes]) -> list[tuple[str, str]]:
    """Names in small letters and values; what is no name is not looked at. Raises HttpClientError."""
    try:
        return read_fields(lines)[0]
    except MalformedField as error:
        raise HttpClientError(f"{_BROKEN}: {error.text}") from None


def _all_quoted(values: Sequence[str]) -> str:
    return f"[{' '.join(map(quoted, values))}]"


class _Unzip:
    """Unpacks gzip, one member behind the other. Raises HttpClientError with Go's texts."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        import zlib

        self._sink = sink
        self._zlib = zlib
        self._member = zlib.decompressobj(wbits=31)
        self._fed = self._inside = False

    def feed(self, data: bytes) -> None:
        while data:
            self._fed = self._inside = True
            try:
                piece = self._member.decompress(data, _PIECE_BYTES)
            except self._zlib.error as error:
                raise HttpClientError(_unzip_text(str(error))) from None
            if piece:
                self._sink(piece)
            data = self._member.unconsumed_tail
            if self._member.eof:
                data, self._inside = self._member.unused_data, False
                self._member = self._zlib.decompressobj(wbits=31)

    def finish(self) -> None:
        if self._inside or not self._fed:
            raise HttpClientError("unexpected EOF" if self._fed else "EOF")


def _unzip_text(reason: str) -> str:
    if "header" in reason:
        return "gzip: invalid header"
    return "gzip: invalid checksum" if "check" in reason else "flate: corrupt input"


# ---------------------------------------------------------------------- the request


class Exchange:
    """One request and the redirects it leads to: what to send, to whom, and how to say that it failed.

    ``body`` None with ``streamed`` is one of unknown length that goes out in chunks. ``place``: whom to ask first,
    where ``url`` is only shown. ``gzip``: ask for packed bodies. Raises HttpClientError.
    """

    def __init__(
        self, url: str, method: str = "GET", header: Mapping[str, Sequence[str]] | None = None,
        body: bytes | None = None, *, streamed: bool = False, gzip: bool = True, place: Url | None = None,
    ) -> None:  # fmt: skip
        self.method = method or "GET"
        # What error texts show: the URL, or where the last redirect led, as it was given.
        self.url = url
        self.body = body
        self.streamed = streamed
        self._absolute = url
        self._header = {canonical(name): list(values) for name, values in (header or {}).items()}
        self._given = dict(header or {})
        self._gzip = gzip
        self._redirects = 0
        self._place = place
        try:
            require_method(self.method)
        except FieldError as error:
            raise HttpClientError(str(error)) from None

    def place(self) -> Url:
        """Whom to ask. Raises HttpClientError."""
        try:
            parts = self._place or parse(self._absolute)
        except UrlError as error:
            raise HttpClientError(str(error)) from None
        if parts.scheme in ("http", "https"):
            try:
                require_fields(self._given)
            except FieldError as error:
                raise self.failed(str(error)) from None
        else:
            raise self.failed(f"unsupported protocol scheme {quoted(parts.scheme)}")
        if not parts.authority:
            raise self.failed("http: no Host in request URL")
        return parts

    def head(self, parts: Url) -> bytes:
        """The request up to its body. What is in it was found to fit into its lines."""
        header = self._header
        given = {name: values for name, values in header.items() if name not in _OWN_FIELDS}
        host = host_of(next(iter(header.get("Host", [])), "") or parts.authority)
        agent = next(iter(header.get("User-Agent", [])), "") or "Go-http-client/1.1"
        lines = [f"{self.method} {parts.target} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent.strip()}"]
        if self.streamed:
            lines.append("Transfer-Encoding: chunked")
        elif self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body or b'')}")
        if parts.user is not None and "Authorization" not in given:
            given["Authorization"] = [_basic(*parts.user)]
        for name, values in sorted(given.items(), key=lambda field: field[0].lower()):
            lines.extend(f"{name}: {value.strip(_BLANK)}" for value in values)
        if self._gzip and "Accept-Encoding" not in given and "Range" not in given and self.method != "HEAD":
            lines.append("Accept-Encoding: gzip")
        lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def redirected(self, head: ResponseHead) -> bool:
        """Whether the answer sends us elsewhere; then `place` and `head` are of the next request."""
        if head.status not in _REDIRECT_CODES:
            return False
        location = head.headers.get("location", "").encode("latin-1").decode("utf-8", "surrogateescape")
        keeps_method = head.status in (307, 308)
        if keeps_method and (not location or self.streamed):
            return False
        if not location:
            raise self.failed(f"{head.status} response missing Location header")
        before = self.place()
        try:
            relative = not parse(location).scheme
            self._absolute = urljoin(f"{before.scheme}://{before.authority}{before.target}", location)
            after = parse(self._absolute)
        except ValueError as error:
            raise self.failed(f"failed to parse Location header {quoted(location)}: {error}") from None
        self.url, self._place = location, None
        self._redirects += 1
        if self._redirects >= REDIRECTS_MAX:
            raise self.failed(f"stopped after {REDIRECTS_MAX} redirects")
        if not keeps_method:
            self.method = "HEAD" if self.method == "HEAD" else "GET"
            self.body, self.streamed = None, False
        self._redirect_fields(before, after, relative=relative)
        return True

    def _redirect_fields(self, before: Url, after: Url, *, relative: bool) -> None:
        if not relative:
            self._header.pop("Host", None)
        if after.hostname != before.hostname and not after.hostname.endswith(f".{before.hostname}"):
            self._header = {name: values for name, values in self._header.items() if name not in _SECRET_FIELDS}
        if not (before.scheme == "https" and after.scheme == "http"):
            self._header["Referer"] = [f"{before.scheme}://{before.authority}{before.target}"]

    def failed(self, reason: str) -> HttpClientError:
        """The error to raise: ``Get "http://...": reason``."""
        verb = self.method[:1].upper() + self.method[1:].lower()
        return HttpClientError(f"{verb} {quoted(self.url if self._place else shown_url(self.url))}: {reason}")


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


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
