"""Settings of one Raft node. Names and defaults are Consul's; times are seconds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RaftConfig"]


@dataclass(frozen=True, slots=True)
class RaftConfig:
    """Timing and limits.

    heartbeat_timeout_s: a follower without contact for this long (randomised to twice) seeks an election.
    election_timeout_s: a candidate without a result for this long (randomised to twice) tries again.
    leader_lease_timeout_s: a leader that did not reach a quorum for this long steps down; at most heartbeat_timeout_s.
    commit_timeout_s: how late an idle follower learns of a commit, and half of how long it hears nothing of the leader
        (hashicorp/raft: CommitTimeout). Not scaled: autopilot takes servers for unhealthy that hear nothing for 200 ms.
    append_entries_max: entries in one AppendEntries; 64 in hashicorp/raft.
    inflight_max: unanswered AppendEntries to one follower; 128 in hashicorp/raft 1.1.
    pre_vote: ask before raising the term, so a server coming back does not disturb the cluster.
    snapshot_interval_s, snapshot_threshold: every interval, snapshot if this many entries came since the last one.
    trailing_logs: entries kept behind a snapshot, so a slow follower needs no snapshot.
    snapshots_retained: how many snapshots are kept, the newest first; 2 in Consul.
    storage_retry_s: how often a disk that refused a write is tried again.
    storage_stall_s: a server whose disk has not answered a write for this long does not lead. A disk that hangs
        reports nothing, while heartbeats, which need none, would keep its leader in office.
    cache_entries: recent entries kept in memory for followers; 512 in Consul.
    """

    heartbeat_timeout_s: float = 1.0
    election_timeout_s: float = 1.0
    leader_lease_timeout_s: float = 0.5
    commit_timeout_s: float = 0.05
    append_entries_max: int = 64
    inflight_max: int = 128
    pre_vote: bool = True
    snapshot_interval_s: float = 30.0
    snapshot_threshold: int = 16384
    trailing_logs: int = 10240
    snapshots_retained: int = 2
    cache_entries: int = 512
    storage_retry_s: float = 1.0
    storage_stall_s: float = 10.0

    def __post_init__(self) -> None:
        if self.leader_lease_timeout_s > self.heartbeat_timeout_s:
            # A leader must notice isolation before its followers elect another one.
            raise ValueError("leader lease timeout must not exceed the heartbeat timeout")
        if self.election_timeout_s < self.heartbeat_timeout_s:
            raise ValueError("election timeout must not be less than the heartbeat timeout")
        if min(self.append_entries_max, self.inflight_max, self.snapshots_retained) < 1 or self.commit_timeout_s <= 0:
            raise ValueError("raft limits must be positive")

    @property
    def heartbeat_interval_s(self) -> float:
        """A leader's heartbeat period: a tenth of the timeout, as in hashicorp/raft."""
        return self.heartbeat_timeout_s / 10

    @property
    def idle_interval_s(self) -> float:
        """How long a leader with nothing to say leaves a follower alone, at the least."""
        return min(self.heartbeat_interval_s, self.commit_timeout_s)

    @classmethod
    def dev(cls) -> RaftConfig:
        """The quick timing of ``agent -dev``."""
        return cls(heartbeat_timeout_s=0.035, election_timeout_s=0.052, leader_lease_timeout_s=0.020)
