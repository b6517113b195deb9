"""The state that all parts of the core share, and questions about it. Pure: no clock, no I/O, no rule of Raft.

The parts (`RaftLog`, `Election`, `Replication`, `Follower`, `Membership`, `ReadIndex`, `LeadershipTransfer`) each hold
this one object; what only one part needs, it keeps itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from proconsul.engine.raft import quorum
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import EMPTY, Configuration
from proconsul.engine.raft.events import Effect, Note, Resolved, Role
from proconsul.engine.raft.messages import StableState
from proconsul.engine.raft.progress import INFINITE, Progress
from proconsul.engine.raft.terms import LogTerms

__all__ = ["INFINITE", "InitialState", "RaftState"]


class InitialState:
    """What the driver found on disk: stable state, log shape, snapshot and configurations."""

    __slots__ = ("configurations", "snapshot_configuration", "snapshot_index", "snapshot_term", "stable", "terms")

    def __init__(
        self,
        stable: StableState,
        terms: LogTerms,
        configurations: Sequence[tuple[int, Configuration]] = (),
        snapshot_index: int = 0,
        snapshot_term: int = 0,
        snapshot_configuration: tuple[int, Configuration] = (0, EMPTY),
    ) -> None:
        self.stable = stable
        self.terms = terms
        self.configurations = configurations
        self.snapshot_index = snapshot_index
        self.snapshot_term = snapshot_term
        self.snapshot_configuration = snapshot_configuration


class RaftState:
    """Read the attributes freely; only the parts of the core change them, within ``RaftCore.step``."""

    def __init__(
        self, config: RaftConfig, server_id: str, address: str, rng: Random, initial: InitialState, now: float
    ) -> None:
        self.config = config
        self.id = server_id
        self.address = address
        # As they stand in the header of every message.
        self.id_bytes = server_id.encode()
        self.address_bytes = address.encode()
        self.rng = rng
        # Of the step under way: its time, and the effects so far.
        self.now = now
        self.out: list[Effect] = []
        # What is on disk, or soon will be.
        self.term = max(initial.stable.term, initial.terms.last_term)
        self.vote_term = initial.stable.vote_term
        self.voted_for = initial.stable.voted_for
        self.persisted_term = initial.stable.term
        self.terms = initial.terms
        self.durable_index = initial.terms.last_index
        self.commit_index = initial.snapshot_index
        self.snapshot_index = initial.snapshot_index
        self.snapshot_term = initial.snapshot_term
        # Why the disk refused the last write; None while it works.
        self.storage_error: str | None = None
        # Membership: the configuration in force is the latest in the log, committed or not.
        self.committed_configuration_index, self.committed_configuration = initial.snapshot_configuration
        self.configuration_index, self.configuration = initial.snapshot_configuration
        for index, configuration in initial.configurations:
            if index > self.configuration_index:
                self.committed_configuration_index = self.configuration_index
                self.committed_configuration = self.configuration
                self.configuration_index, self.configuration = index, configuration
        self._alone_in: Configuration | None = None
        self._alone = False
        # Role.
        self.role = Role.FOLLOWER
        self.leader_id: str | None = None
        self.leader_address = ""
        self.last_contact: float | None = None
        self.election_at = INFINITE
        # Follower: the prefix of the log known to equal the leader's in this term, and how far that has committed.
        self.verified_index = 0
        self.leader_commit = 0
        # Leader: its followers by id, the number of the last send, and the first index of its own term.
        self.progress: dict[str, Progress] = {}
        self.send_seq = 0
        self.leader_start_index = 0
        # The term in which anybody was told to lead instead, until leadership ends; -1 if nobody was. That one may lead
        # without waiting for our lease to end, however late the word reaches it.
        self.handed_over_in = -1

    def __str__(self) -> str:
        reset = f" storage error: {self.storage_error}" if self.storage_error is not None else ""
        return (
            f"{self.role.value} term={self.term} leader={self.leader_id} commit={self.commit_index} "
            f"durable={self.durable_index} last={self.last_index}/{self.last_term} snapshot={self.snapshot_index} "
            f"configuration={self.configuration_index}{reset}"
        )

    # -- effects of the step under way ---------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """A sentence for the log."""
        self.out.append(Note(text))

    def resolve(self, token: int, error: str | None = None, *, not_leader: bool = False, index: int = 0) -> None:
        """The end of what was asked with this token."""
        self.out.append(Resolved(token, error, not_leader, index))

    # -- questions -----------------------------------------------------------------------------------------------------

    @property
    def last_index(self) -> int:
        """Last index of the log, durable or not."""
        return self.terms.last_index

    @property
    def last_term(self) -> int:
        """Term of the last entry."""
        return self.terms.last_term

    @property
    def is_leader(self) -> bool:
        """True while this server leads."""
        return self.role is Role.LEADER

    @property
    def has_state(self) -> bool:
        """True if this server was ever part of a cluster."""
        return self.term > 0 or self.last_index > 0 or self.snapshot_index > 0

    @property
    def is_single_voter(self) -> bool:
        """True if this server is the only voter, so it needs nobody's consent."""
        # Asked for every proposal, while configurations change once in a while.
        if self._alone_in is not self.configuration:
            self._alone_in, self._alone = self.configuration, self.configuration.voters == (self.id,)
        return self._alone

    def quorum_contact(self) -> float:
        """When this leader sent the newest message that a quorum has answered; INFINITE if it needs nobody's answer."""
        voters = self.configuration.voters
        return quorum.reached([INFINITE if v == self.id else self.progress[v].contact for v in voters])

    def lease_ends(self) -> float:
        """When leadership ends unless more voters answer: a lease after `quorum_contact`."""
        return self.quorum_contact() + self.config.leader_lease_timeout_s
