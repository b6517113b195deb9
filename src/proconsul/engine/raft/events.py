"""What goes into the Raft core (events) and what comes out (effects).

The law of effects: they are performed in list order. A write (Append, PersistState, ResetLog) carries a sequence
number; the disk is first in, first out and answers ``DiskDone(seq)`` when that write and all before it are durable.
A message which promises something about the disk is only given out after that event, so a driver cannot send it early.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

from proconsul.engine.raft.configuration import Change, Configuration
from proconsul.engine.raft.messages import (
    AppendEntriesResponse,
    InstallSnapshotRequest,
    InstallSnapshotResponse,
    LogEntry,
    PreVoteRequest,
    PreVoteResponse,
    Request,
    RequestVoteRequest,
    RequestVoteResponse,
    Response,
    TimeoutNowRequest,
    TimeoutNowResponse,
)


class Role(Enum):
    """What a server is in its current term."""

    FOLLOWER = "Follower"
    PRE_CANDIDATE = "PreCandidate"
    CANDIDATE = "Candidate"
    LEADER = "Leader"


# --- effects ------------------------------------------------------------------------------------------------------


class Send(msgspec.Struct, frozen=True):
    """Send an election message to a peer. Answered by VoteResponded or SendFailed."""

    to: str
    message: RequestVoteRequest | PreVoteRequest | TimeoutNowRequest


class SendAppend(msgspec.Struct, frozen=True):
    """Send AppendEntries with entries ``prev_index + 1 .. last_index``; the driver fills in the entries.

    Sends with the same ``to`` and ``heartbeat`` must reach the wire in order. Answered by AppendResponded or
    SendFailed.
    """

    to: str
    seq: int
    term: int
    prev_index: int
    prev_term: int
    last_index: int
    commit: int
    heartbeat: bool
    sent_at: float


class SendSnapshot(msgspec.Struct, frozen=True):
    """Send the newest snapshot. Answered by SnapshotResponded or SendFailed."""

    to: str
    seq: int
    term: int
    sent_at: float


class Reply(msgspec.Struct, frozen=True):
    """Answer the request with this id. ``error`` is the protocol's error string, empty when all is well."""

    request_id: int
    response: Response
    error: str = ""


class Proposal(msgspec.Struct, frozen=True):
    """What a client wants appended. ``token`` is the driver's: the core hands it back with the entry (see `Append`)."""

    type: int
    data: bytes
    extensions: bytes = b""
    # Any: the core does not look at it.
    token: Any = None


class Append(msgspec.Struct, frozen=True):
    """Write entries; first drop everything from ``truncate_from`` on, if given. One transaction."""

    seq: int
    entries: Sequence[LogEntry]
    truncate_from: int | None = None
    # What clients proposed, one for each entry; empty for a leader's entries of its own and for a follower's.
    proposals: Sequence[Proposal] = ()


class PersistState(msgspec.Struct, frozen=True):
    """Write term and vote."""

    seq: int
    term: int
    vote_term: int
    voted_for: bytes


class ResetLog(msgspec.Struct, frozen=True):
    """Drop the whole log: a durable snapshot at ``index`` replaces it."""

    seq: int
    index: int
    term: int


class Compact(msgspec.Struct, frozen=True):
    """Entries up to and including ``up_to`` are no longer needed. Not answered."""

    up_to: int


class Apply(msgspec.Struct, frozen=True):
    """Entries ``first .. last`` are committed and durable here: give them to the state machine."""

    first: int
    last: int


class ReceiveSnapshot(msgspec.Struct, frozen=True):
    """Take in the snapshot's bytes, store it, then answer with SnapshotStored or SnapshotFailed."""

    request_id: int
    request: InstallSnapshotRequest


class RestoreSnapshot(msgspec.Struct, frozen=True):
    """Replace the state machine by the stored snapshot at this index."""

    index: int
    term: int


class LeadershipChanged(msgspec.Struct, frozen=True):
    """This server gained or lost leadership in ``term``. Always alternating."""

    is_leader: bool
    term: int


class ConfigurationChanged(msgspec.Struct, frozen=True):
    """The configuration in force changed (on append, as Raft demands) or became committed."""

    configuration: Configuration
    index: int
    committed: bool


class Resolved(msgspec.Struct, frozen=True):
    """The end of a Verify, ChangeMembership or Transfer. ``error`` None is success."""

    token: int
    error: str | None = None
    not_leader: bool = False
    index: int = 0


class ArmTimer(msgspec.Struct, frozen=True):
    """Give a Tick at this time (seconds of the driver's monotonic clock). Replaces an earlier timer."""

    at: float


class Note(msgspec.Struct, frozen=True):
    """A sentence for the log: what was decided and why."""

    text: str


Write = Append | PersistState | ResetLog
Effect = (
    Send
    | SendAppend
    | SendSnapshot
    | Reply
    | Append
    | PersistState
    | ResetLog
    | Compact
    | Apply
    | ReceiveSnapshot
    | RestoreSnapshot
    | LeadershipChanged
    | ConfigurationChanged
    | Resolved
    | ArmTimer
    | Note
)


# --- events -------------------------------------------------------------------------------------------------------


class Start(msgspec.Struct, frozen=True):
    """The driver is ready; given once."""


class Bootstrap(msgspec.Struct, frozen=True):
    """Start a new cluster with this configuration; only on a server without any state."""

    configuration: Configuration


class Tick(msgspec.Struct, frozen=True):
    """The armed timer fired."""


class Propose(msgspec.Struct, frozen=True):
    """Append these as leader. The driver checks ``accepts_proposals`` first."""

    proposals: Sequence[Proposal]


class Received(msgspec.Struct, frozen=True):
    """A request of a peer; answered by Reply with the same id."""

    request_id: int
    message: Request


class VoteResponded(msgspec.Struct, frozen=True):
    """Answer to a Send."""

    peer: str
    request: RequestVoteRequest | PreVoteRequest | TimeoutNowRequest
    response: RequestVoteResponse | PreVoteResponse | TimeoutNowResponse


class AppendResponded(msgspec.Struct, frozen=True):
    """Answer to a SendAppend."""

    send: SendAppend
    response: AppendEntriesResponse


class SnapshotResponded(msgspec.Struct, frozen=True):
    """Answer to a SendSnapshot which carried the snapshot at ``index``."""

    send: SendSnapshot
    index: int
    response: InstallSnapshotResponse


class SendFailed(msgspec.Struct, frozen=True):
    """A Send, SendAppend or SendSnapshot got no answer. ``unsupported``: the peer lives but does not know the RPC."""

    send: Send | SendAppend | SendSnapshot
    unsupported: bool = False


class DiskDone(msgspec.Struct, frozen=True):
    """The write ``seq`` and all before it are durable."""

    seq: int


class DiskFailed(msgspec.Struct, frozen=True):
    """A write failed; it and all later ones were dropped. The log on disk ends at ``last_index``."""

    last_index: int
    reason: str


class SnapshotStored(msgspec.Struct, frozen=True):
    """The snapshot of this InstallSnapshot request is durable."""

    request_id: int
    request: InstallSnapshotRequest
    configuration: Configuration


class SnapshotFailed(msgspec.Struct, frozen=True):
    """The snapshot of this request could not be taken in."""

    request_id: int
    reason: str


class SnapshotTaken(msgspec.Struct, frozen=True):
    """A snapshot of our own state is durable; the log may be cut up to ``compact_to``."""

    index: int
    term: int
    compact_to: int


class UserRestored(msgspec.Struct, frozen=True):
    """A user's snapshot was made durable and restored as ``index`` in the current term (leader only)."""

    index: int
    term: int


class ChangeMembership(msgspec.Struct, frozen=True):
    """Change one server. ``prev_index`` non-zero refuses if the configuration changed since. Answered by Resolved."""

    token: int
    change: Change
    server_id: str
    address: str = ""
    prev_index: int = 0


class Verify(msgspec.Struct, frozen=True):
    """Prove that we still lead at this moment. Answered by Resolved."""

    token: int


class Transfer(msgspec.Struct, frozen=True):
    """Hand leadership to ``target`` or, if None, to the most advanced voter. Answered by Resolved."""

    token: int
    target: str | None = None


Event = (
    Start
    | Bootstrap
    | Tick
    | Propose
    | Received
    | VoteResponded
    | AppendResponded
    | SnapshotResponded
    | SendFailed
    | DiskDone
    | DiskFailed
    | SnapshotStored
    | SnapshotFailed
    | SnapshotTaken
    | UserRestored
    | ChangeMembership
    | Verify
    | Transfer
)
