"""Probing: is the next node there? (SWIM section 3.1, Lifeguard section 4.1)

One node per probe interval, in a shuffled order that is walked round and round. A probe that gets no answer asks others
to try, and tries TCP itself; only when nobody got through is the node suspected. Pure, like the core it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.delegate import NodeRecord
from proconsul.engine.gossip.effects import SendPacket, StreamPing
from proconsul.engine.gossip.messages import Ack, IndirectPing, Kind, Nack, NodeState, Ping, Suspect
from proconsul.engine.wire.hostport import Address

if TYPE_CHECKING:
    from proconsul.engine.gossip.swim import Swim

UINT32_MAX = (1 << 32) - 1
# Protocol versions from which a node sends negative acknowledgements, and answers pings over TCP.
NACK_PROTOCOL = 4
STREAM_PING_PROTOCOL = 3
# Pings made for others that wait for an answer; a flood of requests beyond that is dropped.
RELAYS_MAX = 4096
# A helper says "no answer" after this share of the probe time-out. After all of it the word would come just too late to
# count: the probe of an accuser in good health ends then (Lifeguard 4.1 has the same share).
NACK_SHARE = 0.8


class _Probe:
    """One probe of ours."""

    __slots__ = ("deadline", "nacks", "nacks_expected", "node", "number", "sent_at", "stream_contact")

    def __init__(self, number: int, node: NodeRecord, now: float, deadline: float) -> None:
        self.number, self.node, self.sent_at, self.deadline = number, node, now, deadline
        self.nacks_expected = 0
        self.nacks: set[Address] = set()  # helpers that said so; the network may deliver a packet twice
        self.stream_contact = False


class _Relay:
    """A ping made for somebody else."""

    __slots__ = ("number", "requester", "wants_nack")

    def __init__(self, number: int, requester: Address, wants_nack: bool) -> None:
        self.number, self.requester, self.wants_nack = number, requester, wants_nack


class Prober:
    """The probing half of `Swim`."""

    def __init__(self, swim: Swim) -> None:
        self._swim = swim
        self._number = 0
        self._position = 0
        self._probe: _Probe | None = None
        self._relays: dict[int, _Relay] = {}

    def start(self, now: float) -> None:
        config = self._swim.config
        self._swim.timers.at(now + self._swim.rng.random() * config.probe_interval_s, self._tick)

    def delay(self, by: float) -> None:
        """Move the running probe's deadlines: we did not run."""
        if self._probe is not None:
            self._probe.deadline += by

    # ------------------------------------------------------------------ our probes

    def _tick(self, now: float) -> None:
        """Every probe interval: begin the next probe, unless one is still running (it may take longer than that)."""
        swim = self._swim
        swim.timers.at(now + swim.config.probe_interval_s, self._tick)
        if self._probe is None:
            node = self._next(now)
            if node is not None:
                self._begin(node, now)

    def _next(self, now: float) -> NodeRecord | None:
        swim = self._swim
        for _ in range(len(swim.records) + 1):
            node = swim.at(self._position)
            if node is None:
                self._position = 0
                swim.next_round(now)
                continue
            self._position += 1
            if node.name != swim.name and node.state in (NodeState.ALIVE, NodeState.SUSPECT):
                return node
        return None

    def _begin(self, node: NodeRecord, now: float) -> None:
        swim, config = self._swim, self._swim.config
        interval_s = config.probe_interval_s
        if config.lifeguard:
            interval_s = swim.awareness.scaled_s(interval_s)
        probe = self._probe = _Probe(self._next_number(), node, now, now + interval_s)
        ping = self._ping(probe.number, node.name)
        if node.state is NodeState.ALIVE or not config.lifeguard:
            swim.emit(node.address, ping, node)
        else:
            # Tell a suspect so in the same packet: it can object at once (Lifeguard's buddy system).
            suspect = codec.encode(Kind.SUSPECT, Suspect(node.incarnation, node.name, swim.name))
            swim.effects.append(SendPacket(node.address, [ping, suspect], node.vsn[1] >= 5, node.name))
        swim.timers.at(now + config.probe_timeout_s, self._ask_others, probe)
        swim.timers.at(probe.deadline, self._end, probe)

    def _ping(self, number: int, node: str) -> bytes:
        swim = self._swim
        return codec.encode(
            Kind.PING, Ping(number, node, codec.encode_address(swim.address.host), swim.address.port, swim.name)
        )

    def _ask_others(self, probe: _Probe, now: float) -> None:
        """No answer in time: let others try, in case only our path is broken, and try TCP ourselves."""
        if probe is not self._probe:
            return
        swim, config, node = self._swim, self._swim.config, probe.node
        helpers = swim.gossip_nodes(config.indirect_checks, {node.name})
        for helper in helpers:
            nack = config.lifeguard and helper.vsn[1] >= NACK_PROTOCOL
            probe.nacks_expected += nack
            request = IndirectPing(
                probe.number, codec.encode_address(node.address.host), node.address.port, node.name, nack,
                codec.encode_address(swim.address.host), swim.address.port, swim.name,
            )  # fmt: skip
            swim.emit(helper.address, codec.encode(Kind.INDIRECT_PING, request), helper)
        if config.stream_pings and node.vsn[1] >= STREAM_PING_PROTOCOL:
            swim.effects.append(StreamPing(node.address, node.name, probe.number, probe.deadline))

    def stream_pinged(self, number: int, answered: bool) -> None:
        """The outcome of a `StreamPing`."""
        if self._probe is not None and self._probe.number == number:
            self._probe.stream_contact = answered

    def _end(self, probe: _Probe, now: float) -> None:
        """The interval is over and nobody reached the node over UDP."""
        if probe is not self._probe:
            return
        swim = self._swim
        if now < probe.deadline:  # moved since the timer was set
            swim.timers.at(probe.deadline, self._end, probe)
            return
        self._probe = None
        node = swim.node(probe.node.name)
        if probe.stream_contact:
            swim.log("warning", f"memberlist: Was able to connect to {probe.node.name} over TCP but UDP probes failed, "
                                "network may be misconfigured")  # fmt: skip
            self._better()
            return
        # Helpers that did not even say "no answer" suggest that it is us who is cut off.
        missing = probe.nacks_expected - len(probe.nacks)
        swim.awareness.apply(missing if probe.nacks_expected else 1)
        if node is None:
            return
        swim.log("info", f"memberlist: Suspect {node.name} has failed, no acks received")
        swim.suspect(Suspect(node.incarnation, node.name, swim.name), now)

    def _answered(self, probe: _Probe, ack: Ack, now: float) -> None:
        """An acknowledgement, of the node itself or passed on by a helper (those carry no payload)."""
        self._probe = None
        self._better()
        rtt_s = now - probe.sent_at
        if rtt_s <= self._swim.config.probe_timeout_s:
            node = self._swim.node(probe.node.name)
            if node is not None:
                self._swim.delegate.ping_completed(node, rtt_s, ack.Payload, now)

    def _better(self) -> None:
        self._swim.awareness.apply(-1)

    def _next_number(self) -> int:
        self._number = self._number % UINT32_MAX + 1
        return self._number

    # ------------------------------------------------------------------ packets

    def receive(self, kind: int, body: bytes, source: Address, now: float) -> bool:
        """Take a packet about probing. False when ``kind`` is none of ours."""
        if kind == Kind.PING:
            self._ping_received(codec.decode(Ping, body), source)
        elif kind == Kind.ACK:
            self._ack_received(codec.decode(Ack, body), now)
        elif kind == Kind.INDIRECT_PING:
            self._indirect_received(codec.decode(IndirectPing, body), source, now)
        elif kind == Kind.NACK:
            number = codec.decode(Nack, body).SeqNo
            probe = self._probe
            if probe is not None and probe.number == number and len(probe.nacks) < probe.nacks_expected:
                probe.nacks.add(source)
        else:
            return False
        return True

    def answers(self, ping: Ping) -> bool:
        """Whether a ping is meant for us: somebody else may have had this address before."""
        if ping.Node and ping.Node != self._swim.name:
            self._swim.dropped["ping-name"] += 1
            self._swim.log("warning", f"memberlist: Got ping for unexpected node '{ping.Node}'")
            return False
        return True

    def _ping_received(self, ping: Ping, source: Address) -> None:
        if not self.answers(ping):
            return
        swim = self._swim
        ack = codec.encode(Kind.ACK, Ack(ping.SeqNo, swim.delegate.ack_payload()))
        swim.emit(_reply_to(ping.SourceAddr, ping.SourcePort, source), ack, swim.node(ping.SourceNode))

    def _ack_received(self, ack: Ack, now: float) -> None:
        if self._probe is not None and self._probe.number == ack.SeqNo:
            self._answered(self._probe, ack, now)
            return
        relay = self._relays.pop(ack.SeqNo, None)
        if relay is not None:
            self._swim.emit(relay.requester, codec.encode(Kind.ACK, Ack(relay.number)))

    def _indirect_received(self, request: IndirectPing, source: Address, now: float) -> None:
        swim = self._swim
        if len(self._relays) >= RELAYS_MAX:
            swim.dropped["relays"] += 1
            return
        target = Address(codec.decode_address(request.Target), request.Port)
        requester = _reply_to(request.SourceAddr, request.SourcePort, source)
        number = self._next_number()
        self._relays[number] = _Relay(request.SeqNo, requester, request.Nack)
        swim.emit(target, self._ping(number, request.Node), swim.node(request.Node))
        swim.timers.at(now + swim.config.probe_timeout_s * NACK_SHARE, self._nack_due, number)

    def _nack_due(self, number: int, now: float) -> None:
        """Say that there is no answer yet, and go on waiting: a late one is still worth passing on."""
        relay = self._relays.get(number)
        if relay is None:
            return
        if relay.wants_nack:
            self._swim.emit(relay.requester, codec.encode(Kind.NACK, Nack(relay.number)))
        self._swim.timers.at(now + self._swim.config.probe_timeout_s * (1 - NACK_SHARE), self._relay_due, number)

    def _relay_due(self, number: int, now: float) -> None:
        self._relays.pop(number, None)


def _reply_to(host: bytes, port: int, source: Address) -> Address:
    return Address(codec.decode_address(host), port) if host and port else source
