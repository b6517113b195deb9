"""Elections: pre-vote, votes, terms (Raft paper 5.2 and 5.4.1, dissertation 9.6, hashicorp/raft's rules)."""

from __future__ import annotations

from collections.abc import Callable

from proconsul.engine.raft import quorum
from proconsul.engine.raft.events import LeadershipChanged, Reply, Role, Send, SendFailed, VoteResponded
from proconsul.engine.raft.messages import (
    PreVoteRequest,
    PreVoteResponse,
    RequestVoteRequest,
    RequestVoteResponse,
    TimeoutNowRequest,
    TimeoutNowResponse,
)
from proconsul.engine.raft.raft_log import RaftLog
from proconsul.engine.raft.state import INFINITE, RaftState


class Election:
    """Who leads. ``won`` is told of a victory; ``leadership_ended`` that it is over, and whether for a newer term."""

    def __init__(
        self,
        state: RaftState,
        log: RaftLog,
        *,
        won: Callable[[], None],
        leadership_ended: Callable[[bool], None],
    ) -> None:
        self._state = state
        self._log = log
        self._won = won
        self._leadership_ended = leadership_ended
        self._votes: set[str] = set()
        # The leader told us to lead: go on without asking for pre-votes.
        self._transfer_campaign = False

    def become_follower(
        self, term: int, leader_id: str | None, leader_address: str = "", *, persist: bool = True
    ) -> None:
        state = self._state
        assert term >= state.term, "terms never go back"
        was_leader = state.is_leader
        old_term = state.term
        if term > state.term:
            state.term = term
            state.leader_commit = 0
            if persist:
                self._log.persist()
        if state.role is not Role.FOLLOWER:
            state.note(f"entering follower state: term {term}, leader {leader_id or 'unknown'}")
            state.role = Role.FOLLOWER
        state.verified_index = 0
        self._votes = set()
        self._transfer_campaign = False
        state.leader_id = leader_id
        state.leader_address = leader_address
        if state.election_at == INFINITE:
            # Otherwise the timer goes on: only a leader or a granted vote puts it back (paper 5.2). If every newer term
            # did, hopeless candidates could keep the one electable server from ever campaigning.
            self.reset_timer()
        if was_leader:
            # To lead is as good as to hear a leader, as long as a quorum agrees.
            state.last_contact = min(state.now, state.quorum_contact())
            state.progress = {}
            self._leadership_ended(term > old_term)
            state.out.append(LeadershipChanged(False, old_term))

    def reset_timer(self) -> None:
        """Wait for a leader from now on, randomised to twice the heartbeat timeout."""
        state = self._state
        timeout = state.config.heartbeat_timeout_s
        # A single voter has nobody to wait for, unless a leader is just handing the cluster over to it.
        alone = state.is_single_voter and not state.leader_address
        state.election_at = state.now if alone else state.now + timeout * (1 + state.rng.random())

    def remember_leader(self, server_id: str | None, where: str) -> None:
        """A rightful leader was heard."""
        state = self._state
        state.leader_id, state.leader_address = server_id, where
        self.reset_timer()

    def tick(self) -> None:
        """Campaign when no leader was heard for too long."""
        state = self._state
        if state.now < state.election_at or state.storage_error is not None:
            return
        if state.leader_id is not None or state.leader_address:
            state.note(f"heartbeat timeout reached, last leader {state.leader_id}")
        state.leader_id = None
        state.leader_address = ""
        if state.now >= self._log.stalls_at():
            # Its own vote would not be durable, and nothing that it appends.
            state.election_at = state.now + state.config.election_timeout_s
            return
        if not self._may_lead(state.id):
            # Not a voter (or nobody told us of a cluster yet): wait to be contacted.
            state.election_at = state.now + state.config.election_timeout_s
            return
        if state.is_single_voter or not state.config.pre_vote or self._transfer_campaign:
            self._campaign(transfer=self._transfer_campaign)
        else:
            self._pre_campaign()

    def _may_lead(self, server_id: str) -> bool:
        """A vote in the latest or, while that is not committed, in the committed configuration.

        The server removed by an uncommitted change may hold the only log complete enough to finish it (dissertation
        4.2.2).
        """
        state = self._state
        return state.configuration.has_vote(server_id) or state.committed_configuration.has_vote(server_id)

    def _other_voters(self) -> list[str]:
        state = self._state
        return [voter for voter in state.configuration.voters if voter != state.id]

    def _arm_candidate_timer(self) -> None:
        state = self._state
        state.election_at = state.now + state.config.election_timeout_s * (1 + state.rng.random())

    def _pre_campaign(self) -> None:
        state = self._state
        state.role = Role.PRE_CANDIDATE
        self._votes = {state.id}
        self._arm_candidate_timer()
        state.note(f"asking for pre-votes for term {state.term + 1}")
        message = PreVoteRequest(
            state.term + 1, state.last_index, state.last_term, id=state.id_bytes, addr=state.address_bytes
        )
        for voter in self._other_voters():
            state.out.append(Send(voter, message))

    def _campaign(self, *, transfer: bool) -> None:
        state = self._state
        state.role = Role.CANDIDATE
        state.term += 1
        state.leader_commit = 0
        state.verified_index = 0
        state.vote_term = state.term
        state.voted_for = state.address_bytes
        self._votes = set()
        self._arm_candidate_timer()
        state.note(f"entering candidate state: term {state.term}, votes needed {state.configuration.quorum}")
        self._log.persist(self_vote=True)
        message = RequestVoteRequest(
            state.term,
            state.address_bytes,
            state.last_index,
            state.last_term,
            transfer,
            id=state.id_bytes,
            addr=state.address_bytes,
        )
        for voter in self._other_voters():
            self._log.after_disk(Send(voter, message))

    def vote_durable(self, term: int) -> None:
        """This server's vote for itself is on disk."""
        state = self._state
        if state.role is Role.CANDIDATE and term == state.term:
            self._tally(state.id)

    def _tally(self, voter: str) -> None:
        state = self._state
        if not state.configuration.has_vote(voter):
            return
        self._votes.add(voter)
        if not quorum.has_majority(self._votes, state.configuration.voters):
            return
        if state.role is Role.PRE_CANDIDATE:
            self._campaign(transfer=False)
        else:
            state.note(f"election won: term {state.term}, tally {len(self._votes)}")
            self._won()

    def vote_responded(self, event: VoteResponded) -> None:
        """A peer answered a vote or pre-vote."""
        state = self._state
        request, response = event.request, event.response
        if isinstance(request, RequestVoteRequest) and isinstance(response, RequestVoteResponse):
            if response.term > state.term:
                self.become_follower(response.term, None)
            elif state.role is Role.CANDIDATE and request.term == state.term and response.granted:
                self._tally(event.peer)
        elif isinstance(request, PreVoteRequest) and isinstance(response, PreVoteResponse):
            if response.term > request.term:
                if response.term > state.term:
                    self.become_follower(response.term, None)
            elif state.role is Role.PRE_CANDIDATE and request.term == state.term + 1 and response.granted:
                self._tally(event.peer)

    def send_failed(self, event: SendFailed) -> None:
        """A peer did not answer an election message."""
        state = self._state
        send = event.send
        if not isinstance(send, Send) or not event.unsupported:
            return
        message = send.message
        # An older server does not know pre-votes. It lives, so it counts as granted, as in hashicorp/raft.
        if isinstance(message, PreVoteRequest) and state.role is Role.PRE_CANDIDATE and message.term == state.term + 1:
            self._tally(send.to)

    def _refusal(self, request: RequestVoteRequest | PreVoteRequest, address: bytes) -> str | None:
        """Why this (pre-)vote is refused whatever the terms and logs, or None.

        hashicorp/raft 1.7 also refuses candidates missing from its own configuration. A voter that was added while far
        behind then never votes for the only servers which could tell it about themselves, and the cluster stands still
        for good. A known leader and the comparison of logs already stop removed servers, so we do not ask.
        """
        state = self._state
        transfer = isinstance(request, RequestVoteRequest) and request.leadership_transfer
        leader = state.leader_address.encode("utf-8", "surrogateescape")
        if leader and leader != address and not transfer:
            return f"have a leader: {state.leader_address}"
        return None

    def _log_is_newer_than(self, last_term: int, last_index: int) -> bool:
        state = self._state
        return (state.last_term, state.last_index) > (last_term, last_index)

    def request_vote(self, request_id: int, request: RequestVoteRequest) -> None:
        """A candidate asks for this server's vote."""
        state = self._state
        address = request.addr or request.candidate
        refusal = self._refusal(request, address)
        if refusal is None and request.term < state.term:
            refusal = f"term {request.term} is older than {state.term}"
        if refusal is not None:
            self._vote_reply(request_id, False, refusal)
            return
        if request.term > state.term:
            self.become_follower(request.term, None)
        if state.vote_term == state.term:
            granted = state.voted_for == request.candidate
            self._vote_reply(request_id, granted, None if granted else "already voted in this term")
            return
        if self._log_is_newer_than(request.last_log_term, request.last_log_index):
            self._vote_reply(request_id, False, "candidate's log is older")
            return
        state.vote_term = state.term
        state.voted_for = request.candidate
        self._log.persist()
        self.reset_timer()
        self._vote_reply(request_id, True, None)

    def _vote_reply(self, request_id: int, granted: bool, why: str | None) -> None:
        state = self._state
        if why is not None:
            state.note(f"rejecting vote request: {why}")
        response = RequestVoteResponse(state.term, granted, id=state.id_bytes, addr=state.address_bytes)
        self._log.after_disk(Reply(request_id, response))

    def request_pre_vote(self, request_id: int, request: PreVoteRequest) -> None:
        """A server asks whether it would be voted for. Changes nothing."""
        state = self._state
        refusal = self._refusal(request, request.addr)
        term = state.term
        if refusal is None:
            if request.term < state.term:
                refusal = f"term {request.term} is older than {state.term}"
            elif self._log_is_newer_than(request.last_log_term, request.last_log_index):
                refusal = "candidate's log is older"
            term = max(term, request.term)
        if refusal is not None:
            state.note(f"rejecting pre-vote request: {refusal}")
        response = PreVoteResponse(term, refusal is None, id=state.id_bytes, addr=state.address_bytes)
        state.out.append(Reply(request_id, response))

    def timeout_now(self, request_id: int, request: TimeoutNowRequest) -> None:
        """The leader hands over to this server."""
        state = self._state
        state.out.append(Reply(request_id, TimeoutNowResponse(id=state.id_bytes, addr=state.address_bytes)))
        if state.is_leader or not self._may_lead(state.id):
            return
        state.leader_id = None
        state.leader_address = ""
        self._transfer_campaign = True
        self._campaign(transfer=True)
