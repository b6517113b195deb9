"""An agent inside the test's own process: ready in milliseconds, nothing to download, real answers.

`AgentInLoop` lives in the caller's event loop; requests go through its front door without a socket, or, with
``listen=True``, through a free port that any Consul client can use. `AgentInThread` is the same for code that is not
asynchronous, and is what the pytest fixture ``consul_agent`` gives.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from proconsul.agent.agent import Agent
from proconsul.agent.config import load
from proconsul.agent.hosting import started, stopped
from proconsul.engine.http.request import Request, Response
from proconsul.server.server import ConsulServer
from proconsul.testing.ports import free_port

__all__ = ["READY_TIMEOUT_S", "AgentInLoop", "AgentInThread"]

# Ready means a leader that has registered itself; this long is far beyond anything but a broken test machine.
READY_TIMEOUT_S = 10.0


def _settings(extra: Mapping[str, Any], listen: bool) -> dict[str, Any]:
    ports = {"http": free_port() if listen else -1, "dns": -1, "grpc": -1, **dict(extra.get("ports") or {})}
    settings: dict[str, Any] = {"dev": True, "node_name": "test", "log_level": "warn", **extra, "ports": ports}
    return settings


class AgentInLoop:
    """An agent in this event loop. ``settings`` are configuration keys, as in a file.

    It is a gossip pool of its own without sockets, unless ``gossip`` is asked for. A client agent (settings ``dev`` and
    ``server`` false) needs that, and is ready when it has started: it may not have found its servers yet.
    """

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, listen: bool = False, gossip: bool = False
    ) -> None:
        self._settings = _settings(settings or {}, listen)
        self._solo = not gossip
        self.agent: Agent

    @property
    def server(self) -> ConsulServer:
        """The side of the agent that is a server; not of a client agent."""
        assert self.agent.server is not None
        return self.agent.server

    @property
    def http_address(self) -> str:
        """``host:port`` of the HTTP API; only with ``listen=True``."""
        endpoint = self.agent.config.fixed.http_addrs[0]
        return f"{endpoint.host}:{endpoint.port}"

    async def __aenter__(self) -> AgentInLoop:
        config, _ = load(self._settings)
        self.agent = Agent(config, solo=self._solo)
        await started(self.agent, READY_TIMEOUT_S)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await stopped(self.agent)

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """One API request through the front door; ``target`` is path and query as in a URL."""
        path, _, query = target.partition("?")
        request = Request(method, path, unquote(path, "utf-8", "surrogateescape"), query,
                          {key.lower(): value for key, value in (headers or {}).items()})  # fmt: skip
        request.body, request.body_bytes = body, len(body)
        return await self.agent.front.answer(request)


class AgentInThread:
    """An agent with its own event loop in a thread, reachable over HTTP at ``http_address``."""

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self._inner = AgentInLoop(settings, listen=True)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proconsul-test-agent", daemon=True)

    @property
    def http_address(self) -> str:
        return self._inner.http_address

    def __enter__(self) -> AgentInThread:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._inner.__aenter__(), self._loop).result(READY_TIMEOUT_S * 2)
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._inner.__aexit__(None, None, None), self._loop).result(READY_TIMEOUT_S)
        self._end_thread()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(READY_TIMEOUT_S)
        self._loop.close()
