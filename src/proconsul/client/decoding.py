"""Bodies as records, and records as bodies. Pure.

Reading is lenient: what is not known is passed over, what is null or missing is the zero value, durations come as text
or as nanoseconds, names match whatever their case. That is how clients in Go read, so how servers may write. The quick
way is tried first; what it does not take is read the slow way.

Writing leaves out what is as it is by default, as servers refuse names that they do not know.
"""

from __future__ import annotations

import functools
import json
import types
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin

import msgspec

from proconsul.client.errors import BadAnswer, shown_text
from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration

__all__ = ["decode", "encode", "plain"]

T = TypeVar("T")

_DURATIONS: Final = ("time.Duration", "text-duration")


@functools.lru_cache(maxsize=256)
def _decoder(kind: Any) -> Any:
    return msgspec.json.Decoder(kind, strict=True).decode


def decode(body: bytes, kind: type[T]) -> T:
    """The body as one of ``kind``. Raises BadAnswer."""
    try:
        return cast(T, _decoder(cast(Any, kind))(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return cast(T, _decode_slowly(body, kind))


def _decode_slowly(body: bytes, kind: Any) -> Any:
    try:
        value = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        said = shown_text(body, "")
        raise BadAnswer(f"the answer is no JSON: {said}" if said else "the answer is empty") from None
    try:
        return _reader(kind)(value)
    except (ValueError, TypeError, msgspec.MsgspecError, RecursionError) as error:
        raise BadAnswer(f"the answer is not of the form it should have: {error}") from None


@functools.cache
def _reader(kind: Any) -> Any:
    """A function from plain JSON to ``kind``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: value
    if origin is not None and origin not in (list, dict, tuple, Union, types.UnionType):  # Annotated, Literal
        metadata = getattr(kind, "__metadata__", ())
        if any(one in _DURATIONS for one in metadata):
            return _duration
        return _reader(arguments[0]) if metadata else lambda value: msgspec.convert(value, kind, strict=False)
    if origin in (Union, types.UnionType):
        inner = [one for one in arguments if one is not type(None)]
        if len(inner) == 1:
            read = _reader(inner[0])
            return lambda value: None if value is None else read(value)
        return lambda value: msgspec.convert(value, kind, strict=False)
    if origin is list:
        return _list_reader(arguments[0])
    if origin is dict:
        return _dict_reader(arguments[1])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct_reader(kind)
    return _leaf_reader(kind)


def _leaf_reader(kind: Any) -> Any:
    zero = kind() if kind in (str, int, float, bool, bytes) else None

    def read(value: Any) -> Any:
        return zero if value is None else msgspec.convert(value, kind, strict=False)

    return read


def _list_reader(item: Any) -> Any:
    read = _reader(item)

    def read_list(value: Any) -> Any:
        if not isinstance(value, list):
            if value is None:
                return []
            raise ValueError(f"expected a list, got {type(value).__name__}")
        return [read(one) for one in value]

    return read_list


def _dict_reader(item: Any) -> Any:
    read = _reader(item)

    def read_dict(value: Any) -> Any:
        if not isinstance(value, dict):
            if value is None:
                return {}
            raise ValueError(f"expected an object, got {type(value).__name__}")
        return {name: read(one) for name, one in value.items()}

    return read_dict


def _struct_reader(kind: type[msgspec.Struct]) -> Any:
    fields: dict[str, tuple[str, Any]] = {}
    required: set[str] = set()

    def read(value: Any) -> Any:
        if not fields:  # now, as types may hold themselves
            for one in msgspec.structs.fields(kind):
                if one.required:
                    required.add(one.name)
                fields[one.encode_name.lower()] = one.name, _reader(one.type)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, got {type(value).__name__}")
        found = {}
        for name, item in value.items():
            known = fields.get(name) or fields.get(name.lower())
            if known is not None and item is not None:
                found[known[0]] = known[1](item)
        for name, needed in fields.values():
            if name in required and name not in found:
                found[name] = needed(None)
        return kind(**found)

    return read


def _duration(value: Any) -> int:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except DurationError as error:
            raise ValueError(str(error)) from None
    return 0 if value is None else int(value)


# ---------------------------------------------------------------------- writing


def encode(value: object) -> bytes:
    """Records and plain values as JSON; of records what is not as it is by default."""
    return msgspec.json.encode(plain(value))


def plain(value: Any) -> Any:
    """``value`` without records: as JSON has it."""
    if isinstance(value, msgspec.Struct):
        shown = {}
        for name, encoded, default, duration in _fields(type(value)):
            item = getattr(value, name)
            if item is msgspec.UNSET or item == default or item is None:
                continue
            shown[encoded] = format_duration(item) if duration else plain(item)
        return shown
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return b64encode(value).decode() if isinstance(value, (bytes, bytearray, memoryview)) else value


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, str, Any, bool]]:
    """Name, name in JSON, default, and whether it is a duration, of each field."""
    return [
        (one.name, one.encode_name, one.default if one.default is not msgspec.NODEFAULT else None,
         any(mark in _DURATIONS for mark in getattr(one.type, "__metadata__", ())))
        for one in msgspec.structs.fields(kind)
    ]  # fmt: skip
