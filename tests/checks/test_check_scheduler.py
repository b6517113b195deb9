"""The schedule: spread, order, no overlap, bounded concurrency, many checks."""

from __future__ import annotations

import random

from proconsul.agent.checks.scheduler import Schedule


def test_first_run_is_spread_over_the_interval_and_never_overlaps() -> None:
    schedule = Schedule(random.Random(1))
    schedule.add("a", 10.0, 100.0)
    first = schedule.next_deadline()
    assert first is not None
    assert 100.0 <= first <= 110.0
    (run,), expired = schedule.due(first)
    assert expired == []
    assert schedule.next_deadline() is None, "nothing is planned while the check runs"
    assert schedule.due(first + 1000)[0] == []
    assert schedule.finished(*run, now_s=first + 3) == []
    assert schedule.next_deadline() == first + 13


def test_at_most_so_many_run_together_and_the_rest_keep_their_order() -> None:
    schedule = Schedule(random.Random(2), concurrent_max=2)
    for name in "abcde":
        schedule.add(name, 1.0, 0.0)
    runs, _ = schedule.due(2.0)
    assert len(runs) == 2
    assert schedule.running == 2
    third = schedule.finished(*runs[0], now_s=2.0)
    assert len(third) == 1
    assert schedule.running == 2
    started = [name for name, _ in runs + third]
    assert len(set(started)) == 3


def test_removed_and_replaced_checks_do_not_run() -> None:
    schedule = Schedule(random.Random(3))
    schedule.add("a", 1.0, 0.0)
    schedule.remove("a")
    assert schedule.next_deadline() is None
    schedule.add("b", 1.0, 0.0)
    (old,), _ = schedule.due(1.0)
    schedule.add("b", 50.0, 1.0)
    assert schedule.finished(*old, now_s=1.5) == []
    next_s = schedule.next_deadline()
    assert next_s is not None
    assert 1.0 <= next_s <= 51.0
    assert len(schedule) == 1


def test_a_waiting_check_that_is_removed_frees_no_slot_twice() -> None:
    schedule = Schedule(random.Random(4), concurrent_max=1)
    schedule.add("a", 1.0, 0.0)
    schedule.add("b", 1.0, 0.0)
    (run,), _ = schedule.due(2.0)
    schedule.remove("a")
    schedule.remove("b")
    assert schedule.finished(*run, now_s=2.0) == []
    assert (schedule.running, len(schedule)) == (0, 0)


def test_deadlines_move_with_every_report() -> None:
    schedule = Schedule(random.Random(5))
    for second in range(1000):
        schedule.add_deadline("ttl", 10.0 + second)
    assert schedule.due(1008.9) == ([], [])
    assert schedule.due(1009.0) == ([], ["ttl"])
    assert schedule.next_deadline() is None


def test_ten_thousand_checks_are_cheap_and_all_run_once_per_interval() -> None:
    schedule = Schedule(random.Random(6), concurrent_max=100_000)
    for number in range(10_000):
        schedule.add(f"c{number}", 10.0, 0.0)
    counts: dict[str, int] = {}
    now_s = 0.0
    for _ in range(110):
        now_s += 0.1
        for run in schedule.due(now_s)[0]:
            counts[run[0]] = counts.get(run[0], 0) + 1
            schedule.finished(*run, now_s=now_s)
    assert len(counts) == 10_000
    assert set(counts.values()) <= {1, 2}
