"""The clock of `SteadyLoop` counts waits and leaves out pauses."""

from __future__ import annotations

import asyncio
import time

from support.steady import TURN_MAX_S, SteadyLoop


def test_pauses_are_not_seen_and_waits_are() -> None:
    loop = SteadyLoop()

    async def story() -> None:
        fired: list[float] = []
        began, real = loop.time(), time.monotonic()
        loop.call_later(0.2, lambda: fired.append(time.monotonic() - real))
        time.sleep(0.5)  # noqa: ASYNC251, the machine is busy elsewhere
        assert loop.time() - began <= TURN_MAX_S + 1e-6
        await asyncio.sleep(0)
        assert not fired
        await asyncio.sleep(0.3)
        assert len(fired) == 1 and fired[0] >= 0.5 + 0.2 - 2 * TURN_MAX_S
        assert 0.3 <= loop.time() - began <= time.monotonic() - real - 0.5 + 3 * TURN_MAX_S

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story())


async def test_the_tests_here_run_on_it() -> None:
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)
