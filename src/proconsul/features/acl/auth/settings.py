"""The configuration of an auth method, from JSON to values: what the original's decoder takes and refuses; pure.

It takes numbers for texts and one text for a list of one, names regardless of case, and refuses names it does not know.
Durations may be texts like ``30s`` here, which the documentation shows and 1.8.7 refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth.common import AuthError

TEXT, TEXTS, MAP, DURATION, FLAG, NUMBER = "text", "texts", "map", "duration", "flag", "number"
# Fields of its own.
OBJECT = "object"
_EMPTY: Mapping[str, Callable[[], Any]] = {
    TEXT: str, TEXTS: list, MAP: dict, DURATION: int, FLAG: bool, NUMBER: int, OBJECT: dict
}  # fmt: skip
_INTEGER = re.compile(r"[+-]?\d+")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False", ""})


class _Fault(ValueError):
    """One fault, or several: its arguments."""


def decode(given: Mapping[str, Any] | None, kinds: Mapping[str, str]) -> dict[str, Any]:
    """The values of the fields in ``kinds``, empty ones where nothing is given. Raises AuthError with every fault."""
    values = {name: _EMPTY[kind]() for name, kind in kinds.items()}
    names = {name.lower(): name for name in kinds}
    faults: list[str] = []
    unknown = []
    for key in sorted(given or {}):
        name = names.get(key.lower())
        item = (given or {})[key]
        if name is None:
            unknown.append(key)
        elif item is not None:
            try:
                values[name] = _READERS[kinds[name]](name, item)
            except _Fault as fault:
                faults += fault.args
    if unknown:
        faults.append(f"'' has invalid keys: {', '.join(unknown)}")
    if faults:
        lines = "\n".join(f"* {fault}" for fault in sorted(faults))
        raise AuthError(f"error decoding config: {len(faults)} error(s) decoding:\n\n{lines}")
    return values


def _go_type(item: Any) -> str:
    if isinstance(item, bool):
        return "bool"
    if isinstance(item, int | float):
        return "float64"
    if isinstance(item, str):
        return "string"
    return "[]interface {}" if isinstance(item, list) else "map[string]interface {}"


def _unfit(name: str, wanted: str, item: Any) -> _Fault:
    return _Fault(f"'{name}' expected type '{wanted}', got unconvertible type '{_go_type(item)}'")


def _text(name: str, item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return "1" if item else "0"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, float):
        return format(item, "f").rstrip("0").rstrip(".") if not item.is_integer() else str(int(item))
    raise _unfit(name, "string", item)


def _texts(name: str, item: Any) -> list[str]:
    if isinstance(item, dict):
        if not item:
            return []
        raise _unfit(f"{name}[0]", "string", item)
    items = item if isinstance(item, list) else [item]
    return list(_each(_text, {f"{name}[{place}]": one for place, one in enumerate(items)}).values())


def _map(name: str, item: Any) -> dict[str, str]:
    if isinstance(item, list):
        merged: dict[str, str] = {}
        for place, one in enumerate(item):
            merged |= _map(f"{name}[{place}]", one)
        return merged
    if not isinstance(item, dict):
        raise _Fault(f"'{name}' expected a map, got '{_go_type(item)}'")
    texts = _each(_text, {f"{name}[{key}]": one for key, one in item.items()})
    return dict(zip(item, texts.values(), strict=True))


def _each(read: Callable[[str, Any], str], items: Mapping[str, Any]) -> dict[str, str]:
    """All of them read, by where they are. Raises _Fault with the faults of all."""
    found: dict[str, str] = {}
    faults: list[str] = []
    for where, item in items.items():
        try:
            found[where] = "" if item is None else read(where, item)
        except _Fault as fault:
            faults += fault.args
    if faults:
        raise _Fault(*faults)
    return found


def _flag(name: str, item: Any) -> bool:
    if isinstance(item, bool | int | float):
        return bool(item)
    if isinstance(item, str):
        if item in _TRUE or item in _FALSE:
            return item in _TRUE
        raise _Fault(f"cannot parse '{name}' as bool: strconv.ParseBool: parsing {quoted(item)}: invalid syntax")
    raise _unfit(name, "bool", item)


def _number(name: str, item: Any, go_type: str = "int") -> int:
    if isinstance(item, bool | int | float):
        return int(item)
    if isinstance(item, str):
        if _INTEGER.fullmatch(item):
            return int(item)
        raise _Fault(f"cannot parse '{name}' as int: strconv.ParseInt: parsing {quoted(item)}: invalid syntax")
    raise _unfit(name, go_type, item)


def _duration(name: str, item: Any) -> int:
    if isinstance(item, str) and not _INTEGER.fullmatch(item):
        try:
            return parse_duration(item)
        except DurationError:
            pass
    return _number(name, item, "time.Duration")


def _object(name: str, item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise _Fault(f"'{name}' expected a map, got '{_go_type(item)}'")
    return item


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    TEXT: _text, TEXTS: _texts, MAP: _map, DURATION: _duration, FLAG: _flag, NUMBER: _number,
    OBJECT: _object,
}  # fmt: skip
