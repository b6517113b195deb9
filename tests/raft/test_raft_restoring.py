"""Machines that read snapshots beside their state: off the event loop, and installed in one step."""

from __future__ import annotations

import asyncio
import io
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from raft_support import LinesFSM, make_node, servers

from proconsul.engine.raft.node import RaftNode
from proconsul.engine.raft.snapshots import SnapshotMeta
from support.patience import PATIENCE_S


class PreparingFSM(LinesFSM):
    """Remembers on which threads it was asked to do what."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared_on: list[int] = []
        self.installed_on: list[int] = []

    def prepare(self, reader: BinaryIO) -> list[bytes]:
        self.prepared_on.append(threading.get_ident())
        lines = reader.read().splitlines()
        if b"damaged" in lines:
            raise ValueError("damaged")
        return lines

    def install(self, prepared: list[bytes]) -> None:
        self.installed_on.append(threading.get_ident())
        self.lines = prepared

    def restore(self, reader: BinaryIO) -> None:
        raise AssertionError("a machine that can prepare is not asked to restore at once")


async def lead(node: RaftNode) -> None:
    await node.start()
    await asyncio.wait_for(node.leadership.get(), PATIENCE_S)
    await node.barrier()


async def test_a_users_state_is_read_elsewhere_and_installed_on_the_loop(tmp_path: Path) -> None:
    machine = PreparingFSM()
    node = make_node(tmp_path, fsm=machine)
    node.bootstrap(servers("a"))
    await lead(node)
    archive = io.BytesIO(b"skipped\none\ntwo\n")
    archive.readline()
    await node.user_restore(SnapshotMeta("x", 1000, 9), archive)
    assert machine.lines == [b"one", b"two"]
    assert machine.installed_on == [threading.get_ident()]
    assert threading.get_ident() not in machine.prepared_on
    await node.stop()

    again = PreparingFSM()
    node = make_node(tmp_path, fsm=again)
    await lead(node)
    assert again.lines == [b"one", b"two"]
    assert again.installed_on == [threading.get_ident()]
    assert threading.get_ident() not in again.prepared_on
    await node.stop()


async def test_a_damaged_state_of_a_user_is_refused_and_nothing_has_changed(tmp_path: Path) -> None:
    machine = PreparingFSM()
    node = make_node(tmp_path, fsm=machine)
    node.bootstrap(servers("a"))
    await lead(node)
    await node.propose(b"kept")
    with pytest.raises(ValueError, match="damaged"):
        await node.user_restore(SnapshotMeta("x", 1000, 9), io.BytesIO(b"damaged\n"))
    assert machine.lines == [b"kept"]
    assert node.last_snapshot == (0, 0)
    assert (await node.propose(b"next"))[1] == b"next"
    await node.stop()
