"""Texts of Go's standard library that users of the command line see.

Scripts match on these texts, so numbers, durations, quoted strings and file errors are read and written here
exactly as Go 1.15's ``strconv``, ``time`` and ``os`` packages do.  Pure: no I/O.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_UNITS = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "\u00b5s": MICROSECOND,
    "\u03bcs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_DURATION_PART = re.compile(r"(\d*)(\.(\d*))?([^\d.]*)")
_INT64_MAX = (1 << 63) - 1

# Words of strerror(3) in Go differ from Python's only in their capital letter.
_GO_ERRNO = {
    errno.ENOENT: "no such file or directory",
    errno.EACCES: "permission denied",
    errno.EISDIR: "is a directory",
    errno.ENOTDIR: "not a directory",
    errno.EEXIST: "file exists",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EPIPE: "broken pipe",
}


class GoSyntaxError(ValueError):
    """The text is not a value of the wanted type; ``str()`` is Go's own error text."""


class GoRangeError(GoSyntaxError):
    """The text is a number, but too large for the wanted type."""


def quote(text: str) -> str:
    """Return ``text`` as Go's ``%q`` prints it."""
    out = ['"']
    for char in text:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02x}")
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        else:
            out.append(char)
    out.append('"')
    return "".join(out)


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def string_slice(items: Sequence[str]) -> str:
    """Return the items as Go's ``%v`` prints a ``[]string``."""
    return "[" + " ".join(items) + "]"


def parse_bool(text: str) -> bool:
    """Read a boolean as ``strconv.ParseBool`` does; raises :class:`GoSyntaxError`."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise GoSyntaxError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")


def parse_int(text: str, *, base: int = 0, func: str = "ParseInt") -> int:
    """Read a signed 64-bit integer; ``base`` 0 accepts Go's prefixes and underscores, as the flag package does."""
    sign = text[:1] if text[:1] in ("+", "-") else ""
    value = _magnitude(text[len(sign) :], base, text, func)
    value = -value if sign == "-" else value
    if not -_INT64_MAX - 1 <= value <= _INT64_MAX:
        raise GoRangeError(f"strconv.{func}: parsing {quote(text)}: value out of range")
    return value


def parse_uint(text: str, *, base: int = 0, func: str = "ParseUint") -> int:
    """Read an unsigned 64-bit integer; raises :class:`GoSyntaxError` or :class:`GoRangeError`."""
    value = _magnitude(text, base, text, func)
    if value >= 1 << 64:
        raise GoRangeError(f"strconv.{func}: parsing {quote(text)}: value out of range")
    return value


def _magnitude(digits: str, base: int, whole: str, func: str) -> int:
    bad = GoSyntaxError(f"strconv.{func}: parsing {quote(whole)}: invalid syntax")
    if not digits or not digits[0].isascii() or not digits[0].isdigit():
        raise bad
    if base == 0 and len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567_":
        digits = "0o" + digits[1:].lstrip("_")
    if not digits.isascii() or (base != 0 and "_" in digits):
        raise bad
    try:
        return int(digits, base)
    except ValueError:
        raise bad from None


def parse_duration(text: str) -> int:
    """Read a duration ("1h15m", "200ms") and return nanoseconds; raises :class:`GoSyntaxError`."""
    rest = text
    negative = rest.startswith("-")
    if rest[:1] in ("-", "+"):
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise GoSyntaxError(f"time: invalid duration {quote(text)}")
    total = 0
    while rest:
        match = _DURATION_PART.match(rest)
        assert match is not None
        whole, fraction, unit = match.group(1), match.group(3) or "", match.group(4)
        if not whole and not fraction:
            raise GoSyntaxError(f"time: invalid duration {quote(text)}")
        if not unit:
            raise GoSyntaxError(f"time: missing unit in duration {quote(text)}")
        if unit not in _UNITS:
            raise GoSyntaxError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        scale = _UNITS[unit]
        total += int(whole or "0") * scale
        if fraction:
            total += int(fraction) * scale // 10 ** len(fraction)
        if total > _INT64_MAX:
            raise GoSyntaxError(f"time: invalid duration {quote(text)}")
        rest = rest[match.end() :]
    return -total if negative else total


def format_duration(nanoseconds: int) -> str:
    """Write nanoseconds as ``time.Duration.String`` does: 2m0s, 1h0m0s, 1.5s, 300ms, 0s."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < SECOND:
        for unit, scale in (("ms", MILLISECOND), ("\u00b5s", MICROSECOND), ("ns", NANOSECOND)):
            if rest >= scale:
                return sign + _decimal(rest, scale) + unit
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    text = _decimal(rest, SECOND) + "s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    return sign + text


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    if not rest:
        return str(whole)
    width = len(str(scale)) - 1
    return f"{whole}.{rest:0{width}d}".rstrip("0")


def os_error(error: OSError, operation: str = "open", path: str | None = None) -> str:
    """Return the text of Go's ``*PathError``: ``open x: no such file or directory``."""
    name = path if path is not None else str(error.filename or "")
    return f"{operation} {name}: {errno_text(error)}"


def errno_text(error: OSError) -> str:
    """Return Go's word for the error number alone."""
    if error.errno in _GO_ERRNO:
        return _GO_ERRNO[error.errno]
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
