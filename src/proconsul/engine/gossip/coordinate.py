"""Network coordinates after Vivaldi (Dabek et al. 2004), as serf computes them.

Pure: a client takes round trip times and gives the coordinate that explains them; randomness is injected and only used
when two nodes stand on the very same point. Distances are seconds.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace

DIMENSIONS = 8
ERROR_MAX = 1.5
CE = 0.25  # how strongly one sample moves the error estimate
CC = 0.25  # how strongly one sample moves the position
ADJUSTMENT_WINDOW = 20
HEIGHT_MIN = 10.0e-6
LATENCY_FILTER = 3
GRAVITY_RHO = 150.0
RTT_MAX_S = 10.0
ZERO = 1.0e-6


class CoordinateError(ValueError):
    """A sample that cannot be used."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A point in the space, its height above it (the access link), and how sure it is."""

    vec: tuple[float, ...] = (0.0,) * DIMENSIONS
    error: float = ERROR_MAX
    adjustment: float = 0.0
    height: float = HEIGHT_MIN

    def is_valid(self) -> bool:
        return all(math.isfinite(number) for number in (*self.vec, self.error, self.adjustment, self.height))

    def raw_distance_s(self, other: Coordinate) -> float:
        """Without the adjustments."""
        squares = sum((a - b) ** 2 for a, b in zip(self.vec, other.vec, strict=True))
        return math.sqrt(squares) + self.height + other.height

    def distance_s(self, other: Coordinate) -> float:
        """Estimated round trip; the adjustments count as long as the sum stays positive."""
        raw = self.raw_distance_s(other)
        adjusted = raw + self.adjustment + other.adjustment
        return adjusted if adjusted > 0.0 else raw


@dataclass(slots=True)
class CoordinateClient:
    """One node's own coordinate, moved by the round trips it measures."""

    rng: random.Random
    coordinate: Coordinate = field(default_factory=Coordinate)
    resets: int = 0
    _adjustment_at: int = 0
    _adjustments: list[float] = field(default_factory=lambda: [0.0] * ADJUSTMENT_WINDOW)
    _latencies: dict[str, list[float]] = field(default_factory=dict)

    def update(self, node: str, other: Coordinate, rtt_s: float) -> Coordinate:
        """Take one sample: ``node`` stands at ``other`` and answered after ``rtt_s``. Raises CoordinateError."""
        if len(other.vec) != DIMENSIONS or not other.is_valid():
            raise CoordinateError("incompatible or invalid coordinate")
        if not 0.0 <= rtt_s <= RTT_MAX_S:
            raise CoordinateError(f"round trip time not in valid range: {rtt_s} s")
        rtt_s = max(self._filtered(node, rtt_s), ZERO)
        self._vivaldi(other, rtt_s)
        self._adjust(other, rtt_s)
        self._gravity()
        if not self.coordinate.is_valid():
            self.resets += 1
            self.coordinate = Coordinate()
        return self.coordinate

    def forget(self, node: str) -> None:
        """A node is gone: its latencies mean nothing any more."""
        self._latencies.pop(node, None)

    def _filtered(self, node: str, rtt_s: float) -> float:
        """The median of the last few samples of a node; one stray packet must not move us."""
        samples = self._latencies.setdefault(node, [])
        samples.append(rtt_s)
        del samples[:-LATENCY_FILTER]
        return sorted(samples)[len(samples) // 2]

    def _vivaldi(self, other: Coordinate, rtt_s: float) -> None:
        own = self.coordinate
        distance_s = own.distance_s(other)
        wrongness = abs(distance_s - rtt_s) / rtt_s
        weight = own.error / max(own.error + other.error, ZERO)
        error = min(CE * weight * wrongness + own.error * (1.0 - CE * weight), ERROR_MAX)
        force = CC * weight * (rtt_s - distance_s)
        self.coordinate = self._pushed(replace(own, error=error), force, other)

    def _pushed(self, own: Coordinate, force: float, other: Coordinate) -> Coordinate:
        """Move ``own`` by ``force`` seconds away from ``other``."""
        unit, magnitude = self._unit(own.vec, other.vec)
        vec = tuple(a + u * force for a, u in zip(own.vec, unit, strict=True))
        height = own.height
        if magnitude > ZERO:
            height = max((own.height + other.height) * force / magnitude + own.height, HEIGHT_MIN)
        return replace(own, vec=vec, height=height)

    def _unit(self, a: tuple[float, ...], b: tuple[float, ...]) -> tuple[tuple[float, ...], float]:
        """The direction from ``b`` to ``a`` and their distance; a random direction when they coincide."""
        difference = [x - y for x, y in zip(a, b, strict=True)]
        magnitude = math.sqrt(sum(x * x for x in difference))
        if magnitude > ZERO:
            return tuple(x / magnitude for x in difference), magnitude
        difference = [self.rng.random() - 0.5 for _ in difference]
        length = math.sqrt(sum(x * x for x in difference))
        if length > ZERO:
            return tuple(x / length for x in difference), 0.0
        return (1.0, *(0.0 for _ in difference[1:])), 0.0

    def _adjust(self, other: Coordinate, rtt_s: float) -> None:
        """The mean of what the space cannot explain, over a window; slots not used yet count as 0."""
        self._adjustments[self._adjustment_at] = rtt_s - self.coordinate.raw_distance_s(other)
        self._adjustment_at = (self._adjustment_at + 1) % ADJUSTMENT_WINDOW
        adjustment = sum(self._adjustments) / (2.0 * ADJUSTMENT_WINDOW)
        self.coordinate = replace(self.coordinate, adjustment=adjustment)

    def _gravity(self) -> None:
        """Keep the whole system from drifting away."""
        origin = Coordinate(height=HEIGHT_MIN)
        distance_s = origin.distance_s(self.coordinate)
        force = -((distance_s / GRAVITY_RHO) ** 2)
        self.coordinate = self._pushed(self.coordinate, force, origin)
