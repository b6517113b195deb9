"""Logging in the original's format, and the live view of it that /v1/agent/monitor streams.

One line per record: time with milliseconds and zone, level padded to five, the module, then ``message: key=value``.
"""

from __future__ import annotations

import abc
import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Mapping
from typing import TextIO

from proconsul.agent.config.runtime import ReloadableConfig
from proconsul.agent.part import Part
from proconsul.agent.telemetry.console import Console
from proconsul.agent.telemetry.dropping import DroppingHandler
from proconsul.engine.wire.text import quoted

TRACE = 5
LEVELS = {
    "TRACE": TRACE, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING,
    "ERR": logging.ERROR, "ERROR": logging.ERROR,
}  # fmt: skip
_NAMES = {TRACE: "TRACE", logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARN",
          logging.ERROR: "ERROR", logging.CRITICAL: "ERROR"}  # fmt: skip
# Lines a slow monitor may lag behind before it loses some (logging/monitor: 512).
MONITOR_LINES_MAX = 512


def level_number(name: str) -> int | None:
    """The level a user names, in any case; None when there is none of that name."""
    return LEVELS.get(name.upper())


def _known_level(name: str) -> int:
    """Raises ValueError, with Consul's text."""
    number = level_number(name)
    if number is None:
        raise ValueError(f"Invalid log level: {name}. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]")
    return number


def _timestamp(created: float) -> str:
    seconds = time.localtime(created)
    zone = "Z" if seconds.tm_gmtoff == 0 else time.strftime("%z", seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', seconds)}.{int(created * 1000) % 1000:03d}{zone}"


_PLACEHOLDER = re.compile(r"(=?)%[-#0-9.]*[a-z]")


def message_of(record: logging.LogRecord) -> str:
    """The message with its fields; a value with spaces or quotes in it is quoted (``error="No cluster leader"``)."""
    args = record.args
    if not isinstance(args, tuple) or not args or "=%s" not in str(record.msg):
        return record.getMessage()
    marks = [match[1] for match in _PLACEHOLDER.finditer(str(record.msg))]
    if len(marks) != len(args):
        return record.getMessage()
    shown = tuple(_field(value) if mark else value for mark, value in zip(marks, args, strict=True))
    return str(record.msg) % shown


def _field(value: object) -> object:
    if isinstance(value, (int, float)):
        return value
    text = str(value)
    return quoted(text) if " " in text or '"' in text or "=" in text or not text.isprintable() or not text else text


class _Formatter(logging.Formatter, abc.ABC):
    """Makes a line of every record, and one that can be written: what is logged comes from anywhere, and a line that
    fails would be lost, or end what only wanted to tell something."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = message_of(record)
        except Exception as error:
            message = f"{record.msg} (its values cannot be shown: {type(error).__name__})"
        if not message.isascii():
            message = message.encode("utf-8", "backslashreplace").decode()
        return self.line(record, message)

    @abc.abstractmethod
    def line(self, record: logging.LogRecord, message: str) -> str:
        """The line, where ``message`` is any text that is UTF-8."""


class TextFormatter(_Formatter):
    """``2026-11-20T10:18:06.070Z [WARN]  agent.server: message: key=value``."""

    def __init__(self, indent: str = "") -> None:
        super().__init__()
        self._indent = indent

    def line(self, record: logging.LogRecord, message: str) -> str:
        level = f"[{_NAMES.get(record.levelno, 'INFO')}]"
        text = f"{self._indent}{_timestamp(record.created)} {level:<7} {record.name}: {message}"
        return text + "\n" + trace if (trace := _trace(self, record)) else text


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Where the error of ``record`` was raised, or nothing."""
    if not record.exc_info:
        return ""
    return formatter.formatException(record.exc_info).encode("utf-8", "backslashreplace").decode()


class JSONFormatter(_Formatter):
    """One JSON object per line, with the keys of hclog; ``stacktrace`` where there is one."""

    def line(self, record: logging.LogRecord, message: str) -> str:
        import msgspec

        created = time.localtime(record.created)
        zone = "Z" if created.tm_gmtoff == 0 else time.strftime("%z", created)
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', created)}.{int(record.created * 1e6) % 1_000_000:06d}{zone}"
        value = {
            "@level": _NAMES.get(record.levelno, "INFO").lower(), "@message": message,
            "@module": record.name, "@timestamp": stamp,
        }  # fmt: skip
        if trace := _trace(self, record):
            value["stacktrace"] = trace
        return msgspec.json.encode(value).decode()


class Monitor(logging.Handler):
    """A bounded queue of formatted lines for one reader of /v1/agent/monitor."""

    def __init__(self, level: int, *, as_json: bool) -> None:
        super().__init__(level)
        self.setFormatter(JSONFormatter() if as_json else TextFormatter())
        self.lines: deque[str] = deque()
        self.dropped = 0
        self.ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self._loop.call_soon_threadsafe(self._push, line)

    def _push(self, line: str) -> None:
        if len(self.lines) >= MONITOR_LINES_MAX:
            self.dropped += 1
            return
        self.lines.append(line)
        self.ready.set()


class HostLogs:
    """The logging of the program that this agent is part of: levels and handlers are the program's. Monitors read along
    what it lets through."""

    def __init__(self) -> None:
        self.root = logging.getLogger("agent")
        self._monitors: set[Monitor] = set()

    def set_level(self, level: str, sublevels: Mapping[str, str] = {}) -> None:
        """The program's levels stay."""

    def _settle(self) -> None:
        """It is the program's to say what is let through."""

    def open_monitor(self, level: int, *, as_json: bool) -> Monitor:
        monitor = Monitor(level, as_json=as_json)
        self._monitors.add(monitor)
        self.root.addHandler(monitor)
        self._settle()
        return monitor

    def close_monitor(self, monitor: Monitor) -> None:
        self.root.removeHandler(monitor)
        self._monitors.discard(monitor)
        self._settle()
        if monitor.dropped:
            self.root.warning("Dropped logs during monitor request: dropped_count=%s", monitor.dropped)


class ConsoleHandler(DroppingHandler):
    """Lines for whoever started the agent."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def write(self, level: int, text: str) -> None:
        """See `DroppingHandler`."""
        self._console.write(text + "\n")


class Logs(HostLogs):
    """The agent's own logging, to ``stream`` (default: standard output) and where else it is configured."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self.root.propagate = False
        self.console = Console(stream)
        self._handler: logging.Handler = ConsoleHandler(self.console)
        self._formatter: logging.Formatter = TextFormatter("    ")
        self._level = logging.INFO
        self._sublevels: dict[str, int] = {}

    def configure(
        self, level: str, sublevels: Mapping[str, str] = {}, *, as_json: bool = False, file: str = "",
        rotate_bytes: int = 0, rotate_duration_s: float = 0.0, rotate_files_max: int = 0,
    ) -> None:  # fmt: skip
        """Set format and levels. Raises ValueError for an unknown level, with Consul's text, and OSError."""
        self.set_level(level, sublevels)
        self._formatter = JSONFormatter() if as_json else TextFormatter("    ")
        self.add(self._handler)
        if file:
            from proconsul.agent.telemetry.logfile import open_log_file

            self.add(open_log_file(file, rotate_bytes, rotate_duration_s, rotate_files_max))

    def add(self, handler: logging.Handler) -> None:
        """One more place for what the levels let through, in the format of the others."""
        handler.setFormatter(self._formatter)
        handler.addFilter(self._is_wanted)
        self.root.addHandler(handler)

    def set_level(self, level: str, sublevels: Mapping[str, str] = {}) -> None:
        """``sublevels`` are those of single modules, by their names in the log, with what is below them.

        Raises ValueError for an unknown level; then nothing has changed.
        """
        number = _known_level(level)
        wanted = {name: _known_level(one) for name, one in sublevels.items()}
        for name in self._sublevels.keys() - wanted.keys():
            logging.getLogger(name).setLevel(logging.NOTSET)
        self._level, self._sublevels = number, wanted
        self._settle()

    def _is_wanted(self, record: logging.LogRecord) -> bool:
        """Whether it is for everybody: a monitor that asked for more makes loggers let through what only it wants."""
        if not self._sublevels:
            return record.levelno >= self._level
        return record.levelno >= self._level_of(record.name)

    def _level_of(self, name: str) -> int:
        while name not in self._sublevels and "." in name:
            name = name.rpartition(".")[0]
        return self._sublevels.get(name, self._level)

    def _settle(self) -> None:
        """Loggers let through what their most talkative reader wants."""
        asked = [monitor.level for monitor in self._monitors]
        self.root.setLevel(min([self._level, *asked]))
        for name, level in self._sublevels.items():
            logging.getLogger(name).setLevel(min([level, *asked]))


class LogLevel(Part):
    """Keeps the level of ``logs``, if they are ours to set, as the configuration says."""

    def __init__(self, logs: HostLogs | None) -> None:
        self._logs = logs

    def reloaded(self, config: ReloadableConfig) -> None:
        """A level that is none stays without effect, and is the only thing that does."""
        try:
            if self._logs is not None:
                self._logs.set_level(config.log_level, config.log_sublevels)
        except ValueError as error:
            logging.getLogger("agent").error("Invalid log level in new configuration: error=%s", error)
