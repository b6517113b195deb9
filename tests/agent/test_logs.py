"""The log's format."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
from pathlib import Path

import pytest

from proconsul.agent.telemetry.console import Console
from proconsul.agent.telemetry.logs import ConsoleHandler, JSONFormatter, Logs, TextFormatter, message_of


def record(message: str, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("agent.server", level, __file__, 1, message, args, None)


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("Synced service: service=%s", ("web",), "Synced service: service=web"),
        ("failed: error=%s", ("No cluster leader",), 'failed: error="No cluster leader"'),
        ("failed: error=%s", (ValueError('say "x"'),), 'failed: error="say \\"x\\""'),
        ("empty: value=%s", ("",), 'empty: value=""'),
        ("number: n=%s", (3,), "number: n=3"),
        ("latency=%.3fms", (1.5,), "latency=1.500ms"),
        ("%s and value=%s", ("two words", "a b"), 'two words and value="a b"'),
        ("nothing to fill in", (), "nothing to fill in"),
    ],
)
def test_values_with_spaces_are_quoted(message: str, args: tuple[object, ...], expected: str) -> None:
    assert message_of(record(message, *args)) == expected


def test_a_text_line() -> None:
    line = TextFormatter("    ").format(record("New leader elected: payload=%s", "n1", level=logging.WARNING))
    assert re.fullmatch(
        r"    \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d{4}) "
        r"\[WARN\]  agent\.server: New leader elected: payload=n1",
        line,
    )


def test_a_json_line() -> None:
    value = json.loads(JSONFormatter().format(record("hello: a=%s", "b", level=logging.ERROR)))
    assert (value["@level"], value["@module"], value["@message"]) == ("error", "agent.server", "hello: a=b")
    assert list(value) == ["@level", "@message", "@module", "@timestamp"]


def test_an_unknown_level_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(ValueError, match=r"Invalid log level: loud. Valid log levels are: \[TRACE DEBUG INFO WARN ERR"):
        Logs(io.StringIO()).set_level("loud")


async def test_a_slow_monitor_loses_lines_and_the_log_says_so() -> None:
    stream = io.StringIO()
    logs = Logs(stream)
    logs.configure("warn")
    try:
        monitor = logs.open_monitor(logging.INFO, as_json=False)
        for number in range(600):
            monitor._push(str(number))
        logs.close_monitor(monitor)
        assert len(monitor.lines) == 512
        assert "Dropped logs during monitor request: dropped_count=88" in stream.getvalue()
    finally:
        logs.root.handlers.clear()


class Unprintable:
    def __str__(self) -> str:
        raise ZeroDivisionError


ODD = {
    "not UTF-8": ("file=%s", ("a\udcffb",), 'file="a\\xffb"'),
    "not UTF-8 in the text": ("odd \udcff", (), "odd \\udcff"),
    "what a terminal would do": ("name=%s", ("\x1b[2J\rfake",), 'name="\\x1b[2J\\rfake"'),
    "too few values": ("a=%s b=%s", ("x",), "a=%s b=%s (its values cannot be shown: TypeError)"),
    "another type": ("a=%d", ("x",), "a=%d (its values cannot be shown: TypeError)"),
    "an object that fails": ("a=%s", (Unprintable(),), "a=%s (its values cannot be shown: ZeroDivisionError)"),
    "letters of all kinds": ("a=%s", ("\u00e4\U0001f600",), "a=\u00e4\U0001f600"),
}


@pytest.mark.parametrize("case", list(ODD))
@pytest.mark.parametrize("formatter", [TextFormatter(), JSONFormatter()])
def test_every_record_is_a_line_that_can_be_written(case: str, formatter: logging.Formatter) -> None:
    message, args, expected = ODD[case]
    line = formatter.format(record(message, *args))
    assert line.encode().decode() == line
    shown = json.loads(line)["@message"] if isinstance(formatter, JSONFormatter) else line.split("agent.server: ")[1]
    assert shown == expected


@pytest.mark.parametrize("formatter", [TextFormatter(), JSONFormatter()])
def test_where_an_error_was_raised_is_told_in_either_format(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("odd \udcff")
    except ValueError as error:
        one = record("failed")
        one.exc_info = (type(error), error, error.__traceback__)
    line = formatter.format(one)
    trace = json.loads(line)["stacktrace"] if isinstance(formatter, JSONFormatter) else line
    assert "Traceback" in trace and trace.endswith("ValueError: odd \\udcff")


# ---------------------------------------------------------------------------------------------------- standard output


def test_standard_output_that_is_full_loses_lines_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole lines are lost; one that was taken in part is finished first, and the log says how many are missing."""
    taken: list[bytes] = []
    room = [1000]

    def write(_: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        found = data[: room[0]]
        room[0] -= len(found)
        taken.append(found)
        return len(found)

    with Path(os.devnull).open("w") as stream:
        handler = ConsoleHandler(Console(stream))
        handler.setFormatter(TextFormatter())
        monkeypatch.setattr(os, "write", write)
        room[0] = 0
        handler.handle(record("nobody sees it"))
        assert handler.dropped == 1
        room[0] = 1000
        handler.handle(record("one"))
        room[0] = 40
        for text in ("two", "lost", "lost, too"):
            handler.handle(record(text))
        room[0] = 1000
        handler.handle(record("three"))
        monkeypatch.undo()
    lines = [line.split(": ", 1)[1] for line in b"".join(taken).decode().splitlines()]
    told = "Dropped lines of the log: dropped_count="
    assert lines == [f"{told}1", "one", "two", f"{told}2", "three"]
