"""Elections: pre-vote, votes, terms (Raft paper 5.2 and 5.4.1, dissertation 9.6, hashicorp/raft's rules)."""

from __future__ import annotations

from proconsul.engine.raft.events import Note, Reply, Role, Send, SendFailed, VoteResponded
from proconsul.engine.raft.messages import (
    PreVoteRequest,
    PreVoteResponse,
    RequestVoteRequest,
    RequestVoteResponse,
    TimeoutNowRequest,
    TimeoutNowResponse,
)
from proconsul.engine.raft.state import RaftState


class Election(RaftState):
    """Who leads."""

    def _election_tick(self) -> None:
        if self._now < self._election_at or self.storage_error is not None:
            return
        if self.leader_id is not None or self.leader_address:
            self._out.append(Note(f"heartbeat timeout reached, last leader {self.leader_id}"))
        self.leader_id = None
        self.leader_address = ""
        if self._now >= self._storage_stalls_at():
            # Its own vote would not be durable, and nothing that it appends.
            self._election_at = self._now + self.config.election_timeout_s
            return
        if not self._may_lead(self.id):
            # Not a voter (or nobody told us of a cluster yet): wait to be contacted.
            self._election_at = self._now + self.config.election_timeout_s
            return
        if self.is_single_voter or not self.config.pre_vote or self._transfer_campaign:
            self._campaign(transfer=self._transfer_campaign)
        else:
            self._pre_campaign()

    def _may_lead(self, server_id: str) -> bool:
        """A vote in the latest or, while that is not committed, in the committed configuration.

        The server removed by an uncommitted change may hold the only log complete enough to finish it (dissertation
        4.2.2).
        """
        return self.configuration.has_vote(server_id) or self.committed_configuration.has_vote(server_id)

    def _other_voters(self) -> list[str]:
        return [voter for voter in self.configuration.voters if voter != self.id]

    def _arm_candidate_timer(self) -> None:
        self._election_at = self._now + self.config.election_timeout_s * (1 + self._rng.random())

    def _pre_campaign(self) -> None:
        self.role = Role.PRE_CANDIDATE
        self._votes = {self.id}
        self._arm_candidate_timer()
        self._out.append(Note(f"asking for pre-votes for term {self.term + 1}"))
        message = PreVoteRequest(
            self.term + 1, self.last_index, self.last_term, id=self.id.encode(), addr=self.address.encode()
        )
        for voter in self._other_voters():
            self._out.append(Send(voter, message))

    def _campaign(self, *, transfer: bool) -> None:
        self.role = Role.CANDIDATE
        self.term += 1
        self._leader_commit = 0
        self._verified_index = 0
        self.vote_term = self.term
        self.voted_for = self.address.encode()
        self._votes = set()
        self._arm_candidate_timer()
        self._out.append(Note(f"entering candidate state: term {self.term}, votes needed {self.configuration.quorum}"))
        self._persist(self_vote=True)
        message = RequestVoteRequest(
            self.term,
            self.address.encode(),
            self.last_index,
            self.last_term,
            transfer,
            id=self.id.encode(),
            addr=self.address.encode(),
        )
        for voter in self._other_voters():
            self._after_disk(Send(voter, message))

    def _self_vote_durable(self, term: int) -> None:
        if self.role is Role.CANDIDATE and term == self.term:
            self._tally(self.id)

    def _tally(self, voter: str) -> None:
        if not self.configuration.has_vote(voter):
            return
        self._votes.add(voter)
        if len(self._votes & set(self.configuration.voters)) < self.configuration.quorum:
            return
        if self.role is Role.PRE_CANDIDATE:
            self._campaign(transfer=False)
        else:
            self._out.append(Note(f"election won: term {self.term}, tally {len(self._votes)}"))
            self._become_leader()

    def _vote_responded(self, event: VoteResponded) -> None:
        request, response = event.request, event.response
        if isinstance(request, RequestVoteRequest) and isinstance(response, RequestVoteResponse):
            if response.term > self.term:
                self._become_follower(response.term, None)
            elif self.role is Role.CANDIDATE and request.term == self.term and response.granted:
                self._tally(event.peer)
        elif isinstance(request, PreVoteRequest) and isinstance(response, PreVoteResponse):
            if response.term > request.term:
                if response.term > self.term:
                    self._become_follower(response.term, None)
            elif self.role is Role.PRE_CANDIDATE and request.term == self.term + 1 and response.granted:
                self._tally(event.peer)

    def _vote_failed(self, event: SendFailed) -> None:
        send = event.send
        if not isinstance(send, Send) or not event.unsupported:
            return
        message = send.message
        # An older server does not know pre-votes. It lives, so it counts as granted, as in hashicorp/raft.
        if isinstance(message, PreVoteRequest) and self.role is Role.PRE_CANDIDATE and message.term == self.term + 1:
            self._tally(send.to)

    # -- receiver ------------------------------------------------------------------------------------------------------

    def _refusal(self, request: RequestVoteRequest | PreVoteRequest, address: bytes) -> str | None:
        """Why this (pre-)vote is refused whatever the terms and logs, or None.

        hashicorp/raft 1.7 also refuses candidates missing from its own configuration. A voter that was added while far
        behind then never votes for the only servers which could tell it about themselves, and the cluster stands still
        for good. A known leader and the comparison of logs already stop removed servers, so we do not ask.
        """
        transfer = isinstance(request, RequestVoteRequest) and request.leadership_transfer
        leader = self.leader_address.encode("utf-8", "surrogateescape")
        if leader and leader != address and not transfer:
            return f"have a leader: {self.leader_address}"
        return None

    def _log_is_newer_than(self, last_term: int, last_index: int) -> bool:
        return (self.last_term, self.last_index) > (last_term, last_index)

    def _request_vote(self, request_id: int, request: RequestVoteRequest) -> None:
        address = request.addr or request.candidate
        refusal = self._refusal(request, address)
        if refusal is None and request.term < self.term:
            refusal = f"term {request.term} is older than {self.term}"
        if refusal is not None:
            self._vote_reply(request_id, False, refusal)
            return
        if request.term > self.term:
            self._become_follower(request.term, None)
        if self.vote_term == self.term:
            granted = self.voted_for == request.candidate
            self._vote_reply(request_id, granted, None if granted else "already voted in this term")
            return
        if self._log_is_newer_than(request.last_log_term, request.last_log_index):
            self._vote_reply(request_id, False, "candidate's log is older")
            return
        self.vote_term = self.term
        self.voted_for = request.candidate
        self._persist()
        self._reset_election_timer()
        self._vote_reply(request_id, True, None)

    def _vote_reply(self, request_id: int, granted: bool, why: str | None) -> None:
        if why is not None:
            self._out.append(Note(f"rejecting vote request: {why}"))
        response = RequestVoteResponse(self.term, granted, id=self.id.encode(), addr=self.address.encode())
        self._after_disk(Reply(request_id, response))

    def _request_pre_vote(self, request_id: int, request: PreVoteRequest) -> None:
        refusal = self._refusal(request, request.addr)
        term = self.term
        if refusal is None:
            if request.term < self.term:
                refusal = f"term {request.term} is older than {self.term}"
            elif self._log_is_newer_than(request.last_log_term, request.last_log_index):
                refusal = "candidate's log is older"
            term = max(term, request.term)
        if refusal is not None:
            self._out.append(Note(f"rejecting pre-vote request: {refusal}"))
        response = PreVoteResponse(term, refusal is None, id=self.id.encode(), addr=self.address.encode())
        self._out.append(Reply(request_id, response))

    def _timeout_now(self, request_id: int, request: TimeoutNowRequest) -> None:
        self._out.append(Reply(request_id, TimeoutNowResponse(id=self.id.encode(), addr=self.address.encode())))
        if self.role is Role.LEADER or not self._may_lead(self.id):
            return
        self.leader_id = None
        self.leader_address = ""
        self._transfer_campaign = True
        self._campaign(transfer=True)

    def _become_leader(self) -> None:
        raise AssertionError("part missing")
