"""Steady use for minutes: nothing that an operator watches grows."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from support.harness import Agent, Subject

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc"),
]


class Use:
    """Writers, sessions, registrations and readers, on kept and on new connections."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.done = 0
        self.refused: list[str] = []
        self._over = threading.Event()
        work = (self.write, self.hold_sessions, self.register, self.read, self.wait)
        self._threads = [threading.Thread(target=self._repeat, args=(one,)) for one in work]

    def __enter__(self) -> Use:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work) -> None:  # type: ignore[no-untyped-def]
        number = 0
        while not self._over.wait(0.005):
            work(number)
            number += 1
            self.done += 1

    def call(self, method: str, target: str, body: object = None) -> str:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        reply = self.agent.call(method, target, data)
        if reply.status not in (200, 404):
            self.refused.append(f"{method} {target}: {reply.status} {reply.text}")
        return reply.text

    def write(self, number: int) -> None:
        self.call("PUT", f"/v1/kv/steady/{number % 500}", os.urandom(200))
        if number % 7 == 0:
            self.call("DELETE", f"/v1/kv/steady/{number * 3 % 500}")

    def hold_sessions(self, number: int) -> None:
        session = json.loads(self.call("PUT", "/v1/session/create", {"TTL": "30s", "Behavior": "delete"}))["ID"]
        self.call("PUT", f"/v1/kv/lock/{number % 5}?acquire={session}", b"x")
        self.call("PUT", f"/v1/session/renew/{session}")
        self.call("PUT", f"/v1/session/destroy/{session}")

    def register(self, number: int) -> None:
        name = f"s{number % 20}"
        self.call("PUT", "/v1/agent/service/register", {"Name": name, "Check": {"TTL": "60s"}})
        self.call("PUT", f"/v1/agent/check/pass/service:{name}")
        if number % 3 == 0:
            self.call("PUT", f"/v1/agent/service/deregister/{name}")

    def read(self, number: int) -> None:
        for target in ("/v1/kv/steady/?recurse", "/v1/catalog/services", f"/v1/health/service/s{number % 20}?passing"):
            self.call("GET", target)

    def wait(self, number: int) -> None:
        self.call("GET", "/v1/kv/steady/?keys&index=1000000000&wait=200ms")


class Sizes:
    """What an operator watches of one process."""

    def __init__(self, agent: Agent) -> None:
        status = Path(f"/proc/{agent.pid}/status").read_text()
        self.memory_kib = int(status.split("VmRSS:")[1].split()[0])
        self.threads = int(status.split("Threads:")[1].split()[0])
        self.descriptors = len(os.listdir(f"/proc/{agent.pid}/fd"))
        self.files = sum(1 for path in agent.data_dir.rglob("*") if path.is_file())
        self.disk_kib = sum(path.stat().st_size for path in _files(agent.data_dir)) // 1024

    def __repr__(self) -> str:
        return str(vars(self))


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def _sizes(agent: Agent) -> Sizes:
    for _ in range(10):  # a snapshot may be renamed while it is looked at
        try:
            return Sizes(agent)
        except FileNotFoundError:
            continue
    return Sizes(agent)


@pytest.mark.parametrize("minutes", [0.2, pytest.param(10, marks=pytest.mark.long)])
def test_nothing_grows(minutes: float, tmp_path: Path) -> None:
    hcl = 'raft_snapshot_interval = "2s" raft_snapshot_threshold = 500 raft_trailing_logs = 200'
    agent = Agent(Subject.OURS, tmp_path / "agent", ["-hcl", hcl], dev=False)
    agent.start()
    try:
        agent.wait_ready()
        with Use(agent) as use:
            time.sleep(minutes * 60 / 3)  # caches and pools fill: this is the size it has
            first = _sizes(agent)
            time.sleep(minutes * 60 * 2 / 3)
            last = _sizes(agent)
        assert use.done > 100 and not use.refused[:5]
        assert last.memory_kib < first.memory_kib * 1.3 + 20_000, (first, last)
        assert last.threads <= first.threads + 8, (first, last)
        assert last.descriptors <= first.descriptors + 20, (first, last)
        assert last.files <= first.files + 45, (first, last)  # twenty services, their checks, two snapshots
        assert last.disk_kib < 3 * first.disk_kib + 20_000, (first, last)
    finally:
        agent.kill()
    agent.require_quiet()
