"""An agent in this loop that lets nobody do anything without a token."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, ClassVar

from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

ROOT = "11111111-aaaa-4bbb-8ccc-222222222222"
NOBODY = "99999999-aaaa-4bbb-8ccc-222222222222"
numbers = itertools.count()


class Locked:
    """An agent that lets nobody do anything without a token."""

    SETTINGS: ClassVar[dict[str, Any]] = {
        "acl": {"enabled": True, "default_policy": "deny", "tokens": {"initial_management": ROOT}},
        "enable_debug": True,
    }

    def __init__(self, agent: AgentInLoop) -> None:
        self.agent = agent.agent
        self._agent = agent

    async def ready(self) -> None:
        """Wait until there is a token."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.call("GET", "/v1/acl/token/self"))[0] != 200:
                await asyncio.sleep(0.01)

    async def call(self, method: str, target: str, body: Any = None, token: str = ROOT) -> tuple[int, str]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = await self._agent.request(method, target, data, {"X-Consul-Token": token} if token else {})
        return response.status, response.body.decode()

    async def done(self, method: str, target: str, body: Any = None) -> Any:
        status, text = await self.call(method, target, body)
        assert status == 200, text
        return json.loads(text) if text.strip() else None

    async def headers(self, method: str, target: str, token: str) -> dict[str, str]:
        """The headers of the answer."""
        response = await self._agent.request(method, target, b"", {"X-Consul-Token": token} if token else {})
        pairs = (line.split(": ", 1) for line in response.lines.decode().splitlines() if line)
        return dict(pairs) | response.headers

    async def index(self, target: str, token: str) -> str:
        return (await self.headers("GET", target, token))["X-Consul-Index"]

    async def token(self, rules: str) -> tuple[str, str, str]:
        """A new token with one policy: its secret, its accessor, and the id of the policy."""
        name = f"p{next(numbers)}"
        policy = await self.done("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        token = await self.done("PUT", "/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]})
        return token["SecretID"], token["AccessorID"], policy["ID"]
