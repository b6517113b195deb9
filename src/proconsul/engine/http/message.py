"""The head of an HTTP/1 request, header lines, and bodies in chunks, as Go's net/http reads them. Pure.

What net/http refuses is refused with its status and words (`Refused`). Any offer to speak another protocol is ignored:
a request with `Upgrade`, and even CONNECT, is an HTTP/1 request with its body like all others.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from proconsul.engine.http.syntax import PHRASES, valid_escapes
from proconsul.engine.wire.text import quoted

# net/http: DefaultMaxHeaderBytes, and a buffer more in any case.
HEADER_BYTES_DEFAULT, HEADER_SLACK_BYTES = 1 << 20, 4096
HEADER_BYTES_MAX = HEADER_BYTES_DEFAULT + HEADER_SLACK_BYTES
# net/http: the longest line between two chunks, and the longest trailer.
CHUNK_LINE_BYTES_MAX = 4096
_CHUNK_DIGITS_MAX = 16
_INT64_MAX = (1 << 63) - 1
VERSION_MAX = 1_000_000

# Where a head ends: an empty line. Lines end with LF; a CR before it belongs to the line's end.
HEAD_END = re.compile(rb"\n\r?\n")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VERSION = re.compile(rb"HTTP/(\+?[0-9]+)\.(\+?[0-9]+)")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# What no value may hold. Tabs may be anywhere; CR and LF are the ends of lines.
_STRANGE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(r"[0-9A-Za-z!$%&'()*+,\-.:;=\[\]_~]*")
_HIGH = re.compile(rb"[\x80-\xff]")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)")
_USER = re.compile(r"(?:[0-9A-Za-z\-._:~!$&'()*+,;=%@]*@)?")
_AUTHORITY = re.compile(
    r"\[[0-9A-Za-z:.%\-_~]*\](?::[0-9]*)?"
    r"|[0-9A-Za-z\-_.~!$&'()*+,;=<>\"%]*|[0-9A-Za-z\-_.~!$&'()*+,;=<>\"%:]*:[0-9]*"
)
# Headers that frame a message or say how the connection goes on: all their values count, not only the first.
_FRAMING = frozenset({"transfer-encoding", "content-length", "connection", "host"})
_NO_TRAILER = frozenset({"transfer-encoding", "content-length", "trailer"})

# Header names seen before, in small letters; bounded, because clients choose them.
_names: dict[bytes, str] = {}
_NAMES_MAX = 256


class Refused(Exception):
    """The bytes are no request that can be served: answer ``status`` and hang up. ``detail`` says why."""

    def __init__(self, status: int, detail: str = "", body: str | None = None) -> None:
        super().__init__(status)
        line = f"{status} {PHRASES[status]}" + (f": {detail}" if detail else "")
        self.status = status
        # The whole answer. net/http puts the reason into the status line as well.
        framing = "Content-Length: 0\r\n" if body == "" else "Content-Type: text/plain; charset=utf-8\r\n"
        self.answer = f"HTTP/1.1 {line}\r\n{framing}Connection: close\r\n\r\n{line if body is None else body}".encode()


class MalformedField(Refused):
    """A line is no header's. ``text`` says why, as Go's client does."""

    def __init__(self, text: str) -> None:
        super().__init__(400)
        self.text = text


class ChunkError(Refused):
    """The bytes are no chunks. ``text`` says why, as Go's client does."""

    def __init__(self, text: str) -> None:
        super().__init__(400)
        self.text = text


class Head(NamedTuple):
    """Everything before the body.

    ``path`` is decoded, ``raw_path`` as sent; both begin with ``/``, are ``*``, or are empty (CONNECT). ``headers``
    have the first value of each name. ``length`` is that of the body in bytes, None when it comes in chunks.
    """

    method: str
    raw_path: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    length: int | None
    keep_alive: bool


def parse_request_line(line: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """Method, target and version of a request line without its end. Raises Refused."""
    method, space, rest = line.partition(b" ")
    target, second, version = rest.partition(b" ")
    if not space or not second or not _TOKEN.fullmatch(method):
        raise Refused(400)
    if version == b"HTTP/1.1":
        numbers = (1, 1)
    else:
        match = VERSION.fullmatch(version)
        if match is None or len(match[1]) > _CHUNK_DIGITS_MAX or len(match[2]) > _CHUNK_DIGITS_MAX:
            raise Refused(400)
        numbers = int(match[1]), int(match[2])
        if max(numbers) > VERSION_MAX:
            raise Refused(400)
    if not target or _CONTROL.search(target) is not None:
        raise Refused(400)
    return method, target, numbers


def parse_head(block: bytes) -> Head:
    """A head with the empty line that ends it. Raises Refused."""
    lines = block.split(b"\n")
    line = lines[0]
    method, target, version = parse_request_line(line[:-1] if line.endswith(b"\r") else line)
    raw_path, path, query = _split_target(method, target)
    fields, names_valid = read_fields(lines[1:-2])
    headers: dict[str, str] = {}
    framing: dict[str, list[str]] = {}
    for name, value in fields:
        if name in _FRAMING:
            framing.setdefault(name, []).append(value)
        if name not in headers:
            headers[name] = value
    length = _body_length(method, version, headers, framing)
    if version[0] != 1:
        if (method, target, version, headers) == (b"PRI", b"*", (2, 0), {}):
            raise Refused(400, body="")
        raise Refused(400, "unsupported protocol version")
    _check_host(framing.get("host", []), required=version >= (1, 1) and method != b"CONNECT")
    if not names_valid:
        raise Refused(400, "invalid header name")
    if _STRANGE.search(block) is not None and any(_BAD_VALUE.search(value) for _, value in fields):
        raise Refused(400, "invalid header value")
    return Head(
        method.decode("ascii"), raw_path, path, query, "1.1" if version >= (1, 1) else "1.0", headers, length,
        _keeps_alive(version, framing.get("connection", [])),
    )  # fmt: skip


def read_fields(lines: list[bytes]) -> tuple[list[tuple[str, str]], bool]:
    """Names in small letters and values of the header lines, and whether all names are valid. Raises MalformedField."""
    found: list[tuple[str, str]] = []
    valid = True
    for index, line in enumerate(_unfolded(lines)):
        name, colon, value = line.partition(b":")
        if not index and name[:1] in (b" ", b"\t"):
            raise MalformedField(f"malformed MIME header initial line: {_shown(line)}")
        if not colon:
            raise MalformedField(f"malformed MIME header: missing colon: {quoted(_shown(line))}")
        key = _names.get(name)
        if key is None:
            if not name:
                continue  # a line without a name says nothing
            key = name.decode("latin-1").lower()
            if _TOKEN.fullmatch(name) is None:
                valid = False
            elif len(_names) < _NAMES_MAX:
                _names[name] = key
        found.append((key, value.strip(b" \t").decode("latin-1")))
    return found, valid


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """Header lines without their ends; a line that begins with a space continues the one before it."""
    whole: list[bytes] = []
    for line in lines:
        if line.endswith(b"\r"):
            line = line[:-1]
        if line[:1] in (b" ", b"\t") and whole:
            whole[-1] = whole[-1].strip(b" \t") + b" " + line.strip(b" \t")
        else:
            whole.append(line)
    return whole


def _split_target(method: bytes, target: bytes) -> tuple[str, str, str]:
    """The path as sent and decoded, and the query, of a request target. Raises Refused."""
    text = _HIGH.sub(lambda match: b"%%%02X" % match[0][0], target).decode("ascii")
    if method == b"CONNECT" and not text.startswith("/"):
        text = f"http://{text}"
    rest, _, query = text.partition("?")
    if not rest.startswith("/") and rest != "*":
        absolute = _ABSOLUTE.fullmatch(rest)
        if absolute is None:
            raise Refused(400)
        rest = absolute[2]
        if rest.startswith("//"):
            authority, slash, below = rest[2:].partition("/")
            user = _USER.match(authority)
            if _AUTHORITY.fullmatch(authority, user.end() if user is not None else 0) is None:
                raise Refused(400)
            rest = slash + below
        elif not rest.startswith("/"):
            rest = ""
        if not rest and method != b"CONNECT":
            rest = "/"
    path = rest
    if "%" in rest:
        if not valid_escapes(rest):
            raise Refused(400)
        path = unquote(rest, "utf-8", "surrogateescape")
    return rest, path, query


def _body_length(
    method: bytes, version: tuple[int, int], headers: dict[str, str], framing: dict[str, list[str]]
) -> int | None:
    """The length of the body, None when it comes in chunks. Raises Refused."""
    codings = framing.get("transfer-encoding")
    if codings is not None and version >= (1, 1):
        if len(codings) != 1 or codings[0].lower() != "chunked":
            raise Refused(501, body="Unsupported transfer encoding")
        for name in headers.get("trailer", "").split(","):
            if name.strip().lower() in _NO_TRAILER:
                raise Refused(400)
        return None
    lengths = framing.get("content-length")
    if lengths is None:
        return 0
    text = lengths[0]
    if method == b"HEAD" and lengths != ["0"]:
        raise Refused(400)  # net/http's hardening against requests inside of bodies
    if any(other != text for other in lengths) or (text and not (text.isascii() and text.isdigit())):
        raise Refused(400)
    text = text.lstrip("0")
    if len(text) > len(str(_INT64_MAX)) or int(text or "0") > _INT64_MAX:
        raise Refused(400)
    return int(text or "0")


def _check_host(hosts: list[str], *, required: bool) -> None:
    if required and not hosts:
        raise Refused(400, "missing required Host header")
    if len(hosts) > 1:
        raise Refused(400, "too many Host headers")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        raise Refused(400, "malformed Host header")


def _keeps_alive(version: tuple[int, int], values: list[str]) -> bool:
    """Whether another request may follow: HTTP/1.1 unless told to close, HTTP/1.0 only when told to go on."""
    if version == (1, 1) and not values:
        return True
    if version == (1, 0):
        return "keep-alive" in _tokens(values[:1])
    return version[0] == 1 and "close" not in _tokens(values)


def _tokens(values: list[str]) -> set[str]:
    return {part.strip().lower() for value in values for part in value.split(",")}


def check_lines(lines: bytes, *, first: bool) -> None:
    """Refuse what cannot become a head, before all of it is there; ``lines`` are whole, ``first`` is the request's.

    Raises Refused.
    """
    for line in lines.split(b"\n"):
        if line.endswith(b"\r"):
            line = line[:-1]
        if first:
            first = False
            _split_target(*parse_request_line(line)[:2])
        elif b":" not in line and line[:1] not in (b" ", b"\t"):
            raise Refused(400)


def takes_continue(headers: dict[str, str]) -> bool:
    """Whether the client waits to be told to go on before it sends the body."""
    expected = headers.get("expect", "")
    if not expected:
        return False
    return any(part.strip().lower() == "100-continue" for part in expected.split(","))


class Chunks:
    """A body in chunks, taken in as it arrives, in pieces of any size."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0
        self._step = _SIZE
        # The beginning of a line between chunks that is not whole yet.
        self._line = b""

    @property
    def in_trailer(self) -> bool:
        """Whether the last chunk was there."""
        return self._step == _TRAILER

    def feed(self, data: bytes, position: int, parts: list[bytes]) -> int:
        """Add what is in ``data`` from ``position`` on to ``parts``; where it ends. Raises ChunkError.

        Stops behind the body (`done`) or at the end of ``data``.
        """
        while position < len(data) and not self.done:
            if self._step == _DATA:
                part = data[position : position + self._left]
                parts.append(part)
                position += len(part)
                self._left -= len(part)
                if not self._left:
                    self._step = _AFTER
                continue
            end = data.find(b"\n", position) + 1
            line = self._line + data[position : end or len(data)]
            if self._step == _AFTER and not b"\r\n".startswith(line):
                raise ChunkError("malformed chunked encoding")
            if len(line) > CHUNK_LINE_BYTES_MAX:
                raise ChunkError("header line too long" if self._step == _SIZE else _LONG_TRAILER)
            if not end:
                self._line = line
                return len(data)
            position, self._line = end, b""
            self._take_line(line)
        return position

    def _take_line(self, line: bytes) -> None:
        if self._step == _AFTER:
            self._step = _SIZE
        elif self._step == _SIZE:
            size = line.rstrip(b" \t\r\n").partition(b";")[0]
            if size[: _CHUNK_DIGITS_MAX + 1].strip(b"0123456789abcdefABCDEF"):
                raise ChunkError("invalid byte in chunk length")
            if not size:  # Go takes that for the last chunk, and what follows for a trailer
                raise ChunkError(_LONG_TRAILER)
            if len(size) > _CHUNK_DIGITS_MAX:
                raise ChunkError("http chunk length too large")
            self._left = int(size, 16)
            self._step = _DATA if self._left else _TRAILER
        elif line == b"\r\n":
            self.done = True
        elif b":" not in line:
            raise ChunkError(f"malformed MIME header: missing colon: {quoted(_shown(line.rstrip()))}")


_LONG_TRAILER = "http: suspiciously long trailer after chunked body"
_SIZE, _DATA, _AFTER, _TRAILER = range(4)
