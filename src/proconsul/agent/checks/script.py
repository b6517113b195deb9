"""Script check: run a program without a shell; its exit code is the status.

Exit 0 is passing, 1 warning, anything else critical. Output and errors are one stream of which the end is kept. The
program leads its own session, reads /dev/null and inherits no descriptor of the agent. At the timeout its whole process
group is killed. Source: docs/agent/checks, "Script + Interval".
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Sequence
from typing import Final

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.dial import errno_text
from proconsul.agent.checks.output import TailBuffer, captured_text
from proconsul.agent.checks.status import CheckStatus
from proconsul.engine.wire.durations import format_seconds, go_quote

__all__ = ["ScriptProbe", "exit_status"]

_READ_BYTES: Final = 16 * 1024
# How long we wait for a killed program to be reaped; SIGKILL cannot be refused, only delayed by the kernel.
_REAP_TIMEOUT_S: Final = 1.0


def exit_status(code: int) -> CheckStatus:
    """The status an exit code stands for."""
    return {0: CheckStatus.PASSING, 1: CheckStatus.WARNING}.get(code, CheckStatus.CRITICAL)


class ScriptProbe:
    def __init__(self, args: Sequence[str], timeout_s: float, output_bytes_max: int) -> None:
        assert args
        self.args = tuple(args)
        self.timeout_s = timeout_s
        self.output_bytes_max = output_bytes_max

    async def run(self) -> ProbeResult:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return ProbeResult(CheckStatus.CRITICAL, self._start_text(error))
        buffer = TailBuffer(self.output_bytes_max)
        try:
            async with asyncio.timeout(self.timeout_s):
                await _collect(process, buffer)
        except TimeoutError:
            await _kill_group(process, buffer)
            text = f"Timed out ({format_seconds(self.timeout_s)}) running check"
            output = captured_text(buffer)
            return ProbeResult(CheckStatus.CRITICAL, f"{text}\n\n{output}" if output else text)
        except BaseException:
            # Cancelled: the check is being stopped or the agent ends. No child may stay behind.
            _signal_group(process.pid)
            raise
        assert process.returncode is not None
        return ProbeResult(exit_status(process.returncode), captured_text(buffer))

    def _start_text(self, error: OSError | ValueError) -> str:
        program = self.args[0]
        if not isinstance(error, OSError):
            return f"fork/exec {program}: invalid argument"
        if error.errno == errno.ENOENT and os.sep not in program:
            return f"exec: {go_quote(program)}: executable file not found in $PATH"
        return f"fork/exec {program}: {errno_text(error)}"


async def _collect(process: asyncio.subprocess.Process, buffer: TailBuffer) -> None:
    assert process.stdout is not None
    while data := await process.stdout.read(_READ_BYTES):
        buffer.write(data)
    await process.wait()


def _signal_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _kill_group(process: asyncio.subprocess.Process, buffer: TailBuffer) -> None:
    _signal_group(process.pid)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_TIMEOUT_S):
            await _collect(process, buffer)
