"""docs/client.md does what it shows."""

from __future__ import annotations

import pytest

from proconsul.testing import AgentInLoop
from support.pages import run_python_page


async def test_the_page_does_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AgentInLoop(listen=True) as agent:
        monkeypatch.setenv("CONSUL_HTTP_ADDR", agent.http_address)
        monkeypatch.delenv("CONSUL_HTTP_TOKEN", raising=False)
        await run_python_page("client.md", {"client_address": agent.http_address})
