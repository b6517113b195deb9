"""Our agents, Consul 1.8.7 and serf 0.9.4 in one pool: nobody can tell who is who."""

from __future__ import annotations

import pool_stories as stories
import pytest

from support.pools import KEYS, Pool

pytestmark = pytest.mark.reference
EVERY_KIND_OF_AGENT = ("ref1", "ref2", "our1", "our2")


def test_all_see_all(plain: Pool) -> None:
    stories.all_agree(plain)


@pytest.mark.parametrize("name", EVERY_KIND_OF_AGENT)
def test_user_events_reach_everybody(plain: Pool, name: str) -> None:
    stories.event_from(plain, name)


@pytest.mark.parametrize("name", ["ref2", "our2"])
def test_who_leaves_is_seen_to_and_may_come_back_from_elsewhere(plain: Pool, name: str) -> None:
    stories.leaves_and_comes_back_elsewhere(plain, name)


def test_who_is_killed_has_failed(plain: Pool) -> None:
    stories.dies(plain, "ref3", "our3", "serf1")
    for name in ("ref3", "our3", "serf1"):
        lines = stories.why(plain, "our1", name).splitlines()
        assert lines[0] == f"{name} is failed"
        assert [line for line in lines if "memberlist: alive" in line]
        assert [line for line in lines if "memberlist: dead" in line]
        assert lines[-1].startswith("It will be forgotten at ")


def test_all_see_all_under_a_key(encrypted: Pool) -> None:
    stories.all_agree(encrypted)


@pytest.mark.parametrize("name", ["ref2", "our2"])
def test_user_events_under_a_key(encrypted: Pool, name: str) -> None:
    stories.event_from(encrypted, name)


@pytest.mark.parametrize(("name", "old", "new"), [("ref1", KEYS[0], KEYS[1]), ("our1", KEYS[1], KEYS[2])])
def test_either_side_rotates_the_keys(encrypted: Pool, name: str, old: str, new: str) -> None:
    stories.rotation_by(encrypted, name, old, new)


def test_both_command_lines_show_the_same(plain: Pool, encrypted: Pool) -> None:
    for pool in (plain, encrypted):
        stories.same_command_lines(pool)
