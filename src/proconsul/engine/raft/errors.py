"""Operating errors of the Raft room. The texts are hashicorp/raft's: Consul's users see and match them."""

from __future__ import annotations

__all__ = [
    "AbortedByRestoreError",
    "BootstrapError",
    "DamagedError",
    "DirectoryLockedError",
    "LeadershipLostError",
    "LeadershipTransferError",
    "LeadershipTransferInProgressError",
    "MembershipError",
    "NotLeaderError",
    "NothingToSnapshotError",
    "RaftError",
    "ShutdownError",
    "SnapshotCorruptError",
    "StorageError",
    "TransportError",
    "UnsupportedRpcError",
    "WireError",
]


class RaftError(Exception):
    """Base of every expected failure of consensus."""

    text = "raft error"

    def __init__(self, text: str | None = None) -> None:
        super().__init__(self.text if text is None else text)


class NotLeaderError(RaftError):
    """The request was never appended: this server does not lead. Safe to send again to the leader."""

    text = "node is not the leader"


class LeadershipLostError(RaftError):
    """The request was appended but leadership ended before it committed: it may or may not take effect."""

    text = "leadership lost while committing log"


class LeadershipTransferInProgressError(RaftError):
    """The leader is handing over and takes no new requests. Nothing was appended."""

    text = "leadership transfer in progress"


class LeadershipTransferError(RaftError):
    """The hand-over did not happen; the old leader goes on leading."""

    text = "leadership transfer timeout"


class AbortedByRestoreError(RaftError):
    """A user restore replaced the state while the request was under way."""

    text = "snapshot restored while committing log"


class ShutdownError(RaftError):
    """The node has been stopped."""

    text = "raft is already shutdown"


class StorageError(RaftError):
    """The disk refused a write or returned damaged data. Nothing of the failed write was acknowledged."""

    text = "raft storage failed"


class DamagedError(StorageError):
    """The disk holds something else than what was written. No retry helps: this server must not go on."""

    text = "raft storage is damaged"


class DirectoryLockedError(StorageError):
    """Another live process holds the lock of this data directory."""

    text = "data directory is in use by another process"


class SnapshotCorruptError(StorageError):
    """A snapshot's checksum or length does not match its metadata."""

    text = "CRC mismatch"


class BootstrapError(RaftError):
    """The server already has state, so it must not start a new cluster."""

    text = "bootstrap only works on new clusters"


class NothingToSnapshotError(RaftError):
    """Nothing was applied since the last snapshot."""

    text = "nothing new to snapshot"


class MembershipError(RaftError):
    """A configuration change that would break the cluster's rules."""

    text = "configuration change refused"


class TransportError(RaftError):
    """A peer could not be reached, did not answer in time, or answered with an error string."""

    text = "rpc failed"


class UnsupportedRpcError(TransportError):
    """The peer was reached and does not know this RPC (raft before 1.7 asked for a pre-vote)."""

    text = "unexpected command"


class WireError(RaftError):
    """A peer sent bytes that are not a valid Raft RPC."""

    text = "failed to decode rpc"
