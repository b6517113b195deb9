"""Watches: which readers wake when a key changes.

A watch key is any hashable value; the store's rooms publish the same keys their reads subscribe to. A string that
names a table wakes the readers of the whole table. `Prefix` keys wake on any string key below them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, Protocol

Key = Hashable


class KeyChanged(NamedTuple):
    """A change of one string key (a `byte_text`) of ``table``; wakes readers of that key and of every prefix of it."""

    table: str
    key: str


class Prefix(NamedTuple):
    """Interest in all string keys of ``table`` that start with ``prefix``."""

    table: str
    prefix: str


class Watcher(Protocol):
    """Something that wants to know that what it read has changed."""

    def changed(self) -> None:
        """Called once per publish; must be quick and must not write to the store."""


class WatchSet:
    """Collects the keys one read depends on.

    A read whose index is that of whole tables also leaves ``index`` here: what it saw may stay the same while its index
    goes on, and plain readers are told the index of now.
    """

    __slots__ = ("index", "keys")

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.index: Callable[[], int] | None = None

    def add(self, *keys: Key) -> None:
        self.keys.update(keys)


class WatchRegistry:
    """Watchers by key. Subscribing and publishing cost O(keys involved), never O(watchers of other keys)."""

    def __init__(self) -> None:
        # In the order of subscription: who is woken first must not depend on addresses in memory.
        self._watchers: dict[Key, dict[Watcher, None]] = {}
        # How many prefixes of each length are watched per table: a change probes only those lengths.
        self._lengths: dict[str, Counter[int]] = {}

    def subscribe(self, watcher: Watcher, keys: Iterable[Key]) -> None:
        for key in keys:
            bucket = self._watchers.get(key)
            if bucket is None:
                bucket = self._watchers[key] = {}
                if isinstance(key, Prefix):
                    self._lengths.setdefault(key.table, Counter())[len(key.prefix)] += 1
            bucket[watcher] = None

    def unsubscribe(self, watcher: Watcher, keys: Iterable[Key]) -> None:
        for key in keys:
            bucket = self._watchers.get(key)
            if bucket is None:
                continue
            bucket.pop(watcher, None)
            if not bucket:
                del self._watchers[key]
                if isinstance(key, Prefix):
                    lengths = self._lengths[key.table]
                    lengths[len(key.prefix)] -= 1
                    if not lengths[len(key.prefix)]:
                        del lengths[len(key.prefix)]

    def publish(self, keys: Iterable[Key]) -> None:
        """Tell every watcher of any of ``keys``, each once."""
        watchers = self._watchers
        if not watchers:
            return
        woken: dict[Watcher, None] = {}
        for key in keys:
            found = watchers.get(key)
            if found:
                woken |= found
            if isinstance(key, KeyChanged):
                self._wake_prefixes(key, woken)
        for watcher in woken:
            watcher.changed()

    def _wake_prefixes(self, change: KeyChanged, woken: dict[Watcher, None]) -> None:
        for length in self._lengths.get(change.table, ()):
            if length <= len(change.key):
                found = self._watchers.get(Prefix(change.table, change.key[:length]))
                if found:
                    woken |= found

    def abandon(self) -> None:
        """Wake everybody: the whole content was replaced."""
        woken: dict[Watcher, None] = {}
        for bucket in self._watchers.values():
            woken |= bucket
        for watcher in woken:
            watcher.changed()

    def __len__(self) -> int:
        return len(self._watchers)
