"""Pools with random histories keep gossip's promises, replayable by seed."""

from __future__ import annotations

import os
import pathlib

import pytest
from histories import History, last

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.gossip.messages import LeaveIntent, SerfKind
from proconsul.testing.serf_simulation import SerfSimulation

# GOSSIP_SEED=8471 runs one seed and prints what everybody saw; GOSSIP_SEEDS=1000 runs more of them.
ONE = os.environ.get("GOSSIP_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("GOSSIP_SEEDS", "100")))


@pytest.mark.parametrize("first", list(SEEDS)[::10])
def test_promises_hold_in_any_history(first: int) -> None:
    for seed in [s for s in SEEDS if first <= s < first + 10]:
        history = History(seed)
        try:
            history.play()
        except BaseException:
            print(f"replay: GOSSIP_SEED={seed} pytest {pathlib.Path(__file__)}")
            if ONE:
                print(last(history.happenings))
            raise


def test_nobody_waits_for_ever_for_a_member_to_leave() -> None:
    """An intent of a former life, newer than all of this one, reaches some: a full exchange brings it to the member."""
    simulation = SerfSimulation(3)
    simulation.form(5)
    for name in ("n1", "n2"):
        player = simulation.player(name)
        body = codec.encode(SerfKind.LEAVE, LeaveIntent(40, "n0"))
        player.serf.user_message(body, player.address, player.now())
        while player.serf.has_broadcasts():
            player.serf.broadcasts(0, 1000)
        assert player.statuses()["n0"] is MemberStatus.LEAVING
    simulation.run_until(simulation.agreed, 6 * simulation.config.push_pull_interval_s, 1.0)
