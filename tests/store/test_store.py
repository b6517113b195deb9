"""Tables, transactions and watches."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.store.table import Store, Table
from proconsul.engine.store.watch import KeyChanged, Prefix, WatchRegistry


class Row(NamedTuple):
    key: str
    group: str = ""
    tags: tuple[str, ...] = ()


def store_with_rows() -> tuple[Store, Table[Row]]:
    store = Store()
    table: Table[Row] = Table(
        "rows", lambda row: row.key, indexes={"group": lambda row: row.group or None},
        multi_indexes={"tag": lambda row: row.tags},
    )  # fmt: skip
    store.add(table)
    return store, table


def test_indexes_follow_every_change() -> None:
    store, table = store_with_rows()
    tx = store.begin(1)
    tx.put(table, Row("b", "x", ("t", "u")))
    tx.put(table, Row("a", "x"))
    assert [row.key for row in table.by("group", "x")] == ["a", "b"]
    tx.put(table, Row("b", "y", ("u",)))
    assert [row.key for row in table.by("group", "x")] == ["a"]
    assert table.by("tag", "t") == []
    tx.delete(table, "b")
    assert not table.has("group", "y")


def test_abort_restores_rows_indexes_and_effects() -> None:
    store, table = store_with_rows()
    first = store.begin(1)
    first.put(table, Row("a", "x"))
    first.bump("rows")
    first.commit()
    second = store.begin(2)
    second.put(table, Row("a", "y"))
    second.put(table, Row("new"))
    second.delete(table, "a")
    second.bump("rows")
    second.bump("other")
    second.effects.append("effect")
    second.abort()
    assert table.all() == [Row("a", "x")]
    assert [row.key for row in table.by("group", "x")] == ["a"]
    assert store.indexes == {"rows": 1}
    assert second.effects == []


def test_savepoints_undo_only_what_came_after() -> None:
    store, table = store_with_rows()
    tx = store.begin(1)
    tx.put(table, Row("kept"))
    mark = tx.savepoint()
    tx.put(table, Row("dropped"))
    tx.rollback_to(mark)
    tx.commit()
    assert [row.key for row in table.all()] == ["kept"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "x", "y"]), st.booleans()), max_size=40))
def test_an_aborted_transaction_never_happened(steps: list[tuple[str, str, bool]]) -> None:
    store, table = store_with_rows()
    tx = store.begin(1)
    for key, group, _ in steps[: len(steps) // 2]:
        tx.put(table, Row(key, group))
    tx.commit()
    before = table.all()
    groups = {name: table.by("group", name) for name in ("x", "y")}
    tx = store.begin(2)
    for key, group, delete in steps:
        if delete:
            tx.delete(table, key)
        else:
            tx.put(table, Row(key, group))
    tx.abort()
    assert table.all() == before
    assert {name: table.by("group", name) for name in ("x", "y")} == groups


@pytest.mark.parametrize(("prefix", "expected"), [("", ["a", "a/b", "a/c", "b"]), ("a", ["a", "a/b", "a/c"]),
                                                  ("a/", ["a/b", "a/c"]), ("z", [])])  # fmt: skip
def test_prefix_scans_are_ordered(prefix: str, expected: list[str]) -> None:
    store, table = store_with_rows()
    tx = store.begin(1)
    for key in ("b", "a/c", "a", "a/b"):
        tx.put(table, Row(key))
    assert [row.key for row in table.prefix(prefix)] == expected


class Bell:
    def __init__(self) -> None:
        self.rings = 0

    def changed(self) -> None:
        self.rings += 1


@pytest.mark.parametrize(
    ("watched", "published", "rings"),
    [
        (KeyChanged("kvs", "a/b"), KeyChanged("kvs", "a/b"), 1),
        (KeyChanged("kvs", "a/b"), KeyChanged("kvs", "a/c"), 0),
        (Prefix("kvs", "a/"), KeyChanged("kvs", "a/b"), 1),
        (Prefix("kvs", ""), KeyChanged("kvs", "x"), 1),
        (Prefix("kvs", "a/b/c"), KeyChanged("kvs", "a/b"), 0),
        (Prefix("kvs", "a"), KeyChanged("other", "a"), 0),
        (("service", "web"), ("service", "web"), 1),
        (("service", "web"), ("service", "db"), 0),
        ("nodes", "nodes", 1),
    ],
)
def test_only_readers_of_what_changed_wake(watched: object, published: object, rings: int) -> None:
    registry, bell = WatchRegistry(), Bell()
    registry.subscribe(bell, [watched])
    registry.publish({published})
    assert bell.rings == rings
    registry.unsubscribe(bell, [watched])
    registry.publish({published})
    assert bell.rings == rings
    assert len(registry) == 0


def test_one_publish_rings_each_watcher_once() -> None:
    registry, bell = WatchRegistry(), Bell()
    registry.subscribe(bell, [Prefix("kvs", ""), Prefix("kvs", "a"), KeyChanged("kvs", "a")])
    registry.publish({KeyChanged("kvs", "a"), KeyChanged("kvs", "ab")})
    assert bell.rings == 1


def test_what_was_captured_stays_as_it_was() -> None:
    table: Table[tuple[str, int]] = Table("pairs", lambda row: row[0])
    for key in ("b", "c", "a"):
        table._put(key, (key, 1))
    captured = table.snapshot()
    table._put("c", ("c", 2))
    table._remove("a")
    table._put("d", ("d", 1))
    assert len(captured) == 3
    assert list(captured) == [("a", 1), ("b", 1), ("c", 1)] == list(captured)
