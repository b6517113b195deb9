"""Leaders that stand still, and clusters in which nothing is wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from support.clusters import Cluster
from support.harness import Subject, eventually

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS, REFERENCE = Subject.OURS, Subject.REFERENCE
# What operators have who configure nothing: `Cluster` makes votes come sooner.
DEFAULT_AUTOPILOT = ["-hcl", 'autopilot { server_stabilization_time = "10s" }']


@pytest.mark.long
@pytest.mark.parametrize("third", [OURS, REFERENCE], ids=["ours", "mixed"])
def test_an_idle_cluster_is_never_called_unhealthy(tmp_path: Path, third: Subject) -> None:
    servers = [("s1", OURS), ("s2", OURS), ("s3", third)]
    with Cluster(tmp_path, *servers, extra=DEFAULT_AUTOPILOT) as cluster:
        for leads in cluster.everybody():
            cluster.settled()
            cluster.let_lead(leads)
            eventually(lambda: health(cluster)["Healthy"], "healthy at first", 60.0)
            until, bad = time.monotonic() + 120.0, []
            while time.monotonic() < until:
                shown = health(cluster)
                if not shown["Healthy"]:
                    bad.append(shown)
                time.sleep(1.0)
            assert not bad, (leads.name, len(bad), bad[0])


def health(cluster: Cluster) -> dict:  # type: ignore[type-arg]
    shown: dict[str, object] = cluster.leader().call("GET", "/v1/operator/autopilot/health").json()
    return shown
