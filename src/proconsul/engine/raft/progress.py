"""What a leader knows about one follower, and every way in which that changes.

The states are those of etcd/raft's tracker. A follower begins in PROBE; an accepted append brings it to REPLICATE; a
refusal or a failed send back to PROBE; a follower that needs what the log no longer holds waits in SNAPSHOT until the
snapshot was taken in or failed, and then begins in PROBE again.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["INFINITE", "Progress", "ProgressState"]

INFINITE = float("inf")
# First delay after a failed RPC, doubled each time (hashicorp/raft: 10 ms). The cap is one heartbeat timeout, so a
# follower that comes back is caught up before it would be missed.
FAILURE_WAIT_S = 0.010
# Failures beyond this many do not make the delay longer, whatever the cap.
FAILURES_MAX = 16
# After this many refusals in a row the leader steps back by powers of two up to this distance.
BACK_OFF_MAX = 64


class ProgressState(Enum):
    """PROBE: one append at a time until the logs match. REPLICATE: many. SNAPSHOT: wait for its restore."""

    PROBE = "probe"
    REPLICATE = "replicate"
    SNAPSHOT = "snapshot"


class Progress:
    """One follower. Read the fields freely; change them only through the methods. Times are the core's seconds.

    match: highest index known to be on the follower's disk.
    next: next index to send.
    state: see `ProgressState`.
    inflight: appends of the present epoch that are not answered.
    epoch_seq: answers to sends before it belong to what was abandoned; their successes count, their failures do not.
    acked_seq: newest send for which the follower accepted us as leader (read index).
    contact: when the newest answered send was sent (lease).
    heartbeat_at, heartbeat_out: when the next heartbeat is due; when the unanswered one was sent, or -INFINITE.
    commit_due: when an idle follower must be told the commit index.
    retry_at: nothing but heartbeats is sent before it.
    failures, rejections: failed sends, refused appends in a row; they set the delay and the step back.
    sent_commit: the commit index it was told last.
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

    def __str__(self) -> str:
        said = [self.state.value, f"match={self.match}", f"next={self.next}", f"inflight={self.inflight}"]
        for name in ("rejections", "failures"):
            if getattr(self, name):
                said.append(f"{name}={getattr(self, name)}")
        said += [f"acked={self.acked_seq}", f"epoch={self.epoch_seq}", f"contact={self.contact:.3f}"]
        if self.failures:
            said.append(f"retry_at={self.retry_at:.3f}")
        return " ".join(said)

    def check(self, last_index: int, inflight_max: int) -> None:
        """The invariants, for a leader whose log ends at ``last_index``. AssertionError names the broken one."""
        assert 0 <= self.match < self.next, f"next is not behind match: {self}"
        assert self.next <= last_index + 1, f"next lies behind the log's end {last_index}: {self}"
        window = {ProgressState.PROBE: 1, ProgressState.REPLICATE: inflight_max, ProgressState.SNAPSHOT: 0}[self.state]
        assert 0 <= self.inflight <= window, f"more than {window} in flight: {self}"
        assert self.failures >= 0 and self.rejections >= 0, f"negative count: {self}"

    # -- what may be sent ----------------------------------------------------------------------------------------------

    def has_room(self, inflight_max: int, now: float) -> bool:
        """Whether an append may be sent now."""
        if self.state is ProgressState.SNAPSHOT or now < self.retry_at:
            return False
        return self.inflight < (1 if self.state is ProgressState.PROBE else inflight_max)

    def append_sent(self, last_index: int, commit: int, commit_due: float) -> None:
        """An append up to ``last_index`` was sent; it told the commit index. While probing, it may be sent again."""
        self.inflight += 1
        self.sent_commit = commit
        self.commit_due = commit_due
        if self.state is ProgressState.REPLICATE:
            self.next = last_index + 1

    def heartbeat_sent(self, now: float, next_at: float) -> None:
        """A heartbeat was sent; the next one is due at ``next_at``."""
        self.heartbeat_out = now
        self.heartbeat_at = next_at

    def tell_commit_by(self, commit: int, due: float) -> None:
        """It must know the commit index ``commit`` by ``due``, unless it was told."""
        if self.sent_commit < commit:
            self.commit_due = min(self.commit_due, due)

    # -- answers -------------------------------------------------------------------------------------------------------

    def heard(self, sent_at: float) -> None:
        """It answered what was sent at ``sent_at``."""
        self.contact = max(self.contact, sent_at)

    def heartbeat_ended(self) -> None:
        """The heartbeat was answered, or failed."""
        self.heartbeat_out = -INFINITE

    def acknowledge(self, seq: int) -> bool:
        """It accepted us as leader for the send ``seq``. True if that is news."""
        if seq <= self.acked_seq:
            return False
        self.acked_seq = seq
        return True

    def append_answered(self, seq: int) -> bool:
        """An append was answered. True if it belongs to the present epoch."""
        current = seq >= self.epoch_seq
        if current and self.inflight:
            self.inflight -= 1
        return current

    def accepted(self, last_index: int, current: bool) -> bool:
        """Its log matches ours up to ``last_index``. True if more of it is on its disk than we knew."""
        self.rejections = 0
        if current and self.state is ProgressState.PROBE:
            self.state = ProgressState.REPLICATE
        return self._matches(last_index)

    def _matches(self, index: int) -> bool:
        if index <= self.match:
            return False
        self.match = index
        self.next = max(self.next, index + 1)
        return True

    def rejected(self, prev_index: int, follower_last: int, epoch_seq: int, now: float) -> None:
        """It has another entry, or none, at ``prev_index``, and its log ends at ``follower_last``: step back."""
        step = min(2**self.rejections, BACK_OFF_MAX)
        self.rejections += 1
        lower = min(prev_index + 1 - step, follower_last + 1)
        if follower_last < self.match:
            # It has lost what it once acknowledged (its disk was replaced): start over.
            self.match = 0
        self.next = max(lower, self.match + 1, 1)
        self.become_probe(epoch_seq)
        self.retry_at = now

    def append_failed(self, prev_index: int) -> None:
        """An append behind ``prev_index`` got no answer: what followed it has to be sent again."""
        self.next = max(self.match + 1, min(self.next, prev_index + 1))

    def delay(self, now: float, longest_s: float) -> None:
        """Leave it alone for a while, twice as long each time."""
        self.failures = min(self.failures + 1, FAILURES_MAX)
        self.retry_at = now + min(FAILURE_WAIT_S * 2 ** (self.failures - 1), longest_s)

    # -- states --------------------------------------------------------------------------------------------------------

    def become_probe(self, epoch_seq: int) -> None:
        """Abandon what is in flight; sends from ``epoch_seq`` on count."""
        self._restart(ProgressState.PROBE, epoch_seq)

    def become_snapshot(self, epoch_seq: int) -> None:
        """Abandon what is in flight; a snapshot is on its way with the number ``epoch_seq``."""
        self._restart(ProgressState.SNAPSHOT, epoch_seq)

    def snapshot_ended(self, installed_index: int | None, epoch_seq: int, now: float) -> None:
        """The snapshot up to ``installed_index`` was taken in, or it was refused (None)."""
        self.become_probe(epoch_seq)
        if installed_index is not None:
            self.failures = 0
            self.match = max(self.match, installed_index)
            self.next = self.match + 1
            self.retry_at = now

    def needs_snapshot_at(self, index: int) -> None:
        """The leader's log was replaced by a snapshot at ``index``: nothing before it can be sent."""
        self.next = min(self.next, index)

    def _restart(self, state: ProgressState, epoch_seq: int) -> None:
        self.state = state
        self.inflight = 0
        self.epoch_seq = epoch_seq
        self.sent_commit = 0
