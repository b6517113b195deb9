"""Locks and semaphores against a reference agent: they exclude, notice their loss, and clean up."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import cli_reference as reference
import pytest

from proconsul.cli.api import Client
from proconsul.cli.recipes import InUse, Lock, RecipeError, Semaphore
from proconsul.client.lock_keys import LOCK_FLAG
from proconsul.client.settings import ClientConfig

pytestmark = pytest.mark.reference
_NOTICE_S = 20.0


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with reference.running(tmp_path_factory.mktemp("agent")) as agent:
        yield agent.address


@pytest.fixture
def client(address: str) -> Client:
    return Client(ClientConfig({"CONSUL_HTTP_ADDR": address}))


def test_lock_excludes_others_and_cleans_up(client: Client) -> None:
    first, second = Lock(client, "one/.lock"), Lock(client, "one/.lock", wait_s=0.2, try_once=True)
    assert first.acquire() is not None
    pair = client.get("/v1/kv/one/.lock")
    assert isinstance(pair, list)
    assert pair[0]["Flags"] == LOCK_FLAG
    assert second.acquire() is None
    with pytest.raises(InUse, match="Lock in use"):
        second.destroy()
    first.release()
    first.destroy()
    assert client.request("GET", "/v1/kv/one/.lock").status == 404
    with pytest.raises(RecipeError, match="Lock not held"):
        first.release()


def test_lock_loss_is_noticed(client: Client) -> None:
    lock = Lock(client, "lost/.lock")
    lost = lock.acquire()
    assert lost is not None
    assert not lost.is_set()
    client.ok("DELETE", "/v1/kv/lost/.lock").close()
    assert lost.wait(_NOTICE_S)


def test_lock_refuses_keys_of_others(client: Client) -> None:
    client.ok("PUT", "/v1/kv/other/.lock", {"flags": 7}, body=b"x").close()
    with pytest.raises(RecipeError, match="Existing key does not match lock use"):
        Lock(client, "other/.lock").acquire()
    with pytest.raises(RecipeError, match="Existing key does not match semaphore use"):
        Semaphore(client, "other", 2).acquire()


def test_semaphore_has_as_many_places_as_its_limit(client: Client) -> None:
    holders = [Semaphore(client, "sem", 2) for _ in range(2)]
    losses = [holder.acquire() for holder in holders]
    assert None not in losses
    late = Semaphore(client, "sem", 2, wait_s=0.2, try_once=True)
    assert late.acquire() is None
    with pytest.raises(RecipeError, match=r"semaphore limit conflict \(lock: 2, local: 3\)"):
        Semaphore(client, "sem", 3).acquire()
    holders[0].release()
    assert late.acquire() is not None
    late.release()
    with pytest.raises(InUse, match="Semaphore in use"):
        late.destroy()
    holders[1].release()
    holders[1].destroy()
    assert client.request("GET", "/v1/kv/sem/.lock").status == 404


def _lock_command(address: str, prefix: str, *options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*reference.OURS, "lock", "-verbose", *options, prefix, "echo started; exec sleep 60"],
        env={**os.environ, "CONSUL_HTTP_ADDR": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "started\n":
            return process
    raise AssertionError("the child did not start")


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_lock_command_kills_its_child_when_the_session_is_lost(
    address: str, client: Client, options: tuple[str, ...]
) -> None:
    process = _lock_command(address, f"cmd{len(options)}", *options)
    sessions = client.get("/v1/session/list")
    assert isinstance(sessions, list)
    for session in sessions:
        client.put(f"/v1/session/destroy/{session['ID']}").close()
    output, _ = process.communicate(timeout=_NOTICE_S)
    assert "Lock lost, killing child" in output
    assert "Error running handler: signal: terminated" in output
    assert process.returncode in (0, 1)


def test_lock_command_ends_its_child_on_sigterm(address: str) -> None:
    process = _lock_command(address, "term")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=_NOTICE_S)
    assert "Shutdown triggered, killing child" in output
    assert "Cleanup succeeded" in output
    assert process.returncode == 0
