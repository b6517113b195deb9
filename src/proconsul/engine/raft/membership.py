"""Configuration changes, one server at a time (Raft dissertation 4.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from proconsul.engine.raft.election import Election
from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferInProgressError,
    MembershipError,
    NotLeaderError,
)
from proconsul.engine.raft.events import ChangeMembership
from proconsul.engine.raft.messages import EntryType
from proconsul.engine.raft.raft_log import RaftLog
from proconsul.engine.raft.replication import Replication
from proconsul.engine.raft.state import RaftState

# Changes waiting for the one before them to commit. Reconciling a whole cluster asks for one per server.
CHANGES_MAX = 256


class Membership:
    """The changes a leader was asked for. None begins while leadership is handed over (``is_transferring``)."""

    def __init__(
        self,
        state: RaftState,
        log: RaftLog,
        election: Election,
        replication: Replication,
        *,
        is_transferring: Callable[[], bool],
    ) -> None:
        self._state = state
        self._log = log
        self._election = election
        self._replication = replication
        self._is_transferring = is_transferring
        self.waiting: deque[ChangeMembership] = deque()
        self._running_change: ChangeMembership | None = None

    def committed(self) -> None:
        """The configuration in force was committed: the change is done; a leader without a vote has to go."""
        state = self._state
        if not state.is_leader:
            return
        change, self._running_change = self._running_change, None
        if change is not None:
            state.resolve(change.token, index=state.configuration_index)
        if not state.configuration.has_vote(state.id):
            state.note("no longer a voter in the committed configuration: stepping down")
            self._election.become_follower(state.term, None)

    def change(self, event: ChangeMembership) -> None:
        """Change one server, behind the changes that wait. Only asked of a leader."""
        state = self._state
        if self._is_transferring():
            state.resolve(event.token, LeadershipTransferInProgressError.text)
        elif len(self.waiting) >= CHANGES_MAX:
            state.resolve(event.token, "too many configuration changes are waiting")
        else:
            self.waiting.append(event)
            self.next_change()

    def next_change(self) -> None:
        """Start the next change if the last one is committed and so is an entry of our term (dissertation 4.1 fix)."""
        state = self._state
        while self.waiting and state.is_leader and not self._is_transferring():
            settled = state.configuration_index == state.committed_configuration_index
            if not settled or state.commit_index < state.leader_start_index:
                return
            event = self.waiting.popleft()
            if event.prev_index and event.prev_index != state.configuration_index:
                text = f"configuration changed since {event.prev_index} (latest is {state.configuration_index})"
                state.resolve(event.token, text)
                continue
            try:
                configuration = state.configuration.changed(event.change, event.server_id, event.address)
            except MembershipError as error:
                state.resolve(event.token, str(error))
                continue
            state.note(f"updating configuration: {event.change.name} {event.server_id} {configuration}")
            self._running_change = event
            # Adopted before it is sent: a removed server gets no entry, an added one does.
            index = state.last_index + 1
            self._log.adopt(index, configuration)
            self._replication.append_own(EntryType.CONFIGURATION, configuration.encode())
            self._replication.advance_commit()

    def leadership_ended(self) -> None:
        """Give up what waits."""
        state = self._state
        running, self._running_change = self._running_change, None
        if running is not None:
            state.resolve(running.token, LeadershipLostError.text)
        while self.waiting:
            state.resolve(self.waiting.popleft().token, NotLeaderError.text, not_leader=True)
