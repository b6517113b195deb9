"""Where the log goes beside standard output: files that are rotated, the system's log; and levels of single modules."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proconsul.agent.telemetry import syslog
from proconsul.agent.telemetry.logfile import open_log_file
from proconsul.agent.telemetry.logs import TRACE, Logs, TextFormatter
from proconsul.agent.telemetry.syslog import FACILITIES, SyslogError, SyslogHandler
from support.patience import PATIENCE_S
from support.reference import require_reference


def say(handler: logging.Handler, text: str, level: int = logging.INFO) -> None:
    handler.handle(logging.LogRecord("agent.x", level, "", 0, text, None, None))


def lines(directory: Path) -> list[list[str]]:
    """What the files hold, the oldest first, without times."""
    return [
        [line.split(": ", 1)[1] for line in path.read_text().splitlines()]
        for path in sorted(directory.iterdir(), key=lambda path: path.name)
    ]


@pytest.fixture
def opened() -> Iterator[Callable[..., logging.Handler]]:
    found: list[logging.Handler] = []

    def open_(*arguments: object) -> logging.Handler:
        handler = open_log_file(*arguments)  # type: ignore[arg-type]
        handler.setFormatter(TextFormatter())
        found.append(handler)
        return handler

    yield open_
    for handler in found:
        handler.close()


# ------------------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(("kept", "files"), [(0, 5), (1, 2), (3, 4), (-1, 1)])
def test_files_are_rotated_by_size_and_the_newest_kept(
    tmp_path: Path, kept: int, files: int, opened: Callable[..., logging.Handler]
) -> None:
    handler = opened(str(tmp_path / "a.txt"), 1, 0.0, kept)
    for number in range(5):
        say(handler, f"line {number}")
    assert lines(tmp_path) == [[f"line {number}"] for number in range(5 - files, 5)]
    assert all(re.fullmatch(r"a-\d{19}\.txt", path.name) for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a[b].log", "*.log", "50%s {x}.log", "a b?.x", "log"])
def test_old_files_are_those_of_that_very_name(
    tmp_path: Path, name: str, opened: Callable[..., logging.Handler]
) -> None:
    """A name is no pattern: what only looks like it, or is called after it, stays."""
    stem, _, suffix = name.partition(".")
    others = {f"{stem}-audit.{suffix or 'log'}", f"{stem}-1.old", "ab-1.log", "x-2.log"}
    for other in others:
        (tmp_path / other).write_text("")
    handler = opened(str(tmp_path / name), 1, 0.0, 1)
    for number in range(5):
        say(handler, f"line {number}")
    left = {path.name for path in tmp_path.iterdir()}
    assert others <= left and len(left - others) == 2


def test_files_are_rotated_by_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., logging.Handler]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    handler = opened(f"{tmp_path}/", 0, 60.0, 0)
    for wait in (0, 59, 1, 0):
        now[0] += wait
        say(handler, f"at {now[0]:.0f}")
    assert lines(tmp_path) == [["at 1000", "at 1059"], ["at 1060", "at 1060"]]
    assert all(path.name.startswith("consul-") for path in tmp_path.iterdir())


@pytest.mark.parametrize("takes", [0, 7])
def test_a_full_disk_loses_whole_lines_and_nothing_else(
    tmp_path: Path, takes: int, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., logging.Handler]
) -> None:
    """What is cut is taken back, who logs does not notice, and the log says how much was lost."""
    handler = opened(f"{tmp_path}/", 0, 0.0, 0)
    say(handler, "before")
    real = os.write

    def full(file: int, data: bytes) -> int:
        if takes:
            return real(file, data[:takes])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        for _ in range(3):
            say(handler, "lost")
    say(handler, "after")
    assert lines(tmp_path) == [["before", "Dropped lines of the log: dropped_count=3", "after"]]


def test_the_old_file_goes_on_where_no_new_one_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[..., logging.Handler]
) -> None:
    handler = opened(f"{tmp_path}/", 1, 0.0, 0)
    say(handler, "one")
    with monkeypatch.context() as patched:

        def refuse(*_: object) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        patched.setattr(os, "open", refuse)
        say(handler, "two")
    say(handler, "three")
    assert [line for file in lines(tmp_path) for line in file] == ["one", "two", "three"]


# ------------------------------------------------------------------------------------------------ the system's log


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "log"))
        bound.settimeout(PATIENCE_S)
        yield bound


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (TRACE, 7),
        (logging.DEBUG, 6),
        (logging.INFO, 5),
        (logging.WARNING, 4),
        (logging.ERROR, 3),
        (logging.CRITICAL, 3),
    ],
)
@pytest.mark.parametrize("facility", ["LOCAL0", "daemon", "LOCAL7"])
def test_lines_of_the_systems_log(
    tmp_path: Path, listener: socket.socket, level: int, severity: int, facility: str
) -> None:
    handler = SyslogHandler(facility, (str(tmp_path / "nothing"), str(tmp_path / "log")))
    handler.setFormatter(TextFormatter("    "))
    say(handler, "hello: a=b", level)
    line = listener.recv(4096).decode()
    handler.close()
    found = re.fullmatch(
        r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d consul\[(\d+)\]: \d{4}-\S+ \[[A-Z]+\] +agent\.x: hello: a=b\n",
        line,
    )
    assert found is not None, line
    assert (int(found[1]), int(found[2])) == (FACILITIES[facility.upper()] * 8 + severity, os.getpid())


def test_a_system_log_that_is_stuck_or_gone_stops_nobody(tmp_path: Path, listener: socket.socket) -> None:
    path = tmp_path / "log"
    handler = SyslogHandler("LOCAL0", (str(path),))
    handler.setFormatter(TextFormatter())
    while not handler.dropped:  # nobody reads: its queue is full at some time
        say(handler, "x" * 500)
    dropped = handler.dropped
    while True:
        listener.setblocking(False)
        try:
            listener.recv(4096)
        except BlockingIOError:
            break
    say(handler, "again")
    assert f"dropped_count={dropped}" in listener.recv(4096).decode() and "again" in listener.recv(4096).decode()
    path.unlink()
    listener.close()
    say(handler, "nobody is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as restarted:
        restarted.bind(str(path))
        say(handler, "back")
        assert "dropped_count=1" in restarted.recv(4096).decode() and "back" in restarted.recv(4096).decode()
    handler.close()


async def test_it_is_waited_for_a_minute(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    def nobody(facility: str) -> SyslogHandler:
        return SyslogHandler(facility, (str(tmp_path / "nothing"),))

    with pytest.raises(SyslogError, match=r"^Syslog setup did not succeed within timeout \(1m0s\)\.$"):
        await syslog.connect("LOCAL0", sleep, nobody)
    assert sum(waited) == 60
    with pytest.raises(SyslogError, match=r"^Syslog setup error: invalid syslog facility: NOPE$"):
        await syslog.connect("NOPE", sleep, nobody)


# ------------------------------------------------------------------------------------------------------------ levels


@pytest.fixture
def logs() -> Iterator[tuple[Logs, io.StringIO]]:
    stream = io.StringIO()
    made = Logs(stream)
    yield made, stream
    made.set_level("info")
    made.root.handlers.clear()


def said(stream: io.StringIO) -> list[str]:
    return [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()]


def test_single_modules_have_levels_of_their_own(logs: tuple[Logs, io.StringIO]) -> None:
    made, stream = logs
    made.configure("warn", {"agent.a": "debug", "agent.a.quiet": "error", "agent.b": "TRACE"})
    for name in ("agent.a", "agent.a.deep", "agent.a.quiet", "agent.a.quiet.x", "agent.ab", "agent.b", "agent.c"):
        for level in (TRACE, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logging.getLogger(name).log(level, "%s %d", name, level)
    assert said(stream) == [
        f"{name} {level}"
        for name, lowest in (
            ("agent.a", 10), ("agent.a.deep", 10), ("agent.a.quiet", 40), ("agent.a.quiet.x", 40), ("agent.ab", 30),
            ("agent.b", 5), ("agent.c", 30),
        )
        for level in (5, 10, 20, 30, 40) if level >= lowest
    ]  # fmt: skip


async def test_monitors_and_reloads_leave_each_others_levels(logs: tuple[Logs, io.StringIO]) -> None:
    made, stream = logs
    made.configure("info", {"agent.a": "error"})
    monitor = made.open_monitor(logging.DEBUG, as_json=False)
    logging.getLogger("agent.a").debug("only for the monitor")
    made.set_level("info", {"agent.b": "debug"})
    logging.getLogger("agent.a").info("for both")
    logging.getLogger("agent.b").debug("for both, too")
    made.close_monitor(monitor)
    logging.getLogger("agent.a").debug("for nobody")
    with pytest.raises(ValueError, match="Invalid log level: loud"):
        made.set_level("warn", {"agent.c": "loud"})
    logging.getLogger("agent.b").debug("as before")
    assert said(stream) == ["for both", "for both, too", "as before"]


# ------------------------------------------------------------------------------------------------------------- starts

REFUSED = {
    "level": (["-log-level=loud"], True),
    "file": (["-log-file=/proc/none/file.log"], True),
    "level of a module": (["-hcl", 'log_sublevels { "agent.x" = "loud" }'], False),
    "facility": (["-syslog", "-hcl", 'syslog_facility = "NOPE"'], False),
}


@pytest.mark.reference
@pytest.mark.parametrize("case", list(REFUSED))
def test_a_log_that_cannot_be_set_up_ends_the_start(case: str) -> None:
    """With a sentence, and Consul's where it says one at once."""
    flags, compared = REFUSED[case]
    command = ["agent", "-dev", "-http-port=-1", "-dns-port=-1", "-server-port=-1", *flags]

    def run(program: list[str]) -> tuple[int, str, str]:
        done = subprocess.run([*program, *command], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout, re.sub(r"-\d{19}", "-<time>", done.stderr)

    code, out, err = run([sys.executable, "-m", "proconsul"])
    assert (code, out) == (1, "") and re.fullmatch(r"==> [^\n]+\n", err)
    if compared:
        assert (code, out, err) == run([str(require_reference())])
