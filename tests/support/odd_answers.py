"""Answers over HTTP that a careless or broken server gives. What clients make of them was told by Consul 1.8.7."""

from __future__ import annotations

import gzip

_OK = b"HTTP/1.1 200 OK\r\n"
_FIVE = b"Content-Length: 5\r\n\r\nhello"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_PACKED = _OK + b"Content-Encoding: gzip\r\n\r\n"
_ZIP = gzip.compress(b"packed", mtime=0)


def _status(*lines: bytes) -> list[bytes]:
    return [line + b"\r\n" + _FIVE for line in lines]


def _fields(*lines: bytes) -> list[bytes]:
    return [_OK + line + b"\r\n" + _FIVE for line in lines]


def _lengths(*values: bytes) -> list[bytes]:
    return [_OK + b"Content-Length: " + value + b"\r\n\r\nhello" for value in values]


def _to(*locations: bytes, status: bytes = b"302 Found") -> list[bytes]:
    return [b"HTTP/1.1 " + status + b"\r\nLocation: " + one + b"\r\nContent-Length: 0\r\n\r\n" for one in locations]


ODD_ANSWERS = [
    # Status lines.
    b"", b"garbage\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 \r\n\r\n", b"\r\n" + _OK + _FIVE, b"\n",
    b"\x15\x03\x01\x00\x02\x02\x46", b"H", _OK[:-1], _OK[:-2],
    *_status(
        b"HTTP/1.1 abc OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 200", b"HTTP/1.1  200 OK",
        b"HTTP/1.1 -20 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 999 OK", b"HTTP/2.0 200 OK",
        b"HTTP/1.2 200 OK", b"HTTP/9.9 200 OK", b"HTTP/1 200 OK", b"HTTP/x.y 200 OK", b"HTTQ/1.1 200 OK",
        b"http/1.1 200 OK", b"ICY 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK extra words ",
        b"HTTP/1.1 200 O\xc3\xa9\xff", b"HTTP/1.1 500 Oops", b"HTTP/1.1 404 ",
    ),
    (_OK + _FIVE).replace(b"\r\n", b"\n"),
    # Header lines.
    *_fields(
        b"No-Colon", b"Bad Name: x", b" leading: x", b"A: 1\r\n folded", b": empty", b"A : x", b"\xff: x", b"A: x\0y",
        b"A: " + b"x" * 100_000, b"\r\n".join(b"H%d: x" % number for number in range(3000)),
    ),
    _OK + b"A: 1\r\n", _OK + b"A: 1", _OK + b"A: 1\r\nContent-Length",
    # Lengths.
    _OK + b"Content-Length: 5\r\n", _OK + b"Content-Length: 5\r\n\r\n", _OK + _FIVE[:-2], _OK + _FIVE + b" more",
    *_lengths(b"x", b"-1", b"+5", b"", b"99999999999999999999", b"5, 5"),
    *_lengths(b"5\r\nContent-Length: 5", b"5\r\nContent-Length: 6"), _OK + b"\r\nto the end",
    # Chunks.
    *(_OK + b"Transfer-Encoding: " + coding + b"\r\nContent-Length: 5\r\n\r\nhello" for coding in (b"identity", b"")),
    *(
        _OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        for coding in (
            b"chunked", b"CHUNKED", b"gzip", b"gzip, chunked", b"chunked\r\nTransfer-Encoding: chunked",
            b"chunked\r\nContent-Length: 3",
        )
    ),
    _CHUNKED.replace(b"1.1", b"1.0") + b"5\r\nhello\r\n0\r\n\r\n",
    *(
        _CHUNKED + body
        for body in (
            b"", b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5\r\nhello\r\n", b"5\r\nhel", b"\r\nhello",
            b"5;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\n", b"fffffffffffffffff\r\nhello", b"5\nhello\n0\n\n",
            b"5\r\nhello\r\n0\r\n", b"0" * 5000 + b"5\r\nhello\r\n0\r\n\r\n", b" -5\r\nhello",
            b"5 \r\nhello\r\n0\r\n\r\n",
        )
    ),
    # No body, and what comes before an answer.
    *_status(b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified"), b"HTTP/1.1 101 Switching\r\n\r\nhello",
    b"HTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + _OK + _FIVE, b"HTTP/1.1 199 Odd\r\n\r\n" + _OK + _FIVE,
    *(b"HTTP/1.1 100 Continue\r\n\r\n" * count + _OK + _FIVE for count in (1, 5, 6)),
    # Packed bodies.
    _PACKED + _ZIP, _PACKED.replace(b"gzip", b"GZIP") + _ZIP, _PACKED + b"hello this is not gzip", _PACKED + _ZIP[:-4],
    _PACKED + _ZIP + _ZIP, _PACKED.replace(b"gzip", b"deflate") + b"hello",
    _OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    # Redirects.
    *_status(b"HTTP/1.1 301 Moved", b"HTTP/1.1 302 Found\r\nLocation: ", b"HTTP/1.1 307 T"),
    *_status(b"HTTP/1.1 300 M\r\nLocation: /ok", b"HTTP/1.1 305 M\r\nLocation: /ok"),
    *_to(
        b"/ok", b"ok", b"http://127.0.0.1:1/", b"ftp://x/", b"http://[::1/", b"?q=1", b"//[::1", b"\xff/\xe9", b"/loop",
        b"/a b",
    ),
    *_to(b"/ok", status=b"307 T"), *_to(b"/ok", status=b"308 P"),
]  # fmt: skip
