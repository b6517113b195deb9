"""The experiments of the Lifeguard paper (Dadgar, Phillips, Currey 2018, arXiv:1707.00788) in the simulated network.

Some members of a healthy pool become *anomalous*: their sends and receives block while their timers go on, as those of
an overloaded machine do. What they then believe of others is wrong, and the question is how much the pool believes.
All times are virtual, so a result follows from its arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from proconsul.engine.gossip.config import LAN
from proconsul.testing.simulation import Simulation

__all__ = ["ANOMALIES_S", "DISSEMINATED_S", "QUIET_S", "FalsePositives", "Latency", "false_positives", "latencies"]

# The paper's pools run quietly for a while, then under anomalies until the first end of one after two minutes.
QUIET_S = 5.0
ANOMALIES_S = 120.0
# After a failure, how long at most until everybody knows: several times the longest suspicion of the largest pool here.
DISSEMINATED_S = 300.0


class FalsePositives(NamedTuple):
    """Deaths declared of members that were well: seen by anybody, and seen by members that were well themselves."""

    anywhere: int
    at_healthy: int
    packets: int


class Latency(NamedTuple):
    """One failed member: seconds until the first other member declared it dead, and until all had heard."""

    first_s: float
    everybody_s: float


def false_positives(
    members: int, anomalous: int, blocked_s: float, running_s: float, *, lifeguard: bool, seed: int
) -> FalsePositives:
    """The paper's interval experiment: ``anomalous`` members block and run, all at the same time, again and again."""
    simulation = Simulation(seed, replace(LAN, lifeguard=lifeguard))
    simulation.form(members)
    simulation.run(QUIET_S)
    names = sorted(simulation.players)
    sick = set(simulation.rng.sample(names, anomalous))
    began = simulation.now
    while simulation.now - began < ANOMALIES_S:
        for name in sorted(sick):
            simulation.starve(name, blocked_s)
        simulation.run(blocked_s + running_s)
    wrong = [death for death in simulation.deaths() if death.subject not in sick]
    at_healthy = sum(death.observer not in sick for death in wrong)
    return FalsePositives(len(wrong), at_healthy, simulation.counts["packets"])


def latencies(members: int, failing: int, *, lifeguard: bool, seed: int) -> Iterator[Latency]:
    """``failing`` members stop at the same time: when was each found out? Raises TimeoutError."""
    simulation = Simulation(seed, replace(LAN, lifeguard=lifeguard))
    simulation.form(members)
    simulation.run(QUIET_S + simulation.rng.random())
    names = sorted(simulation.players)
    dead = simulation.rng.sample(names, failing)
    for name in dead:
        simulation.kill(name)
    killed_at = simulation.now
    expected = failing * (members - failing)
    simulation.run_until(lambda: len(simulation.deaths()) >= expected, DISSEMINATED_S, 1.0)
    for name in dead:
        heard = [death.at - killed_at for death in simulation.deaths() if death.subject == name]
        yield Latency(min(heard), max(heard))
