"""Our programs without the time that importing them takes: processes forked from one that has imported everything.

They are processes like any others, with arguments, environment, directory and files of their own; only what Python does
before the first line of ours has been done already. Half of the processor time of a short command goes into that, and
most of an agent's start. The tests of how programs start and end (``tests/faults``) start them in full.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

MODULES = ("proconsul", "proconsul.testing.gossip_member")
# Room for a request besides its arguments and environment.
_REQUEST_BYTES_MAX = 100_000
# These change how an interpreter starts, so they need one of their own.
_INTERPRETERS = ("PYTHON", "LC_", "LANG", "LD_")


class _Server:
    """The process to fork from; begun with the first request."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.requests = ours
        self.pid = os.getpid()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("preloaded_main.py")), str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip


_servers: list[_Server] = []
_starting = threading.Lock()


def _server() -> _Server:
    with _starting:
        if not _servers or _servers[-1].pid != os.getpid() or _servers[-1].process.poll() is not None:
            _servers[:] = [_Server()]
        return _servers[-1]


def request_file() -> int:
    """Where programs that get it send their requests (`thin_program`)."""
    return _server().requests.fileno()


def _readable(files: Sequence[int], timeout_s: float | None) -> list[int]:
    """Those of ``files`` with something to read or at their end. Not `select.select`: tests open thousands of files."""
    waiting = select.poll()
    for file in files:
        waiting.register(file, select.POLLIN)
    return [file for file, _ in waiting.poll(None if timeout_s is None else timeout_s * 1000)]


class Forked:
    """As `subprocess.Popen`, as far as tests need it."""

    def __init__(self, command: Sequence[str], files: Sequence[int], directory: str, environment: Mapping[str, str],
                 stdin: IO[bytes] | None = None) -> None:  # fmt: skip
        self.args, self.stdin = command, stdin
        self.returncode: int | None = None
        self._handle: int | None = None
        self._telling = threading.Lock()
        request = {"module": command[2], "arguments": command[3:], "directory": directory, "environment": environment}
        told, tell = os.pipe()
        self._told = os.fdopen(told, "rb", buffering=0)
        try:
            socket.send_fds(_server().requests, [json.dumps(request).encode()], [*files, tell])
        finally:
            os.close(tell)
        self.pid = int(self._line() or b"0")
        assert self.pid, "the process to fork from has ended"
        try:
            self._handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            pass  # has ended already

    def _line(self) -> bytes:
        found = b""
        while not found.endswith(b"\n") and (more := self._told.read(1)):
            found += more
        return found

    def poll(self) -> int | None:
        return self.wait_for(0.0)

    def wait_for(self, timeout_s: float | None) -> int | None:
        """How it ended, or None if it has not by then."""
        if self.returncode is not None or not _readable([self._told.fileno()], timeout_s):
            return self.returncode
        with self._telling:  # of several threads that wait, one reads it
            if self.returncode is None:
                self.returncode = int(self._line() or -signal.SIGKILL)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        code = self.wait_for(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None and self._handle is not None:
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                pass

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        for file in (self.stdin, self._told):
            if file is not None:
                file.close()
        if self._handle is not None:
            os.close(self._handle)


AnyProcess = subprocess.Popen[bytes] | Forked


def can_fork(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether this is one of our programs and the system can do it."""
    if not hasattr(os, "pidfd_open") or list(command[:2]) != [sys.executable, "-m"] or command[2] not in MODULES:
        return False
    special = {name for name in environment.keys() | os.environ.keys() if name.startswith(_INTERPRETERS)}
    if any(environment.get(name) != os.environ.get(name) for name in special):
        return False
    return sum(map(len, command)) + sum(len(name) + len(value) for name, value in environment.items()) < (
        _REQUEST_BYTES_MAX // 6  # a character takes up to six bytes of JSON
    )


def start(
    command: Sequence[str], *, output: int, directory: Path, environment: Mapping[str, str],
    stdin: int = subprocess.DEVNULL, before: Callable[[], None] | None = None,
) -> AnyProcess:  # fmt: skip
    """Begin a process whose output and errors go to ``output``. ``stdin``: subprocess.DEVNULL or PIPE.

    ``before`` is called in one that cannot be forked, as Popen's ``preexec_fn``.
    """
    if not can_fork(command, environment):
        return subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=stdin, cwd=directory, env=environment,
            preexec_fn=before,
        )  # fmt: skip
    if stdin == subprocess.PIPE:
        read, write = os.pipe()
        pipe: IO[bytes] | None = os.fdopen(write, "wb")
    else:
        read, pipe = os.open(os.devnull, os.O_RDONLY), None
    try:
        return Forked(command, [read, output, output], str(directory), dict(environment), pipe)
    finally:
        os.close(read)


def run(
    command: Sequence[str], *, stdin: bytes, directory: Path | str, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end and keep what it printed, as `subprocess.run` does. Raises TimeoutExpired."""
    if not can_fork(command, environment):
        return subprocess.run(
            command, cwd=directory, env=environment, input=stdin, capture_output=True, timeout=timeout_s, check=False
        )
    pipes = [os.pipe() for _ in range(3)]
    (read, write), (out, out_end), (err, err_end) = pipes
    process = Forked(command, [read, out_end, err_end], str(directory), dict(environment))
    for end in (read, out_end, err_end):
        os.close(end)
    writer = threading.Thread(target=_write, args=(write, stdin))
    writer.start()
    try:
        printed = _drain(out, err, time.monotonic() + timeout_s, command)
        code = process.wait(timeout_s)
    finally:
        process.kill()
        os.close(out)
        os.close(err)
        writer.join()
    return subprocess.CompletedProcess(command, code, *printed)


def _write(file: int, data: bytes) -> None:
    with os.fdopen(file, "wb") as pipe:
        try:
            pipe.write(data)
            pipe.flush()
        except BrokenPipeError:
            pass


def _drain(out: int, err: int, deadline: float, command: Sequence[str]) -> tuple[bytes, bytes]:
    """Everything that comes out of both until their ends."""
    found: dict[int, list[bytes]] = {out: [], err: []}
    left = [out, err]
    while left:
        ready = _readable(left, max(deadline - time.monotonic(), 0.0))
        if not ready:
            raise subprocess.TimeoutExpired(command, deadline)
        for file in ready:
            data = os.read(file, 65536)
            found[file].append(data)
            if not data:
                left.remove(file)
    return b"".join(found[out]), b"".join(found[err])
