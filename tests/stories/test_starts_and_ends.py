"""Signals at any moment of an agent's life, and what is left of it at its end: nothing, and no error nobody heard."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.big_state import write_data
from support.clusters import AcknowledgedWrites, Cluster
from support.harness import NODE_ID, Agent, Subject, eventually, program
from support.processes import is_alive

pytestmark = pytest.mark.timeout(300)

SNAPSHOT = "/v1/snapshot"
# Enough to load for seconds.
KEYS = 150_000


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A stopped server with a state that takes seconds to load."""
    agent = Agent(Subject.OURS, tmp_path_factory.mktemp("loaded"), ["-log-level=info"], dev=False)
    write_data(agent.data_dir, NODE_ID, f"127.0.0.1:{agent.ports['server']}", KEYS)
    yield agent
    agent.kill()
    agent.require_quiet()


def is_starting(agent: Agent) -> bool:
    reply = agent.call("GET", "/v1/kv/big/0000001")
    return reply.status == 503 and reply.text.startswith("The agent is starting")


def test_a_start_that_loads_for_long_answers_meanwhile(loaded: Agent) -> None:
    """HTTP says why it has no answer yet, a reload waits for its turn, and then all is there."""
    loaded.start()
    try:
        eventually(lambda: is_starting(loaded), "it says that it starts")
        for method, target in (("PUT", "/v1/kv/x"), ("GET", "/v1/agent/self"), ("GET", "/none"), ("PUT", SNAPSHOT)):
            reply = loaded.call(method, target, b"x" * 1000)
            if reply.status == 200:
                break  # it was quick
            assert (reply.status, reply.header("Connection")) == (503, "close")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
            loaded.signal(number)
        eventually(lambda: loaded.call("GET", "/v1/kv/big/0000001?raw").status == 200, "the state is there", 120)
        eventually(lambda: "Reloading configuration..." in loaded.log(), "the reload that was asked for")
        assert len(loaded.call("GET", "/v1/kv/big/?keys").json()) == KEYS
    finally:
        loaded.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_loads_for_long_ends_when_told(loaded: Agent, number: signal.Signals) -> None:
    loaded.start()
    try:
        eventually(lambda: is_starting(loaded), "it says that it starts")
        loaded.signal(number)
        assert loaded.wait_exit() == 1
        assert loaded.log().rstrip().endswith("Exit code: code=1")
    finally:
        loaded.kill()


@pytest.mark.long
def test_a_server_that_loads_for_long_is_not_called_failed(tmp_path: Path) -> None:
    """Its gossip answers while its state is read: it keeps its vote, and nobody sees it fail again."""
    from support.big_state import archive

    # A dead server is removed at once otherwise, and between the kill and the start it is dead.
    patient = ["-hcl", "autopilot { cleanup_dead_servers = false }"]
    with Cluster(tmp_path, *((f"s{number}", Subject.OURS) for number in range(3)), extra=patient) as cluster:
        assert isinstance(cluster, Cluster)
        leader = cluster.settled()
        assert leader.client(120).call("PUT", SNAPSHOT, archive(2 * KEYS)).status == 200
        for one in cluster.servers():
            key = "/v1/kv/big/0000001?stale"
            eventually(lambda one=one, key=key: one.call("GET", key).status == 200, f"{one.name} has it", 60)
        other = next(one for one in cluster.servers() if one is not leader)
        other.kill()
        other.start()
        eventually(lambda: other.call("GET", "/v1/agent/self").status == 503, "it loads")
        seen: set[str] = set()

        def back() -> bool:
            seen.add(leader.members()[other.name].status)
            return other.call("GET", "/v1/kv/big/0000001?stale").status == 200

        eventually(back, "it is back", 120)
        cluster.settled()
        log = leader.log().split("restored user snapshot")[-1]
        assert log.count(f"EventMemberFailed: {other.name} ") <= 1, "at most for the kill"
        assert "REMOVE" not in log and "DEMOTE" not in log


# Milliseconds behind the start of the process: before the interpreter runs our code, while modules are loaded,
# while the data directory is opened, while it elects itself, and when all is done.
MOMENTS_MS = (150, 300, 600, 1200)
MORE_MOMENTS_MS = (*range(100, 1000, 50), 1500, 2500)


def started_and_told(tmp_path: Path, number: signal.Signals, after_ms: int) -> Agent:
    agent = Agent(Subject.OURS, tmp_path / "agent", ["-log-level=info"], dev=False)
    agent.start()
    eventually(lambda: handles_signals(agent.pid), "its program has begun")
    time.sleep(after_ms / 1000)
    agent.signal(number)
    return agent


def handles_signals(pid: int) -> bool:
    """Whether the process has a handler for SIGHUP: so early that an interpreter without one is not our doing."""
    text = Path(f"/proc/{pid}/status").read_text()
    return bool(int(text.split("SigCgt:")[1].split()[0], 16) & 1 << signal.SIGHUP - 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    "after_ms", [0, *MOMENTS_MS, *(pytest.param(one, marks=pytest.mark.long) for one in MORE_MOMENTS_MS)]
)
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
def test_signals_at_any_moment_of_a_start(number: signal.Signals, after_ms: int, tmp_path: Path) -> None:
    if number is signal.SIGUSR1 and after_ms in MOMENTS_MS:
        pytest.skip("as SIGHUP; every moment is played by the long stories")
    agent = started_and_told(tmp_path, number, after_ms)
    try:
        if number in (signal.SIGHUP, signal.SIGUSR1):
            agent.wait_ready()
            if number is signal.SIGHUP:
                eventually(lambda: "Reloading configuration..." in agent.log(), "the reload")
            agent.signal(signal.SIGTERM)
        assert agent.wait_exit() == 1
    finally:
        agent.kill()
    agent.require_quiet()


def test_sixty_reloads_in_a_row(start_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """The last of them counts, whatever comes in between, and no more is done than there was to do."""
    config = tmp_path / "services.json"
    config.write_text('{"services": []}')
    agent = start_agent("-config-file", str(config), "-log-level=info")
    for number in range(60):
        config.write_text(json.dumps({"services": [{"name": f"s{number}"}]}))
        agent.signal(signal.SIGHUP)
    eventually(lambda: list(agent.call("GET", "/v1/agent/services").json()) == ["s59"], "the last configuration")
    eventually(lambda: "s59" in agent.call("GET", "/v1/catalog/services").json(), "it arrives")
    assert agent.call("PUT", "/v1/kv/alive", "x").status == 200
    for _ in range(20):
        agent.signal(signal.SIGHUP)
    agent.signal(signal.SIGTERM)
    assert agent.wait_exit() == 1


STUBBORN = 'trap "" TERM INT HUP; echo $$ >> {pids}; while :; do sleep 0.2; done'


def children(pid: int) -> set[int]:
    found = set()
    with contextlib.suppress(FileNotFoundError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found |= {int(word) for word in path.read_text().split()}
    return found


class Busy:
    """An agent with everything under way that could keep it from its end."""

    def __init__(self, agent: Agent, pids: Path) -> None:
        self.agent, self.pids = agent, pids
        script = STUBBORN.format(pids=shlex.quote(str(pids)))
        for number in range(2):
            for name, check in (
                ("script", {"Args": ["sh", "-c", script]}), ("tcp", {"TCP": "10.255.255.1:80"}),
                ("http", {"HTTP": "http://10.255.255.1/"}),
            ):  # fmt: skip
                body = {"Name": f"{name}{number}", "Interval": "1s", "Timeout": "600s", **check}
                assert agent.call("PUT", "/v1/agent/check/register", json.dumps(body)).status == 200
        self.sockets = [self._socket("http", data) for data in (
            b"", b"GET /v1/kv/x HTT", b"PUT /v1/kv/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
            b"PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
            b"PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde",
            b"GET /v1/agent/monitor?loglevel=debug HTTP/1.1\r\nHost: x\r\n\r\n",
            *(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target for target in (
                b"/v1/kv/x?index=99999&wait=300s", b"/v1/health/service/web?index=99999&wait=300s",
                b"/v1/catalog/nodes?index=99999&wait=300s", b"/v1/event/list?index=9&wait=300s",
            )),
        )]  # fmt: skip
        self.sockets += [self._socket("server", bytes((first, 0, 0))) for first in range(8)]
        self.clients = [
            subprocess.Popen(
                [*program(Subject.OURS), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, "CONSUL_HTTP_ADDR": agent.address},
            )
            for words in (["monitor", "-log-level=debug"], ["watch", "-type=nodes", "sleep", "300"])
        ]  # fmt: skip
        eventually(lambda: pids.exists() and len(pids.read_text().split()) >= 3, "scripts and the handler run")
        self.children = {int(word) for word in pids.read_text().split()} | children(agent.pid)

    def _socket(self, port: str, data: bytes) -> socket.socket:
        connection = socket.create_connection((self.agent.host, self.agent.ports[port]))
        connection.sendall(data)
        return connection

    def close(self) -> None:
        for connection in self.sockets:
            connection.close()
        for client in self.clients:
            client.kill()
            client.wait()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("setting", "end", "code"),
    [
        ("", signal.SIGTERM, 1), ("", signal.SIGINT, 1), ("leave_on_terminate = true", signal.SIGTERM, 0),
        ("", "leave", 0),
    ],
)  # fmt: skip
def test_a_busy_agent_ends_and_leaves_nothing(
    setting: str, end: signal.Signals | str, code: int, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    handler = json.dumps(["sh", "-c", STUBBORN.format(pids=shlex.quote(str(pids)))])
    watches = f'watches = [{{ type = "nodes" handler_type = "script" args = {handler} }}]'
    hcl = f'enable_script_checks = true performance {{ leave_drain_time = "0s" }} {watches} {setting}'
    agent = Agent(Subject.OURS, tmp_path / "agent", ["-log-level=debug", "-hcl", hcl], dev=False)
    agent.start()
    busy = None
    try:
        agent.wait_ready()
        busy = Busy(agent, pids)
        if isinstance(end, str):
            assert agent.call("PUT", "/v1/agent/leave").status == 200
        else:
            agent.signal(end)
        assert agent.wait_exit() == code
        for pid in busy.children:
            eventually(lambda pid=pid: not is_alive(pid), f"process {pid} has ended")
        assert agent.log().rstrip().endswith(f"Exit code: code={code}")
    finally:
        agent.kill()
        if busy is not None:
            busy.close()
    agent.require_quiet()


def test_servers_and_clients_end_in_the_middle_of_everything(tmp_path: Path) -> None:
    """Writes, blocking reads and forwarded calls are under way through everybody while each gets its signal."""
    with Cluster(
        tmp_path, *((f"s{number}", Subject.OURS) for number in range(3)), clients=[("c", Subject.OURS)]
    ) as cluster:
        assert isinstance(cluster, Cluster)
        cluster.settled()
        members = cluster.agents()
        over = threading.Event()

        def read(host: str, port: int, target: str) -> None:
            while not over.is_set():
                connection = http.client.HTTPConnection(host, port, timeout=30)
                with contextlib.suppress(OSError, http.client.HTTPException):
                    connection.request("GET", target)
                    connection.getresponse().read()
                connection.close()
                over.wait(0.02)

        readers = [
            threading.Thread(target=read, args=(member.host, member.ports["http"], target))
            for member in members
            for target in ("/v1/kv/w?recurse&index=1&wait=2s", "/v1/catalog/nodes?index=99999&wait=5s&consistent",
                           "/v1/kv/w?keys&stale")
        ]  # fmt: skip
        with AcknowledgedWrites(cluster, "w") as writes:
            for reader in readers:
                reader.start()
            writes.more(20)
            for member in members:
                assert member.process is not None
                member.process.send_signal(signal.SIGTERM if member.name != "s1" else signal.SIGINT)
                assert member.wait_exit() in (0, 1), member.log()[-2000:]  # a client leaves
            over.set()
        for reader in readers:
            reader.join()
