"""One voter with a durable log: proposals, restart, snapshots, failures of the disk."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from raft_support import FAST, BatchLinesFSM, LinesFSM, make_node, servers

from proconsul.engine.raft.errors import (
    BootstrapError,
    DirectoryLockedError,
    LeadershipLostError,
    NothingToSnapshotError,
    NotLeaderError,
    RaftError,
    ShutdownError,
    StorageError,
)
from proconsul.engine.raft.events import LeadershipChanged, Write
from proconsul.engine.raft.log import MemoryLog, SqliteLog
from proconsul.engine.raft.messages import EntryType
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import MemorySnapshots, SnapshotMeta
from support.patience import PATIENCE_S


async def lead(node: RaftNode) -> None:
    await node.start()
    change = await asyncio.wait_for(node.leadership.get(), PATIENCE_S)
    assert change.is_leader
    await node.barrier()


@pytest.fixture(params=["memory", "sqlite"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> RaftNode:
    if request.param == "memory":
        made = make_node(log=MemoryLog(), snapshots=MemorySnapshots())
    else:
        made = make_node(tmp_path)
    made.bootstrap(servers("a"))
    return made


async def test_single_voter_elects_itself_and_answers_with_the_machines_result(node: RaftNode) -> None:
    await node.start()
    assert await asyncio.wait_for(node.leadership.get(), PATIENCE_S) == LeadershipChanged(True, 2)
    value = object()
    results = await asyncio.gather(*[node.propose(b"%d" % i, value) for i in range(10)])
    assert [data for _, data in results] == [b"%d" % i for i in range(10)]
    assert [index for index, _ in results] == list(range(3, 13))
    assert isinstance(node._fsm, LinesFSM) and node._fsm.values == [value] * 10
    assert node.is_leader_sync()
    await node.verify_leader()
    await node.stop()
    with pytest.raises(ShutdownError):
        await node.propose(b"late")


async def test_an_error_returned_by_the_machine_is_the_proposers(node: RaftNode) -> None:
    await lead(node)
    with pytest.raises(ValueError):
        await node.propose(b"bad")
    assert await node.propose(b"good") is not None
    await node.stop()


async def test_bootstrap_is_refused_on_a_server_with_state(node: RaftNode) -> None:
    await lead(node)
    with pytest.raises(BootstrapError, match="bootstrap only works on new clusters"):
        node.bootstrap(servers("a"))
    await node.stop()


async def test_a_server_without_configuration_waits_and_can_be_bootstrapped_alive(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    await node.start()
    assert not node.has_state
    with pytest.raises(NotLeaderError):
        await node.propose(b"x")
    node.bootstrap(servers("a"))
    assert (await asyncio.wait_for(node.leadership.get(), PATIENCE_S)).is_leader
    await node.stop()


async def test_stats_have_the_names_and_formats_of_consul_info(node: RaftNode) -> None:
    await lead(node)
    assert node.stats() == {
        "applied_index": "3",
        "commit_index": "3",
        "fsm_pending": "0",
        "last_contact": "0",
        "last_log_index": "3",
        "last_log_term": "2",
        "last_snapshot_index": "0",
        "last_snapshot_term": "0",
        "latest_configuration": "[{Suffrage:Voter ID:a Address:127.0.0.1:8300}]",
        "latest_configuration_index": "0",
        "num_peers": "0",
        "protocol_version": "3",
        "protocol_version_max": "3",
        "protocol_version_min": "0",
        "snapshot_version_max": "1",
        "snapshot_version_min": "0",
        "state": "Leader",
        "term": "2",
    }
    await node.stop()


async def test_restart_replays_the_log_in_batches(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.bootstrap(servers("a"))
    await lead(node)
    await asyncio.gather(*[node.propose(b"%d" % i) for i in range(5000)])
    await node.stop()
    machine = BatchLinesFSM()
    node = make_node(tmp_path, fsm=machine)
    await lead(node)
    assert machine.lines == [b"%d" % i for i in range(5000)]
    assert len(machine.batches) < 20
    assert node.term == 3
    await node.stop()


async def test_snapshot_cuts_the_log_and_restart_uses_it(tmp_path: Path) -> None:
    config = replace(FAST, trailing_logs=10)
    node = make_node(tmp_path, config=config)
    node.bootstrap(servers("a"))
    await lead(node)
    with pytest.raises(RaftError):
        await node.snapshot()
        await node.snapshot()
    for i in range(3):
        await asyncio.gather(*[node.propose(b"%d.%d" % (i, n)) for n in range(100)])
        meta = await node.snapshot()
        assert meta.index == node.applied_index and meta.configuration == servers("a")
    with pytest.raises(NothingToSnapshotError):
        await node.snapshot()
    assert [m.index for m in node._snapshots.list()] == [303, 203]
    await node.stop()
    log = SqliteLog(tmp_path)
    assert log.first_index == 204 and log.last_index == 303
    machine = LinesFSM()
    node = make_node(tmp_path, log=log, fsm=machine)
    await lead(node)
    assert len(machine.lines) == 300 and machine.indexes == []
    assert node.last_snapshot == (303, 2)
    await node.stop()


async def test_a_corrupt_newest_snapshot_falls_back_to_the_older_one_without_loss(tmp_path: Path) -> None:
    config = replace(FAST, trailing_logs=0)
    node = make_node(tmp_path, config=config)
    node.bootstrap(servers("a"))
    await lead(node)
    for i in range(2):
        await asyncio.gather(*[node.propose(b"%d.%d" % (i, n)) for n in range(50)])
        meta = await node.snapshot()
    await node.stop()
    state = tmp_path / "snapshots" / meta.id / "state.bin"
    state.write_bytes(b"#" + state.read_bytes()[1:])
    notes: list[str] = []
    machine = LinesFSM()
    node = make_node(tmp_path, fsm=machine, notes=notes)
    await lead(node)
    assert machine.lines == [b"%d.%d" % (i, n) for i in range(2) for n in range(50)]
    assert any("CRC checksum failed" in note for note in notes)
    await node.stop()


async def test_automatic_snapshot_after_the_threshold(tmp_path: Path) -> None:
    config = replace(FAST, snapshot_interval_s=0.01, snapshot_threshold=50, trailing_logs=5)
    notes: list[str] = []
    node = make_node(tmp_path, config=config, notes=notes)
    node.bootstrap(servers("a"))
    await lead(node)
    await asyncio.gather(*[node.propose(b"x") for _ in range(40)])
    assert node.last_snapshot[0] == 0
    await asyncio.gather(*[node.propose(b"x") for _ in range(20)])
    async with asyncio.timeout(PATIENCE_S):
        while node.last_snapshot[0] == 0:
            await asyncio.sleep(0.005)
    # Of what was applied by then, which may be less than the log has.
    assert node.last_snapshot[0] > 40
    await node.stop()


async def test_user_restore_jumps_the_index_and_others_write_meanwhile(node: RaftNode) -> None:
    """Whatever is proposed comes to pass, before the restored state or behind it; nothing waits for all of it."""
    await lead(node)
    await node.propose(b"old")
    contents = io.BytesIO(b"one\ntwo\n" * 50_000)
    restoring = asyncio.ensure_future(node.user_restore(SnapshotMeta("x", 1_000_000, 9), contents))
    answered: list[tuple[int, bytes]] = []
    while not restoring.done():
        index, line = await node.propose(b"line %d" % len(answered))
        answered.append((index, line))
    assert await restoring == 1_000_001
    assert await node.propose(b"three") == (answered[-1][0] + 1 if answered[-1][0] > 1_000_001 else 1_000_002, b"three")
    behind = [line for index, line in answered if index > 1_000_001]
    assert len(behind) < len(answered), "writes went on beside the restore"
    assert isinstance(node._fsm, LinesFSM) and node._fsm.lines == [b"one", b"two"] * 50_000 + [*behind, b"three"]
    assert node.last_snapshot == (1_000_001, 2)
    await node.stop()


async def test_one_user_restore_at_a_time(node: RaftNode) -> None:
    await lead(node)
    restoring = asyncio.ensure_future(node.user_restore(SnapshotMeta("x", 1000, 9), io.BytesIO(b"one\n")))
    await asyncio.sleep(0)
    with pytest.raises(RaftError, match="a snapshot restore is in progress"):
        await node.user_restore(SnapshotMeta("x", 1000, 9), io.BytesIO(b"two\n"))
    assert await restoring == 1001
    await node.stop()


async def test_a_cancelled_user_restore_changes_nothing_or_all(node: RaftNode) -> None:
    """At every moment of it; what threads are at is over before their files are removed."""
    await lead(node)
    await node.propose(b"old")
    for turns in range(0, 40, 2):
        restoring = asyncio.ensure_future(node.user_restore(SnapshotMeta("x", 1000, 9), io.BytesIO(b"one\n" * 10_000)))
        for _ in range(turns):
            await asyncio.sleep(0.0003)
        restoring.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await restoring
        assert isinstance(node._fsm, LinesFSM)
        if node._fsm.lines != [b"old"]:
            assert node._fsm.lines == [b"one"] * 10_000 and node.last_snapshot[0] == 1001
            break
    _, line = await node.propose(b"after")
    assert line == b"after"
    await node.stop()


async def test_user_restore_survives_restart(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    node.bootstrap(servers("a"))
    await lead(node)
    await node.propose(b"old")
    await node.user_restore(SnapshotMeta("x", 5, 1), io.BytesIO(b"one\n"))
    await node.propose(b"two")
    await node.stop()
    machine = LinesFSM()
    node = make_node(tmp_path, fsm=machine)
    await lead(node)
    assert machine.lines == [b"one", b"two"]
    await node.stop()


async def test_large_commands_are_chunked_and_applied_at_the_last_index(node: RaftNode) -> None:
    await lead(node)
    data = bytes(1_200_000)
    value = object()
    small = node.propose(b"s", chunked=True)
    index, applied = await node.propose(data, value, chunked=True)
    assert (await small)[0] == 4
    assert index == 7 and applied == data
    assert isinstance(node._fsm, LinesFSM) and node._fsm.values[-1] is value
    await node.stop()


async def test_second_process_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    with pytest.raises(DirectoryLockedError, match="in use by another process"):
        SqliteLog(tmp_path)
    log.close()
    SqliteLog(tmp_path).close()


class FailingLog(MemoryLog):
    """Refuses writes while ``fail`` is set."""

    fail = ""

    def write(self, writes: Sequence[Write]) -> None:
        if self.fail:
            raise StorageError(self.fail)
        super().write(writes)


async def test_failed_append_acknowledges_nothing_and_recovers(tmp_path: Path) -> None:
    log = FailingLog()
    config = replace(FAST, storage_retry_s=0.01)
    node = make_node(log=log, snapshots=MemorySnapshots(), config=config)
    node.bootstrap(servers("a"))
    await lead(node)
    await node.propose(b"good")
    log.fail = "no space left on device"
    with pytest.raises(StorageError, match="no space left"):
        await node.propose(b"lost")
    assert await node.leadership.get() == LeadershipChanged(False, 2)
    with pytest.raises(StorageError, match="no space left"):
        await node.propose(b"refused")
    log.fail = ""
    assert (await asyncio.wait_for(node.leadership.get(), PATIENCE_S)).is_leader
    await node.propose(b"again")
    assert isinstance(node._fsm, LinesFSM) and node._fsm.lines == [b"good", b"again"]
    await node.stop()


class HangingLog(MemoryLog):
    """A write returns when ``may_write`` is set; no error comes meanwhile."""

    is_blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Event()
        self.may_write.set()

    def write(self, writes: Sequence[Write]) -> None:
        self.may_write.wait()
        super().write(writes)


async def test_a_single_server_whose_disk_hangs_says_so_and_goes_on_by_itself() -> None:
    log = HangingLog()
    node = make_node(log=log, snapshots=MemorySnapshots(), config=replace(FAST, storage_stall_s=0.2))
    node.bootstrap(servers("a"))
    await lead(node)
    await node.propose(b"good")
    log.may_write.clear()
    with pytest.raises(LeadershipLostError):
        await node.propose(b"hangs")
    assert await node.leadership.get() == LeadershipChanged(False, 2)
    with pytest.raises(NotLeaderError):
        await node.propose(b"refused")
    log.may_write.set()
    async with asyncio.timeout(30):
        assert (await node.leadership.get()).is_leader
    await node.propose(b"again")
    # What hung was under way, and its outcome was never promised.
    assert isinstance(node._fsm, LinesFSM) and node._fsm.lines == [b"good", b"hangs", b"again"]
    await node.stop()


async def test_full_disk_is_reported_and_survived(tmp_path: Path) -> None:
    config = replace(FAST, storage_retry_s=0.01)
    log = SqliteLog(tmp_path, pages_max=64)
    node = make_node(tmp_path, log=log, config=config)
    node.bootstrap(servers("a"))
    await lead(node)
    acknowledged = []
    with pytest.raises(StorageError, match="full"):
        for number in range(100):
            data = b"%d:" % number + bytes(10_000)
            await node.propose(data)
            acknowledged.append(data)
    assert 5 < len(acknowledged) < 30
    await node.stop()
    machine = LinesFSM()
    node = make_node(tmp_path, fsm=machine)
    await lead(node)
    assert machine.lines[: len(acknowledged)] == acknowledged
    await node.stop()


async def test_an_exception_in_the_machine_stops_the_node(tmp_path: Path) -> None:
    class Broken(LinesFSM):
        def apply(self, index: int, term: int, type: int, data: bytes, value: object | None) -> object:
            raise AssertionError("impossible state")

    node = make_node(tmp_path, fsm=Broken())
    node.bootstrap(servers("a"))
    await node.start()
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context["exception"]))
    assert (await node.leadership.get()).is_leader
    with pytest.raises(StorageError, match="raft stopped"):
        await asyncio.gather(node.propose(b"x"), node.propose(b"y"))
    assert isinstance(node.failure, AssertionError) and errors
    assert not (await node.leadership.get()).is_leader
    with pytest.raises(ShutdownError):
        await node.propose(b"z", entry_type=EntryType.COMMAND)
    await node.stop()
