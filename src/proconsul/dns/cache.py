"""Encoded answers by the bytes of the question.

The key is the whole query but for its id, so one dictionary lookup decides; the value is a few encodings of the
answer (several where the order is shuffled, so that answers still rotate), which are thrown away when a watch key
they were read from changes. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from proconsul.engine.store.watch import WatchRegistry

# Distinct questions of a busy host number in the hundreds; 8192 leaves room for EDNS and flag variants.
ENTRIES_MAX = 8192
# Questions that may be made up (no such name, random letter case) fill at most half of the cache.
DOUBTFUL_ENTRIES_MAX = ENTRIES_MAX // 2
# Encoded bytes in all.
BYTES_MAX = 32 << 20
# Orders of a shuffled answer that are kept, fewer for big ones.
VARIANTS_MAX = 32
VARIANTS_BYTES_MAX = 16384


class Packets:
    """The encodings of one answer, without the id. ``second`` is when they were made if they hold the time, else 0."""

    __slots__ = (
        "bodies",
        "cache",
        "count",
        "key",
        "keys",
        "recasable",
        "reverse",
        "second",
        "size",
        "turn",
        "valid",
        "wanted",
    )

    def __init__(self, cache: PacketCache, key: bytes, keys: set[Hashable], wanted: int, second: int) -> None:
        self.cache = cache
        self.key = key
        self.keys = keys
        self.bodies: list[bytes] = []
        self.count = 0
        # How many encodings there shall be before they are repeated.
        self.wanted = wanted
        self.turn = 0
        self.second = second
        self.size = 0
        # Whether the same bytes, but for the question's letter case, answer the question in any case.
        self.recasable = False
        # Whether the question was for an address's name, for the metrics.
        self.reverse = False
        self.valid = True

    def changed(self) -> None:
        """What the answer was read from has changed."""
        self.cache.drop(self)

    def add(self, body: bytes) -> None:
        self.bodies.append(body)
        self.count += 1
        self.size += len(body)
        self.cache.bytes += len(body)

    def next(self) -> bytes:
        turn = self.turn
        self.turn = turn + 1 if turn + 1 < self.count else 0
        return self.bodies[turn]


class PacketCache:
    """Bounded; the oldest entries leave first."""

    def __init__(self, watches: WatchRegistry) -> None:
        self.watches = watches
        self.entries: OrderedDict[bytes, Packets] = OrderedDict()
        self.bytes = 0

    def room_for(self, doubtful: bool) -> bool:
        return not doubtful or len(self.entries) < DOUBTFUL_ENTRIES_MAX

    def put(self, key: bytes, body: bytes, keys: set[Hashable], *, turns: bool, second: int) -> Packets:
        """Keep ``body`` as one encoding of the answer to ``key``."""
        entry = self.entries.get(key)
        if entry is not None and entry.second != second:
            self.drop(entry)
            entry = None
        if entry is None:
            wanted = max(2, min(VARIANTS_MAX, VARIANTS_BYTES_MAX // max(len(body), 1))) if turns else 1
            entry = Packets(self, key, set(keys), wanted, second)
            self.entries[key] = entry
            self.watches.subscribe(entry, entry.keys)
        entry.add(body)
        while len(self.entries) > ENTRIES_MAX or self.bytes > BYTES_MAX:
            self.drop(next(iter(self.entries.values())))
        return entry

    def drop(self, entry: Packets) -> None:
        if entry.valid:
            entry.valid = False
            self.bytes -= entry.size
            del self.entries[entry.key]
            self.watches.unsubscribe(entry, entry.keys)

    def clear(self) -> None:
        for entry in list(self.entries.values()):
            self.drop(entry)
