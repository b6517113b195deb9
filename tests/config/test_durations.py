"""Go durations: table of texts and nanoseconds, and the round trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration
from proconsul.engine.wire.text import quoted


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0), ("0s", 0), ("-0", 0), ("5s", 5 * 10**9), ("1h5m", 3900 * 10**9), ("1.5s", 1_500_000_000),
        ("100ms", 10**8), ("-1.5h", -5400 * 10**9), ("+3us", 3000), ("7\u00b5s", 7000), ("7\u03bcs", 7000),
        ("9ns", 9), (".5s", 5 * 10**8), ("1.s", 10**9), ("1h1m1s1ms1us1ns", 3661001001001),
        ("87600h", 87600 * 3600 * 10**9),
    ],
)  # fmt: skip
def test_parse(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", 'time: invalid duration ""'),
        ("abc", 'time: invalid duration "abc"'),
        ("10", 'time: missing unit in duration "10"'),
        ("10x", 'time: unknown unit "x" in duration "10x"'),
        (".s", 'time: invalid duration ".s"'),
        ("-", 'time: invalid duration "-"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
        ('5"', 'time: unknown unit """ in duration "5""'),
    ],
)
def test_refuse(text: str, fault: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"), (1, "1ns"), (1100, "1.1\u00b5s"), (2_200_000, "2.2ms"), (3_300_000_000, "3.3s"),
        (300 * 10**9, "5m0s"), (3600 * 10**9, "1h0m0s"), (-1_500_000_000, "-1.5s"), (5405001000000, "1h30m5.001s"),
    ],
)  # fmt: skip
def test_format(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_format_then_parse_is_the_identity(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


def test_quote_like_go() -> None:
    assert quoted('a"b\\c\n\x01é\u200b') == '"a\\"b\\\\c\\n\\x01é\\u200b"'
