"""Time, waiting and work beside the caller's, as threads have them; see `proconsul.client.aio.kit`."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import Token
from typing import Protocol

from proconsul.client.blocking import forks
from proconsul.client.blocking.connection import INTERRUPT, Interrupt, SocketTransport
from proconsul.client.clock import since_boot
from proconsul.client.transport import Upload
from proconsul.client.wire import Answer, Call, Deadline

__all__ = [
    "Flag", "Handle", "Job", "Scope", "Stopped", "Stream", "Transport", "at_fork", "deaf", "lease_clock", "now",
    "own_transport", "sleep", "uninterrupted",
]  # fmt: skip

own_transport = SocketTransport
now: Callable[[], float] = time.monotonic
lease_clock = since_boot


class Stream(Protocol):
    """The body of an answer while it comes."""

    @property
    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece."""

    def close(self) -> None:
        """Give the rest up."""


class Transport(Protocol):
    """A way to the agents of an `Endpoint`. Raises Unavailable, CallTimeout and BadAnswer."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""

    def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """Do a call at the ``place``-th agent, once."""

    def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> Stream:
        """As `send`, but the body comes piece by piece; the deadline is for its beginning."""

    def close(self) -> None:
        """End all connections."""


def sleep(seconds: float) -> None:
    """Let time pass; a stopped job wakes up."""
    interrupt = INTERRUPT.get()
    if interrupt is None:
        time.sleep(seconds)
    elif interrupt.raised.wait(seconds):
        raise Stopped


class Stopped(BaseException):
    """What waits is to end. Not an error of the work, so nothing of its own catches it."""


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """What is inside is done also where all is to end: what is given back must be given back."""
    before = INTERRUPT.set(None)
    try:
        yield
    finally:
        INTERRUPT.reset(before)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Inside, this thread cannot be woken: whoever stops it does not wait for it. Raises Unavailable."""
    interrupt = INTERRUPT.get()
    if interrupt is None:
        yield
        return
    interrupt.enter(None)
    try:
        yield
    finally:
        interrupt.leave()


def at_fork(one: forks.Forked) -> None:
    """Have it told when this becomes another process."""
    forks.tell(one)


class Flag:
    """An event that can be waited for with a limit; who is stopped while it waits raises Stopped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        with self._changed:
            self._set = True
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """As `wait_for`."""
        return self.wait_for(timeout)

    def wait_for(self, seconds: float | None) -> bool:
        """Whether it is set, at the latest after so many seconds, None for no limit."""
        interrupt = INTERRUPT.get()
        if interrupt is None:
            with self._changed:
                return self._changed.wait_for(self.is_set, seconds)
        interrupt.wakes(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._set or interrupt.raised.is_set(), seconds)
        finally:
            interrupt.wakes(None)
        if interrupt.raised.is_set() and not self._set:
            raise Stopped
        return self._set

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


# How often it is looked whether a thread has become deaf.
_LOOK_S = 0.1


class Handle:
    """Something that waits again and again, inside ``with``, and can be told from outside to end."""

    def __init__(self) -> None:
        self._interrupt = Interrupt()
        self._outer: list[Token[Interrupt | None]] = []

    @property
    def stopped(self) -> bool:
        return self._interrupt.raised.is_set()

    def __enter__(self) -> None:
        if INTERRUPT.get() is None:  # who is in a job ends with it
            self._outer.append(INTERRUPT.set(self._interrupt))

    def __exit__(self, *_: object) -> None:
        if self._outer:
            INTERRUPT.reset(self._outer.pop())

    def stop(self) -> None:
        """End it: what waits is woken, and told so by ``stopped``."""
        self._interrupt.set()


class Job:
    """Work beside the caller's, in a thread: ``work`` runs until it returns or is stopped.

    What it raises is kept in ``error`` and told to ``on_error``; nothing is printed.
    """

    def __init__(
        self, work: Callable[[], None], name: str, on_error: Callable[[BaseException], None] | None = None
    ) -> None:  # fmt: skip
        self.error: BaseException | None = None
        self._work, self._on_error = work, on_error
        self._interrupt = Interrupt()
        # A program that ends does not wait for it: what it holds ends by itself.
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._run,), name=name, daemon=True
        )  # fmt: skip
        self._thread.start()

    def _run(self) -> None:
        INTERRUPT.set(self._interrupt)
        try:
            self._work()
        except Stopped:
            return
        except BaseException as error:  # SystemExit ends a thread without a word
            if self._interrupt.raised.is_set():
                return
            self.error = error
            if self._on_error is not None:
                self._on_error(error)

    def stop(self) -> None:
        """End it and wait until it has ended; unless it is `deaf`, and does so later."""
        self._interrupt.set()
        if threading.current_thread() is not self._thread:
            while self._thread.is_alive() and not self._interrupt.deaf:
                self._thread.join(_LOOK_S)

    def abandon(self) -> None:
        """Have it end without waiting."""
        self._interrupt.set()


class Scope:
    """Nothing can be cancelled in a thread: who is inside has to look whether it is lost."""

    def cancel(self) -> None:
        """Nothing."""

    def leave(self, error: BaseException | None) -> bool:
        """Whether ``error`` is what `cancel` made."""
        return False
