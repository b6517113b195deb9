"""What memberlist's core and the layer above it (serf) ask of each other. Times are seconds of a monotonic clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from proconsul.engine.gossip.messages import NodeState
from proconsul.engine.wire.hostport import Address


class NodeRecord(msgspec.Struct, frozen=True, gc=False):
    """What one node knows of another. ``vsn``: protocol min, max, current and the delegate's min, max, current."""

    name: str
    address: Address
    meta: bytes
    vsn: bytes
    incarnation: int
    state: NodeState
    changed_at: float


class NodeRefused(Exception):
    """A delegate does not accept a node; the text says why."""


class Delegate(Protocol):
    """The layer above memberlist. ``now`` is the time of the step that calls."""

    def node_meta(self) -> bytes:
        """Our own metadata, at most 512 bytes."""

    def user_message(self, body: bytes, source: Address, now: float) -> None:
        """A message of ours (without memberlist's type byte) arrived."""

    def broadcasts(self, overhead: int, limit: int) -> list[bytes]:
        """Messages to piggyback, each costing ``overhead`` more than its length, together at most ``limit`` bytes."""

    def has_broadcasts(self) -> bool:
        """Whether `broadcasts` would give something, so that an idle pool need not wake up to ask."""

    def local_state(self, join: bool) -> bytes:
        """Our part of a push/pull."""

    def merge_state(self, data: bytes, join: bool, now: float) -> None:
        """The other side's part."""

    def ack_payload(self) -> bytes:
        """What our acknowledgements carry."""

    def ping_completed(self, node: NodeRecord, rtt_s: float, payload: bytes, now: float) -> None:
        """A direct probe was answered over UDP after ``rtt_s``."""

    def accept_alive(self, node: NodeRecord) -> None:
        """Raises Refused to have an alive message ignored."""

    def accept_merge(self, nodes: Sequence[NodeRecord]) -> None:
        """Raises Refused to abort a push/pull."""

    def joined(self, node: NodeRecord, now: float) -> None: ...

    def left(self, node: NodeRecord, now: float) -> None:
        """``node`` died or left; its state tells which."""

    def updated(self, node: NodeRecord, now: float) -> None: ...

    def doubted(self, now: float) -> None:
        """Others suspected us, or took us for dead; we have objected."""

    def conflict(self, existing: NodeRecord, other: NodeRecord) -> None:
        """Another address claims the name of a node that is alive."""


class Membership(Protocol):
    """memberlist as the layer above uses it."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> Address:
        """Where we say we are."""

    def node(self, name: str) -> NodeRecord | None: ...

    def nodes(self) -> Sequence[NodeRecord]:
        """All that are known, the dead and left included."""

    def alive_count(self) -> int:
        """Nodes neither dead nor left, ourselves included."""

    def gossip_nodes(self, count: int, exclude: set[str]) -> list[NodeRecord]:
        """Up to ``count`` random live nodes other than ourselves and those excluded."""

    def send(self, to: Address, body: bytes, name: str = "") -> None:
        """Send a message of the layer above to one node over UDP (best effort)."""

    def push_pull(self, to: Address, name: str) -> None:
        """Join through ``to`` again: exchange full states soon."""

    def metadata_changed(self, now: float) -> None:
        """Our `Delegate.node_meta` has changed: tell all, under a higher incarnation."""
