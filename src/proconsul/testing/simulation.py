"""A simulated network for gossip: thousands of members in one thread under virtual time, replayable from a seed.

Members run the real core; only clock, sockets and randomness are simulated. The network loses, delays, duplicates and
so reorders packets, and can be cut in any direction; members can be paused, starved (sends and receives block while
timers go on, as in the Lifeguard paper), or run on a clock of another rate.

    simulation = Simulation(seed=1)
    simulation.form(100)
    simulation.kill("n7")
    simulation.run(20.0)
    assert simulation.seen_as("n7", NodeState.DEAD) == 99
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proconsul.engine.gossip.config import LAN, SwimConfig
from proconsul.engine.gossip.delegate import Delegate, Membership, NodeRecord, NodeRefused
from proconsul.engine.gossip.effects import Log, SendPacket, StartPushPull, StreamPing
from proconsul.engine.gossip.messages import NodeState, PushNode
from proconsul.engine.gossip.swim import Swim
from proconsul.engine.wire.hostport import Address

__all__ = [
    "LEAVE_LINGER_S", "LEAVE_TOLD_S", "STEPS_PER_INSTANT_MAX", "Happening", "PacketFaults", "PlainDelegate",
    "Player", "Simulation", "adopt",
]  # fmt: skip

# How long a leave waits until it was told, and how long a leaver goes on answering afterwards (Consul's settings).
LEAVE_TOLD_S = 5.0
LEAVE_LINGER_S = 3.0
# Work that a step may cause before time moves on; more means that members feed each other for ever.
STEPS_PER_INSTANT_MAX = 1_000_000


@dataclass(slots=True)
class PacketFaults:
    """What the network does to every packet. Times are seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_min_s: float = 0.0002
    delay_max_s: float = 0.001
    # Directed pairs of names between which nothing passes.
    cut: set[tuple[str, str]] = field(default_factory=set)


class Happening(NamedTuple):
    """One line of the scan: at the network's time ``at``, ``observer`` saw ``what`` of ``subject``."""

    at: float
    observer: str
    what: str
    subject: str

    def __str__(self) -> str:
        return f"{self.at:10.3f}  {self.observer:<8} {self.what:<8} {self.subject}"


class PlainDelegate:
    """A layer above memberlist that has no messages of its own and notes what happens to members."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note

    def attach(self, membership: Membership) -> None:
        """Nothing to ask of it."""

    def node_meta(self) -> bytes:
        return b""

    def user_message(self, body: bytes, source: Address, now: float) -> None:
        raise AssertionError("nobody sends user messages here")

    def broadcasts(self, overhead: int, limit: int) -> list[bytes]:
        return []

    def has_broadcasts(self) -> bool:
        return False

    def local_state(self, join: bool) -> bytes:
        return b""

    def merge_state(self, data: bytes, join: bool, now: float) -> None: ...

    def ack_payload(self) -> bytes:
        return b""

    def ping_completed(self, node: NodeRecord, rtt_s: float, payload: bytes, now: float) -> None: ...

    def accept_alive(self, node: NodeRecord) -> None: ...

    def accept_merge(self, nodes: Sequence[NodeRecord]) -> None: ...

    def joined(self, node: NodeRecord, now: float) -> None:
        self._note("join", node.name)

    def left(self, node: NodeRecord, now: float) -> None:
        self._note("left" if node.state is NodeState.LEFT else "dead", node.name)

    def updated(self, node: NodeRecord, now: float) -> None:
        self._note("update", node.name)

    def doubted(self, now: float) -> None:
        """Whoever is interested looks at the evidence."""

    def conflict(self, existing: NodeRecord, other: NodeRecord) -> None:
        self._note("conflict", existing.name)


class Player:
    """One simulated member. ``rate``: how fast its clock runs against the network's."""

    def __init__(
        self, simulation: Simulation, name: str, address: Address, config: SwimConfig, rng: random.Random,
        make_delegate: Callable[[Player], Delegate],
    ) -> None:  # fmt: skip
        self.simulation, self.name, self.address = simulation, name, address
        self.rate = 1.0
        self.running = True
        self.paused = False
        self.starved = False
        self.inbox: list[Callable[[], None]] = []
        self.outbox: list[Any] = []
        self.delegate = make_delegate(self)
        self.swim = Swim(config, name, address, self.delegate, rng)
        self._wakes_at: float | None = None
        self._generation = 0

    def now(self) -> float:
        return self.simulation.now * self.rate

    # What a layer above memberlist that keeps time of its own adds to: see `serf_simulation`.

    def next_deadline(self, now: float) -> float | None:
        return self.swim.next_deadline(now)

    def tick(self, now: float) -> None:
        self.swim.tick(now)

    def joined(self) -> None:
        """A join of ours has brought the other side's state."""

    def leaving(self) -> list[Callable[[float, Callable[[], None]], None]]:
        """What to tell before going, one after the other; each is given the time and whom to call when it was told."""
        return [self.swim.leave]

    def step(self, call: Callable[[], None]) -> None:
        """Run something on this member and carry out what it asks for."""
        if not self.running:
            return
        call()
        self.flush()

    def deliver(self, call: Callable[[], None]) -> None:
        """Something arrived from the network; a member that cannot read leaves it in the socket."""
        if self.paused or self.starved:
            self.inbox.append(call)
        else:
            self.step(call)

    def flush(self) -> None:
        effects, self.swim.effects = self.swim.effects, []
        for effect in effects:
            if isinstance(effect, Log):
                continue
            if self.starved:
                self.outbox.append(effect)
            else:
                self.simulation.carry_out(self, effect)
        self._arm()

    def resume(self) -> None:
        """The pause or the starvation is over: what waited in the sockets is read first, then the timers run."""
        self.paused = self.starved = False
        inbox, self.inbox = self.inbox, []
        outbox, self.outbox = self.outbox, []
        for effect in outbox:
            self.simulation.carry_out(self, effect)
        for call in inbox:
            self.step(call)
        self._arm()

    def _arm(self) -> None:
        if not self.running:
            return
        now = self.simulation.now
        deadline = self.next_deadline(now * self.rate)
        if deadline is None:
            return
        at = max(deadline / self.rate, now)
        if self._wakes_at is None or at < self._wakes_at:
            self._wakes_at = at
            self._generation += 1
            self.simulation.at(at, self._wake, self._generation)

    def _wake(self, generation: int) -> None:
        if generation != self._generation or not self.running:
            return
        self._wakes_at = None
        if self.paused:
            return  # `resume` looks at the clock again
        # Rates turn a deadline into another float than the one it came from: be sure to have reached it.
        now = self.now()
        deadline = self.next_deadline(now)
        if deadline is not None:
            self.tick(max(now, min(deadline, now + 1e-6)))
            self.flush()


class Simulation:
    """A pool of simulated members. Everything that happens follows from ``seed``."""

    player_type = Player

    def __init__(
        self, seed: int, config: SwimConfig = LAN, *, faults: PacketFaults | None = None,
        scan: Callable[[str], None] | None = None, make_delegate: Callable[[Player], Delegate] | None = None,
    ) -> None:  # fmt: skip
        self.rng = random.Random(seed)
        self.config = config
        self.faults = faults or PacketFaults()
        self.now = 0.0
        self.players: dict[str, Player] = {}
        self.by_address: dict[Address, Player] = {}
        self.happenings: list[Happening] = []
        self.counts: Counter[str] = Counter()
        self.scan = scan
        self._make_delegate = make_delegate or (
            lambda player: PlainDelegate(lambda what, subject: self.note(player, what, subject))
        )
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    # ------------------------------------------------------------------ members

    def add(self, name: str, address: Address | None = None, *, rate: float = 1.0, members: int = 1) -> Player:
        """A new member, alone until it joins. One of the same name must have been stopped before.

        ``members``: the size of the pool it is meant for, see `Swim.start`.
        """
        number = len(self.by_address) + 1
        address = address or Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 8301)
        rng = random.Random(self.rng.getrandbits(64))
        player = self.player_type(self, name, address, self.config, rng, self._make_delegate)
        player.rate = rate
        attach = getattr(player.delegate, "attach", None)
        if attach is not None:
            attach(player.swim)
        self.players[name] = self.by_address[address] = player
        player.step(lambda: player.swim.start(player.now(), members))
        return player

    def join(self, name: str, through: str) -> bool:
        """Join by way of another member; False when it cannot be reached."""
        player, target = self.players[name], self.players[through]
        if not self._reachable(player, target):
            return False
        self._exchange(player, target, True)
        return True

    def leave(self, name: str) -> None:
        """Go on purpose: say so, stay long enough to be heard, stop."""
        player = self.players[name]
        self._tell(player, player.leaving())

    def _tell(self, player: Player, steps: list[Callable[[float, Callable[[], None]], None]]) -> None:
        if not steps:
            self.at(self.now + LEAVE_LINGER_S, self._stop, player)
            return
        told = False

        def go_on() -> None:
            nonlocal told
            if not told:
                told = True
                self.at(self.now, self._tell, player, steps[1:])

        player.step(lambda: steps[0](player.now(), go_on))
        self.at(self.now + LEAVE_TOLD_S, go_on)

    def form(self, count: int, prefix: str = "n") -> list[Player]:
        """``count`` members that know each other already, as after hours of quiet; no packet is needed for it."""
        players = [self.add(f"{prefix}{number}", members=count) for number in range(count)]
        everybody = {player.name: player.swim.records[player.name] for player in players}
        for player in players:
            adopt(player.swim, everybody)
        return players

    def kill(self, name: str) -> None:
        """The process is gone; the network answers nothing in its place."""
        self._stop(self.players[name])

    def _stop(self, player: Player) -> None:
        player.running = False

    def pause(self, name: str, for_s: float) -> None:
        """SIGSTOP for a while: neither timers nor sockets."""
        player = self.players[name]
        player.paused = True
        self.at(self.now + for_s, player.resume)

    def starve(self, name: str, for_s: float) -> None:
        """Sends and receives block for a while, timers go on (the anomaly of the Lifeguard paper, section 5.2)."""
        player = self.players[name]
        player.starved = True
        self.at(self.now + for_s, player.resume)

    def isolate(self, name: str) -> None:
        """Nothing to it or from it."""
        for other in self.players:
            self.faults.cut |= {(name, other), (other, name)}

    def partition(self, one: Iterable[str], other: Iterable[str]) -> None:
        """Nothing between two groups."""
        others = list(other)
        for a in one:
            for b in others:
                self.faults.cut |= {(a, b), (b, a)}

    def heal(self) -> None:
        self.faults.cut.clear()

    # ------------------------------------------------------------------ time

    def at(self, when: float, call: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._heap, (when, next(self._numbers), call, arguments))

    def run(self, for_s: float) -> None:
        """Let virtual time pass. Raises AssertionError when members keep each other busy without time passing."""
        until = self.now + for_s
        steps, instant = 0, -1.0
        heap = self._heap
        while heap and heap[0][0] <= until:
            when, _, call, arguments = heapq.heappop(heap)
            self.now = max(self.now, when)
            steps = steps + 1 if when == instant else 0
            instant = when
            assert steps < STEPS_PER_INSTANT_MAX, f"no progress at {when}"
            call(*arguments)
        self.now = until

    def run_until(self, condition: Callable[[], bool], within_s: float, step_s: float = 0.1) -> float:
        """Let time pass until ``condition``; how long that took. Raises TimeoutError."""
        began = self.now
        while not condition():
            if self.now - began >= within_s:
                raise TimeoutError(f"not within {within_s} s of virtual time")
            self.run(step_s)
        return self.now - began

    # ------------------------------------------------------------------ the network

    def carry_out(self, player: Player, effect: object) -> None:
        if isinstance(effect, SendPacket):
            self._send(player, effect)
        elif isinstance(effect, StreamPing):
            target = self.by_address.get(effect.to)
            if target is not None and target.name == effect.name and self._reachable(player, target):
                number = effect.number
                self.at(self.now + self._delay_s() * 3, player.deliver,
                        lambda: player.swim.prober.stream_pinged(number, True))  # fmt: skip
        elif isinstance(effect, StartPushPull):
            target = self.by_address.get(effect.to)
            if target is not None and self._reachable(player, target):
                self._exchange(player, target, False)

    def _send(self, player: Player, packet: SendPacket) -> None:
        self.counts["packets"] += 1
        self.counts["messages"] += len(packet.messages)
        target = self.by_address.get(packet.to)
        faults = self.faults
        if target is None or not target.running or (player.name, target.name) in faults.cut:
            return
        copies = 2 if faults.duplication and self.rng.random() < faults.duplication else 1
        for _ in range(copies):
            if faults.loss and self.rng.random() < faults.loss:
                self.counts["lost"] += 1
                continue
            self.at(self.now + self._delay_s(), self._arrive, target, player.address, packet.messages)

    def _arrive(self, target: Player, source: Address, messages: list[bytes]) -> None:
        if target.paused or target.starved:
            target.inbox.append(lambda: self._read(target, source, messages))
        elif target.running:
            self._read(target, source, messages)
            target.flush()

    def _read(self, target: Player, source: Address, messages: list[bytes]) -> None:
        now = target.now()
        receive = target.swim.receive
        for message in messages:
            receive(message, source, now)

    def _delay_s(self) -> float:
        faults = self.faults
        return faults.delay_min_s + self.rng.random() * (faults.delay_max_s - faults.delay_min_s)

    def _reachable(self, player: Player, target: Player) -> bool:
        cut = self.faults.cut
        up = target.running and not target.paused and not target.starved
        return up and (player.name, target.name) not in cut and (target.name, player.name) not in cut

    def _exchange(self, player: Player, target: Player, join: bool) -> None:
        """A push/pull over a connection: what each side knew when it began, merged a little later."""
        theirs, ours = target.swim.push_nodes(), player.swim.push_nodes()
        their_state, our_state = target.delegate.local_state(join), player.delegate.local_state(join)
        self.at(self.now + 2 * self._delay_s(), target.deliver, lambda: self._merge(target, ours, our_state, join))

        def answered() -> None:
            if self._merge(player, theirs, their_state, join) and join:
                player.joined()

        self.at(self.now + 3 * self._delay_s(), player.deliver, answered)

    def _merge(self, player: Player, nodes: list[PushNode], state: bytes, join: bool) -> bool:
        now = player.now()
        try:
            player.swim.check_merge(nodes, join, now)
        except NodeRefused as error:
            self.note(player, "refused", str(error))
            return False
        player.swim.merge(nodes, now)
        if state:
            player.delegate.merge_state(state, join, now)
        return True

    # ------------------------------------------------------------------ what was seen

    def note(self, player: Player, what: str, subject: str) -> None:
        happening = Happening(self.now, player.name, what, subject)
        self.happenings.append(happening)
        if self.scan is not None:
            self.scan(str(happening))

    def seen_as(self, name: str, *states: NodeState) -> int:
        """How many other running members believe ``name`` to be in one of ``states``; forgotten counts as dead."""
        count = 0
        for player in self.players.values():
            if player.running and player.name != name:
                record = player.swim.records.get(name)
                count += (record.state if record is not None else NodeState.DEAD) in states
        return count

    def converged(self) -> bool:
        """Every running member believes exactly the running ones to be alive."""
        running = {name for name, player in self.players.items() if player.running}
        return all(
            {record.name for record in player.swim.records.values() if record.state is NodeState.ALIVE} == running
            for player in self.players.values()
            if player.running
        )

    def deaths(self) -> list[Happening]:
        return [happening for happening in self.happenings if happening.what == "dead"]


def adopt(swim: Swim, records: dict[str, NodeRecord]) -> None:
    """Put members into a core's view as if they had been there for long; records are shared, not copied."""
    own = swim.records[swim.name]
    swim.records.update(records)
    swim.records[swim.name] = own
    swim.begin_formed(list(records))
