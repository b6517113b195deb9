"""Autopilot's view in sentences: who counts for the quorum, and what decides it. Pure."""

from __future__ import annotations

from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.raft.quorum import majority
from proconsul.engine.wire.durations import format_duration
from proconsul.features.base import SECOND_NS
from proconsul.features.operator.model import AutopilotConfig, ServerHealth
from proconsul.server.autopilot_plan import AutopilotPlan, ClusterView, ForceLeave, HandOver, PeerView, Promote


def why(peer: PeerView, health: ServerHealth, view: ClusterView, config: AutopilotConfig) -> list[str]:
    """Sentences about one server."""
    voters = sum(one.voter for one in view.peers)
    said = []
    if peer.voter:
        said.append(f"votes: {majority(voters)} of {voters} voters make a quorum")
    else:
        said.append(_why_no_vote(peer, view, config))
    if not health.Healthy:
        said.append(f"unhealthy: {_fault(peer, health, config)}")
    return said


def _why_no_vote(peer: PeerView, view: ClusterView, config: AutopilotConfig) -> str:
    if peer.read_replica:
        return "does not vote: it is a read replica"
    if not view.all_have_nonvoters:
        return "does not vote: a server speaks a Raft protocol before 3, so nobody is promoted"
    stable = format_duration(config.ServerStabilizationTime)
    if peer.healthy_for_s is None:
        return f"does not vote: it must be healthy for {stable} first"
    healthy = format_duration(int(peer.healthy_for_s) * SECOND_NS)
    return f"does not vote yet: healthy for {healthy} of {stable}"


def _fault(peer: PeerView, health: ServerHealth, config: AutopilotConfig) -> str:
    if peer.status is not MemberStatus.ALIVE:
        known = peer.status is not MemberStatus.NONE
        return f"gossip calls it {peer.status.name.lower()}" if known else "gossip knows no such server"
    if health.LastContact < 0:
        return "it has not told when it last heard the leader"
    if health.LastContact > config.LastContactThreshold:
        limit = format_duration(config.LastContactThreshold)
        return f"it last heard the leader {format_duration(health.LastContact)} ago, more than {limit}"
    return f"its log (term {health.LastTerm}, index {health.LastIndex}) is behind the leader's"


def next_text(found: AutopilotPlan) -> str:
    """What autopilot does next."""
    step = found.step
    if step is None:
        return f"dead servers stay: {found.refusal}" if found.refusal else "nothing to do"
    if isinstance(step, Promote):
        return f"give a vote to {step.id}"
    if isinstance(step, ForceLeave):
        return f"have the failed server {step.name} leave"
    if isinstance(step, HandOver):
        return f"have {step.id} lead, which can change the address of this server"
    return f"remove {step.id}, which gossip does not know"
