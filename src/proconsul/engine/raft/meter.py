"""Times and counts of consensus under the names Consul's operators know (Consul docs: telemetry, raft.*)."""

from __future__ import annotations

from collections import deque

from proconsul.engine.meters import Meters
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    InstallSnapshotRequest,
    Request,
    RequestVoteRequest,
)

_STATES = {
    Role.FOLLOWER: "raft.state.follower",
    Role.CANDIDATE: "raft.state.candidate",
    Role.LEADER: "raft.state.leader",
}


class RaftMeter:
    """Fed by the driver; ``now`` are seconds of its event loop."""

    def __init__(self, meters: Meters) -> None:
        self.meters = meters
        self._role: Role | None = None
        # Batches of proposals by their last index, writes by their number: when they began.
        self._proposed: deque[tuple[int, float]] = deque()
        self._written: deque[tuple[int, float]] = deque()

    def role(self, role: Role) -> None:
        """What the server is now."""
        if role is not self._role:
            if self._role is Role.FOLLOWER and role is not Role.LEADER:
                self.meters.count("raft.transition.heartbeat_timeout")
            if role is not Role.LEADER:
                self._proposed.clear()
            self._role = role
            name = _STATES.get(role)
            if name is not None:
                self.meters.count(name)

    def proposed(self, count: int, last_index: int, now: float) -> None:
        """A leader appended ``count`` commands."""
        self.meters.count("raft.apply", count)
        self.meters.gauge("raft.leader.dispatchNumLogs", count)
        self._proposed.append((last_index, now))

    def committed(self, last_index: int, count: int, now: float) -> None:
        """``count`` entries up to ``last_index`` are known to be committed."""
        if self._role is Role.LEADER:
            self.meters.gauge("raft.commitNumLogs", count)
        while self._proposed and self._proposed[0][0] <= last_index:
            self.meters.sample("raft.commitTime", (now - self._proposed.popleft()[1]) * 1000)

    def appending(self, seq: int, now: float) -> None:
        """A write of entries went to the disk."""
        self._written.append((seq, now))

    def durable(self, seq: int, now: float) -> None:
        """All writes up to ``seq`` are on the disk."""
        leads = self._role is Role.LEADER
        name = "raft.leader.dispatchLog" if leads else "raft.rpc.appendEntries.storeLogs"
        while self._written and self._written[0][0] <= seq:
            self.meters.sample(name, (now - self._written.popleft()[1]) * 1000)

    def disk_failed(self) -> None:
        """None of the writes under way will be durable."""
        self._written.clear()

    def served(self, request: Request, seconds: float) -> None:
        """A peer's request was answered after ``seconds``."""
        if isinstance(request, AppendEntriesRequest):
            heartbeat = not request.entries and not request.prev_log_entry
            name = "raft.rpc.processHeartbeat" if heartbeat else "raft.rpc.appendEntries"
        elif isinstance(request, RequestVoteRequest):
            name = "raft.rpc.requestVote"
        elif isinstance(request, InstallSnapshotRequest):
            name = "raft.rpc.installSnapshot"
        else:
            return
        self.meters.sample(name, seconds * 1000)

    def replicated(self, peer: str, count: int | None, seconds: float) -> None:
        """A follower answered a request with ``count`` entries, None for a heartbeat."""
        if count is None:
            self.meters.sample(f"raft.replication.heartbeat.{peer}", seconds * 1000)
        else:
            self.meters.sample(f"raft.replication.appendEntries.rpc.{peer}", seconds * 1000)
            self.meters.count(f"raft.replication.appendEntries.logs.{peer}", count)
