"""What values are in bytes: for mappings over keys. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from proconsul.client.errors import BadAnswer

__all__ = ["BYTES", "JSON", "TEXT", "Codec", "json_of"]

V = TypeVar("V")


class Codec(NamedTuple, Generic[V]):
    """``read`` raises BadAnswer for bytes that are no value."""

    write: Callable[[V], bytes]
    read: Callable[[bytes], V]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadAnswer(f"the value is no text: {error}") from None


def json_of(kind: type[V]) -> Codec[V]:
    """Values of ``kind`` (a msgspec.Struct, a dataclass, ``list[int]``, ...) as JSON, checked when they are read."""
    decoder = msgspec.json.Decoder(kind)

    def read(data: bytes) -> V:
        try:
            return decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswer(f"the value is not of its kind: {error}") from None

    return Codec(msgspec.json.encode, read)


BYTES: Codec[bytes] = Codec(bytes, bytes)
TEXT: Codec[str] = Codec(str.encode, _text)
JSON: Codec[Any] = json_of(object)
