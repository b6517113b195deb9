"""Booleans and numbers as Go's ``strconv`` reads them, with its error texts, on which scripts match. Pure."""

from __future__ import annotations

import re

from proconsul.engine.wire.text import quoted

__all__ = ["NumberError", "OutOfRange", "parse_bool", "parse_int", "parse_uint"]

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_DECIMAL = re.compile(r"[0-9]+", re.ASCII)
# A number of 64 bits has 64 digits at most, in base 2; Python takes longer for every further digit.
_DIGITS_MAX = 64
# Base 0: a prefix says the base, and underscores may stand between digits and behind the prefix.
_WITH_PREFIX = re.compile(
    r"0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*", re.ASCII
)


class NumberError(ValueError):
    """The text is not a value of the wanted type. ``str()`` is Go's text."""

    def __init__(self, function: str, text: str, reason: str) -> None:
        super().__init__(f"strconv.{function}: parsing {quoted(text)}: {reason}")


class OutOfRange(NumberError):
    """The text is a number, but too large for the wanted type."""

    def __init__(self, function: str, text: str) -> None:
        super().__init__(function, text, "value out of range")


def parse_bool(text: str) -> bool:
    """``1``, ``t``, ``true`` and so on. Raises NumberError."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise NumberError("ParseBool", text, "invalid syntax")


def parse_int(text: str, *, base: int = 10, bits: int = 64, function: str = "ParseInt") -> int:
    """A signed number of so many bits. ``base`` 0 takes Go's prefixes and underscores. Raises NumberError."""
    sign = text[:1] if text[:1] in ("+", "-") else ""
    value = _magnitude(text[len(sign) :], base, text, function)
    value = -value if sign == "-" else value
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise OutOfRange(function, text)
    return value


def parse_uint(text: str, *, base: int = 10, bits: int = 64, function: str = "ParseUint") -> int:
    """A number of so many bits, without a sign. ``base`` 0 takes Go's prefixes and underscores. Raises NumberError."""
    value = _magnitude(text, base, text, function)
    if value >= 1 << bits:
        raise OutOfRange(function, text)
    return value


def _magnitude(digits: str, base: int, whole: str, function: str) -> int:
    assert base in (0, 10)
    if not (_DECIMAL if base else _WITH_PREFIX).fullmatch(digits):
        raise NumberError(function, whole, "invalid syntax")
    if not base and digits[:1] == "0" and len(digits) > 1 and digits[1] not in "bBoOxX":
        digits = "0o" + digits[1:].lstrip("_")
    significant = digits.lstrip("0_") if base else digits.replace("_", "")
    if len(significant) > _DIGITS_MAX + 2:
        raise OutOfRange(function, whole)
    return int(significant or "0", base)
