"""Read index: proof that a leader still leads, by a round of heartbeats (Raft dissertation 6.4)."""

from __future__ import annotations

from collections import deque

from proconsul.engine.raft import quorum
from proconsul.engine.raft.errors import NotLeaderError
from proconsul.engine.raft.events import Verify
from proconsul.engine.raft.replication import Replication
from proconsul.engine.raft.state import RaftState

# Reads waiting for a round of heartbeats; past this the leader is not keeping up and new ones are refused.
VERIFIES_MAX = 65536


class ReadIndex:
    """The reads that wait for a quorum's word."""

    def __init__(self, state: RaftState, replication: Replication) -> None:
        self._state = state
        self._replication = replication
        # (token, the send from which on an acknowledgement counts), in order.
        self._verifies: deque[tuple[int, int]] = deque()

    def verify(self, event: Verify) -> None:
        """Ask the followers whether this server leads. Only asked of a leader."""
        state = self._state
        if state.is_single_voter:
            state.resolve(event.token)
            return
        if len(self._verifies) >= VERIFIES_MAX:
            state.resolve(event.token, "too many leadership checks are waiting")
            return
        self._verifies.append((event.token, state.send_seq + 1))
        for peer, progress in state.progress.items():
            # One round serves all who asked before it; a round that got lost is not waited for.
            waiting = state.now - progress.heartbeat_out < state.config.heartbeat_interval_s
            if not waiting:
                self._replication.heartbeat(peer, progress)
            else:
                progress.heartbeat_at = state.now

    def confirm(self) -> None:
        """A follower acknowledged a newer send: answer those whom a quorum has confirmed."""
        state = self._state
        if not self._verifies:
            return
        voters = state.configuration.voters
        reached = quorum.reached([state.send_seq + 1 if v == state.id else state.progress[v].acked_seq for v in voters])
        while self._verifies and self._verifies[0][1] <= reached:
            state.resolve(self._verifies.popleft()[0])

    def leadership_ended(self) -> None:
        """Nobody who waits can be answered."""
        waiting, self._verifies = self._verifies, deque()
        for token, _ in waiting:
            self._state.resolve(token, NotLeaderError.text, not_leader=True)
