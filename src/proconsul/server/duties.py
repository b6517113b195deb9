"""What a leader does from time to time: each duty begins with leadership, ends with it, and is ticked meanwhile.

A new duty is a class like these and a line in `Leadership`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from proconsul.features.kv.model import TombstoneRequest
from proconsul.features.kv.state import TombstoneMade
from proconsul.features.messages import MessageType
from proconsul.features.session.model import DESTROY, Session, SessionRequest
from proconsul.features.session.state import SessionEnded, SessionStarted
from proconsul.features.state import State
from proconsul.server.session_timers import SessionTimers
from proconsul.server.tombstones import TombstoneGC

log = logging.getLogger("agent.server")

Propose = Callable[[MessageType, Any], asyncio.Future[Any]]
# By the kind of effect: what to do when an applied command had it, with the effect and the time.
Effects = Mapping[type[Any], Callable[[Any, float], None]]
NO_EFFECTS: Effects = {}


class Duty(Protocol):
    """Leader-only work over deadlines. Times are of the server's monotonic clock, in seconds.

    effects: what it wants to hear of applied commands while this server leads.
    """

    effects: Effects

    def begin(self, now: float, index: int) -> None:
        """This server leads: start with nothing known from earlier. ``index``: the newest of the log."""

    def tick(self, now: float) -> None:
        """Do what is due."""

    def end(self) -> None:
        """It leads no more: forget everything."""


class SessionExpiry:
    """Sessions whose TTL is over are destroyed through Raft."""

    def __init__(self, state: State, propose: Propose, clock: Callable[[], float], datacenter: str,
                 ttl_min_s: float) -> None:  # fmt: skip
        self._state, self._propose, self._clock, self._datacenter = state, propose, clock, datacenter
        self.deadlines = SessionTimers(ttl_min_s)
        self.effects: Effects = {
            SessionStarted: lambda effect, now: self.deadlines.start(effect.session, now),
            SessionEnded: lambda effect, now: self.deadlines.stop(effect.session_id),
        }

    def begin(self, now: float, index: int) -> None:
        """A new leader knows no deadlines: every session gets its full TTL again."""
        for session in self._state.sessions.sessions.all():
            self.deadlines.start(session, now)

    def tick(self, now: float) -> None:
        """See `Duty`."""
        for session_id in self.deadlines.expire(now):
            log.debug("Session TTL expired: session=%s", session_id)
            request = SessionRequest(Datacenter=self._datacenter, Op=DESTROY, Session=Session(ID=session_id))
            future = self._propose(MessageType.SESSION, request)
            future.add_done_callback(partial(self._destroyed, session_id))

    def _destroyed(self, session_id: str, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self.deadlines.destroy_failed(session_id, self._clock())

    def end(self) -> None:
        """See `Duty`."""
        self.deadlines.clear()


class TombstoneReaping:
    """Deletions that are old enough are forgotten. ``reaped`` hears when each reap was begun."""

    def __init__(self, propose: Propose, datacenter: str, reaped: Callable[[float], None]) -> None:
        self._propose, self._datacenter, self._reaped = propose, datacenter, reaped
        self._gc = TombstoneGC()
        self.effects: Effects = {TombstoneMade: lambda effect, now: self._gc.hint(effect.at, now)}

    def begin(self, now: float, index: int) -> None:
        """See `Duty`."""
        self._gc.enable(index, now)

    def tick(self, now: float) -> None:
        """See `Duty`."""
        index = self._gc.due(now)
        if index:
            request = TombstoneRequest(Datacenter=self._datacenter, ReapIndex=index)
            self._propose(MessageType.TOMBSTONE, request).add_done_callback(partial(self._done, now))

    def _done(self, began: float, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:  # else the next leader reaps
            self._reaped(began)

    def end(self) -> None:
        """See `Duty`."""
        self._gc.disable()


class Periodic:
    """``work`` every ``period_s`` seconds."""

    effects = NO_EFFECTS

    def __init__(self, work: Callable[[], None], period_s: float) -> None:
        self._work, self._period_s = work, period_s
        self._last = 0.0

    def begin(self, now: float, index: int) -> None:
        """Nothing: what has come together before is not older than a period."""

    def tick(self, now: float) -> None:
        """See `Duty`."""
        if now - self._last >= self._period_s:
            self._last = now
            self._work()

    def end(self) -> None:
        """Nothing is kept."""
