"""Child processes of ``lock`` and ``watch``: how they start and how their end is told, in Go's words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import IO

from proconsul.engine.wire.goerrors import start_error


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
    except (OSError, ValueError) as error:
        raise StartError(start_error(arguments[0], error)) from None
