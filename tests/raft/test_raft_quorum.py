"""The arithmetic of majorities, and that neighbouring configurations always agree through it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.raft import quorum
from proconsul.engine.raft.configuration import Change, Configuration, Server, Suffrage
from proconsul.engine.raft.errors import MembershipError


@pytest.mark.parametrize(("voters", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)])
def test_majority(voters: int, needed: int) -> None:
    assert quorum.majority(voters) == needed


@pytest.mark.parametrize(
    ("values", "reached"),
    [
        ([7], 7),
        ([7, 3], 3),
        ([7, 3, 5], 5),
        ([9, 9, 0, 0], 0),
        ([9, 9, 1, 0], 1),
        ([9, 8, 7, 6, 5], 7),
        ([float("inf"), 2.0, 1.0], 2.0),
    ],
)
def test_reached(values: list[float], reached: float) -> None:
    assert quorum.reached(values) == reached


def test_nobody_reaches_anything() -> None:
    with pytest.raises(ValueError, match="no voters"):
        quorum.reached([])
    assert not quorum.has_majority({"a"}, ())


@given(st.lists(st.integers(0, 20), min_size=1, max_size=9))
def test_a_majority_has_what_was_reached_and_none_has_more(values: list[int]) -> None:
    reached = quorum.reached(values)
    assert reached in values
    assert sum(value >= reached for value in values) >= quorum.majority(len(values))
    assert sum(value > reached for value in values) < quorum.majority(len(values))


@given(st.sets(st.sampled_from("abcdefg")), st.sets(st.sampled_from("abcdefg"), min_size=1))
def test_votes_of_others_do_not_count(granted: set[str], voters: set[str]) -> None:
    assert quorum.has_majority(granted, voters) == (2 * len(granted & voters) > len(voters))


SERVERS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([Suffrage.VOTER, Suffrage.NONVOTER])),
    min_size=1, max_size=6, unique_by=lambda pair: pair[0],
)  # fmt: skip


@given(SERVERS, st.sampled_from(Change), st.sampled_from("abcdefg"))
def test_majorities_of_two_configurations_one_change_apart_share_a_server(
    members: list[tuple[str, Suffrage]], change: Change, target: str
) -> None:
    old = Configuration(tuple(Server(suffrage, name, f"host-{name}") for name, suffrage in members))
    try:
        new = old.changed(change, target, f"host-{target}")
    except MembershipError:
        return
    if not old.voters:
        return
    for one in combinations(old.voters, old.quorum):
        assert quorum.has_majority(one, old.voters)
        for other in combinations(new.voters, new.quorum):
            assert set(one) & set(other)
