"""In which order the workers of a run take the files.

xdist hands out whole files, those with the most tests first. Here those are the quickest, and a run ended with one
worker waiting for the other's last long file. So the files that take longest come first, and what takes no time fills
the gaps at the end. The list need not be exact: a wrong place costs seconds, nothing else.
"""

from __future__ import annotations

# Files, or folders with all files in them, by the time they take; measured with --durations=0.
LONGEST_FIRST = (
    "tests/stories/", "tests/docs/test_pages.py",
    "tests/cluster/test_cluster_processes.py", "tests/simulation/test_cluster_simulation.py",
    "tests/cli/test_cli_differential.py", "tests/gossip/test_simulation.py", "tests/server/test_autopilot_cluster.py",
    "tests/cluster/test_crashes.py", "tests/simulation/test_cluster_rights.py",
    "tests/cluster/test_mixed_everything.py", "tests/simulation/test_agent_simulation.py",
    "tests/interop/test_acl_datacenters.py", "tests/cluster/test_tls.py", "tests/gossip/test_gossip_scale.py",
    "tests/cluster/test_quorum.py", "tests/simulation/test_federation_simulation.py",
    "tests/raft/test_raft_simulation.py", "tests/differential/test_differential.py",
    "tests/interop/test_mixed_pools.py", "tests/interop/test_agent_life.py", "tests/ui/", "tests/faults/",
    "tests/distribution/test_wheel.py", "tests/plugins/", "tests/embed/",
    "tests/interop/", "tests/cluster/", "tests/server/",
    "tests/agent/test_remote_exec.py", "tests/config/test_config_reference.py", "tests/dns/", "tests/clients/",
    "tests/differential/", "tests/simulation/", "tests/raft/",
)  # fmt: skip


def by_time(path: str) -> int:
    """The place of a file among all others."""
    return next((place for place, begin in enumerate(LONGEST_FIRST) if path.startswith(begin)), len(LONGEST_FIRST))
