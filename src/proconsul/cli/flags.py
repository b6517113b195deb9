"""Go's ``flag`` package: how command lines are read, refused and described.

``-flag`` and ``--flag``, ``-flag=value`` and ``-flag value``, booleans which take a value only after ``=``,
parsing that stops at the first argument which is no flag or at ``--``.  Error texts are Go's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from proconsul.engine.wire.durations import format_duration, parse_duration
from proconsul.engine.wire.gostrconv import OutOfRange, parse_bool, parse_int, parse_uint
from proconsul.engine.wire.text import quoted

T = TypeVar("T")


class FlagError(Exception):
    """The command line is wrong; ``str()`` is Go's text."""


class Flag(Generic[T]):
    """One flag: its value now, whether the user gave it, and how it is described."""

    __slots__ = ("_read", "default", "is_bool", "is_set", "name", "terse_errors", "type_name", "usage", "value")

    def __init__(
        self,
        name: str,
        default: T,
        usage: str,
        read: Callable[[str, T], T],
        *,
        type_name: str = "value",
        is_bool: bool = False,
        terse_errors: bool = False,
    ) -> None:
        self.name = name
        self.default = default
        self.value = default
        self.usage = usage
        self.is_set = False
        self.is_bool = is_bool
        self.type_name = type_name
        self.terse_errors = terse_errors
        self._read = read

    def assign(self, text: str) -> None:
        """Take one value from the command line; raises :class:`FlagError` with Go's text."""
        try:
            self.value = self._read(text, self.value)
        except ValueError as error:
            reason = str(error)
            if self.terse_errors:
                reason = "value out of range" if isinstance(error, OutOfRange) else "parse error"
            if self.is_bool:
                raise FlagError(f"invalid boolean value {quoted(text)} for -{self.name}: {reason}") from None
            raise FlagError(f"invalid value {quoted(text)} for flag -{self.name}: {reason}") from None
        self.is_set = True

    def unquote_usage(self) -> tuple[str, str]:
        """Return (placeholder, description): a back-quoted word of the description names the value."""
        before, tick, rest = self.usage.partition("`")
        if tick:
            name, tick, after = rest.partition("`")
            if tick:
                return name, before + name + after
        return ("" if self.is_bool else self.type_name), self.usage


def _append(text: str, old: list[str]) -> list[str]:
    return [*old, text]


def _key_value(text: str, old: dict[str, str]) -> dict[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f'Missing "=" value in argument: {text}')
    return {**old, key: value}


class FlagSet:
    """The flags of one command.  Flags are kept in the order of definition and shown sorted by name."""

    def __init__(self) -> None:
        self.flags: dict[str, Flag[object]] = {}
        self.args: list[str] = []

    def add(self, flag: Flag[T]) -> Flag[T]:
        """Register a flag; defining a name twice is a programmer's error."""
        assert flag.name not in self.flags, f"flag redefined: {flag.name}"
        self.flags[flag.name] = flag  # type: ignore[assignment]
        return flag

    def boolean(self, name: str, usage: str, default: bool = False) -> Flag[bool]:
        """``-name``, ``-name=false``."""
        return self.add(Flag(name, default, usage, lambda text, _: parse_bool(text), is_bool=True, terse_errors=True))

    def string(self, name: str, usage: str, default: str = "") -> Flag[str]:
        """``-name=text``."""
        return self.add(Flag(name, default, usage, lambda text, _: text, type_name="string"))

    def integer(self, name: str, usage: str, default: int = 0) -> Flag[int]:
        """``-name=3``: signed, 64 bits."""
        return self.add(
            Flag(name, default, usage, lambda text, _: parse_int(text, base=0), type_name="int", terse_errors=True)
        )

    def unsigned(self, name: str, usage: str, default: int = 0) -> Flag[int]:
        """``-name=3``: unsigned, 64 bits."""
        return self.add(
            Flag(name, default, usage, lambda text, _: parse_uint(text, base=0), type_name="uint", terse_errors=True)
        )

    def duration(self, name: str, usage: str, default_ns: int = 0) -> Flag[int]:
        """``-name=15s``: the value is in nanoseconds."""
        return self.add(
            Flag(
                name,
                default_ns,
                usage,
                lambda text, _: parse_duration(text),
                type_name="duration",
                terse_errors=True,
            )
        )

    def strings(self, name: str, usage: str) -> Flag[list[str]]:
        """``-name=a -name=b``: every value in order."""
        empty: list[str] = []
        return self.add(Flag(name, empty, usage, _append))

    def mapping(self, name: str, usage: str) -> Flag[dict[str, str]]:
        """``-name=key=value``, repeated."""
        empty: dict[str, str] = {}
        return self.add(Flag(name, empty, usage, _key_value))

    def optional_string(self, name: str, usage: str) -> Flag[str | None]:
        """A string that stays ``None`` unless given (an empty value counts as given)."""
        none: str | None = None
        return self.add(Flag(name, none, usage, lambda text, _: text))

    def optional_boolean(self, name: str, usage: str) -> Flag[bool | None]:
        """A boolean that stays ``None`` unless given."""
        none: bool | None = None
        return self.add(Flag(name, none, usage, lambda text, _: parse_bool(text), is_bool=True))

    def optional_unsigned(self, name: str, usage: str) -> Flag[int | None]:
        """An unsigned number that stays ``None`` unless given."""
        none: int | None = None
        return self.add(Flag(name, none, usage, lambda text, _: parse_uint(text, base=0)))

    def optional_integer(self, name: str, usage: str) -> Flag[int | None]:
        """A decimal number that stays ``None`` unless given."""
        none: int | None = None
        return self.add(Flag(name, none, usage, lambda text, _: parse_int(text, base=10, function="Atoi")))

    def optional_duration(self, name: str, usage: str) -> Flag[int | None]:
        """A duration in nanoseconds that stays ``None`` unless given."""
        none: int | None = None
        return self.add(Flag(name, none, usage, lambda text, _: parse_duration(text)))

    def parse(self, arguments: list[str]) -> None:
        """Read the command line; what is left over goes to ``args``.  Raises :class:`FlagError`."""
        rest = list(arguments)
        while rest:
            argument = rest[0]
            if len(argument) < 2 or argument[0] != "-":
                break
            rest.pop(0)
            if argument == "--":
                break
            body = argument[2:] if argument.startswith("--") else argument[1:]
            if not body or body[0] in "-=":
                raise FlagError(f"bad flag syntax: {argument}")
            name, has_value, value = body.partition("=")
            flag = self.flags.get(name)
            if flag is None:
                raise FlagError(f"flag provided but not defined: -{name}")
            if flag.is_bool:
                flag.assign(value if has_value else "true")
                continue
            if not has_value:
                if not rest:
                    raise FlagError(f"flag needs an argument: -{name}")
                value = rest.pop(0)
            flag.assign(value)
        self.args = rest

    def defaults_text(self) -> str:
        """Return what Go's ``PrintDefaults`` prints: every flag, sorted, with its description."""
        lines = []
        for name in sorted(self.flags):
            flag = self.flags[name]
            placeholder, usage = flag.unquote_usage()
            head = f"  -{name}" + (f" {placeholder}" if placeholder else "")
            separator = "\t" if len(head) <= 4 else "\n    \t"
            lines.append(head + separator + usage.replace("\n", "\n    \t") + _default_text(flag))
        return "".join(line + "\n" for line in lines)


def _default_text(flag: Flag[object]) -> str:
    default = flag.default
    if not default or default in ([], {}):
        return ""
    if isinstance(default, str):
        return f" (default {quoted(default)})"
    if flag.type_name == "duration" and isinstance(default, int):
        return f" (default {format_duration(default)})"
    return f" (default {str(default).lower()})"
