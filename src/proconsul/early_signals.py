"""Signals that come while an agent's program is still being loaded, before an event loop can take them."""

from __future__ import annotations

import os
import signal
from types import FrameType

# What came and is due once the agent runs.
pending: set[int] = set()


def hold() -> None:
    """Remember SIGHUP and SIGUSR1, whose default is the end of the process; end at once at SIGINT and SIGTERM.

    Nothing has begun that had to be ended in an orderly way, and a traceback would tell nobody anything.
    """
    if not hasattr(signal, "SIGHUP"):  # Windows
        return
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, _remember)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def ignore() -> None:
    """The agent has ended and its exit code is known: nothing that comes now may change it."""
    if not hasattr(signal, "SIGHUP"):  # Windows
        return
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _remember(number: int, frame: FrameType | None) -> None:
    pending.add(number)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(1)
