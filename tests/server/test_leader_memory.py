"""What only the leader remembers: session deadlines, lock-delays, tombstone ages."""

# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from collections.abc import Callable

import pytest

from proconsul.engine.completion import Completion
from proconsul.features.session.model import Session
from proconsul.server.lock_delays import LockDelays, LockGate
from proconsul.server.session_timers import SessionTimers
from proconsul.server.tombstones import GRANULARITY_S, TTL_S, TombstoneGC
from support.told import Told


def session(name: str, ttl: str) -> Session:
    return Session(ID=name, TTL=ttl)


def test_a_session_lives_twice_its_ttl_and_never_less() -> None:
    timers = SessionTimers()
    timers.start(session("a", "15s"), now=100.0)
    assert timers.expire(115.0) == []
    assert timers.expire(129.999) == []
    assert timers.expire(130.0) == ["a"]
    assert timers.expire(1000.0) == []


def test_renewing_gives_a_full_ttl_again() -> None:
    timers = SessionTimers()
    timers.start(session("a", "10s"), now=0.0)
    timers.start(session("a", "10s"), now=19.0)
    assert timers.expire(20.0) == []
    assert timers.expire(38.9) == []
    assert timers.expire(39.0) == ["a"]


def test_sessions_without_ttl_never_expire() -> None:
    timers = SessionTimers()
    timers.start(session("a", ""), now=0.0)
    assert timers.next_deadline() is None
    assert timers.expire(1e9) == []


def test_a_new_leader_forgets_and_starts_over() -> None:
    timers = SessionTimers()
    timers.start(session("a", "10s"), now=0.0)
    timers.clear()
    assert timers.expire(1e9) == []
    timers.start(session("a", "10s"), now=1e9)
    assert timers.expire(1e9 + 19.9) == []


def test_ended_sessions_cost_nothing_later() -> None:
    timers = SessionTimers()
    for number in range(1000):
        timers.start(session(str(number), "10s"), now=float(number))
        timers.stop(str(number))
    assert (len(timers), timers.next_deadline()) == (0, None)


def test_failed_destroys_back_off_and_give_up() -> None:
    timers = SessionTimers()
    timers.start(session("a", "10s"), now=0.0)
    now, pauses = 20.0, []
    while timers.expire(now):
        timers.destroy_failed("a", now)
        deadline = timers.next_deadline()
        if deadline is None:
            break
        pauses.append(deadline - now)
        now = deadline
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0]


def test_many_deadlines_come_in_order() -> None:
    timers = SessionTimers()
    for number in (30, 10, 20):
        timers.start(session(f"s{number}", f"{number}s"), now=0.0)
    assert timers.expire(1000.0) == ["s10", "s20", "s30"]


def test_lock_delays_end_by_themselves() -> None:
    delays = LockDelays()
    delays.arm("key", 15.0, now=0.0)
    delays.arm("free", 0.0, now=0.0)
    assert delays.remaining_s("key", 0.0) == 15.0
    assert delays.remaining_s("free", 0.0) == 0.0
    assert delays.remaining_s("key", 14.0) == pytest.approx(1.0)
    assert delays.remaining_s("key", 15.0) == 0.0
    delays.begin_again(15.0)
    assert len(delays) == 0


def test_a_later_delay_replaces_an_earlier_one() -> None:
    delays = LockDelays()
    delays.arm("key", 5.0, now=0.0)
    delays.arm("key", 10.0, now=4.0)
    assert delays.remaining_s("key", 6.0) == 8.0


def test_a_new_leader_gives_the_whole_delay_again() -> None:
    delays = LockDelays()
    delays.arm("over", 5.0, now=0.0)
    delays.arm("key", 15.0, now=0.0)
    delays.begin_again(10.0)
    assert delays.remaining_s("key", 10.0) == 15.0
    assert delays.remaining_s("key", 24.9) > 0.0
    assert delays.remaining_s("key", 25.0) == 0.0
    assert delays.remaining_s("over", 10.0) == 0.0


def test_what_a_snapshot_holds_may_have_happened_just_before() -> None:
    delays = LockDelays()
    assert not delays.is_unknown(1, 0.0)
    delays.unknown_up_to(7, until=60.0)
    assert [delays.is_unknown(index, 59.0) for index in (1, 7, 8)] == [True, True, False]
    assert not delays.is_unknown(7, 60.0)
    delays.clear()
    assert not delays.is_unknown(7, 1.0)


def test_one_acquisition_of_a_key_at_a_time_in_order() -> None:
    gate, began = LockGate(), []
    told = [Told() for _ in range(4)]
    inside: dict[int, Completion] = {}

    def begin(number: int) -> Callable[[Completion], None]:
        def call(waiter: Completion) -> None:
            began.append(number)
            inside[number] = waiter

        return call

    gate.enter(told[0], ("a",), begin(0))
    gate.enter(told[1], ("a", "b"), begin(1))
    gate.enter(told[2], ("b",), begin(2))
    gate.enter(told[3], ("a",), begin(3))
    assert began == [0, 2], "who waits for one key keeps nobody from the other"
    inside[0].set_result("first")
    assert began == [0, 2, 3] and told[0].results == ["first"]
    inside[2].set_exception(ValueError("no"))
    assert began == [0, 2, 3]
    inside[3].set_result(False)
    assert began == [0, 2, 3, 1]
    inside[1].set_result(True)
    gate.enter(Told(), ("a", "b"), begin(4))
    assert began[-1] == 4, "nothing is left behind"


def test_who_is_gone_or_fails_lets_the_next_in() -> None:
    gate, began = LockGate(), []
    inside: list[Completion] = []
    gate.enter(Told(gone=True), ("a",), inside.append)

    def fails(_: Completion) -> None:
        raise ValueError("refused")

    failed, gone, last = Told(), Told(gone=True), Told()
    gate.enter(failed, ("a",), fails)
    gate.enter(gone, ("a",), began.append)
    gate.enter(last, ("a",), began.append)
    assert not inside[0].done(), "it must be heard even if nobody wants to know"
    inside[0].set_result(True)
    assert isinstance(failed.results[0], ValueError)
    assert len(began) == 1 and not gone.results


def test_tombstones_are_never_reaped_early() -> None:
    gc = TombstoneGC()
    gc.enable(0, now=0.0)
    gc.hint(7, now=10.0)
    assert gc.due(10.0 + TTL_S - 0.001) == 0
    assert gc.due(10.0 + TTL_S + GRANULARITY_S) == 7
    assert gc.due(1e9) == 0


def test_a_new_leader_reaps_what_the_old_one_left() -> None:
    gc = TombstoneGC()
    gc.hint(3, now=0.0)  # not leading: ignored
    gc.enable(99, now=1000.0)
    assert gc.due(1000.0 + TTL_S + GRANULARITY_S) == 99
    gc.hint(100, now=5000.0)
    gc.disable()
    assert gc.due(1e9) == 0
