"""Discovery reads with a bound on their age, asked for by the client or by configuration (Consul docs: consistency)."""

from __future__ import annotations

import pytest

from proconsul.testing import AgentInLoop

CONFIGURED = {"discovery_max_stale": "1h"}


@pytest.mark.parametrize(
    ("settings", "target", "consistency"),
    [
        ({}, "/v1/catalog/nodes", "leader"),
        (CONFIGURED, "/v1/catalog/nodes", "stale"),
        (CONFIGURED, "/v1/health/state/any?pretty", "stale"),
        (CONFIGURED, "/v1/health/state/any?leader", "leader"),
        (CONFIGURED, "/v1/catalog/services?consistent", "consistent"),
        (CONFIGURED, "/v1/catalog/services?cached", "leader"),
        (CONFIGURED, "/v1/kv/absent", ""),
        ({}, "/v1/catalog/nodes?max_stale=10ms", "stale"),
    ],
)
async def test_who_may_answer(settings: dict[str, str], target: str, consistency: str) -> None:
    async with AgentInLoop(settings) as agent:
        response = await agent.request("GET", target)
        assert response.headers.get("X-Consul-Effective-Consistency", "") == consistency


async def test_an_answer_that_is_too_old_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AgentInLoop() as agent:
        monkeypatch.setattr(agent.agent.node, "knows", lambda: (True, 5_000_000_000))
        for target, consistency in (
            ("/v1/catalog/nodes?max_stale=6s", "stale"),
            ("/v1/catalog/nodes?max_stale=4s", "leader"),
            ("/v1/catalog/nodes?stale", "stale"),
        ):
            response = await agent.request("GET", target)
            assert response.headers["X-Consul-Effective-Consistency"] == consistency, target
