"""Leadership transfer (Raft dissertation 3.10): bring the target up to date, then tell it to campaign at once."""

from __future__ import annotations

from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferError,
    LeadershipTransferInProgressError,
)
from proconsul.engine.raft.events import Send, Transfer
from proconsul.engine.raft.messages import TimeoutNowRequest
from proconsul.engine.raft.replication import Replication
from proconsul.engine.raft.state import INFINITE, RaftState


class LeadershipTransfer:
    """At most one hand-over at a time."""

    def __init__(self, state: RaftState, replication: Replication) -> None:
        self._state = state
        self._replication = replication
        # What was asked for, while it is under way.
        self.transfer: Transfer | None = None
        self._target = ""
        self._sent = False
        # When it has failed unless the target leads.
        self.ends_at = INFINITE

    def under_way(self) -> bool:
        """True while leadership is being handed over."""
        return self.transfer is not None

    def begin(self, event: Transfer) -> None:
        """Hand leadership over. Only asked of a leader."""
        state = self._state
        if self.transfer is not None:
            state.resolve(event.token, LeadershipTransferInProgressError.text)
            return
        voters = [v for v in state.configuration.voters if v != state.id]
        if event.target is not None and event.target not in voters:
            state.resolve(event.token, f"cannot transfer leadership to {event.target}: not another voter")
            return
        target = event.target or max(voters, key=lambda v: state.progress[v].match, default=None)
        if target is None:
            state.resolve(event.token, "cannot find peer")
            return
        self.transfer = event
        self._target = target
        self._sent = False
        self.ends_at = state.now + state.config.election_timeout_s
        state.note(f"transferring leadership to {target}")
        self._replication.replicate(target, state.progress[target])
        self.caught_up(target)

    def caught_up(self, peer: str) -> None:
        """Tell the target to lead as soon as it has the whole log."""
        state = self._state
        if self.transfer is None or self._sent or peer != self._target:
            return
        if state.progress[peer].match == state.last_index:
            self._sent = True
            state.handed_over_in = state.term
            message = TimeoutNowRequest(id=state.id_bytes, addr=state.address_bytes)
            state.out.append(Send(peer, message))

    def fail(self, why: str) -> None:
        """The hand-over will not happen; this server goes on leading."""
        state = self._state
        transfer, self.transfer = self.transfer, None
        self.ends_at = INFINITE
        if transfer is not None:
            state.note(f"leadership transfer failed: {why}")
            state.resolve(transfer.token, why)

    def tick(self) -> None:
        """Wait no longer than an election timeout."""
        state = self._state
        if state.now >= self.ends_at:
            self.fail(LeadershipTransferError.text)

    def send_failed(self, send: Send) -> None:
        """The target did not answer."""
        if isinstance(send.message, TimeoutNowRequest) and send.to == self._target:
            self.fail("failed to make TimeoutNow RPC")

    def leadership_ended(self, higher_term: bool) -> None:
        """Losing leadership to a newer term is what a transfer is for."""
        transfer, self.transfer = self.transfer, None
        if transfer is not None:
            moved = self._sent and higher_term
            self._state.resolve(transfer.token, None if moved else LeadershipLostError.text)
        self._target = ""
        self._sent = False
        self.ends_at = INFINITE
        self._state.handed_over_in = -1
