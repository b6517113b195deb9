"""What a leader knows about one follower."""

from __future__ import annotations

from enum import Enum

__all__ = ["Progress", "ProgressState"]

INFINITE = float("inf")


class ProgressState(Enum):
    """PROBE: one request at a time until the logs match. PIPELINE: many. SNAPSHOT: wait for its restore."""

    PROBE = "probe"
    PIPELINE = "pipeline"
    SNAPSHOT = "snapshot"


class Progress:
    """``match``: highest index known to be on the follower's disk. ``next``: next index to send.

    ``epoch_seq``: answers to sends before it belong to an abandoned pipeline; their successes still count, their
    failures do not. ``acked_seq``: newest send the follower accepted us as leader for (read index, lease).
    """

    __slots__ = (
        "acked_seq",
        "commit_due",
        "contact",
        "epoch_seq",
        "failures",
        "heartbeat_at",
        "heartbeat_out",
        "inflight",
        "match",
        "next",
        "rejections",
        "retry_at",
        "sent_commit",
        "state",
    )

    def __init__(self, next_index: int, now: float) -> None:
        self.match = 0
        self.next = next_index
        self.state = ProgressState.PROBE
        self.inflight = 0
        self.epoch_seq = 0
        self.acked_seq = 0
        self.contact = now
        self.heartbeat_at = now
        self.heartbeat_out = -INFINITE
        self.commit_due = now
        self.retry_at = now
        self.failures = 0
        self.rejections = 0
        self.sent_commit = 0

    def restart(self, state: ProgressState, epoch_seq: int) -> None:
        """Abandon what is in flight."""
        self.state = state
        self.inflight = 0
        self.epoch_seq = epoch_seq
        self.sent_commit = 0
