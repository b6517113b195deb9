"""This server's log: what is written, durable and committed, and the configurations in it (etcd/raft's raftLog).

The disk is a peer: writes go to it in order, and a promise about one is kept back until the disk has answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.events import (
    Append,
    Apply,
    Compact,
    ConfigurationChanged,
    DiskDone,
    DiskFailed,
    Effect,
    PersistState,
    Proposal,
    Reply,
    ResetLog,
    SnapshotTaken,
)
from proconsul.engine.raft.messages import EntryType, LogEntry
from proconsul.engine.raft.state import INFINITE, RaftState


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


class RaftLog:
    """``configuration_changed`` hears of a configuration that came into force, ``configuration_committed`` of one that
    was committed, ``vote_durable`` that this server's vote for itself in a term is on disk."""

    def __init__(
        self,
        state: RaftState,
        *,
        configuration_changed: Callable[[], None],
        configuration_committed: Callable[[], None],
        vote_durable: Callable[[int], None],
    ) -> None:
        self._state = state
        self._configuration_changed = configuration_changed
        self._configuration_committed = configuration_committed
        self._vote_durable = vote_durable
        self._pending: deque[PendingWrite] = deque()
        self._disk_seq = 0
        # When a disk that failed is to be tried again.
        self.retry_at = INFINITE
        self._lost_reset: tuple[int, int] | None = None

    def append(
        self,
        entries: Sequence[LogEntry],
        truncate_from: int | None = None,
        proposals: Sequence[Proposal] = (),
    ) -> None:
        """Write entries behind the log's end, or instead of what begins at ``truncate_from``."""
        state = self._state
        assert entries, "nothing to append"
        assert state.storage_error is None, "append to a failed disk"
        if truncate_from is not None:
            self._truncate(truncate_from)
        assert entries[0].index == state.terms.last_index + 1, "gap in the log"
        if entries[0].term == entries[-1].term:
            state.terms.extend(entries[-1].index, entries[0].term)
        else:
            for entry in entries:
                state.terms.extend(entry.index, entry.term)
        write = self._write(entries[-1].index)
        write.truncated_to = None if truncate_from is None else truncate_from - 1
        state.out.append(Append(self._disk_seq, entries, truncate_from, proposals))

    def _truncate(self, index: int) -> None:
        state = self._state
        assert index > state.commit_index, "a committed entry must never be truncated"
        state.terms.truncate_from(index)
        state.durable_index = min(state.durable_index, index - 1)
        state.verified_index = min(state.verified_index, index - 1)
        for write in self._pending:
            if write.durable_index is not None:
                write.durable_index = min(write.durable_index, index - 1)
        if state.configuration_index >= index:
            state.configuration = state.committed_configuration
            state.configuration_index = state.committed_configuration_index
            state.out.append(ConfigurationChanged(state.configuration, state.configuration_index, True))
            self._configuration_changed()

    def persist(self, *, self_vote: bool = False) -> None:
        """Write term and vote."""
        state = self._state
        write = self._write(None)
        write.term = state.term
        write.vote_term = state.term if self_vote else None
        state.out.append(PersistState(self._disk_seq, state.term, state.vote_term, state.voted_for))

    def reset(self, index: int, term: int) -> None:
        """The log is replaced by a durable snapshot."""
        state = self._state
        state.terms.reset(index, term)
        # Acknowledgements of writes to the old log must not move the durable index of the new one.
        for earlier in self._pending:
            if earlier.durable_index is not None:
                earlier.durable_index = index
        state.durable_index = index
        state.verified_index = index
        self._write(index).reset = (index, term)
        state.out.append(ResetLog(self._disk_seq, index, term))

    def _write(self, durable_index: int | None) -> PendingWrite:
        state = self._state
        self._disk_seq += 1
        write = PendingWrite(self._disk_seq, durable_index, state.now)
        self._pending.append(write)
        return write

    def stalls_at(self) -> float:
        """When this disk counts as hanging, unless it answers; INFINITE when nothing is to be answered."""
        state = self._state
        return self._pending[0].began + state.config.storage_stall_s if self._pending else INFINITE

    def after_disk(self, effect: Effect) -> None:
        """Give the effect out when everything written so far is durable."""
        state = self._state
        if self._pending:
            self._pending[-1].effects.append(effect)
        else:
            state.out.append(effect)

    def done(self, event: DiskDone) -> bool:
        """Writes are durable; give out what waited for them. True if a disk that had failed works again."""
        state = self._state
        assert event.seq <= self._disk_seq, "the disk acknowledged a write that was not made"
        pending = self._pending
        while pending and pending[0].seq <= event.seq:
            write = pending.popleft()
            if write.durable_index is not None:
                state.durable_index = write.durable_index
            if write.term is not None:
                state.persisted_term = write.term
            state.out.extend(write.effects)
            if write.vote_term is not None:
                self._vote_durable(write.vote_term)
        if state.storage_error is None or pending:
            return False
        self._recovered()
        return True

    def failed(self, event: DiskFailed) -> None:
        """A write failed; it and those behind it are gone, and so is what waited for them."""
        state = self._state
        state.note(f"storage failed: {event.reason}; refusing writes until the disk accepts them again")
        state.storage_error = event.reason
        last_index = event.last_index
        for write in self._pending:
            if write.truncated_to is not None:
                # The disk may still hold the old suffix; it is overwritten by the next append.
                last_index = min(last_index, write.truncated_to)
            if write.reset is not None:
                self._lost_reset = write.reset
            for effect in write.effects:
                if isinstance(effect, Reply):
                    state.out.append(Reply(effect.request_id, effect.response, f"storage failed: {event.reason}"))
        self._pending.clear()
        last_index = max(last_index, state.terms.base_index)
        assert last_index >= state.commit_index, "a failed write lost committed entries"
        if last_index < state.terms.last_index:
            self._truncate(last_index + 1)
        state.durable_index = state.terms.last_index
        self.retry_at = state.now + state.config.storage_retry_s

    def probe(self) -> None:
        """Try whether the disk writes again, with the one write that is always right: our present term and vote."""
        state = self._state
        self.retry_at = INFINITE
        if self._lost_reset is not None:
            index, term = self._lost_reset
            self._lost_reset = None
            self._write(None).reset = (index, term)
            state.out.append(ResetLog(self._disk_seq, index, term))
        self.persist()

    def _recovered(self) -> None:
        state = self._state
        state.note("storage works again")
        state.storage_error = None
        self.retry_at = INFINITE

    def adopt(self, index: int, configuration: Configuration) -> None:
        """A configuration counts as soon as it is in the log (dissertation 4.1)."""
        state = self._state
        state.committed_configuration = state.configuration
        state.committed_configuration_index = state.configuration_index
        state.configuration = configuration
        state.configuration_index = index
        state.out.append(ConfigurationChanged(configuration, index, False))
        self._configuration_changed()

    def adopt_from(self, entries: Sequence[LogEntry]) -> None:
        """Adopt the configurations among these entries."""
        for entry in entries:
            if entry.type == EntryType.CONFIGURATION:
                self.adopt(entry.index, Configuration.decode(entry.data))

    def commit_to(self, index: int) -> None:
        """Everything up to ``index``, which is durable here, is committed."""
        state = self._state
        if index <= state.commit_index:
            return
        assert index <= state.durable_index, "commit beyond what is durable here"
        first = state.commit_index + 1
        state.commit_index = index
        state.out.append(Apply(first, index))
        if state.committed_configuration_index < state.configuration_index <= index:
            state.committed_configuration = state.configuration
            state.committed_configuration_index = state.configuration_index
            state.out.append(ConfigurationChanged(state.configuration, state.configuration_index, True))
            self._configuration_committed()

    def snapshot_taken(self, event: SnapshotTaken) -> None:
        """Cut the log, now that a snapshot has its beginning."""
        state = self._state
        if event.index > state.snapshot_index:
            state.snapshot_index, state.snapshot_term = event.index, event.term
        up_to = min(event.compact_to, state.snapshot_index, state.durable_index)
        if up_to > state.terms.base_index:
            state.terms.compact(up_to)
            state.out.append(Compact(up_to))
