"""A Raft log of which the disk has forgotten something: whoever finds that out ends, and nobody counts on it."""

# mypy: disable-error-code="return-value"

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.clusters import Cluster, written
from support.harness import Subject, eventually
from support.pools import ConsulMember

if os.uname().sysname != "Linux":
    pytest.skip("NO LOOPBACK ADDRESSES: clusters need all of 127.0.0.0/8", allow_module_level=True)

OURS = Subject.OURS
PAGE_BYTES = 4096
VALUE = b"kept on pages of its own; " * 1000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("damaged"), *[(f"s{number}", OURS) for number in (1, 2, 3)]) as made:
        made.settled()
        yield made


def a_page(data: bytearray) -> None:
    """A page in the middle is empty: SQLite sees it."""
    at = len(data) // 2 // PAGE_BYTES * PAGE_BYTES
    data[at : at + PAGE_BYTES] = bytes(PAGE_BYTES)


def a_value(data: bytearray) -> None:
    """A byte of an entry is another one: only its checksum tells."""
    at = data.index(VALUE[:500])
    data[at + 100] ^= 1


def stopped(member: ConsulMember) -> None:
    """End it in order, but for its vote: then all of the log is in the file itself."""
    os.kill(member.pid, signal.SIGTERM)
    member.wait_exit()


def damage(member: ConsulMember, how: Callable[[bytearray], None]) -> None:
    path = member.data_dir / "raft/raft.sqlite"
    assert not path.with_name("raft.sqlite-wal").exists()
    data = bytearray(path.read_bytes())
    how(data)
    path.write_bytes(data)


def ended_with(member: ConsulMember) -> tuple[int, str]:
    """The exit code and the log of a process that ends by itself."""
    process = member.process
    assert process is not None
    eventually(lambda: process.poll() is not None, f"{member.name} ends", 60.0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((member.host, member.ports["http"]), timeout=5).close()
    return process.returncode, member.log()


@pytest.mark.parametrize("how", [a_page, a_value])
def test_a_follower_whose_log_is_damaged_ends(cluster: Cluster, how: Callable[[bytearray], None]) -> None:
    leader = cluster.settled()
    for number in range(10):
        written(leader, "PUT", f"/v1/kv/{how.__name__}/{number}", VALUE)
    follower = next(one for one in cluster.servers() if one is not leader)
    stopped(follower)
    damage(follower, how)
    cluster.restart(follower, wait=False)
    code, log = ended_with(follower)
    assert code == 1 and "raft log" in log and "is damaged" in log, log[-2000:]
    assert "Traceback" not in log
    for number in range(10):
        written(leader, "PUT", f"/v1/kv/{how.__name__}/{number}", b"the others go on")
    # What operators do then: the others have all of it.
    shutil.rmtree(follower.data_dir / "raft")
    cluster.restart(follower)
    cluster.settled()
    cluster.same_state()


@pytest.mark.parametrize("how", [a_page, a_value])
def test_a_single_server_whose_log_is_damaged_ends(tmp_path: Path, how: Callable[[bytearray], None]) -> None:
    with Cluster(tmp_path, ("alone", OURS)) as cluster:
        member = cluster.settled()
        for number in range(10):
            written(member, "PUT", f"/v1/kv/{number}", VALUE)
        stopped(member)
        damage(member, how)
        cluster.restart(member, wait=False)
        code, log = ended_with(member)
        assert code == 1 and "raft log" in log and "is damaged" in log, log[-2000:]
