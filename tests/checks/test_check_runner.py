"""The registry with real checks: start, replace, stop, TTL, alias, thresholds; nothing left behind."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from check_definitions import checked

from proconsul.agent.checks import (
    AliasedCheck,
    CheckRunners,
    CheckStatus,
    NoTtlError,
    RunnableCheck,
)
from proconsul.agent.checks.alias import AliasFollower, alias_result
from proconsul.agent.checks.base import ProbeResult
from support.patience import PATIENCE_S
from support.processes import until_ended


class Board:
    """Collects what is published and lets tests wait for it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    def update_check(self, check_id: str, status: str, output: str) -> None:
        self.queue.put_nowait((check_id, status, output))

    async def next(self) -> tuple[str, str, str]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.queue.get()


class Soon(random.Random):
    """First runs at once."""

    def uniform(self, a: float, b: float) -> float:
        return a


@asynccontextmanager
async def runners(**options: object) -> AsyncIterator[tuple[CheckRunners, Board]]:
    board = Board()
    registry = CheckRunners(board, rng=Soon(), **options)  # type: ignore[arg-type]
    try:
        yield registry, board
    finally:
        await registry.close()


def script(text: str, **fields: object) -> RunnableCheck:
    return checked({"Args": ["/bin/sh", "-c", text], "Interval": "1s", **fields})


async def test_a_script_runs_and_is_replaced_and_stopped() -> None:
    async with runners() as (registry, board):
        registry.start("c", script("echo one"))
        assert await board.next() == ("c", "passing", "one\n")
        registry.start("c", script("echo two; exit 1"))
        assert await board.next() == ("c", "warning", "two\n")
        assert len(registry) == 1
        registry.stop("c")
        registry.stop("c")
        assert "c" not in registry


async def test_ttl_expires_and_reports_renew_it() -> None:
    async with runners(output_bytes_max=100) as (registry, board):
        registry.start("t", checked({"TTL": "50ms"}))
        assert await board.next() == ("t", "critical", "TTL expired")
        registry.report("t", CheckStatus.PASSING, "fine")
        assert await board.next() == ("t", "passing", "fine")
        expired = await board.next()
        assert expired == ("t", "critical", "TTL expired (last output before timeout follows): fine")
        assert registry.ttl_s("t") == 0.05
        registry.start("s", script("true"))
        for name in ("s", "unknown"):
            with pytest.raises(NoTtlError) as caught:
                registry.report(name, CheckStatus.PASSING, "")
            assert str(caught.value) == f'CheckID "{name}" does not have associated TTL'


async def test_stopping_kills_the_running_script(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with runners() as (registry, board):
        registry.start("c", script(f"echo $$ > {fifo}; exec sleep 100"))
        pid = int(await asyncio.to_thread(fifo.read_text))
        await registry.close()
        await until_ended(pid)
        assert board.queue.empty()


async def test_thresholds_hold_a_result_back() -> None:
    lines: list[tuple[str, str]] = []

    def log(level: str, message: str, **fields: object) -> None:
        lines.append((level, message))

    async with runners(log=log) as (registry, board):
        registry.start("c", script("exit 2", FailuresBeforeCritical=2))
        assert (await board.next())[1] == "critical", "the first result is always published"
        assert ("WARN", "Check is now critical") in lines


async def test_bounded_concurrency_still_runs_everything(tmp_path: Path) -> None:
    async with runners(concurrent_max=2) as (registry, board):
        for number in range(8):
            registry.start(f"c{number}", script("true", Interval="1h"))
        seen = {(await board.next())[0] for _ in range(8)}
    assert seen == {f"c{number}" for number in range(8)}


class LocalState:
    """The agent's state as aliases see it."""

    def __init__(self) -> None:
        self.checks: list[AliasedCheck] = []
        self.services: set[str] = set()
        self.wakers: list[Callable[[], None]] = []

    def alias_checks(self) -> Iterable[AliasedCheck]:
        return self.checks

    def has_service(self, service_id: str) -> bool:
        return service_id in self.services

    def on_change(self, service_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        self.wakers.append(wake)
        return lambda: self.wakers.remove(wake)

    def set(self, *checks: AliasedCheck) -> None:
        self.checks = list(checks)
        for wake in self.wakers:
            wake()


async def test_alias_follows_a_local_service() -> None:
    state = LocalState()
    async with runners(aliases=state) as (registry, board):
        registry.start("a", checked({"AliasService": "web"}))
        assert await board.next() == ("a", "critical", "Service web could not be found on node ")
        state.services.add("web")
        state.set()
        assert await board.next() == ("a", "passing", "No checks found.")
        state.set(AliasedCheck("c", "web check", "web", "warning", "slow"))
        assert await board.next() == ("a", "warning", 'Aliased check "web check" failing: slow')
        state.set(AliasedCheck("c", "web check", "web", "passing", ""))
        assert await board.next() == ("a", "passing", "All checks passing.")
        registry.stop("a")
        await asyncio.sleep(0)
        assert state.wakers == []


@pytest.mark.parametrize(
    ("checks", "service", "expected"),
    [
        ([("n", "", "critical")], "web", CheckStatus.CRITICAL),
        ([("o", "other", "critical"), ("w", "web", "passing")], "web", CheckStatus.PASSING),
        ([("a", "", "critical")], "web", CheckStatus.PASSING),  # the alias itself does not count
        ([("w", "web", "critical"), ("n", "", "passing")], "", CheckStatus.PASSING),
        ([("w", "web", "warning"), ("n", "", "critical")], "web", CheckStatus.CRITICAL),
    ],
)
def test_alias_severity(checks: list[tuple[str, str, str]], service: str, expected: CheckStatus) -> None:
    listed = [AliasedCheck(name, name, owner, status, "") for name, owner, status in checks]
    assert alias_result(listed, service, "n1", service_exists=True, own_id="a").status is expected


async def test_alias_asks_another_node() -> None:
    results: asyncio.Queue[ProbeResult] = asyncio.Queue()

    class Catalog:
        registered = False

        async def node_checks(self, node: str, index: int, wait_s: float) -> tuple[int, Iterable[AliasedCheck]]:
            if index == 0:
                return 7, []
            if index == 7:
                self.registered = True
                return 8, [AliasedCheck("c", "c", "web", "critical", "down")]
            raise OSError("No known Consul servers")

        async def node_has_service(self, node: str, service_id: str) -> bool:
            return self.registered

    follower = AliasFollower("a", "other", "web", LocalState(), Catalog(), results.put_nowait, Soon())
    task = asyncio.create_task(follower.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert (await results.get()).output == "Service web could not be found on node other"
            assert (await results.get()).output == 'Aliased check "c" failing: down'
            assert (await results.get()).status is CheckStatus.CRITICAL
    finally:
        task.cancel()
