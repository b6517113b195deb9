"""Ports for what a test starts, that nothing else on the machine takes in between; safe under pytest-xdist.

A port that the system offers (port 0) and that is closed again is anybody's: the next connection that any program makes
may be given it, and the agent that was to listen there ends. So ports come from below those that the system offers, and
every process of the test run has a block of its own: who holds a block listens on its first port for as long as it
lives.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator

from proconsul.engine.ports import FIRST_PORT, LAST_PORT, is_free

__all__ = ["free_port", "free_ports"]

BLOCK = 500
HOST = "127.0.0.1"

_guards: dict[int, socket.socket] = {}
_ports: dict[int, Iterator[int]] = {}


def _claim() -> Iterator[int]:
    """Ports of a block that no other process has, round and round."""
    starts = list(range(FIRST_PORT, LAST_PORT, BLOCK))
    turn = os.getpid() % len(starts)
    for start in starts[turn:] + starts[:turn]:
        guard = socket.socket()
        try:
            guard.bind((HOST, start))
            guard.listen()
        except OSError:
            guard.close()
            continue
        _guards[os.getpid()] = guard
        return itertools.cycle(range(start + 1, start + BLOCK))
    raise OSError(f"every block of ports from {FIRST_PORT} to {LAST_PORT} is taken")


def free_ports(count: int) -> list[int]:
    """Ports that are free for TCP and UDP on every address, and that only this process gives away.

    Raises OSError when there are none: a process has a block of 499.
    """
    pid = os.getpid()  # a forked process needs a block of its own
    if pid not in _ports:
        _ports[pid] = _claim()
    ports = _ports[pid]
    found = list(itertools.islice((port for port in itertools.islice(ports, BLOCK) if is_free(port)), count))
    if len(found) < count:
        raise OSError(f"fewer than {count} ports are free in this process's block")
    return found


def free_port() -> int:
    """One of `free_ports`."""
    return free_ports(1)[0]
