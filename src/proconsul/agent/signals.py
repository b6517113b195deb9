"""What signals do to an agent: reload, leave, shutdown, metrics on standard error, with Consul's exit codes.

They are taken from the first turn of the event loop on, so at any moment of a start: a reload waits until the agent
runs, an end ends the start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import Any, Protocol

from proconsul import early_signals
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.telemetry.metrics import Metrics

log = logging.getLogger("agent")

# A graceful leave that takes longer than this ends the process with an error (Consul: gracefulTimeout).
GRACEFUL_TIMEOUT_S = 15.0
# To unpack a state takes a thread seconds, and it cannot be interrupted.
START_ENDS_S = 1.0
# A process that was told to end and has not done so after this is stuck in a disk or a resolver that does not answer.
# Whatever it has acknowledged is on the disk.
SHUTDOWN_TIMEOUT_S = 30.0


class Signalled(Protocol):
    """What signals need of an agent."""

    @property
    def config(self) -> RuntimeConfig: ...

    @property
    def metrics(self) -> Metrics: ...

    @property
    def exit_code(self) -> asyncio.Future[int]: ...

    async def reload(self) -> None: ...

    async def leave(self) -> None: ...


class Signals:
    """Turns signals into what the agent does. To be made on the event loop."""

    def __init__(self, agent: Signalled, *, running: bool = True) -> None:
        """``running``: whether the agent has started already; else `start` does it."""
        self._agent = agent
        self._running = running
        self.code = 1
        # A start that was told to end and is on a thread that cannot be interrupted: nobody should wait for it.
        self.start_goes_on = False
        self._leaving: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._reload_due = getattr(signal, "SIGHUP", None) in early_signals.pending
        loop = self._loop = asyncio.get_running_loop()
        if not hasattr(signal, "SIGHUP"):
            for number in (signal.SIGINT, getattr(signal, "SIGBREAK", signal.SIGTERM)):
                signal.signal(number, self._interrupted)
            return
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGINT, self._terminate, signal.SIGINT)
        loop.add_signal_handler(signal.SIGTERM, self._terminate, signal.SIGTERM)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        loop.add_signal_handler(signal.SIGUSR1, self._dump_metrics)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        """Windows: called between two steps of whatever runs, so the loop is told as from another thread."""
        self._loop.call_soon_threadsafe(self._terminate, signal.Signals(number))

    async def start(self, starting: Coroutine[Any, Any, None]) -> bool:
        """Have the agent start. False when it was told to end meanwhile. Raises what ``starting`` raises."""
        task = asyncio.ensure_future(starting)
        either: set[asyncio.Future[Any]] = {task, self._agent.exit_code}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            self.start_goes_on = not (await asyncio.wait({task}, timeout=START_ENDS_S))[0]
            return False
        await task
        self._running = True
        if self._reload_due:
            self._reload()
        return True

    async def wait(self) -> int:
        """Wait until the agent should end; the exit code."""
        self.code = await self._agent.exit_code
        return self.code

    async def stop(self) -> None:
        """Nothing is reloaded any more. The process ends from here on in bounded time, whatever it waits for."""
        self._running = False
        watchdog = threading.Timer(SHUTDOWN_TIMEOUT_S, self._give_up)
        watchdog.daemon = True
        watchdog.start()
        if self._reloading is not None:
            self._reloading.cancel()
            await asyncio.gather(self._reloading, return_exceptions=True)

    def _give_up(self) -> None:
        log.error("shutdown did not end in time: timeout=%gs", SHUTDOWN_TIMEOUT_S)
        os._exit(self.code or 1)

    # ------------------------------------------------------------------ reload

    def _reload(self) -> None:
        """Reload, one at a time. Any number of signals that come meanwhile are one more reload."""
        log.info("Caught: signal=hangup")
        self._reload_due = True
        if self._running and (self._reloading is None or self._reloading.done()):
            self._reloading = asyncio.ensure_future(self._reload_while_due())

    async def _reload_while_due(self) -> None:
        while self._reload_due and self._running:
            self._reload_due = False
            log.info("Reloading configuration...")
            try:
                await self._agent.reload()
            except Exception as error:
                log.error("Reload config failed: error=%s", error)

    # ------------------------------------------------------------------ end

    def _terminate(self, number: signal.Signals) -> None:
        """Leave gracefully when configured for this signal; a second signal ends at once."""
        log.info("Caught: signal=%s", "interrupt" if number == signal.SIGINT else "terminated")
        config = self._agent.config.reloadable
        graceful = not config.skip_leave_on_interrupt if number == signal.SIGINT else config.leave_on_terminate
        if not graceful or not self._running or self._leaving is not None:
            self._finish(1)
            return
        log.info("Gracefully shutting down agent...")
        self._leaving = asyncio.ensure_future(self._leave())

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(GRACEFUL_TIMEOUT_S):
                await self._agent.leave()
        except Exception as error:
            log.error("Error on leave: error=%s", error)
            self._finish(1)
        else:
            self._finish(0)

    def _finish(self, code: int) -> None:
        if not self._agent.exit_code.done():
            self._agent.exit_code.set_result(code)

    def _dump_metrics(self) -> None:
        latest = self._agent.metrics.latest()
        for gauge in latest["Gauges"]:
            print(f"[{latest['Timestamp']}][G] '{gauge['Name']}': {gauge['Value']:.3f}", file=sys.stderr)
        for mark, name in (("C", "Counters"), ("S", "Samples")):
            for item in latest[name]:
                text = f"'{item['Name']}': Count: {item['Count']} Sum: {item['Sum']:.3f}"
                print(f"[{latest['Timestamp']}][{mark}] {text}", file=sys.stderr)
