"""Child processes of ``lock`` and ``watch``: how they start and how their end is told, in Go's words."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import IO

from proconsul.cli import gotypes

# strsignal(3) in the words Go uses.
_SIGNAL_NAMES = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGABRT: "aborted",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}


class StartError(Exception):
    """The child could not be started; ``str()`` is Go's text."""


def start(
    arguments: list[str],
    *,
    shell: bool,
    environment: Mapping[str, str],
    stdin: int | IO[bytes] | None,
) -> subprocess.Popen[bytes]:
    """Start a child which shares our standard output and error; raises :class:`StartError`.

    With ``shell`` the arguments are one script for ``$SHELL`` (default /bin/sh), else a program and its arguments.
    """
    if shell:
        arguments = [os.environ.get("SHELL") or "/bin/sh", "-c", " ".join(arguments)]
    try:
        return subprocess.Popen(arguments, stdin=stdin, env={**os.environ, **environment})
    except FileNotFoundError:
        name = arguments[0]
        if "/" in name:
            raise StartError(f"fork/exec {name}: no such file or directory") from None
        raise StartError(f"exec: {gotypes.quote(name)}: executable file not found in $PATH") from None
    except OSError as error:
        raise StartError(f"fork/exec {arguments[0]}: {gotypes.errno_text(error)}") from None


def failure(return_code: int) -> str:
    """Return why the child failed (``exit status 3``, ``signal: killed``), or an empty string if it did not."""
    if return_code == 0:
        return ""
    if return_code > 0:
        return f"exit status {return_code}"
    number = -return_code
    try:
        return f"signal: {_SIGNAL_NAMES.get(signal.Signals(number), f'signal {number}')}"
    except ValueError:
        return f"signal: signal {number}"
