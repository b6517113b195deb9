"""serf cores on a membership in memory: no probes, no packets lost; what one sends the others receive at `settle`."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.config import VERSIONS
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.effects import Log
from proconsul.engine.gossip.keyring import Keyring
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.messages import NodeState, SerfKind
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.serf_effects import KeyringChanged
from proconsul.engine.wire.hostport import Address
from proconsul.engine.wire.record import Record

T = TypeVar("T")
STRANGER = Address("10.9.9.9", 7946)


def record(name: str, state: NodeState = NodeState.ALIVE, *, tags: dict[str, str] | None = None,
           vsn: bytes = VERSIONS) -> NodeRecord:  # fmt: skip
    return NodeRecord(name, address_of(name), codec.encode_tags(tags or {}), vsn, 1, state, 0.0)


def address_of(name: str) -> Address:
    return Address(f"10.0.0.{1 + sum(name.encode()) % 250}", 7946)


class FakeMembership:
    """What one serf may ask of memberlist; ``sent`` and ``exchanges`` are what it asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = address_of(name)
        self.known: dict[str, NodeRecord] = {}
        self.sent: deque[tuple[Address, bytes, str]] = deque()
        self.exchanges: list[tuple[Address, str]] = []
        self.metadata_changes = 0

    def node(self, name: str) -> NodeRecord | None:
        return self.known.get(name)

    def nodes(self) -> Sequence[NodeRecord]:
        return list(self.known.values())

    def alive_count(self) -> int:
        return sum(node.state in (NodeState.ALIVE, NodeState.SUSPECT) for node in self.known.values())

    def gossip_nodes(self, count: int, exclude: set[str]) -> list[NodeRecord]:
        fit = [n for n in self.known.values() if n.state is NodeState.ALIVE and n.name not in exclude | {self.name}]
        return fit[:count]

    def send(self, to: Address, body: bytes, name: str = "") -> None:
        self.sent.append((to, body, name))

    def push_pull(self, to: Address, name: str) -> None:
        self.exchanges.append((to, name))

    def metadata_changed(self, now: float) -> None:
        self.metadata_changes += 1


class Bench:
    """One serf core that has started, with short ways to tell it things."""

    def __init__(
        self, name: str = "me", *, tags: dict[str, str] | None = None, keyring: Keyring | None = None, seed: int = 7,
        make_config: Callable[..., SerfConfig] = SerfConfig, snapshot: str | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        self.now = 100.0
        self.name = name
        self.serf = Serf(make_config(name, **settings), tags or {}, random.Random(seed), self.now, keyring)
        self.membership = FakeMembership(name)
        self.serf.attach(self.membership)
        self.taken: list[Any] = []
        self.written: list[KeyringChanged] = []
        self.rejoin = self.serf.restore(snapshot, self.now) if snapshot is not None else {}
        self.sees(name, tags=tags)

    def sees(self, name: str, state: NodeState = NodeState.ALIVE, **details: Any) -> None:
        """memberlist finds a node alive, or gone."""
        node = record(name, state, **details)
        self.membership.known[name] = node
        if state is NodeState.ALIVE:
            self.serf.joined(node, self.now)
        else:
            self.serf.left(node, self.now)

    def tell(self, kind: SerfKind, message: Record) -> None:
        self.give(codec.encode(kind, message))

    def give(self, body: bytes) -> None:
        self.serf.user_message(body, STRANGER, self.now)

    def merge(self, state: Record, *, join: bool = False) -> None:
        self.serf.merge_state(codec.encode(SerfKind.PUSH_PULL, state), join, self.now)

    def effects(self, kind: type[T]) -> list[T]:
        """The effects of one kind since the last time that kind was asked for."""
        self.taken += self.serf.effects
        self.serf.effects = []
        found = [effect for effect in self.taken if isinstance(effect, kind)]
        self.taken = [effect for effect in self.taken if not isinstance(effect, kind)]
        return found

    def write_keys(self) -> None:
        """As a driver does: what is to be written is, and then answered."""
        for effect in [*self.serf.effects]:
            if isinstance(effect, KeyringChanged) and effect not in self.written:
                self.written.append(effect)
                effect.written("")

    def logs(self) -> list[str]:
        return [log.text for log in self.effects(Log)]

    def queued(self) -> list[bytes]:
        """What is to be gossiped; each is taken as often as it would be sent."""
        return self.serf.broadcasts(0, 1 << 20)

    def clear_queues(self) -> None:
        while self.queued():
            continue

    def status(self, name: str) -> MemberStatus | None:
        return next((member.status for member in self.serf.members() if member.name == name), None)

    def advance(self, seconds: float) -> None:
        """Time passes, with every deadline on the way."""
        end = self.now + seconds
        while (due := self.serf.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.serf.tick(self.now)
        self.now = end


class FakePool:
    """Several benches that hear each other."""

    def __init__(self, *names: str, keyrings: dict[str, Keyring] | None = None) -> None:
        rings = keyrings or {}
        self.benches = {name: Bench(name, seed=at, keyring=rings.get(name)) for at, name in enumerate(names)}
        for bench in self.benches.values():
            for other in names:
                if other != bench.name:
                    bench.sees(other)
            bench.effects(object)

    def __getitem__(self, name: str) -> Bench:
        return self.benches[name]

    def settle(self) -> None:
        """Gossip and deliver until nobody has anything to say."""
        by_address = {bench.membership.address: bench for bench in self.benches.values()}
        while True:
            said = [(bench, bench.queued()) for bench in self.benches.values()]
            for bench, bodies in said:
                for other in self.benches.values():
                    if other is not bench:
                        for body in bodies:
                            other.serf.user_message(body, bench.membership.address, other.now)
            quiet = not any(bodies for _, bodies in said)
            for bench in self.benches.values():
                bench.write_keys()
                while bench.membership.sent:
                    quiet = False
                    to, body, _ = bench.membership.sent.popleft()
                    if to in by_address:
                        target = by_address[to]
                        target.serf.user_message(body, bench.membership.address, target.now)
            if quiet:
                return

    def exchange(self, first: str, second: str, *, join: bool = False) -> None:
        """A push/pull, the first dialling."""
        one, two = self[first], self[second]
        ours, theirs = one.serf.local_state(join), two.serf.local_state(join)
        two.serf.merge_state(ours, join, two.now)
        one.serf.merge_state(theirs, join, one.now)
