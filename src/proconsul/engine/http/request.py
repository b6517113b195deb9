"""Requests and responses of the HTTP front door: plain values, no sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from proconsul.engine.http.syntax import valid_escapes
from proconsul.engine.http.upload import Upload

# What the original's server makes of an answer without a type of its own.
PLAIN_TEXT = "text/plain; charset=utf-8"


def parse_query(text: str) -> dict[str, list[str]]:
    """``a=1&b`` as a map of lists. Pairs with broken escapes are dropped, as Go's url.Query does."""
    found: dict[str, list[str]] = {}
    if not text:
        return found
    if ";" in text:
        text = text.replace(";", "&")
    for pair in text.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            if not valid_escapes(pair):
                continue
            name, value = _unescape(name), _unescape(value)
        found.setdefault(name, []).append(value)
    return found


def encode_query(query: dict[str, list[str]]) -> str:
    """The query in Go's canonical form: sorted, escaped, with ``=`` everywhere."""
    pairs = ((name, value) for name in sorted(query) for value in query[name])
    return "&".join(f"{_escape(name)}={_escape(value)}" for name, value in pairs)


def _escape(text: str) -> str:
    return quote_plus(text, errors="surrogateescape")


def _unescape(text: str) -> str:
    return unquote_plus(text, "utf-8", "surrogateescape")


class Request:
    """One request with its whole body, or with an ``upload`` where its route streams.

    ``path`` is decoded, ``raw_path`` as sent.
    """

    __slots__ = (
        "_query",
        "body",
        "body_bytes",
        "headers",
        "keep_alive",
        "method",
        "params",
        "path",
        "peer",
        "query_string",
        "raw_path",
        "route",
        "upload",
        "version",
    )

    def __init__(self, method: str, raw_path: str, path: str, query_string: str, headers: dict[str, str]) -> None:
        self.method = method
        self.raw_path = raw_path
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.body = b""
        # The length of the body that was sent; the body itself is empty when that is over the route's limit.
        self.body_bytes = 0
        # The body that is still arriving, on routes that stream.
        self.upload: Upload | None = None
        self.peer = ""
        self.version = "1.1"
        self.keep_alive = True
        # What follows a route's prefix: the key, the node name, the check id.
        self.params = ""
        # The route found for it, by the front door (a `Route`; the router knows requests, not the other way round).
        self.route: Any = None
        self._query: dict[str, list[str]] | None = None

    @property
    def query(self) -> dict[str, list[str]]:
        if self._query is None:
            self._query = parse_query(self.query_string)
        return self._query

    def has(self, name: str) -> bool:
        """Whether the query names ``name``, with or without a value."""
        return bool(self.query_string) and name in self.query

    def get(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        if not self.query_string:
            return default
        values = self.query.get(name)
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        return self.query.get(name, [])

    async def parts(self) -> AsyncIterator[bytes]:
        """The body in pieces, wherever it is. Raises UploadError when it ends before its end."""
        if self.upload is None:
            yield self.body
            return
        async for part in self.upload.read():
            yield part

    def header(self, name: str, default: str = "") -> str:
        """A header by lower-case name."""
        return self.headers.get(name, default)


class Response:
    """One response; Date and length are added when it is sent.

    ``lines`` are header lines that are encoded already, sent before ``headers``; ``stream`` replaces ``body``.
    ``shared`` promises that the same object answers many requests and is not changed any more: it is encoded once.
    """

    __slots__ = ("body", "close", "encoded", "headers", "lines", "shared", "status", "stream")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        stream: AsyncIterator[bytes] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = headers if headers is not None else {}
        self.stream = stream
        self.close = False
        self.lines = b""
        self.shared = False
        # For the protocol: what a plain request is sent, and the Date line in it.
        self.encoded: tuple[bytes, bytes] | None = None


class Deferred:
    """A response that will come later, without a task: `resolve` it once, or learn through ``on_cancel``.

    Cheaper than a future: ten thousand waiting readers are ten thousand of these and a timer each.
    """

    __slots__ = ("_deliver", "_response", "cancelled", "on_cancel", "on_done", "on_hurry")

    def __init__(self) -> None:
        self._response: Response | None = None
        self._deliver: Callable[[Response], None] | None = None
        self.on_cancel: Callable[[], None] | None = None
        # For what waits by choice: has it answer with what there is now.
        self.on_hurry: Callable[[], None] | None = None
        self.on_done: Callable[[], None] | None = None
        self.cancelled = False

    @property
    def resolved(self) -> bool:
        """Whether the response is there."""
        return self._response is not None

    def resolve(self, response: Response) -> None:
        """Deliver the response. Later calls, and calls after cancel, do nothing."""
        if self.cancelled or self._response is not None:
            return
        self._response = response
        on_done, deliver = self.on_done, self._deliver
        # Whoever listens refers to this object: let go, so that no cycle is left for the collector.
        self.on_done = self.on_cancel = self.on_hurry = self._deliver = None
        if on_done is not None:
            on_done()
        if deliver is not None:
            deliver(response)

    def when_done(self, deliver: Callable[[Response], None]) -> None:
        if self._response is not None:
            deliver(self._response)
        else:
            self._deliver = deliver

    def hurry(self) -> None:
        """The peer has said its last word and may be gone: what waits for a change answers now."""
        on_hurry, self.on_hurry = self.on_hurry, None
        if on_hurry is not None:
            on_hurry()

    def cancel(self) -> None:
        """The peer is gone: whoever would resolve this may stop."""
        if not self.cancelled and self._response is None:
            self.cancelled = True
            on_cancel = self.on_cancel
            self.on_done = self.on_cancel = self.on_hurry = self._deliver = None
            if on_cancel is not None:
                on_cancel()


def text_response(status: int, text: str) -> Response:
    """A plain text answer, as all errors are."""
    try:
        body = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        body = text.encode("utf-8", "replace")
    return Response(
        status, body,
        {"Content-Type": PLAIN_TEXT, "Vary": "Accept-Encoding"},
    )  # fmt: skip
