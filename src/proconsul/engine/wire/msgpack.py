"""The msgpack dialect of Consul's RPC, Raft and serf messages (old specification, raw strings only).

Struct fields are written as maps with keys sorted by byte value; strings and bytes are both ``raw``; nil stands for an
absent slice, map or pointer. Reading is tolerant: unknown keys are skipped, missing keys and nil keep the zero value.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
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
        return _quick_decoder(kind, tolerant) if _is_plain(kind) else tolerant
    raise TypeError(f"no msgpack decoder for {kind!r}")


def _is_plain(kind: Any) -> bool:
    """True when msgspec reads ``kind`` as the tolerant decoder does, or refuses.

    So nothing in it is bytes (strings would be taken for base64), and nil means what a missing field means.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return _is_plain(arguments[0])
    if arguments:
        return origin is not tuple and all(_is_plain(argument) for argument in arguments)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return all(
            _is_plain(field.type) and (type(None) not in get_args(field.type) or field.default is None)
            for field in msgspec.structs.fields(kind)
        )
    return kind in (str, int, bool, float, Any, types.NoneType)


def _quick_decoder(cls: type[msgspec.Struct], tolerant: Decoder) -> Decoder:
    """Most values have exactly the expected types; what msgspec refuses (nil for a string) is read again tolerantly."""

    def decode_quickly(value: Any) -> Any:
        try:
            return msgspec.convert(value, cls)
        except (msgspec.ValidationError, RecursionError):
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

    def decode_struct(value: Any) -> Any:
        if value is None:
            return cls()
        if not isinstance(value, dict):
            raise DecodeError(f"expected a map for {cls.__name__}, got {type(value).__name__}")
        if not hints:
            for field in msgspec.structs.fields(cls):
                hints[field.encode_name] = decoder_for(field.type)
        arguments = {}
        for key, item in value.items():
            convert = hints.get(key)
            if convert is not None and item is not None:
                arguments[key] = convert(item)
        return cls(**arguments)

    return decode_struct
