"""``info -plugins``: which plug-ins an agent has, from the agent that runs."""

from __future__ import annotations

import asyncio
import json

import pytest
from plugin_world import install

from proconsul.cli.main import main
from proconsul.testing import AgentInLoop, AgentInThread
from support.distributions import FakeDistributions

BROKEN = {"plug_broken": "raise RuntimeError('first line\\nand more\\x1b[31m')\n"}


def test_the_table_and_the_json(distributions: FakeDistributions, capsys: pytest.CaptureFixture[str]) -> None:
    install(distributions)
    distributions.add("other", {"proconsul.checks": ["broken = plug_broken:X", "tcp = plug_broken:X"]}, BROKEN)
    with AgentInThread({"plugins": {"allow": ["checks:acme", "broken"]}}) as agent:
        address = f"-http-addr={agent.http_address}"
        assert main(["info", address, "-plugins"]) == 0
        table = capsys.readouterr().out.splitlines()
        assert main(["info", address, "-plugins", "-format=json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert main(["info", address, "-plugins", "-format=xml"]) == 1
        assert "Invalid format: xml; it must be pretty or json" in capsys.readouterr().err
        assert main(["info", address]) == 0
        assert capsys.readouterr().out.startswith("agent:")
    assert [line.split()[:5] for line in table] == [
        ["Kind", "Name", "Distribution", "State", "Notes"],
        ["checks", "acme", "acme-plugins", "2.1", "loaded"],
        ["checks", "acme-async", "acme-plugins", "2.1", "not"],
        ["checks", "broken", "other", "1.0", "broken"],
        ["checks", "fails", "acme-plugins", "2.1", "not"],
        ["checks", "hangs", "acme-plugins", "2.1", "not"],
        ["checks", "tcp", "other", "1.0", "broken"],
        ["watch_handlers", "acme", "acme-plugins", "2.1", "not"],
        ["auth_methods", "acme", "acme-plugins", "2.1", "not"],
        ["audit_sinks", "acme", "acme-plugins", "2.1", "not"],
        ["metrics_sinks", "acme", "acme-plugins", "2.1", "not"],
    ]  # fmt: skip
    assert table[3].endswith("its import failed: RuntimeError: first line and more [31m")
    assert table[6].endswith("its name is that of a built-in of checks")
    assert rows[0] == {
        "Kind": "checks", "Name": "acme", "State": "loaded", "Problem": "", "Distribution": "acme-plugins",
        "Version": "2.1", "Target": "acme:Check", "Calls": 0, "LetGo": 0,
    }  # fmt: skip
    assert [row["State"] for row in rows].count("not allowed") == 7


def test_where_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with AgentInThread() as agent:
        assert main(["info", f"-http-addr={agent.http_address}", "-plugins"]) == 0
    assert capsys.readouterr().out == "No plug-ins are installed\n"


async def test_it_needs_agent_read(distributions: FakeDistributions) -> None:
    install(distributions)
    async with AgentInLoop({"acl": {"enabled": True, "default_policy": "deny"}}) as inside:
        answers = await asyncio.gather(*(inside.request("GET", "/v1/agent/plugins") for _ in range(3)))
        assert [answer.status for answer in answers] == [403] * 3
