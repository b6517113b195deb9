"""What the agent's cache holds, how old it is, who waits for it and when it is asked for again; pure.

There are two kinds of entries (HTTP API: agent caching). A *refreshed* one has a blocking query to a server behind it,
so it is current while a server can be asked, and its age is the time since none could. A *simple* one is asked for when
somebody wants it and what there is is too old for them; its age is the time since it came.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from proconsul.engine.token_bucket import TokenBucket

# An entry that nobody asked for in this time goes, and its blocking query with it.
IDLE_S = 72 * 3600.0
# More than programs watch; beyond it the entry goes that was asked for longest ago, of those that nobody waits for.
# Each has a question under way at a server, which costs some fifty kilobytes here and as many there.
ENTRIES_MAX = 4096
# When a server is lost all entries have to be asked for anew: no more of them a second than this, so that other calls
# get their turn. What somebody waits for comes first.
ANEW_PER_S = 500.0
# The first failures in a row are followed by another attempt at once, later ones by pauses that double.
FREE_FAILURES = 3
PAUSE_MAX_S = 60.0
# A server that answers a blocking query at once, with nothing new, is not asked again at once.
UNCHANGED_PAUSE_S = 1.0


class CacheControl(NamedTuple):
    """How old an answer may be: the Cache-Control header of a request, which counts for simple entries only.

    max_age_s: 0 for any age. must_revalidate: none is young enough. stale_if_error_s: what may be as old as this is
    good enough when it cannot be had anew.
    """

    max_age_s: float = 0.0
    must_revalidate: bool = False
    stale_if_error_s: float = 0.0

    def satisfied_by(self, age_s: float) -> bool:
        """Whether an answer of that age is young enough."""
        return not self.must_revalidate and (self.max_age_s <= 0 or age_s <= self.max_age_s)

    def consoled_by(self, age_s: float) -> bool:
        """Whether an answer of that age is better than an error."""
        return age_s < self.stale_if_error_s


ANY_AGE = CacheControl()


class Waiting(NamedTuple):
    """Somebody who waits for an index above ``min_index`` and is known by ``who``. control: see `CacheControl`."""

    who: Any
    min_index: int
    control: CacheControl


class CacheEntry:
    """One answer and what is known of it. Times are seconds of a monotonic clock.

    ``asking``: whether a server is being asked now. ``value`` is None until something came.
    """

    __slots__ = ("_bucket", "_came_at", "_failures", "_lost_at", "asking", "index", "refreshed", "used_at", "value",
                 "waiting")  # fmt: skip

    def __init__(self, *, refreshed: bool, bucket: TokenBucket, now: float) -> None:
        self.refreshed, self._bucket = refreshed, bucket
        self.value: Any = None
        self.index = 0
        self.asking = False
        self.used_at = self._came_at = now
        self.waiting: dict[Any, Waiting] = {}
        self._failures = 0
        self._lost_at: float | None = None

    def age_s(self, now: float) -> float:
        """How old the value is: see the module."""
        if self.refreshed:
            return 0.0 if self._lost_at is None else max(now - self._lost_at, 0.0)
        return max(now - self._came_at, 0.0)

    def answers(self, min_index: int, control: CacheControl, now: float) -> bool:
        """Whether the value is what is asked for, so that nothing has to be waited for."""
        if self.value is None:
            return False
        if self.refreshed:
            return not min_index or self.index > min_index
        return control.satisfied_by(self.age_s(now))

    # ------------------------------------------------------------------ asking

    def limit(self, bucket: TokenBucket) -> None:
        """How often it is asked for is limited by ``bucket`` from now on."""
        self._bucket = bucket

    def wait_for(self) -> int:
        """The index that the next question waits to have passed; 0, not to wait, when the last one failed.

        So it is known as soon as may be that servers can be asked again.
        """
        return self.index if self.refreshed and self.value is not None and not self._failures else 0

    def begin(self, now: float) -> float:
        """A server is to be asked. How many seconds that has to wait for its turn."""
        self.asking = True
        return self._bucket.reserve(now)

    def came(self, value: Any, index: int, now: float, *, same: bool) -> list[Waiting]:
        """An answer came, ``same`` as the one there is. Whoever waits for no more than that."""
        self.asking = False
        self._failures, self._lost_at, self._came_at = 0, None, now
        # An index that goes back is another state's (a restore): nobody can wait for more of the one before.
        restored = index < self.index
        self.index = index
        if not same or self.value is None:
            self.value = value
        told, left = [], {}
        for who, one in self.waiting.items():
            if restored or not self.refreshed or not one.min_index or index > one.min_index:
                told.append(one)
            else:
                left[who] = one
        self.waiting = left
        return told

    def failed(self, now: float, *, refused: bool) -> list[Waiting]:
        """No answer came: everybody who waits hears of it. ``refused``: whoever asks may not see what there is.

        Who waits for a change does not hear of the first failure in a row, as another server may answer at once.
        """
        self.asking = False
        self._failures += 1
        if self._lost_at is None:
            self._lost_at = now
        if refused:
            self.value, self.index = None, 0
        elif self.refreshed and self.value is not None and self._failures == 1:
            return []
        told, self.waiting = list(self.waiting.values()), {}
        return told

    def pause_s(self, share: float, *, unchanged_after_s: float | None = None, others: int = 0) -> float:
        """How long to wait before a refreshed entry is asked for again. ``share``: a random number from 0 to 1.

        ``unchanged_after_s``: the last answer brought nothing new, and came after so many seconds. ``others``: how many
        entries probably failed with this one.
        """
        turn_s = 0.0 if self.waiting else share * others / ANEW_PER_S
        doublings = self._failures - FREE_FAILURES
        if doublings > 0:
            pause_s = PAUSE_MAX_S if doublings > 8 else min(2.0**doublings, PAUSE_MAX_S)
            return max(pause_s * (1 + share), turn_s)
        if self._failures:
            return turn_s
        if unchanged_after_s is not None and unchanged_after_s < UNCHANGED_PAUSE_S:
            return UNCHANGED_PAUSE_S
        return 0.0


class CacheEntries:
    """All entries by key; ``evicted`` hears of each that goes."""

    def __init__(self, evicted: Callable[[Hashable, CacheEntry], None], *, entries_max: int = ENTRIES_MAX) -> None:
        self._evicted, self._entries_max = evicted, entries_max
        # The one that was asked for longest ago comes first.
        self._entries: OrderedDict[Hashable, CacheEntry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._entries)

    def get(self, key: Hashable, now: float) -> CacheEntry | None:
        """The entry of ``key``, which somebody asks for."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.used_at = now
            self._entries.move_to_end(key)
        return entry

    def add(self, key: Hashable, entry: CacheEntry) -> None:
        """Keep ``entry``; the one that was asked for longest ago goes if there are too many."""
        self._entries[key] = entry
        while len(self._entries) > self._entries_max:
            oldest = next((one for one, kept in self._entries.items() if not kept.waiting), None)
            if oldest is None or oldest == key:
                return
            self.remove(oldest)

    def remove(self, key: Hashable) -> None:
        """Forget an entry."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._evicted(key, entry)

    def holds(self, key: Hashable, entry: CacheEntry) -> bool:
        """Whether ``entry`` is still the one of ``key``."""
        return self._entries.get(key) is entry

    def expire(self, now: float) -> None:
        """Forget what nobody asked for in a long time; whoever waits still asks."""
        for key, entry in list(self._entries.items()):
            if entry.used_at + IDLE_S > now:
                return
            if not entry.waiting:
                self.remove(key)

    def clear(self) -> None:
        """Forget everything."""
        for key in list(self._entries):
            self.remove(key)
