"""The msgpack dialect of Consul's RPC, Raft and serf messages (old specification, raw strings only).

Struct fields are written as maps with keys sorted by byte value; strings and bytes are both ``raw``; nil stands for an
absent slice, map or pointer. Reading is tolerant: unknown keys are skipped, missing keys and nil keep the zero value.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, Union, get_args, get_origin

import msgpack
import msgspec

Decoder = Callable[[Any], Any]
T = TypeVar("T")

# 64 MiB: the largest single object, an InstallSnapshot or push/pull excluded, is a register with 20 MiB of state;
# anything larger is an attack or a bug.
BUFFER_BYTES_MAX = 64 << 20
_INT64_MIN, _UINT64_MAX = -(1 << 63), (1 << 64) - 1

_pack = msgpack.Packer(use_bin_type=False, unicode_errors="surrogateescape", autoreset=True).pack


class DecodeError(ValueError):
    """The bytes are not a value of the expected type."""


def encode(value: Any) -> bytes:
    """Encode a record, or plain values, in the dialect."""
    if isinstance(value, (msgspec.Struct, list, dict)):
        value = msgspec.to_builtins(value, builtin_types=(bytes,), order="sorted")
    result: bytes = _pack(value)
    return result


def unpack(data: bytes | memoryview) -> Any:
    """Decode one object into plain values; raw values become ``str`` with surrogate escapes.

    Raises DecodeError when ``data`` is not exactly one object.
    """
    try:
        # unpackb bounds every length by the size of its input, so the input's size is the bound to check.
        if len(data) > BUFFER_BYTES_MAX:
            raise DecodeError(f"msgpack object of {len(data)} bytes, limit is {BUFFER_BYTES_MAX}")
        return msgpack.unpackb(data, raw=False, unicode_errors="surrogateescape", strict_map_key=False)
    except DecodeError:
        raise
    except (ValueError, TypeError, msgpack.UnpackException, msgpack.ExtraData, RecursionError) as error:
        raise DecodeError(f"msgpack decode error: {error}") from error


def decode(cls: type[T], data: bytes | memoryview) -> T:
    """Decode one object of record type ``cls``. Raises DecodeError."""
    value: T = decoder_for(cls)(unpack(data))
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    raise DecodeError(f"expected a string, got {type(value).__name__}")


def _raw(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return value
    if value is None:
        return b""
    raise DecodeError(f"expected bytes, got {type(value).__name__}")


def _integer(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and _INT64_MIN <= value <= _UINT64_MAX:
        return value
    raise DecodeError(f"expected an integer, got {type(value).__name__}")


def _boolean(value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise DecodeError(f"expected a boolean, got {type(value).__name__}")


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise DecodeError(f"expected a number, got {type(value).__name__}")


def _anything(value: Any) -> Any:
    return value


_SCALARS: dict[Any, Decoder] = {
    str: _text, bytes: _raw, int: _integer, bool: _boolean, float: _number, Any: _anything, object: _anything,
}  # fmt: skip
_cache: dict[Any, Decoder] = {}


def decoder_for(kind: Any) -> Decoder:
    """The function that turns unpacked plain values into a value of type ``kind``."""
    found = _SCALARS.get(kind) or _cache.get(kind)
    if found is None:
        found = _cache[kind] = _build(kind)
    return found


def _build(kind: Any) -> Decoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return decoder_for(arguments[0])
    if origin in (Union, types.UnionType):
        (inner,) = (a for a in arguments if a is not type(None))
        decode_inner = decoder_for(inner)
        return lambda value: None if value is None else decode_inner(value)
    if origin in (list, tuple):
        return _list_decoder(decoder_for(arguments[0]), tuple if origin is tuple else list)
    if origin is dict:
        return _map_decoder(decoder_for(arguments[1]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        tolerant = _struct_decoder(kind)
        return _quick_decoder(kind, tolerant) if _is_quick(kind) else tolerant
    raise TypeError(f"no msgpack decoder for {kind!r}")


def _is_quick(kind: Any) -> bool:
    """True when msgspec reads ``kind`` as the tolerant decoder does, or refuses.

    So nil means what a missing field means, and bytes are found where `_raws` looks for them.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return _is_quick(arguments[0])
    if arguments:
        return origin is not tuple and bytes not in arguments and all(_is_quick(argument) for argument in arguments)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return all(
            (_is_bytes(field.type) or _is_quick(field.type))
            and (type(None) not in get_args(field.type) or field.default in (None, msgspec.UNSET))
            for field in msgspec.structs.fields(kind)
        )
    return kind in (str, int, bool, float, Any, types.NoneType)


def _is_bytes(kind: Any) -> bool:
    return kind is bytes or (bytes in get_args(kind) and types.NoneType in get_args(kind))


def _raws(kind: Any) -> Callable[[Any], None] | None:
    """What turns the raw values of unpacked bytes fields from text into bytes, in place; None when there are none.

    Msgspec would take the text for base64. Whatever has an unexpected type is left for others to refuse.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated or type(None) in arguments:
        return _raws(next(argument for argument in arguments if argument is not type(None)))
    if origin in (list, dict):
        item = _raws(arguments[-1])
        return None if item is None else partial(_raws_of_items, item)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return None
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    names = tuple(name for name, type_ in fields.items() if _is_bytes(type_))
    inner = tuple((name, found) for name, type_ in fields.items() if (found := _raws(type_)) is not None)
    return partial(_raws_of_fields, names, inner) if names or inner else None


def _raws_of_items(item: Callable[[Any], None], value: Any) -> None:
    if type(value) is list:
        for one in value:
            item(one)
    elif type(value) is dict:
        for one in value.values():
            item(one)


def _raws_of_fields(names: tuple[str, ...], inner: tuple[tuple[str, Callable[[Any], None]], ...], value: Any) -> None:
    if type(value) is not dict:
        return
    for name in names:
        raw = value.get(name)
        if type(raw) is str:
            value[name] = raw.encode("utf-8", "surrogateescape")
    for name, fix in inner:
        fix(value.get(name))


def _quick_decoder(cls: type[msgspec.Struct], tolerant: Decoder) -> Decoder:
    """Most values have exactly the expected types; what msgspec refuses (nil for a string, a name of a field that is no
    UTF-8) is read again tolerantly."""
    raws = _raws(cls)

    def decode_quickly(value: Any) -> Any:
        try:
            if raws is not None:
                raws(value)
            return msgspec.convert(value, cls)
        except (msgspec.ValidationError, UnicodeEncodeError, RecursionError):
            return tolerant(value)

    return decode_quickly


def _list_decoder(item: Decoder, container: type) -> Decoder:
    def decode_list(value: Any) -> Any:
        if value is None:
            return container()
        if not isinstance(value, list):
            raise DecodeError(f"expected an array, got {type(value).__name__}")
        return container(item(v) for v in value)

    return decode_list


def _map_decoder(item: Decoder) -> Decoder:
    def decode_map(value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise DecodeError(f"expected a map, got {type(value).__name__}")
        return {_text(k): item(v) for k, v in value.items()}

    return decode_map


def _struct_decoder(cls: type[msgspec.Struct]) -> Decoder:
    hints: dict[str, Decoder] = {}
    required: list[str] = []

    def decode_struct(value: Any) -> Any:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise DecodeError(f"expected a map for {cls.__name__}, got {type(value).__name__}")
        if not hints:
            # Filled at the first use: records may contain each other.
            for field in msgspec.structs.fields(cls):
                hints[field.encode_name] = decoder_for(field.type)
                if field.required:
                    required.append(field.encode_name)
        arguments = {}
        for key, item in value.items():
            convert = hints.get(key)
            if convert is not None and item is not None:
                arguments[key] = convert(item)
        for key in required:
            if key not in arguments:
                arguments[key] = hints[key](None)
        return cls(**arguments)

    return decode_struct
