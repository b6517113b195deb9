"""Two datacenters in random disasters: what is done in one through the other is linearizable, too."""

from __future__ import annotations

import os

import pytest

from proconsul.features.errors import NoPathToDatacenter
from proconsul.server.forwarding import Way
from proconsul.server.server import ConsulServer
from proconsul.testing.cluster import SafetyError
from proconsul.testing.cluster_federation import Federation

# FEDERATION_SEED=76 runs one seed and prints what everybody did; FEDERATION_SEEDS=500 runs more of them.
ONE = os.environ.get("FEDERATION_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("FEDERATION_SEEDS", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken(seed: int) -> None:
    federation = Federation(seed, tracing=ONE is not None)
    try:
        federation.run()
    except BaseException:
        print(f"replay: FEDERATION_SEED={seed} pytest {__file__}")
        print("\n".join(federation.clusters[0].lines))
        raise
    assert federation.answered > 20 and federation.lost == 1


def test_the_judge_sees_that_nobody_finds_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: ConsulServer, datacenter: str) -> Way:
        raise NoPathToDatacenter()

    monkeypatch.setattr(ConsulServer, "way_to", lost)
    with pytest.raises(SafetyError, match="do not reach the other datacenter"):
        Federation(0).run(seconds=2.0, calm_s=4.0)
