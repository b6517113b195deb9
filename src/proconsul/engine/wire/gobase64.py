"""Standard base64 as Go reads it: line ends anywhere are passed over, padding is wanted, errors name a byte."""

from __future__ import annotations

import binascii
from typing import Final

_LINE_ENDS: Final = b"\r\n"
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PAD: Final = ord("=")


class Base64Error(ValueError):
    """The text is no base64. ``position``: the byte Go's decoder names."""

    def __init__(self, position: int) -> None:
        super().__init__(f"illegal base64 data at input byte {position}")
        self.position = position


def decode(text: str | bytes) -> bytes:
    """The bytes that ``text`` stands for. Raises Base64Error (Go's encoding/base64, StdEncoding)."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    fault = _fault(data)
    if fault is not None:
        raise Base64Error(fault)
    return binascii.a2b_base64(data)


def encode(data: bytes) -> str:
    """``data`` as `decode` reads it."""
    return binascii.b2a_base64(data, newline=False).decode()


def _fault(data: bytes) -> int | None:
    """Where decoding fails, None when it does not."""
    body = data.translate(None, _LINE_ENDS)
    plain = body.rstrip(b"=")
    if len(body) % 4 == 0 and len(body) - len(plain) <= 2 and not plain.translate(None, _ALPHABET):
        return None
    return _walk(data)


def _walk(data: bytes) -> int | None:
    at, size = 0, len(data)
    while True:
        place = 0
        while place < 4:
            if at == size:
                return None if place == 0 else at - place
            sign = data[at]
            at += 1
            if sign in _LINE_ENDS:
                continue
            if sign in _ALPHABET:
                place += 1
                continue
            if sign != _PAD or place < 2:
                return at - 1
            if place == 2:
                at = _behind_line_ends(data, at)
                if at == size:
                    return size
                if data[at] != _PAD:
                    return at - 1
                at += 1
            at = _behind_line_ends(data, at)
            return at if at < size else None


def _behind_line_ends(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _LINE_ENDS:
        at += 1
    return at
