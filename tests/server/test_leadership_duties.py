"""The duties of a leader: none is in another's way."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from proconsul.features.session.state import SessionStarted
from proconsul.server.duties import Effects
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S


class Clumsy:
    """Hears of what another duty hears of, and fails whenever it can."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ticks = 0
        self.effects: Effects = {SessionStarted: self._started}

    def _started(self, effect: SessionStarted, now: float) -> None:
        self.heard.append(effect.session.ID)
        raise RuntimeError("cannot hear")

    def begin(self, now: float, index: int) -> None:
        """Nothing to begin."""

    def tick(self, now: float) -> None:
        self.ticks += 1
        raise RuntimeError("cannot tick")

    def end(self) -> None:
        """Nothing to end."""


async def test_a_duty_that_fails_keeps_no_other_from_its_work(caplog: pytest.LogCaptureFixture) -> None:
    """Neither does one that hears of the same effects."""
    async with AgentInLoop() as agent, asyncio.timeout(PATIENCE_S):
        leadership, clumsy = agent.server.leadership, Clumsy()
        with caplog.at_level(logging.CRITICAL):
            leadership.take_on(clumsy)
            created = json.loads((await agent.request("PUT", "/v1/session/create", b'{"TTL":"10s"}')).body)["ID"]
            assert clumsy.heard == [created]
            assert len(leadership.sessions.deadlines) == 1
            leadership._tick()
            assert leadership._ticker is not None and not leadership._ticker.cancelled()
            ticks = clumsy.ticks
            while clumsy.ticks == ticks:
                await asyncio.sleep(0.05)
            assert (await agent.request("PUT", f"/v1/session/destroy/{created}")).status == 200
            assert len(leadership.sessions.deadlines) == 0
