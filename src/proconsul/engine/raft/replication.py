"""Replication, the leader's side: a pipeline to each follower, and commit (paper 5.3 and 5.4.2)."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.engine.raft import quorum
from proconsul.engine.raft.election import Election
from proconsul.engine.raft.events import (
    AppendResponded,
    LeadershipChanged,
    Propose,
    Role,
    SendAppend,
    SendSnapshot,
    SnapshotResponded,
    UserRestored,
)
from proconsul.engine.raft.messages import AppendEntriesResponse, EntryType, LogEntry
from proconsul.engine.raft.progress import Progress, ProgressState
from proconsul.engine.raft.raft_log import RaftLog
from proconsul.engine.raft.state import INFINITE, RaftState

# A follower that lacks so much more than the usual number of entries gets more of them at once, since each request
# costs both sides. The driver cuts them up by size.
FAR_BEHIND_ENTRIES = 4096
CATCH_UP_ENTRIES = 1024


class Replication:
    """How a leader's log gets to the others. ``acknowledged`` hears that a follower accepted a newer send,
    ``caught_up`` that a follower has more on its disk than before."""

    def __init__(
        self,
        state: RaftState,
        log: RaftLog,
        election: Election,
        *,
        acknowledged: Callable[[], None],
        caught_up: Callable[[str], None],
    ) -> None:
        self._state = state
        self._log = log
        self._election = election
        self._acknowledged = acknowledged
        self._caught_up = caught_up

    def lead(self) -> None:
        """The election is won: lead."""
        state = self._state
        assert state.role is Role.CANDIDATE, "only a candidate can win"
        state.role = Role.LEADER
        state.leader_id = state.id
        state.leader_address = state.address
        state.election_at = INFINITE
        state.note(f"entering leader state: term {state.term}")
        state.out.append(LeadershipChanged(True, state.term))
        state.progress = {}
        self.track_members()
        # A leader may only count its own term's entries; this one commits everything before it (paper 5.4.2, 8).
        state.leader_start_index = state.last_index + 1
        self.append_own(EntryType.NOOP)

    def propose(self, event: Propose) -> None:
        """Append what clients asked for. The driver knows whether this server leads."""
        state = self._state
        assert state.role is Role.LEADER, "only the leader appends"
        term = state.term
        index = state.terms.last_index
        entries = [
            LogEntry(index := index + 1, term, proposal.type, proposal.data, proposal.extensions)
            for proposal in event.proposals
        ]
        self._log.append(entries, proposals=event.proposals)
        if state.progress:
            self._replicate_all()

    def append_own(self, entry_type: EntryType, data: bytes = b"") -> None:
        """One entry that no client asked for."""
        state = self._state
        self._log.append((LogEntry(state.last_index + 1, state.term, int(entry_type), data),))
        self._replicate_all()

    def _replicate_all(self) -> None:
        for peer, progress in self._state.progress.items():
            self.replicate(peer, progress)

    def replicate(self, peer: str, progress: Progress) -> None:
        """Send what the follower lacks, as far as its window allows."""
        state = self._state
        while progress.next <= state.terms.last_index and progress.has_room(state.config.inflight_max, state.now):
            prev = progress.next - 1
            if prev < state.terms.base_index:
                self._send_snapshot(peer, progress)
                return
            count = state.config.append_entries_max
            if state.terms.last_index - prev > FAR_BEHIND_ENTRIES:
                count = max(count, CATCH_UP_ENTRIES)
            self._send_append(peer, progress, prev, min(prev + count, state.terms.last_index))

    def _send_append(self, peer: str, progress: Progress, prev: int, last: int) -> None:
        state = self._state
        prev_term = state.terms.term_at(prev)
        assert prev_term is not None, "sending from a compacted index"
        state.send_seq += 1
        progress.append_sent(last, state.commit_index, self._next_commit_due())
        state.out.append(
            SendAppend(peer, state.send_seq, state.term, prev, prev_term, last, state.commit_index, False, state.now)
        )

    def _send_snapshot(self, peer: str, progress: Progress) -> None:
        state = self._state
        state.send_seq += 1
        progress.become_snapshot(state.send_seq)
        state.note(f"sending snapshot to {peer}: it needs index {progress.next}")
        state.out.append(SendSnapshot(peer, state.send_seq, state.term, state.now))

    def heartbeat(self, peer: str, progress: Progress) -> None:
        """Send a heartbeat."""
        state = self._state
        state.send_seq += 1
        progress.heartbeat_sent(state.now, state.now + state.config.heartbeat_interval_s * (1 + state.rng.random()))
        state.out.append(SendAppend(peer, state.send_seq, state.term, 0, 0, 0, 0, True, state.now))

    def tick(self) -> None:
        """Send what is due; step down when the disk hangs or no quorum answers."""
        state = self._state
        now = state.now
        for peer, progress in state.progress.items():
            if now >= progress.heartbeat_at:
                self.heartbeat(peer, progress)
            if now >= progress.retry_at and progress.next <= state.terms.last_index:
                self.replicate(peer, progress)
            if now >= progress.commit_due:
                self._send_commit(peer, progress)
        if now >= self._log.stalls_at():
            state.note("the disk does not answer: stepping down")
            self._election.become_follower(state.term, None)
        elif now >= state.lease_ends():
            state.note("failed to contact a quorum of voters within the lease: stepping down")
            self._election.become_follower(state.term, None)

    def _send_commit(self, peer: str, progress: Progress) -> None:
        """Tell an idle follower how far the log is committed, and find out if it lost its log or its commit index.

        Heartbeats carry neither, so this goes on when nothing happens, as often as a healthy server must hear.
        """
        state = self._state
        progress.commit_due = self._next_commit_due()
        if progress.next > state.terms.base_index and progress.has_room(state.config.inflight_max, state.now):
            self._send_append(peer, progress, progress.next - 1, progress.next - 1)

    def _next_commit_due(self) -> float:
        state = self._state
        return state.now + state.config.idle_interval_s * (1 + state.rng.random())

    def deadline(self) -> float:
        """When `tick` has something to do for the followers."""
        state = self._state
        deadline = state.lease_ends()
        for progress in state.progress.values():
            deadline = min(deadline, progress.heartbeat_at, progress.commit_due)
            if progress.retry_at > state.now and progress.next <= state.terms.last_index:
                deadline = min(deadline, progress.retry_at)
        return deadline

    def _follower_of(self, send: SendAppend | SendSnapshot) -> Progress | None:
        """Whose send this was; None if it was sent in another term, or to one that is no longer a member."""
        state = self._state
        return state.progress.get(send.to) if state.is_leader and send.term == state.term else None

    def _goes_on(self, send: SendAppend | SendSnapshot, progress: Progress) -> None:
        # The peer may have been removed, or leadership ended, by what this answer committed.
        if self._state.progress.get(send.to) is progress:
            self.replicate(send.to, progress)

    def append_responded(self, event: AppendResponded) -> None:
        """A follower answered an append or a heartbeat."""
        state = self._state
        send, response = event.send, event.response
        if response.term > state.term:
            state.note(f"{send.to} has term {response.term}, newer than {state.term}")
            self._election.become_follower(response.term, None)
            return
        progress = self._follower_of(send)
        if progress is None:
            return
        progress.heard(send.sent_at)
        progress.failures = 0
        if send.heartbeat:
            progress.heartbeat_ended()
            if response.success and progress.acknowledge(send.seq):
                self._acknowledged()
            return
        current = progress.append_answered(send.seq)
        if response.success:
            self._accepted(progress, send, current)
        elif current:
            self._rejected(progress, send, response)
        self._goes_on(send, progress)

    def _accepted(self, progress: Progress, send: SendAppend, current: bool) -> None:
        state = self._state
        advanced = progress.accepted(send.last_index, current)
        progress.tell_commit_by(state.commit_index, state.now + state.config.commit_timeout_s)
        if progress.acknowledge(send.seq):
            self._acknowledged()
        if advanced:
            self.advance_commit()
            self._caught_up(send.to)

    def _rejected(self, progress: Progress, send: SendAppend, response: AppendEntriesResponse) -> None:
        state = self._state
        progress.rejected(send.prev_index, response.last_log, state.send_seq + 1, state.now)
        if not response.no_retry_backoff:
            progress.delay(state.now, state.config.heartbeat_timeout_s)
        if send.prev_index == 0:
            # Before the first entry nothing can differ: it has a snapshot that never was the cluster's.
            self._send_snapshot(send.to, progress)

    def send_failed(self, send: SendAppend | SendSnapshot) -> None:
        """A follower did not answer."""
        state = self._state
        progress = self._follower_of(send)
        if progress is None:
            return
        if isinstance(send, SendAppend) and send.heartbeat:
            progress.heartbeat_ended()
        elif send.seq >= progress.epoch_seq:
            if isinstance(send, SendAppend):
                progress.append_failed(send.prev_index)
            progress.become_probe(state.send_seq + 1)
            progress.delay(state.now, state.config.heartbeat_timeout_s)

    def advance_commit(self) -> None:
        """Commit the highest index of our term that a majority has on disk (paper 5.3, 5.4.2).

        Only what is durable here is committed, though Raft would allow more: then the disk, the state machine and the
        commit index can never disagree about which entries this server holds.
        """
        state = self._state
        durable = state.durable_index
        if state.is_single_voter:
            index = durable
        else:
            voters = state.configuration.voters
            matches = [durable if v == state.id else state.progress[v].match for v in voters]
            index = min(quorum.reached(matches), durable)
        if index > state.commit_index and index >= state.leader_start_index:
            self._log.commit_to(index)
            for progress in state.progress.values():
                progress.tell_commit_by(state.commit_index, state.now + state.config.commit_timeout_s)

    def snapshot_responded(self, event: SnapshotResponded) -> None:
        """A follower took in a snapshot, or refused it."""
        state = self._state
        send, response = event.send, event.response
        if response.term > state.term:
            self._election.become_follower(response.term, None)
            return
        progress = self._follower_of(send)
        if progress is None:
            return
        progress.heard(send.sent_at)
        if send.seq < progress.epoch_seq or progress.state is not ProgressState.SNAPSHOT:
            return
        installed = min(event.index, state.last_index) if response.success else None
        progress.snapshot_ended(installed, state.send_seq + 1, state.now)
        if response.success:
            self.advance_commit()
            self._caught_up(send.to)
        else:
            progress.delay(state.now, state.config.heartbeat_timeout_s)
        self._goes_on(send, progress)

    def user_restored(self, event: UserRestored) -> None:
        """A user's snapshot replaces this leader's state and log."""
        state = self._state
        assert state.is_leader and event.term == state.term, "only the leader restores"
        assert event.index > state.last_index, "a restore must jump ahead"
        self._log.reset(event.index, event.term)
        state.commit_index = event.index
        state.snapshot_index, state.snapshot_term = event.index, event.term
        # Nobody else has this state: all followers need it as a snapshot.
        for peer, progress in state.progress.items():
            progress.needs_snapshot_at(event.index)
            self._send_snapshot(peer, progress)

    def track_members(self) -> None:
        """Keep one Progress for each other member of the configuration in force."""
        state = self._state
        if not state.is_leader:
            return
        members = {server.id for server in state.configuration.servers if server.id != state.id}
        for peer in [peer for peer in state.progress if peer not in members]:
            del state.progress[peer]
        for server in state.configuration.servers:
            if server.id in members and server.id not in state.progress:
                state.progress[server.id] = Progress(state.last_index + 1, state.now)
                self.heartbeat(server.id, state.progress[server.id])
