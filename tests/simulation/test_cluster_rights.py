"""Nobody sees what no rule in force allowed: tokens change and go in clusters full of disasters."""

from __future__ import annotations

import os

import pytest

from proconsul.features.acl.permission import ACLPermission
from proconsul.features.permission import Visible
from proconsul.testing.cluster import Cluster
from proconsul.testing.cluster_rights import SETTINGS, SimRights

SEEDS = int(os.environ.get("CLUSTER_SEEDS", "12"))
PER_TEST = 4


def played(seed: int) -> SimRights:
    """What came of one cluster. Raises SafetyError when one of its other promises is broken."""
    cluster, rights = Cluster(seed), SimRights()
    cluster.acl = SETTINGS
    cluster.clients += [rights.administrator, rights.reader, rights.reader]
    cluster.run()
    return rights


@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_nobody_sees_what_no_rule_allowed(first: int) -> None:
    seen = refused = changed = 0
    # Every eighth restores old snapshots, with the rights of then.
    for seed in (seed for seed in range(first, first + PER_TEST) if seed % 8 != 7):
        rights = played(seed)
        assert rights.leaks == [], f"seed {seed}"
        seen, refused, changed = seen + rights.seen, refused + rights.refused, changed + rights.changed
    assert seen > 20 and changed > 5 and refused >= 0, (seen, refused, changed)


def test_the_judge_sees_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that filter nothing are found out."""
    monkeypatch.setattr(ACLPermission, "visible", lambda self, method, value, sees: Visible(value, False))
    assert any(played(seed).leaks for seed in range(2))
