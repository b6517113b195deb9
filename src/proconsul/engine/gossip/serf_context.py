"""What the parts of serf's core share: clocks, queues, deadlines, counters, effects. Pure."""

from __future__ import annotations

import random
from collections import Counter

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.broadcast import BroadcastQueue, Sent
from proconsul.engine.gossip.delegate import Membership
from proconsul.engine.gossip.effects import Log
from proconsul.engine.gossip.lamport import LamportClock
from proconsul.engine.gossip.messages import SerfKind
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.serf_effects import Effect
from proconsul.engine.gossip.timers import Timers
from proconsul.engine.wire.record import Record

LOCAL = "this node"


class Context:
    """One per pool. ``now`` and ``source`` belong to the step that runs: its time, and who caused it."""

    def __init__(self, config: SerfConfig, rng: random.Random, now: float) -> None:
        self.config = config
        self.rng = rng
        self.now = now
        self.source = LOCAL
        self.clock = LamportClock()
        self.event_clock = LamportClock()
        self.query_clock = LamportClock()
        self.intents = BroadcastQueue(config.retransmit_mult)
        self.queries = BroadcastQueue(config.retransmit_mult)
        self.events = BroadcastQueue(config.retransmit_mult)
        self.timers = Timers()
        self.counters: Counter[str] = Counter()
        self.effects: list[Effect] = []
        self._membership: Membership | None = None

    @property
    def membership(self) -> Membership:
        assert self._membership is not None, "attach a membership first"
        return self._membership

    def attach(self, membership: Membership) -> None:
        self._membership = membership

    def begin(self, now: float, source: str = LOCAL) -> None:
        """A step begins."""
        self.now = now
        self.source = source

    def log(self, level: str, text: str) -> None:
        self.effects.append(Log(level, text))

    def drop(self, reason: str, text: str, level: str = "warning") -> None:
        """A message is not used; ``reason`` is what is counted."""
        self.counters[reason] += 1
        self.log(level, text)

    def broadcast(self, queue: BroadcastQueue, kind: SerfKind, record: Record, on_sent: Sent | None = None) -> None:
        queue.put(codec.encode(kind, record), on_sent=on_sent)
