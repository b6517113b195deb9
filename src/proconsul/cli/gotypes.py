"""Texts of Go's standard library that users of the command line see.

Scripts match on these texts, so numbers and file errors are read and written here exactly as Go 1.15's ``strconv``
and ``os`` packages do; durations and quoting come from the wire codecs.  Pure: no I/O.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from proconsul.engine.wire import durations
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.text import quoted as quote

__all__ = [
    "GoRangeError",
    "GoSyntaxError",
    "errno_text",
    "format_duration",
    "os_error",
    "parse_bool",
    "parse_duration",
    "parse_int",
    "parse_uint",
    "quote",
    "string_slice",
]

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
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
    try:
        return durations.parse_duration(text)
    except durations.DurationError as error:
        raise GoSyntaxError(str(error)) from None


def os_error(error: OSError, operation: str = "open", path: str | None = None) -> str:
    """Return the text of Go's ``*PathError``: ``open x: no such file or directory``."""
    name = path if path is not None else str(error.filename or "")
    if error.errno == errno.EISDIR and operation == "open":
        operation = "read"  # Go opens directories and only fails to read them
    return f"{operation} {name}: {errno_text(error)}"


def errno_text(error: OSError) -> str:
    """Return Go's word for the error number alone."""
    if error.errno in _GO_ERRNO:
        return _GO_ERRNO[error.errno]
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
