"""Leadership: one loop at a time, fully ended before the next begins."""

from __future__ import annotations

import asyncio

from proconsul.server.leader import LeaderLoop
from support.patience import PATIENCE_S


class Duties:
    """Records what the loop asks for; ``running`` must never exceed one."""

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.running = 0
        self.running_max = 0
        self.fail_establish = False
        self.fail_reconcile = False
        self.reconciled = asyncio.Event()

    async def barrier(self) -> None:
        self.trace.append("barrier")
        await asyncio.sleep(0)

    async def establish(self) -> None:
        self.running += 1
        self.running_max = max(self.running_max, self.running)
        self.trace.append("establish")
        if self.fail_establish:
            self.fail_establish = False
            raise RuntimeError("cannot establish")

    async def revoke(self) -> None:
        await asyncio.sleep(0)  # stopping takes a moment
        if self.running:
            self.running -= 1
            self.trace.append("revoke")

    async def reconcile(self) -> bool:
        self.trace.append("reconcile")
        self.reconciled.set()
        if self.fail_reconcile:
            raise RuntimeError("cannot reconcile")
        return True

    async def reconcile_member(self, member: object) -> bool:
        self.trace.append(f"member {member}")
        self.reconciled.set()
        return True


class Setup:
    def __init__(self) -> None:
        self.duties = Duties()
        self.notifications: asyncio.Queue[bool] = asyncio.Queue()
        self.deaths: list[BaseException] = []
        self.loop = LeaderLoop(self.duties, self.notifications.get, self.deaths.append)
        self.task = asyncio.create_task(self.loop.monitor())

    async def reconciled(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.duties.reconciled.wait()
        self.duties.reconciled.clear()

    async def settled(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not self.notifications.empty():
                await asyncio.sleep(0)
            for _ in range(50):
                await asyncio.sleep(0)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_the_order_of_a_term() -> None:
    setup = Setup()
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    setup.notifications.put_nowait(False)
    await setup.settled()
    assert setup.duties.trace == ["barrier", "establish", "reconcile", "revoke"]
    await setup.stop()


async def test_flapping_never_runs_two_loops() -> None:
    setup = Setup()
    for _ in range(20):
        setup.notifications.put_nowait(True)
        setup.notifications.put_nowait(False)
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    assert setup.duties.running_max == 1
    assert setup.duties.running == 1
    await setup.stop()
    assert setup.duties.running == 0


async def test_a_second_gain_is_ignored() -> None:
    setup = Setup()
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    setup.notifications.put_nowait(True)
    await setup.settled()
    assert setup.duties.running_max == 1
    await setup.stop()


async def test_member_changes_wait_for_the_first_reconcile() -> None:
    setup = Setup()
    setup.loop.member_changed("ignored: nobody leads")
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    setup.loop.member_changed("m1")
    await setup.reconciled()
    assert setup.duties.trace == ["barrier", "establish", "reconcile", "member m1"]
    await setup.stop()


async def test_a_restored_state_is_taken_over_without_losing_leadership() -> None:
    setup = Setup()
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    setup.loop.reassert()
    await setup.reconciled()
    assert setup.duties.trace == ["barrier", "establish", "reconcile", "revoke", "barrier", "establish", "reconcile"]
    await setup.stop()


async def test_a_reconcile_that_fails_keeps_no_change_waiting() -> None:
    setup = Setup()
    setup.duties.fail_reconcile = True
    setup.notifications.put_nowait(True)
    await setup.reconciled()
    setup.loop.member_changed("m1")
    await setup.reconciled()
    assert setup.duties.trace == ["barrier", "establish", "reconcile", "member m1"]
    await setup.stop()
