"""What a leader knows about a follower: its transitions by table, its invariants under any answers."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.configuration import Configuration, Server, Suffrage
from proconsul.engine.raft.core import InitialState, RaftCore
from proconsul.engine.raft.messages import (
    AppendEntriesResponse,
    InstallSnapshotResponse,
    RequestVoteResponse,
    StableState,
    TimeoutNowRequest,
)
from proconsul.engine.raft.progress import Progress, ProgressState
from proconsul.engine.raft.terms import LogTerms

PROBE, REPLICATE, SNAPSHOT = ProgressState.PROBE, ProgressState.REPLICATE, ProgressState.SNAPSHOT


def replicating() -> Progress:
    """Has up to 4 on its disk, 5 to 8 under way."""
    progress = Progress(5, 0.0)
    progress.append_sent(4, 0, 1.0)
    progress.append_answered(1)
    progress.accepted(4, True)
    progress.append_sent(6, 4, 1.0)
    progress.append_sent(8, 4, 1.0)
    return progress


def test_probing_sends_one_append_and_replicating_many() -> None:
    progress = Progress(5, 0.0)
    assert progress.has_room(3, 0.0)
    progress.append_sent(4, 0, 1.0)
    assert (progress.next, progress.has_room(3, 0.0)) == (5, False)
    progress = replicating()
    assert (progress.state, progress.match, progress.next, progress.inflight) == (REPLICATE, 4, 9, 2)
    assert progress.has_room(3, 0.0) and not progress.has_room(2, 0.0)


@pytest.mark.parametrize(
    ("prev", "follower_last", "rejections", "match", "next_index"),
    [
        (8, 8, 0, 4, 8),  # one back
        (8, 8, 3, 4, 5),  # eight back, but never to what it has
        (8, 6, 0, 4, 7),  # to its end
        (8, 2, 0, 0, 3),  # it lost what it had
        (0, 0, 0, 0, 1),
    ],
)
def test_a_refusal_steps_back(prev: int, follower_last: int, rejections: int, match: int, next_index: int) -> None:
    progress = replicating()
    progress.rejections = rejections
    progress.rejected(prev, follower_last, 9, 2.0)
    assert (progress.state, progress.match, progress.next) == (PROBE, match, next_index)
    assert (progress.inflight, progress.epoch_seq, progress.retry_at) == (0, 9, 2.0)


def test_failures_wait_twice_as_long_each_time_up_to_a_limit() -> None:
    progress = replicating()
    waits = []
    for _ in range(9):
        progress.delay(5.0, 1.0)
        waits.append(round(progress.retry_at - 5.0, 3))
    assert waits == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]
    assert not progress.has_room(9, 5.9) and progress.has_room(9, 6.0)


def test_a_snapshot_keeps_appends_back_until_it_ended() -> None:
    progress = replicating()
    progress.become_snapshot(7)
    assert progress.state is SNAPSHOT and not progress.has_room(9, 9.0)
    assert not progress.append_answered(6), "an answer to what was abandoned"
    progress.snapshot_ended(20, 8, 3.0)
    assert (progress.state, progress.match, progress.next, progress.epoch_seq) == (PROBE, 20, 21, 8)
    progress.become_snapshot(9)
    progress.snapshot_ended(None, 10, 3.0)
    assert (progress.state, progress.match, progress.next) == (PROBE, 20, 21)


def test_it_can_be_read() -> None:
    progress = replicating()
    assert str(progress) == "replicate match=4 next=9 inflight=2 acked=0 epoch=0 contact=0.000"
    progress.delay(1.0, 1.0)
    assert str(progress).endswith("failures=1 acked=0 epoch=0 contact=0.000 retry_at=1.010")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("match", 9, "next is not behind match"),
        ("next", 10, "next lies behind the log's end 8"),
        ("inflight", 4, "more than 3 in flight"),
        ("inflight", -1, "in flight"),
        ("state", SNAPSHOT, "more than 0 in flight"),
        ("failures", -1, "negative"),
    ],
)
def test_broken_invariants_are_named(field: str, value: object, says: str) -> None:
    progress = replicating()
    progress.check(8, 3)
    setattr(progress, field, value)
    with pytest.raises(AssertionError, match=says):
        progress.check(8, 3)


def leading() -> tuple[RaftCore, list[ev.Effect]]:
    members = Configuration.of(Server(Suffrage.VOTER, i, f"host-{i}") for i in "abc")
    initial = InitialState(StableState(1, 0, b""), LogTerms.of((4, 1), ((5, 1),), 9), [(5, members)], 4, 1)
    core = RaftCore(RaftConfig(inflight_max=3, append_entries_max=2), "a", "host-a", Random(1), initial)
    core.step(ev.Start(), 0.0)
    effects = core.step(ev.Received(1, TimeoutNowRequest()), 0.1)
    writes = [effect.seq for effect in effects if isinstance(effect, ev.PersistState)]
    (first, *_) = [e for e in core.step(ev.DiskDone(writes[-1]), 0.1) if isinstance(e, ev.Send)]
    effects = core.step(ev.VoteResponded("b", first.message, RequestVoteResponse(2, True)), 0.2)
    assert core.state.is_leader
    return core, effects


@given(st.randoms(use_true_random=False), st.integers(10, 80))
def test_any_order_of_answers_keeps_the_invariants(rng: Random, steps: int) -> None:
    """Answers that are late, doubled, lost, refused with any log end; snapshots that arrive or do not."""
    core, effects = leading()
    sends: list[ev.SendAppend | ev.SendSnapshot] = []
    now = 0.2
    for _ in range(steps):
        sends += [effect for effect in effects if isinstance(effect, ev.SendAppend | ev.SendSnapshot)]
        writes = [effect.seq for effect in effects if isinstance(effect, ev.Append | ev.PersistState)]
        now += rng.choice((0.0, 0.01, 0.05))
        event: ev.Event = ev.Tick()
        if writes:
            event = ev.DiskDone(writes[-1])
        elif sends and rng.random() < 0.8:
            send = rng.choice(sends)
            if rng.random() < 0.8:
                sends.remove(send)
            event = answer(rng, core, send)
        elif core.accepts_proposals and rng.random() < 0.5:
            event = ev.Propose((ev.Proposal(0, b"x"),) * rng.randint(1, 4))
        effects = core.step(event, now)
        core.check()
        assert str(core).count("\n") == len(core.state.progress)


def answer(rng: Random, core: RaftCore, send: ev.SendAppend | ev.SendSnapshot) -> ev.Event:
    if rng.random() < 0.2:
        return ev.SendFailed(send)
    success = rng.random() < 0.7
    if isinstance(send, ev.SendSnapshot):
        return ev.SnapshotResponded(send, 4, InstallSnapshotResponse(send.term, success))
    last = send.last_index if success else rng.randint(0, core.state.last_index + 2)
    return ev.AppendResponded(send, AppendEntriesResponse(send.term, last, success, rng.random() < 0.5))
