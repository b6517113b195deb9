"""Snapshots read record by record for the command line, and how their contents are printed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from msgpack import ExtType, Timestamp

from proconsul.cli import archive
from proconsul.cli.columnize import tabwriter
from proconsul.cli.command import Failure
from proconsul.client.gojson import Json
from proconsul.engine.wire import gojson
from proconsul.engine.wire.goerrors import path_error
from proconsul.engine.wire.msgpack import DecodeError
from proconsul.engine.wire.text import quoted
from proconsul.server.snapshot_contents import Contents, Share, StateRecord, StateStream, by_size, kind_name, readable

__all__ = ["Contents", "StateRecord", "as_json", "line", "pretty", "read", "record"]

_META = ("ID", "Size", "Index", "Term", "Version")
_RAW, _RAW_META = "state.bin", "meta.json"
_READ_BYTES = 1 << 20
# Of the times that a calendar has, about.
_SECONDS_MAX = 60_000_000_000


def read(path: str, each: Callable[[StateRecord], object]) -> tuple[Mapping[str, Json], str]:
    """What the snapshot says about itself, with every record given to ``each``; and why those ended early, if they did.

    Raises Failure when the file is no snapshot, or a damaged one.
    """
    if os.path.isdir(path):
        raise Failure(f"Error verifying snapshot: failed to decompress snapshot: read {path}: is a directory")
    records = _Records(each)
    try:
        with open(path, "rb") as file:
            meta = _raw(path, file, records) if os.path.basename(path) == _RAW else archive.verify(file, records.take)
    except archive.ArchiveError as error:
        raise Failure(f"Error verifying snapshot: {error}") from None
    except OSError as error:
        raise Failure(f"Error opening snapshot file: {path_error('open', path, error)}") from None
    return meta, records.end()


def _raw(path: str, state: BinaryIO, records: _Records) -> Mapping[str, Json]:
    """A snapshot as a server keeps it in its own directory. Raises ArchiveError and OSError."""
    with open(os.path.join(os.path.dirname(path), _RAW_META), "rb") as file:
        meta = archive.decode_meta(file.read())
    while data := state.read(_READ_BYTES):
        records.take(data)
    return meta


class _Records:
    """Takes the state in pieces; what cannot be read ends the records, and is told."""

    def __init__(self, each: Callable[[StateRecord], object]) -> None:
        self._each, self._stream = each, StateStream()
        self._problem = ""

    def take(self, data: bytes) -> None:
        if self._problem:
            return
        try:
            for found in self._stream.feed(data):
                self._each(found)
        except DecodeError as error:
            self._problem = str(error)

    def end(self) -> str:
        """What was wrong, or nothing."""
        try:
            if not self._problem:
                self._stream.end()
        except DecodeError as error:
            self._problem = str(error)
        return self._problem


# ------------------------------------------------------------------------------------------------------- printing


def pretty(meta: Mapping[str, Json], contents: Contents, *, keys: bool) -> str:
    """The tables that people read. Without records it is what Consul 1.8 prints."""
    text = tabwriter([[name, str(meta.get(name, ""))] for name in _META])
    if contents.kinds:
        text += "\n\n" + _table("Type", by_size(contents.kinds))
    if keys:
        text += "\n\n" + _table("Key Name", by_size(contents.keys))
    return text


def _table(title: str, parts: Sequence[Share]) -> str:
    rule = ["----", "----", "----"]
    rows = [[title, "Count", "Size"], rule]
    rows += [[_printable(part.name), str(part.count), size(part.size)] for part in parts]
    return tabwriter([*rows, rule, ["Total", "", size(sum(part.size for part in parts))]])


def _printable(name: str) -> str:
    """A key as it is, unless a terminal would do something else with it than show it."""
    return name if name.isprintable() else quoted(name)


def size(count: int) -> str:
    """Bytes in the unit that fits, with one decimal at most: ``285B``, ``12.3KB``."""
    value, units = float(count), iter("KMGTPE")
    unit = ""
    while value >= 1024 and (larger := next(units, "")):
        value, unit = value / 1024, larger
    return f"{value:.1f}".removesuffix(".0") + f"{unit}B"


def as_json(meta: Mapping[str, Json], contents: Contents, *, keys: bool) -> str:
    """The same as one JSON object; sizes are in bytes."""
    kinds, prefixes = by_size(contents.kinds), by_size(contents.keys) if keys else []
    shown: dict[str, Any] = {
        "Meta": {name: meta.get(name) for name in _META},
        "Stats": [_stat(part) for part in kinds],
        "StatsKV": [_stat(part) for part in prefixes] if keys else None,
        "TotalSize": sum(part.size for part in kinds),
        "TotalSizeKV": sum(part.size for part in prefixes),
    }
    return _valid(json.dumps(shown, indent=3, ensure_ascii=False, default=str))


def _valid(text: str) -> str:
    """Bytes that are not UTF-8 as Go's JSON has them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _stat(part: Share) -> dict[str, Any]:
    return {"Name": part.name, "Sum": part.size, "Count": part.count}


def record(found: StateRecord) -> str:
    """One record as a line of JSON; as it came where it is of no kind that we can read."""
    try:
        return line(kind_name(found.kind), readable(found.kind, found.value))
    except (DecodeError, TypeError):
        return line(kind_name(found.kind), _plain(found.value))


def _plain(value: Any) -> Any:
    """Whatever MessagePack has as what JSON has: names are texts, and what it knows of no type is text, too."""
    if isinstance(value, Mapping):
        return {name if isinstance(name, str) else str(_plain(name)): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, ExtType):
        return [_plain(one) for one in value]
    if isinstance(value, Timestamp):
        return str(value.to_datetime()) if abs(value.seconds) < _SECONDS_MAX else str(value)
    if isinstance(value, ExtType):
        return value.data
    return value


def line(kind: str, data: Any) -> str:
    """One line of ``snapshot decode``."""
    return gojson.dumps(gojson.Object(Data=data, Type=kind)).decode()
