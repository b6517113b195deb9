"""The follower's side of replication: log matching, commit, and snapshots of the leader (paper 5.3 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.election import Election
from proconsul.engine.raft.errors import WireError
from proconsul.engine.raft.events import (
    ReceiveSnapshot,
    Reply,
    RestoreSnapshot,
    Role,
    SnapshotFailed,
    SnapshotStored,
)
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
)
from proconsul.engine.raft.raft_log import RaftLog
from proconsul.engine.raft.state import RaftState


class Follower:
    """What a server does that hears a leader."""

    def __init__(self, state: RaftState, log: RaftLog, election: Election) -> None:
        self._state = state
        self._log = log
        self._election = election
        # The term of each InstallSnapshot request whose bytes are being stored.
        self._receiving: dict[int, int] = {}

    def _refuse_append(self, request_id: int, *, error: str = "", retry_now: bool = False) -> None:
        state = self._state
        response = AppendEntriesResponse(
            state.term, state.last_index, False, retry_now, id=state.id_bytes, addr=state.address_bytes
        )
        self._log.after_disk(Reply(request_id, response, error))

    def _heard_leader(self, term: int, header_id: bytes, address: bytes) -> None:
        """A rightful leader of ``term`` spoke (term is not older than ours)."""
        state = self._state
        server_id, where = self._leader_of(header_id, address)
        if term > state.term or state.role is not Role.FOLLOWER:
            assert term > state.term or not state.is_leader, "two leaders in one term"
            self._election.become_follower(term, server_id, where)
        self._election.remember_leader(server_id, where)
        state.last_contact = state.now

    def _leader_of(self, header_id: bytes, address: bytes) -> tuple[str | None, str]:
        """Who sent it, None when an old leader does not say and no server has that address; and from where."""
        state = self._state
        where = address.decode("utf-8", "surrogateescape")
        if header_id:
            return header_id.decode("utf-8", "surrogateescape"), where
        server = state.configuration.by_address(where)
        return server.id if server is not None else None, where

    def append_entries(self, request_id: int, request: AppendEntriesRequest) -> None:
        """A leader's entries or heartbeat."""
        state = self._state
        if request.term < state.term:
            self._refuse_append(request_id)
            return
        self._heard_leader(request.term, request.id, request.addr or request.leader)
        entries = request.entries or ()
        if not _well_formed(request, entries):
            self._refuse_append(request_id, error="entries do not follow each other")
            return
        prev, base = request.prev_log_entry, state.terms.base_index
        if prev == 0 and not entries:
            self._accept_heartbeat(request_id)
            return
        if prev < base:
            # What lies before our snapshot is committed, hence equal to the leader's, unless the snapshot is a user's
            # which we restored as leader and nobody else ever got.
            at_base = entries[base - prev - 1].term if prev + len(entries) >= base else None
            matches = at_base is None or at_base == state.terms.term_at(base)
            prev, entries = min(base, prev + len(entries)), entries[base - prev :]
        else:
            matches = state.terms.term_at(prev) == request.prev_log_term
        if not matches:
            self._refuse_append(request_id, retry_now=True)
            return
        self._store(entries)
        state.verified_index = max(state.verified_index, prev + len(entries))
        state.leader_commit = max(state.leader_commit, request.leader_commit_index)
        response = AppendEntriesResponse(
            state.term, state.last_index, True, id=state.id_bytes, addr=state.address_bytes
        )
        self._log.after_disk(Reply(request_id, response))
        self.advance_commit()

    def _accept_heartbeat(self, request_id: int) -> None:
        state = self._state
        response = AppendEntriesResponse(
            state.term, state.last_index, True, id=state.id_bytes, addr=state.address_bytes
        )
        # A heartbeat promises nothing about the log, so it does not wait for a slow disk; only for the term.
        if state.persisted_term >= state.term:
            state.out.append(Reply(request_id, response))
        else:
            self._log.after_disk(Reply(request_id, response))

    def _store(self, entries: Sequence[LogEntry]) -> None:
        """Append what is new; drop a suffix that conflicts."""
        state = self._state
        for position, entry in enumerate(entries):
            term = state.terms.term_at(entry.index)
            if term == entry.term:
                continue
            new = entries[position:]
            self._log.append(new, entry.index if term is not None else None)
            self._log.adopt_from(new)
            return

    def advance_commit(self) -> None:
        """Commit what the leader has committed, as far as it is here."""
        # Only the prefix verified against this leader counts: behind it our log may differ from the leader's.
        state = self._state
        self._log.commit_to(min(state.leader_commit, state.verified_index, state.durable_index))

    def install_snapshot(self, request_id: int, request: InstallSnapshotRequest) -> None:
        """A leader sends a snapshot: have it stored."""
        state = self._state
        if request.term < state.term:
            self._snapshot_reply(request_id, False)
            return
        self._heard_leader(request.term, request.id, request.addr or request.leader)
        self._receiving[request_id] = request.term
        state.out.append(ReceiveSnapshot(request_id, request))

    def _snapshot_reply(self, request_id: int, success: bool, error: str = "") -> None:
        state = self._state
        response = InstallSnapshotResponse(state.term, success, id=state.id_bytes, addr=state.address_bytes)
        self._log.after_disk(Reply(request_id, response, error))

    def snapshot_failed(self, event: SnapshotFailed) -> None:
        """The snapshot could not be taken in."""
        self._receiving.pop(event.request_id, None)
        self._snapshot_reply(event.request_id, False, event.reason)

    def snapshot_stored(self, event: SnapshotStored) -> None:
        """The snapshot is on disk: restore it if it is still wanted."""
        state = self._state
        request = event.request
        term = self._receiving.pop(event.request_id)
        if term != state.term or state.role is not Role.FOLLOWER or state.storage_error is not None:
            self._snapshot_reply(event.request_id, False)
            return
        index = request.last_log_index
        state.last_contact = state.now
        self._election.reset_timer()
        if index <= state.commit_index:
            self._snapshot_reply(event.request_id, True)
            return
        state.note(f"installing snapshot: index {index}, term {request.last_log_term}")
        keep = state.terms.term_at(index) == request.last_log_term and index <= state.durable_index
        if not keep:
            self._log.reset(index, request.last_log_term)
        state.commit_index = index
        state.snapshot_index, state.snapshot_term = index, request.last_log_term
        if not keep or state.configuration_index <= request.configuration_index:
            self._log.adopt(request.configuration_index, event.configuration)
            state.committed_configuration = state.configuration
            state.committed_configuration_index = state.configuration_index
        state.verified_index = max(state.verified_index, index)
        state.out.append(RestoreSnapshot(index, request.last_log_term))
        self._snapshot_reply(event.request_id, True)

    def append_without_storage(self, request_id: int, request: AppendEntriesRequest) -> bool:
        """While the disk fails: remember who leads, and answer a heartbeat of the term that is on disk, which promises
        nothing else. True if it was answered."""
        state = self._state
        if request.term < state.term:
            return False
        self._election.remember_leader(*self._leader_of(request.id, request.addr or request.leader))
        is_heartbeat = request.prev_log_entry == 0 and not request.entries
        if not is_heartbeat or request.term != state.persisted_term:
            return False
        self._accept_heartbeat(request_id)
        return True


def _well_formed(request: AppendEntriesRequest, entries: Sequence[LogEntry]) -> bool:
    """Entries must follow prev, terms must not decrease nor pass the leader's; configurations must decode."""
    index, term = request.prev_log_entry, request.prev_log_term
    for entry in entries:
        if entry.index != index + 1 or not term <= entry.term <= request.term:
            return False
        if entry.type == EntryType.CONFIGURATION and not _decodes(entry):
            return False
        index, term = entry.index, entry.term
    return True


def _decodes(entry: LogEntry) -> bool:
    try:
        Configuration.decode(entry.data)
    except WireError:
        return False
    return True
