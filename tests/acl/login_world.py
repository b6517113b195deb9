"""An agent with access control in the test's loop, and remote sides beside it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S
from support.remote_sides import Certificate, Signer, serving

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
SETTINGS = {"acl": {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": ROOT}}}
GIVES = {"BindType": "service", "BindName": "web"}
_numbers = itertools.count()


class World:
    """An agent, and what serves remote sides."""

    def __init__(self, agent: AgentInLoop, certificate: Certificate, stack: ExitStack) -> None:
        self.agent, self.certificate, self._stack = agent, certificate, stack

    def serve(self, side: Any) -> Any:
        return self._stack.enter_context(serving(side, self.certificate))

    async def call(self, method: str, target: str, body: Any = None, token: str = ROOT) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        response = await self.agent.request(method, target, data, {"X-Consul-Token": token} if token else {})
        text = response.body.decode()
        return response.status, json.loads(text) if response.status == 200 and text.strip() else text

    async def done(self, method: str, target: str, body: Any = None) -> Any:
        status, found = await self.call(method, target, body)
        assert status == 200, found
        return found

    async def method(self, kind: str, config: Any, *rules: Any, **fields: Any) -> str:
        name = f"m{next(_numbers)}"
        await self.done("PUT", "/v1/acl/auth-method", {"Name": name, "Type": kind, "Config": config, **fields})
        for rule in rules or (GIVES,):
            await self.done("PUT", "/v1/acl/binding-rule", {"AuthMethod": name, **rule})
        return name

    async def login(self, method: str, bearer: str, **more: Any) -> tuple[int, Any]:
        return await self.call("POST", "/v1/acl/login", {"AuthMethod": method, "BearerToken": bearer, **more}, token="")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.made(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


@pytest.fixture
async def world(certificate: Certificate, stack: ExitStack) -> AsyncIterator[World]:
    async with AgentInLoop(SETTINGS) as agent:
        found = World(agent, certificate, stack)
        async with asyncio.timeout(PATIENCE_S):
            while (await found.call("GET", "/v1/acl/token/self"))[0] != 200:
                await asyncio.sleep(0.01)
        yield found


def jwt_config(signer: Signer, **more: Any) -> dict[str, Any]:
    return {"JWTValidationPubKeys": [signer.pem], "ClaimMappings": {"team": "team"}, **more}
