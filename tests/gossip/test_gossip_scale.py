"""Large pools, the Lifeguard experiment in small, and the command line of the simulator."""

from __future__ import annotations

import os
import random

import pytest

from proconsul.engine.gossip.lifeguard import retransmit_limit
from proconsul.engine.gossip.messages import NodeState
from proconsul.testing.lifeguard_experiment import false_positives, latencies
from proconsul.testing.serf_simulation import SerfSimulation
from proconsul.testing.simulation import PacketFaults, Simulation
from proconsul.testing.simulation_cli import main

THOUSAND = 1000
SOAK = int(os.environ.get("GOSSIP_SOAK", "0"))


def known_within_s(simulation: Simulation, name: str, *states: NodeState) -> float:
    """How long until the running members believe that. Gossip alone may miss a few: nearly all is what it promises."""
    others = sum(player.running for player in simulation.players.values()) - simulation.players[name].running
    return simulation.run_until(lambda: simulation.seen_as(name, *states) >= 0.995 * others, 60.0)


@pytest.mark.long
def test_a_thousand_agents_learn_of_everything() -> None:
    simulation = SerfSimulation(1)
    simulation.form(THOUSAND)
    simulation.run(2.0)
    for number in range(5):
        simulation.kill(f"n{number}")
    simulation.leave("n5")
    simulation.add("new")
    assert simulation.join("new", "n6")
    simulation.fire("n7", "deploy", b"1")
    simulation.run(3.0)
    got = sum(("deploy", b"1") in player.events for player in simulation.serf_players())
    assert got >= 0.995 * (THOUSAND - 4)
    assert known_within_s(simulation, "new", NodeState.ALIVE) <= 1.0
    assert known_within_s(simulation, "n5", NodeState.LEFT) <= 1.0
    for number in range(5):
        known_within_s(simulation, f"n{number}", NodeState.DEAD)
    wrong = {death.subject for death in simulation.deaths()} - {f"n{number}" for number in range(5)}
    assert not wrong
    assert all(count == 1 for player in simulation.serf_players() for count in [player.events.count(("deploy", b"1"))]
               if count)  # fmt: skip


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="a soak: make soak")
@pytest.mark.timeout(7200)
def test_soak() -> None:
    """Minutes of churn in a pool of thousands: every death is found and no other, and nothing is left behind."""
    simulation = Simulation(7, faults=PacketFaults(loss=0.01))
    simulation.form(SOAK)
    dice = random.Random(7)
    gone: set[str] = set()
    for number in range(10):
        killed = dice.choice([name for name, player in simulation.players.items() if player.running])
        simulation.kill(killed)
        gone.add(killed)
        leaver = dice.choice([name for name, player in simulation.players.items() if player.running])
        simulation.leave(leaver)
        gone.add(leaver)
        simulation.add(f"new{number}")
        assert simulation.join(f"new{number}", next(n for n, p in simulation.players.items() if p.running))
        simulation.run(10.0)
    for name in gone:
        known_within_s(simulation, name, NodeState.DEAD, NodeState.LEFT)
    assert {death.subject for death in simulation.deaths()} <= gone
    simulation.run(30.0)
    # Those that came late are still telling what they learned when they joined, as the original does: 5,000 messages.
    old = [player for name, player in simulation.players.items() if name.startswith("n") and not name.startswith("new")]
    assert not any(player.swim.queue for player in old if player.running)
    limit = retransmit_limit(4, SOAK)
    print(f"{SOAK} members: {simulation.counts}, each message sent {limit} times at most")


def test_an_idle_hour_leaves_nothing_behind() -> None:
    simulation = SerfSimulation(2)
    players = simulation.form(5)
    simulation.fire("n0", "deploy", b"1")
    simulation.kill("n4")
    simulation.run(120.0)
    before = [len(player.swim.timers) for player in players[:4]]
    clocks = [simulation.player(f"n{number}").serf.stats()["member_time"] for number in range(4)]
    simulation.run(3600.0)
    for at, player in enumerate(players[:4]):
        assert len(player.swim.timers) <= before[at] + 8
        assert not player.swim.queue and not player.swim.suspicions and "n4" not in player.swim.records
    assert [simulation.player(f"n{number}").serf.stats()["member_time"] for number in range(4)] == clocks


@pytest.mark.parametrize("lifeguard", [False, True])
def test_failures_are_found_and_told(lifeguard: bool) -> None:
    """With every accuser confirming, Lifeguard is as fast as SWIM: the minimum, and one round of probing at most."""
    for latency in latencies(40, 2, lifeguard=lifeguard, seed=4):
        # 4 x log10(40) seconds of suspicion after the probe that fails; then gossip.
        assert 6.4 < latency.first_s < 16.0
        assert latency.everybody_s - latency.first_s < 3.0


def test_lifeguard_prevents_nearly_all_false_positives() -> None:
    """The paper's interval experiment in small: at least twenty times fewer than SWIM alone."""
    swim = false_positives(48, 6, 16.384, 1.024, lifeguard=False, seed=1)
    lifeguard = false_positives(48, 6, 16.384, 1.024, lifeguard=True, seed=1)
    assert swim.at_healthy >= 1000
    assert 20 * lifeguard.anywhere <= swim.anywhere
    assert 20 * lifeguard.at_healthy <= swim.at_healthy


def test_the_command_line_prints_a_line_per_event(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--members", "8", "--seed", "3", "--loss", "0.05", "--seconds", "30"]
    arguments += ["--kill", "n1@2", "--event", "n2@1"]
    main(arguments)
    first = capsys.readouterr().out
    main(arguments)
    assert capsys.readouterr().out == first
    lines = first.splitlines()
    assert sum("dead" in line and line.split()[-1] == "n1" for line in lines) == 7
    assert sum("event" in line for line in lines) == 8
