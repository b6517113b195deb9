"""Records: the one kind of type used for HTTP JSON, RPC and Raft msgpack, and state store rows.

A record is a frozen ``msgspec.Struct`` whose field names are the names on the wire. Two class attributes
describe what Go's struct tags describe in the original protocol:

* ``json_omitempty``: fields left out of JSON when they hold their zero value;
* ``json_names``: JSON names that differ from the field name (msgpack always uses the field name).

A record may define ``__json__(self) -> object`` to take over its JSON form (for example durations as text).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec

UInt64 = Annotated[int, "uint64"]
UInt = Annotated[int, "uint"]
# Nanoseconds. Read from a Go duration string or a number of nanoseconds.
Duration = Annotated[int, "time.Duration"]
# A Duration that is also written as text, and left out when zero.
TextDuration = Annotated[int, "text-duration"]


# Default of fields that newer releases have added: what is not set is not written, so that records without them are
# byte for byte what 1.8.7 writes. It is as false as any zero value.
ABSENT: Any = msgspec.UNSET


class Record(msgspec.Struct, frozen=True, gc=False):
    """Base of all records. ``gc=False`` is safe because records never form reference cycles."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset()
    json_names: ClassVar[dict[str, str]] = {}
    # Fields that exist only on the wire between servers, never in JSON.
    json_hidden: ClassVar[frozenset[str]] = frozenset()
    # Further spellings accepted on input, as the snake_case aliases of registrations: alias -> field.
    json_aliases: ClassVar[dict[str, str]] = {}
    # Names that are read, with their types, and mean nothing.
    json_ignored: ClassVar[dict[str, Any]] = {}
    # Whether unknown fields are left out instead of refused.
    json_lenient: ClassVar[bool] = False
    # Whether the type reads itself, in Go: type errors inside then name the field that holds it.
    json_opaque: ClassVar[bool] = False
    # The Go name of the struct, and of the type as a whole, which appear in the text of type errors.
    go_name: ClassVar[str | None] = None
    go_type: ClassVar[str] = ""


class RaftIndexed(Record, frozen=True, gc=False):
    """A row of the state store: the Raft index that created it and the one that last changed it."""

    CreateIndex: UInt64 = 0
    ModifyIndex: UInt64 = 0


def replace(record: Any, **changes: Any) -> Any:
    """Return a copy of ``record`` with ``changes`` applied."""
    return msgspec.structs.replace(record, **changes)
