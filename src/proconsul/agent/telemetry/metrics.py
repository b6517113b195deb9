"""In-memory metrics: counters, gauges and samples in intervals of ten seconds (Consul docs: telemetry)."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from proconsul.agent.telemetry.name_filter import NameFilter
from proconsul.agent.telemetry.prometheus import Series, exposition
from proconsul.engine.meters import Meters, Sample
from proconsul.engine.wire.gojson import Object

INTERVAL_S = 10.0
# One minute of intervals is kept.
INTERVALS_MAX = 6
Labels = tuple[tuple[str, str], ...]


class Interval:
    """What happened in ten seconds."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.gauges: dict[tuple[str, Labels], float] = {}
        self.counters: dict[tuple[str, Labels], Sample] = {}
        self.samples: dict[tuple[str, Labels], Sample] = {}


class Metrics:
    """The sink. Names are without the prefix, parts joined by dots."""

    def __init__(
        self, prefix: str = "consul", clock: Callable[[], float] = time.time, names: NameFilter | None = None
    ) -> None:  # fmt: skip
        """``names`` says which full names are kept; None keeps all."""
        self.prefix = prefix
        self._names = None if names is None or names.keeps_all else names
        self._clock = clock
        self._intervals: deque[Interval] = deque(maxlen=INTERVALS_MAX)
        # For Prometheus: totals since the start.
        self.totals: dict[tuple[str, Labels], float] = {}
        self.summaries: dict[tuple[str, Labels], Sample] = {}
        self._gauges: dict[tuple[str, Labels], float] = {}
        self._touched: dict[tuple[str, Labels], float] = {}

    def _current(self) -> Interval:
        start = self._clock() // INTERVAL_S * INTERVAL_S
        if not self._intervals or self._intervals[-1].start != start:
            self._intervals.append(Interval(start))
        return self._intervals[-1]

    def _changed(self, name: str, labels: Labels) -> tuple[str, Labels] | None:
        """The key of a metric that has a new value now; None for one that is not kept."""
        if self._names is not None and not self._names.keeps(self.full_name(name)):
            return None
        key = (name, labels)
        self._touched[key] = self._clock()
        return key

    def gauge(self, name: str, value: float, labels: Labels = ()) -> None:
        key = self._changed(name, labels)
        if key is not None:
            self._current().gauges[key] = self._gauges[key] = value

    def count(self, name: str, value: float = 1.0, labels: Labels = ()) -> None:
        key = self._changed(name, labels)
        if key is not None:
            self._current().counters.setdefault(key, Sample()).add(value)
            self.totals[key] = self.totals.get(key, 0.0) + value

    def sample(self, name: str, value: float, labels: Labels = ()) -> None:
        key = self._changed(name, labels)
        if key is not None:
            self._current().samples.setdefault(key, Sample()).add(value)
            self.summaries.setdefault(key, Sample()).add(value)

    def merge(self, name: str, sample: Sample, labels: Labels = ()) -> None:
        """Add many values that were aggregated elsewhere."""
        key = self._changed(name, labels)
        if key is not None:
            self._current().samples.setdefault(key, Sample()).merge(sample)
            self.summaries.setdefault(key, Sample()).merge(sample)

    def take(self, meters: Meters) -> None:
        """Add what a component has measured since it was last asked."""
        samples, counts, gauges = meters.drain()
        for name, sample in samples.items():
            self.merge(name, sample)
        for name, value in counts.items():
            self.count(name, value)
        for name, value in gauges.items():
            self.gauge(name, value)

    # ------------------------------------------------------------------ views

    def since(self, start: float, *, running: bool = False) -> list[Interval]:
        """The finished intervals that began after ``start``, the oldest first; with the ``running`` one at the end."""
        now = self._current()
        return [one for one in self._intervals if one.start > start and (running or one is not now)]

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    def full_name(self, name: str) -> str:
        """With the prefix."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def latest(self) -> dict[str, Any]:
        """The last finished interval as /v1/agent/metrics shows it; the running one when none has finished."""
        self._current()
        interval = self._intervals[-2] if len(self._intervals) > 1 else self._intervals[-1]
        stamp = time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(interval.start))
        return Object({
            "Timestamp": stamp,
            "Gauges": [
                Object(Name=self.full_name(name), Value=value, Labels=dict(labels))
                for (name, labels), value in sorted(interval.gauges.items())
            ],
            "Points": [],
            "Counters": [self._sampled(key, sample) for key, sample in sorted(interval.counters.items(), key=_by_key)],
            "Samples": [self._sampled(key, sample) for key, sample in sorted(interval.samples.items(), key=_by_key)],
        })  # fmt: skip

    def _sampled(self, key: tuple[str, Labels], sample: Sample) -> dict[str, Any]:
        return Object({
            "Name": self.full_name(key[0]), "Count": sample.count, "Rate": sample.total / INTERVAL_S,
            "Sum": sample.total, "Min": sample.minimum, "Max": sample.maximum,
            "Mean": sample.total / sample.count, "Stddev": sample.stddev(), "Labels": dict(key[1]),
        })  # fmt: skip

    def prometheus(self, retention_s: float = math.inf) -> bytes:
        """What has changed within ``retention_s``, as Prometheus reads it: counters and summaries since the start."""
        since = self._clock() - retention_s
        for old in [key for key, at in self._touched.items() if at < since]:
            for kept in (self._touched, self.totals, self.summaries, self._gauges):
                kept.pop(old, None)
        kinds: tuple[tuple[str, Mapping[tuple[str, Labels], Any]], ...] = (
            ("gauge", self._gauges), ("counter", self.totals), ("summary", self.summaries),
        )  # fmt: skip
        return exposition(
            Series(kind, self.full_name(name), labels, value)
            for kind, found in kinds
            for (name, labels), value in found.items()
        )


def _by_key(item: tuple[tuple[str, Labels], Sample]) -> tuple[str, Labels]:
    return item[0]
