"""JSON as Go's ``encoding/json`` reads and writes it: error texts, escapes, field order of structs.  Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from proconsul.engine.wire import gojson_scan

__all__ = [
    "UNFINISHED", "Field", "GoJsonError", "Json", "Struct", "dumps", "kind_of", "loads", "loads_first",
    "sort_maps",
]  # fmt: skip

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"

# Deeper documents are refused: Python's decoder recurses, and no Consul document nests this far.
_DEPTH_MAX = 500
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_PATTERN = re.compile("[<>&\u2028\u2029]")


# The text for a document that may be one when more of it comes.
UNFINISHED = "unexpected end of JSON input"


class GoJsonError(ValueError):
    """The text is no JSON; ``str()`` is Go's error text."""


def loads_first(text: str | bytes) -> Json:
    """Decode the first value of a stream, whatever comes behind it; raises :class:`GoJsonError`."""
    return loads(text, first=True)


def loads(text: str | bytes, *, first: bool = False) -> Json:
    """Decode a document, or the ``first`` value of a text; raises :class:`GoJsonError`."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    # What is no character, as a byte or as an escape, becomes the mark for it.
    plain = _LONE.sub("\ufffd", text)
    try:
        if first:
            value = cast(Json, _DECODER.raw_decode(plain.lstrip(_BLANK))[0])
        else:
            value = cast(Json, json.loads(plain, parse_constant=_refuse_constant))
        return _without_lone(value) if "\\ud" in plain or "\\uD" in plain else value
    except json.JSONDecodeError as error:
        raise GoJsonError(_go_text(text, error)) from None
    except RecursionError:
        raise GoJsonError("exceeded max depth") from None


_BLANK = " \t\r\n"
_LONE = re.compile("[\ud800-\udfff]")


def _without_lone(value: Json) -> Json:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {cast(str, _without_lone(key)): _without_lone(item) for key, item in value.items()}
    return [_without_lone(item) for item in value] if isinstance(value, list) else value


def _refuse_constant(name: str) -> Json:
    raise GoJsonError(f"invalid character {name[0]!r} looking for beginning of value")


def _go_text(text: str, error: json.JSONDecodeError) -> str:
    reason = gojson_scan.explain_syntax(text.lstrip(" \t\r\n"))
    if reason is None:  # the value is sound, so what follows it is not
        char = text[error.pos :].lstrip(" \t\r\n")[:1]
        return f"invalid character '{char}' after top-level value"
    # The scanner speaks of streams; a whole document that is cut off has its own text.
    return UNFINISHED if reason in ("unexpected EOF", "EOF") else reason


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def kind_of(value: Json) -> str:
    """Return Go's word for a JSON value: object, array, string, number, bool, null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def _escape(text: str) -> str:
    return _HTML_PATTERN.sub(lambda match: _HTML[match.group()], json.dumps(text, ensure_ascii=False))


def dumps(value: Json, *, prefix: str = "", indent: str = "") -> str:
    """Write compactly, or with ``MarshalIndent``'s layout when ``indent`` is given.

    Keys of mappings keep their order (callers sort what is a map in Go); HTML characters are escaped as Go does.
    """
    return _dump(value, "\n" + prefix, indent, 0)


def _dump(value: Json, line: str, indent: str, depth: int) -> str:
    assert depth < _DEPTH_MAX, "document nests too deep"
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _escape(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    inner = line + indent
    separator = "," + inner if indent else ","
    colon = ": " if indent else ":"
    if isinstance(value, Mapping):
        parts = [_escape(key) + colon + _dump(item, inner, indent, depth + 1) for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_dump(item, inner, indent, depth + 1) for item in value]
        opening, closing = "[", "]"
    if not parts:
        return opening + closing
    if not indent:
        return opening + separator.join(parts) + closing
    return opening + inner + separator.join(parts) + line + closing


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, exponent, power = text.partition("e")
    if not exponent:
        return text
    sign = "-" if power.startswith("-") else "+"
    digits = power.lstrip("+-0") or "0"
    return f"{mantissa}e{sign}{digits.zfill(2)}"


class Field:
    """One field of a Go struct: its JSON name, its zero value, and whether it is left out when empty."""

    __slots__ = ("many", "name", "omit", "struct", "zero")

    name: str
    omit: bool
    struct: Struct | None
    zero: Json

    def __init__(
        self, name: str, zero: Json = "", *, omit: bool = False, struct: Struct | None = None, many: str = ""
    ) -> None:
        assert many in ("", "list", "map")
        self.name = name
        self.zero = zero
        self.omit = omit
        self.struct = struct
        self.many = many

    def take(self, value: Json) -> Json:
        """Return the value as Go would write it again after reading it into this field."""
        if value is None:
            if self.struct is not None and not self.many and self.zero is not None:
                return self.struct.shape({})
            return self.zero
        if self.struct is not None:
            if self.many == "list" and isinstance(value, Sequence):
                return [self.struct.shape(item) for item in value]
            if self.many == "map" and isinstance(value, Mapping):
                return {key: self.struct.shape(value[key]) for key in sorted(value)}
            return self.struct.shape(value)
        return sort_maps(value)

    def is_empty(self, value: Json) -> bool:
        """Tell whether ``omitempty`` leaves this value out; a pointer to a struct only if there is none."""
        if self.struct is not None and not self.many:
            return value is None
        return value is None or value is False or value in ("", 0, [], {})


class Struct:
    """The fields of a Go struct in their order."""

    __slots__ = ("_by_lower", "fields")

    fields: tuple[Field, ...]

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self._by_lower = {field.name.lower(): field.name for field in fields}

    def shape(self, value: Json) -> Json:
        """Return ``value`` with this struct's fields only, in order, empty ones filled in or left out."""
        if value is None:
            return None
        assert isinstance(value, Mapping)
        given = {self._by_lower.get(key.lower(), key): item for key, item in value.items()}
        out: dict[str, Json] = {}
        for field in self.fields:
            item = field.take(given.get(field.name))
            if field.omit and field.is_empty(item):
                continue
            out[field.name] = item
        return out

    def shape_list(self, value: Json) -> Json:
        """Shape every item of a list; ``None`` stays ``None``."""
        if value is None:
            return None
        assert isinstance(value, Sequence)
        return [self.shape(item) for item in value]


def sort_maps(value: Json) -> Json:
    """Return the value with the keys of every mapping sorted, as Go writes maps."""
    if isinstance(value, Mapping):
        return {key: sort_maps(value[key]) for key in sorted(value)}
    if isinstance(value, str) or not isinstance(value, Sequence):
        return value
    return [sort_maps(item) for item in value]
