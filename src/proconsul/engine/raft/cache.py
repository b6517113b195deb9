"""Recent log entries in memory: for applying without reading the disk and for followers that keep up."""

from __future__ import annotations

from collections.abc import Sequence

from proconsul.engine.raft.messages import LogEntry

# Data kept for followers besides what is not yet applied: 64 entries of the largest chunk.
CACHE_BYTES_MAX = 32 * 1024 * 1024
# An entry costs its receiver as much work as so much data.
ENTRY_BYTES = 1024


class EntryCache:
    """A contiguous window at the end of the log. ``trim`` bounds it; what it lost is read from the log store."""

    def __init__(self, entries_max: int, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._entries: list[LogEntry] = []
        self._first = 1
        self._bytes = 0
        # All that was ever put here, with ENTRY_BYTES for each entry.
        self.appended_bytes = 0
        self._entries_max = entries_max
        self._bytes_max = bytes_max

    def put(self, entries: Sequence[LogEntry]) -> None:
        """Add entries; they replace any suffix with the same or a higher index."""
        index = entries[0].index
        kept = index - self._first
        if not self._entries or kept < 0 or kept > len(self._entries):
            self._entries = []
            self._first = index
            self._bytes = 0
        elif kept < len(self._entries):
            self._bytes -= sum(len(e.data) for e in self._entries[kept:])
            del self._entries[kept:]
        self._entries.extend(entries)
        added = sum(len(entry.data) for entry in entries)
        self._bytes += added
        self.appended_bytes += added + ENTRY_BYTES * len(entries)

    def get(self, first: int, last: int) -> Sequence[LogEntry]:
        """Entries ``first .. last`` as far as the window has them from ``first`` on; empty if it does not."""
        start = first - self._first
        if start < 0:
            return ()
        return self._entries[start : last - self._first + 1]

    def trim(self, keep_from: int) -> None:
        """Forget entries before ``keep_from`` beyond the bounds. Called often, so it works in large steps."""
        if len(self._entries) <= 2 * self._entries_max and self._bytes <= self._bytes_max:
            return
        count = max(len(self._entries) - self._entries_max, 0)
        if self._bytes > self._bytes_max:
            count = len(self._entries)
        count = min(count, max(keep_from - self._first, 0))
        self._bytes -= sum(len(e.data) for e in self._entries[:count])
        del self._entries[:count]
        self._first += count

    def clear(self) -> None:
        """Forget all."""
        self._entries = []
        self._bytes = 0
