"""Indexed tables of immutable rows, written in transactions that can be undone.

A table has one unique primary key and any number of declared secondary indexes. Keys are tuples of strings (or one
string); iteration follows key order, as a radix tree would give it, so that lists come out in the order clients know.
All writes go through a `Transaction`; it remembers how to undo each change and which watch keys it touched. There is
one writer and no await inside a read, so a reader always sees one consistent moment.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from sortedcontainers import SortedDict

from proconsul.engine.store.watch import WatchRegistry

Row = TypeVar("Row")
Key = Hashable
KeyOf = Callable[[Any], Any]
# Follows every character that `byte_text` gives.
_BEHIND_BYTES = "\u0100"


def byte_text(text: str) -> str:
    """``text`` with a character for each byte of its UTF-8 form, so that it sorts, begins and is cut as bytes do.

    Bytes that are not UTF-8 stand in ``text`` as surrogate escapes. Plain ASCII is its own form, without a copy.
    """
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def from_byte_text(text: str) -> str:
    """The text whose `byte_text` is ``text``."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


class Captured(Generic[Row]):
    """The rows of one moment in key order. What their order costs is paid by whoever iterates."""

    __slots__ = ("_key_of", "_keys", "_rows")

    def __init__(self, keys: list[Any], rows: list[Row], key_of: Callable[[Row], Any]) -> None:
        self._keys, self._rows, self._key_of = keys, rows, key_of

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        rows = {self._key_of(row): row for row in self._rows}
        return (rows[key] for key in self._keys)


class Table(Generic[Row]):
    """Rows by primary key, with secondary indexes.

    ``indexes`` maps an index name to a function from row to index key (or None to leave the row out).
    ``multi_indexes`` maps an index name to a function from row to several keys.
    """

    __slots__ = ("_indexes", "_multi", "_of", "name", "primary_key", "rows")

    def __init__(
        self,
        name: str,
        primary_key: Callable[[Row], Any],
        indexes: dict[str, Callable[[Row], Any]] | None = None,
        multi_indexes: dict[str, Callable[[Row], Iterable[Any]]] | None = None,
    ) -> None:
        self.name = name
        self.primary_key = primary_key
        self.rows: SortedDict = SortedDict()
        self._of: dict[str, KeyOf] = dict(indexes or {})
        self._multi: dict[str, KeyOf] = dict(multi_indexes or {})
        self._indexes: dict[str, dict[Any, dict[Any, Row]]] = {n: {} for n in (*self._of, *self._multi)}

    # ------------------------------------------------------------------ reading

    def get(self, key: Any) -> Row | None:
        row: Row | None = self.rows.get(key)
        return row

    def all(self) -> list[Row]:
        return list(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def by(self, index: str, key: Any) -> list[Row]:
        """Rows whose ``index`` key is ``key``, in primary key order."""
        bucket = self._indexes[index].get(key)
        if not bucket:
            return []
        return [bucket[k] for k in sorted(bucket)]

    def keys(self, index: str) -> Iterable[Any]:
        """The keys that rows have in ``index``, each once, in no order."""
        return self._indexes[index]

    def has(self, index: str, key: Any) -> bool:
        return bool(self._indexes[index].get(key))

    def count(self, index: str, key: Any) -> int:
        return len(self._indexes[index].get(key, ()))

    def prefix(self, prefix: str) -> Iterator[Row]:
        """Rows whose primary key, a `byte_text`, starts with ``prefix``, in order."""
        if prefix == "":
            return iter(self.rows.values())
        rows = self.rows
        return (rows[key] for key in rows.irange(prefix, prefix + _BEHIND_BYTES, (True, False)))

    def snapshot(self) -> Captured[Row]:
        """The rows of this moment, for another thread: five nanoseconds each on the event loop."""
        # dict.values: that of a SortedDict looks up each key in turn, forty times as slow.
        return Captured(list(self.rows), list(dict.values(self.rows)), self.primary_key)

    # ------------------------------------------------------------------ restoring

    def load(self, rows: Iterable[Row]) -> None:
        """Fill an empty table in one go; far quicker than row by row."""
        assert not self.rows, f"table {self.name} is not empty"
        of = self.primary_key
        self.rows.update({of(row): row for row in rows})
        if self._indexes:
            for key, row in self.rows.items():
                self._link(key, row)

    def adopt(self, other: Table[Row]) -> None:
        """Take over the rows of ``other``, a table of the same declaration."""
        self.rows = other.rows
        self._indexes = other._indexes

    # ------------------------------------------------------------------ writing (by Transaction only)

    def _put(self, key: Any, row: Row) -> Row | None:
        old: Row | None = self.rows.get(key)
        if self._indexes:
            if old is not None:
                self._unlink(key, old)
            self._link(key, row)
        self.rows[key] = row
        return old

    def _remove(self, key: Any) -> Row | None:
        old: Row | None = self.rows.pop(key, None)
        if old is not None and self._indexes:
            self._unlink(key, old)
        return old

    def _link(self, key: Any, row: Row) -> None:
        for name, of in self._of.items():
            value = of(row)
            if value is not None:
                self._indexes[name].setdefault(value, {})[key] = row
        for name, multi in self._multi.items():
            for value in multi(row):
                self._indexes[name].setdefault(value, {})[key] = row

    def _unlink(self, key: Any, row: Row) -> None:
        for name, of in self._of.items():
            value = of(row)
            if value is not None:
                self._drop(name, value, key)
        for name, multi in self._multi.items():
            for value in multi(row):
                self._drop(name, value, key)

    def _drop(self, name: str, value: Any, key: Any) -> None:
        bucket = self._indexes[name].get(value)
        if bucket is not None:
            bucket.pop(key, None)
            if not bucket:
                del self._indexes[name][value]


class Store:
    """All tables, the index of each table (the ``index`` table of the original), and the watches on them."""

    def __init__(self, watches: WatchRegistry | None = None) -> None:
        """``watches``: of another store, whose readers hear of changes here, too."""
        self.tables: dict[str, Table[Any]] = {}
        # By name in lower case; how a name was last written is in ``spellings`` where that differs.
        self.indexes: dict[str, int] = {}
        self.spellings: dict[str, str] = {}
        self.watches = watches or WatchRegistry()

    def add(self, table: Table[Any]) -> None:
        assert table.name not in self.tables, f"table {table.name} is declared twice"
        self.tables[table.name] = table

    def max_index(self, *names: str) -> int:
        """The newest of the named indexes, 0 when none was ever written."""
        indexes = self.indexes
        return max(indexes.get(name, 0) for name in names)

    def begin(self, index: int) -> Transaction:
        """A write transaction at Raft index ``index``. There is one at a time."""
        return Transaction(self, index)

    def wipe(self) -> None:
        """Drop everything (before a restore); every reader that waits is woken."""
        for table in self.tables.values():
            table.rows.clear()
            for buckets in table._indexes.values():
                buckets.clear()
        self.indexes.clear()
        self.spellings.clear()
        self.watches.abandon()


class Transaction:
    """Writes that become visible to waiters together at `commit`, or vanish at `abort`."""

    __slots__ = ("_touched", "_undo", "effects", "index", "store")

    def __init__(self, store: Store, index: int) -> None:
        self.store = store
        self.index = index
        self._undo: list[tuple[Any, Any, Any]] = []
        self._touched: set[Key] = set()
        # What the shell has to do after the commit (arm a lock-delay, start a timer): the store has no clock.
        self.effects: list[Any] = []

    def put(self, table: Table[Any], row: Any) -> None:
        key = table.primary_key(row)
        self._undo.append((table, key, table._put(key, row)))

    def delete(self, table: Table[Any], key: Any) -> Any:
        old = table._remove(key)
        if old is not None:
            self._undo.append((table, key, old))
        return old

    def bump(self, name: str, index: int | None = None) -> None:
        """Set an index row, by default to this transaction's index, and touch the watchers of that table."""
        key = name.lower()
        store = self.store
        self._undo.append((None, key, (store.indexes.get(key), store.spellings.get(key))))
        store.indexes[key] = self.index if index is None else index
        if name != key:
            store.spellings[key] = name
        elif store.spellings:
            store.spellings.pop(key, None)
        self._touched.add(name)

    def drop_index(self, name: str) -> None:
        key = name.lower()
        store = self.store
        if key in store.indexes:
            self._undo.append((None, key, (store.indexes.pop(key), store.spellings.pop(key, None))))

    def touch(self, *keys: Key) -> None:
        """Wake, at commit, the readers that watch any of ``keys``."""
        self._touched.update(keys)

    def savepoint(self) -> tuple[int, int]:
        return len(self._undo), len(self.effects)

    def rollback_to(self, savepoint: tuple[int, int]) -> None:
        undo_length, effects_length = savepoint
        while len(self._undo) > undo_length:
            self._undo_one(*self._undo.pop())
        del self.effects[effects_length:]

    def _undo_one(self, table: Any, key: Any, old: Any) -> None:
        if table is None:
            self._undo_index(key, *old)
        elif old is None:
            table._remove(key)
        else:
            table._put(key, old)

    def _undo_index(self, key: str, index: int | None, spelling: str | None) -> None:
        self.store.indexes.pop(key, None)
        self.store.spellings.pop(key, None)
        if index is not None:
            self.store.indexes[key] = index
        if spelling is not None:
            self.store.spellings[key] = spelling

    def abort(self) -> None:
        self.rollback_to((0, 0))
        self._touched.clear()

    def commit(self) -> None:
        self._undo.clear()
        if self._touched:
            self.store.watches.publish(self._touched)


class ReadOnly(Transaction):
    """For code that writes or reads, where it may only read: to write is a programmer error."""

    __slots__ = ()

    def __init__(self, store: Store) -> None:
        super().__init__(store, 0)

    def put(self, table: Table[Any], row: Any) -> None:
        raise AssertionError(f"a read writes to {table.name}")

    def delete(self, table: Table[Any], key: Any) -> Any:
        raise AssertionError(f"a read deletes from {table.name}")

    def bump(self, name: str, index: int | None = None) -> None:
        raise AssertionError(f"a read moves the index of {name}")

    def drop_index(self, name: str) -> None:
        raise AssertionError(f"a read drops the index of {name}")
