"""Noise, lies and floods against members of ours in a mixed pool: nothing ends, nothing grows, the pool stays one."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import gossip_attacks as attacks
from support.gossip_attacks import Target
from support.harness import Subject, eventually
from support.pools import KEYS, AnyMember, BareMember, ConsulMember, Pool, new_host, require_reference

pytestmark = pytest.mark.reference

# What a member may grow by at the worst moment: what streams may hold, and copies of it. One that keeps what it is sent
# grows by ten times this.
GROWTH_BYTES_MAX = 160 << 20
PACKETS = 4_000
# More than a process may usually open, in both members together.
CONNECTIONS = 1_000
_VECTORS = json.loads((Path(__file__).parents[1] / "gossip" / "gossip_vectors.json").read_text())["vectors"]
CAPTURED = [bytes.fromhex(one["hex"]) for one in _VECTORS if one["id"].startswith(("ml-", "serf-", "consul-"))]
NAMES = ["ref1", "our1", "serf1", "bare1"]


def _begin(pool: Pool) -> None:
    pool.add_consul("ref1", Subject.REFERENCE, server=True)
    pool.add_consul("our1", Subject.OURS, server=True)
    pool.add_serf("serf1")
    pool.add_bare("bare1")
    pool.join_all()
    pool.everybody_sees()


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    require_reference()
    with Pool(tmp_path_factory.mktemp("clear")) as pool:
        _begin(pool)
        yield pool


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    require_reference()
    with Pool(tmp_path_factory.mktemp("sealed"), KEYS[0]) as pool:
        _begin(pool)
        yield pool


def _ours(pool: Pool) -> list[AnyMember]:
    return [pool.members["our1"], pool.members["bare1"]]


def _target(member: AnyMember) -> Target:
    host, port = member.gossip.rsplit(":", 1)
    return Target(host, int(port))


def _peak_bytes(member: AnyMember) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{member.pid}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def _intact(pool: Pool) -> None:
    """Everybody sees everybody where they are. Others may be there too: some noise is of members never heard of."""

    def wrong() -> object:
        return [
            (member.name, name, shown)
            for member in pool
            for seen in [member.members()]
            for name in NAMES
            for shown in [seen.get(name)]
            if shown is None or (shown.status, shown.address) != ("alive", pool.members[name].gossip)
        ]

    pool.until(wrong, "everybody sees everybody")


def _bare(pool: Pool) -> BareMember:
    member = pool.members["bare1"]
    assert isinstance(member, BareMember)
    return member


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each attack: all run, none has said "Traceback", none has grown, and the pool is whole."""
    pool: Pool = request.getfixturevalue("clear" if "clear" in request.fixturenames else "sealed")
    before = [(member, _peak_bytes(member), len(member.log())) for member in _ours(pool)]
    yield
    _intact(pool)
    for member, peak_bytes, logged in before:
        member.require_running()
        assert "Traceback" not in member.log()[logged:], member.name
        assert _peak_bytes(member) - peak_bytes < GROWTH_BYTES_MAX, member.name


def test_members_are_said_to_be_elsewhere(clear: Pool) -> None:
    before = _bare(clear).dropped().get("conflict", 0)
    for member in _ours(clear):
        attacks.send_packets(_target(member), attacks.false_births(NAMES))
    eventually(lambda: _bare(clear).dropped().get("conflict", 0) > before, "conflicts are counted")


def test_members_are_said_to_be_dead(clear: Pool) -> None:
    # To all: an accusation that the accused never hears of is believed for 30 s, by any memberlist.
    for member in clear:
        attacks.send_packets(_target(member), attacks.false_deaths(NAMES))
    for name in NAMES:
        eventually(lambda name=name: "efuting a " in clear.members[name].log(), f"{name} objects")


def test_noise_in_datagrams(clear: Pool) -> None:
    before = _bare(clear).dropped()
    for seed, member in enumerate(_ours(clear)):
        attacks.send_packets(_target(member), attacks.noise_packets(random.Random(seed), CAPTURED, PACKETS))

    def counted() -> bool:
        after = _bare(clear).dropped()
        return {"message", "truncated", "type"} <= {name for name in after if after[name] > before.get(name, 0)}

    eventually(counted, "unreadable packets are counted by reason")


def test_noise_in_streams(clear: Pool) -> None:
    before = _bare(clear).dropped().get("stream", 0)
    for seed, member in enumerate(_ours(clear)):
        attacks.send_streams(_target(member), attacks.noise_streams(random.Random(seed), CAPTURED))
    eventually(lambda: _bare(clear).dropped().get("stream", 0) > before + 100, "unreadable streams are counted")


def test_a_thousand_connections_that_say_nothing(clear: Pool) -> None:
    serf = clear.members["serf1"]
    for member in _ours(clear):
        with attacks.half_open(_target(member), CONNECTIONS, b"\x06") as connections:
            assert len(connections) == CONNECTIONS
            # Whoever comes last and speaks is heard: unless everybody here is slow, at once.
            eventually(lambda target=member.gossip: serf.join(target) or True, f"serf joins {member.name}")
    assert _bare(clear).dropped()["stream_room"] > CONNECTIONS // 2


def test_connections_that_say_a_byte_now_and_then(clear: Pool) -> None:
    captured = next(bytes.fromhex(one["hex"]) for one in _VECTORS if one["id"] == "ml-pushpull-join-reply")
    serf = clear.members["serf1"]
    for member in _ours(clear):
        with attacks.half_open(_target(member), 100) as connections:
            for position in range(20):
                for connection in connections:
                    connection.send(captured[position : position + 1])
            eventually(lambda target=member.gossip: serf.join(target) or True, f"serf joins {member.name}")


def test_messages_that_never_end(clear: Pool) -> None:
    for member in _ours(clear):
        attacks.pour(_target(member), connections=60, bytes_each=8 << 20)


def test_wrong_keys_and_no_key(sealed: Pool) -> None:
    wrong = bytes([9]) * 32
    before = _bare(sealed).dropped().get("decrypt", 0)
    for seed, member in enumerate(_ours(sealed)):
        target, rng = _target(member), random.Random(seed)
        attacks.send_packets(target, attacks.sealed(attacks.false_deaths(NAMES), wrong))
        attacks.send_packets(target, attacks.false_deaths(NAMES))
        attacks.send_packets(target, attacks.noise_packets(rng, CAPTURED, PACKETS // 4))
        attacks.send_streams(target, attacks.noise_streams(rng, CAPTURED))
    eventually(lambda: _bare(sealed).dropped().get("decrypt", 0) > before + 100, "wrong keys are counted")
    for member in sealed:
        assert set(member.members()) == set(NAMES), "nothing of it was believed"
    agent = sealed.members["our1"]
    assert isinstance(agent, ConsulMember)

    def reasons() -> set[str]:
        counters = agent.ok("GET", "/v1/agent/metrics").json()["Counters"]
        return {one["Labels"]["reason"] for one in counters if one["Name"] == "consul.memberlist.dropped"}

    eventually(lambda: {"decrypt", "stream"} <= reasons(), "the agent's metrics tell the reasons")


def test_who_has_another_key_stays_outside(sealed: Pool) -> None:
    stranger = BareMember("stranger", sealed.directory / "stranger", key=KEYS[1])
    try:
        stranger.start()
        stranger.wait_ready()
        for member in sealed:
            with pytest.raises(OSError, match="Failed to join"):
                stranger.join(member.gossip)
    finally:
        stranger.kill()
    for member in sealed:
        assert "stranger" not in member.members()


def test_a_second_process_of_a_members_name(sealed: Pool) -> None:
    before = _bare(sealed).dropped().get("conflict", 0)
    for name in ("our1", "bare1"):
        holder = sealed.members[name]
        impostor = BareMember(name, sealed.directory / f"second-{name}", host=new_host(), key=sealed.key)
        try:
            impostor.start()
            impostor.wait_ready()
            impostor.join(_bare(sealed).gossip)
            eventually(lambda: _bare(sealed).dropped().get("conflict", 0) > before, "the conflict is counted")
            for member in sealed:
                assert member.members()[name].address == holder.gossip
        finally:
            impostor.kill()
