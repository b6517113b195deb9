"""Programs that the agent starts, each the head of a session, so that what it starts can be killed with it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from typing import Any


async def start_group(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """Start ``command``; options are those of ``asyncio.create_subprocess_exec``. Raises OSError or ValueError.

    The program may run before its start is known here. Who gives up in between gets nothing to kill, so the whole group
    is killed for him.
    """
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(*command, start_new_session=True, **options))
    try:
        return await asyncio.shield(starting)
    except NotImplementedError:
        # On Windows only one of asyncio's loops can, and that is not the one test agents have.
        raise OSError(errno.ENOTSUP, "this event loop cannot start programs") from None
    except asyncio.CancelledError:
        with contextlib.suppress(OSError, ValueError):
            process = await starting
            kill_group(process)
            await process.wait()
        raise


def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill everything the program started in its session; nothing when all has ended."""
    if not hasattr(os, "killpg"):
        _kill_tree(process)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_tree(process: asyncio.subprocess.Process) -> None:
    """Windows has no sessions: what the program started is what still names it as its parent."""
    import psutil

    started: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        started = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        process.kill()
    for one in started:
        with contextlib.suppress(psutil.Error):
            one.kill()
