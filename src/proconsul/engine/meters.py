"""What components count and time about themselves, until somebody collects it."""

from __future__ import annotations

import math


class Sample:
    """An aggregate of values."""

    __slots__ = ("count", "maximum", "minimum", "squares", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = self.squares = 0.0
        self.minimum, self.maximum = math.inf, -math.inf

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value
        # Not min() and max(): this is done for every request.
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value

    def merge(self, other: Sample) -> None:
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def stddev(self) -> float:
        if self.count < 2:
            return 0.0
        spread = self.count * self.squares - self.total * self.total
        return math.sqrt(max(spread, 0.0) / (self.count * (self.count - 1)))


class Meters:
    """Samples (milliseconds), counters and gauges by name. Names come from code, so they are few."""

    def __init__(self) -> None:
        self.samples: dict[str, Sample] = {}
        self.counts: dict[str, float] = {}
        self.gauges: dict[str, float] = {}

    def sample(self, name: str, value: float) -> None:
        found = self.samples.get(name)
        if found is None:
            found = self.samples[name] = Sample()
        found.add(value)

    def count(self, name: str, value: float = 1.0) -> None:
        self.counts[name] = self.counts.get(name, 0.0) + value

    def gauge(self, name: str, value: float) -> None:
        self.gauges[name] = value

    def drain(self) -> tuple[dict[str, Sample], dict[str, float], dict[str, float]]:
        """Samples, counters and gauges since the last call."""
        drained = self.samples, self.counts, self.gauges
        self.samples, self.counts, self.gauges = {}, {}, {}
        return drained
