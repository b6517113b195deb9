"""JSON as the original HTTP API reads and writes it (Go's encoding/json rules).

Reading is strict and typed: unknown fields are refused, keys match without regard to case, ``null`` keeps the zero
value, and errors carry the texts clients know (``json: unknown field "X"``). Writing keeps field order, honours
omitempty, escapes ``<``, ``>`` and ``&``, and prints bytes as base64.
"""

from __future__ import annotations

import json
import math
import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from proconsul.engine.wire import gobase64
from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration
from proconsul.engine.wire.gojson_scan import explain_syntax
from proconsul.engine.wire.gotime import GoTime, from_rfc3339
from proconsul.engine.wire.record import Duration, TextDuration, UInt, UInt64
from proconsul.engine.wire.text import quoted

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(float_hook=lambda text: Float(text)).decode
# Go refuses deeper nesting (encoding/json maxNestingDepth is 10000); our decoder's own limit is the stack.
DEPTH_MAX = 256
_DEPTH_TEXT = "exceeded max depth"
# Go switches to exponents for floats from here on.
_EXPONENT_FROM = 1e21
# Python refuses to make integers of more digits than that few thousand; the largest double has 309.
_INTEGER_DIGITS_MAX = 1000
UINT64_MAX = (1 << 64) - 1
# A number of signed types only, which our decoder takes for a plain zero.
_MINUS_ZERO = "-0"
# Stands for one byte that is not UTF-8 until the text is encoded; a noncharacter, so no real text holds it.
_INVALID = "\U0010fffe"
# One look finds nothing to escape in most small bodies; for large ones five memchr passes are quicker.
_SUSPECT = re.compile(rb"[<>&\xe2\\]")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
# Escapes that our encoder knows and the original's does not.
_LONG_ESCAPES = {b"b": b"\\u0008", b"f": b"\\u000c"}
_SMALL_BYTES = 1024


class Float(float):
    """A number as it was spelled: error texts show it."""

    def __new__(cls, text: str) -> Float:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


class JSONError(ValueError):
    """The body is not JSON of the expected shape; the text is what Go would print."""


# --------------------------------------------------------------------------------------------------------- writing


def dumps(value: Any, *, pretty: bool = False) -> bytes:
    """Encode records and plain values; ``pretty`` indents by four spaces and ends with a newline."""
    value = plain(value)
    try:
        body = _encode(value)
    except UnicodeEncodeError:
        body = _encode(_clean(value)).replace(_INVALID.encode(), b"\\ufffd")
    return escape_html(indented(body) if pretty else body)


def dumps_plain(value: Any) -> bytes:
    """As `dumps`, for what holds no records, and no maps but those whose order is the one to be written."""
    try:
        return escape_html(_encode(value))
    except UnicodeEncodeError:
        return dumps(value)


def indented(body: bytes) -> bytes:
    """Compact JSON in the form for people: indented by four spaces, and with a newline at its end."""
    return msgspec.json.format(body, indent=4) + b"\n"


def escape_html(body: bytes) -> bytes:
    """Escape the characters that Go escapes, as it does. They occur only inside JSON strings: a replace is exact."""
    if len(body) < _SMALL_BYTES and _SUSPECT.search(body) is None:
        return body
    if b"<" in body:
        body = body.replace(b"<", b"\\u003c")
    if b">" in body:
        body = body.replace(b">", b"\\u003e")
    if b"&" in body:
        body = body.replace(b"&", b"\\u0026")
    # One byte is found far quicker than two or three.
    if b"\xe2" in body and (b"\xe2\x80\xa8" in body or b"\xe2\x80\xa9" in body):
        body = body.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    if b"\\" in body and (b"\\b" in body or b"\\f" in body):
        body = _ESCAPE.sub(lambda match: _LONG_ESCAPES.get(match[1], match[0]), body)
    return body


class Object(dict[str, Any]):
    """A JSON object whose members keep their order; other dicts are maps and are written sorted, as Go does."""


def plain(value: Any) -> Any:
    """Turn records into what msgspec encodes natively, applying omitempty, renames and ``__json__``."""
    if isinstance(value, msgspec.Struct):
        return _writer(type(value))(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        if type(value) is Object:
            return Object((key, plain(item)) for key, item in value.items())
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXPONENT_FROM:
        return int(value)  # Go prints whole floats without a fraction
    return value


_writers: dict[type, Callable[[Any], Any]] = {}


def _writer(cls: type) -> Callable[[Any], Any]:
    found = _writers.get(cls)
    if found is None:
        found = _writers[cls] = _build_writer(cls)
    return found


def _build_writer(cls: type) -> Callable[[Any], Any]:
    custom = getattr(cls, "__json__", None)
    if custom is not None:
        return lambda value: Object((key, plain(item)) for key, item in custom(value).items())
    if _is_simple(cls):
        return lambda value: value
    omit: frozenset[str] = getattr(cls, "json_omitempty", frozenset())
    names: dict[str, str] = getattr(cls, "json_names", {})
    steps = []
    for field in msgspec.structs.fields(cls):
        text = _annotation(field.type) == "text-duration"
        steps.append((field.name, names.get(field.name, field.name), field.name in omit, text, _is_leaf(field.type)))

    def write(value: Any) -> dict[str, Any]:
        out = Object()
        for attribute, name, omitempty, text, leaf in steps:
            item = getattr(value, attribute)
            if omitempty and not item:
                continue
            if text:
                item = format_duration(item)
            out[name] = item if leaf else plain(item)
        return out

    return write


def _annotation(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1])
    return ""


def _is_leaf(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        return True
    if get_origin(kind) in (Union, types.UnionType, list, tuple):
        return all(_is_leaf(a) for a in get_args(kind) if a not in (type(None), Ellipsis))
    return kind in (str, bytes, int, bool)


def _is_simple(cls: type) -> bool:
    """True when msgspec's own encoding of ``cls`` is already the wanted one."""
    if getattr(cls, "json_omitempty", None) or getattr(cls, "json_names", None) or hasattr(cls, "__json__"):
        return False
    return all(_simple_kind(field.type) for field in msgspec.structs.fields(cls))


def _simple_kind(kind: Any) -> bool:
    if _annotation(kind) == "text-duration":
        return False
    if _is_leaf(kind):
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _is_simple(kind)
    if get_origin(kind) in (Union, types.UnionType, list, tuple):
        return all(_simple_kind(a) for a in get_args(kind) if a not in (type(None), Ellipsis))
    return False


def _clean(value: Any) -> Any:
    """Mark bytes that are not UTF-8, one by one; they are written as the escape of U+FFFD, as Go does."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value, builtin_types=(bytes,))
    if isinstance(value, str):
        return "".join(_INVALID if "\ud800" <= char <= "\udfff" else char for char in value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


# --------------------------------------------------------------------------------------------------------- reading


def loads(body: bytes) -> Any:
    """Parse one JSON value; what follows it is ignored, as Go's stream decoder does. Raises JSONError.

    One that is nested deeper than `DEPTH_MAX` is refused (in Go: 10,000): everything that looks at it later may count
    on that.
    """
    try:
        value = _parsed(body)
    except RecursionError:  # the stack is a bound as well
        raise JSONError(_DEPTH_TEXT) from None
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _is_too_deep(value):
        raise JSONError(_DEPTH_TEXT)
    return value


def _is_too_deep(value: Any) -> bool:
    """Level by level: nothing here depends on the depth."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner for one in level if isinstance(one, list | dict)
            for inner in (one.values() if isinstance(one, dict) else one) if isinstance(inner, list | dict)
        ]  # fmt: skip
        if not level:
            return False
    return True


def _parsed(body: bytes) -> Any:
    if b"-0" in body:
        return _loads_slowly(body)
    try:
        return _decode(body)
    except msgspec.DecodeError:
        pass
    except UnicodeDecodeError:
        pass
    return _loads_slowly(body)


def _loads_slowly(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    error = explain_syntax(text)
    if error is not None:
        raise JSONError(error)
    try:
        value, _ = json.JSONDecoder(parse_constant=_refuse, parse_float=Float, parse_int=_integer).raw_decode(text)
    except ValueError as failure:
        raise JSONError(f"invalid JSON: {failure}") from None
    return _mended(value)


def _integer(text: str) -> int | float:
    """A whole number; one that may have to be refused for its length or its sign is kept as its spelling."""
    return int(text) if len(text) <= _INTEGER_DIGITS_MAX and text != _MINUS_ZERO else Float(text)


def _mended(value: Any) -> Any:
    """Half a surrogate pair reads as U+FFFD."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"invalid constant {name}")


def decode(cls: type[T], body: bytes) -> T:
    """Decode ``body`` into record type ``cls``. Raises JSONError with Go's text."""
    plain = loads(body)
    if plain is None:  # null leaves Go's zero value as it is
        plain = [] if get_origin(cls) is list else {}
    value: T = from_plain(cls, plain)
    return value


def from_plain(cls: Any, value: Any) -> Any:
    """Convert parsed JSON into ``cls`` with the same rules as ``decode``."""
    try:
        return _reader(cls)(value, "", "")
    except RecursionError:
        raise JSONError(_DEPTH_TEXT) from None


Reader = Callable[[Any, str, str], Any]
_readers: dict[Any, Reader] = {}


def _reader(kind: Any) -> Reader:
    found = _readers.get(kind)
    if found is None:
        found = _readers[kind] = _build_reader(kind)
    return found


def describe(value: Any) -> str:
    """What Go calls the kind of a parsed JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _mismatch(value: Any, go_type: str, struct: str, path: str) -> JSONError:
    where = f"Go struct field {struct}.{path} of type {go_type}" if path else f"Go value of type {go_type}"
    return JSONError(f"json: cannot unmarshal {describe(value)} into {where}")


def _unfit(value: float, go_type: str, struct: str, path: str) -> JSONError:
    """A number that its type cannot hold."""
    where = f"Go struct field {struct}.{path} of type {go_type}" if path else f"Go value of type {go_type}"
    return JSONError(f"json: cannot unmarshal number {getattr(value, 'text', value)} into {where}")


def read_float(value: float, struct: str, path: str) -> float:
    """A number as a double. Raises JSONError when it is beyond the largest."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise _unfit(value, "float64", struct, path)
    return number


def _scalar(python: type, go_type: str) -> Reader:
    def read(value: Any, struct: str, path: str) -> Any:
        if isinstance(value, python) and not (python is not bool and isinstance(value, bool)):
            return value
        raise _mismatch(value, go_type, struct, path)

    return read


def _read_int(go_type: str, low: int, high: int) -> Reader:
    def read(value: Any, struct: str, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _mismatch(value, go_type, struct, path)
        if isinstance(value, Float) and value.text == _MINUS_ZERO and low < 0:
            return 0
        if isinstance(value, float) or not low <= value <= high:
            raise _unfit(value, go_type, struct, path)
        return value

    return read


def _read_float(value: Any, struct: str, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _mismatch(value, "float64", struct, path)
    return read_float(value, struct, path)


_read_uint8 = _read_int("uint8", 0, 255)


def _read_bytes(value: Any, struct: str, path: str) -> bytes:
    if isinstance(value, list):
        return bytes(0 if item is None else _read_uint8(item, struct, path) for item in value)
    if not isinstance(value, str):
        raise _mismatch(value, "[]uint8", struct, path)
    try:
        return gobase64.decode(value)
    except gobase64.Base64Error as error:
        raise JSONError(str(error)) from None


_INT64_MIN = -(1 << 63)


def _read_duration(value: Any, struct: str, path: str) -> int:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except DurationError as error:
            raise JSONError(str(error)) from None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # As Go converts a float64 that is too large, on amd64.
        return int64(read_float(value, struct, path)) if isinstance(value, float) else int64(value)
    return 0  # the original looks for text and numbers only


def int64(value: float) -> int:
    """``value`` without its fraction; what does not fit becomes the least, as on amd64."""
    return int(value) if _INT64_MIN <= value < -_INT64_MIN else _INT64_MIN


def _read_anything(value: Any, struct: str, path: str) -> Any:
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > UINT64_MAX):
        return read_float(value, struct, path)
    if isinstance(value, list):
        return [_read_anything(item, struct, path) for item in value]
    if isinstance(value, dict):
        return {key: _read_anything(item, struct, path) for key, item in value.items()}
    return value


def _read_time(value: Any, struct: str, path: str) -> bytes:
    """A time in RFC 3339. What is none is told as Go does when not even its year can be read."""
    if not isinstance(value, str):
        text = msgspec.json.encode(value).decode()
    else:
        try:
            return from_rfc3339(value)
        except ValueError:
            text = msgspec.json.encode(value).decode()
    layout = '"2006-01-02T15:04:05Z07:00"'
    rest = text.removeprefix('"')
    raise JSONError(f'parsing time {quoted(text)} as {quoted(layout)}: cannot parse {quoted(rest)} as "2006"')


_SCALAR_READERS: dict[Any, Reader] = {
    str: _scalar(str, "string"),
    bool: _scalar(bool, "bool"),
    int: _read_int("int", -(1 << 63), (1 << 63) - 1),
    UInt64: _read_int("uint64", 0, (1 << 64) - 1),
    UInt: _read_int("uint", 0, (1 << 64) - 1),
    Duration: _read_duration,
    TextDuration: _read_duration,
    float: _read_float,
    bytes: _read_bytes,
    GoTime: _read_time,
    Any: _read_anything,
}


def _build_reader(kind: Any) -> Reader:
    if kind in _SCALAR_READERS:
        return _SCALAR_READERS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        if arguments[0] is str:
            return _scalar(str, arguments[1])  # a named string
        return _reader(arguments[0])
    if origin in (Union, types.UnionType):
        (inner,) = (a for a in arguments if a is not type(None))
        read_inner = _reader(inner)
        return lambda value, struct, path: None if value is None else read_inner(value, struct, path)
    if origin in (list, tuple):
        return _list_reader(arguments[0], tuple if origin is tuple else list)
    if origin is dict:
        return _map_reader(arguments[1])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct_reader(kind)
    raise TypeError(f"no JSON reader for {kind!r}")


def go_type(kind: Any) -> str:
    """The Go spelling of ``kind`` as it appears in type errors."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return "time.Duration" if "duration" in str(arguments[1]).lower() else str(arguments[1])
    if origin in (Union, types.UnionType):
        return go_type(next(a for a in arguments if a is not type(None)))
    if origin in (list, tuple):
        return "[]" + go_type(arguments[0])
    if origin is dict:
        return "map[string]" + go_type(arguments[1])
    simple = {str: "string", bool: "bool", int: "int", float: "float64", bytes: "[]uint8", Any: "interface {}"}
    return simple.get(kind) or getattr(kind, "go_type", "") or "structs." + struct_name(kind)


def struct_name(kind: Any) -> str:
    """The Go name of a struct; some are anonymous."""
    name: str | None = getattr(kind, "go_name", None)
    return kind.__name__ if name is None else name


def _list_reader(item: Any, container: type) -> Reader:
    read_item = _reader(item)
    name = "[]" + go_type(item)

    def read(value: Any, struct: str, path: str) -> Any:
        if not isinstance(value, list):
            raise _mismatch(value, name, struct, path)
        zero = _zero(item)
        return container(zero if v is None else read_item(v, struct, path) for v in value)

    return read


def _map_reader(item: Any) -> Reader:
    read_item = _reader(item)
    name = "map[string]" + go_type(item)

    def read(value: Any, struct: str, path: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(value, name, struct, path)
        zero = _zero(item)
        return {key: zero if v is None else read_item(v, struct, path) for key, v in value.items()}

    return read


def _zero(kind: Any) -> Any:
    if get_origin(kind) is Annotated:
        return get_args(kind)[0]()
    if kind in (str, int, float, bool, bytes):
        return kind()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind()
    return None


def _struct_reader(cls: type[msgspec.Struct]) -> Reader:
    own_name = struct_name(cls)
    lenient: bool = getattr(cls, "json_lenient", False)
    opaque: bool = getattr(cls, "json_opaque", False)
    table: dict[str, tuple[str, str, Reader]] = {}

    def prepare() -> None:
        names: dict[str, str] = getattr(cls, "json_names", {})
        hidden: frozenset[str] = getattr(cls, "json_hidden", frozenset())
        kinds = {}
        for field in msgspec.structs.fields(cls):
            if field.name not in hidden:
                name = names.get(field.name, field.name)
                table[name.lower()] = (field.name, name, _reader(field.type))
            kinds[field.name] = _reader(field.type)
        for alias, field_name in getattr(cls, "json_aliases", {}).items():
            table.setdefault(alias.lower(), (field_name, alias, kinds[field_name]))
        for ignored, kind in getattr(cls, "json_ignored", {}).items():
            table.setdefault(ignored.lower(), ("", ignored, _reader(kind)))

    def read(value: Any, struct: str, path: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(value, go_type(cls), struct, path)
        if not table:
            prepare()
        arguments = {}
        for key, item in value.items():
            found = table.get(key.lower())
            if found is None:
                if lenient:
                    continue
                raise JSONError(f"json: unknown field {quoted(key)}")
            if item is not None:
                field_name, name, convert = found
                if not field_name:
                    convert(item, struct if opaque and path else own_name, path or name)
                    continue
                if name != field_name and field_name in arguments and key.lower() != field_name.lower():
                    continue  # the field's own name wins over its aliases
                if opaque and path:
                    arguments[field_name] = convert(item, struct, path)
                else:
                    arguments[field_name] = convert(item, own_name, f"{path}.{name}" if path else name)
        return cls(**arguments)

    return read
