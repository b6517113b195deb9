"""The Raft core: ``effects = core.step(event, now)``.

Law of this file: no I/O, no clock, no randomness but the injected one; every event is handled to its end before the
next; effects leave in durability order (see ``events``). Protocol: hashicorp/raft version 3 with pre-vote.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.election import Election
from proconsul.engine.raft.errors import NotLeaderError
from proconsul.engine.raft.events import ArmTimer, Effect, Event, Reply, Role
from proconsul.engine.raft.follower import Follower
from proconsul.engine.raft.membership import Membership
from proconsul.engine.raft.messages import (
    PROTOCOL_VERSION_MAX,
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    Request,
    RequestVoteRequest,
    RequestVoteResponse,
    Response,
    TimeoutNowRequest,
    TimeoutNowResponse,
)
from proconsul.engine.raft.raft_log import RaftLog
from proconsul.engine.raft.read_index import ReadIndex
from proconsul.engine.raft.replication import Replication
from proconsul.engine.raft.state import INFINITE, InitialState, RaftState
from proconsul.engine.raft.transfer import LeadershipTransfer

__all__ = ["InitialState", "RaftCore"]

# hashicorp/raft accepts headers down to two versions behind its own... of which only 2 and 3 were ever compatible.
HEADER_VERSION_MIN = 2


class RaftCore:
    """One server's consensus: feed it events, perform its effects in order. ``state`` is for reading."""

    def __init__(
        self,
        config: RaftConfig,
        server_id: str,
        address: str,
        rng: Random,
        initial: InitialState,
        now: float = 0.0,
    ) -> None:
        state = self.state = RaftState(config, server_id, address, rng, initial, now)
        # Calls go down this list; what goes up (a vote is durable, leadership ended) is a call of ours, wired here.
        self._log = RaftLog(
            state,
            configuration_changed=lambda: self._replication.track_members(),
            configuration_committed=lambda: self._membership.committed(),
            vote_durable=lambda term: self._election.vote_durable(term),
        )
        self._election = Election(
            state, self._log, won=lambda: self._replication.lead(), leadership_ended=self._leadership_ended
        )
        self._follower = Follower(state, self._log, self._election)
        self._replication = Replication(
            state,
            self._log,
            self._election,
            acknowledged=lambda: self._read_index.confirm(),
            caught_up=lambda peer: self._transfer.caught_up(peer),
        )
        self._read_index = ReadIndex(state, self._replication)
        self._transfer = LeadershipTransfer(state, self._replication)
        self._membership = Membership(
            state, self._log, self._election, self._replication, is_transferring=self._transfer.under_way
        )
        self._armed = INFINITE
        # Any: each handler takes its own event type; the table is the proof that they fit.
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.Start: self._start,
            ev.Bootstrap: self._bootstrap,
            ev.Tick: self._tick,
            ev.Propose: self._replication.propose,
            ev.Received: self._received,
            ev.VoteResponded: self._election.vote_responded,
            ev.AppendResponded: self._replication.append_responded,
            ev.SnapshotResponded: self._replication.snapshot_responded,
            ev.SendFailed: self._send_failed,
            ev.DiskDone: self._disk_done,
            ev.DiskFailed: self._disk_failed,
            ev.SnapshotStored: self._follower.snapshot_stored,
            ev.SnapshotFailed: self._follower.snapshot_failed,
            ev.SnapshotTaken: self._log.snapshot_taken,
            ev.UserRestored: self._replication.user_restored,
            ev.ChangeMembership: self._for_the_leader(self._membership.change),
            ev.Verify: self._for_the_leader(self._read_index.verify),
            ev.Transfer: self._for_the_leader(self._transfer.begin),
        }
        # Requests of peers while the disk works.
        self._requests: dict[type, Callable[[int, Any], None]] = {
            AppendEntriesRequest: self._follower.append_entries,
            RequestVoteRequest: self._election.request_vote,
            PreVoteRequest: self._election.request_pre_vote,
            InstallSnapshotRequest: self._follower.install_snapshot,
            TimeoutNowRequest: self._election.timeout_now,
        }

    def __str__(self) -> str:
        followers = [f"  {peer}: {progress}" for peer, progress in self.state.progress.items()]
        return "\n".join([str(self.state), *followers])

    @property
    def accepts_proposals(self) -> bool:
        """True if a Propose is allowed now."""
        # Asked for every proposal.
        return self.state.role is Role.LEADER and self._transfer.transfer is None

    @property
    def is_transferring(self) -> bool:
        """True while leadership is being handed over."""
        return self._transfer.under_way()

    def step(self, event: Event, now: float) -> list[Effect]:
        """Handle one event at ``now`` (monotonic seconds); the effects must be performed in order."""
        state = self.state
        state.now = now
        out: list[Effect] = []
        state.out = out
        self._handlers[type(event)](event)
        if self._membership.waiting:
            self._membership.next_change()
        self._arm()
        assert state.commit_index <= state.durable_index <= state.terms.last_index
        return out

    def check(self) -> None:
        """Every invariant that holds between steps, for tests: ``step`` checks the cheap ones. AssertionError."""
        state = self.state
        assert state.terms.base_index <= state.commit_index <= state.durable_index <= state.last_index, str(state)
        assert state.committed_configuration_index <= state.configuration_index, str(state)
        assert state.persisted_term <= state.term and state.vote_term <= state.term, str(state)
        others = {server.id for server in state.configuration.servers} - {state.id}
        assert set(state.progress) == (others if state.is_leader else set()), f"followers of nobody: {self}"
        for progress in state.progress.values():
            progress.check(state.last_index, state.config.inflight_max)

    def _arm(self) -> None:
        """Ask for a Tick if the next deadline is earlier than the armed one; a Tick too early does no harm."""
        state = self.state
        if state.role is Role.LEADER:
            deadline = self._log.stalls_at()
            if state.progress:
                deadline = min(deadline, self._replication.deadline(), self._transfer.ends_at)
        elif state.storage_error is not None:
            # The leader of whose death nobody else tells us.
            deadline = min(self._log.retry_at, state.election_at if state.leader_address else INFINITE)
        else:
            deadline = state.election_at
        if deadline < self._armed:
            self._armed = deadline
            state.out.append(ArmTimer(deadline))

    # -- events that concern more than one part ------------------------------------------------------------------------

    def _for_the_leader(self, handle: Callable[[Any], None]) -> Callable[[Any], None]:
        """``handle`` for an event which only a leader can serve."""
        state = self.state

        def handle_as_leader(event: Any) -> None:
            if state.is_leader:
                handle(event)
            else:
                state.resolve(event.token, NotLeaderError.text, not_leader=True)

        return handle_as_leader

    def _leadership_ended(self, higher_term: bool) -> None:
        self._membership.leadership_ended()
        self._read_index.leadership_ended()
        self._transfer.leadership_ended(higher_term)

    def _start(self, event: ev.Start) -> None:
        state = self.state
        state.note(f"entering follower state: term {state.term}, configuration {state.configuration}")
        self._seek_leader()

    def _seek_leader(self) -> None:
        self._election.reset_timer()
        if self.state.is_single_voter:
            self._election.tick()

    def _bootstrap(self, event: ev.Bootstrap) -> None:
        state = self.state
        assert not state.has_state, "bootstrap only works on new clusters"
        state.term = 1
        self._log.persist()
        self._log.append((LogEntry(1, 1, int(EntryType.CONFIGURATION), event.configuration.encode()),))
        self._log.adopt(1, event.configuration)
        state.note(f"initial configuration: index 1, servers {event.configuration}")
        self._seek_leader()

    def _tick(self, event: ev.Tick) -> None:
        state = self.state
        self._armed = INFINITE
        if state.is_leader:
            self._replication.tick()
            if state.is_leader:
                self._transfer.tick()
        elif state.storage_error is not None:
            if state.now >= state.election_at:
                state.leader_id, state.leader_address = None, ""
            if state.now >= self._log.retry_at:
                self._log.probe()
        else:
            self._election.tick()

    def _disk_done(self, event: ev.DiskDone) -> None:
        if self._log.done(event):
            self._election.reset_timer()
        if self.state.role is Role.LEADER:
            self._replication.advance_commit()
        else:
            self._follower.advance_commit()

    def _disk_failed(self, event: ev.DiskFailed) -> None:
        self._log.failed(event)
        self._election.become_follower(self.state.term, None, persist=False)

    def _send_failed(self, event: ev.SendFailed) -> None:
        if isinstance(event.send, ev.Send):
            self._election.send_failed(event)
            self._transfer.send_failed(event.send)
        else:
            self._replication.send_failed(event.send)

    def _received(self, event: ev.Received) -> None:
        state, message = self.state, event.message
        if not HEADER_VERSION_MIN <= message.protocol_version <= PROTOCOL_VERSION_MAX:
            error = "operation not supported with current protocol version"
            state.out.append(Reply(event.request_id, self._blank(message), error))
        elif state.storage_error is not None:
            self._received_without_storage(event.request_id, message)
        else:
            self._requests[type(message)](event.request_id, message)

    def _received_without_storage(self, request_id: int, message: Request) -> None:
        """Promise nothing; but know whom to send clients to, and answer heartbeats of the term that is on disk."""
        if isinstance(message, AppendEntriesRequest) and self._follower.append_without_storage(request_id, message):
            return
        error = f"storage failed: {self.state.storage_error}"
        self.state.out.append(Reply(request_id, self._blank(message), error))

    def _blank(self, message: Request) -> Response:
        """The struct that goes with an error string."""
        state = self.state
        own_id, addr = state.id_bytes, state.address_bytes
        if isinstance(message, AppendEntriesRequest):
            return AppendEntriesResponse(state.term, state.last_index, False, id=own_id, addr=addr)
        if isinstance(message, RequestVoteRequest):
            return RequestVoteResponse(state.term, False, id=own_id, addr=addr)
        if isinstance(message, PreVoteRequest):
            return PreVoteResponse(state.term, False, id=own_id, addr=addr)
        if isinstance(message, InstallSnapshotRequest):
            return InstallSnapshotResponse(state.term, False, id=own_id, addr=addr)
        return TimeoutNowResponse(id=own_id, addr=addr)
