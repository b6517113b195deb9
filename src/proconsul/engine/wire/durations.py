"""Go durations: parse and print exactly as Go's ``time`` package does, as whole nanoseconds.

The text form is what Consul shows and accepts everywhere ("1h5m", "1.5s", "100ms"); the number form is nanoseconds.
Pure: no clock is read here.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "HOUR_NS",
    "MICROSECOND_NS",
    "MILLISECOND_NS",
    "MINUTE_NS",
    "SECOND_NS",
    "DurationError",
    "format_duration",
    "format_seconds",
    "parse_duration",
]

MICROSECOND_NS: Final = 1_000
MILLISECOND_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS

# Go's Duration is a signed 64-bit count of nanoseconds (about 292 years).
_NS_MAX: Final = (1 << 63) - 1

_UNITS: Final[dict[str, int]] = {
    "ns": 1,
    "us": MICROSECOND_NS,
    "\u00b5s": MICROSECOND_NS,  # micro sign
    "\u03bcs": MICROSECOND_NS,  # Greek letter mu
    "ms": MILLISECOND_NS,
    "s": SECOND_NS,
    "m": MINUTE_NS,
    "h": HOUR_NS,
}

# More than any duration has: an hour is 13 digits of nanoseconds, all of them 19.
_DIGITS_MAX: Final = 40
_DIGITS: Final = frozenset("0123456789")


class DurationError(ValueError):
    """The text is no Go duration. ``str()`` is Go's own text."""


def _digits_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    return end


def parse_duration(text: str) -> int:
    """Return the nanoseconds of a Go duration such as ``"1h0m0s"``, ``"-1.5s"`` or ``"0"``.

    Raises DurationError with Go's text: invalid duration, missing unit, unknown unit.
    """
    rest = text
    negative = False
    if rest[:1] in ("-", "+"):
        negative = rest[0] == "-"
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise DurationError(f'time: invalid duration "{text}"')
    total = 0
    position = 0
    while position < len(rest):
        whole_end = _digits_end(rest, position)
        whole, fraction, number_end = rest[position:whole_end], "", whole_end
        if whole_end < len(rest) and rest[whole_end] == ".":
            number_end = _digits_end(rest, whole_end + 1)
            fraction = rest[whole_end + 1 : number_end]
        if not whole and not fraction:
            raise DurationError(f'time: invalid duration "{text}"')
        unit_end = number_end
        while unit_end < len(rest) and rest[unit_end] != "." and rest[unit_end] not in _DIGITS:
            unit_end += 1
        unit = rest[number_end:unit_end]
        if not unit:
            raise DurationError(f'time: missing unit in duration "{text}"')
        scale = _UNITS.get(unit)
        if scale is None:
            raise DurationError(f'time: unknown unit "{unit}" in duration "{text}"')
        whole, fraction = whole.lstrip("0"), fraction[:_DIGITS_MAX]
        if len(whole) > _DIGITS_MAX:
            raise DurationError(f'time: invalid duration "{text}"')
        total += int(whole or "0") * scale
        if fraction:
            total += int(fraction) * scale // 10 ** len(fraction)
        if total > _NS_MAX:
            raise DurationError(f'time: invalid duration "{text}"')
        position = unit_end
    return -total if negative else total


def _trim_fraction(value: int, digits: int) -> str:
    """``value / 10**digits`` as decimal text without trailing zeros."""
    whole, fraction = divmod(value, 10**digits)
    tail = f"{fraction:0{digits}d}".rstrip("0")
    return f"{whole}.{tail}" if tail else str(whole)


def format_duration(nanoseconds: int) -> str:
    """Print nanoseconds as Go prints a Duration: ``"1h0m0s"``, ``"1.5s"``, ``"100ms"``, ``"0s"``."""
    if nanoseconds == 0:
        return "0s"
    sign = "-" if nanoseconds < 0 else ""
    value = abs(nanoseconds)
    if value < MICROSECOND_NS:
        return f"{sign}{value}ns"
    if value < MILLISECOND_NS:
        return f"{sign}{_trim_fraction(value, 3)}\u00b5s"
    if value < SECOND_NS:
        return f"{sign}{_trim_fraction(value, 6)}ms"
    minutes, rest = divmod(value, MINUTE_NS)
    seconds = f"{_trim_fraction(rest, 9)}s"
    if minutes == 0:
        return sign + seconds
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{sign}{minutes}m{seconds}"
    return f"{sign}{hours}h{minutes}m{seconds}"


def format_seconds(seconds: float) -> str:
    """Print seconds as a Go duration."""
    return format_duration(round(seconds * SECOND_NS))
