"""Points in time as Go writes them in binary, kept as the bytes they are.

A zone other than UTC survives that way, and what was read is written again bit by bit. Layout: a version byte (1, or 2
for zones with odd seconds), seconds since 0001-01-01T00:00:00Z as i64, nanoseconds as u32, the zone's offset in minutes
as i16 (-1 stands for UTC), and with version 2 the offset's remaining seconds as i8; all big-endian.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Annotated

# A time in Go's binary form; see the module.
GoTime = Annotated[bytes, "time.Time"]

_LAYOUT = struct.Struct(">BqIh")
_UTC_OFFSET = -1
_UNIX_EPOCH_S = 62135596800
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII
)

ZERO_TIME = _LAYOUT.pack(1, 0, 0, _UTC_OFFSET)


def from_unix_ns(nanoseconds: int) -> bytes:
    """The time so many nanoseconds after 1970-01-01T00:00:00Z, in UTC."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return _LAYOUT.pack(1, seconds + _UNIX_EPOCH_S, rest, _UTC_OFFSET)


def to_unix_ns(value: bytes) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z. Raises ValueError when ``value`` is no time."""
    seconds, nanoseconds, _ = _parts(value)
    return (seconds - _UNIX_EPOCH_S) * 1_000_000_000 + nanoseconds


def is_zero(value: bytes) -> bool:
    """Whether it is Go's zero time, in whatever zone."""
    return _parts(value)[:2] == (0, 0)


def to_rfc3339(value: bytes) -> str:
    """As Go's JSON has it: local time of its zone, fraction without trailing zeros. Raises ValueError."""
    seconds, nanoseconds, offset_s = _parts(value)
    try:
        local = datetime(1, 1, 1) + timedelta(seconds=seconds + (offset_s or 0))
    except OverflowError:
        raise ValueError("year outside of range [0,9999]") from None
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    if offset_s is None:
        zone = "Z"
    else:
        minutes = abs(offset_s) // 60
        zone = f"{'-' if offset_s < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if offset_s else "Z"
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{zone}".rjust(20, "0")


def from_rfc3339(text: str) -> bytes:
    """The time ``text`` says. Raises ValueError when it is not of RFC 3339."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"parsing time {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    nanoseconds = int((match[7] or "").ljust(9, "0"))
    offset_m = _UTC_OFFSET
    utc = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if match[8] is None:
        offset_m = (int(match[10]) * 60 + int(match[11])) * (-1 if match[9] == "-" else 1)
        utc -= timedelta(minutes=offset_m)
        offset_m = offset_m or _UTC_OFFSET
    seconds = int((utc - datetime(1, 1, 1, tzinfo=UTC)).total_seconds())
    return _LAYOUT.pack(1, seconds, nanoseconds, offset_m)


def _parts(value: bytes) -> tuple[int, int, int | None]:
    """Seconds since year 1, nanoseconds, and the zone's offset in seconds or None for UTC."""
    if (len(value), value[:1]) not in ((15, b"\x01"), (16, b"\x02")):
        raise ValueError("Time.UnmarshalBinary: invalid length or unsupported version")
    _, seconds, nanoseconds, offset_m = _LAYOUT.unpack_from(value)
    if offset_m == _UTC_OFFSET:
        return seconds, nanoseconds, None
    rest = int.from_bytes(value[15:], "big", signed=True)
    return seconds, nanoseconds, offset_m * 60 + rest
