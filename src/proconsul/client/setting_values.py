"""Settings that are keys below a prefix: what they say at one moment, as values of their kinds. Pure.

A setting that is declared has a default, whose kind is the setting's. What somebody wrote that is no value of that kind
does not count: the last good value holds, or the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from proconsul.client.errors import BadAnswer
from proconsul.features.kv.model import DirEntry

__all__ = ["Setting", "SettingsSnapshot", "taken"]

T = TypeVar("T")

# What a default may be.
Setting = bool | int | float | str | bytes | list[Any] | dict[str, Any]

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


def _text(data: bytes) -> str:
    return data.decode()


def _integer(data: bytes) -> int:
    return int(data.decode())


def _number(data: bytes) -> float:
    return float(data.decode())


def _flag(data: bytes) -> bool:
    word = data.decode().strip().lower()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(word)
    return word in _TRUE


def _list(data: bytes) -> list[Any]:
    return msgspec.json.decode(data, type=list[Any])


def _table(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])


# How values of a kind are read, and what they are called.
_KINDS: Final[Mapping[type, tuple[Callable[[bytes], Any], str]]] = {
    bool: (_flag, "true or false"), int: (_integer, "a whole number"), float: (_number, "a number"),
    str: (_text, "text"), bytes: (bytes, "bytes"), list: (_list, "a list in JSON"), dict: (_table, "an object in JSON"),
}  # fmt: skip


def _read(name: str, data: bytes, kind: type[T]) -> T:
    """Raises BadAnswer naming the setting."""
    read, words = _KINDS[kind]
    try:
        return read(data)  # type: ignore[no-any-return]
    except (ValueError, msgspec.MsgspecError, RecursionError):
        shown = repr(data[:60].decode("utf-8", "replace"))
        raise BadAnswer(f"the setting {name} is not {words}: {shown}") from None


class SettingsSnapshot(Mapping[str, bytes]):
    """What settings were at one moment; it never changes. As a mapping it has what is written, as bytes.

    The typed getters give the value, else ``default``, else the declared default, and raise KeyError when there is
    neither. What is written and is not of the kind asked for raises BadAnswer, which cannot happen to declared ones.
    """

    __slots__ = ("_cache", "_data", "defaults", "index")

    index: int

    def __init__(
        self, data: Mapping[str, bytes] = {}, defaults: Mapping[str, Setting] = {}, index: int = 0
    ) -> None:  # fmt: skip
        self._data = dict(data)
        # What holds of settings that nobody wrote.
        self.defaults: Mapping[str, Setting] = MappingProxyType(deepcopy(dict(defaults)))
        # The highest ModifyIndex among the keys; 0 without any.
        self.index = index
        self._cache: dict[tuple[str, type], Any] = {}

    def __getitem__(self, name: str) -> bytes:
        return self._data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"<settings {sorted({*self._data, *self.defaults})}>"  # values may be secret

    def text(self, name: str, default: str | None = None) -> str:
        """Text, as UTF-8."""
        return self._value(name, str, default)

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        return self._value(name, int, default)

    def number(self, name: str, default: float | None = None) -> float:
        """A number."""
        return float(self._value(name, float, default))

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True for ``true``, ``yes``, ``on``, ``1``; False for their opposites; in any case."""
        return self._value(name, bool, default)

    def json(self, name: str, kind: type[T], default: T | None = None) -> T:
        """A value in JSON of ``kind`` (``list[int]``, a dataclass, a msgspec.Struct, ...). It is the caller's own: what
        he does to it nobody else sees."""
        if name in self._data:
            try:
                return msgspec.json.decode(self._data[name], type=kind)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise BadAnswer(f"the setting {name} is not of its kind: {error}") from None
        if default is not None:
            return default
        declared = self.defaults[name]
        try:
            return msgspec.convert(deepcopy(declared), kind)
        except msgspec.ValidationError as error:
            raise TypeError(f"the setting {name} is declared as {declared!r}: {error}") from None

    def section(self, name: str) -> SettingsSnapshot:
        """The settings below ``name/``, by what follows."""
        prefix = name.rstrip("/") + "/"
        data = {key[len(prefix) :]: value for key, value in self._data.items() if key.startswith(prefix)}
        defaults = {key[len(prefix) :]: value for key, value in self.defaults.items() if key.startswith(prefix)}
        return SettingsSnapshot(data, defaults, self.index)

    def _value(self, name: str, kind: type[T], default: T | None) -> T:
        key = name, kind
        if key in self._cache:
            return self._cache[key]  # type: ignore[no-any-return]
        if name not in self._data:
            if default is not None:
                return default
            declared = self.defaults[name]
            if type(declared) is not kind and (kind, type(declared)) != (float, int):
                raise TypeError(f"the setting {name} is declared as {type(declared).__name__}, not {kind.__name__}")
            return declared  # type: ignore[return-value]
        value = self._cache[key] = _read(name, self._data[name], kind)
        return value


def taken(
    entries: Sequence[DirEntry], prefix: str, before: SettingsSnapshot
) -> tuple[SettingsSnapshot, dict[str, BadAnswer]]:  # fmt: skip
    """What the keys below ``prefix`` say now, and of the declared settings those that say nonsense.

    Of these ``before`` is kept. Keys that end with a slash are folders, as web pages make them, and no settings.
    """
    data: dict[str, bytes] = {}
    wrong: dict[str, BadAnswer] = {}
    for entry in entries:
        name, value = entry.Key[len(prefix) :], entry.Value or b""
        if not name or name.endswith("/"):
            continue
        if name in before.defaults:
            try:
                _read(name, value, type(before.defaults[name]))
            except BadAnswer as error:
                wrong[name] = error
                if name not in before:
                    continue
                value = before[name]
        data[name] = value
    index = max((entry.ModifyIndex for entry in entries), default=0)
    return SettingsSnapshot(data, before.defaults, index), wrong


def check_defaults(defaults: Mapping[str, Setting]) -> None:
    """Raises TypeError for a default that no setting can be."""
    for name, value in defaults.items():
        if type(value) not in _KINDS:
            raise TypeError(f"the default of the setting {name} is of no kind that settings have: {value!r}")
