"""The order, the limits and the notices of a broadcast queue."""

# mypy: disable-error-code="misc"

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.gossip.broadcast import BroadcastQueue
from proconsul.engine.gossip.lifeguard import retransmit_limit


def test_least_sent_then_longest_then_newest_go_first() -> None:
    queue = BroadcastQueue(4)
    queue.put(b"old")
    assert queue.take(2, 100, 9) == [b"old"]
    for message in (b"a", b"bb", b"c"):
        queue.put(message)
    assert queue.take(2, 100, 9) == [b"bb", b"c", b"a", b"old"]


def test_what_does_not_fit_gives_way_to_what_does() -> None:
    queue = BroadcastQueue(4)
    queue.put(b"x" * 50)
    queue.put(b"y" * 10)
    queue.put(b"z" * 9)
    assert queue.take(2, 23, 9) == [b"y" * 10, b"z" * 9]
    assert queue.take(2, 12, 9) == [b"y" * 10], "the long one, never sent, does not fit; the next group's first does"
    assert queue.take(2, 2, 9) == []


def test_a_message_is_sent_its_limit_and_then_its_sender_is_told() -> None:
    queue, told = BroadcastQueue(2), []
    queue.put(b"m", on_sent=lambda: told.append(1))
    for _ in range(retransmit_limit(2, 9) - 1):
        assert queue.take(0, 10, 9) == [b"m"]
    assert not told and len(queue) == 1
    assert queue.take(0, 10, 9) == [b"m"]
    assert told == [1] and len(queue) == 0 and queue.take(0, 10, 9) == []


def test_a_newer_message_of_the_same_name_replaces_the_older() -> None:
    queue, told = BroadcastQueue(4), []
    queue.put(b"one", name="n", on_sent=lambda: told.append("one"))
    queue.put(b"two", name="n", on_sent=lambda: told.append("two"))
    assert told == ["one"]
    assert queue.take(0, 10, 0) == [b"two"] and told == ["one", "two"]
    queue.put(b"three", name="n")
    assert queue.take(0, 10, 0) == [b"three"]


def test_pruning_keeps_the_first_in_order_and_tells_the_senders_of_the_rest() -> None:
    queue, told = BroadcastQueue(4), []
    queue.put(b"sent", name="s", on_sent=lambda: told.append("s"))
    queue.take(0, 10, 9)
    queue.put(b"fresh")
    queue.prune(1)
    assert told == ["s"] and queue.take(0, 100, 9) == [b"fresh"]
    small = BroadcastQueue(4, queued_max=2)
    for message in (b"1", b"22", b"333"):
        small.put(message)
    assert small.take(0, 100, 9) == [b"333", b"22"]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=30), st.integers(0, 5), st.integers(0, 120))
@settings(deadline=None)
def test_budgets_hold_and_all_that_fits_is_sent(messages: list[bytes], overhead: int, limit: int) -> None:
    queue, told = BroadcastQueue(3), []
    for message in messages:
        queue.put(message, on_sent=lambda message=message: told.append(message))
    fitting = [message for message in messages if len(message) + overhead <= limit]
    sent = 0
    while batch := queue.take(overhead, limit, 5):
        assert sum(len(message) + overhead for message in batch) <= limit
        sent += len(batch)
    assert sent == len(fitting) * retransmit_limit(3, 5)
    assert sorted(told) == sorted(fitting) and len(queue) == len(messages) - len(fitting)
