"""What a process has: threads, files and sockets, logging handlers, signal handlers. For what must leave none."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

FILES = Path("/proc/self/fd")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1)
# Of threads that are told to end, and of sockets the loop closes in its next turns.
PATIENCE_S = 30.0


def _files() -> list[str]:
    """What is open, by kind: the names of sockets and pipes have a number in them."""
    found = []
    for entry in list(FILES.iterdir()) if FILES.is_dir() else []:
        try:
            found.append(os.readlink(entry).split(":")[0])
        except OSError:
            continue
    return sorted(found)


def _handlers() -> dict[str, list[str]]:
    loggers = [logging.getLogger(), logging.getLogger("agent")]
    return {one.name: [*map(str, one.handlers), str(one.level), str(one.propagate)] for one in loggers}


def holdings() -> dict[str, object]:
    """All of it, now. The loop's own pool of threads is as large as the loop wants it."""
    threads = sorted(one.name for one in threading.enumerate() if not one.name.startswith("asyncio_"))
    signals = [signal.getsignal(one) for one in SIGNALS]
    return {"threads": threads, "files": _files(), "logging": _handlers(), "signals": signals}


def _difference(before: dict[str, object], now: dict[str, object]) -> str:
    return "\n".join(f"{name}: {before[name]}\nnow {now[name]}" for name in before if before[name] != now[name])


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """What is inside leaves the process and the loop as they were: of tasks at once, as who stops waits for them."""
    before, tasks = holdings(), asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    left = {task for task in asyncio.all_tasks() - tasks if not task.done()}
    assert not left, left
    until = time.monotonic() + PATIENCE_S
    while (now := holdings()) != before and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert now == before, _difference(before, now)


@contextmanager
def nothing_left_of_a_loop() -> Iterator[None]:
    """As `nothing_left`, of what runs loops of its own."""
    before = holdings()
    yield
    until = time.monotonic() + PATIENCE_S
    while (now := holdings()) != before and time.monotonic() < until:
        time.sleep(0.01)
    assert now == before, _difference(before, now)
