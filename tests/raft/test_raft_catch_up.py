"""Followers that are behind: parts in order, few at a time, slowly while others write, begun anew after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from proconsul.engine.raft import catch_up
from proconsul.engine.raft.catch_up import PARTS_UNDER_WAY, CatchUp, Result
from proconsul.engine.raft.disk import DiskThread
from proconsul.engine.raft.errors import StorageError, TransportError
from proconsul.engine.raft.events import Append, SendAppend
from proconsul.engine.raft.log import SqliteLog
from proconsul.engine.raft.messages import AppendEntriesResponse, LogEntry

KIB = 1024


class World:
    """A log of entries of 400 KiB (two and a bit in a part), of which the newest may be in memory."""

    def __init__(self, entries: int = 20, *, size: int = 400 * KIB, cached_from: int = 10**9) -> None:
        self.log = {n: LogEntry(n, 1 + n // 10, 0, b"x" * size) for n in range(1, entries + 1)}
        self.cached_from = cached_from
        self.leads = True
        self.damaged = False
        self.appended = 0
        self.reading: list[asyncio.Future[list[LogEntry]]] = []
        self.sent: list[tuple[SendAppend, tuple[LogEntry, ...], Callable[[Result], None]]] = []
        self.told: list[tuple[str, int, int]] = []
        self.overs = 0
        self.catch_up = CatchUp(self, self._over)

    def _over(self) -> None:
        self.overs += 1

    def wanted(self, effect: SendAppend) -> bool:
        return self.leads

    def appended_bytes(self) -> int:
        return self.appended

    def cached(self, first: int, last: int) -> Sequence[LogEntry]:
        return [self.log[n] for n in range(first, last + 1)] if first >= self.cached_from else ()

    def read(self, first: int, last: int, bytes_max: int) -> asyncio.Future[list[LogEntry]]:
        future: asyncio.Future[list[LogEntry]] = asyncio.get_running_loop().create_future()
        self.reading.append(future)
        found: list[LogEntry] = []
        while first <= last and (not found or sum(len(entry.data) for entry in found) < bytes_max):
            found.append(self.log[first])
            first += 1
        if self.damaged:
            future.set_exception(StorageError("damaged"))
        else:
            future.set_result(found)
        return future

    def send_entries(self, part: SendAppend, entries: tuple[LogEntry, ...], done: Callable[[Result], None]) -> None:
        self.sent.append((part, entries, done))

    def responded(self, effect: SendAppend, response: AppendEntriesResponse) -> None:
        self.told.append(("accepted" if response.success else "refused", effect.prev_index, effect.last_index))

    def failed(self, effect: SendAppend, result: object) -> None:
        self.told.append(("failed", effect.prev_index, effect.last_index))

    def add(self, prev: int, last: int) -> None:
        term = self.log[prev].term if prev else 0
        self.catch_up.add(SendAppend("s2", last, 3, prev, term, last, 0, False, 0.0))

    async def turn(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async def answer(self, *, success: bool = True) -> SendAppend:
        part, _, done = self.sent.pop(0)
        done(AppendEntriesResponse(3, part.last_index if success else 0, success, False))
        await self.turn()
        return part


async def test_large_entries_go_in_parts_and_the_core_hears_of_the_whole() -> None:
    world = World()
    world.add(0, 10)
    world.add(10, 20)
    taken: list[LogEntry] = []
    while True:
        await world.turn()
        if not world.sent:
            break
        assert len(world.sent) <= PARTS_UNDER_WAY
        taken += world.sent[0][1]
        part = await world.answer()
        before = world.log.get(part.prev_index)
        assert part.prev_term == (before.term if before else 0)
    assert taken == list(world.log.values())
    assert world.told == [("accepted", 0, 10), ("accepted", 10, 20)]
    assert world.overs == 1


async def test_what_is_in_memory_by_then_is_not_read() -> None:
    world = World(size=10, cached_from=11)
    world.add(0, 10)
    world.add(10, 20)
    world.add(20, 20)  # carries nothing but the commit index
    await world.turn()
    assert len(world.reading) == 1 and len(world.sent) == PARTS_UNDER_WAY
    for _ in range(3):
        await world.answer()
    assert [told[0] for told in world.told] == ["accepted"] * 3 and world.overs == 1


@pytest.mark.parametrize("how", ["refused", "lost"])
async def test_after_a_failure_nothing_of_it_is_sent_any_more(how: str) -> None:
    world = World()
    world.add(0, 10)
    world.add(10, 20)
    await world.turn()
    if how == "refused":
        part = await world.answer(success=False)
        assert world.told[0] == ("refused", part.prev_index, part.last_index)
    else:
        world.sent.pop(0)[2](TransportError("gone"))
        await world.turn()
    assert world.told[-1] == ("failed", 10, 20) and ("failed", 0, 10) in world.told
    world.add(0, 2)  # the core begins again where the follower is
    await world.turn()
    while world.sent:
        await world.answer()
    assert world.told[-1] == ("accepted", 0, 2) and world.overs == 1


async def test_who_no_longer_leads_sends_nothing() -> None:
    world = World()
    world.leads = False
    world.add(0, 10)
    await world.turn()
    assert (world.sent, world.told, world.overs) == ([], [("failed", 0, 10)], 1)


async def test_a_log_that_cannot_be_read_is_a_failure() -> None:
    world = World()
    world.damaged = True
    world.add(0, 10)
    await world.turn()
    assert (world.sent, world.told, world.overs) == ([], [("failed", 0, 10)], 1)


@pytest.mark.parametrize(("grown", "pauses"), [(0, False), (300 * KIB, True), (900 * KIB, False)])
async def test_it_gives_way_to_writers_but_not_for_ever(
    grown: int, pauses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "SHARED_BYTES_PER_S", 1 << 60)  # the pause is over in the next turn
    world = World()
    world.appended += grown
    world.add(0, 20)
    await asyncio.sleep(0)
    assert world.catch_up._pausing is pauses
    assert len(world.sent) == 1 or not pauses
    world.appended = 0
    while world.sent:
        await world.answer()
        await asyncio.sleep(0.001)
    assert world.told == [("accepted", 0, 20)] and world.overs == 1


async def test_writes_overtake_reads_and_reads_come_in_between(tmp_path: Path) -> None:
    """Behind one write that is being made, a read waits for the next write at most."""
    log = SqliteLog(tmp_path)
    done: list[int] = []
    disk = DiskThread(log, done.append, lambda last, text: None, lambda error: None)
    entries = [LogEntry(n, 1, 0, b"x") for n in range(1, 101)]
    for number, entry in enumerate(entries):
        disk.submit(Append(number, (entry,)))
    await disk.call(lambda: None)
    reads = [disk.read(lambda: log.read(1, 100, 1 << 20)) for _ in range(5)]
    assert all(found == entries for found in await asyncio.gather(*reads))
    pending = disk.read(lambda: log.read(1, 1, 1))
    await disk.stop()
    assert pending.done() and (pending.exception() is None or isinstance(pending.exception(), StorageError))
    assert done[-1] == 99
