"""Two simulated datacenters in one time and network: whoever is asked about the other one asks there.

Clients of either datacenter read and write in the other, and what they did is part of that one's history, which must be
linearizable all the same. The line between them is cut, one way or both, and a datacenter is lost whole and comes back.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from proconsul.testing.cluster import Cluster
from proconsul.testing.cluster_clients import SimClient
from proconsul.testing.cluster_server import Process

__all__ = ["Federation"]

LOOK_S = 0.5


class Federation:
    """``Federation(seed).run()`` raises SafetyError."""

    def __init__(self, seed: int, *, tracing: bool = False) -> None:
        first = Cluster(seed, tracing=tracing, datacenter="dc1")
        self.clusters = (first, Cluster(seed + 1, tracing=tracing, datacenter="dc2", beside=first))
        self.rng, self.time, self.links = first.rng, first.time, first.links
        # How many operations were answered by the other datacenter, and how often one was lost whole.
        self.answered = self.lost = 0
        for cluster in self.clusters:
            cluster.clients.append(self._traveller)
            cluster.rewinds = False

    async def _traveller(self, process: Process) -> None:
        """Asks the other datacenter, through a server of this one."""
        here, there = self.clusters if process.cluster is self.clusters[0] else reversed(self.clusters)
        one = SimClient(process, there)
        while there.busy and here.busy:
            await asyncio.sleep(self.rng.expovariate(1 / there.pace_s))
            await self._act(one)

    async def _act(self, one: SimClient) -> None:
        history = one.cluster.history
        before = len(history)
        await one.act()
        self.answered += any(found is not None and found.done is not None for found in history[before : before + 1])

    # ------------------------------------------------------------------ what goes wrong

    def _look(self) -> None:
        """Gossip tells of the other datacenter's servers."""
        for cluster in self.clusters:
            for process in cluster.processes.values():
                if process.alive and process.server is not None:
                    process.loop.call_soon(process.server.wan_member_changed)
        self.time.at(LOOK_S, self._look)

    def _cut(self) -> None:
        """The line between the datacenters is cut, in one direction or both, and mended later."""
        if not self.clusters[0].busy:
            return
        first, second = ([*cluster.hosts] for cluster in self.clusters)
        ways = {(a, b) for a in first for b in second}, {(b, a) for a in first for b in second}
        kind = self.rng.choice((ways[0], ways[1], ways[0] | ways[1]))
        self.links.cut |= kind
        self.time.at(self.rng.expovariate(1 / 1.5), lambda: self.links.cut.difference_update(kind))
        self.time.at(self.rng.expovariate(1 / 3.0), self._cut)

    def _lose(self) -> None:
        """Everybody of a datacenter ends at once."""
        cluster = self.rng.choice(self.clusters)
        cluster.trace("net", f"{cluster.datacenter} is lost")
        self.lost += 1
        for process in list(cluster.processes.values()):
            if process.alive:
                cluster.kill(process)

    # ------------------------------------------------------------------ a run

    def run(self, seconds: float = 12.0, calm_s: float = 9.0) -> None:
        """Faults for ``seconds``, then peace, then the last checks of both. Raises SafetyError."""
        gc_was_on = gc.isenabled()
        gc.disable()
        try:
            self._play(seconds, calm_s)
        finally:
            for cluster in self.clusters:
                cluster.end()
            if gc_was_on:
                gc.enable()

    def _play(self, seconds: float, calm_s: float) -> None:
        for cluster in self.clusters:
            cluster.begin(seconds)
        self._look()
        self.time.run_for(4.0)
        for cluster in self.clusters:
            cluster.strike(seconds)
        self._cut()
        self.time.at(self.rng.uniform(0, seconds), self._lose)
        self.time.run_for(seconds)
        for cluster in self.clusters:
            cluster.make_peace()
        self.time.run_for(calm_s)
        self._judge_ways()
        for cluster in self.clusters:
            cluster.judge()

    def _judge_ways(self) -> None:
        """In peace every server gets answers from the other datacenter."""
        before = self.answered
        asked = 0
        for here, there in (self.clusters, self.clusters[::-1]):
            for process in here.processes.values():
                if process.alive and process.server is not None and process.server.started:
                    one: Any = SimClient(process, there)
                    operation = one.register_write()
                    process.loop.call_soon(
                        lambda one=one, operation=operation, process=process: process.loop.create_task(  # type: ignore[misc]
                            self._write(one, operation)
                        )
                    )
                    asked += 1
        self.time.run_for(4.0)
        if self.answered - before != asked:
            raise self.clusters[0].fail(f"{asked - self.answered + before} servers do not reach the other datacenter")

    async def _write(self, one: SimClient, operation: Any) -> None:
        history = one.cluster.history
        before = len(history)
        await one.write(operation)
        found = history[before]
        self.answered += found is not None and found.done is not None
