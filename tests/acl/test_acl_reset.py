"""``consul operator acl-reset`` on the data directory of a stopped server, and the bootstrap that it allows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from support.harness import Agent, Subject, eventually, run

ACL = 'acl { enabled = true default_policy = "deny" }'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(Subject.OURS, tmp_path, ["-hcl", ACL], dev=False)
    yield agent
    agent.kill()


def reset(*words: str) -> CompletedProcess[str]:
    return run([sys.executable, "-m", "proconsul", "operator", "acl-reset", *words])


def bootstrap(server: Agent) -> CompletedProcess[str]:
    environment = {**os.environ, "CONSUL_HTTP_ADDR": server.address}
    return run([sys.executable, "-m", "proconsul", "acl", "bootstrap", "-format=json"], env=environment)


def bootstrapped(server: Agent) -> str:
    """The secret of a new management token, as soon as there can be one."""

    def tried() -> CompletedProcess[str] | None:
        done = bootstrap(server)
        return done if done.returncode == 0 else None

    done = eventually(tried, "bootstrapped")
    assert done is not None
    return str(json.loads(done.stdout)["SecretID"])


def test_a_lost_token_is_replaced_without_touching_the_others(server: Agent) -> None:
    server.start()
    lost = bootstrapped(server)
    assert bootstrap(server).returncode == 1
    data = str(server.data_dir)
    running = reset("-data-dir", data)
    assert running.returncode == 1 and "in use by another process" in running.stderr
    server.kill()  # in mid-air, as when nobody can log in any more
    before = sorted(path.name for path in server.data_dir.rglob("*"))
    dry = reset("-data-dir", data, "-dry-run")
    assert dry.returncode == 0 and "nothing was changed" in dry.stdout and "there are 2 tokens" in dry.stdout
    file = server.data_dir / "acl-bootstrap-reset"
    assert not file.exists()
    done = reset("-data-dir", data)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    after = sorted(path.name for path in server.data_dir.rglob("*"))
    assert [name for name in after if name not in before] == ["acl-bootstrap-reset"]
    server.start()
    new = bootstrapped(server)
    assert new != lost and not file.exists()
    for secret in (lost, new):
        assert server.call("GET", "/v1/acl/token/self", None, [("X-Consul-Token", secret)]).status == 200
    assert bootstrap(server).returncode == 1, "once, not for ever"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "Must specify -data-dir"),
        (("-data-dir", "/nowhere"), "is no data directory of a server"),
        (("-data-dir", "/nowhere", "more"), "Too many arguments"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], text: str) -> None:
    done = reset(*words)
    assert done.returncode == 1 and text in done.stderr


def test_a_directory_that_is_none_of_ours_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "raft").mkdir()
    done = reset("-data-dir", str(tmp_path))
    assert done.returncode == 1 and "no log of a proconsul server" in done.stderr
    (tmp_path / "raft" / "raft.db").write_bytes(b"theirs")
    done = reset("-data-dir", str(tmp_path))
    assert done.returncode == 1 and "is the raft log of Consul" in done.stderr
    assert [path.name for path in (tmp_path / "raft").iterdir()] == ["raft.db"]


def test_without_a_bootstrap_there_is_nothing_to_reset(server: Agent) -> None:
    server.start()
    eventually(lambda: b":" in server.call("GET", "/v1/status/leader").body, "it leads")
    server.kill()
    done = reset("-data-dir", str(server.data_dir))
    assert done.returncode == 1 and "was never bootstrapped here" in done.stderr
    assert not (server.data_dir / "acl-bootstrap-reset").exists()
