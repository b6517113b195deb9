"""A core that crashes leaves its last events in the log, and no client's data with them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from raft_support import make_node, servers

from proconsul.engine.raft import events as ev
from proconsul.engine.raft.configuration import Configuration
from proconsul.engine.raft.disk import Disk, Done, Failed, InlineDisk
from proconsul.engine.raft.errors import StorageError
from proconsul.engine.raft.log import LogStore, MemoryLog
from proconsul.engine.raft.messages import AppendEntriesRequest, InstallSnapshotRequest, LogEntry, RequestVoteRequest
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.recent_events import EVENTS_MAX, RecentEvents
from proconsul.engine.raft.snapshots import MemorySnapshots

SECRET = b"a client's secret"


class LyingDisk(InlineDisk):
    """Acknowledges, once told to, a write that nobody made."""

    lies = False

    def __init__(self, log: LogStore, done: Done, failed: Failed) -> None:
        super().__init__(log, lambda seq: done(seq + 1000 if self.lies else seq), failed)


def lying_node() -> tuple[RaftNode, list[LyingDisk], list[BaseException]]:
    disks: list[LyingDisk] = []
    deaths: list[BaseException] = []

    def open_disk(log: LogStore, done: Done, failed: Failed, crashed: Callable[[BaseException], None]) -> Disk:
        disks.append(LyingDisk(log, done, failed))
        return disks[0]

    node = make_node(log=MemoryLog(), snapshots=MemorySnapshots())
    node._open_disk = open_disk
    node._died = deaths.append
    return node, disks, deaths


async def test_a_crash_tells_the_last_events(caplog: pytest.LogCaptureFixture) -> None:
    node, disks, deaths = lying_node()
    node.bootstrap(servers("a"))
    await node.start()
    assert (await node.leadership.get()).is_leader
    for _ in range(2 * EVENTS_MAX):
        await node.propose(SECRET)
    disks[0].lies = True
    with caplog.at_level(logging.ERROR, logger="agent.server.raft"), pytest.raises(StorageError):
        await node.propose(SECRET)
    assert isinstance(node.failure, AssertionError) and deaths == [node.failure]
    lines = [record.getMessage() for record in caplog.records if "raft before it stopped" in record.getMessage()]
    assert "Leader term=" in lines[0] and "last events:" in lines[1]
    assert len(lines) == 2 + EVENTS_MAX
    assert lines[-2].endswith("Propose 1 proposals") and "DiskDone(seq=1" in lines[-1]
    assert "secret" not in caplog.text
    await node.stop()


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ev.Tick(), "Tick()"),
        (ev.Propose((ev.Proposal(0, SECRET, token=object()),) * 3), "Propose 3 proposals"),
        (
            ev.Received(7, AppendEntriesRequest(3, b"h", 5, 2, (LogEntry(6, 3, 0, SECRET),), 4, id=b"b")),
            "Received 7 AppendEntries term 3 from b'b' after 5 2 commit 4 entries 1",
        ),
        (
            ev.Received(8, InstallSnapshotRequest(3, b"h", 5, 2, SECRET, SECRET, 1, 99, id=b"b")),
            "Received 8 InstallSnapshot term 3 from b'b' index 5 size 99",
        ),
        (
            ev.SnapshotStored(8, InstallSnapshotRequest(3, b"h", 5, 2, SECRET, SECRET, 1, 99), Configuration()),
            "SnapshotStored 8 index 5 term 2",
        ),
        (ev.Received(9, RequestVoteRequest(4, b"host", 5, 2)), "Received(request_id=9, message=RequestVoteRequest("),
    ],
)
def test_events_are_told_by_their_shape(event: ev.Event, text: str) -> None:
    recent = RecentEvents()
    recent.add(event, 9.5)
    (line,) = recent.lines(10.0)
    assert line.startswith(f"-0.500000s {text}") and "secret" not in line
