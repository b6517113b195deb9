"""Watch a simulated pool: one line per thing that a member saw.

    python -m proconsul.testing.simulation --members 50 --seed 3 --loss 0.05 --kill n7@5 --leave n8@6 --event n9@7

What is to happen is written as MEMBER@SECONDS; pauses, starvation and isolation last as many seconds as follow a colon
(n7@5:20). Columns: virtual time in seconds, who saw it, what, of whom. The same arguments give the same lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from proconsul.testing.serf_simulation import SerfSimulation
from proconsul.testing.simulation import PacketFaults

__all__ = ["LASTS_S", "When", "main"]

LASTS_S = 10.0


class When(NamedTuple):
    """A member, a time, and a duration; seconds."""

    name: str
    at: float
    lasts_s: float


def _when(text: str) -> When:
    name, _, rest = text.partition("@")
    at, _, lasts_s = rest.partition(":")
    try:
        return When(name, float(at), float(lasts_s or LASTS_S))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not MEMBER@SECONDS") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m proconsul.testing.simulation", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--members", type=int, default=10, help="called n0, n1, ...; they know each other already")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="virtual time")
    parser.add_argument("--loss", type=float, default=0.0, help="share of packets lost")
    parser.add_argument("--duplication", type=float, default=0.0, help="share of packets that come twice")
    parser.add_argument("--delay", type=float, default=0.001, metavar="SECONDS", help="the longest a packet takes")
    for option, what in (
        ("kill", "stops"), ("leave", "leaves on purpose"), ("join", "a new one joins"), ("event", "sends a user event"),
        ("pause", "stands still"), ("starve", "cannot send or receive, timers go on"), ("isolate", "is cut off"),
    ):  # fmt: skip
        parser.add_argument(f"--{option}", type=_when, action="append", default=[], metavar="MEMBER@SECONDS", help=what)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line says, printing."""
    parser = _parser()
    options = parser.parse_args(arguments)
    faults = PacketFaults(loss=options.loss, duplication=options.duplication, delay_max_s=options.delay)
    simulation = SerfSimulation(options.seed, faults=faults)
    simulation.form(options.members)
    # From here on: that a formed pool knows itself is no news.
    simulation.scan = print
    known = set(simulation.players) | {when.name for when in options.join}
    acts: dict[str, Callable[[When], None]] = {
        "kill": lambda when: simulation.kill(when.name),
        "leave": lambda when: simulation.leave(when.name),
        "join": partial(_join, simulation),
        "event": lambda when: simulation.fire(when.name, "event", str(when.at).encode()),
        "pause": lambda when: simulation.pause(when.name, when.lasts_s),
        "starve": lambda when: simulation.starve(when.name, when.lasts_s),
        "isolate": partial(_isolate, simulation),
    }
    for option, act in acts.items():
        for when in getattr(options, option):
            if when.name not in known:
                parser.error(f"there is no member {when.name}")
            simulation.at(when.at, act, when)
    simulation.run(options.seconds)


def _join(simulation: SerfSimulation, when: When) -> None:
    through = next(name for name, player in simulation.players.items() if player.running and name != when.name)
    simulation.add(when.name)
    simulation.join(when.name, through)


def _isolate(simulation: SerfSimulation, when: When) -> None:
    simulation.isolate(when.name)
    simulation.at(simulation.now + when.lasts_s, simulation.heal)


if __name__ == "__main__":
    main()
