"""Compression, coordinates and Lifeguard's numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.gossip.coordinate import RTT_MAX_S, Coordinate, CoordinateClient, CoordinateError
from proconsul.engine.gossip.lifeguard import (
    Awareness,
    Suspicion,
    push_pull_interval_s,
    retransmit_limit,
    suspicion_timeout_s,
)
from proconsul.engine.gossip.lzw import LzwError, compress, decompress

# Byte for byte what encoders of both kinds write.
LZW = [
    (b"", "0101", "000302"),
    (b"a", "610202", "00c30404"),
]


@pytest.mark.parametrize(("plain", "older", "newer"), LZW)
def test_both_kinds_of_encoders_are_matched_and_read(plain: bytes, older: str, newer: str) -> None:
    assert compress(plain).hex() == older
    assert compress(plain, leading_clear=True).hex() == newer
    assert decompress(bytes.fromhex(older)) == decompress(bytes.fromhex(newer)) == plain


@given(st.binary(max_size=3000), st.booleans())
@settings(deadline=None)
def test_what_is_compressed_comes_back(data: bytes, leading: bool) -> None:
    assert decompress(compress(data, leading_clear=leading)) == data


@pytest.mark.parametrize("alphabet", [2, 4, 256])
def test_long_messages_cross_every_width_and_reset(alphabet: int) -> None:
    rng = random.Random(alphabet)
    data = bytes(rng.randrange(alphabet) for _ in range(60_000))
    assert decompress(compress(data)) == data


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_noise_is_refused_or_bounded(noise: bytes) -> None:
    try:
        assert len(decompress(noise, 10_000)) <= 10_000
    except LzwError:
        return


def test_a_bomb_is_stopped() -> None:
    with pytest.raises(LzwError, match="expands beyond 1000 bytes"):
        decompress(compress(b"\x00" * 100_000), 1000)


def test_coordinates_learn_the_distances_of_a_line() -> None:
    """Three nodes on a line: the estimates come close to the measured round trips."""
    rtt = {("a", "b"): 0.010, ("b", "c"): 0.020, ("a", "c"): 0.030}
    clients = {name: CoordinateClient(random.Random(number)) for number, name in enumerate("abc")}
    rng = random.Random(7)
    for _ in range(3000):
        one, two = rng.sample("abc", 2)
        measured = rtt.get((one, two)) or rtt[two, one]
        clients[one].update(two, clients[two].coordinate, measured)
    for (one, two), measured in rtt.items():
        estimate = clients[one].coordinate.distance_s(clients[two].coordinate)
        assert estimate == pytest.approx(measured, rel=0.15)


@pytest.mark.parametrize(
    ("other", "rtt_s"),
    [
        (Coordinate(vec=(0.0,) * 3), 0.1),
        (Coordinate(error=float("nan")), 0.1),
        (Coordinate(), -0.1),
        (Coordinate(), RTT_MAX_S + 1),
        (Coordinate(), float("nan")),
    ],
)
def test_senseless_samples_are_refused(other: Coordinate, rtt_s: float) -> None:
    client = CoordinateClient(random.Random(1))
    with pytest.raises(CoordinateError):
        client.update("n", other, rtt_s)
    assert client.coordinate == Coordinate()


def test_one_stray_packet_is_filtered() -> None:
    client = CoordinateClient(random.Random(1))
    for _ in range(3):
        client.update("n", Coordinate(), 0.01)
    before = client.coordinate
    client.update("n", Coordinate(), 5.0)
    assert client.coordinate.distance_s(before) < 0.02


def test_health_is_bounded_and_slows_accusations() -> None:
    awareness = Awareness()
    awareness.apply(-3)
    assert awareness.scaled_s(0.5) == 0.5
    awareness.apply(100)
    assert (awareness.score, awareness.scaled_s(0.5)) == (7, 4.0)


@pytest.mark.parametrize(("members", "timeout_s"), [(1, 4.0), (10, 4.0), (100, 8.0), (1000, 12.0)])
def test_suspicion_grows_with_the_pool(members: int, timeout_s: float) -> None:
    assert suspicion_timeout_s(4, members, 1.0) == pytest.approx(timeout_s)


def test_accusers_shorten_a_suspicion_to_its_minimum() -> None:
    suspicion = Suspicion.begin("a", 100.0, mult=4, members=100, probe_interval_s=1.0)
    deadlines = [suspicion.deadline()]
    for accuser in ("a", "b", "b", "c", "d"):
        if suspicion.confirm(accuser):
            deadlines.append(suspicion.deadline())
    assert deadlines == [148.0, pytest.approx(122.76, abs=0.01), 108.0]


def test_small_pools_wait_only_the_minimum() -> None:
    suspicion = Suspicion.begin("a", 0.0, mult=4, members=3, probe_interval_s=1.0)
    assert suspicion.deadline() == 4.0
    assert not suspicion.confirm("b")


@pytest.mark.parametrize(("members", "limit"), [(0, 0), (1, 4), (9, 4), (10, 8), (99, 8), (100, 12)])
def test_retransmissions(members: int, limit: int) -> None:
    assert retransmit_limit(4, members) == limit


@pytest.mark.parametrize(("members", "interval_s"), [(1, 30.0), (32, 30.0), (33, 60.0), (64, 60.0), (65, 90.0)])
def test_full_exchanges_get_rarer(members: int, interval_s: float) -> None:
    assert push_pull_interval_s(30.0, members) == interval_s
