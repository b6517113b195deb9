"""Drives a coroutine of somebody else's that can be let go of: one that does not end when it is cancelled."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Coroutine, Generator
from typing import Any

__all__ = ["Leash"]


class Leash:
    """Awaiting it awaits ``coroutine``. After ``let_go``, what is thrown into it ends the awaiting, whatever the
    coroutine makes of it."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self.let_go = False

    def __await__(self) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        process = os.getpid()
        while True:
            try:
                waited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration as done:
                return done.value
            finally:
                if os.getpid() != process:  # it has forked: a second agent with the sockets and files of this one
                    os._exit(0)
            try:
                yield waited
                error = None
            except BaseException as thrown:
                if self.let_go:
                    self.close()
                    raise
                error = thrown

    def close(self) -> None:
        """End the coroutine where it is, also one that was never begun."""
        with contextlib.suppress(Exception):  # it has refused to end; its errors are of no interest any more
            self._coroutine.close()
