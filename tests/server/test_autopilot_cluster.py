"""Clusters of three processes: who leaves, who dies and who joins; ours alone, and with the original among them."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.harness import Agent, Subject, eventually, program
from support.pools import TIMING

RAFT, HEALTH, STATE = "/v1/operator/raft", "/v1/operator/autopilot/health", "/v1/operator/autopilot/state"
TIMEOUT_S = 60.0
SETTINGS = TIMING + ' autopilot { server_stabilization_time = "1s" last_contact_threshold = "2s" }'


def server(subject: Subject, directory: Path, name: str, join: list[Agent], expect: int) -> Agent:
    agent = Agent(subject, directory / name)
    words = [*program(subject), "agent", "-server", "-node", name, "-data-dir", str(agent.data_dir),
             "-bind", "127.0.0.1", "-hcl", SETTINGS, "-dns-port", "-1", "-grpc-port", "-1"]  # fmt: skip
    words += [f"-bootstrap-expect={expect}"] if expect else []
    for port, number in agent.ports.items():
        words += [f"-{port.replace('_', '-')}-port", str(number)]
    for other in join:
        words += ["-retry-interval=1s", "-retry-join", f"127.0.0.1:{other.ports['serf_lan']}"]
    agent.command = lambda: words  # type: ignore[method-assign]
    agent.start()
    return agent


@contextmanager
def cluster(directory: Path, *subjects: Subject) -> Iterator[list[Agent]]:
    with ExitStack() as stack:
        agents: list[Agent] = []
        for number, subject in enumerate(subjects):
            agents.append(server(subject, directory, f"s{number}", agents[:1], len(subjects)))
            stack.callback(agents[-1].kill)
        wait_for_voters(agents, {agent.directory.name for agent in agents})
        yield agents


def raft(agent: Agent) -> list[dict[str, Any]]:
    reply = agent.call("GET", f"{RAFT}/configuration")
    return list(reply.json()["Servers"]) if reply.status == 200 else []


def wait_for_voters(agents: list[Agent], names: set[str]) -> None:
    """Until every agent says that these vote, and one of them leads."""

    def settled(agent: Agent) -> bool:
        servers = raft(agent)
        voters = {one["Node"] for one in servers if one["Voter"]}
        return voters == names and len(servers) == len(names) and any(one["Leader"] for one in servers)

    for agent in agents:
        eventually(lambda agent=agent: settled(agent), f"{names} vote, says {agent.directory.name}", TIMEOUT_S)


def unhealthy(agent: Agent) -> set[str]:
    """Who is not healthy by what ``agent`` says, once anything is known."""
    reply = agent.call("GET", HEALTH)
    found = {one["Name"] for one in reply.json()["Servers"] or () if not one["Healthy"]}
    assert reply.status == (429 if found or not reply.json()["Servers"] else 200)
    return found


def leader_of(agents: list[Agent]) -> Agent:
    name = next(one["Node"] for one in raft(agents[0]) if one["Leader"])
    return next(agent for agent in agents if agent.directory.name == name)


def test_leadership_goes_where_it_is_sent_and_the_leader_leaves(tmp_path: Path) -> None:
    with cluster(tmp_path, Subject.OURS, Subject.OURS, Subject.OURS) as agents:
        follower = next(agent for agent in agents if agent is not leader_of(agents))
        target = next(one["ID"] for one in raft(follower) if one["Node"] == follower.directory.name)
        reply = follower.call("POST", f"{RAFT}/transfer-leader?id={target}")
        assert (reply.status, reply.json()) == (200, {"Success": True}), reply.text
        eventually(lambda: leader_of(agents) is follower, "who was asked for leads")
        for agent in agents:
            eventually(lambda agent=agent: agent.call("GET", HEALTH).status == 200, "all are healthy", TIMEOUT_S)
            health = agent.call("GET", HEALTH).json()
            assert (health["FailureTolerance"], len(health["Servers"])) == (1, 3)
        follower.call("PUT", "/v1/kv/a", b"1")
        assert follower.call("PUT", "/v1/agent/leave").status == 200
        assert follower.wait_exit() == 0
        rest = [agent for agent in agents if agent is not follower]
        assert "failed to leave raft configuration gracefully" not in follower.log()
        wait_for_voters(rest, {agent.directory.name for agent in rest})
        assert rest[0].call("GET", "/v1/kv/a?raw").text == "1"


@pytest.mark.reference
@pytest.mark.parametrize("others", [Subject.OURS, pytest.param(Subject.REFERENCE, marks=pytest.mark.long)])
def test_the_dead_make_room_for_the_new(others: Subject, reference_binary: Path, tmp_path: Path) -> None:
    with cluster(tmp_path, Subject.OURS, others, others) as agents, ExitStack() as stack:
        ours = agents[0]
        if leader_of(agents) is not ours:
            mine = next(one["ID"] for one in raft(ours) if one["Node"] == "s0")
            if others is Subject.OURS:
                assert ours.call("POST", f"{RAFT}/transfer-leader?id={mine}").status == 200
                eventually(lambda: leader_of(agents) is ours, "ours leads")
        dead = next(agent for agent in agents[1:] if agent is not leader_of(agents))
        dead.kill()
        rest = [agent for agent in agents if agent is not dead]
        gone = dead.directory.name
        eventually(lambda: gone in unhealthy(ours), "the death is noticed", TIMEOUT_S)
        wait_for_voters(rest, {agent.directory.name for agent in rest})
        rest.append(server(others, tmp_path, "s3", rest[:1], 0))
        stack.callback(rest[-1].kill)
        wait_for_voters(rest, {agent.directory.name for agent in rest})
        if others is Subject.OURS:
            state = json.loads(rest[-1].call("GET", STATE).body)
            assert len(state["Voters"]) == 3 and state["Next"] == "nothing to do"
