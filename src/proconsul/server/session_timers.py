"""Session TTL deadlines: the leader's memory only, never in the log.

A deadline is the TTL doubled (the grace of Chubby's sessions, after Burrows 2006 section 2.8): a session never
ends before its TTL and may live up to twice as long. Creating and renewing give a full TTL again, and so does every
change of leader, because a new leader knows nothing of the deadlines of the old one.
"""

from __future__ import annotations

import heapq

from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.features.base import SECOND_NS
from proconsul.features.session.model import TTL_MULTIPLIER, Session

# Destroying an expired session is tried this often, waiting 10 s, 20 s, 40 s, ... between the tries
# (Consul: invalidateSession).
DESTROY_ATTEMPTS_MAX = 6
DESTROY_RETRY_BASE_S = 10.0


def ttl_s(session: Session) -> float:
    """The session's TTL in seconds, 0 when it has none."""
    if not session.TTL:
        return 0.0
    try:
        return parse_duration(session.TTL) / SECOND_NS
    except DurationError:
        return 0.0


class SessionTimers:
    """A heap of deadlines. Renewing only moves the deadline; stale heap entries are put right when they come up."""

    def __init__(self, ttl_min_s: float = 10.0) -> None:
        self.ttl_min_s = ttl_min_s
        self._deadlines: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._deadlines)

    def start(self, session: Session, now: float) -> None:
        """Give ``session`` a full TTL from ``now``; sessions without TTL have no deadline."""
        ttl = ttl_s(session)
        if ttl <= 0:
            return
        self._failures.pop(session.ID, None)
        self._set(session.ID, now + max(ttl, self.ttl_min_s) * TTL_MULTIPLIER)

    def _set(self, session_id: str, deadline: float) -> None:
        known = self._deadlines.get(session_id)
        self._deadlines[session_id] = deadline
        if known is None or deadline < known:
            heapq.heappush(self._heap, (deadline, session_id))

    def stop(self, session_id: str) -> None:
        self._deadlines.pop(session_id, None)
        self._failures.pop(session_id, None)

    def clear(self) -> None:
        """Forget everything: this server leads no more."""
        self._deadlines.clear()
        self._failures.clear()
        self._heap.clear()

    def remaining_s(self, session_id: str, now: float) -> float | None:
        deadline = self._deadlines.get(session_id)
        return None if deadline is None else deadline - now

    def next_deadline(self) -> float | None:
        """When `expire` has work to do next."""
        while self._heap:
            at, session_id = self._heap[0]
            deadline = self._deadlines.get(session_id)
            if deadline == at:
                return at
            heapq.heappop(self._heap)
            if deadline is not None and deadline > at:
                heapq.heappush(self._heap, (deadline, session_id))
        return None

    def expire(self, now: float) -> list[str]:
        """Sessions whose deadline has passed; the caller destroys them through Raft."""
        expired = []
        while (at := self.next_deadline()) is not None and at <= now:
            _, session_id = heapq.heappop(self._heap)
            del self._deadlines[session_id]
            expired.append(session_id)
        return expired

    def destroy_failed(self, session_id: str, now: float) -> None:
        """Try again later, a bounded number of times."""
        failures = self._failures.get(session_id, 0) + 1
        if failures >= DESTROY_ATTEMPTS_MAX:
            self._failures.pop(session_id, None)
            return
        self._failures[session_id] = failures
        self._set(session_id, now + DESTROY_RETRY_BASE_S * 2 ** (failures - 1))
