"""User events as an agent gets them from its pool, in which anybody may speak."""

from __future__ import annotations

import json

import pytest

from proconsul.agent.hooks.events import PREFIX, UserEvent, encode
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


async def test_an_event_that_was_fired_twice_has_happened_once() -> None:
    """A client agent asks another server when the first does not answer, and both may have done it."""
    async with AgentInLoop() as agent:
        events, heard = agent.agent.events, list[str]()
        events.listen(lambda event: heard.append(event.Name))
        events.divert("_work", lambda event: heard.append(event.Name))
        for number, name in enumerate(("deploy", "_work", "deploy")):
            for ltime in (1, 5):
                packet = encode(UserEvent(ID=f"0000000{number}-0000-0000-0000-000000000000", Name=name))
                events.received(ltime, f"{PREFIX}{name}", packet)
        assert heard == ["deploy", "_work", "deploy"]
        assert len(events.events()) == 2
        for _ in range(2):
            events.received(9, f"{PREFIX}x", encode(UserEvent(Name="x")))
        assert len(events.events("x")) == 2, "nothing tells whether these are one"
