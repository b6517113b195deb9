"""Script check: run a program without a shell; its exit code is the status.

Exit 0 is passing, 1 warning, anything else critical. Output and errors are one stream of which the end is kept. The
program leads its own session, reads /dev/null and inherits no descriptor of the agent. At the timeout its whole process
group is killed. Source: docs/agent/checks, "Script + Interval".
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import threading
from collections.abc import Sequence
from typing import Final, cast

from proconsul.agent.checks.base import ProbeResult
from proconsul.agent.checks.output import TailBuffer, captured_text
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.hooks.processes import kill_group, start_group
from proconsul.engine.wire.durations import format_seconds
from proconsul.engine.wire.goerrors import start_error

__all__ = ["ScriptProbe", "exit_status"]

# How long we wait for a killed program to be reaped; SIGKILL cannot be refused, only delayed by the kernel.
_REAP_TIMEOUT_S: Final = 1.0
_READ_BYTES: Final = 64 * 1024


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
        buffer = TailBuffer(self.output_bytes_max)
        pipe = await _Pipe.open(buffer)
        try:
            return await self._run(pipe, buffer)
        finally:
            pipe.close()

    async def _run(self, pipe: _Pipe, buffer: TailBuffer) -> ProbeResult:
        try:
            process = await start_group(
                *self.args,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipe.write_fd,
                stderr=asyncio.subprocess.STDOUT,
            )
        except (OSError, ValueError) as error:
            return ProbeResult(CheckStatus.CRITICAL, start_error(self.args[0], error))
        pipe.started()
        try:
            async with asyncio.timeout(self.timeout_s):
                await pipe.ended.wait()
                await process.wait()
        except TimeoutError:
            await _kill_group(process, pipe)
            text = f"Timed out ({format_seconds(self.timeout_s)}) running check"
            output = captured_text(buffer)
            return ProbeResult(CheckStatus.CRITICAL, f"{text}\n\n{output}" if output else text)
        except asyncio.CancelledError:
            # The check is being stopped or the agent ends. No child may stay behind.
            await _kill_group(process, pipe)
            raise
        assert process.returncode is not None
        return ProbeResult(exit_status(process.returncode), captured_text(buffer))


class _Pipe(asyncio.Protocol):
    """The reading end of a program's output. Ours to close, even while a stray grandchild keeps the other end."""

    def __init__(self, buffer: TailBuffer) -> None:
        self.buffer = buffer
        self.ended = asyncio.Event()
        self.write_fd = -1
        self._transport: asyncio.ReadTransport | None = None

    @classmethod
    async def open(cls, buffer: TailBuffer) -> _Pipe:
        read_fd, write_fd = os.pipe()
        pipe = cls(buffer)
        pipe.write_fd = write_fd
        reader = os.fdopen(read_fd, "rb", buffering=0)
        if sys.platform == "win32":  # whose event loops cannot watch such a pipe
            arguments = (reader, asyncio.get_running_loop())
            threading.Thread(target=pipe._read, args=arguments, name="check-output", daemon=True).start()
            return pipe
        try:
            await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, reader)
        except BaseException:
            reader.close()
            pipe.started()
            raise
        return pipe

    def _read(self, reader: io.FileIO, loop: asyncio.AbstractEventLoop) -> None:
        """On a thread of its own, until everybody has closed the writing end."""
        with reader, contextlib.suppress(RuntimeError):  # the loop has ended
            while data := reader.read(_READ_BYTES):
                loop.call_soon_threadsafe(self.data_received, data)
            loop.call_soon_threadsafe(self.connection_lost, None)

    def started(self) -> None:
        """The program has its own copy of the writing end."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def close(self) -> None:
        self.started()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance check: the transports of some event loops stand outside of asyncio's class tree.
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def _kill_group(process: asyncio.subprocess.Process, pipe: _Pipe) -> None:
    """Kill everything the program started in its session, and reap it."""
    kill_group(process)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_REAP_TIMEOUT_S):
            await process.wait()
            await pipe.ended.wait()
