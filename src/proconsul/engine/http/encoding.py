"""Responses as bytes: status line, headers, date, length, body."""

from __future__ import annotations

import email.utils
import re
import time
import zlib

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.syntax import PHRASES

_STATUS_LINES = {status: f"HTTP/1.1 {status} {phrase}\r\n".encode() for status, phrase in PHRASES.items()}
NOT_MODIFIED = 304
_date = (0, b"")


def date_header() -> bytes:
    """The Date line of this second; the same object all second long."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, b"Date: " + email.utils.formatdate(now, usegmt=True).encode() + b"\r\n")
    return _date[1]


def encode_response(request: Request, response: Response) -> bytes:
    """What is sent for ``response``, whose body is not a stream."""
    accepted = request.headers.get("accept-encoding", "")
    if accepted and (request.route is None or not request.route.compressed or not takes_gzip(accepted)):
        accepted = ""  # as in the original, only what endpoints say is compressed
    unusual = accepted or response.status == NOT_MODIFIED or not request.keep_alive or response.close
    if unusual or request.version != "1.1" or request.method == "HEAD":
        return _encode_unusual(request, response, bool(accepted))
    date = date_header()
    if response.encoded is not None and response.encoded[1] is date:
        return response.encoded[0]
    body = response.body
    head = _STATUS_LINES.get(response.status) or _status_line(response.status)
    lines = response.lines + header_lines(response.headers) if response.headers else response.lines
    encoded = b"%b%b%bContent-Length: %d\r\n\r\n%b" % (head, lines, date, len(body), body)
    if response.shared:
        response.encoded = (encoded, date)
    return encoded


def _encode_unusual(request: Request, response: Response, compressed: bool) -> bytes:
    """For HEAD, HTTP/1.0, compressed answers, 304 (with the length of what was not sent) and the last one of a
    connection."""
    body = response.body
    parts = [_status(request, response)]
    if body and compressed:
        compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = compressor.compress(body) + compressor.flush()
        parts.append(b"Content-Encoding: gzip\r\n")
    parts.append(response.lines)
    parts.append(header_lines(response.headers))
    if response.close or not request.keep_alive:
        if request.version == "1.1":
            parts.append(b"Connection: close\r\n")
    elif request.version == "1.0":
        parts.append(b"Connection: keep-alive\r\n")
    parts.append(date_header())
    parts.append(b"Content-Length: %d\r\n\r\n" % len(body))
    if request.method != "HEAD" and response.status != NOT_MODIFIED:
        parts.append(body)
    return b"".join(parts)


def _status(request: Request, response: Response) -> bytes:
    """The status line, in the version of the request."""
    line = _STATUS_LINES.get(response.status) or _status_line(response.status)
    return line if request.version == "1.1" else line.replace(b"HTTP/1.1", b"HTTP/1.0", 1)


def encode_stream_head(request: Request, response: Response, framing: bytes) -> bytes:
    """Everything before the first piece of a body of unknown length."""
    return _status(request, response) + header_lines(response.headers) + framing + date_header() + b"\r\n"


def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} \r\n".encode()


def header_lines(headers: dict[str, str]) -> bytes:
    """Header lines in order; characters outside latin-1 cannot be sent and become question marks."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1", "replace")


# Accept-Encoding headers seen before, and what they say; bounded, because clients choose them.
_accepts: dict[str, bool] = {"gzip": True, "identity": False}
_ACCEPTS_MAX = 256
_WEIGHT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip with a weight above zero, read as the original reads it."""
    found = _accepts.get(accepted)
    if found is None:
        weights: dict[str, float] = {}
        for coding in accepted.split(","):
            name, weight = _coding(coding)
            if weight is not None:
                weights[name] = weight
        found = weights.get("gzip", 0.0) > 0
        if len(_accepts) < _ACCEPTS_MAX:
            _accepts[accepted] = found
    return found


def _coding(text: str) -> tuple[str, float | None]:
    """One coding in small letters, and its weight: that of the last parameter, 1 if that is none, None if broken."""
    name, *parameters = (part.strip() for part in text.split(";"))
    weight: float | None = 1.0
    for parameter in parameters:
        weight = 1.0
        if parameter.startswith("q="):
            weight = float(parameter[2:]) if _WEIGHT.fullmatch(parameter[2:]) else None
    return name.lower(), weight
