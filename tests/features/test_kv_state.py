"""Key/value semantics at the state: indexes, locks, compare-and-set, tombstones (HTTP API: kv)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proconsul.engine.store.table import Transaction
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import HealthCheck, Node, RegisterRequest
from proconsul.features.errors import StateError
from proconsul.features.kv.model import DirEntry
from proconsul.features.session.model import Session
from proconsul.features.session.state import LockDelayArmed, SessionEnded
from proconsul.features.state import State

S1 = "11111111-1111-1111-1111-111111111111"
S2 = "22222222-2222-2222-2222-222222222222"


class World:
    """A state, written at growing indexes."""

    def __init__(self) -> None:
        self.state = State()
        self.index = 0
        self.effects: list[Any] = []

    def write(self, run: Callable[[Transaction], Any]) -> Any:
        self.index += 1
        tx = self.state.store.begin(self.index)
        result = run(tx)
        tx.commit()
        self.effects = tx.effects
        return result

    def put(self, key: str, value: bytes = b"v", **fields: Any) -> None:
        self.write(lambda tx: self.state.kv.set(tx, DirEntry(Key=key, Value=value, **fields)))

    def lock(self, key: str, session: str, value: bytes = b"v") -> bool:
        done: bool = self.write(lambda tx: self.state.kv.lock(tx, DirEntry(Key=key, Value=value, Session=session)))[0]
        return done

    def unlock(self, key: str, session: str) -> bool:
        done: bool = self.write(lambda tx: self.state.kv.unlock(tx, DirEntry(Key=key, Session=session)))[0]
        return done

    def session(self, session_id: str, **fields: Any) -> None:
        if self.state.tables.nodes.get("n1") is None:
            self.write(lambda tx: self.state.catalog.register(tx, RegisterRequest(Node="n1", Address="127.0.0.1")))
        fields = {"Node": "n1", "NodeChecks": [], **fields}
        self.write(lambda tx: self.state.sessions.create(tx, Session(ID=session_id, **fields)))

    def entry(self, key: str) -> DirEntry:
        entry = self.state.kv.entry(key)
        assert entry is not None
        return entry


@pytest.fixture
def world() -> World:
    return World()


def test_identical_writes_keep_the_index(world: World) -> None:
    world.put("a")
    world.put("a")
    assert world.entry("a").ModifyIndex == 1
    assert world.state.store.indexes["kvs"] == 1
    world.put("a", b"other")
    assert (world.entry("a").CreateIndex, world.entry("a").ModifyIndex) == (1, 3)


def test_a_missing_key_has_the_tables_index(world: World) -> None:
    world.put("a")
    world.put("b")
    assert world.state.kv.get(None, "a")[0] == 1
    assert world.state.kv.get(None, "none")[0] == 2


def test_list_indexes_never_go_back_when_keys_are_deleted(world: World) -> None:
    world.put("d/a")
    world.put("d/b")
    world.put("other")
    assert world.state.kv.below(None, "d/")[0] == 2
    world.write(lambda tx: world.state.kv.delete(tx, "d/b"))
    assert world.state.kv.below(None, "d/")[0] == 4
    world.write(lambda tx: world.state.kv.reap_tombstones(tx, 4))
    assert world.state.kv.below(None, "d/")[0] == 4, "what was said of a list is not taken back"


def test_delete_tree_leaves_one_tombstone_for_the_prefix(world: World) -> None:
    for key in ("d/a", "d/b", "e"):
        world.put(key)
    world.write(lambda tx: world.state.kv.delete_tree(tx, "d/"))
    assert [stone.Key for stone in world.state.kv.tombstones.all()] == ["d/"]
    assert [entry.Key for entry in world.state.kv.entries.all()] == ["e"]
    assert world.state.kv.below(None, "d/")[0] == 4


@pytest.mark.parametrize(
    ("exists", "index", "done"),
    [(False, 0, True), (True, 0, False), (True, 1, True), (True, 2, False), (False, 7, False)],
)
def test_compare_and_set(world: World, exists: bool, index: int, done: bool) -> None:
    if exists:
        world.put("a")
    result = world.write(lambda tx: world.state.kv.cas(tx, DirEntry(Key="a", Value=b"new", ModifyIndex=index)))
    assert result[0] is done
    # What was written, or what was there before, and nothing where there was nothing.
    stored = world.state.kv.get(None, "a")[1]
    assert (stored.Value if stored is not None else None) == (b"new" if done else b"v" if exists else None)


def test_lock_index_counts_fresh_acquisitions_only(world: World) -> None:
    world.session(S1)
    world.session(S2)
    assert world.lock("k", S1)
    assert world.lock("k", S1, b"again")
    assert world.entry("k").LockIndex == 1
    assert not world.lock("k", S2)
    assert not world.unlock("k", S2)
    assert world.unlock("k", S1)
    assert (world.entry("k").LockIndex, world.entry("k").Session) == (1, "")
    assert world.lock("k", S2)
    assert world.entry("k").LockIndex == 2


def test_a_plain_write_on_a_locked_key_keeps_the_holder_and_loses_the_count(world: World) -> None:
    world.session(S1)
    world.lock("k", S1)
    world.put("k", b"forced")
    assert (world.entry("k").Session, world.entry("k").LockIndex, world.entry("k").Value) == (S1, 0, b"forced")


@pytest.mark.parametrize(
    ("session", "text"),
    [
        ("", "missing session"),
        ("x", "failed session lookup: index error: UUID must be 36 characters"),
        (S1, f'invalid session "{S1}"'),
    ],
)
def test_locks_need_a_session(world: World, session: str, text: str) -> None:
    with pytest.raises(StateError, match="^" + text.replace("(", r"\(") + "$"):
        world.lock("k", session)


@pytest.mark.parametrize(("behavior", "left"), [("release", ["k"]), ("delete", [])])
def test_an_ending_session_lets_go_of_its_keys(world: World, behavior: str, left: list[str]) -> None:
    world.session(S1, Behavior=behavior, LockDelay=90 * 10**9)
    world.lock("k", S1, b"kept")
    world.write(lambda tx: world.state.sessions.destroy(tx, S1))
    assert [entry.Key for entry in world.state.kv.entries.all()] == left
    if left:
        entry = world.entry("k")
        assert (entry.Session, entry.Value, entry.LockIndex, entry.ModifyIndex) == ("", b"kept", 1, world.index)
    assert LockDelayArmed("k", 60 * 10**9) in world.effects
    assert SessionEnded(S1) in world.effects


def test_no_lock_delay_means_none(world: World) -> None:
    world.session(S1, LockDelay=0)
    world.lock("k", S1)
    world.write(lambda tx: world.state.sessions.destroy(tx, S1))
    assert not any(isinstance(effect, LockDelayArmed) for effect in world.effects)


def check(status: str, name: str = "c", node: str = "n1") -> HealthCheck:
    return HealthCheck(Node=node, CheckID=name, Name=name, Status=status)


@pytest.mark.parametrize("how", ["critical", "check removed", "node removed", "destroyed"])
def test_every_way_a_session_can_end(world: World, how: str) -> None:
    catalog = world.state.catalog
    world.session(S1, NodeChecks=[])
    world.write(lambda tx: catalog.ensure_check(tx, check("passing")))
    world.session(S2, NodeChecks=["C"])  # check ids are compared without case
    world.lock("k", S2)
    ends: dict[str, Callable[[Transaction], Any]] = {
        "critical": lambda tx: catalog.ensure_check(tx, check("critical")),
        "check removed": lambda tx: catalog.delete_check(tx, "N1", "c"),
        "node removed": lambda tx: catalog.delete_node(tx, "n1"),
        "destroyed": lambda tx: world.state.sessions.destroy(tx, S2),
    }
    world.write(ends[how])
    assert world.state.kv.session(S2) is None
    assert world.state.sessions.session_checks.all() == []
    # The key was released in the very entry that ended the session.
    assert (world.entry("k").Session, world.entry("k").ModifyIndex) == ("", world.index)
    assert (world.state.kv.session(S1) is None) == (how == "node removed")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"Node": "nope"}, "Missing node registration"),
        ({"NodeChecks": ["nope"]}, "Missing check 'nope' registration"),
        ({"NodeChecks": ["bad"]}, "Check 'bad' is in critical state"),
        ({"Behavior": "x"}, "Invalid session behavior: x"),
    ],
)
def test_sessions_are_bound_to_what_is_well(world: World, fields: dict[str, Any], text: str) -> None:
    world.write(lambda tx: world.state.catalog.ensure_node(tx, Node(Node="n1", Address="127.0.0.1")))
    world.write(lambda tx: world.state.catalog.ensure_check(tx, check("critical", "bad")))
    with pytest.raises(StateError, match=text):
        world.session(S1, **fields)


def test_rows_are_never_changed_in_place(world: World) -> None:
    world.put("a", b"1")
    before = world.entry("a")
    copy = replace(before)
    world.put("a", b"2")
    assert before == copy
