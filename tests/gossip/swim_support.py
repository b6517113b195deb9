"""One memberlist core with a delegate that takes notes, and short ways to tell it things."""

# mypy: disable-error-code="arg-type,return-value,var-annotated"

from __future__ import annotations

import random
from dataclasses import dataclass, field

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.config import LAN, VERSIONS, SwimConfig
from proconsul.engine.gossip.delegate import NodeRecord, NodeRefused
from proconsul.engine.gossip.effects import SendPacket, StartPushPull, StreamPing
from proconsul.engine.gossip.messages import Alive, Dead, Kind, NodeState, Suspect
from proconsul.engine.gossip.swim import Swim
from proconsul.engine.wire.hostport import Address
from proconsul.testing.simulation import PlainDelegate

SOURCE = Address("10.0.0.99", 8301)
BODIES = {Kind.ALIVE: Alive, Kind.SUSPECT: Suspect, Kind.DEAD: Dead}


class NotingDelegate(PlainDelegate):
    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []
        self.meta = b"me"
        self.refuse = ""
        self.pings: list[tuple[str, float, bytes]] = []
        super().__init__(lambda what, subject: self.notes.append((what, subject)))

    def node_meta(self) -> bytes:
        return self.meta

    def ack_payload(self) -> bytes:
        return b"\x01payload"

    def accept_alive(self, node: NodeRecord) -> None:
        if self.refuse and node.name == self.refuse:
            raise NodeRefused("not here")

    def doubted(self, now: float) -> None:
        self.notes.append(("doubt", "me"))

    def ping_completed(self, node: NodeRecord, rtt_s: float, payload: bytes, now: float) -> None:
        self.pings.append((node.name, rtt_s, payload))


@dataclass
class Bench:
    """A core called ``me`` at time 0 that has been started."""

    config: SwimConfig = LAN
    now: float = 0.0
    delegate: NotingDelegate = field(default_factory=NotingDelegate)

    def __post_init__(self) -> None:
        self.swim = Swim(self.config, "me", Address("10.0.0.1", 8301), self.delegate, random.Random(7))
        self.swim.start(0.0)
        self.swim.queue.prune(0)
        self.delegate.notes.clear()

    def address(self, name: str) -> Address:
        return Address(f"10.0.1.{sum(name.encode()) % 250}", 8301)

    def alive(self, name: str, incarnation: int = 1, *, meta: bytes = b"", at: Address | None = None,
              vsn: bytes = VERSIONS) -> None:  # fmt: skip
        address = at or self.address(name)
        self.tell(Kind.ALIVE, Alive(incarnation, name, codec.encode_address(address.host), address.port, meta, vsn))

    def suspect(self, name: str, source: str = "x", incarnation: int = 1) -> None:
        self.tell(Kind.SUSPECT, Suspect(incarnation, name, source))

    def dead(self, name: str, source: str = "x", incarnation: int = 1) -> None:
        self.tell(Kind.DEAD, Dead(incarnation, name, source))

    def tell(self, kind: Kind, record: Alive | Suspect | Dead) -> None:
        self.swim.receive(codec.encode(kind, record), SOURCE, self.now)

    def give(self, message: bytes) -> None:
        self.swim.receive(message, SOURCE, self.now)

    def known(self, state: NodeState, name: str = "a") -> None:
        """Bring ``name`` into ``state`` at incarnation 1, and forget how."""
        if state is not None:
            self.alive(name)
            if state is NodeState.SUSPECT:
                self.suspect(name)
            elif state is NodeState.DEAD:
                self.dead(name)
            elif state is NodeState.LEFT:
                self.dead(name, name)
        self.told()
        self.delegate.notes.clear()
        self.swim.effects.clear()

    def state(self, name: str = "a") -> tuple[NodeState, int] | None:
        record = self.swim.node(name)
        return None if record is None else (record.state, record.incarnation)

    def told(self) -> list[tuple[str, str, int]]:
        """What waits to be told to others, each once: (kind, node, incarnation); the queue is empty after."""
        found = []
        for message in self.swim.queue.take(2, 1 << 20, 1):
            kind = Kind(message[0])
            record = codec.decode(BODIES[kind], message[1:])
            found.append((kind.name.lower(), record.Node, record.Incarnation))
        self.swim.queue.prune(0)
        return sorted(found)

    def run(self, for_s: float) -> list[object]:
        """Let time pass with nobody answering; the effects of it."""
        until = self.now + for_s
        while (due := self.swim.next_deadline(self.now)) is not None and due <= until:
            self.now = max(due, self.now)
            self.swim.tick(self.now)
        self.now = until
        return self.effects()

    def effects(self) -> list[object]:
        effects, self.swim.effects = list(self.swim.effects), []
        return effects

    def sent(self, effects: list[object], kind: Kind) -> list[tuple[Address, bytes]]:
        """Bodies of that kind among sent packets."""
        return [
            (effect.to, message[1:])
            for effect in effects
            if isinstance(effect, SendPacket)
            for message in effect.messages
            if message[0] == kind
        ]


def streams(effects: list[object]) -> list[StreamPing | StartPushPull]:
    return [effect for effect in effects if isinstance(effect, (StreamPing, StartPushPull))]
