"""Which of several instances is used. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from proconsul.engine.wire.hostport import join_host_port
from proconsul.features.catalog.model import CheckServiceNode

__all__ = ["Instance", "Strategy", "chooser", "instances_of"]

Strategy = Literal["weighted", "random", "round_robin", "nearest"]


class Instance(NamedTuple):
    """Where an instance is. ``weight``: how much it should get beside others, 0 for nothing if there are others."""

    host: str
    port: int
    weight: int
    node: str
    id: str

    @property
    def address(self) -> str:
        """``host:port``, of IPv6 with brackets."""
        return join_host_port(self.host, self.port)


def instances_of(rows: Sequence[CheckServiceNode]) -> tuple[Instance, ...]:
    """What can be used of them, in their order: not those whose checks are critical."""
    found = []
    for row in rows:
        statuses = {check.Status for check in row.Checks or ()}
        if "critical" in statuses:
            continue
        weights = row.Service.Weights
        warning = "warning" in statuses
        weight = 1 if weights is None else weights.Warning if warning else weights.Passing
        host = row.Service.Address or row.Node.Address
        found.append(Instance(host, row.Service.Port, max(weight, 0), row.Node.Node, row.Service.ID))
    return tuple(found)


def chooser(strategy: Strategy, rng: random.Random) -> Callable[[Sequence[Instance]], Instance]:
    """A function that takes one of those it is given, of which there is at least one. Raises ValueError."""
    if strategy == "weighted":
        return lambda several: _weighted(several, rng)
    if strategy == "random":
        return lambda several: several[rng.randrange(len(several))]
    if strategy == "nearest":
        return lambda several: several[0]
    if strategy == "round_robin":
        return _RoundRobin(rng)
    raise ValueError(f"no strategy: {strategy!r}")


def _weighted(several: Sequence[Instance], rng: random.Random) -> Instance:
    total = sum(one.weight for one in several)
    if not total:
        return several[rng.randrange(len(several))]
    place = rng.randrange(total)
    for one in several:
        place -= one.weight
        if place < 0:
            return one
    raise AssertionError("the place is within the total")


class _RoundRobin:
    """One after the other, beginning anywhere, so that not all programs begin with the same one."""

    def __init__(self, rng: random.Random) -> None:
        self._next = rng.randrange(1 << 16)

    def __call__(self, several: Sequence[Instance]) -> Instance:
        self._next += 1
        return several[self._next % len(several)]
