"""DNS under rights: what its token may see, from our own catalog, kept, and made anew when rights change."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest
from acl_locked import NOBODY, Locked

from proconsul.agent.doors.dns_service import DnsService
from proconsul.dns.responder import Responder
from proconsul.testing import AgentInLoop
from proconsul.testing.ports import free_port
from support.patience import PATIENCE_S

A = 1
READ_WEB = 'service "web" { policy = "read" } node_prefix "" { policy = "read" }'


class Names(Locked):
    """An agent whose DNS is asked without a socket."""

    @property
    def responder(self) -> Responder:
        [service] = [part for part in self.agent._parts._parts if isinstance(part, DnsService)]
        return service._responder

    async def ask(self, name: str) -> tuple[int, int]:
        """The code and the number of answers."""
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        packet = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + question + struct.pack("!2H", A, 1)
        self.responder.handle(packet, answered.set_result, tcp=True)
        answer = await answered
        _, flags, _, count, _, _ = struct.unpack_from("!6H", answer)
        return flags & 15, count

    async def use(self, secret: str) -> None:
        await self.done("PUT", "/v1/agent/token/dns", {"Token": secret})

    @property
    def kept(self) -> int:
        return len(self.responder.tcp_cache.entries)


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    async with AgentInLoop(Locked.SETTINGS) as agent:
        found = Names(agent)
        await found.ready()
        for name in ("web", "db"):
            body = {"Node": "n2", "Address": "10.0.0.2", "Service": {"Service": name, "Port": 80}}
            await found.done("PUT", "/v1/catalog/register", body)
        yield found


async def test_dns_sees_what_its_token_may_see(names: Names) -> None:
    assert await names.ask("web.service.consul") == (3, 0), "anonymous may nothing"
    secret, _, _ = await names.token(READ_WEB)
    await names.use(secret)
    for _ in range(3):
        assert await names.ask("web.service.consul") == (0, 1)
        assert await names.ask("db.service.consul") == (3, 0)
        assert await names.ask("n2.node.consul") == (0, 1)
        assert (await names.ask("2.0.0.10.in-addr.arpa"))[0] in (0, 2, 3)
    assert names.kept >= 3, "answers are kept under rights too"
    await names.use("")
    assert await names.ask("web.service.consul") == (3, 0)


async def test_kept_answers_go_with_the_rights_they_were_made_with(names: Names) -> None:
    secret, accessor, policy = await names.token(READ_WEB)
    await names.use(secret)
    assert await names.ask("web.service.consul") == (0, 1)
    rules = READ_WEB.replace("web", "db")
    await names.done("PUT", f"/v1/acl/policy/{policy}", {"ID": policy, "Name": "anew", "Rules": rules})
    assert await names.ask("web.service.consul") == (3, 0)
    assert await names.ask("db.service.consul") == (0, 1)
    role = await names.done("PUT", "/v1/acl/role", {"Name": "r", "Policies": [{"ID": policy}]})
    await names.done("PUT", f"/v1/acl/token/{accessor}", {"Roles": [{"ID": role["ID"]}]})
    assert await names.ask("db.service.consul") == (0, 1)
    await names.done("PUT", f"/v1/acl/role/{role['ID']}", {"Name": "r", "Policies": []})
    assert await names.ask("db.service.consul") == (3, 0)
    await names.done("DELETE", f"/v1/acl/token/{accessor}")
    assert (await names.ask("db.service.consul"))[0] == 2, "a token that is nobody's is an error, not an empty catalog"
    await names.use(NOBODY)
    assert (await names.ask("web.service.consul"))[0] == 2


async def test_answers_of_tokens_that_expire_are_not_kept(names: Names) -> None:
    policy = await names.done("PUT", "/v1/acl/policy", {"Name": "p", "Rules": READ_WEB})
    body = {"Policies": [{"ID": policy["ID"]}], "ExpirationTTL": "60s"}
    token = await names.done("PUT", "/v1/acl/token", body)
    await names.use(token["SecretID"])
    for _ in range(2):
        assert await names.ask("web.service.consul") == (0, 1)
    assert names.kept == 0
    names.agent.node.resolver._now_ns = lambda: 2**62
    assert (await names.ask("web.service.consul"))[0] == 2


async def test_over_a_socket_too() -> None:
    async with AgentInLoop({**Locked.SETTINGS, "ports": {"dns": (port := free_port())}}) as agent:
        other = Names(agent)
        await other.ready()
        secret, _, _ = await other.token('node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }')
        await other.use(secret)
        async with asyncio.timeout(PATIENCE_S):
            while await other.ask("test.node.consul") != (0, 1):
                await asyncio.sleep(0.01)
        packet = struct.pack("!6H", 9, 0x0100, 1, 0, 0, 0) + b"\4test\4node\6consul\0" + struct.pack("!2H", A, 1)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", port))
            for _ in range(3):
                await loop.sock_sendall(sock, packet)
                answer = await asyncio.wait_for(loop.sock_recv(sock, 4096), PATIENCE_S)
                assert struct.unpack_from("!6H", answer)[3] == 1
