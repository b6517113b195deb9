"""Every message about a node in every state it can be in (gossip wire reference, membership state machine)."""

from __future__ import annotations

import pytest
from swim_support import SOURCE, Bench

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.config import VERSIONS
from proconsul.engine.gossip.delegate import NodeRefused
from proconsul.engine.gossip.messages import Alive, Kind, NodeState, PushNode
from proconsul.engine.wire.hostport import Address

A, S, D, L = NodeState.ALIVE, NodeState.SUSPECT, NodeState.DEAD, NodeState.LEFT

# state before (at incarnation 1), message, its incarnation and sender -> state and incarnation after, told on, noted
TABLE = [
    (None, "alive", 1, "", (A, 1), True, ["join"]),
    (None, "alive", 0, "", None, False, []),
    (None, "suspect", 1, "x", None, False, []),
    (None, "dead", 1, "x", None, False, []),
    (A, "alive", 1, "", (A, 1), False, []),
    (A, "alive", 0, "", (A, 1), False, []),
    (A, "alive", 2, "", (A, 2), True, []),
    (A, "suspect", 0, "x", (A, 1), False, []),
    (A, "suspect", 1, "x", (S, 1), True, []),
    (A, "suspect", 5, "x", (S, 5), True, []),
    (A, "dead", 0, "x", (A, 1), False, []),
    (A, "dead", 1, "x", (D, 1), True, ["dead"]),
    (A, "dead", 1, "a", (L, 1), True, ["left"]),
    (S, "alive", 1, "", (S, 1), False, []),
    (S, "alive", 2, "", (A, 2), True, []),
    (S, "suspect", 0, "y", (S, 1), False, []),
    (S, "dead", 1, "x", (D, 1), True, ["dead"]),
    (D, "alive", 1, "", (D, 1), False, []),
    (D, "alive", 2, "", (A, 2), True, ["join"]),
    (D, "suspect", 2, "x", (D, 1), False, []),
    (D, "dead", 2, "a", (D, 1), False, []),
    (L, "alive", 1, "", (L, 1), False, []),
    (L, "alive", 2, "", (A, 2), True, ["join"]),
    (L, "suspect", 2, "x", (L, 1), False, []),
    (L, "dead", 2, "x", (L, 1), False, []),
]


@pytest.mark.parametrize(("before", "message", "incarnation", "source", "after", "told", "noted"), TABLE)
def test_transition(
    before: NodeState, message: str, incarnation: int, source: str, after: object, told: bool, noted: list[str]
) -> None:
    bench = Bench()
    bench.known(before)
    if message == "alive":
        bench.alive("a", incarnation)
    else:
        getattr(bench, message)("a", source, incarnation)
    assert bench.state() == after
    assert bench.told() == ([(message, "a", incarnation)] if told else [])
    assert [what for what, _ in bench.delegate.notes] == noted


@pytest.mark.parametrize(
    ("message", "incarnation", "own_after"),
    [
        ("suspect", 1, 2), ("suspect", 9, 10), ("suspect", 0, 1),
        ("dead", 1, 2), ("dead", 3, 4), ("dead", 0, 1),
    ],
)  # fmt: skip
def test_accused_ourselves_we_refute(message: str, incarnation: int, own_after: int) -> None:
    bench = Bench()
    getattr(bench, message)("me", "x", incarnation)
    assert bench.state("me") == (A, own_after)
    assert bench.told() == ([("alive", "me", own_after)] if own_after > 1 else [])
    assert bench.swim.awareness.score == (own_after > 1)
    assert bench.delegate.notes == ([("doubt", "me")] if own_after > 1 else [])


@pytest.mark.parametrize("what", ["suspect", "dead"])
def test_who_missed_our_refutation_is_told_again(what: str) -> None:
    bench = Bench()
    bench.suspect("me", "x", 3)
    bench.effects()
    getattr(bench, what)("me", "y", 3)
    ((to, body),) = bench.sent(bench.effects(), Kind.ALIVE)
    assert (to, codec.decode(Alive, body).Incarnation) == (SOURCE, 4)
    assert bench.state("me") == (A, 4)
    bench.swim.leave(1.0, lambda: None)
    getattr(bench, what)("me", "y", 3)
    assert bench.sent(bench.effects(), Kind.ALIVE) == []


@pytest.mark.parametrize("accused", [2**32 - 2, 2**32 - 1])
def test_an_accusation_cannot_make_us_unreadable(accused: int) -> None:
    bench = Bench()
    bench.suspect("me", incarnation=accused)
    bench.dead("me", incarnation=accused)
    bench.swim.metadata_changed(1.0)
    assert bench.swim.incarnation == 2**32 - 1
    own = bench.swim.push_nodes()[0]
    assert codec.decode(PushNode, codec.encode_body(own)) == own


def test_an_older_self_is_outbid() -> None:
    """After a restart others still hold our former life: left, at a higher incarnation."""
    bench = Bench()
    bench.swim.merge([PushNode("me", b"\x0a\x00\x00\x01", 8301, b"old", 41, int(L), VERSIONS)], 0.0)
    assert bench.state("me") == (A, 42)
    assert bench.told() == [("alive", "me", 42)]


def test_own_alive_with_other_metadata_is_refuted() -> None:
    bench = Bench()
    bench.alive("me", 1, meta=b"another", at=Address("10.0.0.1", 8301))
    assert bench.state("me") == (A, 2)
    bench.alive("me", 2, meta=b"me", at=Address("10.0.0.1", 8301))
    assert bench.state("me") == (A, 2)


def test_own_name_at_another_address_is_a_conflict() -> None:
    bench = Bench()
    bench.alive("me", 7, at=Address("10.0.0.2", 8301))
    assert bench.state("me") == (A, 1)
    assert bench.delegate.notes == [("conflict", "me")]


@pytest.mark.parametrize(
    ("state", "waited_s", "taken"),
    [(A, 1000.0, False), (S, 1.0, False), (D, 29.0, False), (D, 31.0, True), (L, 0.0, True)],
)
def test_a_name_comes_back_with_another_address(state: NodeState, waited_s: float, taken: bool) -> None:
    bench = Bench()
    bench.known(state)
    bench.now = waited_s
    new = Address("10.9.9.9", 8301)
    bench.alive("a", 1 if taken else 5, at=new)
    record = bench.swim.node("a")
    assert record is not None
    assert (record.address == new) is taken
    assert bench.delegate.notes == [("join" if taken else "conflict", "a")]


def test_metadata_change_is_an_update() -> None:
    bench = Bench()
    bench.known(A)
    bench.alive("a", 2, meta=b"new")
    assert bench.delegate.notes == [("update", "a")]


def test_our_own_metadata_change_beats_what_is_known() -> None:
    bench = Bench()
    bench.delegate.meta = b"changed"
    bench.swim.metadata_changed(1.0)
    assert bench.told() == [("alive", "me", 2)]
    record = bench.swim.node("me")
    assert record is not None and record.meta == b"changed"


@pytest.mark.parametrize("vsn", [b"", b"\x01\x05\x02", b"\x00\x05\x02\x02\x05\x04", b"\x05\x01\x02\x02\x05\x04"])
def test_impossible_versions_are_ignored(vsn: bytes) -> None:
    bench = Bench()
    bench.alive("a", 1, vsn=vsn)
    assert bench.state() is None
    assert bench.swim.dropped["refused"] == 1


def test_the_delegate_may_refuse() -> None:
    bench = Bench()
    bench.delegate.refuse = "a"
    bench.alive("a")
    assert bench.state() is None


def push(name: str, state: NodeState, incarnation: int = 1, vsn: bytes = VERSIONS) -> PushNode:
    return PushNode(name, b"\x0a\x00\x01\x61", 8301, b"", incarnation, int(state), vsn)


@pytest.mark.parametrize(("heard", "after"), [(A, A), (S, S), (D, S), (L, L)])
def test_a_merge_believes_deaths_only_as_suspicions(heard: NodeState, after: NodeState) -> None:
    bench = Bench()
    bench.known(A)
    bench.swim.merge([push("a", heard)], 0.0)
    assert bench.state() == (after, 1)


def test_incompatible_versions_refuse_the_whole_merge() -> None:
    bench = Bench()
    with pytest.raises(NodeRefused, match=r"Node 'b' protocol version \(6\) is incompatible: \[1, 5\]"):
        bench.swim.check_merge([push("a", A), push("b", A, vsn=b"\x01\x05\x06\x02\x05\x04")], True, 0.0)


def test_leaving_is_told_and_then_stays_said() -> None:
    bench = Bench()
    bench.known(A)
    sent: list[bool] = []
    bench.swim.leave(1.0, lambda: sent.append(True))
    assert bench.state("me") == (L, 1)
    bench.suspect("me", "x", 5)
    bench.alive("me", 5, at=Address("10.0.0.1", 8301))
    assert bench.state("me") == (L, 1)
    assert not sent
    assert bench.told() == [("dead", "me", 1)]
    assert sent == [True]


def test_leaving_alone_waits_for_nobody() -> None:
    bench = Bench()
    sent: list[bool] = []
    bench.swim.leave(0.0, lambda: sent.append(True))
    assert sent == [True]


def test_evidence_says_from_whom() -> None:
    bench = Bench()
    for name in "abcdefgh":
        bench.known(A, name)
    bench.now = 3.0
    bench.suspect("a", "b")
    bench.suspect("a", "c")
    bench.suspect("a", "c")
    bench.dead("a", "d")
    assert [(e.at, e.what, e.source) for e in bench.swim.evidence("a")][1:] == [
        (3.0, "suspected", "b"), (3.0, "suspicion confirmed", "c"), (3.0, "declared dead", "d"),
    ]  # fmt: skip
