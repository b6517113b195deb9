"""The last events that a core was given, for the log when it crashes.

Kept as references and only formatted then. What carries clients' data is cut down to its shape at once: the ring must
neither hold megabytes nor print secrets.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from proconsul.engine.raft.events import Event, Propose, Received, SnapshotStored
from proconsul.engine.raft.messages import AppendEntriesRequest, InstallSnapshotRequest

__all__ = ["EVENTS_MAX", "RecentEvents"]

# Enough for what led to a fault: some heartbeat rounds, or some batches of writes.
EVENTS_MAX = 64


# Events which carry clients' data.
_CARRIERS = frozenset((Propose, Received, SnapshotStored))


class RecentEvents:
    """A ring of (seconds, event). Times are the core's."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring: deque[tuple[float, Any]] = deque(maxlen=EVENTS_MAX)

    def add(self, event: Event, now: float) -> None:
        """The core is about to handle this."""
        self._ring.append((now, _shape(event) if type(event) in _CARRIERS else event))

    def lines(self, now: float) -> list[str]:
        """One line for each event, oldest first: how long before ``now`` in seconds, and what it was."""
        return [f"{time - now:+.6f}s {_text(event)}" for time, event in self._ring]


def _text(event: object) -> str:
    return " ".join(map(str, event)) if isinstance(event, tuple) else str(event)


def _shape(event: Event) -> object:
    if isinstance(event, Propose):
        return ("Propose", len(event.proposals), "proposals")
    if isinstance(event, SnapshotStored):
        request = event.request
        return ("SnapshotStored", event.request_id, "index", request.last_log_index, "term", request.last_log_term)
    if not isinstance(event, Received):
        return event
    message = event.message
    if isinstance(message, AppendEntriesRequest):
        return (
            "Received", event.request_id, "AppendEntries term", message.term, "from", message.id, "after",
            message.prev_log_entry, message.prev_log_term, "commit", message.leader_commit_index,
            "entries", len(message.entries or ()),
        )  # fmt: skip
    if isinstance(message, InstallSnapshotRequest):
        return (
            "Received", event.request_id, "InstallSnapshot term", message.term, "from", message.id,
            "index", message.last_log_index, "size", message.size,
        )  # fmt: skip
    return event
