"""Queues of messages to gossip: each is piggybacked a number of times that grows with the pool, then forgotten.

Pure. The order is memberlist's: what was sent least goes first, then the longest (a packet is filled best that way),
then the newest.
"""

from __future__ import annotations

from collections.abc import Callable

from sortedcontainers import SortedKeyList

from proconsul.engine.gossip.lifeguard import retransmit_limit

# A stop for bursts between two depth checks of the layers above (they prune to thousands): 32 MiB of events of the
# usual limit of 512 bytes.
QUEUED_MAX = 65_536

# Called once, when a message has left the queue.
Sent = Callable[[], None]


class _Entry:
    __slots__ = ("message", "name", "on_sent", "serial", "transmits")

    def __init__(self, message: bytes, name: str | None, on_sent: Sent | None, serial: int) -> None:
        self.message = message
        self.name = name
        self.on_sent = on_sent
        self.serial = serial
        self.transmits = 0


def _rank(entry: _Entry) -> tuple[int, int, int]:
    return entry.transmits, -len(entry.message), -entry.serial


class BroadcastQueue:
    """Messages waiting to be piggybacked; a message sent `retransmit_limit` times leaves the queue."""

    def __init__(self, retransmit_mult: int, queued_max: int = QUEUED_MAX) -> None:
        self._retransmit_mult = retransmit_mult
        self._queued_max = queued_max
        self._serial = 0
        self._order: SortedKeyList = SortedKeyList(key=_rank)
        self._named: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._order)

    def put(self, message: bytes, *, name: str | None = None, on_sent: Sent | None = None) -> None:
        """Queue ``message``; it replaces the one queued under the same ``name``.

        ``on_sent`` is called once: when the message was sent its limit, was replaced, or was pruned.
        """
        self._serial += 1
        entry = _Entry(message, name, on_sent, self._serial)
        replaced = None
        if name is not None:
            replaced = self._named.get(name)
            if replaced is not None:
                self._order.remove(replaced)
            self._named[name] = entry
        self._order.add(entry)
        if replaced is not None and replaced.on_sent is not None:
            replaced.on_sent()
        if len(self._order) > self._queued_max:
            self.prune(self._queued_max)

    def take(self, overhead: int, limit: int, members: int) -> list[bytes]:
        """The next messages to send, each costing ``overhead`` bytes more than its length, together at most ``limit``.

        ``members`` is the size of the pool, which decides how often each message is sent.
        """
        picked: list[_Entry] = []
        at = 0
        while at < len(self._order) and limit > overhead:
            transmits = self._order[at].transmits
            # The longest of those sent equally often that still fits; past them all starts the next such group.
            at = max(at, self._order.bisect_key_left((transmits, overhead - limit, -self._serial - 1)))
            if at < len(self._order) and self._order[at].transmits == transmits:
                picked.append(self._order[at])
                limit -= overhead + len(self._order[at].message)
                at += 1
        sent_out = retransmit_limit(self._retransmit_mult, members)
        done: list[_Entry] = []
        for entry in picked:
            self._order.remove(entry)
            entry.transmits += 1
            if entry.transmits < sent_out:
                self._order.add(entry)
            else:
                done.append(entry)
        messages = [entry.message for entry in picked]
        self._finish(done)
        return messages

    def prune(self, keep: int) -> None:
        """Drop all but the first ``keep`` messages: those sent most often go first."""
        dropped = list(self._order[keep:])
        del self._order[keep:]
        self._finish(dropped)

    def _finish(self, entries: list[_Entry]) -> None:
        for entry in entries:
            if entry.name is not None and self._named.get(entry.name) is entry:
                del self._named[entry.name]
        for entry in entries:
            if entry.on_sent is not None:
                entry.on_sent()
