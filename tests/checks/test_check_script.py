"""Script checks with real programs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from proconsul.agent.checks.output import OUTPUT_BYTES_MAX
from proconsul.agent.checks.script import ScriptProbe
from proconsul.agent.checks.status import CheckStatus
from support.processes import is_alive, until_ended


def shell(text: str, timeout_s: float = 20.0, limit: int = OUTPUT_BYTES_MAX) -> ScriptProbe:
    return ScriptProbe(("/bin/sh", "-c", text), timeout_s, limit)


@pytest.mark.parametrize(
    ("text", "status", "output"),
    [
        ("echo hi", CheckStatus.PASSING, "hi\n"),
        ("true", CheckStatus.PASSING, ""),
        ("echo warn >&2; exit 1", CheckStatus.WARNING, "warn\n"),
        ("echo x; exit 2", CheckStatus.CRITICAL, "x\n"),
        ("exit 255", CheckStatus.CRITICAL, ""),
        ("echo k; kill -9 $$", CheckStatus.CRITICAL, "k\n"),
        ("cat", CheckStatus.PASSING, ""),
        ("head -c 9999 /dev/zero | tr '\\0' y", CheckStatus.PASSING, f"Captured 4096 of 9999 bytes\n...\n{'y' * 4096}"),
    ],
)
async def test_exit_code_and_output(text: str, status: CheckStatus, output: str) -> None:
    assert await shell(text).run() == (status, output)


@pytest.mark.parametrize(
    ("program", "output"),
    [
        ("/nonexistent", "fork/exec /nonexistent: no such file or directory"),
        ("no-such-command", 'exec: "no-such-command": executable file not found in $PATH'),
        ("/", "fork/exec /: permission denied"),
        ("a\0b", "fork/exec a\0b: invalid argument"),
    ],
)
async def test_what_cannot_be_started(program: str, output: str) -> None:
    assert await ScriptProbe((program,), 5.0, 4096).run() == (CheckStatus.CRITICAL, output)


async def test_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = f"sleep 100 & echo $! > {pids}; echo $$ >> {pids}; echo before; wait"
    result = await shell(text, timeout_s=0.5).run()
    assert result == (CheckStatus.CRITICAL, "Timed out (500ms) running check\n\nbefore\n")
    for line in pids.read_text().split():
        await until_ended(int(line))


async def test_a_stray_grandchild_does_not_hold_the_check_beyond_its_timeout() -> None:
    # It leaves the session, so it is out of reach, and keeps the output open.
    result = await shell("setsid sleep 3 & echo out", timeout_s=0.4).run()
    assert result.status is CheckStatus.CRITICAL
    assert result.output.endswith("out\n")


async def test_cancelling_kills_the_group(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    task = asyncio.create_task(shell(f"sleep 100 & echo $! > {fifo}; wait").run())
    pid = int(await asyncio.to_thread(fifo.read_text))
    assert is_alive(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_ended(pid)


async def test_cancelling_while_it_starts_kills_the_group(tmp_path: Path) -> None:
    """The script runs already; that it does is not known here yet."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    before = _children()
    task = asyncio.create_task(shell(f"sleep 100 & echo $! > {fifo}; wait").run())
    while not (children := _children() - before):
        await asyncio.sleep(0)
    # Nothing of the event loop runs between the start and this.
    pid = int(fifo.read_text())
    assert children
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_ended(pid)


def _children() -> set[str]:
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


async def test_no_descriptor_is_inherited() -> None:
    with open(os.devnull) as extra:
        os.set_inheritable(extra.fileno(), True)
        result = await shell(f"test ! -e /proc/self/fd/{extra.fileno()} && readlink /proc/self/fd/0").run()
    assert result == (CheckStatus.PASSING, "/dev/null\n")
