"""Replication: the leader's pipeline to each follower, the follower's log matching, commit (paper 5.3 and 5.4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.election import Election
from proconsul.engine.raft.errors import WireError
from proconsul.engine.raft.events import (
    AppendResponded,
    Compact,
    LeadershipChanged,
    Note,
    Propose,
    ReceiveSnapshot,
    Reply,
    RestoreSnapshot,
    Role,
    SendAppend,
    SendFailed,
    SendSnapshot,
    SnapshotFailed,
    SnapshotResponded,
    SnapshotStored,
    SnapshotTaken,
    UserRestored,
)
from proconsul.engine.raft.messages import (
    AppendEntriesRequest,
    AppendEntriesResponse,
    EntryType,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
)
from proconsul.engine.raft.progress import Progress, ProgressState
from proconsul.engine.raft.state import INFINITE

# First delay after a failed RPC, doubled each time (hashicorp/raft: 10 ms). The cap is one heartbeat timeout, so a
# follower that comes back is caught up before it would be missed.
FAILURE_WAIT_S = 0.010
# After this many refusals in a row the leader steps back by powers of two up to this distance.
BACK_OFF_MAX = 64
# A follower that lacks so much more than the usual number of entries gets more of them at once, since each request
# costs both sides. The driver cuts them up by size.
FAR_BEHIND_ENTRIES = 4096
CATCH_UP_ENTRIES = 1024


class Replication(Election):
    """How the log gets to the others."""

    # -- leader --------------------------------------------------------------------------------------------------------

    def _become_leader(self) -> None:
        assert self.role is Role.CANDIDATE, "only a candidate can win"
        self.role = Role.LEADER
        self.leader_id = self.id
        self.leader_address = self.address
        self._election_at = INFINITE
        self._out.append(Note(f"entering leader state: term {self.term}"))
        self._out.append(LeadershipChanged(True, self.term))
        self.progress = {}
        self._configuration_adopted()
        # A leader may only count its own term's entries; this one commits everything before it (paper 5.4.2, 8).
        self._leader_start_index = self.last_index + 1
        self._leader_append(((int(EntryType.NOOP), b"", b""),))

    def _propose(self, event: Propose) -> None:
        assert self.role is Role.LEADER, "only the leader appends"
        self._leader_append(event.proposals)

    def _leader_append(self, proposals: Sequence[tuple[int, bytes, bytes]]) -> None:
        term = self.term
        index = self.terms.last_index
        entries = [
            LogEntry(index := index + 1, term, entry_type, data, extensions)
            for entry_type, data, extensions in proposals
        ]
        self._append(entries)
        if len(self.progress):
            self._replicate_all()

    def _replicate_all(self) -> None:
        for peer, progress in self.progress.items():
            self._replicate(peer, progress)

    def _replicate(self, peer: str, progress: Progress) -> None:
        """Send what the follower lacks, as far as its window allows."""
        if progress.state is ProgressState.SNAPSHOT or self._now < progress.retry_at:
            return
        window = 1 if progress.state is ProgressState.PROBE else self.config.inflight_max
        while progress.inflight < window and progress.next <= self.terms.last_index:
            prev = progress.next - 1
            if prev < self.terms.base_index:
                self._send_snapshot(peer, progress)
                return
            count = self.config.append_entries_max
            if self.terms.last_index - prev > FAR_BEHIND_ENTRIES:
                count = max(count, CATCH_UP_ENTRIES)
            last = min(prev + count, self.terms.last_index)
            self._send_append(peer, progress, prev, last)
            if progress.state is ProgressState.PROBE:
                return
            progress.next = last + 1

    def _send_append(self, peer: str, progress: Progress, prev: int, last: int) -> None:
        prev_term = self.terms.term_at(prev)
        assert prev_term is not None, "sending from a compacted index"
        self._send_seq += 1
        progress.inflight += 1
        progress.sent_commit = self.commit_index
        progress.commit_due = self._now + self.config.idle_interval_s * (1 + self._rng.random())
        self._out.append(
            SendAppend(peer, self._send_seq, self.term, prev, prev_term, last, self.commit_index, False, self._now)
        )

    def _send_snapshot(self, peer: str, progress: Progress) -> None:
        self._send_seq += 1
        progress.restart(ProgressState.SNAPSHOT, self._send_seq)
        self._out.append(Note(f"sending snapshot to {peer}: it needs index {progress.next}"))
        self._out.append(SendSnapshot(peer, self._send_seq, self.term, self._now))

    def _heartbeat(self, peer: str, progress: Progress) -> None:
        self._send_seq += 1
        progress.heartbeat_out = self._now
        progress.heartbeat_at = self._now + self.config.heartbeat_interval_s * (1 + self._rng.random())
        self._out.append(SendAppend(peer, self._send_seq, self.term, 0, 0, 0, 0, True, self._now))

    def _leader_tick(self) -> None:
        now = self._now
        for peer, progress in self.progress.items():
            if now >= progress.heartbeat_at:
                self._heartbeat(peer, progress)
            if now >= progress.retry_at and progress.next <= self.terms.last_index:
                self._replicate(peer, progress)
            if now >= progress.commit_due:
                self._send_commit(peer, progress)
        if now >= self._storage_stalls_at():
            self._out.append(Note("the disk does not answer: stepping down"))
            self._become_follower(self.term, None)
        elif now >= self.lease_ends():
            self._out.append(Note("failed to contact a quorum of voters within the lease: stepping down"))
            self._become_follower(self.term, None)

    def _send_commit(self, peer: str, progress: Progress) -> None:
        """Tell an idle follower how far the log is committed, and find out if it lost its log or its commit index.

        Heartbeats carry neither, so this goes on when nothing happens, as often as a healthy server must hear.
        """
        progress.commit_due = self._now + self.config.idle_interval_s * (1 + self._rng.random())
        if progress.state is ProgressState.SNAPSHOT or self._now < progress.retry_at:
            return
        window = 1 if progress.state is ProgressState.PROBE else self.config.inflight_max
        if progress.inflight < window and progress.next > self.terms.base_index:
            self._send_append(peer, progress, progress.next - 1, progress.next - 1)

    def _led_until(self) -> float:
        """When a quorum last answered this leader; now, when it needs nobody's answer."""
        return min(self._now, self.lease_ends() - self.config.leader_lease_timeout_s)

    def lease_ends(self) -> float:
        """When leadership ends unless more voters answer: a lease after the sending of what the last voter of a quorum
        has answered."""
        voters = self.configuration.voters
        needed = len(voters) // 2 + 1
        contacts = [INFINITE if v == self.id else self.progress[v].contact for v in voters]
        contacts.sort(reverse=True)
        return contacts[needed - 1] + self.config.leader_lease_timeout_s

    def _leader_deadline(self) -> float:
        deadline = self.lease_ends()
        for progress in self.progress.values():
            deadline = min(deadline, progress.heartbeat_at, progress.commit_due)
            if progress.retry_at > self._now and progress.next <= self.terms.last_index:
                deadline = min(deadline, progress.retry_at)
        return deadline

    def _append_responded(self, event: AppendResponded) -> None:
        send, response = event.send, event.response
        if response.term > self.term:
            self._out.append(Note(f"{send.to} has term {response.term}, newer than {self.term}"))
            self._become_follower(response.term, None)
            return
        progress = self.progress.get(send.to)
        if self.role is not Role.LEADER or send.term != self.term or progress is None:
            return
        progress.contact = max(progress.contact, send.sent_at)
        progress.failures = 0
        if send.heartbeat:
            progress.heartbeat_out = -INFINITE
            if response.success:
                self._acknowledged(progress, send.seq)
            return
        current = send.seq >= progress.epoch_seq
        if current and progress.inflight:
            progress.inflight -= 1
        if response.success:
            self._matched(progress, send, current)
        elif current:
            self._rejected(progress, send, response)
        # The peer may have been removed, or leadership ended, by what this answer committed.
        if self.role is Role.LEADER and self.progress.get(send.to) is progress:
            self._replicate(send.to, progress)

    def _acknowledged(self, progress: Progress, seq: int) -> None:
        if seq > progress.acked_seq:
            progress.acked_seq = seq
            self._leadership_confirmed()

    def _matched(self, progress: Progress, send: SendAppend, current: bool) -> None:
        progress.rejections = 0
        if current and progress.state is ProgressState.PROBE:
            progress.state = ProgressState.PIPELINE
        advanced = send.last_index > progress.match
        if advanced:
            progress.match = send.last_index
            progress.next = max(progress.next, progress.match + 1)
        if progress.sent_commit < self.commit_index:
            progress.commit_due = min(progress.commit_due, self._now + self.config.commit_timeout_s)
        self._acknowledged(progress, send.seq)
        if advanced and self.role is Role.LEADER:
            self._leader_advance_commit()
            self._follower_caught_up(send.to)

    def _rejected(self, progress: Progress, send: SendAppend, response: AppendEntriesResponse) -> None:
        step = min(2**progress.rejections, BACK_OFF_MAX)
        progress.rejections += 1
        lower = min(send.prev_index + 1 - step, response.last_log + 1)
        if response.last_log < progress.match:
            # It has lost what it once acknowledged (its disk was replaced): start over.
            progress.match = 0
        progress.next = max(lower, progress.match + 1, 1)
        progress.restart(ProgressState.PROBE, self._send_seq + 1)
        progress.retry_at = self._now
        if not response.no_retry_backoff:
            self._delay(progress)
        if send.prev_index == 0:
            # Before the first entry nothing can differ: it has a snapshot that never was the cluster's.
            self._send_snapshot(send.to, progress)

    def _delay(self, progress: Progress) -> None:
        progress.failures = min(progress.failures + 1, 16)
        wait = min(FAILURE_WAIT_S * 2 ** (progress.failures - 1), self.config.heartbeat_timeout_s)
        progress.retry_at = self._now + wait

    def _append_failed(self, event: SendFailed) -> None:
        send = event.send
        if isinstance(send, SendAppend | SendSnapshot):
            progress = self.progress.get(send.to)
            if self.role is not Role.LEADER or send.term != self.term or progress is None:
                return
            if isinstance(send, SendAppend) and send.heartbeat:
                progress.heartbeat_out = -INFINITE
            elif send.seq >= progress.epoch_seq:
                if isinstance(send, SendAppend):
                    progress.next = max(progress.match + 1, min(progress.next, send.prev_index + 1))
                progress.restart(ProgressState.PROBE, self._send_seq + 1)
                self._delay(progress)

    def _leader_advance_commit(self) -> None:
        """Commit the highest index of our term that a majority has on disk (paper 5.3, 5.4.2).

        Only what is durable here is committed, though Raft would allow more: then the disk, the state machine and the
        commit index can never disagree about which entries this server holds.
        """
        voters = self.configuration.voters
        if voters == (self.id,):
            index = self.durable_index
        else:
            matches = [self.durable_index if v == self.id else self.progress[v].match for v in voters]
            matches.sort(reverse=True)
            index = min(matches[len(matches) // 2], self.durable_index)
        if index > self.commit_index and index >= self._leader_start_index:
            self._commit_to(index)
            for progress in self.progress.values():
                if progress.sent_commit < self.commit_index:
                    due = self._now + self.config.commit_timeout_s
                    progress.commit_due = min(progress.commit_due, due)

    # -- follower ------------------------------------------------------------------------------------------------------

    def _refuse_append(self, request_id: int, *, error: str = "", retry_now: bool = False) -> None:
        response = AppendEntriesResponse(
            self.term, self.last_index, False, retry_now, id=self.id.encode(), addr=self.address.encode()
        )
        self._after_disk(Reply(request_id, response, error))

    def _heard_leader(self, term: int, header_id: bytes, address: bytes) -> None:
        """A rightful leader of ``term`` spoke (term is not older than ours)."""
        server_id, where = self._leader_of(header_id, address)
        if term > self.term or self.role is not Role.FOLLOWER:
            assert term > self.term or self.role is not Role.LEADER, "two leaders in one term"
            self._become_follower(term, server_id, where)
        self._remember_leader(server_id, where)
        self.last_contact = self._now

    def _leader_of(self, header_id: bytes, address: bytes) -> tuple[str | None, str]:
        """Who sent it, None when an old leader does not say and no server has that address; and from where."""
        where = address.decode("utf-8", "surrogateescape")
        if header_id:
            return header_id.decode("utf-8", "surrogateescape"), where
        server = self.configuration.by_address(where)
        return server.id if server is not None else None, where

    def _remember_leader(self, server_id: str | None, where: str) -> None:
        self.leader_id, self.leader_address = server_id, where
        self._reset_election_timer()

    def _append_entries(self, request_id: int, request: AppendEntriesRequest) -> None:
        if request.term < self.term:
            self._refuse_append(request_id)
            return
        self._heard_leader(request.term, request.id, request.addr or request.leader)
        entries = request.entries or ()
        if not _well_formed(request, entries):
            self._refuse_append(request_id, error="entries do not follow each other")
            return
        prev, base = request.prev_log_entry, self.terms.base_index
        if prev == 0 and not entries:
            self._accept_heartbeat(request_id)
            return
        if prev < base:
            # What lies before our snapshot is committed, hence equal to the leader's, unless the snapshot is a user's
            # which we restored as leader and nobody else ever got.
            at_base = entries[base - prev - 1].term if prev + len(entries) >= base else None
            matches = at_base is None or at_base == self.terms.term_at(base)
            prev, entries = min(base, prev + len(entries)), entries[base - prev :]
        else:
            matches = self.terms.term_at(prev) == request.prev_log_term
        if not matches:
            self._refuse_append(request_id, retry_now=True)
            return
        self._store(entries)
        self._verified_index = max(self._verified_index, prev + len(entries))
        self._leader_commit = max(self._leader_commit, request.leader_commit_index)
        response = AppendEntriesResponse(
            self.term, self.last_index, True, id=self.id.encode(), addr=self.address.encode()
        )
        self._after_disk(Reply(request_id, response))
        self._follower_advance_commit()

    def _accept_heartbeat(self, request_id: int) -> None:
        response = AppendEntriesResponse(
            self.term, self.last_index, True, id=self.id.encode(), addr=self.address.encode()
        )
        # A heartbeat promises nothing about the log, so it does not wait for a slow disk; only for the term.
        if self._persisted_term >= self.term:
            self._out.append(Reply(request_id, response))
        else:
            self._after_disk(Reply(request_id, response))

    def _store(self, entries: Sequence[LogEntry]) -> None:
        """Append what is new; drop a suffix that conflicts."""
        for position, entry in enumerate(entries):
            term = self.terms.term_at(entry.index)
            if term == entry.term:
                continue
            new = entries[position:]
            self._append(new, entry.index if term is not None else None)
            self._adopt_from(new)
            return

    def _follower_advance_commit(self) -> None:
        # Only the prefix verified against this leader counts: behind it our log may differ from the leader's.
        self._commit_to(min(self._leader_commit, self._verified_index, self.durable_index))

    # -- snapshots -----------------------------------------------------------------------------------------------------

    def _install_snapshot(self, request_id: int, request: InstallSnapshotRequest) -> None:
        if request.term < self.term:
            self._snapshot_reply(request_id, False)
            return
        self._heard_leader(request.term, request.id, request.addr or request.leader)
        self._receiving[request_id] = request.term
        self._out.append(ReceiveSnapshot(request_id, request))

    def _snapshot_reply(self, request_id: int, success: bool, error: str = "") -> None:
        response = InstallSnapshotResponse(self.term, success, id=self.id.encode(), addr=self.address.encode())
        self._after_disk(Reply(request_id, response, error))

    def _snapshot_failed(self, event: SnapshotFailed) -> None:
        self._receiving.pop(event.request_id, None)
        self._snapshot_reply(event.request_id, False, event.reason)

    def _snapshot_stored(self, event: SnapshotStored) -> None:
        request = event.request
        term = self._receiving.pop(event.request_id)
        if term != self.term or self.role is not Role.FOLLOWER or self.storage_error is not None:
            self._snapshot_reply(event.request_id, False)
            return
        index = request.last_log_index
        self.last_contact = self._now
        self._reset_election_timer()
        if index <= self.commit_index:
            self._snapshot_reply(event.request_id, True)
            return
        self._out.append(Note(f"installing snapshot: index {index}, term {request.last_log_term}"))
        keep = self.terms.term_at(index) == request.last_log_term and index <= self.durable_index
        if not keep:
            self._reset_log(index, request.last_log_term)
        self.commit_index = index
        self.snapshot_index, self.snapshot_term = index, request.last_log_term
        if not keep or self.configuration_index <= request.configuration_index:
            self._adopt(request.configuration_index, event.configuration)
            self.committed_configuration = self.configuration
            self.committed_configuration_index = self.configuration_index
        self._verified_index = max(self._verified_index, index)
        self._out.append(RestoreSnapshot(index, request.last_log_term))
        self._snapshot_reply(event.request_id, True)

    def _snapshot_responded(self, event: SnapshotResponded) -> None:
        send, response = event.send, event.response
        if response.term > self.term:
            self._become_follower(response.term, None)
            return
        progress = self.progress.get(send.to)
        if self.role is not Role.LEADER or send.term != self.term or progress is None:
            return
        progress.contact = max(progress.contact, send.sent_at)
        if send.seq < progress.epoch_seq or progress.state is not ProgressState.SNAPSHOT:
            return
        progress.restart(ProgressState.PROBE, self._send_seq + 1)
        if response.success:
            progress.failures = 0
            progress.match = max(progress.match, min(event.index, self.last_index))
            progress.next = progress.match + 1
            progress.retry_at = self._now
            self._leader_advance_commit()
            self._follower_caught_up(send.to)
        else:
            self._delay(progress)
        if self.role is Role.LEADER and self.progress.get(send.to) is progress:
            self._replicate(send.to, progress)

    def _snapshot_taken(self, event: SnapshotTaken) -> None:
        if event.index > self.snapshot_index:
            self.snapshot_index, self.snapshot_term = event.index, event.term
        up_to = min(event.compact_to, self.snapshot_index, self.durable_index)
        if up_to > self.terms.base_index:
            self.terms.compact(up_to)
            self._out.append(Compact(up_to))

    def _user_restored(self, event: UserRestored) -> None:
        assert self.role is Role.LEADER and event.term == self.term, "only the leader restores"
        assert event.index > self.last_index, "a restore must jump ahead"
        self._reset_log(event.index, event.term)
        self.commit_index = event.index
        self.snapshot_index, self.snapshot_term = event.index, event.term
        # Nobody else has this state: all followers need it as a snapshot.
        for peer, progress in self.progress.items():
            progress.next = min(progress.next, event.index)
            progress.restart(ProgressState.PROBE, self._send_seq + 1)
            self._send_snapshot(peer, progress)

    def _leadership_confirmed(self) -> None:
        raise AssertionError("part missing")

    def _follower_caught_up(self, peer: str) -> None:
        raise AssertionError("part missing")


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
