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
from proconsul.engine.raft.events import ArmTimer, Effect, Event, Note, Reply, Role
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
from proconsul.engine.raft.state import INFINITE, InitialState

__all__ = ["InitialState", "RaftCore"]

# hashicorp/raft accepts headers down to two versions behind its own... of which only 2 and 3 were ever compatible.
HEADER_VERSION_MIN = 2


class RaftCore(Membership):
    """One server's consensus state. Feed it events; perform its effects in order."""

    def __init__(
        self,
        config: RaftConfig,
        server_id: str,
        address: str,
        rng: Random,
        initial: InitialState,
        now: float = 0.0,
    ) -> None:
        super().__init__(config, server_id, address, rng, initial, now)
        self._init_membership()
        self._armed = INFINITE
        # Any: each handler takes its own event type; the table is the proof that they fit.
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.Start: self._start,
            ev.Bootstrap: self._bootstrap,
            ev.Tick: self._tick,
            ev.Propose: self._propose,
            ev.Received: self._received,
            ev.VoteResponded: self._vote_responded,
            ev.AppendResponded: self._append_responded,
            ev.SnapshotResponded: self._snapshot_responded,
            ev.SendFailed: self._send_failed,
            ev.DiskDone: self._disk_done,
            ev.DiskFailed: self._disk_failed,
            ev.SnapshotStored: self._snapshot_stored,
            ev.SnapshotFailed: self._snapshot_failed,
            ev.SnapshotTaken: self._snapshot_taken,
            ev.UserRestored: self._user_restored,
            ev.ChangeMembership: self._change_membership,
            ev.Verify: self._verify,
            ev.Transfer: self._transfer_leadership,
        }

    def step(self, event: Event, now: float) -> list[Effect]:
        """Handle one event at ``now`` (monotonic seconds); the effects must be performed in order."""
        self._now = now
        out: list[Effect] = []
        self._out = out
        self._handlers[type(event)](event)
        if self._changes:
            self._next_change()
        self._arm()
        assert self.commit_index <= self.durable_index <= self.terms.last_index
        return out

    def _arm(self) -> None:
        """Ask for a Tick if the next deadline is earlier than the armed one; a Tick too early does no harm."""
        if self.role is Role.LEADER:
            deadline = self._storage_stalls_at()
            if self.progress:
                deadline = min(deadline, self._leader_deadline(), self._transfer_ends)
        elif self.storage_error is not None:
            # The leader of whose death nobody else tells us.
            deadline = min(self._storage_retry_at, self._election_at if self.leader_address else INFINITE)
        else:
            deadline = self._election_at
        if deadline < self._armed:
            self._armed = deadline
            self._out.append(ArmTimer(deadline))

    def _start(self, event: ev.Start) -> None:
        self._out.append(Note(f"entering follower state: term {self.term}, configuration {self.configuration}"))
        self._reset_election_timer()
        if self.is_single_voter:
            self._election_tick()

    @property
    def has_state(self) -> bool:
        """True if this server was ever part of a cluster."""
        return self.term > 0 or self.last_index > 0 or self.snapshot_index > 0

    def _bootstrap(self, event: ev.Bootstrap) -> None:
        assert not self.has_state, "bootstrap only works on new clusters"
        self.term = 1
        self._persist()
        entry = LogEntry(1, 1, int(EntryType.CONFIGURATION), event.configuration.encode())
        self._append((entry,))
        self._adopt(1, event.configuration)
        self._out.append(Note(f"initial configuration: index 1, servers {event.configuration}"))
        self._reset_election_timer()
        if self.is_single_voter:
            self._election_tick()

    def _tick(self, event: ev.Tick) -> None:
        self._armed = INFINITE
        if self.role is Role.LEADER:
            self._leader_tick()
            if self.role is Role.LEADER:
                self._transfer_tick()
        elif self.storage_error is not None:
            if self._now >= self._election_at:
                self.leader_id, self.leader_address = None, ""
            if self._now >= self._storage_retry_at:
                self._storage_probe()
        else:
            self._election_tick()

    def _send_failed(self, event: ev.SendFailed) -> None:
        self._vote_failed(event)
        self._append_failed(event)
        if isinstance(event.send, ev.Send) and isinstance(event.send.message, TimeoutNowRequest):
            if event.send.to == self._transfer_to:
                self._transfer_failed("failed to make TimeoutNow RPC")

    def _received(self, event: ev.Received) -> None:
        message = event.message
        if not HEADER_VERSION_MIN <= message.protocol_version <= PROTOCOL_VERSION_MAX:
            error = "operation not supported with current protocol version"
            self._out.append(Reply(event.request_id, self._blank(message), error))
        elif self.storage_error is not None:
            self._received_without_storage(event.request_id, message)
        elif isinstance(message, AppendEntriesRequest):
            self._append_entries(event.request_id, message)
        elif isinstance(message, RequestVoteRequest):
            self._request_vote(event.request_id, message)
        elif isinstance(message, PreVoteRequest):
            self._request_pre_vote(event.request_id, message)
        elif isinstance(message, InstallSnapshotRequest):
            self._install_snapshot(event.request_id, message)
        else:
            self._timeout_now(event.request_id, message)

    def _received_without_storage(self, request_id: int, message: Request) -> None:
        """Promise nothing; but know whom to send clients to, and answer heartbeats of the term that is on disk."""
        if isinstance(message, AppendEntriesRequest) and message.term >= self.term:
            self._remember_leader(*self._leader_of(message.id, message.addr or message.leader))
            is_heartbeat = message.prev_log_entry == 0 and not message.entries
            if is_heartbeat and message.term == self._persisted_term:
                self._accept_heartbeat(request_id)
                return
        self._out.append(Reply(request_id, self._blank(message), f"storage failed: {self.storage_error}"))

    def _blank(self, message: Request) -> Response:
        """The struct that goes with an error string."""
        own_id, addr = self.id.encode(), self.address.encode()
        if isinstance(message, AppendEntriesRequest):
            return AppendEntriesResponse(self.term, self.last_index, False, id=own_id, addr=addr)
        if isinstance(message, RequestVoteRequest):
            return RequestVoteResponse(self.term, False, id=own_id, addr=addr)
        if isinstance(message, PreVoteRequest):
            return PreVoteResponse(self.term, False, id=own_id, addr=addr)
        if isinstance(message, InstallSnapshotRequest):
            return InstallSnapshotResponse(self.term, False, id=own_id, addr=addr)
        return TimeoutNowResponse(id=own_id, addr=addr)
