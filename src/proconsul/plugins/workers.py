"""Threads for the plain methods of one plug-in: few, its own, and given up when they do not come back.

They are daemons, unlike those of an executor: a method that hangs does not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

__all__ = ["THREADS_MAX", "WorkerDied", "Workers"]

# So many calls of one plug-in run at the same time, hanging ones included; others wait within their own time-outs.
THREADS_MAX: Final = 4
# An idle thread ends as soon as it is told so.
_JOIN_S: Final = 1.0

_Job = tuple[Callable[..., Any], tuple[Any, ...], "asyncio.Future[Any]"]


class WorkerDied(Exception):
    """A method raised what ends programs (SystemExit, KeyboardInterrupt); here it ends nothing."""


class Workers:
    """For one event loop. ``name``: what the threads are called."""

    def __init__(self, name: str, threads_max: int = THREADS_MAX) -> None:
        self.name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._slots = asyncio.Semaphore(threads_max)
        self._threads: list[threading.Thread] = []
        # Threads that have nothing to do.
        self._idle = 0
        self._stopped = False

    @property
    def running(self) -> int:
        """How many calls are under way, those included that nobody waits for any more."""
        return len(self._threads) - self._idle

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function`` on a thread, once one is free. Who is cancelled leaves the call to itself.

        Raises what it raises.
        """
        await self._slots.acquire()
        if self._stopped:
            raise RuntimeError("the agent is stopping")
        loop = asyncio.get_running_loop()
        if self._idle:
            self._idle -= 1
        else:
            number = len(self._threads) + 1
            thread = threading.Thread(target=self._work, args=(loop,), name=f"{self.name}-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no more of them; it may have some the next time
                self._slots.release()
                raise
            self._threads.append(thread)
        future: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((function, args, future))
        return await future

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            function, args, future = job
            result, error, process = None, None, os.getpid()
            try:
                result = function(*args)
            except (Exception, asyncio.CancelledError) as raised:
                error = raised
            except BaseException as raised:
                error = WorkerDied(f"{type(raised).__name__}: {raised}")
            if os.getpid() != process:  # it has forked, and comes back twice: nobody waits for the other one,
                os._exit(0)  # which has the agent's sockets, and would keep them when the agent has ended
            del job, function, args
            try:
                loop.call_soon_threadsafe(self._done, future, result, error)
            except RuntimeError:  # the loop has been closed meanwhile
                return

    def _done(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._idle += 1
        self._slots.release()
        if future.done():
            return
        if isinstance(error, StopIteration | asyncio.CancelledError):  # of which a future takes none
            error = RuntimeError(f"raised {type(error).__name__}")
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def stop(self) -> int:
        """Have the threads end. Returns how many do not, being in a call: they are given up."""
        self._stopped = True
        left = self.running
        for _ in self._threads:
            self._jobs.put(None)
        if not left:
            for thread in self._threads:
                thread.join(_JOIN_S)
            self._threads, self._idle = [], 0
        return left
