"""Probes: direct, indirect, over TCP, and what their outcome does to our own health (Lifeguard section 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from swim_support import SOURCE, Bench, streams

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.config import LAN
from proconsul.engine.gossip.effects import SendPacket, StartPushPull, StreamPing
from proconsul.engine.gossip.messages import Ack, IndirectPing, Kind, Nack, NodeState, Ping, Suspect
from proconsul.engine.wire.hostport import Address


def begin(bench: Bench) -> tuple[Ping, Address]:
    """Run to the first probe."""
    for _ in range(100):
        found = bench.sent(bench.run(0.05), Kind.PING)
        if found:
            return codec.decode(Ping, found[0][1]), found[0][0]
    raise AssertionError("no probe")


def pool(*names: str) -> Bench:
    bench = Bench()
    for name in names:
        bench.known(NodeState.ALIVE, name)
    return bench


def test_an_answered_probe_tells_the_distance() -> None:
    bench = pool("a")
    bench.swim.awareness.score = 3
    ping, to = begin(bench)
    assert (ping.Node, to, ping.SourceNode) == ("a", bench.address("a"), "me")
    started = bench.now
    bench.now += 0.02
    bench.give(codec.encode(Kind.ACK, Ack(ping.SeqNo, b"\x01there")))
    ((name, rtt_s, payload),) = bench.delegate.pings
    assert (name, payload) == ("a", b"\x01there")
    assert 0.02 <= rtt_s <= 0.02 + 0.05 and started < bench.now
    assert bench.swim.awareness.score == 2


def test_silence_asks_others_and_tries_tcp_then_suspects() -> None:
    bench = pool("a", "b", "c", "d", "e")
    ping, to = begin(bench)
    effects = bench.run(0.5)
    requests = [(to_, codec.decode(IndirectPing, body)) for to_, body in bench.sent(effects, Kind.INDIRECT_PING)]
    assert len(requests) == 3 and all(request.Nack and request.Node == ping.Node for _, request in requests)
    assert to not in [helper for helper, _ in requests]
    (stream,) = [effect for effect in streams(effects) if isinstance(effect, StreamPing)]
    assert (stream.to, stream.number) == (to, ping.SeqNo)
    # Two helpers say that they got no answer either: so it is hardly us, one missing nack counts.
    for helper in (requests[0][0], requests[1][0], requests[1][0]):  # the network may repeat one
        bench.swim.receive(codec.encode(Kind.NACK, Nack(ping.SeqNo)), helper, bench.now)
    bench.run(0.6)
    assert bench.state(ping.Node) == (NodeState.SUSPECT, 1)
    assert bench.swim.awareness.score == 1
    assert ("suspect", ping.Node, 1) in bench.told()


def test_nobody_to_ask_counts_as_one() -> None:
    bench = pool("a")
    begin(bench)
    bench.run(1.1)
    assert bench.state("a") == (NodeState.SUSPECT, 1)
    assert bench.swim.awareness.score == 1


def test_an_answer_through_others_or_tcp_is_an_answer() -> None:
    bench = pool("a", "b")
    ping, _ = begin(bench)
    bench.run(0.6)
    bench.give(codec.encode(Kind.ACK, Ack(ping.SeqNo)))
    bench.run(0.5)
    assert bench.state(ping.Node) == (NodeState.ALIVE, 1)
    assert bench.delegate.pings == []
    bench = pool("a", "b")
    ping, _ = begin(bench)
    bench.run(0.6)
    bench.swim.prober.stream_pinged(ping.SeqNo, True)
    bench.run(0.5)
    assert bench.state(ping.Node) == (NodeState.ALIVE, 1)


def test_ill_health_gives_others_more_time() -> None:
    bench = pool("a")
    bench.swim.awareness.score = 4
    begin(bench)
    bench.run(4.5)
    assert bench.state("a") == (NodeState.ALIVE, 1)
    bench.run(0.6)
    assert bench.state("a") == (NodeState.SUSPECT, 1)


def test_a_suspect_is_told_so_with_the_probe() -> None:
    bench = pool("a")
    bench.suspect("a", "b")
    bench.told()
    for _ in range(60):
        packets = [e for e in bench.run(0.05) if isinstance(e, SendPacket)]
        if packets:
            break
    kinds = [message[0] for message in packets[0].messages]
    assert kinds == [Kind.PING, Kind.SUSPECT]
    assert codec.decode(Suspect, packets[0].messages[1][1:]).From == "me"
    assert packets[0].crc


@pytest.mark.parametrize(("confirmations", "after_s"), [(0, 24.0), (1, 11.38), (2, 4.0)])
def test_a_suspicion_ends_sooner_with_more_accusers(confirmations: int, after_s: float) -> None:
    """Five nodes: at least 4 s, at most six times that, two confirmations expected (Lifeguard 4.2)."""
    bench = pool("a", "b", "c", "d")
    bench.suspect("a", "x0")
    for number in range(confirmations):
        bench.suspect("a", f"x{number + 1}")
    deadline = bench.swim.suspicions["a"].deadline()
    assert deadline == pytest.approx(after_s, abs=0.1)


def test_a_suspect_that_stays_silent_is_dead_and_told_for_a_while() -> None:
    bench = pool("a")
    bench.suspect("a", "b")
    bench.told()
    bench.run(4.1)
    assert bench.state("a") == (NodeState.DEAD, 1)
    gossip = [effect for effect in bench.run(1.0) if isinstance(effect, SendPacket)]
    assert not gossip or {effect.to for effect in gossip} == {bench.address("a")}
    bench.run(40.0)
    assert bench.state("a") is None


def test_pings_for_others() -> None:
    bench = pool("a")
    request = IndirectPing(77, codec.encode_address("10.0.1.97"), 8301, "a", True, b"\x0a\x00\x00\x05", 8301, "b")
    bench.give(codec.encode(Kind.INDIRECT_PING, request))
    ((to, body),) = bench.sent(bench.effects(), Kind.PING)
    ping = codec.decode(Ping, body)
    assert (to, ping.Node) == (Address("10.0.1.97", 8301), "a")
    bench.give(codec.encode(Kind.ACK, Ack(ping.SeqNo, b"payload")))
    ((to, body),) = bench.sent(bench.effects(), Kind.ACK)
    assert to == Address("10.0.0.5", 8301)
    assert codec.decode(Ack, body) == Ack(77, b"")
    assert bench.sent(bench.run(0.6), Kind.NACK) == []
    bench.give(codec.encode(Kind.INDIRECT_PING, request))
    ((to, body),) = bench.sent(bench.run(0.6), Kind.NACK)
    assert codec.decode(Nack, body) == Nack(77)


def test_a_helper_says_in_time_that_it_got_no_answer() -> None:
    """An accuser in good health ends its probe one time-out after asking, so the word has to be underway before."""
    bench = pool("a")
    request = IndirectPing(77, codec.encode_address("10.0.1.97"), 8301, "a", True, b"\x0a\x00\x00\x05", 8301, "b")
    bench.give(codec.encode(Kind.INDIRECT_PING, request))
    ((_, body),) = bench.sent(bench.effects(), Kind.PING)
    assert bench.sent(bench.run(LAN.probe_timeout_s * 0.9), Kind.NACK)
    bench.give(codec.encode(Kind.ACK, Ack(codec.decode(Ping, body).SeqNo)))
    assert bench.sent(bench.effects(), Kind.ACK)


def test_without_lifeguard_probes_are_as_in_swim() -> None:
    bench = Bench(replace(LAN, lifeguard=False))
    for name in "abcde":
        bench.known(NodeState.ALIVE, name)
    bench.swim.awareness.score = 7
    ping, _ = begin(bench)
    requests = bench.sent(bench.run(0.5), Kind.INDIRECT_PING)
    assert len(requests) == 3 and not any(codec.decode(IndirectPing, body).Nack for _, body in requests)
    bench.run(0.6)
    assert bench.state(ping.Node) == (NodeState.SUSPECT, 1)
    assert bench.swim.suspicions[ping.Node].deadline() <= bench.now + 4.0
    bench.suspect(ping.Node, "another")
    assert bench.swim.suspicions[ping.Node].confirmations == 0
    bench.told()
    for _ in range(60):
        told = bench.sent(bench.run(0.1), Kind.SUSPECT)
        assert ping.Node not in [codec.decode(Suspect, body).Node for _, body in told]


def test_a_refuted_suspicion_leaves_no_timer_that_lives_on() -> None:
    bench = pool("a", "b", "c", "d")
    for incarnation in range(1, 200):
        bench.suspect("a", "x", incarnation)
        bench.alive("a", incarnation + 1)
    bench.suspect("a", "x", 200)
    bench.run(24.5)
    assert bench.state() in (None, (NodeState.DEAD, 200))
    assert len(bench.swim.timers) < 10


def test_our_own_pings_are_answered_others_are_not() -> None:
    bench = pool("a")
    bench.give(codec.encode(Kind.PING, Ping(5, "me", b"\x0a\x00\x00\x07", 9000, "a")))
    ((to, body),) = bench.sent(bench.effects(), Kind.ACK)
    assert (to, codec.decode(Ack, body)) == (Address("10.0.0.7", 9000), Ack(5, b"\x01payload"))
    bench.give(codec.encode(Kind.PING, Ping(6, "")))
    ((to, _),) = bench.sent(bench.effects(), Kind.ACK)
    assert to == SOURCE
    bench.give(codec.encode(Kind.PING, Ping(7, "somebody")))
    assert bench.sent(bench.effects(), Kind.ACK) == []
    assert bench.swim.dropped["ping-name"] == 1


def test_a_late_loop_blames_itself() -> None:
    """Ten seconds without running: nobody is declared dead for it, and our health is worse."""
    bench = pool("a", "b", "c", "d")
    bench.suspect("a", "b")
    ping, _ = begin(bench)
    deadline = bench.swim.suspicions["a"].deadline()
    bench.now += 10.0
    bench.swim.tick(bench.now)
    assert bench.swim.awareness.score >= 1
    assert bench.swim.suspicions["a"].deadline() >= deadline + 9.0
    bench.give(codec.encode(Kind.ACK, Ack(ping.SeqNo)))
    bench.run(0.3)
    assert bench.state(ping.Node) != (NodeState.DEAD, 1)


def test_an_idle_pool_wakes_up_for_probes_only() -> None:
    bench = pool("a")
    due = bench.swim.next_deadline(bench.now)
    bench.run(5.0)
    bench.told()
    wakes = 0
    until = bench.now + 10.0
    while (due := bench.swim.next_deadline(bench.now)) is not None and due <= until:
        bench.now = due
        bench.swim.tick(due)
        for _, body in bench.sent(bench.effects(), Kind.PING):
            bench.give(codec.encode(Kind.ACK, Ack(codec.decode(Ping, body).SeqNo)))
        wakes += 1
    # Per probe: its start, and two deadlines that find it answered.
    assert wakes <= 3 * 10 + 2


def test_full_exchanges_go_to_the_living() -> None:
    bench = pool("a", "b")
    bench.dead("b", "x")
    targets = {effect.name for effect in bench.run(0.0) + bench.run(59.0) if isinstance(effect, StartPushPull)}
    assert targets <= {"a"}
    assert LAN.push_pull_interval_s == 30.0


def test_noise_is_counted_and_dropped() -> None:
    bench = pool("a")
    for message in (b"", b"\x00", b"\x63abc", b"\x04\xff\xff", b"\x03" + b"\x81" * 40, bytes((Kind.PUSH_PULL,)) + b"x"):
        bench.give(message)
    assert sum(bench.swim.dropped.values()) == 6
    assert bench.state() == (NodeState.ALIVE, 1)
