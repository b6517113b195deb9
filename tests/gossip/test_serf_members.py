"""serf's members: every intent in every status, memberlist's word, reaping, reconnecting, leaving."""

from __future__ import annotations

from typing import Any

import gossip_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serf_support import Bench, FakePool, address_of, record

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.delegate import NodeRefused
from proconsul.engine.gossip.lamport import LTIME_MAX, LamportClock
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.members import CAUSES_MAX, INTENTS_MAX
from proconsul.engine.gossip.messages import JoinIntent, LeaveIntent, NodeState, SerfKind, SerfPushPull
from proconsul.engine.gossip.serf_config import HOUR_S, SerfConfig, client_reconnect_timeout, consul
from proconsul.engine.gossip.serf_effects import Doubted, MemberChange, MembersChanged
from proconsul.engine.wire.hostport import Address

ALIVE, LEAVING, LEFT, FAILED = MemberStatus.ALIVE, MemberStatus.LEAVING, MemberStatus.LEFT, MemberStatus.FAILED


def in_status(status: MemberStatus, **settings: Any) -> Bench:
    """A bench that knows ``a`` in that status, of Lamport time 10."""
    bench = Bench(**settings)
    bench.sees("a")
    bench.tell(SerfKind.JOIN, JoinIntent(9, "a"))
    if status in (LEAVING, LEFT):
        bench.tell(SerfKind.LEAVE, LeaveIntent(10, "a"))
    else:
        bench.tell(SerfKind.JOIN, JoinIntent(10, "a"))
    if status in (FAILED, LEFT):
        bench.sees("a", NodeState.DEAD)
    assert bench.status("a") is status
    bench.clear_queues()
    bench.effects(object)
    return bench


def changes(bench: Bench) -> list[tuple[MemberChange, str]]:
    return [(change.kind, change.member.name) for change in bench.effects(MembersChanged)]


# Status before, message, status after, what is told the driver, whether the message is passed on.
TRANSITIONS = [
    (ALIVE, JoinIntent(10, "a"), ALIVE, [], False),
    (ALIVE, JoinIntent(11, "a"), ALIVE, [], True),
    (ALIVE, LeaveIntent(10, "a"), ALIVE, [], False),
    (ALIVE, LeaveIntent(11, "a"), LEAVING, [], True),
    (ALIVE, LeaveIntent(11, "a", True), LEAVING, [], True),
    (LEAVING, JoinIntent(10, "a"), LEAVING, [], False),
    (LEAVING, JoinIntent(11, "a"), ALIVE, [], True),
    (LEAVING, LeaveIntent(11, "a"), LEAVING, [], True),
    (LEAVING, LeaveIntent(11, "a", True), LEAVING, [], True),
    (FAILED, JoinIntent(11, "a"), FAILED, [], True),
    (FAILED, LeaveIntent(10, "a"), FAILED, [], False),
    (FAILED, LeaveIntent(11, "a"), LEFT, [MemberChange.LEAVE], True),
    (FAILED, LeaveIntent(11, "a", True), None, [MemberChange.LEAVE, MemberChange.REAP], True),
    (LEFT, JoinIntent(11, "a"), LEFT, [], True),
    (LEFT, LeaveIntent(11, "a"), LEFT, [], True),
    (LEFT, LeaveIntent(10, "a", True), LEFT, [], False),
    (LEFT, LeaveIntent(11, "a", True), None, [MemberChange.REAP], True),
]


@pytest.mark.parametrize(("before", "intent", "after", "told", "passed_on"), TRANSITIONS)
def test_intents(
    before: MemberStatus, intent: JoinIntent | LeaveIntent, after: MemberStatus | None, told: list[MemberChange],
    passed_on: bool,
) -> None:  # fmt: skip
    bench = in_status(before)
    kind = SerfKind.JOIN if isinstance(intent, JoinIntent) else SerfKind.LEAVE
    bench.tell(kind, intent)
    assert bench.status("a") is after
    assert changes(bench) == [(change, "a") for change in told]
    assert bench.queued() == ([codec.encode(kind, intent)] if passed_on else [])


@given(st.permutations(range(11, 17)), st.lists(st.booleans(), min_size=6, max_size=6))
@settings(deadline=None)
def test_the_newest_intent_decides_in_whatever_order_they_come(order: list[int], leaves: list[bool]) -> None:
    bench = in_status(ALIVE)
    for ltime in order:
        if leaves[ltime - 11]:
            bench.tell(SerfKind.LEAVE, LeaveIntent(ltime, "a"))
        else:
            bench.tell(SerfKind.JOIN, JoinIntent(ltime, "a"))
    assert bench.status("a") is (LEAVING if leaves[-1] else ALIVE)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (ALIVE, FAILED, [MemberChange.FAILED]),
        (LEAVING, LEFT, [MemberChange.LEAVE]),
        (FAILED, FAILED, []),
        (LEFT, LEFT, []),
    ],
)
@pytest.mark.parametrize("state", [NodeState.DEAD, NodeState.LEFT])
def test_a_member_that_is_gone_has_left_only_if_it_said_so(
    before: MemberStatus, after: MemberStatus, told: list[MemberChange], state: NodeState
) -> None:
    # serf 0.9.4 shows a member as failed even when memberlist's own message says that it left.
    bench = in_status(before)
    bench.sees("a", state)
    assert bench.status("a") is after and changes(bench) == [(change, "a") for change in told]


@pytest.mark.parametrize("before", [LEAVING, LEFT, FAILED])
def test_a_member_that_is_found_alive_is_alive(before: MemberStatus) -> None:
    bench = in_status(before)
    bench.sees("a", tags={"role": "new"})
    assert bench.status("a") is ALIVE and changes(bench) == [(MemberChange.JOIN, "a")]
    assert bench.serf.members()[1].tags == {"role": "new"}
    assert bench.serf.counters["flaps"] == (before is FAILED)


def test_a_member_that_comes_back_late_is_not_flapping() -> None:
    bench = in_status(FAILED)
    bench.advance(61)
    bench.sees("a")
    assert bench.serf.counters["flaps"] == 0


@pytest.mark.parametrize(
    ("intents", "status", "ltime"),
    [
        ([LeaveIntent(50, "x")], LEAVING, 50),
        ([JoinIntent(60, "x"), LeaveIntent(59, "x")], ALIVE, 60),
        ([JoinIntent(60, "x"), LeaveIntent(61, "x")], LEAVING, 61),
        ([LeaveIntent(61, "x"), JoinIntent(62, "x")], ALIVE, 62),
    ],
)
def test_intents_of_members_not_known_yet_count_when_they_come(
    intents: list[JoinIntent | LeaveIntent], status: MemberStatus, ltime: int
) -> None:
    bench = Bench()
    for intent in intents:
        bench.tell(SerfKind.JOIN if isinstance(intent, JoinIntent) else SerfKind.LEAVE, intent)
    assert bench.status("x") is None
    bench.sees("x")
    assert bench.status("x") is status
    found = bench.serf.why("x")
    assert found is not None and found[0].status_ltime == ltime


def test_intents_of_unknown_members_are_passed_on_once_and_forgotten_after_five_minutes() -> None:
    bench = Bench()
    bench.tell(SerfKind.LEAVE, LeaveIntent(50, "x"))
    assert len(bench.queued()) == 1
    bench.clear_queues()
    bench.tell(SerfKind.LEAVE, LeaveIntent(50, "x"))
    assert bench.queued() == []
    bench.advance(299)
    bench.tell(SerfKind.LEAVE, LeaveIntent(50, "x"))
    assert bench.queued() == []
    bench.advance(17)
    bench.sees("x")
    assert bench.status("x") is ALIVE


def test_made_up_names_have_a_limit() -> None:
    bench = Bench()
    bench.merge(SerfPushPull(1, {f"n{at}": 5 for at in range(INTENTS_MAX + 10)}))
    assert bench.serf.counters["intents_dropped"] == 10


def test_impossible_times_are_not_believed() -> None:
    bench = in_status(ALIVE)
    bench.tell(SerfKind.LEAVE, LeaveIntent(LTIME_MAX, "a"))
    bench.merge(SerfPushPull(2**64 - 1, {"a": 2**64 - 1}, ["a"], 2**64 - 1, None, 2**64 - 1))
    assert bench.status("a") is ALIVE and bench.queued() == []
    assert bench.serf.stats()["member_time"] == 11


@pytest.mark.parametrize(
    ("seen", "after"), [(0, 1), (1, 2), (7, 8), (LTIME_MAX - 1, LTIME_MAX), (LTIME_MAX, 1), (-1, 1)]
)
def test_clocks(seen: int, after: int) -> None:
    clock = LamportClock()
    clock.witness(seen)
    assert clock.time == after
    assert clock.stamp() == after and clock.time == after + 1


def test_what_others_say_of_our_leaving_is_refuted() -> None:
    bench = Bench()
    bench.tell(SerfKind.LEAVE, LeaveIntent(40, "me"))
    assert bench.status("me") is ALIVE
    assert bench.queued() == [codec.encode(SerfKind.JOIN, JoinIntent(41, "me"))]
    bench.clear_queues()
    bench.merge(SerfPushPull(50, {"me": 44}, ["me"]))
    assert bench.queued() == [codec.encode(SerfKind.JOIN, JoinIntent(50, "me"))]
    assert bench.effects(Doubted), "so that what hangs on it can be seen to"


def test_a_member_pruned_while_alive_may_object_and_is_forgotten_when_it_goes() -> None:
    objecting = in_status(ALIVE)
    objecting.tell(SerfKind.LEAVE, LeaveIntent(11, "a", True))
    objecting.tell(SerfKind.JOIN, JoinIntent(12, "a"))
    objecting.sees("a", NodeState.DEAD)
    assert objecting.status("a") is FAILED
    going = in_status(ALIVE)
    going.tell(SerfKind.LEAVE, LeaveIntent(11, "a", True))
    going.sees("a", NodeState.LEFT)
    assert going.status("a") is None and changes(going) == [(MemberChange.LEAVE, "a"), (MemberChange.REAP, "a")]


def test_the_words_of_the_original_are_understood() -> None:
    bench = Bench()
    bench.sees("py1")
    bench.give(gossip_vectors.wire("serf-leave"))
    assert bench.status("py1") is LEAVING
    bench.give(gossip_vectors.wire("serf-join"))
    assert bench.status("py1") is ALIVE and bench.serf.stats()["member_time"] == 6
    bench.serf.merge_state(gossip_vectors.wire("serf-pushpull"), True, bench.now)
    assert bench.serf.stats()["event_time"] == 2


# ---------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("status", "hours", "config", "tags"),
    [
        (FAILED, 24, SerfConfig, {}),
        (LEFT, 24, SerfConfig, {}),
        (FAILED, 72, consul, {}),
        (LEFT, 24, consul, {}),
        (FAILED, 8, consul, {"rc_tm": "8h", "role": "node"}),
    ],
)
def test_members_are_forgotten_in_time(status: MemberStatus, hours: int, config: Any, tags: dict[str, str]) -> None:
    bench = in_status(status, make_config=config, reconnect_interval_s=HOUR_S)
    if tags:
        bench.sees("a", tags=tags)
        bench.sees("a", NodeState.DEAD)
    found = bench.serf.why("a")
    assert found is not None and found[0].reap_at == pytest.approx(bench.now + hours * HOUR_S)
    bench.advance(hours * HOUR_S - 15)
    assert bench.status("a") is status
    bench.effects(object)
    bench.advance(31)
    assert bench.status("a") is None and changes(bench) == [(MemberChange.REAP, "a")]
    assert bench.serf.why("a") is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({}, 5.0), ({"rc_tm": "90s"}, 90.0), ({"rc_tm": "soon"}, 5.0), ({"rc_tm": "90s", "role": "consul"}, 5.0)],
)
def test_clients_may_ask_to_be_remembered_for_another_time(tags: dict[str, str], expected: float) -> None:
    bench = Bench(tags=tags)
    member = bench.serf.local_member()
    assert member is not None and client_reconnect_timeout(member, 5.0) == expected


def test_failed_members_are_tried_again_with_a_probability() -> None:
    certain = in_status(FAILED)
    certain.advance(30 - (certain.now - 100))
    assert certain.membership.exchanges == [(address_of("a"), "a")]
    assert any("attempting reconnect to a " in text for text in certain.logs())
    tries = 0
    bench = in_status(FAILED)
    for at in range(9):
        bench.sees(f"b{at}")
    for _ in range(400):
        bench.advance(30)
    tries = len(bench.membership.exchanges)
    assert 20 <= tries <= 64, "one failed member for ten alive: about a tenth of 400"


def test_queues_that_grow_too_long_are_cut() -> None:
    bench = Bench(make_config=consul, queue_depth_warning=10, queue_depth_min=4)
    for at in range(20):
        bench.tell(SerfKind.JOIN, JoinIntent(at + 2, "x"))
    bench.advance(31)
    assert bench.serf.stats()["intent_queue"] == 4
    assert "serf: Intent queue depth (20) exceeds limit (4), dropping messages!" in bench.logs()
    assert consul("n").queue_limit(10) == 4096 and consul("n").queue_limit(5000) == 10_000
    assert SerfConfig("n").queue_limit(5000) == 4096


# ---------------------------------------------------------------------- leaving


def test_a_leave_is_told_before_memberlist_leaves() -> None:
    pool = FakePool("a", "b")
    told: list[str] = []
    pool["a"].serf.leave(pool["a"].now, lambda: told.append("a"))
    assert not told and pool["a"].status("a") is LEAVING
    pool.settle()
    assert told == ["a"] and pool["b"].status("a") is LEAVING
    pool["b"].sees("a", NodeState.LEFT)
    assert pool["b"].status("a") is LEFT
    pool["a"].tell(SerfKind.LEAVE, LeaveIntent(99, "a"))
    assert pool["a"].queued() == [codec.encode(SerfKind.LEAVE, LeaveIntent(99, "a"))], "true, so not refuted"


def test_alone_there_is_nobody_to_tell() -> None:
    bench, told = Bench(), []
    bench.serf.leave(bench.now, lambda: told.append(1))
    assert told == [1] and bench.queued() == []


def test_a_failed_member_is_made_to_leave_everywhere() -> None:
    pool = FakePool("a", "b", "c")
    for name in "ab":
        pool[name].sees("c", NodeState.DEAD)
    told: list[int] = []
    pool["a"].serf.force_leave("c", False, pool["a"].now, lambda: told.append(1))
    pool.benches.pop("c")
    pool.settle()
    assert told == [1] and pool["b"].status("c") is LEFT
    pool["b"].serf.force_leave("c", True, pool["b"].now)
    pool.settle()
    assert pool["a"].status("c") is None and pool["b"].status("c") is None


def test_a_living_member_objects_to_being_made_to_leave() -> None:
    pool = FakePool("a", "b", "c")
    pool["a"].serf.force_leave("b", False, pool["a"].now)
    assert pool["a"].status("b") is LEAVING
    pool.settle()
    assert {bench.status("b") for bench in pool.benches.values()} == {ALIVE}


def test_a_join_is_announced_with_the_next_time() -> None:
    bench = Bench()
    bench.serf.announce_join(bench.now)
    assert bench.queued() == [codec.encode(SerfKind.JOIN, JoinIntent(1, "me"))]
    assert bench.serf.stats()["member_time"] == 2


# ---------------------------------------------------------------------- full exchange and rules


def test_full_exchanges_carry_statuses() -> None:
    pool = FakePool("a", "b")
    for name in "ab":
        pool[name].sees("x")
    pool["a"].tell(SerfKind.LEAVE, LeaveIntent(7, "x"))
    pool["a"].sees("x", NodeState.LEFT)
    pool["b"].sees("x", NodeState.DEAD)
    pool["b"].clear_queues()
    pool.exchange("b", "a")
    assert pool["b"].status("x") is LEFT and pool["b"].queued() == []
    assert pool["b"].serf.stats()["member_time"] >= 8


def test_who_may_not_be_in_the_pool_is_refused() -> None:
    def accept(members: Any) -> None:
        for member in members:
            if member.tags.get("dc") != "dc1":
                raise NodeRefused(f"Member '{member.name}' part of wrong datacenter")

    bench = Bench(accept=accept)
    bench.serf.accept_alive(record("a", tags={"dc": "dc1"}))
    with pytest.raises(NodeRefused, match="'b' part of wrong"):
        bench.serf.accept_merge([record("a", tags={"dc": "dc1"}), record("b", tags={"dc": "dc2"})])


def test_tags_change_and_have_a_limit() -> None:
    bench = Bench(tags={"a": "1"})
    assert codec.decode_tags(bench.serf.node_meta()) == {"a": "1"}
    bench.serf.set_tags({"a": "2"}, bench.now)
    assert codec.decode_tags(bench.serf.node_meta()) == {"a": "2"} and bench.membership.metadata_changes == 1
    with pytest.raises(codec.MetaTooLarge, match="Encoded length of tags exceeds limit of 512 bytes"):
        bench.serf.set_tags({"a": "x" * 600}, bench.now)
    assert bench.serf.tags == {"a": "2"}
    bench.serf.updated(record("me", tags={"a": "2"}), bench.now)
    assert changes(bench)[-1] == (MemberChange.UPDATE, "me")


def test_why_a_member_has_its_status() -> None:
    bench = in_status(ALIVE)
    for at in range(CAUSES_MAX):
        bench.tell(SerfKind.JOIN, JoinIntent(20 + at, "a"))
    bench.sees("a", NodeState.DEAD)
    other = record("a")
    bench.serf.conflict(other, type(other)("a", Address("10.0.0.77", 1), b"", other.vsn, 1, NodeState.ALIVE, 0.0))
    found = bench.serf.why("a")
    assert found is not None
    evidence, conflict = found
    assert len(evidence.causes) == CAUSES_MAX
    assert [cause.what for cause in evidence.causes[-3:-1]] == ["join intent", "memberlist: dead"]
    assert evidence.causes[-3].ltime == 27 and evidence.causes[-3].source == "10.9.9.9:7946"
    assert evidence.causes[-2].status is FAILED and evidence.causes[-2].source == "memberlist"
    assert conflict is not None and conflict.other == Address("10.0.0.77", 1)
    home = address_of("a")
    assert f"serf: Name conflict for 'a' both {home.host}:7946 and 10.0.0.77:1 are claiming" in bench.logs()
    bench.serf.conflict(record("me"), type(other)("me", Address("10.0.0.77", 1), b"", b"", 1, NodeState.ALIVE, 0.0))
    assert bench.logs() == [
        "serf: Node name conflicts with another node at 10.0.0.77:1. Names must be unique! (Resolution enabled: false)"
    ]
    assert bench.serf.why("nobody") is None
