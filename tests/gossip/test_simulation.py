"""Pools with random histories keep gossip's promises, replayable by seed."""

from __future__ import annotations

import os
import pathlib

import pytest
from histories import History, last

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.messages import SerfKind, SerfPushPull
from proconsul.testing.serf_simulation import SerfSimulation

# GOSSIP_SEED=8471 runs one seed and prints what everybody saw; GOSSIP_SEEDS=1000 runs more of them.
ONE = os.environ.get("GOSSIP_SEED")
# Histories that found something once, see docs/correctness.md.
NOTABLE = [289, 1276, 2053]
SEEDS = [int(ONE)] if ONE else [*range(int(os.environ.get("GOSSIP_SEEDS", "60"))), *NOTABLE]
PER_TEST = 5


@pytest.mark.parametrize("batch", range(0, len(SEEDS), PER_TEST))
def test_promises_hold_in_any_history(batch: int) -> None:
    for seed in SEEDS[batch : batch + PER_TEST]:
        history = History(seed)
        try:
            history.play()
        except BaseException:
            print(f"replay: GOSSIP_SEED={seed} pytest {pathlib.Path(__file__)}")
            if ONE:  # only then: a history has thousands of lines
                print(last(history.happenings))
            raise


def test_nobody_waits_for_ever_for_a_member_that_is_back() -> None:
    """The other side of a cut still believes that a member has left: its exchange must not make us wait for that."""
    simulation = SerfSimulation(3)
    simulation.form(4)
    simulation.kill("n2")
    simulation.run(60.0)
    player = simulation.player("n0")
    state = SerfPushPull(LTime=50, StatusLTimes={"n1": 40, "n2": 40}, LeftMembers=["n1", "n2"])
    player.serf.merge_state(codec.encode(SerfKind.PUSH_PULL, state), False, player.now())
    assert player.statuses()["n1"] is MemberStatus.ALIVE
    assert player.statuses()["n2"] is MemberStatus.LEFT
