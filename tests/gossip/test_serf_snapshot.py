"""The snapshot file: what it says after which lines, what is appended when, and when it is rewritten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serf_support import Bench, address_of

from proconsul.engine.gossip.messages import LeaveIntent, NodeState, SerfKind, UserEventMessage
from proconsul.engine.gossip.serf_effects import SnapshotCompact, SnapshotLine, UserEvent
from proconsul.engine.gossip.snapshot_file import COMPACT_BYTES_MIN, MEMBER_BYTES, RestoredPool, SnapshotFile, replay
from proconsul.engine.wire.hostport import Address

A, B = Address("10.0.0.1", 7946), Address("10.0.0.2", 7946)
# Written by serf 0.9.4: two members, one of which failed and was made to leave, then a graceful leave.
REAL = """alive: n1 127.0.0.71:27946
alive: n1 127.0.0.71:27946
alive: n2 127.0.0.72:27946
event-clock: 1
query-clock: 1
clock: 1
query-clock: 3
query-clock: 4
not-alive: n2
query-clock: 14
query-clock: 15
not-alive: n2
clock: 2
clock: 4
leave
clock: 5
"""


@pytest.mark.parametrize(
    ("text", "rejoin", "expected"),
    [
        ("", False, RestoredPool()),
        ("alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:7946\nnot-alive: a\n", False, RestoredPool({"b": B})),
        ("alive: a name 10.0.0.1:7946\n", False, RestoredPool({"a name": A})),
        ("alive: six [::1]:7946\n", False, RestoredPool({"six": Address("::1", 7946)})),
        ("clock: 3\nevent-clock: 4\nquery-clock: 5\nclock: 7\n", False, RestoredPool({}, 7, 4, 5)),
        ("# made by hand\n\ncoordinate: {}\nalive: a 10.0.0.1:7946\n", False, RestoredPool({"a": A})),
        ("alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:79", False, RestoredPool({"a": A})),
        ("alive: a 10.0.0.1:7946\nclock: 3\nleave\n", False, RestoredPool(left=True)),
        ("alive: a 10.0.0.1:7946\nclock: 3\nleave\n", True, RestoredPool({"a": A}, 3, left=True)),
        ("alive: a 10.0.0.1:7946\nleave\nalive: b 10.0.0.2:7946\n", False, RestoredPool({"b": B})),
        (REAL, False, RestoredPool({}, 5, left=True)),
        (REAL, True, RestoredPool({"n1": Address("127.0.0.71", 27946)}, 5, 1, 15, left=True)),
        (
            "junk\nalive: x\nalive: y host\nalive: z 1.2.3.4:0\nclock: -1\nclock: " + "9" * 20 + "\nclock: 2\n",
            False,
            RestoredPool({}, 2, skipped=[
                "junk", "alive: x", "alive: y host", "alive: z 1.2.3.4:0", "clock: -1", "clock: " + "9" * 20,
            ]),
        ),
    ],
)  # fmt: skip
def test_replay(text: str, rejoin: bool, expected: RestoredPool) -> None:
    assert replay(text, rejoin_after_leave=rejoin) == expected


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_file_is_read(text: str) -> None:
    restored = replay(text, rejoin_after_leave=False)
    kept = SnapshotFile(restored, len(text), rejoin_after_leave=False)
    again = replay(kept.compacted(), rejoin_after_leave=False)
    assert (again.nodes, again.clock, again.skipped) == (restored.nodes, restored.clock, [])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("alive"), st.sampled_from("abc d")),
        st.tuples(st.just("gone"), st.sampled_from("abc d")),
        st.tuples(st.just("clocks"), st.tuples(*[st.integers(0, 50)] * 3)),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("leave"), st.none()),
    ),
    max_size=20,
)


@given(STEPS, st.booleans())
@settings(deadline=None)
def test_the_file_always_says_what_is_known(steps: list[tuple[str, object]], rejoin: bool) -> None:
    file, text = SnapshotFile(RestoredPool(), 0, rejoin_after_leave=rejoin), ""
    nodes: dict[str, Address] = {}
    leaving = False
    for what, value in steps:
        if what == "alive":
            text += file.alive(str(value), A)
            if not leaving:
                nodes[str(value)] = A
        elif what == "gone":
            text += file.not_alive(str(value))
            if not leaving:
                nodes.pop(str(value), None)
        elif what == "clocks":
            text += file.clocks(value)  # type: ignore[arg-type]
        elif what == "leave":
            text += file.leave()
            leaving = True
            nodes = nodes if rejoin else {}
        else:
            text = file.compacted()
    restored = replay(text, rejoin_after_leave=rejoin)
    assert (restored.nodes, restored.left, restored.skipped) == (nodes, leaving, [])


def test_a_name_cannot_forge_lines() -> None:
    file = SnapshotFile(RestoredPool(), 0, rejoin_after_leave=False)
    assert file.alive("x 1.1.1.1:1\nleave", A) == ""


def test_a_file_is_rewritten_when_it_has_grown() -> None:
    file = SnapshotFile(RestoredPool(), 0, rejoin_after_leave=False)
    written = 0
    while not file.needs_compaction():
        written += len(file.alive("a", A)) + len(file.not_alive("a"))
    assert COMPACT_BYTES_MIN < written < COMPACT_BYTES_MIN + 100
    assert file.compacted() == "clock: 0\nevent-clock: 0\nquery-clock: 0\n" and not file.needs_compaction()
    for members, large in ((1001, True), (999, False)):
        nodes = {f"n{at}": A for at in range(1000)}
        file = SnapshotFile(RestoredPool(nodes), members * 2 * MEMBER_BYTES, rejoin_after_leave=False)
        assert file.needs_compaction() is large


# ---------------------------------------------------------------------- as serf uses it


def lines(bench: Bench) -> list[str]:
    return [line.text for line in bench.effects(SnapshotLine)]


def test_what_happens_is_written() -> None:
    bench = Bench(snapshot="")
    bench.sees("a")
    bench.sees("b")
    bench.sees("a", NodeState.DEAD)
    me, a, b = (f"{address_of(name).host}:7946" for name in ("me", "a", "b"))
    assert lines(bench) == [f"alive: me {me}\n", f"alive: a {a}\n", f"alive: b {b}\n", "not-alive: a\n"]
    bench.tell(SerfKind.LEAVE, LeaveIntent(8, "b"))
    bench.sees("b", NodeState.LEFT)
    assert lines(bench) == ["not-alive: b\n"]
    bench.serf.leave(bench.now)
    bench.sees("me", NodeState.LEFT)
    assert lines(bench) == ["leave\n"]
    bench.advance(0.6)
    assert lines(bench) == ["clock: 9\n"]


def test_clocks_are_written_twice_a_second_at_most_and_only_when_they_moved() -> None:
    bench = Bench(snapshot="")
    bench.serf.tick(bench.now)
    lines(bench)
    for ltime in range(1, 50):
        bench.tell(SerfKind.USER_EVENT, UserEventMessage(ltime, "e"))
    assert lines(bench) == []
    bench.advance(0.6)
    assert lines(bench) == ["event-clock: 49\n"]
    due = bench.serf.next_deadline()
    assert due is not None and due > bench.now + 1, "nothing to write, nothing to wake up for"


def test_a_restart_goes_on_where_it_was() -> None:
    first = Bench(snapshot="")
    first.sees("a")
    first.tell(SerfKind.USER_EVENT, UserEventMessage(20, "e"))
    first.serf.query("q", b"", first.now)
    first.advance(0.6)
    second = Bench(snapshot="".join(lines(first)))
    assert second.rejoin == {"a": address_of("a")}
    assert second.serf.stats()["event_time"] == 21 and second.serf.stats()["query_time"] == 2
    second.tell(SerfKind.USER_EVENT, UserEventMessage(20, "e"))
    second.tell(SerfKind.USER_EVENT, UserEventMessage(21, "e"))
    assert [event.ltime for event in second.effects(UserEvent)] == [21]


def test_a_leave_is_remembered() -> None:
    assert Bench(snapshot=REAL).rejoin == {}
    assert Bench("n3", snapshot=REAL, rejoin_after_leave=True).rejoin == {"n1": Address("127.0.0.71", 27946)}
    assert Bench("n1", snapshot=REAL, rejoin_after_leave=True).rejoin == {}, "not ourselves"


@pytest.mark.parametrize("text", ["alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:79", "alive: a 10.0.0.1:7946\nrubbish\n"])
def test_a_damaged_file_is_rewritten_before_anything_is_appended(text: str) -> None:
    bench = Bench(snapshot=text)
    (compact,) = bench.effects(SnapshotCompact)
    assert compact.text == "alive: a 10.0.0.1:7946\nclock: 0\nevent-clock: 0\nquery-clock: 0\n"
    assert ("serf: Unrecognized snapshot line: 'rubbish'" in bench.logs()) == ("rubbish" in text)


def test_a_file_that_grows_is_replaced() -> None:
    bench = Bench(snapshot="")
    bench.sees("a")
    bench.effects(object)
    for _ in range(COMPACT_BYTES_MIN // 25):
        bench.serf.left(bench.membership.known["a"], bench.now)
        bench.serf.joined(bench.membership.known["a"], bench.now)
        if compacts := bench.effects(SnapshotCompact):
            break
        bench.effects(object)
    (compact,) = compacts
    assert "alive: me" in compact.text and len(compact.text) < 200
