"""Configuration changes one server at a time, read index and leadership transfer (dissertation 3.10, 4.1, 6.4)."""

from __future__ import annotations

from collections import deque

from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferError,
    LeadershipTransferInProgressError,
    MembershipError,
    NotLeaderError,
)
from proconsul.engine.raft.events import ChangeMembership, Note, Role, Send, Transfer, Verify
from proconsul.engine.raft.messages import EntryType, TimeoutNowRequest
from proconsul.engine.raft.progress import INFINITE, Progress
from proconsul.engine.raft.replication import Replication

# Changes waiting for the one before them to commit. Reconciling a whole cluster asks for one per server.
CHANGES_MAX = 256
# Reads waiting for a round of heartbeats; past this the leader is not keeping up and new ones are refused.
VERIFIES_MAX = 65536


class Membership(Replication):
    """Who is in the cluster, and what a leader may still promise."""

    _changes: deque[ChangeMembership]
    _running_change: ChangeMembership | None
    _verifies: deque[tuple[int, int]]
    _transfer: Transfer | None
    _transfer_to: str
    _transfer_ends: float
    _transfer_sent: bool
    # The last term in which anybody was told to lead instead: it may do so without waiting for our lease to end,
    # however late the word reaches it.
    handed_over_in: int

    def _init_membership(self) -> None:
        self._changes = deque()
        self._running_change = None
        self._verifies = deque()
        self._transfer = None
        self._transfer_to = ""
        self._transfer_ends = INFINITE
        self._transfer_sent = False
        self.handed_over_in = -1

    @property
    def accepts_proposals(self) -> bool:
        """True if a Propose is allowed now."""
        return self.role is Role.LEADER and self._transfer is None

    @property
    def is_transferring(self) -> bool:
        """True while leadership is being handed over."""
        return self._transfer is not None

    # -- configuration -------------------------------------------------------------------------------------------------

    def _configuration_adopted(self) -> None:
        if self.role is not Role.LEADER:
            return
        members = {server.id for server in self.configuration.servers if server.id != self.id}
        for peer in [peer for peer in self.progress if peer not in members]:
            del self.progress[peer]
        for server in self.configuration.servers:
            if server.id in members and server.id not in self.progress:
                self.progress[server.id] = Progress(self.last_index + 1, self._now)
                self._heartbeat(server.id, self.progress[server.id])

    def _configuration_committed(self) -> None:
        if self.role is not Role.LEADER:
            return
        change, self._running_change = self._running_change, None
        if change is not None:
            self._resolve(change.token, index=self.configuration_index)
        if not self.configuration.has_vote(self.id):
            self._out.append(Note("no longer a voter in the committed configuration: stepping down"))
            self._become_follower(self.term, None)

    def _change_membership(self, event: ChangeMembership) -> None:
        if self.role is not Role.LEADER:
            self._resolve(event.token, NotLeaderError.text, not_leader=True)
        elif self._transfer is not None:
            self._resolve(event.token, LeadershipTransferInProgressError.text)
        elif len(self._changes) >= CHANGES_MAX:
            self._resolve(event.token, "too many configuration changes are waiting")
        else:
            self._changes.append(event)
            self._next_change()

    def _next_change(self) -> None:
        """Start the next change if the last one is committed and so is an entry of our term (dissertation 4.1 fix)."""
        while self._changes and self.role is Role.LEADER and self._transfer is None:
            settled = self.configuration_index == self.committed_configuration_index
            if not settled or self.commit_index < self._leader_start_index:
                return
            event = self._changes.popleft()
            if event.prev_index and event.prev_index != self.configuration_index:
                text = f"configuration changed since {event.prev_index} (latest is {self.configuration_index})"
                self._resolve(event.token, text)
                continue
            try:
                configuration = self.configuration.changed(event.change, event.server_id, event.address)
            except MembershipError as error:
                self._resolve(event.token, str(error))
                continue
            self._out.append(Note(f"updating configuration: {event.change.name} {event.server_id} {configuration}"))
            self._running_change = event
            # Adopted before it is sent: a removed server gets no entry, an added one does.
            index = self.last_index + 1
            self._adopt(index, configuration)
            self._leader_append(((int(EntryType.CONFIGURATION), configuration.encode(), b""),))
            self._leader_advance_commit()

    def _leadership_ended(self, higher_term: bool) -> None:
        changes = list(self._changes)
        if self._running_change is not None:
            self._resolve(self._running_change.token, LeadershipLostError.text)
        for change in changes:
            self._resolve(change.token, NotLeaderError.text, not_leader=True)
        for token, _ in self._verifies:
            self._resolve(token, NotLeaderError.text, not_leader=True)
        if self._transfer is not None:
            # Losing leadership to a newer term is what a transfer is for.
            moved = self._transfer_sent and higher_term
            self._resolve(self._transfer.token, None if moved else LeadershipLostError.text)
        self._init_membership()

    # -- read index ----------------------------------------------------------------------------------------------------

    def _verify(self, event: Verify) -> None:
        if self.role is not Role.LEADER:
            self._resolve(event.token, NotLeaderError.text, not_leader=True)
            return
        if self.is_single_voter:
            self._resolve(event.token)
            return
        if len(self._verifies) >= VERIFIES_MAX:
            self._resolve(event.token, "too many leadership checks are waiting")
            return
        self._verifies.append((event.token, self._send_seq + 1))
        for peer, progress in self.progress.items():
            # One round serves all who asked before it; a round that got lost is not waited for.
            waiting = self._now - progress.heartbeat_out < self.config.heartbeat_interval_s
            if not waiting:
                self._heartbeat(peer, progress)
            else:
                progress.heartbeat_at = self._now

    def _leadership_confirmed(self) -> None:
        if not self._verifies:
            return
        voters = self.configuration.voters
        acked = [self._send_seq + 1 if v == self.id else self.progress[v].acked_seq for v in voters]
        acked.sort(reverse=True)
        reached = acked[len(acked) // 2]
        while self._verifies and self._verifies[0][1] <= reached:
            self._resolve(self._verifies.popleft()[0])

    # -- transfer ------------------------------------------------------------------------------------------------------

    def _transfer_leadership(self, event: Transfer) -> None:
        if self.role is not Role.LEADER:
            self._resolve(event.token, NotLeaderError.text, not_leader=True)
            return
        if self._transfer is not None:
            self._resolve(event.token, LeadershipTransferInProgressError.text)
            return
        voters = [v for v in self.configuration.voters if v != self.id]
        if event.target is not None and event.target not in voters:
            self._resolve(event.token, f"cannot transfer leadership to {event.target}: not another voter")
            return
        target = event.target or max(voters, key=lambda v: self.progress[v].match, default=None)
        if target is None:
            self._resolve(event.token, "cannot find peer")
            return
        self._transfer = event
        self._transfer_to = target
        self._transfer_sent = False
        self._transfer_ends = self._now + self.config.election_timeout_s
        self._out.append(Note(f"transferring leadership to {target}"))
        self._replicate(target, self.progress[target])
        self._follower_caught_up(target)

    def _follower_caught_up(self, peer: str) -> None:
        if self._transfer is None or self._transfer_sent or peer != self._transfer_to:
            return
        if self.progress[peer].match == self.last_index:
            self._transfer_sent = True
            self.handed_over_in = self.term
            message = TimeoutNowRequest(id=self.id.encode(), addr=self.address.encode())
            self._out.append(Send(peer, message))

    def _transfer_failed(self, why: str) -> None:
        transfer, self._transfer = self._transfer, None
        self._transfer_ends = INFINITE
        if transfer is not None:
            self._out.append(Note(f"leadership transfer failed: {why}"))
            self._resolve(transfer.token, why)

    def _transfer_tick(self) -> None:
        if self._now >= self._transfer_ends:
            self._transfer_failed(LeadershipTransferError.text)
