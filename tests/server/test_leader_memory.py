"""What only the leader remembers: session deadlines, lock-delays, tombstone ages."""

from __future__ import annotations

import pytest

from proconsul.features.session.model import Session
from proconsul.server.lock_delays import LockDelays
from proconsul.server.session_timers import SessionTimers
from proconsul.server.tombstones import GRANULARITY_S, TTL_S, TombstoneGC


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


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lock_delays_end_by_themselves() -> None:
    clock = Clock()
    delays = LockDelays(clock)
    delays.arm("key", 15.0)
    delays.arm("free", 0.0)
    assert delays.remaining_s("key") == 15.0
    assert delays.remaining_s("free") == 0.0
    clock.now = 14.0
    assert delays.remaining_s("key") == pytest.approx(1.0)
    clock.now = 15.0
    assert delays.remaining_s("key") == 0.0
    assert len(delays) == 0


def test_a_later_delay_replaces_an_earlier_one() -> None:
    clock = Clock()
    delays = LockDelays(clock)
    delays.arm("key", 5.0)
    clock.now = 4.0
    delays.arm("key", 10.0)
    clock.now = 6.0
    assert delays.remaining_s("key") == 8.0


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
