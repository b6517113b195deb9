"""/v1/operator/autopilot and /v1/operator/raft: the original's answers on a single server, and autopilot's view."""

# mypy: disable-error-code="attr-defined,misc"

from __future__ import annotations

import asyncio
import json
import re

import pytest

from proconsul.testing import AgentInLoop
from support.harness import Agent, eventually

AUTOPILOT, RAFT = "/v1/operator/autopilot", "/v1/operator/raft"
CONFIG = f"{AUTOPILOT}/configuration"

# One request each, in an order that has a meaning.
REQUESTS: list[tuple[str, str, str]] = [
    ("GET", CONFIG, ""),
    *[("GET", f"{path}{query}", "") for path in (CONFIG, f"{AUTOPILOT}/health", f"{RAFT}/configuration")
      for query in ("?stale", "?dc=zz", "?dc=dc1", "?index=a", "?stale&consistent", "?consistent", "?ns=x")],
    *[("PUT", CONFIG, body) for body in (
        "", "x", "{}", "null", "[]", '{"Foo":1}', '{"MinQuorum":-1}', '{"LastContactThreshold":"abc"}',
        '{"LastContactThreshold":5}', '{"MaxTrailingLogs":"a"}', '{"CleanupDeadServers":1}',
    )],
    ("GET", CONFIG, ""),
    *[("PUT", f"{CONFIG}?cas={cas}", "{}") for cas in ("1", "0", "x", "", "-1", "99999999999999999999999")],
    ("PUT", f"{CONFIG}?cas", "{}"),
    ("PUT", f"{CONFIG}?dc=zz", "{}"),
    ("PUT", CONFIG, json.dumps({
        "CleanupDeadServers": True, "LastContactThreshold": "1s", "ServerStabilizationTime": 5000000000,
        "MaxTrailingLogs": 100, "MinQuorum": 3, "RedundancyZoneTag": "z", "UpgradeVersionTag": "v",
        "DisableUpgradeMigration": True, "CreateIndex": 7, "ModifyIndex": 9,
    })),
    ("GET", CONFIG, ""),
    *[("DELETE", f"{RAFT}/peer{query}", "") for query in (
        "", "?id=a&address=b", "?id=abc", "?address=abc", "?id=", "?id=abc&dc=zz",
        "?id=11111111-2222-3333-4444-555555555555",
    )],
    *[(method, path, "") for method in ("POST", "OPTIONS", "PATCH")
      for path in (CONFIG, f"{AUTOPILOT}/health", f"{RAFT}/configuration", f"{RAFT}/peer")],
]  # fmt: skip


def said(agent: Agent, method: str, target: str, body: str) -> tuple[int, str, str, str]:
    reply = agent.call(method, target, body or None)
    text = reply.text.replace(f"127.0.0.1:{agent.ports['server']}", "<address>")
    text = re.sub(r'"((?:Modify|Last)Index|LastTerm)": \d+', r'"\1": 0', text)
    if target.startswith(f"{RAFT}/configuration"):  # from 1.16 on
        text = re.sub(r',\s*"LastIndex": 0', "", text)
    text = re.sub(r'"StableSince": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"', '"StableSince": "<time>"', text)
    return reply.status, reply.header("Content-Type"), reply.header("Allow"), text


@pytest.mark.reference
def test_the_same_answers(agents: list[Agent]) -> None:
    for agent in agents:
        eventually(lambda agent=agent: agent.call("GET", f"{AUTOPILOT}/health").status == 200, "health is known")
    differing = []
    for request in REQUESTS:
        reference, ours = (said(agent, *request) for agent in agents)
        if ours != reference:
            differing.append((request, reference, ours))
    assert differing == []


async def test_the_state_says_who_counts_and_why() -> None:
    async with AgentInLoop() as agent:
        while (await agent.request("GET", f"{AUTOPILOT}/health")).status != 200:
            await asyncio.sleep(0)
        state = json.loads((await agent.request("GET", f"{AUTOPILOT}/state")).body)
        own = agent.agent.node_id
        assert (state["Healthy"], state["FailureTolerance"], state["Leader"], state["Voters"]) == (True, 0, own, [own])
        server = state["Servers"][own]
        assert (server["Status"], server["NodeType"], server["NodeStatus"]) == ("leader", "voter", "alive")
        assert server["Why"] == ["votes: 1 of 1 voters make a quorum"]
        assert state["Next"] == "nothing to do"


async def test_nobody_to_hand_leadership_to() -> None:
    async with AgentInLoop() as agent:
        for query in ("", "?id=nobody"):
            reply = await agent.request("POST", f"{RAFT}/transfer-leader{query}")
            assert (reply.status, agent.server.leading) == (500, True)
            assert reply.body in (b"cannot find peer", b"cannot transfer leadership to nobody: not another voter")


async def test_configured_settings_are_written_once() -> None:
    async with AgentInLoop({"autopilot": {"min_quorum": 3, "cleanup_dead_servers": False}}) as agent:
        config = json.loads((await agent.request("GET", CONFIG)).body)
        assert (config["MinQuorum"], config["CleanupDeadServers"]) == (3, False)
        written = config["ModifyIndex"]
        agent.server.leadership._loop.reassert()  # leadership is established anew
        await agent.request("PUT", "/v1/kv/a", b"b")
        assert json.loads((await agent.request("GET", CONFIG)).body)["ModifyIndex"] == written > 0
