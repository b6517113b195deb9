"""The harness on programs that are known to work: what fails here is not ours to mend."""

from __future__ import annotations

from pathlib import Path

import pool_stories as stories
import pytest

from support.harness import Subject
from support.pools import KEYS, Pool, require_reference

pytestmark = pytest.mark.reference


def test_consul_and_serf_alone(tmp_path: Path) -> None:
    require_reference()
    with Pool(tmp_path, KEYS[0]) as pool:
        for number in (1, 2, 3):
            pool.add_consul(f"ref{number}", Subject.REFERENCE, server=number == 1)
        pool.add_serf("serf1")
        pool.join_all()
        stories.all_agree(pool)
        stories.event_from(pool, "ref1")
        stories.event_from(pool, "ref2")
        stories.rotation_by(pool, "ref1", KEYS[0], KEYS[1])
        stories.leaves_and_comes_back_elsewhere(pool, "ref2")
        stories.dies(pool, "ref3", "serf1")
