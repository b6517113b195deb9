"""asyncio without time: processes of one program, each with an event loop of its own, on a clock that only jumps.

`VirtualTime` runs the loops that have something to do, one turn at a time, and when none has it moves on to the next
timer. Nothing waits, nothing is real: the order of turns follows from the seed. A loop is a process: it can stand still
(`stall_until`), its clock may run at its own rate, and it can be killed between any two callbacks, or within one by
raising `Killed`: what it would have done afterwards is heard by nobody.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context
from random import Random
from typing import Any, TypeVarTuple

from proconsul.testing.nested_loops import give_back, take_over

__all__ = ["Killed", "VirtualLoop", "VirtualTime", "new_loop"]

Ts = TypeVarTuple("Ts")
# Turns without time passing after which something runs in circles.
TURNS_MAX = 200_000


class Killed(BaseException):
    """The process ends here. Not an Exception: nobody may think that he could go on."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """The event loop of one process. ``rate``: seconds of its clock per second."""

    def __init__(self, time: VirtualTime, name: str, *, rate: float = 1.0) -> None:
        self.name = name
        self.rate = rate
        self.alive = True
        self.stalled_until = -math.inf
        # What nobody caught: the simulation asks for it.
        self.failures: list[dict[str, Any]] = []
        # How long work on other threads takes, seconds of its clock.
        self.thread_time: Callable[[], float] = lambda: 0.0
        self._world = time
        self._begin = 1000.0 - time.now * rate
        self._floor = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        # When there is something to do, or None after anything that may have changed that.
        self._wakes: float | None = None

    # ------------------------------------------------------------------ what asyncio asks for

    def time(self) -> float:
        return max(self._begin + self.rate * self._world.now, self._floor)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        self._wakes = None
        return handle

    call_soon_threadsafe = call_soon

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._order += 1
        heapq.heappush(self._timers, (when, self._order, handle))
        self._wakes = None
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is dropped when its time comes."""
        self._wakes = None

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **options)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Threads are calls that happen a while later, all at once."""
        future = self.create_future()
        self.call_later(self.thread_time(), self._run_in_thread, future, func, args)
        return future

    @staticmethod
    def _run_in_thread(future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            result = func(*args)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.alive and not isinstance(context.get("exception"), Killed):
            self.failures.append(context)

    # ------------------------------------------------------------------ what the simulation asks for

    @property
    def idle(self) -> bool:
        """Whether nothing happens before time passes or something arrives."""
        return not self._ready

    def kill(self) -> None:
        """Nothing of this process happens any more."""
        self.alive = False
        self._wakes = None

    def awake_from(self, moment: float) -> None:
        """Stand still no longer than until then."""
        self.stalled_until = min(self.stalled_until, moment)
        self._wakes = None

    def stall_until(self, moment: float) -> None:
        """Stand still until then, by the clock of `VirtualTime`."""
        self.stalled_until = max(self.stalled_until, moment)
        self._wakes = None

    def wakes_at(self) -> float:
        """When there is something to do, by the clock of `VirtualTime`; infinite when there is nothing, and maybe in
        the past. Every loop is asked before every turn of any, so the answer is kept."""
        if self._wakes is None:
            self._wakes = self._next()
        return self._wakes

    def _next(self) -> float:
        if not self.alive:
            return math.inf
        if self._ready:
            return self.stalled_until
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return math.inf
        return max((self._timers[0][0] - self._begin) / self.rate, self.stalled_until)

    def turn(self) -> None:
        """One turn: what is ready now, and the timers whose time has come."""
        self._wakes = None
        now = self.time()
        while self._timers and (self._timers[0][0] <= now + 1e-9 or self._timers[0][2].cancelled()):
            when, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                # A clock that seems not to have reached a timer's moment would have it set again, at once, for ever.
                self._floor = max(self._floor, when)
                self._ready.append(timer)
        around = take_over(self)
        try:
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
                if not self.alive:
                    return
        finally:
            give_back(around)

    def bury(self) -> None:
        """End the tasks of a process that was killed, so that none is left for the garbage collector to complain of.

        Their last words are heard by nobody: whoever could be told asks first whether the process is ``alive``.
        """
        around = take_over(self)
        try:
            for _ in range(64):
                for task in list(self._tasks):
                    task.cancel()
                for _ in range(len(self._ready)):
                    handle = self._ready.popleft()
                    if not handle.cancelled():
                        handle._run()
                if not self._tasks:
                    break
        finally:
            give_back(around)
            self._timers.clear()


def new_loop(time: VirtualTime, name: str, *, rate: float = 1.0) -> VirtualLoop:
    """A process's loop. What it does not have (sockets, signals, subprocesses) is not there to be used."""
    return VirtualLoop(time, name, rate=rate)  # type: ignore[abstract]


class VirtualTime:
    """Runs processes and what happens between them. ``after_turn`` is told of every turn of a loop."""

    def __init__(self, rng: Random) -> None:
        self.now = 0.0
        self.loops: list[VirtualLoop] = []
        self.after_turn: Callable[[VirtualLoop], None] = lambda loop: None
        self._rng = rng
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0

    def at(self, delay: float, action: Callable[[], None]) -> None:
        """Do something outside of any process, ``delay`` seconds from now."""
        self._order += 1
        heapq.heappush(self._events, (self.now + delay, self._order, action))

    def run_for(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        turns = 0
        while True:
            now, soonest, ready = self.now, math.inf, []
            for loop in self.loops:
                wakes = loop.wakes_at()
                if wakes <= now:
                    ready.append(loop)
                elif wakes < soonest:
                    soonest = wakes
            if ready:
                loop = ready[0] if len(ready) == 1 else self._rng.choice(ready)
                loop.turn()
                self.after_turn(loop)
                turns += 1
                assert turns < TURNS_MAX, f"{loop.name} runs in circles"
                continue
            turns = 0
            self.loops = [loop for loop in self.loops if loop.alive]
            coming = self._events[0][0] if self._events else math.inf
            moment = min(soonest, coming)
            if moment > end:
                self.now = end
                return
            self.now = max(self.now, moment)
            if coming <= moment:
                heapq.heappop(self._events)[2]()
