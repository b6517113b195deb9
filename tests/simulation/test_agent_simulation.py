"""Client agents of clusters full of disasters: the catalog has what they registered, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.local_state import LocalState
from proconsul.testing.cluster import SafetyError
from proconsul.testing.cluster_agents import AgentCluster

# AGENT_SEED=76 runs one seed and prints what everybody did; AGENT_SEEDS=500 runs more of them.
ONE = os.environ.get("AGENT_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("AGENT_SEEDS", "4")))
PER_TEST = 4
TRACE = "import logging; logging.disable(50)\nfrom proconsul.testing.cluster_agents import AgentCluster\n" \
        "c = AgentCluster(3, tracing=True); c.run(); print(*c.lines, sep='\\n')"  # fmt: skip


def played(seed: int) -> AgentCluster:
    """One cluster, to its end. Raises SafetyError when a promise is broken."""
    cluster = AgentCluster(seed, tracing=ONE is not None)
    try:
        cluster.run()
    except BaseException:
        print(f"replay: AGENT_SEED={seed} pytest {__file__}")
        print("\n".join(cluster.lines))
        raise
    return cluster


@pytest.mark.parametrize("first", sorted({seed // PER_TEST * PER_TEST for seed in SEEDS}))
def test_catalog_and_agents_agree(first: int) -> None:
    clusters = [played(seed) for seed in SEEDS if first <= seed < first + PER_TEST]
    assert all(len(cluster.seen) == len(cluster.agents) for cluster in clusters)
    if len(clusters) == PER_TEST:
        assert sum(cluster.restarts for cluster in clusters) > 2 and sum(cluster.returned for cluster in clusters) > 20


def broken(seeds: range) -> int:
    found = 0
    for seed in seeds:
        try:
            AgentCluster(seed).run()
        except SafetyError:
            found += 1
    return found


def test_the_judge_sees_what_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents that compare nothing leave behind what others did to their services."""

    async def nothing(self: AntiEntropy) -> None:
        self._state.unsynced_services, self._state.unsynced_checks = {}, {}

    monkeypatch.setattr(AntiEntropy, "sync_full", nothing)
    assert broken(range(2))


def test_the_judge_sees_services_that_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents that forget to deregister."""

    def forget(self: LocalState, service_id: str) -> bool:
        for check in self.checks_of(service_id):
            self.checks.pop(check.CheckID)
            self.unsynced_checks.pop(check.CheckID, None)
        self.unsynced_services.pop(service_id, None)
        return self.services.pop(service_id, None) is not None

    monkeypatch.setattr(LocalState, "remove_service", forget)
    monkeypatch.setattr(LocalState, "compare", lambda *_: None)
    assert broken(range(2))


def test_a_seed_gives_the_same_run_everywhere() -> None:
    traces = []
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        traces.append(subprocess.run([sys.executable, "-c", TRACE], capture_output=True, env=environment, check=True))
    assert traces[0].stdout == traces[1].stdout and len(traces[0].stdout.splitlines()) > 100
