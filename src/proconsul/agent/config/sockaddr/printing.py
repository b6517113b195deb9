"""Values as Go's ``fmt`` prints them, as far as templates have them (Go documentation: package fmt). Pure."""

from __future__ import annotations

import re
from typing import Final

from proconsul.engine.wire.text import quoted

__all__ = ["shown", "sprint", "sprintf", "type_name"]

# Go prints wider fields as mistakes.
_WIDTH_MAX: Final = 1_000_000
_VERB: Final = re.compile(r"%([ +\-#0]*)(\d*)(?:\.(\d*))?(.?)", re.DOTALL)


def type_name(value: object) -> str:
    """The Go type of a value."""
    names = {bool: "bool", int: "int", float: "float64", complex: "complex128", str: "string"}
    return names.get(type(value), "") or str(getattr(value, "go_type", "<nil>"))


def shown(value: object) -> str:
    """``%v``."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, complex):
        return f"({_float(value.real)}{_float(value.imag) if value.imag < 0 else '+' + _float(value.imag)}i)"
    return str(value)


def _float(value: float) -> str:
    """The shortest form that reads back; with an exponent below -4 and from 21 on."""
    text = repr(value)
    mantissa, _, exponent = f"{value:e}".partition("e")
    power = int(exponent)
    if -4 <= power < 21:
        return f"{value:.0f}" if text.endswith(".0") or "e" in text else text
    digits = repr(float(text.partition("e")[0])) if "e" in text else mantissa.rstrip("0")
    return f"{digits.removesuffix('.0').rstrip('.')}e{power:+03d}"


def sprint(values: list[object]) -> str:
    """``print``: a space between two values when neither is a string."""
    out = ""
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            out += " "
        out += shown(value)
    return out


def sprintf(template: str, values: list[object]) -> str:
    """``printf``; what does not fit is marked as Go marks it."""
    used = 0

    def one(match: re.Match[str]) -> str:
        nonlocal used
        flags, width, precision, verb = match[1], match[2], match[3], match[4]
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        if used >= len(values):
            return f"%!{verb}(MISSING)"
        value = values[used]
        used += 1
        text = _formatted(value, verb, flags, precision)
        size = min(int(width or 0), _WIDTH_MAX)
        if text is None:
            inner = "<nil>" if value is None else f"{type_name(value)}={shown(value).rjust(size)}"
            return f"%!{verb}({inner})"
        if "-" in flags:
            return text.ljust(size)
        if "0" in flags and not isinstance(value, str):
            sign = text[:1] if text[:1] in "+- " else ""
            return sign + text[len(sign) :].rjust(size - len(sign), "0")
        return text.rjust(size)

    out = _VERB.sub(one, template)
    if used < len(values):
        out += f"%!(EXTRA {', '.join(f'{type_name(value)}={shown(value)}' for value in values[used:])})"
    return out


def _formatted(value: object, verb: str, flags: str, precision: str | None) -> str | None:
    if verb == "T":
        return type_name(value)
    if verb == "v":
        return shown(value)
    if isinstance(value, bool):
        return shown(value) if verb == "t" else None
    if isinstance(value, int):
        return _integer(value, verb, flags)
    if isinstance(value, float):
        if verb not in "eEfFgG":
            return None
        text = _float(value) if verb in "gG" and precision is None else format(value, f".{precision or 6}{verb}")
        return "+" + text if "+" in flags and value >= 0 else text
    text = shown(value)
    if verb == "s":
        return text if precision is None else text[: int(precision or 0)]
    if verb == "q":
        return f"`{text}`" if "#" in flags and "`" not in text else quoted(text)
    if verb in "xX":
        digits = text.encode("utf-8", "surrogateescape").hex()
        return digits if verb == "x" else digits.upper()
    return None


def _integer(value: int, verb: str, flags: str) -> str | None:
    if verb == "c":
        return chr(value) if 0 <= value <= 0x10FFFF else "\ufffd"
    if verb == "q":
        return "'" + quoted(chr(value))[1:-1] + "'"
    if verb == "U":
        return f"U+{value:04X}"
    bases = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}
    if verb not in bases:
        return None
    prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    return f"{sign}{prefix}{abs(value):{bases[verb]}}"
