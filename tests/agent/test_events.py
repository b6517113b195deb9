"""User events as an agent gets them from its pool, in which anybody may speak."""

from __future__ import annotations

import json

import pytest

from proconsul.agent.events import PREFIX, UserEvent, encode
from proconsul.testing import AgentInLoop


@pytest.mark.parametrize("event_id", ["", "x", "\udcff", "z" * 36, "0" * 1000])
async def test_an_event_of_any_id_is_listed_and_can_be_waited_for(event_id: str) -> None:
    async with AgentInLoop() as agent:
        first = await agent.request("GET", "/v1/event/list")
        agent.agent.events.received(1, f"{PREFIX}deploy", encode(UserEvent(ID=event_id, Name="deploy")))
        response = await agent.request("GET", f"/v1/event/list?index={first.headers['X-Consul-Index']}&wait=1m")
        assert response.status == 200
        assert [event["Name"] for event in json.loads(response.body)] == ["deploy"]
        assert 1 < int(response.headers["X-Consul-Index"]) < 1 << 64
