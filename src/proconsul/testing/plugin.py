"""The pytest plugin: ``consul_agent`` is a fresh agent for each test, ``consul_agent_address`` its HTTP address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from proconsul.testing.agent import AgentInThread


@pytest.fixture
def consul_agent() -> Iterator[AgentInThread]:
    """A development agent in this process, gone after the test."""
    from proconsul.testing.agent import AgentInThread

    with AgentInThread() as agent:
        yield agent


@pytest.fixture
def consul_agent_address(consul_agent: AgentInThread) -> str:
    """``host:port`` for any Consul client."""
    return consul_agent.http_address
