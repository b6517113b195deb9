"""Queues of messages to gossip: each is piggybacked a number of times that grows with the pool, then forgotten.

Pure. The order is memberlist's: what was sent least goes first, then the longest (a packet is filled best that way),
then the newest.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import NamedTuple

from proconsul.engine.gossip.lifeguard import retransmit_limit

# A stop for bursts between two depth checks of the layers above (they prune to thousands): 32 MiB of events of the
# usual limit of 512 bytes.
QUEUED_MAX = 65_536

# Called once, when a message has left the queue.
Sent = Callable[[], None]


class _Entry(NamedTuple):
    """Compares in the order of sending: the serial is unique, so what comes after it is never looked at."""

    transmits: int
    minus_length: int
    minus_serial: int
    message: bytes
    name: str | None
    on_sent: Sent | None


class BroadcastQueue:
    """Messages waiting to be piggybacked; a message sent `retransmit_limit` times leaves the queue."""

    def __init__(self, retransmit_mult: int, queued_max: int = QUEUED_MAX) -> None:
        self._retransmit_mult = retransmit_mult
        self._queued_max = queued_max
        self._serial = 0
        # Sorted. A plain list: a pool's news are few at any time, and moving even all of the most is microseconds.
        self._order: list[_Entry] = []
        self._named: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._order)

    def put(self, message: bytes, *, name: str | None = None, on_sent: Sent | None = None) -> None:
        """Queue ``message``; it replaces the one queued under the same ``name``.

        ``on_sent`` is called once: when the message was sent its limit, was replaced, or was pruned.
        """
        self._serial += 1
        entry = _Entry(0, -len(message), -self._serial, message, name, on_sent)
        replaced = None
        if name is not None:
            replaced = self._named.get(name)
            if replaced is not None:
                del self._order[bisect_left(self._order, replaced)]
            self._named[name] = entry
        insort(self._order, entry)
        if replaced is not None and replaced.on_sent is not None:
            replaced.on_sent()
        if len(self._order) > self._queued_max:
            self.prune(self._queued_max)

    def take(self, overhead: int, limit: int, members: int) -> list[bytes]:
        """The next messages to send, each costing ``overhead`` bytes more than its length, together at most ``limit``.

        ``members`` is the size of the pool, which decides how often each message is sent.
        """
        order = self._order
        if not order:
            return []
        picked: list[_Entry] = []
        at = 0
        while at < len(order) and limit > overhead:
            transmits = order[at].transmits
            if overhead - order[at].minus_length > limit:
                # The longest of those sent equally often that still fits; past them all starts the next such group.
                at = bisect_left(order, (transmits, overhead - limit), at)
                if at == len(order) or order[at].transmits != transmits:
                    continue
            entry = order.pop(at)
            picked.append(entry)
            limit -= overhead - entry.minus_length
        self._sent(picked, retransmit_limit(self._retransmit_mult, members))
        return [entry.message for entry in picked]

    def _sent(self, picked: list[_Entry], sent_out: int) -> None:
        """Put what was taken back for the next time, unless that was the last."""
        order, named, done = self._order, self._named, []
        for entry in picked:
            transmits, length, serial, message, name, on_sent = entry
            if transmits + 1 >= sent_out:
                done.append(entry)
                continue
            again = _Entry(transmits + 1, length, serial, message, name, on_sent)
            insort(order, again)
            if name is not None:
                named[name] = again
        self._finish(done)

    def prune(self, keep: int) -> None:
        """Drop all but the first ``keep`` messages: those sent most often go first."""
        dropped = self._order[keep:]
        del self._order[keep:]
        self._finish(dropped)

    def _finish(self, entries: list[_Entry]) -> None:
        for entry in entries:
            if entry.name is not None and self._named.get(entry.name) is entry:
                del self._named[entry.name]
        for entry in entries:
            if entry.on_sent is not None:
                entry.on_sent()
