"""Parts of large answers that are kept from one evaluation to the next, each until what it was made of changes.

A page that shows ten thousand services asks again with every change of one of them.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from proconsul.engine.store.watch import WatchRegistry

V = TypeVar("V")

# So many parts may change with nobody asking; then nobody looks any more, and all is let go.
UNASKED_CHANGES_MAX = 1000


class _Part(Generic[V]):
    """One part; a `Watcher`."""

    __slots__ = ("_owner", "key", "value", "watched")

    def __init__(self, owner: Kept[V], key: Hashable, watched: tuple[Hashable, ...], value: V) -> None:
        self._owner, self.key, self.watched, self.value = owner, key, watched, value

    def changed(self) -> None:
        self._owner.drop(self)


class Kept(Generic[V]):
    """Parts by key."""

    def __init__(self, watches: WatchRegistry) -> None:
        self._watches = watches
        self._parts: dict[Hashable, _Part[V]] = {}
        self._unasked = 0

    def __len__(self) -> int:
        return len(self._parts)

    def get(self, key: Hashable, watched: tuple[Hashable, ...], make: Callable[[], V]) -> V:
        """What ``make`` makes, until one of the ``watched`` keys changes."""
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = _Part(self, key, watched, make())
            self._watches.subscribe(part, watched)
        return part.value

    def asked(self) -> None:
        """Somebody looks."""
        self._unasked = 0

    def drop(self, part: _Part[V]) -> None:
        """A part is no longer true."""
        self._unasked += 1
        if self._unasked > UNASKED_CHANGES_MAX:
            for other in self._parts.values():
                self._watches.unsubscribe(other, other.watched)
            self._parts.clear()
        elif self._parts.get(part.key) is part:
            del self._parts[part.key]
            self._watches.unsubscribe(part, part.watched)
