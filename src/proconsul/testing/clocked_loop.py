"""An event loop whose time the test holds: `ClockedLoop`, and `Hosted`, which lets one run within another loop.

What is virtual: every timer of the loop, so sessions, TTL checks, lock-delays, intervals, deadlines, blocking queries.
What is real: sockets, threads, processes. While time stands still they go on, and `ClockedLoop.advance` waits for those
that were begun from this side before it lets the next timer fire.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from proconsul.testing.nested_loops import give_back, take_over

__all__ = ["ClockedLoop", "Hosted"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
# Real seconds that `advance` waits at each step for sockets and processes of the agent's own that are under way.
OUTSIDE_PATIENCE_S = 10.0
# Turns of a hosted loop before its host has its own turn again.
TURNS_MAX = 50
# Where an event loop cannot wait for another one (Windows), this often is looked, in real seconds.
LOOK_S = 0.001


class _Selector(selectors.DefaultSelector):
    """Tells the loop when there is nothing to do, and waits only where waiting is right."""

    loop: ClockedLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        loop = self.loop
        if loop.hosted or loop.seeks_quiet:
            ready = super().select(0)
            quiet = not ready and loop.seeks_quiet and loop.is_quiet()
            if ready or quiet or loop.hosted:
                return ready
        # A clock that stands still reaches no timer, however long one waits for it.
        return super().select(loop.patience_s() if loop.frozen else timeout)


class ClockedLoop(asyncio.SelectorEventLoop):
    """Time passes as on the wall until `freeze`; then only by `advance`."""

    def __init__(self) -> None:
        self.hosted: Hosted | None = None
        self._stands_at: float | None = None
        self._ahead_s = 0.0
        self._wall_s = time.time() - time.monotonic()
        self._quiet: asyncio.Future[None] | None = None
        self._quiet_by = 0.0
        self._under_way = 0
        self._connections: list[asyncio.BaseTransport] = []
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    # ------------------------------------------------------------------ time

    def time(self) -> float:
        """Seconds of this loop's clock."""
        return time.monotonic() + self._ahead_s if self._stands_at is None else self._stands_at

    def wall(self) -> float:
        """Seconds since 1970 by this loop's clock."""
        return self.time() + self._wall_s

    @property
    def frozen(self) -> bool:
        return self._stands_at is not None

    def freeze(self) -> None:
        """Have time stand still. To be called on the loop."""
        if self._stands_at is None:
            self._stands_at = self.time()

    def thaw(self) -> None:
        """Let time pass again, from where it stands."""
        if self._stands_at is not None:
            self._ahead_s, self._stands_at = self._stands_at - time.monotonic(), None

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once: every timer that is due by then fires at its own moment, in order, and what
        follows from it happens before the next. Whether time stands still is as before. Raises ValueError."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"time cannot be advanced by {seconds} seconds")
        was_frozen = self.frozen
        self.freeze()
        assert self._stands_at is not None
        end = self._stands_at + seconds
        try:
            await self.settle()
            while (due := self._next_timer()) is not None and due <= end:
                self._stands_at = max(self._stands_at, due)
                await self.settle()
            self._stands_at = max(self._stands_at, end)
            await self.settle()
        finally:
            if not was_frozen:
                self.thaw()

    def _next_timer(self) -> float | None:
        """When the next timer fires that was not cancelled."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0].cancelled():
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
            heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined]
        return timers[0].when() if timers else None

    # ------------------------------------------------------------------ quiet

    async def settle(self, *, patience_s: float = OUTSIDE_PATIENCE_S) -> None:
        """Return when nothing happens here before time passes or somebody outside does something.

        ``patience_s``: how many real seconds what this side began outside is waited for.
        """
        while self._quiet is not None:
            await asyncio.shield(self._quiet)
        self._quiet, self._quiet_by = self.create_future(), time.monotonic() + patience_s
        try:
            await self._quiet
        finally:
            self._quiet = None

    @property
    def seeks_quiet(self) -> bool:
        return self._quiet is not None and not self._quiet.done()

    def is_quiet(self) -> bool:
        """Called when nothing is ready: whether nothing is under way either. Tells who waits for that."""
        assert self._quiet is not None
        self._connections = [one for one in self._connections if not one.is_closing()]
        if (self._under_way or self._connections) and time.monotonic() < self._quiet_by:
            return False
        self._quiet.set_result(None)
        return True

    def patience_s(self) -> float | None:
        """How long to wait in real seconds, None for as long as it takes, while time stands still."""
        return max(self._quiet_by - time.monotonic(), 0.0) if self.seeks_quiet else None

    async def _counted(self, work: Coroutine[Any, Any, T]) -> T:
        self._under_way += 1
        try:
            return await work
        finally:
            self._under_way -= 1

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self._under_way += 1
        future.add_done_callback(self._arrived)
        return future

    def _arrived(self, _: object) -> None:
        self._under_way -= 1

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        made = await self._counted(super().create_connection(*args, **options))
        self._connections.append(made[0])
        return made

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        made = await self._counted(super().subprocess_exec(*args, **options))
        self._connections.append(made[0])
        return made

    async def sock_connect(self, sock: Any, address: Any) -> None:
        await self._counted(super().sock_connect(sock, address))

    async def sock_recv(self, sock: Any, n: int) -> bytes:
        return await self._counted(super().sock_recv(sock, n))

    # ------------------------------------------------------------------ within another loop

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self.hosted is not None:
            self.hosted.wake()
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.hosted is not None:
            self.hosted.wake()
        return super().call_at(when, callback, *args, context=context)

    def turn(self) -> None:
        """Do what is ready, and wait for nothing."""
        self._run_once()  # type: ignore[attr-defined]

    def next_in_s(self) -> float | None:
        """Real seconds until there is something to do; None when nothing will happen by itself."""
        if self._ready:  # type: ignore[attr-defined]
            return 0.0
        due = None if self.frozen else self._next_timer()
        return None if due is None else max(due - self.time(), 0.0)

    def set_thread(self, ident: int | None) -> None:
        """Run by no `run_forever`, and yet running."""
        self._thread_id = ident


class Hosted:
    """Runs ``guest`` within the event loop that runs now, which may be of any kind, on the same thread."""

    guest: ClockedLoop
    host: asyncio.AbstractEventLoop

    def __init__(self, guest: ClockedLoop) -> None:
        self.guest, self.host = guest, asyncio.get_running_loop()
        self._inside = self._woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._fd: int | None = getattr(guest._selector, "fileno", lambda: None)()  # type: ignore[attr-defined]
        if self._fd is not None:
            self.host.add_reader(self._fd, self._pump)
        guest.hosted = self
        guest.set_thread(threading.get_ident())
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        if not self._inside and not self._woken:
            self._woken = True
            self.host.call_soon(self._pump)

    def _pump(self) -> None:
        """Give the guest its turns, then wait for what it waits for."""
        self._woken = False
        if self._inside or self.guest.hosted is not self:
            return
        self._inside = True
        hooks = sys.get_asyncgen_hooks()
        around = take_over(self.guest)
        try:
            sys.set_asyncgen_hooks(
                self.guest._asyncgen_firstiter_hook,  # type: ignore[attr-defined]
                self.guest._asyncgen_finalizer_hook,  # type: ignore[attr-defined]
            )
            for _ in range(TURNS_MAX):
                self.guest.turn()
                if self.guest.next_in_s() != 0.0:
                    break
        finally:
            sys.set_asyncgen_hooks(*hooks)
            give_back(around)
            self._inside = False
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pause_s = self.guest.next_in_s()
        if pause_s == 0.0:
            self.wake()
            return
        if self.guest.seeks_quiet:
            pause_s = 0.0 if pause_s is None else min(pause_s, LOOK_S)
            pause_s = max(pause_s, LOOK_S)
        if self._fd is None:
            pause_s = LOOK_S if pause_s is None else min(pause_s, LOOK_S)
        if pause_s is not None:
            self._timer = self.host.call_later(pause_s, self._pump)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` comes to on the guest. Who is cancelled waits until that has ended."""
        done = asyncio.Event()
        task = self.guest.create_task(work)
        task.add_done_callback(lambda _: done.set())
        try:
            await done.wait()
        except asyncio.CancelledError:
            task.cancel()
            await done.wait()
            if not task.cancelled():
                task.exception()  # so that nobody complains that it was not looked at
            raise
        return task.result()

    def end(self) -> None:
        """Run the guest no more."""
        self.guest.hosted = None
        self.guest.set_thread(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._fd is not None:
            self.host.remove_reader(self._fd)
