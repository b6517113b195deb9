"""What can be read from a running node at any time, without asking anyone."""

from __future__ import annotations

import asyncio

from proconsul.engine.raft.applier import Applier
from proconsul.engine.raft.configuration import Configuration, IndexedConfiguration
from proconsul.engine.raft.core import RaftCore
from proconsul.engine.raft.events import Role
from proconsul.engine.raft.state import INFINITE
from proconsul.engine.raft.stats import raft_stats


class Readings:
    """Valid between ``start`` and the end of the process; after ``stop`` they keep their last values."""

    core: RaftCore
    _applier: Applier
    _loop: asyncio.AbstractEventLoop
    _running: bool
    # (term, until when): what `has_lease` found last. Contacts only get newer, so it never ends earlier than that.
    _lease: tuple[int, float] = (0, 0.0)
    _up_to_date = False

    def has_lease(self, now: float) -> bool:
        """Whether nobody else can lead yet: this server leads, and a quorum heard so less than a lease ago.

        ``now`` is the time of now, not that of the event loop's turn: a process that was stopped in between must
        notice. False while leadership is being handed over, as the next leader does not wait for a lease to end.
        """
        state = self.core.state
        term = state.term
        if not state.is_leader or state.handed_over_in == term or not self._running:
            return False
        known, until = self._lease
        if known == term and now < until:
            return True
        until = state.lease_ends()
        self._lease = term, until
        return now < until

    def hears_quorum(self, now: float) -> bool:
        """As `has_lease`, also after leadership was offered to somebody who did not take it. That one may still do so,
        so each read has to be confirmed; but this server leads, and not only by its own word."""
        state = self.core.state
        return state.is_leader and self._running and now < state.lease_ends()

    @property
    def has_state(self) -> bool:
        """True if this server was ever part of a cluster."""
        return self.core.state.has_state

    @property
    def state(self) -> Role:
        """Follower, candidate or leader."""
        return self.core.state.role

    @property
    def term(self) -> int:
        """Current term."""
        return self.core.state.term

    @property
    def leader_id(self) -> str | None:
        """Id of the known leader, or None."""
        return self.core.state.leader_id

    @property
    def leader_address(self) -> str:
        """``ip:port`` of the known leader, or empty."""
        return self.core.state.leader_address

    @property
    def last_index(self) -> int:
        """Last index of the log."""
        return self.core.state.last_index

    @property
    def last_term(self) -> int:
        """Term of the last entry of the log."""
        return self.core.state.last_term

    @property
    def commit_index(self) -> int:
        """Highest committed index known here."""
        return self.core.state.commit_index

    @property
    def applied_index(self) -> int:
        """Highest index the state machine has."""
        return self._applier.applied_index

    @property
    def is_up_to_date(self) -> bool:
        """Whether the state machine has what was known to be committed when a leader was first heard after the start.

        Until then it has what was there at the last snapshot, or nothing, however lately the leader was heard.
        """
        if not self._up_to_date:
            state = self.core.state
            committed = state.commit_index
            told = committed > state.snapshot_index or committed == state.last_index
            self._up_to_date = told and self._applier.applied_index >= committed > 0
        return self._up_to_date

    @property
    def applied_term(self) -> int:
        """Term of that entry."""
        return self._applier.applied_term

    @property
    def last_contact(self) -> float | None:
        """Seconds since the leader was heard: 0 on the leader, None if never."""
        if self.core.state.is_leader:
            return 0.0
        heard = self.core.state.last_contact
        return None if heard is None else self._loop.time() - heard

    def silence_of(self, server_id: str) -> float | None:
        """Seconds since a follower last answered this leader; None for who is no follower of ours."""
        progress = self.core.state.progress.get(server_id) if self.core.state.is_leader else None
        return None if progress is None else self._loop.time() - progress.contact

    def quorum_contact(self) -> float | None:
        """Seconds since a quorum last answered this leader; None when it needs nobody's answer."""
        state = self.core.state
        contact = state.quorum_contact() if state.is_leader else INFINITE
        return None if contact == INFINITE else self._loop.time() - contact

    @property
    def last_snapshot(self) -> tuple[int, int]:
        """(index, term) of the last snapshot, zeros if there is none."""
        return self.core.state.snapshot_index, self.core.state.snapshot_term

    @property
    def members(self) -> Configuration:
        """The latest configuration, committed or not: the one in force."""
        return self.core.state.configuration

    @property
    def configuration(self) -> IndexedConfiguration:
        """`members`, and where it stands in the log."""
        state = self.core.state
        return IndexedConfiguration(state.configuration_index, state.configuration)

    @property
    def committed_configuration(self) -> IndexedConfiguration:
        """The newest configuration known to be committed."""
        state = self.core.state
        return IndexedConfiguration(state.committed_configuration_index, state.committed_configuration)

    def stats(self) -> dict[str, str]:
        """The ``raft`` block of ``consul info``."""
        return raft_stats(self.core.state, self._applier.applied_index, self._loop.time())
