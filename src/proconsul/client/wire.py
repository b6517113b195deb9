"""Calls as bytes and bytes as answers, without a connection. Pure.

What comes is read by the house's reader of answers; the usual one, which is there whole with its first piece, by a
quicker one that knows nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote

from proconsul.client.options import Pairs, encode_query
from proconsul.engine.http.client import HttpClientError, ResponseReader

__all__ = ["Answer", "AnswerReader", "Call", "Deadline", "Header", "path_of", "request_bytes"]

USER_AGENT: Final = "proconsul-client"
# Refused rather than filling memory; Consul's largest answers are exports of the KV store.
BODY_BYTES_MAX: Final = 1 << 30
_PLAIN: Final = re.compile(r"[A-Za-z0-9$&+,:;=@_.~!*'()/-]*\Z")
_SAFE: Final = "$&+,/:;=@!*'()~"
_UNCLEAN: Final = re.compile(r"//|(?:^|/)\.{1,2}(?:/|\Z)")
_BAD_FIELD: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Header = Mapping[str, str]


class Deadline(NamedTuple):
    """``at``: when a call has to be over, on the monotonic clock; ``total_s``: how long it had."""

    at: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is encoded (`path_of`), ``query`` is not.

    ``repeatable``: doing it twice is as good as once. ``timeout_s``: of the whole call, retries and all. ``form``: the
    media type of the body. ``token``: None for the client's.
    """

    method: str
    path: str
    query: Pairs = field(default_factory=list)
    body: bytes = b""
    header: Header = field(default_factory=dict)
    token: str | None = None
    repeatable: bool = False
    timeout_s: float | None = None

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        return f"{self.path}?{encode_query(self.query)}" if self.query else self.path


class Answer(NamedTuple):
    """What came back. Names of ``headers`` are in small letters, each with its first value."""

    status: int
    headers: dict[str, str]
    body: bytes


def path_of(prefix: str, name: str = "") -> str:
    """The path of a thing: ``name`` is encoded so that it is taken as it is, whatever is in it."""
    if _PLAIN.match(name) and not _UNCLEAN.search(name):
        return prefix + name
    if _UNCLEAN.search(name):
        # A server would tidy such a path up; what is escaped belongs to the name.
        safe = _SAFE.replace("/", "")
        return prefix + quote(name, safe=safe, errors="surrogateescape").replace(".", "%2E")
    return prefix + quote(name, safe=_SAFE, errors="surrogateescape")


def fixed_fields(host: str, header: Header) -> bytes:
    """The fields that all requests to ``host`` have. Raises ValueError for what would not fit into a line."""
    fields = {"Host": host or "localhost", "User-Agent": USER_AGENT, **header}
    return "".join(_line(name, value) for name, value in fields.items()).encode("utf-8", "surrogateescape")


def _line(name: str, value: str) -> str:
    if _BAD_FIELD.search(value):
        raise ValueError(f"{name}: not a value that a header can have")
    return f"{name}: {value}\r\n"


def request_bytes(call: Call, fixed: bytes, token: str) -> bytes:
    """The request whole. ``fixed``: what `fixed_fields` gave. Raises ValueError for what no header can hold."""
    more = _line("X-Consul-Token", token) if token else ""
    for name, value in call.header.items():
        more += _line(name, value)
    if (call.body or call.method != "GET") and "Transfer-Encoding" not in call.header:
        more += f"Content-Length: {len(call.body)}\r\n"
    head = f"{call.method} {call.target} HTTP/1.1\r\n".encode("utf-8", "surrogateescape")
    return b"%b%b%b\r\n%b" % (head, fixed, more.encode("utf-8", "surrogateescape"), call.body)


class AnswerReader:
    """Takes in one answer. ``on_body`` gets the body while it comes; without it, it is kept.

    Raises HttpClientError for what is no answer.
    """

    __slots__ = ("_answer", "_method", "_on_body", "_parts", "_reader", "_size", "begun")

    begun: bool

    def __init__(self, method: str, on_body: Callable[[bytes], None] | None = None) -> None:
        self._method = method
        self._on_body = on_body
        self._answer: Answer | None = None
        self._reader: ResponseReader | None = None
        self._parts: list[bytes] = []
        self._size = 0
        # Whether anything has come.
        self.begun = False

    @property
    def done(self) -> bool:
        return self._answer is not None or (self._reader is not None and self._reader.done)

    @property
    def reusable(self) -> bool:
        """Whether the connection may be asked again."""
        return self._answer is not None or (self._reader is not None and self._reader.reusable)

    @property
    def head(self) -> tuple[int, dict[str, str]] | None:
        """Status and headers, as soon as they are there."""
        if self._answer is not None:
            return self._answer.status, self._answer.headers
        if self._reader is None or self._reader.head is None:
            return None
        return self._reader.head.status, self._reader.head.headers

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        if self._reader is None:
            if not self.begun and self._on_body is None:
                self.begun = True
                self._answer = quick_answer(data, self._method)
                if self._answer is not None:
                    return
            self.begun = True
            if self._answer is not None:  # more than the answer
                self._reader, self._answer = ResponseReader(self._method, self._parts.append), None
                raise HttpClientError("more came than an answer")
            self._reader = ResponseReader(self._method, self._on_body or self._keep)
        self._reader.feed(data)

    def _keep(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > BODY_BYTES_MAX:
            raise HttpClientError("response body too large")

    def end(self) -> None:
        """Nothing more comes. Raises HttpClientError unless that is how the answer ends."""
        if self._answer is None:
            if self._reader is None:
                self._reader = ResponseReader(self._method, self._on_body or self._keep)
            self._reader.end()

    def answer(self) -> Answer:
        """The whole answer, once it is `done`."""
        if self._answer is not None:
            return self._answer
        assert self._reader is not None
        assert self._reader.head is not None
        return Answer(self._reader.head.status, self._reader.head.headers, b"".join(self._parts))


_USUAL: Final = b"HTTP/1.1 "
# Of a head that is none of the usual: how long the body is, or what it is, is said in other ways.
_UNUSUAL: Final = frozenset({"transfer-encoding", "content-encoding", "connection", "trailer"})
_BODILESS: Final = frozenset({204, 304})


def quick_answer(data: bytes, method: str) -> Answer | None:
    """The answer that ``data`` is, if it is a usual one and nothing but it; None leaves it to the real reader."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or data[:9] != _USUAL or method == "HEAD":
        return None
    line, *lines = data[:end].decode("latin-1").split("\r\n")
    code = line[9:12]
    if line[12:13] not in (" ", "") or not (code.isascii() and code.isdigit()) or code < "200":
        return None
    headers: dict[str, str] = {}
    for text in lines:
        name, colon, value = text.partition(": ")
        if not colon or not name.isascii() or " " in name or "\t" in name or "\n" in text or "\r" in text:
            return None
        name = name.lower()
        if name in headers:
            if name == "content-length":
                return None
            continue
        headers[name] = value
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()) or len(length) > 12 or not _UNUSUAL.isdisjoint(headers):
        return None
    body = data[end + 4 :]
    status = int(code)
    if len(body) != int(length) or status in _BODILESS:
        return None
    return Answer(status, headers, body)
