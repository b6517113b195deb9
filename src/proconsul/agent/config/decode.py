"""From parsed JSON or HCL to typed values, by the table in ``schema``.

The rules are the original decoder's: keys match without regard to case, ``null`` means unset, a list of one stands for
its element where no list is expected, numbers never become strings nor strings numbers. Type errors are reported all
together and sorted; unknown keys only when every type fits.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.schema import Kind, ListOf, MapOf, Node, Section
from proconsul.engine.wire.hcl1 import BlockList
from proconsul.engine.wire.text import multi_error

__all__ = ["Values", "decode_config"]

Values = dict[str, object]


def decode_config(section: Section, raw: dict[str, object]) -> Values:
    """Return the canonical keys with typed values. Raises ConfigError with every fault found."""
    decoder = _Decoder()
    values = decoder.section("", section, raw)
    if decoder.errors:
        lines = "\n".join(f"* {text}" for text in sorted(decoder.errors))
        raise ConfigError(f"{len(decoder.errors)} error(s) decoding:\n\n{lines}")
    if decoder.unknown:
        raise ConfigError(multi_error([f"invalid config key {name}" for name in decoder.unknown]))
    return values


class _Refused(Exception):
    """The value does not fit; the text is already in the list."""


def _kind_name(value: object) -> str:
    """The word for a value's basic kind in messages."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float64"
    return "map" if isinstance(value, dict) else "slice"


def _type_name(value: object) -> str:
    if isinstance(value, BlockList):
        return "[]map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "map[string]interface {}" if isinstance(value, dict) else _kind_name(value)


class _Decoder:
    def __init__(self) -> None:
        self.errors: list[str] = []
        self.unknown: list[str] = []

    def refuse(self, text: str) -> _Refused:
        self.errors.append(text)
        return _Refused(text)

    def section(self, path: str, section: Section, raw: dict[str, object]) -> Values:
        prefix = f"{path}." if path else ""
        values: Values = {}
        unknown: list[str] = []
        for name, item in raw.items():
            key = self.match(section, name, raw)
            if key is None:
                unknown.append(prefix + name)
            elif item is not None:
                try:
                    values[key] = self.node(prefix + key, section.keys[key], item)
                except _Refused:
                    continue  # recorded; go on to report every fault at once
        self.unknown.extend(unknown)
        return values

    @staticmethod
    def match(section: Section, name: str, raw: dict[str, object]) -> str | None:
        """The key a spelling stands for; an exact spelling wins over another in a different case."""
        if name in section.keys:
            return name
        lower = name.lower()
        alias = section.aliases.get(lower)
        if alias is not None:
            return alias
        if lower in section.keys and lower not in raw:
            return lower
        return None

    def node(self, path: str, node: Node, value: object) -> object:
        if isinstance(node, ListOf):
            items = self.items(path, value)
            return self.each(path, items, lambda at, item: self.section(at, node.section, self.mapping(at, item)))
        if isinstance(node, MapOf):
            return self.mapped(path, value, lambda at, v: self.section(at, node.section, self.mapping(at, v)))
        if isinstance(node, Section):
            return self.section(path, node, self.mapping(path, value))
        return _READERS[node](self, path, value)

    def mapping(self, path: str, value: object) -> dict[str, object]:
        value = _unwrap(value)
        if not isinstance(value, dict):
            raise self.refuse(f"'{path}' expected a map, got '{_kind_name(value)}'")
        return cast("dict[str, object]", value)

    def items(self, path: str, value: object) -> list[object]:
        if not isinstance(value, list):
            raise self.refuse(f"'{path}': source data must be an array or slice, got {_kind_name(value)}")
        return cast("list[object]", value)

    def each(self, path: str, items: list[object], read: Callable[[str, object], object]) -> list[object]:
        out: list[object] = []
        for index, item in enumerate(items):
            try:
                out.append(read(f"{path}[{index}]", item))
            except _Refused:
                continue
        return out

    def mapped(self, path: str, value: object, read: Callable[[str, object], object]) -> dict[str, object]:
        out: dict[str, object] = {}
        for name, item in self.mapping(path, value).items():
            if item is None:
                continue
            try:
                out[name] = read(f"{path}[{name}]", item)
            except _Refused:
                continue
        return out

    def mismatch(self, path: str, wanted: str, value: object) -> _Refused:
        return self.refuse(f"'{path}' expected type '{wanted}', got unconvertible type '{_type_name(value)}'")

    def string(self, path: str, value: object) -> str:
        value = _unwrap(value)
        if not isinstance(value, str):
            raise self.mismatch(path, "string", value)
        return value

    def boolean(self, path: str, value: object) -> bool:
        value = _unwrap(value)
        if not isinstance(value, bool):
            raise self.mismatch(path, "bool", value)
        return value

    def integer(self, path: str, value: object, wanted: str = "int") -> int:
        value = _unwrap(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.mismatch(path, wanted, value)
        return int(value)

    def unsigned(self, path: str, value: object) -> int:
        number = _unwrap(value)
        if isinstance(number, int | float) and not isinstance(number, bool) and number < 0:
            shown = f"{number:f}" if isinstance(number, float) else str(number)
            raise self.refuse(f"cannot parse '{path}', {shown} overflows uint")
        return self.integer(path, value, "uint")

    def real(self, path: str, value: object) -> float:
        value = _unwrap(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.mismatch(path, "float64", value)
        return float(value)

    def strings(self, path: str, value: object) -> list[object]:
        return self.each(path, self.items(path, value), self.string)

    def string_map(self, path: str, value: object) -> dict[str, object]:
        return self.mapped(path, value, self.string)

    def strings_map(self, path: str, value: object) -> dict[str, object]:
        return self.mapped(path, value, self.strings)

    def opaque(self, path: str, value: object) -> dict[str, object]:
        return {name: plain(item) for name, item in self.mapping(path, value).items()}

    def opaques(self, path: str, value: object) -> list[object]:
        return self.each(path, self.items(path, value), self.opaque)

    def ignored(self, path: str, value: object) -> object:
        return plain(value)


def _unwrap(value: object) -> object:
    """A list of one stands for its element."""
    if isinstance(value, list) and len(value) == 1:
        return cast("object", value[0])
    return value


def plain(value: object) -> object:
    """Opaque data as JSON data: single blocks become objects, whole floats become integers."""
    if isinstance(value, BlockList):
        items = [plain(item) for item in value]
        return items[0] if len(items) == 1 else items
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return value


_READERS: Final[dict[Kind, Callable[[_Decoder, str, object], object]]] = {
    Kind.STRING: _Decoder.string,
    Kind.DURATION: _Decoder.string,
    Kind.BOOL: _Decoder.boolean,
    Kind.INT: _Decoder.integer,
    Kind.UINT: _Decoder.unsigned,
    Kind.FLOAT: _Decoder.real,
    Kind.STRINGS: _Decoder.strings,
    Kind.STRING_MAP: _Decoder.string_map,
    Kind.STRINGS_MAP: _Decoder.strings_map,
    Kind.OPAQUE: _Decoder.opaque,
    Kind.OPAQUES: _Decoder.opaques,
    Kind.IGNORED: _Decoder.ignored,
}
