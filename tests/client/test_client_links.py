"""The ways to an agent: unix sockets, TLS, tokens in files, several loops and threads."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
from pathlib import Path

import pytest
from both import client_of

from proconsul.client import AsyncClient, Client, ClientConfig, ConsulError, PermissionDenied, Unavailable
from proconsul.testing import AgentInLoop, AgentInThread
from support.harness import run

pytestmark = pytest.mark.filterwarnings("error")


async def test_unix_sockets(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    async with AgentInLoop({"addresses": {"http": f"unix://{path}"}}, listen=True):
        client = client_of(kind, f"unix://{path}")
        assert await client.kv.put("a", b"1")
        assert await client.kv.get("a") == b"1"
        await client.aclose()
    client = client_of(kind, f"unix://{path}")
    with pytest.raises(Unavailable, match="dial unix"):
        await client.kv.get("a")
    await client.aclose()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates of an authority of its own."""
    import sys

    folder = tmp_path_factory.mktemp("tls")
    for words in (["ca", "create"], ["cert", "create", "-server", "-additional-ipaddress=127.0.0.1"]):
        done = run([sys.executable, "-m", "proconsul", "tls", *words], cwd=folder, timeout_s=60)
        assert done.returncode == 0, done.stderr
    return folder


async def test_tls(kind: str, authority: Path) -> None:
    from proconsul.testing.ports import free_ports

    (port,) = free_ports(1)
    settings = {
        "ports": {"https": port, "http": -1}, "cert_file": str(authority / "dc1-server-consul-0.pem"),
        "key_file": str(authority / "dc1-server-consul-0-key.pem"), "ca_file": str(authority / "consul-agent-ca.pem"),
    }  # fmt: skip
    async with AgentInLoop(settings):
        trusting = ClientConfig({"CONSUL_CACERT": str(authority / "consul-agent-ca.pem")})
        client = client_of(kind, f"https://127.0.0.1:{port}", config=trusting)
        assert await client.kv.put("a", b"1")
        assert await client.kv.get("a") == b"1"
        await client.aclose()
        for environment in ({}, {"CONSUL_CACERT": trusting.ca_file, "CONSUL_TLS_SERVER_NAME": "another.name"}):
            client = client_of(kind, f"https://127.0.0.1:{port}", config=ClientConfig(environment), timeout=5)
            with pytest.raises(Unavailable, match=r"x509|certificate|tls"):
                await client.kv.get("a")
            await client.aclose()
        blind = ClientConfig({"CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_SSL_VERIFY": "false"})
        client = client_of(kind, f"127.0.0.1:{port}", config=blind)
        assert await client.kv.get("a") == b"1"
        await client.aclose()


async def test_a_token_file_is_read_again(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("00000000-0000-0000-0000-00000000dead\n")
    acl = {"enabled": True, "default_policy": "deny", "tokens": {"master": "5e9f8a0c-0000-4000-8000-000000000001"}}
    async with AgentInLoop({"acl": acl, "primary_datacenter": "dc1"}, listen=True) as agent:
        config = ClientConfig({"CONSUL_HTTP_TOKEN_FILE": str(file)})
        client = client_of(kind, agent.http_address, config=config, token=None)
        with pytest.raises(PermissionDenied):
            await client.kv.get("a")
        # The refusal has it look, as often as that may be.
        file.write_text(acl["tokens"]["master"])  # type: ignore[index]
        os.utime(file, ns=(1, 1))
        assert await client.kv.get("a") is None
        file.unlink()
        assert await client.kv.get("a") is None  # what was known goes on
        await client.aclose()


async def test_a_client_outlives_its_loop() -> None:
    """Whose connections are lost with it, which is told of: nobody has closed them."""

    def use(client: AsyncClient) -> None:
        async def ask() -> None:
            assert await client.kv.put("a", b"1")

        asyncio.run(ask())

    with AgentInThread() as agent:
        client = AsyncClient(agent.http_address)
        await asyncio.to_thread(use, client)
        await asyncio.to_thread(use, client)
        assert await client.kv.get("a") == b"1"
        await client.aclose()
        del client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def test_many_threads_share_a_client() -> None:
    with AgentInThread() as agent, Client(agent.http_address) as client:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for round_ in range(20):
                    assert client.kv.put(f"k{number}", f"{round_}")
                    assert client.kv.get(f"k{number}") == f"{round_}".encode()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


async def test_names_are_looked_up(kind: str) -> None:
    async with AgentInLoop(listen=True) as agent:
        client = client_of(kind, f"localhost:{agent.http_address.rpartition(':')[2]}")
        assert await client.kv.get("a") is None
        await client.aclose()
    client = client_of(kind, "no-such-host.invalid:1", timeout=5)
    with pytest.raises(ConsulError):
        await client.kv.get("a")
    await client.aclose()
