"""The log's format."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest

from proconsul.agent.telemetry.logs import JSONFormatter, Logs, TextFormatter, message_of


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
