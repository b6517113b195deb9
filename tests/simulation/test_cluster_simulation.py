"""Whole clusters of real servers in random disasters, replayable by seed, and the loop they run on."""

# mypy: disable-error-code="arg-type"

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random

import pytest

from proconsul.testing.cluster import Cluster
from proconsul.testing.virtual_loop import Killed, VirtualTime, new_loop

# CLUSTER_SEED=8471 runs one seed and prints what everybody did; CLUSTER_SEEDS=2000 runs more of them.
ONE = os.environ.get("CLUSTER_SEED")
SEEDS = [int(ONE)] if ONE else range(int(os.environ.get("CLUSTER_SEEDS", "60")))


PER_TEST = 5


@pytest.mark.parametrize("first", sorted({seed // PER_TEST * PER_TEST for seed in SEEDS}))
def test_no_promise_is_broken(first: int) -> None:
    for seed in [seed for seed in SEEDS if first <= seed < first + PER_TEST]:
        cluster = Cluster(seed, tracing=ONE is not None)
        try:
            history = cluster.run()
        except BaseException:
            print(f"replay: CLUSTER_SEED={seed} pytest {__file__}")
            print("\n".join(cluster.lines))
            raise
        assert sum(operation.done is not None for operation in history) > 10, "the clients did nothing"


def test_the_disasters_happen() -> None:
    """Over some seeds everything that is checked has something to be checked with."""
    clusters = [Cluster(seed) for seed in range(10)]
    operations = [operation for cluster in clusters for operation in cluster.run()]
    kinds = {operation.kind for operation in operations if operation.done}
    assert kinds >= {"get", "get-tree", "set", "cas", "delete", "delete-cas", "delete-tree", "lock", "unlock", "txn",
                     "session-create", "session-destroy"}  # fmt: skip
    assert any(operation.done is None for operation in operations)
    watches = [cluster.watch for cluster in clusters]
    assert all(len(watch.leaders) > 1 for watch in watches)
    assert sum(watch.installs for watch in watches) > 5
    assert sum(len(watch.expired) for watch in watches) > 20
    assert sum(watch.acquisitions for watch in watches) > 10
    assert sum(cluster.undecided for cluster in clusters) <= 2, "too tangled to be judged"


@pytest.fixture
def calm() -> Iterator[Cluster]:
    """Three servers that settled, and nothing goes wrong by itself."""
    cluster = Cluster(3)
    for host in list(cluster.hosts.values()):
        if host.founder:
            cluster.start(host)
        else:
            del cluster.hosts[host.id]
    cluster.gossip.look()
    cluster.time.run_for(6.0)
    yield cluster
    cluster.end()


def test_a_leader_whose_disk_hangs_gives_way(calm: Cluster) -> None:
    """Its heartbeats need no disk: nobody else would ever notice."""
    config, first = calm.raft, calm.leader()
    assert first is not None and first.leading
    calm.hang(first.process.host, 1000.0)
    # Up to a stall until it gives way, up to two patiences until others campaign, clocks a tenth fast or slow.
    calm.time.run_for(1.1 * (config.storage_stall_s + 2 * config.heartbeat_timeout_s + 2 * config.election_timeout_s))
    second = calm.leader()
    assert second is not None and second.leading and second is not first
    before = second.raft.commit_index
    calm.time.run_for(5.0)
    assert calm.leader() is second and second.raft.commit_index > before, "writes go on"
    first.process.host.disk.go_on()
    calm.time.run_for(5.0)
    calm.busy = False
    calm.time.run_for(2.0)
    assert first.raft.applied_index == second.raft.applied_index
    calm.watch.check_equal(calm.servers())


TRACE = "import logging; logging.disable(50)\nfrom proconsul.testing.cluster import Cluster\n" \
        "c = Cluster(5, tracing=True); c.run(); print(*c.lines, sep='\\n')"  # fmt: skip


def test_a_seed_gives_the_same_run_everywhere() -> None:
    """In another process, with strings that hash to other values."""
    traces = []
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        traces.append(subprocess.run([sys.executable, "-c", TRACE], capture_output=True, env=environment, check=True))
    assert traces[0].stdout == traces[1].stdout
    assert len(traces[0].stdout.splitlines()) > 100


def test_virtual_time() -> None:
    time = VirtualTime(Random(1))
    fast, slow = new_loop(time, "fast", rate=2.0), new_loop(time, "slow", rate=0.5)
    time.loops += [fast, slow]
    seen: list[tuple[str, float]] = []

    async def main(name: str) -> None:
        await asyncio.sleep(1.0)
        seen.append((name, time.now))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.Event().wait()
        seen.append((name, time.now))
        assert await asyncio.to_thread(lambda: 42) == 42
        raise Killed

    for loop in (fast, slow):
        loop.call_soon(lambda loop=loop: loop.create_task(main(loop.name)))  # type: ignore[misc]
    slow.stall_until(3.0)
    time.run_for(60.0)
    assert [(name, round(at, 6)) for name, at in seen] == [("fast", 0.5), ("fast", 1.0), ("slow", 5.0), ("slow", 7.0)]
    assert time.now == 60.0
