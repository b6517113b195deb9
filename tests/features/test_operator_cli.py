"""``operator autopilot state``, ``raft transfer-leader`` and ``snapshot agent`` against an agent of this process."""

# mypy: disable-error-code="union-attr"

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from proconsul.testing import AgentInThread
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
