"""memberlist's core: who is in the pool, who is suspected, who is dead (SWIM, Das et al. 2002; Lifeguard, 2018).

Pure: messages and time come in, effects go out in `effects`, and what happened to members goes to the delegate at
once. Probing is in `probe`, this file is the state and its transitions.
"""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.broadcast import BroadcastQueue
from proconsul.engine.gossip.config import VERSIONS, SwimConfig
from proconsul.engine.gossip.delegate import Delegate, NodeRecord, NodeRefused
from proconsul.engine.gossip.effects import Effect, Log, SendPacket, StartPushPull
from proconsul.engine.gossip.lifeguard import Awareness, Suspicion, push_pull_interval_s
from proconsul.engine.gossip.messages import Alive, Dead, Kind, NodeState, PushNode, Suspect
from proconsul.engine.gossip.packet import (
    COMPOUND_OVERHEAD,
    CRC_OVERHEAD,
    PACKET_BYTES_MAX,
    PART_OVERHEAD,
    PARTS_MAX,
)
from proconsul.engine.gossip.probe import Prober
from proconsul.engine.gossip.timers import Timers
from proconsul.engine.wire.hostport import Address

# Protocol version from which a peer understands checksums.
CRC_PROTOCOL = 5
# A pool larger than this is not a pool but an attack on our memory; Consul's own advice ends far below.
NODES_MAX = 100_000
# Incarnations are u32 on the wire. Only an attacker gets there; going on counting would make all we send unreadable.
INCARNATION_MAX = 2**32 - 1
# Remembered lines per node that explain its state.
EVIDENCE_MAX = 8
# Rounds of guessing per wanted node when choosing at random, as in the original.
PICK_ROUNDS = 3
GONE = (NodeState.DEAD, NodeState.LEFT)
# Messages lately read. What is told about members comes from many sides at about the same time: a dozen times in a pool
# of a hundred. Most are below a hundred bytes; longer than a packet they can only be by compression, and are not kept.
NEWS_MAX = 1024


T = TypeVar("T", Alive, Suspect, Dead)
_read_again = lru_cache(NEWS_MAX)(codec.decode)


def _read_news(cls: type[T], body: bytes) -> T:
    return _read_again(cls, body) if len(body) <= PACKET_BYTES_MAX else codec.decode(cls, body)


class DeathEvidence(NamedTuple):
    """Something that was heard about a node: when (the pool's clock), what, and from whom."""

    at: float
    what: str
    source: str


class Swim:
    """One node's view of a pool: `start` it once, then feed it and run its `effects`."""

    def __init__(self, config: SwimConfig, name: str, address: Address, delegate: Delegate, rng: random.Random) -> None:
        self.config = config
        self._name, self._address = name, address
        self.delegate = delegate
        self.rng = rng
        self.effects: list[Effect] = []
        self.timers = Timers()
        self.awareness = Awareness()
        self.dropped: Counter[str] = Counter()
        self.records: dict[str, NodeRecord] = {}
        self.queue = BroadcastQueue(config.retransmit_mult)
        self.suspicions: dict[str, Suspicion] = {}
        self.leaving = False
        self.incarnation = 0
        self.prober = Prober(self)
        self._order: list[str] = []  # every known node once, in the order of probing
        self._alive = 0
        self._gossip_from = 0.0  # the ticks of gossip are this plus whole intervals
        self._gossip_armed = False
        self._evidence: dict[str, deque[DeathEvidence]] = {}

    # ------------------------------------------------------------------ what the layer above asks (`Membership`)

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> Address:
        return self._address

    def node(self, name: str) -> NodeRecord | None:
        return self.records.get(name)

    def nodes(self) -> Sequence[NodeRecord]:
        return list(self.records.values())

    def alive_count(self) -> int:
        return self._alive

    def evidence(self, name: str) -> list[DeathEvidence]:
        """What was last heard about a node, oldest first."""
        return list(self._evidence.get(name, ()))

    def gossip_nodes(self, count: int, exclude: set[str]) -> list[NodeRecord]:
        return self.pick(count, lambda node: node.name not in exclude and node.state is NodeState.ALIVE)

    def send(self, to: Address, body: bytes, name: str = "") -> None:
        record = self.records.get(name) if name else None
        self.emit(to, bytes((Kind.USER,)) + body, record)

    def push_pull(self, to: Address, name: str) -> None:
        self.effects.append(StartPushPull(to, name))

    def metadata_changed(self, now: float) -> None:
        self._announce(self._next_incarnation(), now)

    # ------------------------------------------------------------------ life

    def start(self, now: float, members: int = 1) -> None:
        """Become a member of our own pool and start the clocks, staggered so that pools do not march in step.

        ``members``: how large the pool is going to be, if that is known; full exchanges are spread accordingly.
        """
        self._announce(self._next_incarnation(), now)
        config, rng = self.config, self.rng
        self.prober.start(now)
        self._gossip_from = now + rng.random() * config.gossip_interval_s
        if config.push_pull_interval_s > 0:
            interval_s = push_pull_interval_s(config.push_pull_interval_s, members)
            self.timers.at(now + rng.random() * interval_s, self._push_pull)

    def leave(self, now: float, on_sent: Callable[[], None]) -> None:
        """Tell all that we go. ``on_sent`` is called when enough have been told; at once if there is nobody else."""
        self.leaving = True
        own = self.records[self._name]
        if self._alive <= 1:
            self._mark_dead(own, Dead(own.incarnation, self._name, self._name), now)
            on_sent()
            return
        message = Dead(own.incarnation, self._name, self._name)
        self._mark_dead(own, message, now)
        self.queue.put(codec.encode(Kind.DEAD, message), name=self._name, on_sent=on_sent)

    def next_deadline(self, now: float) -> float | None:
        """When `tick` has something to do. To be asked after every step, since a step may bring news to tell."""
        if not self._gossip_armed and (self.queue or self.delegate.has_broadcasts()):
            self._gossip_armed = True
            interval_s = self.config.gossip_interval_s
            ticks = max(math.ceil((now - self._gossip_from) / interval_s), 0)
            self.timers.at(self._gossip_from + ticks * interval_s, self._gossip)
        return self.timers.next()

    def tick(self, now: float) -> None:
        """Do what is due. Running late is our own fault and not that of those who seem not to have answered."""
        due = self.timers.next()
        if due is None or due > now:
            return
        late_s = now - due
        if late_s > self.config.probe_timeout_s:
            # Answers may be waiting unread: give everybody the time in which we did not look.
            self.awareness.apply(1)
            self.timers.delay(late_s)
            self.prober.delay(late_s)
            for suspicion in self.suspicions.values():
                suspicion.started += late_s
            self.log("debug", f"memberlist: ran {late_s:.3f} s late, deadlines moved")
        self.timers.run(now)

    def receive(self, message: bytes, source: Address, now: float) -> None:
        """Take one message out of a datagram. What cannot be read is counted and dropped."""
        try:
            kind, body = message[0], message[1:]
            if kind == Kind.USER:
                self.delegate.user_message(body, source, now)
            elif kind == Kind.ALIVE:
                self.alive(_read_news(Alive, body), now)
            elif kind == Kind.SUSPECT:
                suspect = _read_news(Suspect, body)
                self.suspect(suspect, now)
                self._remind(suspect, source)
            elif kind == Kind.DEAD:
                dead = _read_news(Dead, body)
                self.dead(dead, now)
                self._remind(dead, source)
            elif not self.prober.receive(kind, body, source, now):
                self.dropped["type"] += 1
        except (codec.BadMessage, IndexError):
            self.dropped["message"] += 1

    # ------------------------------------------------------------------ what is said of nodes

    def alive(self, message: Alive, now: float, *, source: str = "") -> None:
        """A node says that it is there (reference: membership state machine)."""
        name, own = message.Node, message.Node == self._name
        if own and self.leaving:
            return
        if not own and self._is_old(name, message):
            return
        record = self.records.get(name)
        try:
            heard = self._heard(message, now)
            self.delegate.accept_alive(heard)
        except NodeRefused as error:
            self.dropped["refused"] += 1
            self.log("warning", f"memberlist: ignoring alive message for '{name}': {error}")
            return
        reclaims = False
        if record is None:
            if not message.Incarnation:
                return
            if len(self.records) >= NODES_MAX:
                self.dropped["nodes"] += 1
                return
            record = self._insert(msgspec.structs.replace(heard, incarnation=0, state=NodeState.DEAD))
        elif record.address != heard.address:
            reclaims = self._may_reclaim(record, now)
            if not reclaims:
                self._conflict(record, heard, now)
                return
            old, new = record.address, heard.address
            self.log("info", f"memberlist: Updating address for left or failed node {name} from "
                             f"{old.host}:{old.port} to {new.host}:{new.port}")  # fmt: skip
        if own:
            if message.Incarnation >= record.incarnation and not self._is_as_we_say(record, heard):
                self._refute(message.Incarnation, source or "gossip", "alive", now)
            return
        if message.Incarnation <= record.incarnation and not reclaims:
            return
        self.suspicions.pop(name, None)
        self._spread(Kind.ALIVE, message)
        self._adopt(record, heard, now, source)

    def suspect(self, message: Suspect, now: float) -> None:
        """``From`` believes ``Node`` to be dead."""
        record = self.records.get(message.Node)
        if record is None or message.Incarnation < record.incarnation:
            return
        suspicion = self.suspicions.get(message.Node)
        if suspicion is not None:
            if self.config.lifeguard and suspicion.confirm(message.From):
                self._note(record.name, "suspicion confirmed", message.From, now)
                self._spread(Kind.SUSPECT, message)
                self.timers.at(suspicion.deadline(), self._suspicion_due, record.name, suspicion)
            return
        if record.state is not NodeState.ALIVE:
            return
        if message.Node == self._name:
            self._refute(message.Incarnation, message.From, "suspect", now)
            return
        self._spread(Kind.SUSPECT, message)
        self._note(record.name, "suspected", message.From, now)
        self._put(record, incarnation=message.Incarnation, state=NodeState.SUSPECT, changed_at=now)
        self._begin_suspicion(message, now)

    def dead(self, message: Dead, now: float) -> None:
        """``Node`` is dead, or has left when it says so itself."""
        record = self.records.get(message.Node)
        if record is None or message.Incarnation < record.incarnation or record.state in GONE:
            return
        if message.Node == self._name and not self.leaving:
            self._refute(message.Incarnation, message.From, "dead", now)
            return
        self._spread(Kind.DEAD, message)
        self._mark_dead(record, message, now)

    # ------------------------------------------------------------------ full exchange

    def push_nodes(self) -> list[PushNode]:
        """Our whole view, ourselves included."""
        return [
            PushNode(
                record.name, codec.encode_address(record.address.host), record.address.port, record.meta,
                record.incarnation, int(record.state), record.vsn,
            )
            for record in self.records.values()
        ]  # fmt: skip

    def check_merge(self, nodes: Sequence[PushNode], join: bool, now: float) -> None:
        """Raises Refused when the other side's nodes and ours cannot form one pool; nothing is merged then."""
        self._verify_protocols(nodes)
        if join:
            self.delegate.accept_merge([self._record_of(node, now) for node in nodes])

    def merge(self, nodes: Iterable[PushNode], now: float, *, source: str = "push/pull") -> None:
        """Take over what the other side knows. Deaths are only believed as suspicions."""
        for node in nodes:
            if node.State == NodeState.ALIVE:
                if node.Name != self._name and self._is_old(node.Name, node):
                    continue
                message = Alive(node.Incarnation, node.Name, node.Addr, node.Port, node.Meta, node.Vsn)
                try:
                    self.alive(message, now, source=source)
                except codec.BadMessage:
                    self.dropped["message"] += 1
            elif node.State == NodeState.LEFT:
                self.dead(Dead(node.Incarnation, node.Name, node.Name), now)
            else:
                self.suspect(Suspect(node.Incarnation, node.Name, self._name), now)

    def _verify_protocols(self, nodes: Sequence[PushNode]) -> None:
        """Every node's current version must lie in the range that all nodes understand."""
        spoken = {node.Vsn for node in nodes if node.State == NodeState.ALIVE and len(node.Vsn) == 6}
        own = {record.vsn for record in self.records.values() if record.state not in GONE and len(record.vsn) == 6}
        everybody = spoken | own
        for first, title in ((0, "protocol"), (3, "delegate protocol")):
            low = max((vsn[first] for vsn in everybody), default=0)
            high = min((vsn[first + 1] for vsn in everybody), default=255)
            odd = {vsn for vsn in spoken if not low <= vsn[first + 2] <= high}
            for node in nodes if odd else ():
                if node.State == NodeState.ALIVE and node.Vsn in odd:
                    raise NodeRefused(
                        f"Node '{node.Name}' {title} version ({node.Vsn[first + 2]}) is incompatible: [{low}, {high}]"
                    )

    # ------------------------------------------------------------------ sending

    def emit(self, to: Address, message: bytes, record: NodeRecord | None = None) -> None:
        """Send a message, and with it as many broadcasts as fit in the same datagram."""
        parts = [message, *self._broadcasts(self._budget() - len(message) - PART_OVERHEAD)]
        self.effects.append(SendPacket(to, parts, False, record.name if record is not None else ""))

    def _budget(self) -> int:
        return PACKET_BYTES_MAX - self.config.packet_overhead_bytes - COMPOUND_OVERHEAD - CRC_OVERHEAD

    def _broadcasts(self, limit: int) -> list[bytes]:
        """Our own news first, then those of the layer above."""
        taken = self.queue.take(PART_OVERHEAD, limit, len(self.records))
        limit -= sum(len(message) + PART_OVERHEAD for message in taken)
        if limit > PART_OVERHEAD + 1:
            user = bytes((Kind.USER,))
            taken += [user + body for body in self.delegate.broadcasts(PART_OVERHEAD + 1, limit)]
        return taken[:PARTS_MAX]

    def _gossip(self, now: float) -> None:
        """Tell a few random nodes what is new; the recently dead too, so that they can object.

        With nothing to tell the clock of gossip stands still: an idle member costs its probes only.
        """
        config = self.config
        self._gossip_armed = False
        self._gossip_from = now + config.gossip_interval_s
        dead_after = now - config.gossip_to_dead_s

        def told(node: NodeRecord) -> bool:
            if node.state is NodeState.DEAD:
                return node.changed_at >= dead_after
            return node.state is not NodeState.LEFT

        for record in self.pick(config.gossip_nodes, told):
            parts = self._broadcasts(self._budget())
            if not parts:
                return
            self.effects.append(SendPacket(record.address, parts, knows_crc(record), record.name))

    def _push_pull(self, now: float) -> None:
        config = self.config
        self.timers.at(now + push_pull_interval_s(config.push_pull_interval_s, len(self.records)), self._push_pull)
        for record in self.pick(1, lambda node: node.state is NodeState.ALIVE):
            self.effects.append(StartPushPull(record.address, record.name))

    def pick(self, count: int, wanted: Callable[[NodeRecord], bool]) -> list[NodeRecord]:
        """Up to ``count`` different random nodes that are ``wanted``, never ourselves."""
        order, records = self._order, self.records
        chosen: list[NodeRecord] = []
        names = {self._name}
        for _ in range(PICK_ROUNDS * len(order)):
            if len(chosen) == count:
                break
            record = records[order[int(self.rng.random() * len(order))]]
            if record.name not in names and wanted(record):
                names.add(record.name)
                chosen.append(record)
        return chosen

    def log(self, level: str, text: str) -> None:
        self.effects.append(Log(level, text))

    # ------------------------------------------------------------------ transitions

    def _heard(self, message: Alive, now: float) -> NodeRecord:
        vsn = message.Vsn
        if len(vsn) < 6:
            raise NodeRefused("no protocol versions")
        if not vsn[0] or not vsn[1] or vsn[0] > vsn[1]:
            raise NodeRefused(f"protocol versions [{vsn[0]}, {vsn[1]}] make no range")
        address = Address(codec.decode_address(message.Addr), message.Port)
        if self.config.allow is not None:
            self.config.allow(address.host)
        return NodeRecord(message.Node, address, message.Meta, vsn, message.Incarnation, NodeState.ALIVE, now)

    def _is_old(self, name: str, message: Alive | PushNode) -> bool:
        """Nothing new, as most of what is heard: so this is the cheap way out. Conflicts are news."""
        record = self.records.get(name)
        if record is None or message.Incarnation > record.incarnation:
            return False
        host, port = record.address
        return message.Port == port and message.Addr == codec.encode_address(host)

    def _record_of(self, node: PushNode, now: float) -> NodeRecord:
        state = NodeState(node.State) if 0 <= node.State <= NodeState.LEFT else NodeState.DEAD
        address = Address(codec.decode_address(node.Addr), node.Port)
        return NodeRecord(node.Name, address, node.Meta, node.Vsn, node.Incarnation, state, now)

    def _insert(self, record: NodeRecord) -> NodeRecord:
        """A new node takes a random place, so that the time to its first probe is evenly spread."""
        self.records[record.name] = record
        order = self._order
        order.append(record.name)
        at = int(self.rng.random() * len(order))
        order[at], order[-1] = order[-1], order[at]
        return record

    def _put(self, record: NodeRecord, **changes: object) -> NodeRecord:
        changed = msgspec.structs.replace(record, **changes)
        self._alive += (changed.state not in GONE) - (record.state not in GONE)
        self.records[record.name] = changed
        return changed

    def _adopt(self, record: NodeRecord, heard: NodeRecord, now: float, source: str) -> None:
        was_gone, meta = record.state in GONE, record.meta
        changed_at = now if record.state is not NodeState.ALIVE else record.changed_at
        if record.state is not NodeState.ALIVE:
            self._note(record.name, "alive", source or "gossip", now)
        adopted = self._put(
            record, address=heard.address, meta=heard.meta, vsn=heard.vsn, incarnation=heard.incarnation,
            state=NodeState.ALIVE, changed_at=changed_at,
        )  # fmt: skip
        if was_gone:
            self.delegate.joined(adopted, now)
        elif meta != heard.meta:
            self.delegate.updated(adopted, now)

    def _mark_dead(self, record: NodeRecord, message: Dead, now: float) -> None:
        self.suspicions.pop(record.name, None)
        left = message.From == message.Node
        self._note(record.name, "left" if left else "declared dead", message.From, now)
        state = NodeState.LEFT if left else NodeState.DEAD
        self.delegate.left(self._put(record, incarnation=message.Incarnation, state=state, changed_at=now), now)

    def _may_reclaim(self, record: NodeRecord, now: float) -> bool:
        reclaim_s = self.config.reclaim_s
        long_dead = record.state is NodeState.DEAD and reclaim_s > 0 and now - record.changed_at > reclaim_s
        return record.state is NodeState.LEFT or long_dead

    def _conflict(self, record: NodeRecord, heard: NodeRecord, now: float) -> None:
        mine, theirs = record.address, heard.address
        self.dropped["conflict"] += 1
        self._note(record.name, f"name claimed by {theirs.host}:{theirs.port}", f"{theirs.host}:{theirs.port}", now)
        self.log("error", f"memberlist: Conflicting address for {record.name}. Mine: {mine.host}:{mine.port} "
                          f"Theirs: {theirs.host}:{theirs.port} Old state: {int(record.state)}")  # fmt: skip
        self.delegate.conflict(record, heard)

    def _is_as_we_say(self, record: NodeRecord, heard: NodeRecord) -> bool:
        same = heard.meta == record.meta and heard.vsn == record.vsn
        return same and heard.incarnation == record.incarnation

    def _next_incarnation(self, beaten: int = 0) -> int:
        self.incarnation = min(max(self.incarnation, beaten) + 1, INCARNATION_MAX)
        return self.incarnation

    def _announce(self, incarnation: int, now: float) -> None:
        """Say what we are, under an incarnation that beats everything said of us before."""
        meta = self.delegate.node_meta()
        heard = NodeRecord(self._name, self._address, meta, VERSIONS, incarnation, NodeState.ALIVE, now)
        record = self.records.get(self._name)
        if record is None:
            record = self._insert(msgspec.structs.replace(heard, state=NodeState.DEAD))
        self._spread(Kind.ALIVE, self._as_alive(heard))
        self._adopt(record, heard, now, self._name)

    def _refute(self, accused: int, source: str, what: str, now: float) -> None:
        """Object: we are here. Having been accused at all says that we answer badly (Lifeguard 4.1)."""
        self._next_incarnation(accused)
        self.awareness.apply(1)
        self._note(self._name, f"refuted '{what}' of incarnation {accused}", source, now)
        if what != "alive":
            self.log("warning", f"memberlist: Refuting a {what} message (from: {source})")
            self.delegate.doubted(now)
        record = self.records[self._name]
        if record.state in GONE:  # cannot be: only `leave` makes us so, and a leaver does not object
            raise AssertionError("refuting while gone")
        self._announce(self.incarnation, now)

    def _remind(self, accusation: Suspect | Dead, source: Address) -> None:
        """Who still passes on what we have refuted has missed the refutation, and may be the one that declares us dead.

        Gossip reaches all members only nearly always (in a pool of five, one message in fifty misses somebody),
        and an accuser's "you are suspected" is of no use to it when what comes back is only an acknowledgement.
        """
        own = self.records[self._name]
        if accusation.Node == self._name and accusation.Incarnation < own.incarnation and not self.leaving:
            self.effects.append(SendPacket(source, [codec.encode(Kind.ALIVE, self._as_alive(own))]))

    def _as_alive(self, own: NodeRecord) -> Alive:
        host = codec.encode_address(own.address.host)
        return Alive(own.incarnation, own.name, host, own.address.port, own.meta, own.vsn)

    def _begin_suspicion(self, message: Suspect, now: float) -> None:
        config = self.config
        suspicion = Suspicion.begin(
            message.From, now, config.suspicion_mult, len(self.records), config.probe_interval_s
        )
        if not config.lifeguard:
            suspicion.expected = 0
        self.suspicions[message.Node] = suspicion
        self.timers.at(suspicion.deadline(), self._suspicion_due, message.Node, suspicion)

    def _suspicion_due(self, name: str, suspicion: Suspicion, now: float) -> None:
        record = self.records.get(name)
        if record is None or self.suspicions.get(name) is not suspicion:
            return  # refuted, or dead already
        self.log("info", f"memberlist: Marking {name} as failed, suspect timeout reached "
                         f"({suspicion.confirmations} peer confirmations)")  # fmt: skip
        self.dead(Dead(record.incarnation, name, self._name), now)

    def _spread(self, kind: Kind, message: Alive | Suspect | Dead) -> None:
        self.queue.put(codec.encode(kind, message), name=message.Node)

    def _note(self, name: str, what: str, source: str, now: float) -> None:
        self._evidence.setdefault(name, deque(maxlen=EVIDENCE_MAX)).append(DeathEvidence(now, what, source))

    # ------------------------------------------------------------------ order of probing

    def begin_formed(self, order: list[str]) -> None:
        """Take ``order`` (all known names) as the order of probing, count the living, and forget the news.

        For simulations that begin with a pool that has long been formed.
        """
        self._order = order
        self.rng.shuffle(self._order)
        self._alive = sum(record.state not in GONE for record in self.records.values())
        self.queue.prune(0)

    def next_round(self, now: float) -> None:
        """A round of probing is over: forget the long dead and shuffle."""
        forget_before = now - self.config.gossip_to_dead_s
        gone = {
            record.name
            for record in self.records.values()
            if record.state in GONE and record.changed_at < forget_before and record.name != self._name
        }
        for name in gone:
            del self.records[name]
            self._evidence.pop(name, None)
        self._order = [name for name in self._order if name not in gone]
        self.rng.shuffle(self._order)

    def at(self, position: int) -> NodeRecord | None:
        """The node at ``position`` in the order of probing; None past the end."""
        return self.records[self._order[position]] if position < len(self._order) else None


def knows_crc(record: NodeRecord) -> bool:
    return record.vsn[1] >= CRC_PROTOCOL
