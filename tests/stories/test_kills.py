"""kill -9 at any moment: what was acknowledged is there, and the server starts again."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from support.harness import Agent, Subject, eventually

# A snapshot at nearly every look, and hardly any log kept behind it.
COMPACTING = 'raft_snapshot_interval = "50ms" raft_snapshot_threshold = 10 raft_trailing_logs = 1'
SHORT, LONG = 4, 200


class Server:
    """One server that is killed again and again, and what it acknowledged."""

    def __init__(self, directory: Path) -> None:
        self.agent = Agent(Subject.OURS, directory, ["-hcl", COMPACTING], dev=False)
        self.acknowledged: set[str] = set()
        self._numbers = itertools.count()

    def answers(self) -> bool:
        return self.agent.call("GET", "/v1/kv/none?consistent").status == 404

    def write_until(self, over: threading.Event) -> None:
        client = self.agent.client(5)
        while not over.is_set():
            key = f"k/{next(self._numbers)}"
            try:
                reply = client.call("PUT", f"/v1/kv/{key}", key.encode() * 20)
                if reply.status == 200 and reply.body.strip() == b"true":
                    self.acknowledged.add(key)
            except (OSError, http.client.HTTPException):
                over.wait(0.01)
        client.close()

    def check(self) -> None:
        eventually(self.answers, f"the server is back; log: {self.agent.log()[-2000:]}", 60)
        reply = self.agent.call("GET", "/v1/kv/k/?keys")
        found = set(reply.json()) if reply.status == 200 else set()
        assert self.acknowledged <= found, sorted(self.acknowledged - found)[:10]

    def killed_while(self, seconds: float) -> None:
        """Writers run, and ``seconds`` later it is gone."""
        over = threading.Event()
        writers = [threading.Thread(target=self.write_until, args=(over,)) for _ in range(3)]
        for writer in writers:
            writer.start()
        time.sleep(seconds)
        self.agent.kill()
        over.set()
        for writer in writers:
            writer.join()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "agent")
    yield one
    one.agent.kill()
    one.agent.require_quiet()


@pytest.mark.parametrize("rounds", [SHORT, pytest.param(LONG, marks=(pytest.mark.long, pytest.mark.timeout(1800)))])
def test_at_random_moments_of_writes_and_of_starts(server: Server, rounds: int) -> None:
    """Half of the kills come while it starts: in the first half second, or when the last life's log is read and cut."""
    rng = Random(rounds)
    server.agent.start()
    server.check()
    for number in range(rounds):
        if number % 2:
            server.killed_while(rng.random() * 0.5)
            server.agent.start()
            server.check()
        else:
            server.agent.kill()
            server.agent.start()
            time.sleep(rng.random() * 0.6)
            server.agent.kill()
            server.agent.start()
            server.check()
    assert len(server.acknowledged) > rounds


@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=(pytest.mark.long, pytest.mark.timeout(1800)))])
def test_in_the_middle_of_a_restore(server: Server, rounds: int) -> None:
    """Afterwards there is the state before or the one restored, whole; never a part, and never neither."""
    rng = Random(rounds)
    server.agent.start()
    server.check()
    for number in range(200):
        assert server.agent.call("PUT", f"/v1/kv/k/{number}", b"v" * 5000).status == 200
    kept = server.agent.call("GET", "/v1/snapshot").body
    restored = 0
    for number in range(rounds):
        for key in ("k/0", "k/199"):
            assert server.agent.call("DELETE", f"/v1/kv/{key}").status == 200
        assert server.agent.call("PUT", "/v1/kv/later", str(number).encode()).status == 200
        client = server.agent.client(5)
        restoring = threading.Thread(target=_call_quietly, args=(client, kept))
        restoring.start()
        time.sleep(rng.random() * 0.15)
        server.agent.kill()
        restoring.join()
        server.agent.start()
        eventually(server.answers, "the server is back", 60)
        keys = server.agent.call("GET", "/v1/kv/?keys").json()
        whole = sorted(f"k/{number}" for number in range(200))
        if "later" in keys:
            assert keys == [*sorted(set(whole) - {"k/0", "k/199"}), "later"]
            assert server.agent.call("GET", "/v1/kv/later?raw").text == str(number)
        else:
            assert keys == whole
            restored += 1
    assert server.agent.call("PUT", "/v1/snapshot", kept).status == 200
    assert server.agent.call("GET", "/v1/kv/later").status == 404


def _call_quietly(client, kept: bytes) -> None:  # type: ignore[no-untyped-def]
    try:
        client.call("PUT", "/v1/snapshot", kept)
    except (OSError, http.client.HTTPException):
        return
