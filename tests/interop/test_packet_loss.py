"""Under packet loss members are suspected now and then, and nobody is declared dead who is not."""

from __future__ import annotations

import os
from pathlib import Path

import gossip_soak as soak
import pool_stories as stories
import pytest

from support.pools import Pool, require_reference

pytestmark = pytest.mark.reference
SECONDS = float(os.environ.get("GOSSIP_SOAK_SECONDS", "8"))


@pytest.mark.timeout(SECONDS + 240)
def test_a_lossy_network_kills_nobody(tmp_path: Path) -> None:
    require_reference()
    with Pool(tmp_path) as pool:
        soak.begin(pool)
        report = soak.watch(pool, SECONDS)
        print(report)
        assert report.lost, "nothing was lost"
        assert not report.deaths, report
        stories.event_from(pool, "our1")
        stories.event_from(pool, "ref1")
        pool.everybody_sees()
