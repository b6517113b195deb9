"""Random disasters, replayable by seed."""

from __future__ import annotations

import os

import pytest

from proconsul.testing.raft_simulator import CHURN, STORM, Faults, RaftSimulation

# RAFT_SEED=8471 runs one seed; RAFT_SEEDS=2000 runs more of them.
ONE = os.environ.get("RAFT_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("RAFT_SEEDS", "90")))
PROFILES = (Faults(), CHURN, STORM)


def simulation(seed: int, *, trace: bool = False) -> RaftSimulation:
    return RaftSimulation(seed, servers=3 + 2 * (seed % 2), spares=seed % 3, faults=PROFILES[seed % 3], trace=trace)


@pytest.mark.parametrize("first", list(SEEDS)[::10])
def test_no_promise_is_broken(first: int) -> None:
    total = 0
    for seed in [s for s in SEEDS if first <= s < first + 10]:
        try:
            total += simulation(seed).run()
        except BaseException:
            print(f"replay: RAFT_SEED={seed} pytest {__file__}")
            if ONE:
                again = simulation(seed, trace=True)
                with pytest.raises(BaseException, match=""):
                    again.run()
                print("\n".join(again.lines[-200:]))
            raise
    assert total > 100


def test_a_seed_gives_the_same_run_twice() -> None:
    runs = [simulation(5, trace=True) for _ in range(2)]
    assert runs[0].run() == runs[1].run()
    assert runs[0].lines == runs[1].lines and len(runs[0].lines) > 100
