"""Services go only for a result that is critical: of a run, a TTL that ran out, or a report."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

LONG_S = 100_000.0


class Subject:
    """An agent whose clock is moved for the question who is to go."""

    def __init__(self, loop: AgentInLoop) -> None:
        self.loop = loop

    async def ok(self, target: str, body: Any = None) -> None:
        response = await self.loop.request("PUT", target, json.dumps(body).encode() if body is not None else b"")
        assert (response.status, response.body) == (200, b"")

    def reaped(self) -> list[str]:
        """Who would go after a long time."""
        return sorted(self.loop.agent.registrations.reap(time.monotonic() + LONG_S))

    async def output(self, check: str) -> str:
        checks = json.loads((await self.loop.request("GET", "/v1/agent/checks")).body)
        return str(checks[check]["Output"])

    async def until_output(self, check: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await self.output(check):
                await asyncio.sleep(0.01)


AFTER = {"DeregisterCriticalServiceAfter": "1m"}
UNSEEN = [
    {"HTTP": "http://127.0.0.1:9/", "Interval": "9h", "Status": "passing"},
    {"HTTP": "http://127.0.0.1:9/", "Interval": "9h"},
    {"TCP": "127.0.0.1:9", "Interval": "9h", "Status": "critical"},
    {"TTL": "9h"},
    {"TTL": "9h", "Status": "critical"},
    {"GRPC": "127.0.0.1:9", "Interval": "9h"},
]


@pytest.mark.parametrize("check", UNSEEN)
async def test_before_a_result_nobody_goes(check: dict[str, Any], tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path)}
    body = {"Name": "a", "Check": {**check, **AFTER}}
    async with AgentInLoop(settings) as loop:
        subject = Subject(loop)
        for _ in range(2):  # the same again is no result either
            await subject.ok("/v1/agent/service/register", body)
            assert subject.reaped() == []
    async with AgentInLoop(settings) as loop:
        assert Subject(loop).reaped() == []
        assert "a" in json.loads((await loop.request("GET", "/v1/agent/services")).body)


async def test_results_count_and_a_registration_or_restart_starts_over(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path)}
    ttl = {"Name": "a", "Check": {"CheckID": "a", "TTL": "9h", **AFTER}}
    async with AgentInLoop(settings) as loop:
        subject = Subject(loop)
        await subject.ok("/v1/agent/service/register", ttl)
        await subject.ok("/v1/agent/check/fail/a")
        await subject.ok("/v1/agent/service/register", ttl)
        assert subject.reaped() == []
        await subject.ok("/v1/agent/check/fail/a")
    async with AgentInLoop(settings) as loop:
        subject = Subject(loop)
        assert subject.reaped() == []
        await subject.ok("/v1/agent/check/fail/a")
        await subject.ok("/v1/agent/check/warn/a")
        assert subject.reaped() == []
        await subject.ok("/v1/agent/check/fail/a?note=same")
        assert subject.reaped() == ["a"]


@pytest.mark.parametrize("check", [{"TTL": "20ms"}, {"TCP": "127.0.0.1:9", "Interval": "20ms"}])
async def test_what_runs_and_what_runs_out_counts(check: dict[str, Any]) -> None:
    async with AgentInLoop({}) as loop:
        subject = Subject(loop)
        await subject.ok("/v1/agent/service/register", {"Name": "a", "Check": {"CheckID": "a", **check, **AFTER}})
        await subject.until_output("a")
        assert subject.reaped() == ["a"]
