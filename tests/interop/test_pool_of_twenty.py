"""Twenty processes of four kinds are one pool, and stay one while some come and go."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

from pathlib import Path

import pool_stories as stories
import pytest

from support.harness import Subject
from support.pools import Pool, require_reference

pytestmark = pytest.mark.reference


@pytest.mark.long
def test_twenty_processes(tmp_path: Path) -> None:
    require_reference()
    with Pool(tmp_path) as pool:
        for number in range(1, 8):
            pool.add_consul(f"ref{number}", Subject.REFERENCE, server=number == 1)
            pool.add_serf(f"serf{number}")
        for number in range(1, 4):
            pool.add_consul(f"our{number}", Subject.OURS, server=number == 1)
            pool.add_bare(f"bare{number}")
        assert len(list(pool)) == 20
        pool.join_all()
        stories.all_agree(pool)
        late = pool.add_bare("late")
        pool.join(late)
        stories.event_from(pool, "our1")
        stories.all_agree(pool)
        stories.dies(pool, "ref2", "our2", "serf2", "bare2")
        gone = dict.fromkeys(("ref2", "our2", "serf2", "bare2"), "failed")
        leavers = ("ref3", "our3", "serf3", "bare3")
        stories.leave_together(pool, leavers)
        pool.everybody_sees(**gone, **dict.fromkeys(leavers, "left"))
