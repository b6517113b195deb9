"""Gossip records to bytes and back, by the rules of the original's decoder (msgpack, old specification).

Pure. Nearly every message on the wire is a map of exactly the known fields with no container inside: those are read by
one call into C and a table. Whatever is odd in any way, and the few nested records, go through a reader that follows
the record's types, so that nesting, counts and integer widths are bounded by what the record can hold and nothing is
allocated on the word of the sender.

Tolerated as the original does: nil is the zero value, unknown keys are skipped, missing keys keep the zero value, bytes
come raw or as bin, strings raw or as str8 but not as bin, a struct may be an array in the order of its declaration.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

import msgpack
import msgspec

from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.gossip.messages import Ack, IndirectPing, Ping, QueryMessage, QueryResponse
from proconsul.engine.wire.record import Record

T = TypeVar("T")
Reader = Callable[["_Cursor"], Any]

# The deepest message is serf's push/pull: map, events, slot, its events, event. What is skipped may not be deeper.
DEPTH_MAX = 5
# Elements of all containers of one message: memberlist's own limit for the nodes of a push/pull, 1 Mi. No real pool
# comes near, and it keeps 20 MiB of one-byte elements from becoming gigabytes of objects.
ELEMENTS_MAX = 1 << 20
# The largest record has 11 fields.
_KEYS_MAX = 16
# memberlist's limit for a node's metadata.
META_BYTES_MAX = 512
# Addresses seen lately, as text and packed: more than most pools have members.
_ADDRESSES_MAX = 8192
_TAGS_MAGIC = 0xFF
_PING_VERSION = 1
# Coordinates have 8 dimensions; more are left to the coordinate client to refuse.
_DIMENSIONS_MAX = 64

_TYPE_BYTES = [bytes((number,)) for number in range(256)]
_NIL = 0xC0
_BIN_BYTES = b"\xc4\xc5\xc6"
_pack: Callable[[Any], bytes] = msgpack.Packer(use_bin_type=False, unicode_errors="surrogateescape").pack


class GossipError(ValueError):
    """Bytes or keys of gossip that cannot be used."""


class BadMessage(GossipError):
    """The bytes are not the message they claim to be."""


class Truncated(BadMessage):
    """The message ends early: more bytes might complete it."""


class MetaTooLarge(GossipError):
    """Tags do not fit a node's metadata."""


def encode(kind: int, record: Record) -> bytes:
    """The message: its type byte, then the record. Widths of integers are the caller's responsibility."""
    return _TYPE_BYTES[kind] + encode_body(record)


def encode_body(record: Record | list[str] | dict[str, str]) -> bytes:
    """The record without a type byte, or a plain list or map as some payloads are."""
    if isinstance(record, (list, dict)):
        return _pack(record)
    plan = _encoders.get(type(record)) or _encode_plan(type(record))
    if plan.nested:
        return _pack(msgspec.to_builtins(record, builtin_types=(bytes,), order="sorted"))
    if plan.without_source is not None and not record.SourceAddr:  # type: ignore[attr-defined]
        plan = plan.without_source
    fields = dict(zip(plan.names, plan.get(record), strict=True))
    if plan.nil_when_empty and not fields["Payload"]:
        fields["Payload"] = None
    return _pack(fields)


def decode(cls: type[T], body: bytes | memoryview) -> T:
    """The record in ``body`` (the message without its type byte), which must hold nothing else. Raises BadMessage.

    ``cls`` may also be a list or map type (``list[str]``); nil is an empty one then.
    """
    plan = _plans.get(cls) or _decode_plan(cls)
    if plan.fields:
        found = _decode_flat(cls, plan, body)
        if found is not None:
            return found
    value, end = decode_first(cls, body)
    if end != len(body):
        raise BadMessage(f"{len(body) - end} bytes after a message")
    return value


def decode_first(cls: type[T], body: bytes | memoryview) -> tuple[T, int]:
    """The record that ``body`` begins with, and where it ends. Raises Truncated when it does not end, BadMessage."""
    cursor = _Cursor(body)
    value: T = (_plans.get(cls) or _decode_plan(cls)).read(cursor)
    return value, cursor.tell()


def decode_each(cls: type[T], body: bytes | memoryview, count: int) -> Iterator[T]:
    """The ``count`` records that ``body`` begins with, each decoded when it is asked for. Raises as `decode_first`."""
    cursor = _Cursor(body)
    read = (_plans.get(cls) or _decode_plan(cls)).read
    for _ in range(count):
        cursor.begin()
        yield read(cursor)


@lru_cache(_ADDRESSES_MAX)
def encode_address(host: str) -> bytes:
    """An IP address as 4 or 16 bytes; an IPv4 address in IPv6 form becomes 4. Raises BadMessage."""
    try:
        address = ip_address(host)
    except ValueError as error:
        raise BadMessage(str(error)) from None
    return _plain(address).packed


@lru_cache(_ADDRESSES_MAX)
def decode_address(raw: bytes) -> str:
    """The text of an address of 4 or 16 bytes. Raises BadMessage for any other length."""
    if len(raw) == 4:
        return str(IPv4Address(raw))
    if len(raw) == 16:
        return str(_plain(IPv6Address(raw)))
    raise BadMessage(f"address of {len(raw)} bytes")


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    # Go often holds IPv4 addresses in their 16 byte form and sends them so.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def encode_tags(tags: dict[str, str]) -> bytes:
    """Tags as a node's metadata. Raises MetaTooLarge above 512 bytes, with serf's text."""
    meta = _TYPE_BYTES[_TAGS_MAGIC] + _pack(tags)
    if len(meta) > META_BYTES_MAX:
        raise MetaTooLarge(f"Encoded length of tags exceeds limit of {META_BYTES_MAX} bytes")
    return meta


def decode_tags(meta: bytes) -> dict[str, str]:
    """The tags in a node's metadata; metadata of before there were tags is the role. Raises BadMessage."""
    if not meta or meta[0] != _TAGS_MAGIC:
        return {"role": meta.decode("utf-8", "surrogateescape")}
    return decode(dict[str, str], meta[1:])


class CoordinateBody(Record, frozen=True, gc=False):
    """A network coordinate in the payload of an acknowledgement; seconds."""

    Vec: list[float] | None = None
    Error: float = 0.0
    Adjustment: float = 0.0
    Height: float = 0.0


def encode_ping_payload(coordinate: Coordinate) -> bytes:
    """What serf puts into acknowledgements: a version, then the coordinate."""
    body = CoordinateBody(list(coordinate.vec), coordinate.error, coordinate.adjustment, coordinate.height)
    return _TYPE_BYTES[_PING_VERSION] + encode_body(body)


def decode_ping_payload(payload: bytes) -> Coordinate | None:
    """The coordinate in an acknowledgement's payload, None when it is empty. Raises BadMessage.

    Dimensions and finiteness are the coordinate client's to check.
    """
    if not payload:
        return None
    if payload[0] != _PING_VERSION:
        raise BadMessage(f"ping payload of version {payload[0]}")
    body = decode(CoordinateBody, payload[1:])
    vec = body.Vec or []
    if len(vec) > _DIMENSIONS_MAX:
        raise BadMessage(f"coordinate of {len(vec)} dimensions")
    return Coordinate(tuple(vec), body.Error, body.Adjustment, body.Height)


# Encoding ------------------------------------------------------------------------------------------------------------


class _EncodePlan(NamedTuple):
    names: tuple[str, ...]  # sorted, as the original writes them
    get: Callable[[Any], tuple[Any, ...]]
    nested: bool
    nil_when_empty: bool
    without_source: _EncodePlan | None


# A nil slice and an empty one differ on the wire; these are nil in the original when there is nothing to carry.
_NIL_PAYLOADS = (Ack, QueryMessage, QueryResponse)
# memberlist before 0.2 did not know these fields, and they mean nothing without an address.
_SOURCE = frozenset({"SourceAddr", "SourcePort", "SourceNode"})
_encoders: dict[type, _EncodePlan] = {}


def _encode_plan(cls: type[Record]) -> _EncodePlan:
    names = tuple(sorted(field.name for field in msgspec.structs.fields(cls)))
    nested = any(_has_record(field.type) for field in msgspec.structs.fields(cls))
    shorter = None
    if cls in (Ping, IndirectPing):
        kept = tuple(name for name in names if name not in _SOURCE)
        shorter = _EncodePlan(kept, _getter(kept), False, False, None)
    plan = _encoders[cls] = _EncodePlan(names, _getter(names), nested, cls in _NIL_PAYLOADS, shorter)
    return plan


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda record: (get(record),)


def _has_record(kind: Any) -> bool:
    return any(map(_has_record, get_args(kind))) or (isinstance(kind, type) and issubclass(kind, Record))


# Decoding: the usual shape -------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    key: bytes
    kind: type
    zero: Any
    low: int
    high: int


class _DecodePlan(NamedTuple):
    fields: tuple[_Field, ...]  # empty when the record is not flat
    has_text: bool
    read: Reader


_WIDTHS = {"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "uint": 64}
_plans: dict[type, _DecodePlan] = {}


def _decode_flat(cls: type[T], plan: _DecodePlan, body: bytes | memoryview) -> T | None:
    try:
        # No room for arrays, and maps within the map are refused below: nesting costs a sender's bytes, not our memory.
        fields = msgpack.unpackb(body, raw=True, strict_map_key=False, max_array_len=0, max_map_len=_KEYS_MAX)
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    if type(fields) is not dict:
        return None
    if plan.has_text:
        # Unpacked raw, a string and a bin look the same; a string may not be a bin.
        raw = bytes(body)
        if len(raw.translate(None, _BIN_BYTES)) != len(raw):
            return None
    return _from_fields(cls, plan, fields)


def _from_fields(cls: type[T], plan: _DecodePlan, fields: dict[bytes, Any]) -> T | None:
    get, arguments, missing = fields.get, [], 0
    for key, kind, zero, low, high in plan.fields:
        value = get(key)
        if value is None:
            missing += 1
            value = zero
        elif kind is int:
            if type(value) is not int or not low <= value <= high:
                return None
        elif kind is str:
            if type(value) is not bytes:
                return None
            value = str(value, "utf-8", "surrogateescape")
        elif type(value) is not kind:
            return None
        arguments.append(value)
    if len(fields) + missing != len(plan.fields):
        return None  # nil or unknown keys
    return cls(*arguments)


def _decode_plan(cls: type) -> _DecodePlan:
    if not issubclass(get_origin(cls) or cls, Record):
        plan = _plans[cls] = _DecodePlan((), False, _reader(cls))
        return plan
    described, fields = msgspec.structs.fields(cls), []
    for field in described:
        kind, low, high = field.type, -(1 << 63), (1 << 63) - 1
        if get_origin(kind) is Annotated:
            kind, note = get_args(kind)
            if note in _WIDTHS:
                low, high = 0, (1 << _WIDTHS[note]) - 1
        fields.append(_Field(field.encode_name.encode(), kind, field.default, low, high))
    flat = all(field.kind in (int, str, bytes, bool) for field in fields)
    has_text = any(field.kind is str for field in fields)
    plan = _plans[cls] = _DecodePlan(tuple(fields) if flat else (), has_text, _struct_reader(cls))
    return plan


# Decoding: whatever the type allows ----------------------------------------------------------------------------------


class _Cursor:
    """Reads one value after the other from bytes; every failure is a BadMessage."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = data
        self._unpacker = msgpack.Unpacker(
            raw=False, unicode_errors="surrogateescape", strict_map_key=False, max_buffer_size=max(len(data), 1),
            max_array_len=0, max_map_len=0,
        )  # fmt: skip
        self._unpacker.feed(data)
        self.begin()

    def begin(self) -> None:
        """A new message begins, with an allowance of its own."""
        self._elements_left = ELEMENTS_MAX

    def tell(self) -> int:
        at: int = self._unpacker.tell()
        return at

    def peek(self) -> int:
        """The byte the next value begins with."""
        at = self._unpacker.tell()
        if at >= len(self._data):
            raise Truncated("message ends early")
        byte: int = self._data[at]
        return byte

    def leaf(self) -> Any:
        """A value that is not a container."""
        try:
            return self._unpacker.unpack()
        except msgpack.OutOfData:
            raise Truncated("message ends early") from None
        except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
            raise BadMessage(f"not msgpack of the expected kind: {error}") from None

    def header(self, mapping: bool) -> int:
        """The number of elements of the map or array that begins here."""
        unpacker = self._unpacker
        try:
            count: int = unpacker.read_map_header() if mapping else unpacker.read_array_header()
        except msgpack.OutOfData:
            raise Truncated("message ends early") from None
        except (ValueError, msgpack.UnpackException):
            raise BadMessage("expected a map" if mapping else "expected an array") from None
        self._elements_left -= count
        if self._elements_left < 0:
            raise BadMessage(f"more than {ELEMENTS_MAX} elements")
        # An element takes a byte at least, so a loop over them ends with the bytes.
        return count

    def is_nil(self) -> bool:
        """Whether nil is next; if so it is consumed."""
        if self.peek() != _NIL:
            return False
        self.leaf()
        return True

    def skip(self, depth: int) -> None:
        """Pass over one value of any kind."""
        first = self.peek()
        is_map = 0x80 <= first <= 0x8F or first in (0xDE, 0xDF)
        if not is_map and not (0x90 <= first <= 0x9F or first in (0xDC, 0xDD)):
            self.leaf()
            return
        if depth >= DEPTH_MAX:
            raise BadMessage(f"nested deeper than {DEPTH_MAX}")
        for _ in range(self.header(is_map) * (1 + is_map)):
            self.skip(depth + 1)


def _read_text(cursor: _Cursor) -> str:
    value = cursor.leaf()
    if type(value) is str:
        return value
    if value is None:
        return ""
    raise BadMessage(f"expected a string, got {type(value).__name__}")


def _read_raw(cursor: _Cursor) -> bytes:
    value = cursor.leaf()
    if type(value) is str:
        return value.encode("utf-8", "surrogateescape")
    if type(value) is bytes:
        return value
    if value is None:
        return b""
    raise BadMessage(f"expected bytes, got {type(value).__name__}")


def _read_boolean(cursor: _Cursor) -> bool:
    value = cursor.leaf()
    if type(value) is bool:
        return value
    if value is None:
        return False
    raise BadMessage(f"expected a boolean, got {type(value).__name__}")


def _read_number(cursor: _Cursor) -> float:
    value = cursor.leaf()
    if type(value) is float or type(value) is int:
        return float(value)
    if value is None:
        return 0.0
    raise BadMessage(f"expected a number, got {type(value).__name__}")


def _integer_reader(low: int, high: int) -> Reader:
    def read(cursor: _Cursor) -> int:
        value = cursor.leaf()
        if type(value) is int and low <= value <= high:
            return value
        if value is None:
            return 0
        raise BadMessage(f"not an integer from {low} to {high}: {value!r:.40}")

    return read


def _list_reader(item: Reader) -> Reader:
    def read(cursor: _Cursor) -> list[Any]:
        return [] if cursor.is_nil() else [item(cursor) for _ in range(cursor.header(mapping=False))]

    return read


def _map_reader(key: Reader, item: Reader) -> Reader:
    def read(cursor: _Cursor) -> dict[Any, Any]:
        return {} if cursor.is_nil() else {key(cursor): item(cursor) for _ in range(cursor.header(mapping=True))}

    return read


def _struct_reader(cls: type) -> Reader:
    described = msgspec.structs.fields(cls)
    readers = {field.encode_name: _reader(field.type) for field in described}
    in_order = [(field.encode_name, readers[field.encode_name]) for field in described]

    def read(cursor: _Cursor) -> Any:
        if cursor.is_nil():
            return cls()
        arguments: dict[str, Any] = {}
        first = cursor.peek()
        if 0x90 <= first <= 0x9F or first in (0xDC, 0xDD):
            count = cursor.header(mapping=False)
            for name, reader in in_order[:count]:
                arguments[name] = reader(cursor)
            for _ in range(count - len(in_order)):
                cursor.skip(1)
            return cls(**arguments)
        for _ in range(cursor.header(mapping=True)):
            name = cursor.leaf()
            found = readers.get(name) if type(name) is str else None
            if found is None:
                cursor.skip(1)
            else:
                arguments[name] = found(cursor)
        return cls(**arguments)

    return read


_READERS: dict[Any, Reader] = {
    str: _read_text, bytes: _read_raw, bool: _read_boolean, float: _read_number,
    int: _integer_reader(-(1 << 63), (1 << 63) - 1),
}  # fmt: skip


def _reader(kind: Any) -> Reader:
    """The function that reads a value of type ``kind`` from a cursor."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        width = _WIDTHS.get(arguments[1])
        return _reader(arguments[0]) if width is None else _integer_reader(0, (1 << width) - 1)
    if origin in (Union, types.UnionType):
        (inner,) = (a for a in arguments if a is not types.NoneType)
        read = _reader(inner)
        return lambda cursor: None if cursor.is_nil() else read(cursor)
    if origin is list:
        return _list_reader(_reader(arguments[0]))
    if origin is dict:
        # The only number in a map is a Lamport time.
        value = _integer_reader(0, (1 << 64) - 1) if arguments[1] is int else _reader(arguments[1])
        return _map_reader(_reader(arguments[0]), value)
    if isinstance(kind, type) and issubclass(kind, Record):
        return _struct_reader(kind)
    return _READERS[kind]
