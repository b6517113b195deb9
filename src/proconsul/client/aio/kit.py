"""Time, waiting and work beside the caller's, as asyncio has them. `proconsul.client.blocking.kit` has the same names
for threads; the rest of the client is written once over them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from proconsul.client.aio.connection import LoopTransport
from proconsul.client.clock import since_boot
from proconsul.client.transport import Upload
from proconsul.client.wire import Answer, Call, Deadline

__all__ = [
    "Flag", "Handle", "Job", "Scope", "Stopped", "Stream", "Transport", "at_fork", "deaf", "lease_clock", "now",
    "own_transport", "sleep", "uninterrupted",
]  # fmt: skip

own_transport = LoopTransport

# For what ends at a time that others keep as well: goes on while the machine sleeps.
lease_clock = since_boot


class Stream(Protocol):
    """The body of an answer while it comes."""

    @property
    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""

    def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""

    def close(self) -> None:
        """Give the rest up."""


class Transport(Protocol):
    """A way to the agents of an `Endpoint`. Raises Unavailable, CallTimeout and BadAnswer."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""

    async def send(self, place: int, call: Call, token: str, deadline: Deadline, body: Upload | None = None) -> Answer:
        """Do a call at the ``place``-th agent, once."""

    async def stream(self, place: int, call: Call, token: str, deadline: Deadline) -> Stream:
        """As `send`, but the body comes piece by piece; the deadline is for its beginning."""

    async def aclose(self) -> None:
        """End all connections."""


def now() -> float:
    """The monotonic clock that deadlines of calls are on, in seconds."""
    return asyncio.get_running_loop().time()


async def sleep(seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)


def deaf() -> contextlib.AbstractContextManager[None]:
    """Nothing: a task can be cancelled wherever it waits."""
    return contextlib.nullcontext()


def at_fork(one: object) -> None:
    """Nothing: an event loop does not go on in a process that is forked from its own."""


class Flag(asyncio.Event):
    """An event that can be waited for with a limit."""

    async def wait_for(self, seconds: float | None) -> bool:
        """Whether it is set, at the latest after so many seconds, None for no limit."""
        if self.is_set():
            return True
        try:
            async with asyncio.timeout(seconds):
                await self.wait()
        except TimeoutError:
            return self.is_set()
        return True


class Stopped(BaseException):
    """What waits is to end. Here tasks are cancelled instead."""


def uninterrupted() -> contextlib.AbstractContextManager[None]:
    """What is inside is done also where all is to end. A task that was cancelled is so once, and goes on."""
    return contextlib.nullcontext()


class Handle:
    """Something that waits again and again, inside ``with``, and can be told from outside to end."""

    stopped: bool

    def __init__(self) -> None:
        self.stopped = False
        self._waiting: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._waiting = asyncio.current_task()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        waiting, self._waiting = self._waiting, None
        if self.stopped and kind is asyncio.CancelledError and waiting is not None:
            return waiting.uncancel() <= 0
        return False

    def stop(self) -> None:
        """End it: what waits is woken, and told so by ``stopped``."""
        if not self.stopped:
            self.stopped = True
            if self._waiting is not None and self._waiting is not asyncio.current_task():
                self._waiting.cancel()


class Job:
    """Work beside the caller's: ``work`` runs until it returns or is stopped.

    What it raises is kept in ``error`` and told to ``on_error``; nothing is printed.
    """

    def __init__(
        self, work: Callable[[], Awaitable[None]], name: str, on_error: Callable[[BaseException], None] | None = None
    ) -> None:  # fmt: skip
        self.error: BaseException | None = None
        self._on_error = on_error
        self._task: asyncio.Task[None] = asyncio.get_running_loop().create_task(self._run(work), name=name)

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            self.error = error
            if self._on_error is not None:
                self._on_error(error)

    async def stop(self) -> None:
        """End it and wait until it has ended."""
        task = self._task
        if task is asyncio.current_task():
            return
        task.cancel()
        # Not gather: whoever waits here may be cancelled too, and must learn of it when the task is over.
        await asyncio.wait({task})

    def abandon(self) -> None:
        """Have it end without waiting."""
        self._task.cancel()


class Scope:
    """Cancels the task that entered it when `cancel` is called; whoever leaves it is told by `cancelled_here`."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = asyncio.current_task()
        self._cancelled = False

    def cancel(self) -> None:
        """End what is inside."""
        if self._task is not None and not self._cancelled:
            self._cancelled = True
            self._task.cancel()

    def leave(self, error: BaseException | None) -> bool:
        """Whether ``error`` is what `cancel` made, and nothing else is wanted of the task."""
        task, self._task = self._task, None
        if not self._cancelled or task is None:
            return False
        if isinstance(error, asyncio.CancelledError):
            return task.uncancel() <= 0
        task.uncancel()
        return False
