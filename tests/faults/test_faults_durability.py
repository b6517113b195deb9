"""What was acknowledged survives kill -9 and a full disk; one data directory serves one agent."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.harness import Agent, Client, Subject, eventually, run

StartAgent = Callable[..., Agent]
Write = Callable[[Client, str], str]


def put_key(client: Client, name: str) -> str:
    reply = client.call("PUT", f"/v1/kv/crash/{name}", name.encode())
    assert (reply.status, reply.body.strip()) == (200, b"true")
    return name


def register_node(client: Client, name: str) -> str:
    body = json.dumps({"Node": f"node-{name}", "Address": "10.0.0.1", "Service": {"Service": "crash-catalog"}})
    reply = client.call("PUT", "/v1/catalog/register", body.encode())
    assert (reply.status, reply.body.strip()) == (200, b"true")
    return f"node-{name}"


def register_service(client: Client, name: str) -> str:
    reply = client.call("PUT", "/v1/agent/service/register", json.dumps({"Name": f"svc-{name}"}).encode())
    assert reply.status == 200
    return f"svc-{name}"


def create_session(client: Client, name: str) -> str:
    reply = client.call("PUT", "/v1/session/create", json.dumps({"Name": name}).encode())
    assert reply.status == 200
    session_id: str = reply.json()["ID"]
    return session_id


def found_after(agent: Agent, kind: str) -> set[str]:
    """What of one kind the restarted agent knows."""
    if kind == "put_key":
        reply = agent.call("GET", "/v1/kv/crash/?recurse")
        return {entry["Key"].removeprefix("crash/") for entry in reply.json()} if reply.status == 200 else set()
    if kind == "register_node":
        return {row["Node"] for row in agent.call("GET", "/v1/catalog/service/crash-catalog").json()}
    if kind == "register_service":
        return set(agent.call("GET", "/v1/agent/services").json())
    return {session["ID"] for session in agent.call("GET", "/v1/session/list").json()}


class Writers:
    """Threads that write until the agent is gone, and remember what was acknowledged."""

    def __init__(self, agent: Agent, writes: list[Write]) -> None:
        self.acknowledged: dict[str, set[str]] = {write.__name__: set() for write in writes}
        self.enough = threading.Event()
        self._agent = agent
        self._threads = [threading.Thread(target=self._write, args=(write,)) for write in writes]

    def _write(self, write: Write) -> None:
        client = self._agent.client(timeout_s=10)
        done = self.acknowledged[write.__name__]
        try:
            for number in itertools.count():
                done.add(write(client, f"{self._agent.runs}-{number}"))
                if all(len(acknowledged) >= 40 for acknowledged in self.acknowledged.values()):
                    self.enough.set()
        except OSError:
            pass  # killed
        except Exception as error:
            if self._agent.process is not None and self._agent.process.poll() is None:
                raise AssertionError(f"{write.__name__} failed on a living agent") from error
        finally:
            client.close()

    def run_until_killed(self) -> None:
        for thread in self._threads:
            thread.start()
        assert self.enough.wait(60)
        self._agent.kill()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


def test_acknowledged_writes_survive_kill_9(start_agent: StartAgent) -> None:
    agent = start_agent(dev=False)
    expected: dict[str, set[str]] = {}
    for _ in range(2):
        writers = Writers(agent, [put_key, register_node, register_service, create_session])
        writers.run_until_killed()
        for kind, names in writers.acknowledged.items():
            expected.setdefault(kind, set()).update(names)
        agent.restart()
        for kind, names in expected.items():
            assert names <= found_after(agent, kind), kind
    services = expected["register_service"]
    eventually(lambda: services <= set(agent.call("GET", "/v1/catalog/services").json()), "services reach the catalog")


def test_a_data_directory_serves_one_agent(start_agent: StartAgent) -> None:
    first = start_agent(dev=False)
    second = Agent(Subject.OURS, first.directory / "second", dev=False)
    words = [word if word != str(second.data_dir) else str(first.data_dir) for word in second.command()]
    done = run(words)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "Error starting agent" in said
    assert "lock" in said.lower() or "in use" in said.lower() or "already" in said.lower()
    assert "Traceback" not in said
    assert first.call("PUT", "/v1/kv/still", "here").status == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of twelve mebibytes, half of it taken by a file named ballast."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system; the file size limit is tested instead")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr!r}")
    try:
        (place / "ballast").write_bytes(b"x" * (6 << 20))
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(agent: Agent, value: bytes, most: int) -> tuple[list[str], int, str]:
    """Write until a write is refused: the acknowledged keys, and the refusal."""
    acknowledged: list[str] = []
    for number in range(most):
        reply = agent.call("PUT", f"/v1/kv/fill/{number}", value)
        if reply.status != 200:
            return acknowledged, reply.status, reply.text
        acknowledged.append(f"fill/{number}")
    pytest.fail("the disk never became full")


def check_all_there(agent: Agent, keys: list[str]) -> None:
    assert set(keys) <= set(agent.call("GET", "/v1/kv/fill/?keys").json())


def test_a_full_disk_refuses_writes_and_loses_nothing(start_agent: StartAgent, small_disk: Path) -> None:
    agent = start_agent("-data-dir", str(small_disk / "data"), dev=False)
    acknowledged, status, text = fill(agent, b"v" * 100_000, 300)
    assert acknowledged
    assert status == 500, text
    assert agent.call("GET", f"/v1/kv/{acknowledged[-1]}?raw&stale").body == b"v" * 100_000
    log = agent.log().lower()
    assert any(word in log for word in ("disk", "no space", "full")), log[-2000:]
    (small_disk / "ballast").unlink()
    eventually(lambda: agent.call("PUT", "/v1/kv/after", "space").status == 200, "writes work again", 30)
    check_all_there(agent, acknowledged)
    agent.kill()
    agent.restart()
    check_all_there(agent, acknowledged)
    assert agent.call("GET", "/v1/kv/after?raw").body == b"space"


def test_a_file_size_limit_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))

    agent = Agent(Subject.OURS, tmp_path / "agent", dev=False, limits=limit)
    agent.start()
    try:
        agent.wait_ready()
        acknowledged, status, text = fill(agent, b"v" * 100_000, 300)
        assert acknowledged
        assert status == 500, text
        assert agent.call("GET", "/v1/status/leader?stale").status == 200
        agent.kill()
        agent.limits = None
        agent.restart()
        check_all_there(agent, acknowledged)
        assert agent.call("PUT", "/v1/kv/after", "space").status == 200
    finally:
        agent.kill()
