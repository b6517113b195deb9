"""Autopilot's planner, checked over every cluster of up to seven servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement

import pytest

from proconsul.agent.gossip.tags import server_tags
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.configuration import Suffrage
from proconsul.server.autopilot_plan import (
    AutopilotPlan,
    ClusterView,
    Contact,
    ForceLeave,
    HandOver,
    PeerView,
    PlanConfig,
    Promote,
    RemovePeer,
    plan,
    view_of,
)
from proconsul.server.server_details import ServerDetails

STABLE_S = 10.0
ALIVE, FAILED, LEFT, NONE = MemberStatus.ALIVE, MemberStatus.FAILED, MemberStatus.LEFT, MemberStatus.NONE
# (gossip's status, seconds of health): stable, healthy only lately, sick, failed, leaving Raft, unknown to gossip.
CONDITIONS = ((ALIVE, STABLE_S), (ALIVE, 1.0), (ALIVE, None), (FAILED, None), (LEFT, None), (NONE, None))
SERVERS_MAX = 7
LEADER = PeerView("leader", "leader:1", True, "leader", ALIVE, leader=True, healthy_for_s=STABLE_S)


def clusters() -> Iterator[tuple[PeerView, ...]]:
    """All clusters up to the order of their servers."""
    kinds = [(voter, status, healthy) for voter in (True, False) for status, healthy in CONDITIONS]
    for others in range(SERVERS_MAX):
        for chosen in combinations_with_replacement(kinds, others):
            yield LEADER, *(
                PeerView(f"id{number}", f"a{number}:1", voter, f"s{number}" if status is not NONE else "", status,
                         healthy_for_s=healthy)
                for number, (voter, status, healthy) in enumerate(chosen)
            )  # fmt: skip


def carried_out(peers: tuple[PeerView, ...], step: Promote | ForceLeave | RemovePeer) -> tuple[PeerView, ...]:
    """The cluster after a step, before anybody else has done anything."""
    if isinstance(step, Promote):
        return tuple(replace(peer, voter=True) if peer.id == step.id else peer for peer in peers)
    if isinstance(step, ForceLeave):
        return tuple(replace(peer, status=LEFT) if peer.id == step.id else peer for peer in peers)
    return tuple(peer for peer in peers if peer.id != step.id)


def without_left(peers: tuple[PeerView, ...]) -> tuple[PeerView, ...]:
    """After the leader has removed those that left."""
    return tuple(peer for peer in peers if peer.status is not LEFT)


def voters(peers: tuple[PeerView, ...]) -> list[PeerView]:
    return [peer for peer in peers if peer.voter]


def follow(peers: tuple[PeerView, ...], config: PlanConfig, *, slow: bool) -> None:
    """Carry out step after step. ``slow``: those that left stay in Raft until the planner has nothing more to do."""
    left_before = len([peer for peer in voters(peers) if peer.status is LEFT])
    promoted = len(voters(peers)) + len([peer for peer in peers if _to_promote(peer)])
    removed = left_before
    for _ in range(2 * SERVERS_MAX + 2):
        step = plan(ClusterView(peers), config).step
        assert not isinstance(step, HandOver), "nobody has moved"
        if step is None:
            assert not any(_to_promote(peer) for peer in peers), peers
            break
        peer = next(peer for peer in peers if peer.id == step.id)
        if isinstance(step, Promote):
            assert _to_promote(peer)
        else:
            assert not peer.leader and peer.healthy_for_s is None
            assert isinstance(step, RemovePeer) == (peer.status is NONE) and peer.status in (NONE, FAILED)
            if peer.voter:
                removed += 1
                staying = [one for one in voters(peers) if one.status is ALIVE]
                assert len(staying) > len(voters(peers)) // 2, "those who stay must be able to decide it"
                assert len(staying) >= config.min_quorum
        peers = carried_out(peers, step)
        if not slow:
            peers = without_left(peers)
    else:
        raise AssertionError(f"no end: {peers}")
    if removed > left_before:
        assert removed <= (promoted - 1) // 2 + (0 if slow else left_before), (peers, removed, promoted)


def _to_promote(peer: PeerView) -> bool:
    return not peer.voter and peer.healthy_for_s is not None and peer.healthy_for_s >= STABLE_S


@pytest.mark.parametrize("min_quorum", [0, 3, 5])
def test_every_cluster_is_left_safe(min_quorum: int) -> None:
    config = PlanConfig(min_quorum=min_quorum)
    seen = 0
    for peers in clusters():
        seen += 1
        follow(peers, config, slow=bool(seen % 2))
    assert seen == 18564  # multisets of up to six out of twelve kinds


def test_without_cleanup_nobody_loses_anything() -> None:
    config = PlanConfig(cleanup_dead_servers=False)
    steps = Counter(type(plan(ClusterView(peers), config).step) for peers in clusters())
    assert set(steps) == {Promote, type(None)}


def cluster(*statuses: MemberStatus) -> ClusterView:
    return ClusterView((
        LEADER,
        *(PeerView(f"id{n}", f"a{n}:1", True, f"s{n}", status) for n, status in enumerate(statuses)),
    ))  # fmt: skip


def test_the_limit_is_all_or_nothing() -> None:
    assert plan(cluster(ALIVE, FAILED), PlanConfig()).step == ForceLeave("id1", "s1")
    assert plan(cluster(ALIVE, ALIVE, FAILED, FAILED), PlanConfig()).step == ForceLeave("id2", "s2")
    assert plan(cluster(ALIVE, FAILED, FAILED), PlanConfig()) == AutopilotPlan(None, "too many dead servers: 2 of 4")
    assert plan(cluster(FAILED), PlanConfig()) == AutopilotPlan(None, "too many dead servers: 1 of 2")


def test_min_quorum_keeps_the_dead() -> None:
    refused = plan(cluster(ALIVE, FAILED), PlanConfig(min_quorum=3))
    assert refused == AutopilotPlan(None, "2 voters would be left, min_quorum is 3")


def test_the_dead_without_a_vote_go_first_and_freely() -> None:
    view = cluster(FAILED, FAILED)
    nonvoter = PeerView("x", "x:1", False, "x", FAILED)
    assert plan(ClusterView((*view.peers, nonvoter)), PlanConfig(min_quorum=7)).step == ForceLeave("x", "x")
    assert plan(ClusterView(view.peers, strangers=["old"]), PlanConfig()).step == ForceLeave("", "old")


def test_who_is_not_promoted() -> None:
    stable = PeerView("x", "x:1", False, "x", ALIVE, healthy_for_s=STABLE_S)
    assert plan(ClusterView((LEADER, stable)), PlanConfig()).step == Promote("x", "x:1")
    for peer in (replace(stable, read_replica=True), replace(stable, healthy_for_s=9.9)):
        assert plan(ClusterView((LEADER, peer)), PlanConfig()).step is None
    assert plan(ClusterView((LEADER, stable), all_have_nonvoters=False), PlanConfig()).step is None


def test_who_answers_raft_is_not_stale() -> None:
    view = cluster(ALIVE, NONE)
    assert plan(view, PlanConfig()).step == RemovePeer("id1")
    answering = replace(view.peers[2], in_contact=True)
    assert plan(ClusterView((*view.peers[:2], answering)), PlanConfig()) == AutopilotPlan(None)
    failed = replace(answering, status=FAILED)
    assert plan(ClusterView((*view.peers[:2], failed)), PlanConfig()).step == ForceLeave("id1", "s1")


def test_a_leader_that_moved_hands_over_to_a_voter_that_did_not() -> None:
    moved = replace(LEADER, moved=True)
    at_home = PeerView("a", "a:1", True, "a", ALIVE, healthy_for_s=1.0)
    assert plan(ClusterView((moved, at_home)), PlanConfig(cleanup_dead_servers=False)).step == HandOver("a")
    assert plan(ClusterView((LEADER, replace(at_home, moved=True))), PlanConfig()).step is None
    for unfit in (replace(at_home, moved=True), replace(at_home, voter=False), replace(at_home, healthy_for_s=None)):
        assert plan(ClusterView((moved, unfit)), PlanConfig()).step is None


def test_moved_is_who_listens_elsewhere_than_raft_thinks() -> None:
    tags = server_tags(datacenter="dc1", node_id="s1", build="1.8.7:", port=1, wan_port=0, bootstrap=False, expect=3)
    known = ServerDetails.parse(Member("s1", "10.0.0.2", 8301, tags, ALIVE))
    assert known is not None
    for address, moved in (("10.0.0.2:1", False), ("10.0.0.1:1", True)):
        peers = (RaftServer(Suffrage.VOTER, "s1", address),)
        assert view_of(Contact([known], peers, "s1", {})).peers[0].moved is moved
    assert not view_of(Contact([], peers, "s1", {})).peers[0].moved, "gossip knows nothing of it"
