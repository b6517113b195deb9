"""No request finds a fault of ours: an answer in Consul's words for every strange byte and number, everywhere."""

from __future__ import annotations

import re

from strange_requests import requests

from proconsul.testing import AgentInLoop
from support.harness import Agent

# What Python says, and nobody else should.
PYTHON = re.compile(
    rb"internal error|Traceback|codec can't|surrogates|NoneType|object has no|has no attribute|not supported between"
    rb"|unexpected keyword|Exceeds the limit|out of bounds|\w+Error:"
)
EVERY = 5


async def test_strange_values_are_answered_in_our_own_words() -> None:
    async with AgentInLoop() as agent:
        for method, target, body in requests(every=EVERY):
            reply = await agent.request(method, target, body or b"")
            assert 200 <= reply.status < 600
            assert PYTHON.search(reply.body) is None, (method, target, body, reply.status, reply.body)


def test_strange_values_over_the_wire(dev_agent: Agent) -> None:
    client = dev_agent.client()
    for method, target, body in requests(every=11):
        reply = client.call(method, target, body)
        assert PYTHON.search(reply.body) is None, (method, target, body, reply)
    client.close()
    assert "Traceback" not in dev_agent.log()
