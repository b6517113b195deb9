"""When tombstones may be reaped: a leader-only clock over Raft indexes.

Deletions are remembered for 15 minutes so that list indexes never go back for any watcher in that time. Indexes are
grouped in buckets of 30 s so that a busy delete load costs one reap per bucket.
"""

from __future__ import annotations

from collections import deque

TTL_S = 15 * 60.0
GRANULARITY_S = 30.0


class TombstoneGC:
    """Buckets of (expiry, newest index). Off until a leader enables it."""

    def __init__(self, ttl_s: float = TTL_S, granularity_s: float = GRANULARITY_S) -> None:
        self._ttl_s = ttl_s
        self._granularity_s = granularity_s
        self._buckets: deque[tuple[float, int]] = deque()
        self.enabled = False

    def enable(self, index: int, now: float) -> None:
        """Start, with everything up to ``index`` due after one TTL: older buckets died with the last leader."""
        self.enabled = True
        if index:
            self.hint(index, now)

    def disable(self) -> None:
        self.enabled = False
        self._buckets.clear()

    def hint(self, index: int, now: float) -> None:
        """A tombstone was made at ``index``."""
        if not self.enabled:
            return
        expires = now + self._ttl_s
        # Round up to the bucket's end: a tombstone is never reaped early.
        expires += -expires % self._granularity_s
        if self._buckets and self._buckets[-1][0] == expires:
            self._buckets[-1] = (expires, max(index, self._buckets[-1][1]))
        else:
            self._buckets.append((expires, index))

    def due(self, now: float) -> int:
        """The newest index whose tombstones may go, 0 when there is none."""
        index = 0
        while self._buckets and self._buckets[0][0] <= now:
            index = max(index, self._buckets.popleft()[1])
        return index
