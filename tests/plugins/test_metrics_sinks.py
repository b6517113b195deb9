"""Metrics sinks in time: every interval once, whatever a sink does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from plugin_world import acme, install, until

from proconsul.agent.config.runtime_sinks import PluginUse
from proconsul.agent.telemetry import metrics_sinks
from proconsul.agent.telemetry.metrics import Metrics
from proconsul.agent.telemetry.metrics_sinks import MetricsSinks, interval_of
from proconsul.plugins import PluginKind
from proconsul.plugins.host import PluginHost
from support.distributions import FakeDistributions


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def test_what_an_interval_says() -> None:
    clock = Clock()
    metrics = Metrics("acme", clock)
    for value in (2.0, 6.0, 4.0):
        metrics.sample("timing", value, (("b", "2"), ("a", "1")))
    metrics.count("hits")
    metrics.count("hits", 3.0)
    metrics.gauge("level", 1.0)
    metrics.gauge("level", -5.0)
    clock.now += 10
    [interval] = metrics.since(0)
    found = {one.name: one for one in interval_of(metrics, interval).metrics}
    timing, hits, level = found["acme.timing"], found["acme.hits"], found["acme.level"]
    assert (timing.kind, timing.labels) == ("sample", (("a", "1"), ("b", "2")))
    assert (timing.count, timing.sum, timing.min, timing.max, timing.stddev) == (3, 12.0, 2.0, 6.0, 2.0)
    assert (hits.kind, hits.count, hits.sum, hits.min, hits.max) == ("counter", 2, 4.0, 1.0, 3.0)
    assert (level.kind, level.count, level.sum, level.min, level.max) == ("gauge", 1, -5.0, -5.0, -5.0)
    assert interval_of(metrics, interval).start == 1_790_000_000.0
    assert metrics.since(interval.start) == [] and len(metrics.since(0, running=True)) == 2


class Turns:
    """Sleeps that end when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[float] = []
        self._over = asyncio.Event()
        monkeypatch.setattr("proconsul.agent.telemetry.metrics_sinks.asyncio.sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        over = self._over
        await over.wait()

    def go_on(self) -> None:
        over, self._over = self._over, asyncio.Event()
        over.set()


async def test_each_interval_comes_once_and_the_last_is_short(distributions: FakeDistributions) -> None:
    install(distributions)
    host = PluginHost(["*"])
    await host.load([])
    clock = Clock()
    metrics = Metrics("acme", clock)
    sampled: list[int] = []
    sinks = MetricsSinks(metrics, host, [PluginUse(plugin="acme", plugin_config={})], lambda: sampled.append(1))
    # Not by the loop's clock: the task is turned by hand.
    real_sleep = asyncio.sleep
    with pytest.MonkeyPatch.context() as monkeypatch:
        turns: Any = Turns(monkeypatch)
        await sinks.start()
        for number in range(3):
            while len(turns.asked) <= number:
                await real_sleep(0)
            metrics.count("hits", number + 1)
            clock.now += 10
            turns.go_on()
            while len(acme().SEEN) <= number:
                await real_sleep(0.001)
        clock.now += 4
        metrics.count("hits", 9)
        while len(turns.asked) <= 3:
            await real_sleep(0)
        await sinks.stop()
    host.stop()
    seen = [
        (one.start - 1_790_000_000.0, one.duration_s, [metric.sum for metric in one.metrics]) for one in acme().SEEN
    ]
    assert seen == [(0.0, 10.0, [1.0]), (10.0, 10.0, [2.0]), (20.0, 10.0, [3.0]), (30.0, 4.0, [9.0])]
    assert turns.asked[0] == pytest.approx(10.05) and sampled == [1]


SLOW = {"plug_slow": """
    import threading
    HOLD = threading.Event()
    CALLS = []
    class Slow:
        api_version = 1
        def __init__(self, settings): ...
        def emit(self, interval):
            CALLS.append(interval)
            HOLD.wait(60)
    class Fails(Slow):
        def emit(self, interval):
            CALLS.append(interval)
            raise RuntimeError("full")
"""}  # fmt: skip


@pytest.mark.parametrize("name", ["slow", "fails"])
async def test_a_sink_that_does_not_take_them_keeps_nobody_waiting(
    distributions: FakeDistributions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    install(distributions)
    points = ["slow = plug_slow:Slow", "fails = plug_slow:Fails"]
    distributions.add("slow", {"proconsul.metrics_sinks": points}, SLOW)
    monkeypatch.setattr(metrics_sinks, "LAST_TIMEOUT_S", 0.1)
    host = PluginHost()
    await host.load([(PluginKind.METRICS_SINKS, "acme"), (PluginKind.METRICS_SINKS, name)])
    metrics = Metrics("acme", Clock())
    uses = [PluginUse(plugin=name, plugin_config={}), PluginUse(plugin="acme", plugin_config={})]
    sinks = MetricsSinks(metrics, host, uses, lambda: metrics.count("hits"))
    await sinks.start()
    await sinks.stop()
    await until(lambda: acme().SEEN)
    import plug_slow  # type: ignore[import-not-found]

    assert len(plug_slow.CALLS) == 1
    plug_slow.HOLD.set()
    host.stop()
    assert f"plug-in failed: kind=metrics_sinks name={name} of=metrics sink 0" in caplog.text
