"""``operator autopilot state``, ``raft transfer-leader`` and ``snapshot agent`` against an agent of this process."""

# mypy: disable-error-code="union-attr"

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from proconsul.testing import AgentInLoop, AgentInThread
from support.harness import eventually, run

Cli = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module")
def cli() -> Iterator[Cli]:
    with AgentInThread() as agent:
        environment = {"CONSUL_HTTP_ADDR": agent.http_address, "PATH": "/usr/bin:/bin"}
        yield lambda *words: run([sys.executable, "-m", "proconsul", *words], env=environment)


def test_the_state_in_words(cli: Cli) -> None:
    healthy = "Healthy:                      true"
    done = eventually(lambda: _if(cli("operator", "autopilot", "state"), healthy), "healthy")
    lines = done.stdout.splitlines()
    assert "      Why:             votes: 1 of 1 voters make a quorum" in lines
    assert "Next:                         nothing to do" in lines
    assert '"NodeType": "voter"' in cli("operator", "autopilot", "state", "-format=json").stdout
    assert cli("operator", "autopilot", "state", "-format=x").returncode == 1


def _if(done: CompletedProcess[str], text: str) -> CompletedProcess[str] | None:
    return done if text in done.stdout else None


def test_nobody_to_transfer_to(cli: Cli) -> None:
    done = cli("operator", "raft", "transfer-leader")
    assert done.returncode == 1
    assert "Error transferring leadership: Unexpected response code: 500 (cannot find peer)" in done.stderr


def test_the_newest_snapshots_are_kept(cli: Cli, tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        done = cli("snapshot", "agent", "-interval=0s", "-retain=2", f"-local-path={tmp_path}")
        assert done.returncode == 0, done.stderr
        assert "Saved and verified snapshot to index" in done.stdout
        seen.append(done.stdout.split(": ")[-1].strip())
    assert sorted(str(path) for path in tmp_path.iterdir()) == seen[1:]
    assert cli("snapshot", "inspect", seen[-1]).returncode == 0
    assert cli("snapshot", "restore", seen[-1]).stdout.strip() == "Restored snapshot"
    assert cli("snapshot", "agent", "-local-path=/nowhere").returncode == 1


def test_what_is_counted(cli: Cli, tmp_path: Path) -> None:
    """Nodes, services and instances; neither servers nor the mesh's kinds are billable."""
    services = [
        {"Name": "web", "ID": "web1"}, {"Name": "web", "ID": "web2"}, {"Name": "db", "Connect": {"Native": True}},
        {"Name": "web-proxy", "Kind": "connect-proxy", "Port": 1, "Proxy": {"destination_service_name": "web"}},
    ]  # fmt: skip
    file = tmp_path / "services.json"
    file.write_text(json.dumps({"services": services}))
    assert cli("services", "register", str(file)).returncode == 0
    out = eventually(lambda: _if(cli("operator", "usage", "instances"), "Instances Total: 3"), "all is counted").stdout
    head, billed, nodes, mesh = (part.splitlines() for part in out.rstrip().split("\n\n"))
    assert head == ["Billable Service Instances Total: 3", "dc1 Billable Service Instances: 3"]
    assert [line.split() for line in billed[2:]] == [["dc1", "4", "3"], ["Total", "4", "3"]]
    assert [line.split() for line in nodes[2:]] == [["dc1", "1"], ["Total", "1"]]
    assert {line.split()[1]: line.split()[2] for line in mesh[2:]} == {
        "connect-native": "1", "connect-proxy": "1", "ingress-gateway": "0", "mesh-gateway": "0",
        "terminating-gateway": "0",
    }  # fmt: skip
    assert "Connect" not in cli("operator", "usage", "instances", "-billable").stdout
    assert cli("operator", "usage", "instances", "-connect", "-all-datacenters").stdout == "\n".join(mesh) + "\n"


async def test_what_is_counted_says_who_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has lost the leader tells so with a stale answer, in its body."""
    async with AgentInLoop() as agent:
        for stale, known in (("", (True, 0)), ("?stale", (False, 7_000_000))):
            monkeypatch.setattr(agent.server, "knows", lambda known=known: known)
            found = json.loads((await agent.request("GET", "/v1/operator/usage" + stale)).body)
            assert (found["KnownLeader"], found["LastContact"]) == known
            assert found["ConsistencyLevel"] == ("stale" if stale else "leader")
