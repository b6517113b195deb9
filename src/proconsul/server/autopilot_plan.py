"""What autopilot does about the servers there are: pure decisions, one safe step at a time.

The leader looks, takes the step, and looks again, so every step is judged by what the step before has really done
(Consul docs: autopilot). Four rules bind the steps that take a vote away: only servers that gossip calls failed, or
does not know at all, lose theirs; at most (voters-1)/2 of them, or none; at least min_quorum voters stay; never the
leader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.configuration import Suffrage
from proconsul.server.server_details import ServerDetails

# Servers without a vote came with this version of Raft's protocol; with older ones about nobody is promoted.
RAFT_VERSION_WITH_NONVOTERS = 3


class Promote(NamedTuple):
    """Give a vote to a server that has proved stable."""

    id: str
    address: str


class ForceLeave(NamedTuple):
    """Have gossip call a failed server one that has left; then it is removed from Raft as any that leaves."""

    id: str
    name: str


class RemovePeer(NamedTuple):
    """Remove from Raft a server that gossip does not know: no member of that name could be told to leave."""

    id: str


class HandOver(NamedTuple):
    """Have another voter lead: a leader cannot change its own address in Raft's configuration, the next one does."""

    id: str


Step = Promote | ForceLeave | RemovePeer | HandOver


@dataclass(frozen=True, slots=True)
class PeerView:
    """One server of the Raft configuration. ``name`` and what follows is gossip's word; NONE: it knows no such server.

    healthy_for_s: seconds since it became healthy, None while it is not.
    in_contact: it answers our Raft, which gossip need not know: after a restart the pool may still be unknown.
    moved: gossip has it at another address than Raft's configuration.
    """

    id: str
    address: str
    voter: bool
    name: str = ""
    status: MemberStatus = MemberStatus.NONE
    read_replica: bool = False
    leader: bool = False
    healthy_for_s: float | None = None
    in_contact: bool = False
    moved: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether it counts as one to be removed, also when its removal is under way."""
        if self.leader or (self.status is MemberStatus.NONE and self.in_contact):
            return False
        return self.status in (MemberStatus.FAILED, MemberStatus.NONE, MemberStatus.LEFT)


@dataclass(frozen=True, slots=True)
class ClusterView:
    """peers: the servers of the Raft configuration. strangers: failed servers that are in the pool only.

    all_have_nonvoters: every server that is alive speaks a Raft protocol that knows servers without a vote.
    """

    peers: Sequence[PeerView]
    strangers: Sequence[str] = ()
    all_have_nonvoters: bool = True


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """The replicated settings that planning needs. ``min_quorum``: voters that must stay."""

    cleanup_dead_servers: bool = True
    min_quorum: int = 0
    server_stabilization_time_s: float = 10.0


class AutopilotPlan(NamedTuple):
    """The next step, None when nothing is to be done; ``refusal`` says why dead servers stay."""

    step: Step | None
    refusal: str = ""


def plan(view: ClusterView, config: PlanConfig) -> AutopilotPlan:
    """The next step: promotions first, since more voters let more of the dead ones go."""
    promotion = _promotion(view, config)
    if promotion is not None:
        return AutopilotPlan(promotion)
    successor = _successor(view)
    if successor is not None:
        return AutopilotPlan(successor)
    return _cleanup(view, config) if config.cleanup_dead_servers else AutopilotPlan(None)


def _promotion(view: ClusterView, config: PlanConfig) -> Promote | None:
    if not view.all_have_nonvoters:
        return None
    for peer in view.peers:
        stable = peer.healthy_for_s is not None and peer.healthy_for_s >= config.server_stabilization_time_s
        if not peer.voter and not peer.read_replica and stable and peer.status is MemberStatus.ALIVE:
            return Promote(peer.id, peer.address)
    return None


def _successor(view: ClusterView) -> HandOver | None:
    """Who leads instead of a leader that moved: a voter whose own address is right, so that it does not do the same.

    Consul 1.8.7 removes the leader from Raft instead, and is without a leader until an election has timed out.
    """
    if not any(peer.leader and peer.moved for peer in view.peers):
        return None
    fit = (peer for peer in view.peers if peer.voter and not peer.leader and not peer.moved)
    return next((HandOver(peer.id) for peer in fit if peer.healthy_for_s is not None), None)


def _cleanup(view: ClusterView, config: PlanConfig) -> AutopilotPlan:
    for name in view.strangers:
        return AutopilotPlan(ForceLeave("", name))
    dead = [peer for peer in view.peers if peer.is_dead]
    for peer in dead:
        if not peer.voter and (step := _removal(peer)) is not None:
            return AutopilotPlan(step)  # it has no vote to lose
    voters = [peer for peer in view.peers if peer.voter]
    dead = [peer for peer in dead if peer.voter]
    if not dead:
        return AutopilotPlan(None)
    if len(dead) > (len(voters) - 1) // 2:
        return AutopilotPlan(None, f"too many dead servers: {len(dead)} of {len(voters)}")
    if len(voters) - len(dead) < config.min_quorum:
        return AutopilotPlan(None, f"{len(voters) - len(dead)} voters would be left, min_quorum is {config.min_quorum}")
    steps = (step for step in map(_removal, dead) if step is not None)
    return AutopilotPlan(next(steps, None))


def _removal(peer: PeerView) -> Step | None:
    """How to get rid of a dead server; one that has left is being removed already."""
    if peer.status is MemberStatus.FAILED:
        return ForceLeave(peer.id, peer.name)
    return RemovePeer(peer.id) if peer.status is MemberStatus.NONE else None


@dataclass(frozen=True, slots=True)
class Contact:
    """What gossip and Raft know of the servers, read at one moment. ``healthy_for_s`` is by Raft id."""

    servers: Sequence[ServerDetails]
    peers: Sequence[RaftServer]
    leader_id: str
    healthy_for_s: Mapping[str, float]
    in_contact: frozenset[str] = frozenset()


def view_of(contact: Contact) -> ClusterView:
    """Put together what gossip and Raft say."""
    known = {server.raft_id: server for server in contact.servers}
    peers = []
    for peer in contact.peers:
        server = known.get(peer.id)
        peers.append(PeerView(
            peer.id, peer.address, peer.suffrage is Suffrage.VOTER, server.name if server is not None else "",
            server.status if server is not None else MemberStatus.NONE, server is not None and server.read_replica,
            peer.id == contact.leader_id, contact.healthy_for_s.get(peer.id), peer.id in contact.in_contact,
            server is not None and str(server.address) != peer.address,
        ))  # fmt: skip
    ids = {peer.id for peer in contact.peers}
    strangers = [one.name for one in contact.servers if one.status is MemberStatus.FAILED and one.raft_id not in ids]
    versions = [one.raft_version for one in contact.servers if one.status is MemberStatus.ALIVE]
    return ClusterView(peers, strangers, min(versions, default=0) >= RAFT_VERSION_WITH_NONVOTERS)
