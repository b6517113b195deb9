"""The Raft core's state and the primitives every part uses: disk order, terms, stepping down, configuration.

Pure: no clock, no randomness of its own, no I/O. The classes ``Election``, ``Replication``, ``Membership`` and finally
``RaftCore`` build on this one, each in its own file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random

from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import EMPTY, Configuration
from proconsul.engine.raft.events import (
    Append,
    Apply,
    ConfigurationChanged,
    DiskDone,
    DiskFailed,
    Effect,
    LeadershipChanged,
    Note,
    PersistState,
    Reply,
    ResetLog,
    Resolved,
    Role,
)
from proconsul.engine.raft.messages import EntryType, LogEntry, StableState
from proconsul.engine.raft.progress import Progress
from proconsul.engine.raft.terms import LogTerms

INFINITE = float("inf")


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


class PendingWrite:
    """A write the disk has not acknowledged, and what to give out when it has."""

    __slots__ = ("began", "durable_index", "effects", "reset", "seq", "term", "truncated_to", "vote_term")

    def __init__(self, seq: int, durable_index: int | None, began: float) -> None:
        self.seq, self.began = seq, began
        self.durable_index = durable_index
        self.truncated_to: int | None = None
        self.reset: tuple[int, int] | None = None
        self.term: int | None = None
        self.vote_term: int | None = None
        self.effects: list[Effect] = []


class RaftState:
    """Fields and primitives. Read the attributes freely; change them only through ``RaftCore.step``."""

    def __init__(
        self, config: RaftConfig, server_id: str, address: str, rng: Random, initial: InitialState, now: float
    ) -> None:
        self.config = config
        self.id = server_id
        self.address = address
        self._rng = rng
        self._now = now
        self._out: list[Effect] = []
        # What is on disk, or soon will be.
        self.term = max(initial.stable.term, initial.terms.last_term)
        self.vote_term = initial.stable.vote_term
        self.voted_for = initial.stable.voted_for
        self._persisted_term = initial.stable.term
        self.terms = initial.terms
        self.durable_index = initial.terms.last_index
        self.commit_index = initial.snapshot_index
        self.snapshot_index = initial.snapshot_index
        self.snapshot_term = initial.snapshot_term
        self._pending: deque[PendingWrite] = deque()
        self._disk_seq = 0
        self.storage_error: str | None = None
        self._storage_retry_at = INFINITE
        self._lost_reset: tuple[int, int] | None = None
        # Membership.
        self.committed_configuration_index, self.committed_configuration = initial.snapshot_configuration
        self.configuration_index, self.configuration = initial.snapshot_configuration
        self._alone_in: Configuration | None = None
        self._alone = False
        for index, configuration in initial.configurations:
            if index > self.configuration_index:
                self.committed_configuration_index = self.configuration_index
                self.committed_configuration = self.configuration
                self.configuration_index, self.configuration = index, configuration
        # Role.
        self.role = Role.FOLLOWER
        self.leader_id: str | None = None
        self.leader_address = ""
        self.last_contact: float | None = None
        self._election_at = INFINITE
        self._votes: set[str] = set()
        self._transfer_campaign = False
        # Follower: prefix of the log known to equal the leader's in this term.
        self._verified_index = 0
        self._leader_commit = 0
        self._receiving: dict[int, int] = {}
        # Leader.
        self.progress: dict[str, Progress] = {}
        self._send_seq = 0
        self._leader_start_index = 0

    # -- what the driver asks ------------------------------------------------------------------------------------

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
    def is_single_voter(self) -> bool:
        """True if this server is the only voter, so it needs nobody's consent."""
        # Asked for every proposal, while configurations change once in a while.
        if self._alone_in is not self.configuration:
            self._alone_in, self._alone = self.configuration, self.configuration.voters == (self.id,)
        return self._alone

    # -- disk ------------------------------------------------------------------------------------------------------

    def _append(self, entries: Sequence[LogEntry], truncate_from: int | None = None) -> None:
        assert entries, "nothing to append"
        assert self.storage_error is None, "append to a failed disk"
        if truncate_from is not None:
            self._truncate(truncate_from)
        assert entries[0].index == self.terms.last_index + 1, "gap in the log"
        if entries[0].term == entries[-1].term:
            self.terms.extend(entries[-1].index, entries[0].term)
        else:
            for entry in entries:
                self.terms.extend(entry.index, entry.term)
        write = self._write(entries[-1].index)
        write.truncated_to = None if truncate_from is None else truncate_from - 1
        self._out.append(Append(self._disk_seq, entries, truncate_from))

    def _truncate(self, index: int) -> None:
        assert index > self.commit_index, "a committed entry must never be truncated"
        self.terms.truncate_from(index)
        self.durable_index = min(self.durable_index, index - 1)
        self._verified_index = min(self._verified_index, index - 1)
        for write in self._pending:
            if write.durable_index is not None:
                write.durable_index = min(write.durable_index, index - 1)
        if self.configuration_index >= index:
            self.configuration = self.committed_configuration
            self.configuration_index = self.committed_configuration_index
            self._out.append(ConfigurationChanged(self.configuration, self.configuration_index, True))
            self._configuration_adopted()

    def _persist(self, *, self_vote: bool = False) -> None:
        write = self._write(None)
        write.term = self.term
        write.vote_term = self.term if self_vote else None
        self._out.append(PersistState(self._disk_seq, self.term, self.vote_term, self.voted_for))

    def _reset_log(self, index: int, term: int) -> None:
        """The log is replaced by a durable snapshot."""
        self.terms.reset(index, term)
        # Acknowledgements of writes to the old log must not move the durable index of the new one.
        for earlier in self._pending:
            if earlier.durable_index is not None:
                earlier.durable_index = index
        self.durable_index = index
        self._verified_index = index
        self._write(index).reset = (index, term)
        self._out.append(ResetLog(self._disk_seq, index, term))

    def _write(self, durable_index: int | None) -> PendingWrite:
        self._disk_seq += 1
        write = PendingWrite(self._disk_seq, durable_index, self._now)
        self._pending.append(write)
        return write

    def _storage_stalls_at(self) -> float:
        """When this disk counts as hanging, unless it answers; INFINITE when nothing is to be answered."""
        return self._pending[0].began + self.config.storage_stall_s if self._pending else INFINITE

    def _after_disk(self, effect: Effect) -> None:
        """Give the effect out when everything written so far is durable."""
        if self._pending:
            self._pending[-1].effects.append(effect)
        else:
            self._out.append(effect)

    def _disk_done(self, event: DiskDone) -> None:
        assert event.seq <= self._disk_seq, "the disk acknowledged a write that was not made"
        pending = self._pending
        while pending and pending[0].seq <= event.seq:
            write = pending.popleft()
            if write.durable_index is not None:
                self.durable_index = write.durable_index
            if write.term is not None:
                self._persisted_term = write.term
            self._out.extend(write.effects)
            if write.vote_term is not None:
                self._self_vote_durable(write.vote_term)
        if self.storage_error is not None and not pending:
            self._storage_recovered()
        if self.role is Role.LEADER:
            self._leader_advance_commit()
        else:
            self._follower_advance_commit()

    def _disk_failed(self, event: DiskFailed) -> None:
        self._out.append(Note(f"storage failed: {event.reason}; refusing writes until the disk accepts them again"))
        self.storage_error = event.reason
        last_index = event.last_index
        for write in self._pending:
            if write.truncated_to is not None:
                # The disk may still hold the old suffix; it is overwritten by the next append.
                last_index = min(last_index, write.truncated_to)
            if write.reset is not None:
                self._lost_reset = write.reset
            for effect in write.effects:
                if isinstance(effect, Reply):
                    self._out.append(Reply(effect.request_id, effect.response, f"storage failed: {event.reason}"))
        self._pending.clear()
        last_index = max(last_index, self.terms.base_index)
        assert last_index >= self.commit_index, "a failed write lost committed entries"
        if last_index < self.terms.last_index:
            self._truncate(last_index + 1)
        self.durable_index = self.terms.last_index
        self._become_follower(self.term, None, persist=False)
        self._storage_retry_at = self._now + self.config.storage_retry_s

    def _storage_probe(self) -> None:
        """Try whether the disk writes again, with the one write that is always right: our present term and vote."""
        self._storage_retry_at = INFINITE
        if self._lost_reset is not None:
            index, term = self._lost_reset
            self._lost_reset = None
            self._write(None).reset = (index, term)
            self._out.append(ResetLog(self._disk_seq, index, term))
        self._persist()

    def _storage_recovered(self) -> None:
        self._out.append(Note("storage works again"))
        self.storage_error = None
        self._storage_retry_at = INFINITE
        self._reset_election_timer()

    # -- terms and roles ---------------------------------------------------------------------------------------------

    def _become_follower(
        self, term: int, leader_id: str | None, leader_address: str = "", *, persist: bool = True
    ) -> None:
        assert term >= self.term, "terms never go back"
        was_leader = self.role is Role.LEADER
        old_term = self.term
        if term > self.term:
            self.term = term
            self._leader_commit = 0
            if persist:
                self._persist()
        if self.role is not Role.FOLLOWER:
            self._out.append(Note(f"entering follower state: term {term}, leader {leader_id or 'unknown'}"))
            self.role = Role.FOLLOWER
        self._verified_index = 0
        self._votes = set()
        self._transfer_campaign = False
        self.leader_id = leader_id
        self.leader_address = leader_address
        if self._election_at == INFINITE:
            # Otherwise the timer goes on: only a leader or a granted vote puts it back (paper 5.2). If every newer term
            # did, hopeless candidates could keep the one electable server from ever campaigning.
            self._reset_election_timer()
        if was_leader:
            # To lead is as good as to hear a leader, as long as a quorum agrees.
            self.last_contact = self._led_until()
            self.progress = {}
            self._leadership_ended(term > old_term)
            self._out.append(LeadershipChanged(False, old_term))

    def _reset_election_timer(self) -> None:
        timeout = self.config.heartbeat_timeout_s
        # A single voter has nobody to wait for, unless a leader is just handing the cluster over to it.
        alone = self.is_single_voter and not self.leader_address
        self._election_at = self._now if alone else self._now + timeout * (1 + self._rng.random())

    # -- configuration -----------------------------------------------------------------------------------------------

    def _adopt(self, index: int, configuration: Configuration) -> None:
        """A configuration counts as soon as it is in the log (dissertation 4.1)."""
        self.committed_configuration = self.configuration
        self.committed_configuration_index = self.configuration_index
        self.configuration = configuration
        self.configuration_index = index
        self._out.append(ConfigurationChanged(configuration, index, False))
        self._configuration_adopted()

    def _commit_to(self, index: int) -> None:
        if index <= self.commit_index:
            return
        assert index <= self.durable_index, "commit beyond what is durable here"
        first = self.commit_index + 1
        self.commit_index = index
        self._out.append(Apply(first, index))
        if self.committed_configuration_index < self.configuration_index <= index:
            self.committed_configuration = self.configuration
            self.committed_configuration_index = self.configuration_index
            self._out.append(ConfigurationChanged(self.configuration, self.configuration_index, True))
            self._configuration_committed()

    def _adopt_from(self, entries: Sequence[LogEntry]) -> None:
        for entry in entries:
            if entry.type == EntryType.CONFIGURATION:
                self._adopt(entry.index, Configuration.decode(entry.data))

    # -- filled in by the other parts ----------------------------------------------------------------------------------

    def _self_vote_durable(self, term: int) -> None:
        raise AssertionError("part missing")

    def _leader_advance_commit(self) -> None:
        raise AssertionError("part missing")

    def _follower_advance_commit(self) -> None:
        raise AssertionError("part missing")

    def _led_until(self) -> float:
        raise AssertionError("part missing")

    def _leadership_ended(self, higher_term: bool) -> None:
        raise AssertionError("part missing")

    def _configuration_adopted(self) -> None:
        raise AssertionError("part missing")

    def _configuration_committed(self) -> None:
        raise AssertionError("part missing")

    def _resolve(self, token: int, error: str | None = None, *, not_leader: bool = False, index: int = 0) -> None:
        self._out.append(Resolved(token, error, not_leader, index))
