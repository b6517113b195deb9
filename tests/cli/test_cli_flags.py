"""Command lines are read, refused and described as Go's flag package does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proconsul.cli import help as help_page
from proconsul.cli import registry
from proconsul.cli.flags import Flag, FlagError, FlagSet
from proconsul.engine.wire.durations import format_duration, parse_duration
from proconsul.engine.wire.goerrors import path_error


class Example:
    def __init__(self) -> None:
        self.set = FlagSet()
        self.flag = self.set.boolean("flag", "A switch.")
        self.text = self.set.string("text", "A `word` to say.", "hello")
        self.number = self.set.integer("number", "A number.")
        self.count = self.set.unsigned("count", "A count.")
        self.time = self.set.duration("time", "A time.", 1_500_000_000)
        self.many = self.set.strings("many", "Many.")
        self.pairs = self.set.mapping("pairs", "Pairs.")
        self.maybe = self.set.optional_boolean("maybe", "Maybe.")
        self.port = self.set.optional_integer("port", "A port.")
        self.n = self.set.boolean("n", "Short.")


@pytest.mark.parametrize(
    ("arguments", "name", "value", "rest"),
    [
        (["-flag"], "flag", True, []),
        (["--flag", "x"], "flag", True, ["x"]),
        (["-flag=false", "x"], "flag", False, ["x"]),
        (["-flag=T"], "flag", True, []),
        (["-text", "a"], "text", "a", []),
        (["-text=a=b"], "text", "a=b", []),
        (["-text="], "text", "", []),
        (["-text", "-flag"], "text", "-flag", []),
        (["-number", "-3"], "number", -3, []),
        (["-number=0x10"], "number", 16, []),
        (["-number=010"], "number", 8, []),
        (["-number=1_000"], "number", 1000, []),
        (["-count=18446744073709551615"], "count", 18446744073709551615, []),
        (["-time=1h2m"], "time", 3_720_000_000_000, []),
        (["-time=.5s"], "time", 500_000_000, []),
        (["-many", "a", "-many=b"], "many", ["a", "b"], []),
        (["-pairs", "a=1", "-pairs", "b=x=y"], "pairs", {"a": "1", "b": "x=y"}, []),
        (["-maybe=0"], "maybe", False, []),
        (["-port", "8500"], "port", 8500, []),
        (["x", "-flag"], "flag", False, ["x", "-flag"]),
        (["--", "-flag"], "flag", False, ["-flag"]),
        (["-", "-flag"], "flag", False, ["-", "-flag"]),
    ],
)
def test_parsing(arguments: list[str], name: str, value: object, rest: list[str]) -> None:
    example = Example()
    example.set.parse(arguments)
    assert example.set.flags[name].value == value
    assert example.set.args == rest


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-x"], "flag provided but not defined: -x"),
        (["--x=3"], "flag provided but not defined: -x"),
        (["---x"], "bad flag syntax: ---x"),
        (["-=x"], "bad flag syntax: -=x"),
        (["-text"], "flag needs an argument: -text"),
        (["-flag=maybe"], 'invalid boolean value "maybe" for -flag: parse error'),
        (["-flag="], 'invalid boolean value "" for -flag: parse error'),
        (["-number=x"], 'invalid value "x" for flag -number: parse error'),
        (["-number="], 'invalid value "" for flag -number: parse error'),
        (["-number=9223372036854775808"], 'invalid value "9223372036854775808" for flag -number: value out of range'),
        (["-count=-1"], 'invalid value "-1" for flag -count: parse error'),
        (["-count=18446744073709551616"], 'invalid value "18446744073709551616" for flag -count: value out of range'),
        (["-time=5"], 'invalid value "5" for flag -time: parse error'),
        (["-pairs=x"], 'invalid value "x" for flag -pairs: Missing "=" value in argument: x'),
        (["-maybe=x"], 'invalid boolean value "x" for -maybe: strconv.ParseBool: parsing "x": invalid syntax'),
        (["-port=x"], 'invalid value "x" for flag -port: strconv.Atoi: parsing "x": invalid syntax'),
        (["-port=0x10"], 'invalid value "0x10" for flag -port: strconv.Atoi: parsing "0x10": invalid syntax'),
    ],
)
def test_refusals(arguments: list[str], text: str) -> None:
    with pytest.raises(FlagError) as caught:
        Example().set.parse(arguments)
    assert str(caught.value) == text


def test_set_flags_are_known() -> None:
    example = Example()
    example.set.parse(["-text=hello", "-maybe=false"])
    assert example.text.is_set
    assert example.maybe.is_set
    assert not example.flag.is_set


def test_defaults_text_has_the_layout_of_go() -> None:
    flags = FlagSet()
    flags.boolean("n", "Short.")
    flags.string("text", "A `word` to say.", "hello")
    flags.duration("time", "A time.", 120 * 1_000_000_000)
    flags.integer("zero", "Nothing.")
    assert flags.defaults_text() == (
        "  -n\tShort.\n"
        '  -text word\n    \tA word to say. (default "hello")\n'
        "  -time duration\n    \tA time. (default 2m0s)\n"
        "  -zero int\n    \tNothing.\n"
    )


def test_help_wraps_descriptions() -> None:
    flag: Flag[str] = FlagSet().string("http-addr", "The `address` " + "word " * 20)
    text = help_page.flag_text(flag)  # type: ignore[arg-type]
    lines = text.splitlines()
    assert lines[0] == "  -http-addr=<address>"
    assert all(line.startswith("     ") and len(line) <= 72 for line in lines[1:-1])
    assert len(lines) > 2


@pytest.mark.parametrize(
    ("words", "name", "rest"),
    [
        (["kv", "get", "a"], "kv get", ["a"]),
        (["kv", "bogus"], "kv", ["bogus"]),
        (["operator", "raft", "list-peers", "-x"], "operator raft list-peers", ["-x"]),
        (["nosuch", "x"], "nosuch", ["x"]),
        (["kv get", "a"], "", ["kv get", "a"]),
    ],
)
def test_longest_command_name(words: list[str], name: str, rest: list[str]) -> None:
    assert registry.longest(words) == (name, rest)


@pytest.mark.parametrize("name", sorted([*registry.COMMANDS, *registry.GROUPS]))
def test_every_command_loads_and_explains_itself(name: str) -> None:
    command = registry.load(name)
    page = command.help()
    assert page.startswith("Usage: consul " + name.split(" ", maxsplit=1)[0])
    assert "\t" not in page


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (300_000_000, "300ms"),
        (3_600_000_000_000, "1h0m0s"),
        (-1_500_000_000, "-1.5s"),
    ],
)
def test_durations(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text
    assert parse_duration(text) == nanoseconds


def test_file_errors_read_like_go() -> None:
    with pytest.raises(OSError) as caught:
        os.open("/nonexistent/file", os.O_RDONLY)
    assert path_error("open", "/nonexistent/file", caught.value) == "open /nonexistent/file: no such file or directory"
    with pytest.raises(OSError) as caught:
        Path("/").read_bytes()
    assert path_error("open", caught.value.filename, caught.value) == "read /: is a directory"
