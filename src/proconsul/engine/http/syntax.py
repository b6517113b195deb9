"""What requests and answers have in common: reasons of status codes, escapes of URLs. Pure."""

from __future__ import annotations

import http

PHRASES: dict[int, str] = {status.value: status.phrase for status in http.HTTPStatus}
PHRASES[413] = "Request Entity Too Large"
PHRASES[416] = "Requested Range Not Satisfiable"
_HEX = frozenset("0123456789abcdefABCDEF")


def valid_escapes(text: str) -> bool:
    """True when every ``%`` is followed by two hexadecimal digits."""
    position = text.find("%")
    while position >= 0:
        digits = text[position + 1 : position + 3]
        if len(digits) < 2 or digits[0] not in _HEX or digits[1] not in _HEX:
            return False
        position = text.find("%", position + 3)
    return True
