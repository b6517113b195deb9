"""serf 0.9.4 and bare members of ours in one pool: everything that serf's command line can do to a member."""

# mypy: disable-error-code="arg-type,unused-ignore"

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pool_stories as stories
import pytest

from support.harness import eventually
from support.pools import KEYS, SETTLED_TIMEOUT_S, BareMember, Pool, SerfMember, new_host, require_reference

pytestmark = pytest.mark.reference
# A query of serf's waits this long for answers, so keep it short; nobody here needs a tenth of it.
QUERY_TIMEOUT_S = 0.4


@pytest.fixture(scope="module", params=[KEYS[0], ""], ids=["encrypted", "plain"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    require_reference()
    with Pool(tmp_path_factory.mktemp("serf"), request.param) as pool:
        for number in (1, 2):
            pool.add_serf(f"serf{number}", rack=f"s{number}")
        for number in (1, 2, 3):
            pool.add_bare(f"bare{number}", rack=f"b{number}")
        pool.join_all()
        yield pool


def _serf(pool: Pool, name: str) -> SerfMember:
    member = pool.members[name]
    assert isinstance(member, SerfMember)
    return member


def _bare(pool: Pool, name: str) -> BareMember:
    member = pool.members[name]
    assert isinstance(member, BareMember)
    return member


def test_all_see_all(pool: Pool) -> None:
    stories.all_agree(pool)


@pytest.mark.parametrize("name", ["serf1", "bare1"])
def test_changed_tags_are_seen_by_all(pool: Pool, name: str) -> None:
    member = pool.members[name]
    changed = {**member.tags, "rack": "moved", "extra": "ü"}  # type: ignore[union-attr]
    if isinstance(member, SerfMember):
        member.serf("tags", "-set", "rack=moved", "-set", "extra=ü")
    else:
        assert isinstance(member, BareMember)
        member.tell("tags " + " ".join(f"{key}={value}" for key, value in changed.items()))
    member.tags = changed  # type: ignore[union-attr]
    stories.all_agree(pool)


@pytest.mark.parametrize("name", ["serf1", "bare1"])
def test_events_reach_everybody(pool: Pool, name: str) -> None:
    stories.event_from(pool, name)


# What is asked is the same under a key.
plain_only = pytest.mark.parametrize("pool", [""], indirect=True, ids=["plain"], scope="module")
FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"serf1", "serf2", "bare1", "bare2", "bare3"}),
    ({"nodes": ["bare2", "serf2", "nobody"]}, {"bare2", "serf2"}),
    ({"tags": {"rack": "^[sb][23]$"}}, {"serf2", "bare2", "bare3"}),
    ({"tags": {"rack": "3", "role": "node"}, "nodes": ["bare3", "bare2"]}, {"bare3"}),
    ({"relay_factor": 2}, {"serf1", "serf2", "bare1", "bare2", "bare3"}),
]


@plain_only
@pytest.mark.parametrize(("filters", "expected"), FILTERS, ids=["all", "nodes", "tags", "both", "relayed"])
def test_serf_asks(pool: Pool, filters: dict[str, Any], expected: set[str]) -> None:
    words = [f"-node={name}" for name in filters.get("nodes", [])]
    words += [f"-tag={key}={value}" for key, value in filters.get("tags", {}).items()]
    words += [f"-relay-factor={filters['relay_factor']}"] if "relay_factor" in filters else []

    def answered() -> bool:
        answer = json.loads(_serf(pool, "serf1").serf(
            "query", "-format=json", f"-timeout={QUERY_TIMEOUT_S}s", *words, "story", "what?"
        ))  # fmt: skip
        # A datagram may get lost, an answer from someone who was not asked may not come.
        acks, responses = set(answer["Acks"] or ()), answer["Responses"] or {}
        assert acks <= expected
        assert set(responses) <= expected
        return acks == expected and responses == dict.fromkeys(expected, "what?")

    eventually(answered, f"{expected} answer serf's query")


@plain_only
@pytest.mark.parametrize(("filters", "expected"), FILTERS, ids=["all", "nodes", "tags", "both", "relayed"])
def test_we_ask(pool: Pool, filters: dict[str, Any], expected: set[str]) -> None:
    member = _bare(pool, "bare1")
    question = json.dumps({"name": "story", "payload": "what?", "ack": True, "timeout_s": QUERY_TIMEOUT_S, **filters})

    def answered() -> bool:
        before = len(member.said("ack", "response"))
        member.ask(f"ask {question}", "finished")
        heard = member.said("ack", "response")[before:]
        acks = [one["node"] for one in heard if one["what"] == "ack"]
        answers = [(one["node"], one["payload"]) for one in heard if one["what"] == "response"]
        assert {*acks, *dict(answers)} <= expected
        assert len(set(acks)) == len(acks), "a relayed acknowledgement counted twice"
        assert len(dict(answers)) == len(answers), "a relayed answer counted twice"
        return set(acks) == expected and dict(answers) == dict.fromkeys(expected, "what?")

    eventually(answered, f"{expected} answer our query")


@plain_only
def test_relayed_answers_pass_through_both_kinds(pool: Pool) -> None:
    """With as many relays as others every answer comes three times at least, so some were relayed by the other kind."""
    member = _bare(pool, "bare2")
    before = member.dropped().get("responses_again", 0)
    member.ask('ask {"name": "relay", "payload": "x", "ack": true, "relay_factor": 3, "timeout_s": 1.0}', "finished")
    assert member.dropped().get("responses_again", 0) > before


def test_reachability_and_round_trip_times(pool: Pool) -> None:
    def reachable() -> bool:
        return "Successfully contacted all live nodes" in _serf(pool, "serf1").serf("reachability", "-verbose")

    eventually(reachable, "serf reaches all of us")

    def estimated() -> bool:
        shown = _serf(pool, "serf1").serf("rtt", "bare1", "bare2")
        return re.search(r"Estimated bare1 <-> bare2 rtt: \d+\.\d+ ms", shown) is not None

    eventually(estimated, "serf estimates the round trip between members of ours")


def test_either_side_rotates_the_keys(pool: Pool) -> None:
    if not pool.key:

        def refused_by_all() -> bool:
            # Gossip may miss somebody: a question is asked again, as below.
            error = _bare(pool, "bare1").ask("keys list-keys", "keys")["error"]
            assert re.fullmatch(r"[1-5]/5 nodes reported failure", error)
            return str(error).startswith("5/5")

        eventually(refused_by_all, "nobody has keys")
        return
    everywhere = {KEYS[0]: 5, KEYS[1]: 5}
    serf, bare = _serf(pool, "serf1"), _bare(pool, "bare1")

    def by_serf(*words: str) -> str:
        return eventually(lambda: serf.serf("keys", *words), f"serf keys {words}")

    def by_us(command: str) -> dict[str, int]:
        # As with serf's: operations may be repeated, and are when an answer is lost.
        def done() -> dict[str, Any] | None:
            found = bare.ask(f"keys {command}", "keys")
            return None if found["error"] else found

        keys: dict[str, int] = (eventually(done, f"our keys {command}") or {})["keys"]
        return keys

    by_serf(f"-install={KEYS[1]}")
    assert by_us("list-keys") == everywhere
    by_us(f"use-key {KEYS[1]}")
    by_serf(f"-remove={KEYS[0]}")
    assert by_us("list-keys") == {KEYS[1]: 5}
    by_us(f"install-key {KEYS[2]}")
    by_serf(f"-use={KEYS[2]}")
    by_us(f"remove-key {KEYS[1]}")
    assert re.findall(rf"({re.escape(KEYS[2])}) +\[(\d)/5\]", by_serf("-list")) == [(KEYS[2], "5")]
    pool.everybody_sees()
    pool.key = KEYS[2]
    for member in pool:
        member.key = KEYS[2]


def _require_votes(holder: SerfMember, other: BareMember, address: str) -> None:
    """serf asks everybody who has its name, and ends when most say that somebody else has. Nobody says so; and as it
    does not count who answers late, the name is disputed again until nearly everybody was in time."""
    disputes = 1

    def in_time() -> bool:
        nonlocal disputes
        said = r"(?:maj|min)ority in name conflict resolution(?:, quitting)? \[(\d+) / (\d+)\]"
        votes = re.findall(said, holder.log())
        assert all(for_it == given for for_it, given in votes), f"somebody votes against the holder: {votes}"
        if len(votes) == disputes and int(votes[-1][0]) < 4:
            disputes += 1
            other.join(address)
        return any(int(for_it) >= 4 for for_it, _ in votes)

    eventually(in_time, "we vote for serf", SETTLED_TIMEOUT_S)


@plain_only
@pytest.mark.parametrize(("name", "asked"), [("bare2", "serf1"), ("serf2", "serf2")])
def test_a_name_in_use_is_kept_by_its_holder(pool: Pool, name: str, asked: str) -> None:
    holder = pool.members[name]
    other = BareMember(name, pool.directory / f"second-{name}", host=new_host(), key=pool.key)
    try:
        other.start()
        other.wait_ready()
        other.join(pool.members[asked].gossip)
        if isinstance(holder, SerfMember):
            _require_votes(holder, other, pool.members[asked].gossip)
        else:
            # Which others hear of it is a matter of chance: those who know better do not pass it on.
            eventually(lambda: other.dropped().get("conflict", 0) > 0, "the conflict is counted")
        for member in pool:
            assert member.members()[name].address == holder.gossip
    finally:
        other.kill()
    pool.everybody_sees()


@plain_only
@pytest.mark.parametrize("name", ["serf2", "bare2"])
def test_who_leaves_may_come_back_from_elsewhere(pool: Pool, name: str) -> None:
    stories.leaves_and_comes_back_elsewhere(pool, name, lambda: _serf(pool, "serf1").serf("force-leave", name))


@plain_only
@pytest.mark.parametrize(("name", "by"), [("serf2", "bare1"), ("bare2", "serf1")])
def test_a_killed_name_is_free_when_it_was_forced_to_leave(pool: Pool, name: str, by: str) -> None:
    stories.dies(pool, name)
    member, operator = pool.members[name], pool.members[by]
    if isinstance(operator, SerfMember):
        operator.serf("force-leave", name)
    else:
        assert isinstance(operator, BareMember)
        operator.tell(f"force-leave {name}")
    pool.everybody_sees(**{name: "left"})
    member.start()
    pool.join(member)
    pool.everybody_sees()


@plain_only
def test_pruned_members_are_forgotten(pool: Pool) -> None:
    stories.dies(pool, "serf2", "bare3")
    # That somebody is to be forgotten is gossip only, told a few times, and some of it to the dead.
    for attempt in (1, 2, 3):
        _serf(pool, "serf1").serf("force-leave", "-prune", "bare3")
        _bare(pool, "bare1").tell("force-leave serf2 prune")
        try:
            pool.everybody_sees(timeout_s=stories.EVENT_TIMEOUT_S)
        except AssertionError:
            if attempt == 3:
                raise
        else:
            return
