"""The leader loop: what a server does while it leads, and nothing of it while it does not.

Leadership comes through Raft's ordered, lossless notifications. A loss stops the running loop and waits until it has
ended before the next notification is looked at, so two loops never run together however fast leadership flaps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from proconsul.engine.supervision import Died, supervised

log = logging.getLogger("agent.server")

RECONCILE_INTERVAL_S = 60.0
# After a failure to establish leadership the loop tries again this much later.
RETRY_S = 5.0
# Members whose changes wait for the leader; beyond that the periodic full reconcile catches up.
CHANGES_MAX = 256


class Duties(Protocol):
    """The work of a leader, in the order the loop calls it."""

    async def barrier(self) -> None:
        """Return when every entry of earlier terms is applied here. Raises when leadership is gone."""

    async def establish(self) -> None:
        """Start the leader-only services. Raises to give up leadership for now."""

    def revoke(self) -> Awaitable[None]:
        """Stop them and wait for their end. Called after every establish, also a failed one."""

    async def reconcile(self) -> bool:
        """Bring the whole catalog in line with the members. False when that is worth another try soon."""

    async def reconcile_member(self, member: object) -> bool:
        """Bring one member's catalog entry in line. As `reconcile`."""


class LeaderLoop:
    """Runs `Duties` from gain to loss. ``notifications`` yields True for a gain and False for a loss.

    ``died`` hears of an exception that ends the loop.
    """

    def __init__(self, duties: Duties, next_notification: Callable[[], Awaitable[bool]], died: Died) -> None:
        self._duties, self._died = duties, died
        self._next = next_notification
        self._changes: asyncio.Queue[object] = asyncio.Queue(CHANGES_MAX)
        self._reassert = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    def member_changed(self, member: object) -> None:
        """A member changed; handled by the loop once the first full reconcile is done."""
        if self._loop_task is not None and not self._changes.full():
            self._changes.put_nowait(member)

    def reassert(self) -> None:
        """The state was replaced by a snapshot: revoke and establish again without losing leadership."""
        self._reassert.set()

    async def monitor(self) -> None:
        """Follow leadership until cancelled."""
        try:
            while True:
                if await self._next():
                    if self._loop_task is not None:
                        log.error("attempted to start the leader loop while running")
                        continue
                    self._loop_task = supervised(self._lead(), self._died)
                    log.info("cluster leadership acquired")
                elif self._loop_task is None:
                    log.error("attempted to stop the leader loop while not running")
                else:
                    await self._stop()
                    log.info("cluster leadership lost")
        finally:
            await self._stop()

    async def _stop(self) -> None:
        task, self._loop_task = self._loop_task, None
        if task is None:
            return
        log.debug("shutting down leader loop")
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    async def _lead(self) -> None:
        self._changes = asyncio.Queue(CHANGES_MAX)
        try:
            while True:
                try:
                    await self._lead_once()
                except asyncio.CancelledError:
                    raise
                except Exception as error:
                    log.error("failed to establish leadership: error=%s", error)
                    await self._duties.revoke()
                    await asyncio.sleep(RETRY_S)
                else:
                    await self._duties.revoke()
        finally:
            await self._duties.revoke()

    async def _lead_once(self) -> None:
        """From barrier to the next reassertion."""
        self._reassert.clear()
        await self._duties.barrier()
        await self._duties.establish()
        while not self._reassert.is_set():
            good = await self._tried("failed to reconcile", self._duties.reconcile())
            await self._serve_changes(RECONCILE_INTERVAL_S if good else RETRY_S)

    async def _serve_changes(self, seconds: float) -> None:
        """Handle member changes one by one until the next full reconcile is due; soon, when one has failed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        reassert = asyncio.ensure_future(self._reassert.wait())
        change = asyncio.ensure_future(self._changes.get())
        try:
            while (left := until - loop.time()) > 0 and not self._reassert.is_set():
                await asyncio.wait({change, reassert}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if change.done():
                    member = change.result()
                    change = asyncio.ensure_future(self._changes.get())
                    if not await self._tried("failed to reconcile member", self._duties.reconcile_member(member)):
                        until = min(until, loop.time() + RETRY_S)
        finally:
            change.cancel()
            reassert.cancel()

    @staticmethod
    async def _tried(failure: str, duty: Awaitable[bool]) -> bool:
        try:
            return await duty
        except Exception as error:
            log.error("%s: error=%s", failure, error)
            return False
