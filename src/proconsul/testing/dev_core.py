"""The core of test agents: an `Agent` on a `ClockedLoop`, and what its two kinds of owners know at once."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from random import Random
from typing import Any, cast
from urllib.parse import unquote

from proconsul.agent.agent import Agent
from proconsul.agent.clocks import Clocks
from proconsul.agent.config import load
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.config.sources import as_in_file
from proconsul.agent.hosting import started, stopped
from proconsul.engine.http.connections import ConnectionSet
from proconsul.engine.http.protocol import HTTPProtocol
from proconsul.engine.http.request import Request, Response
from proconsul.engine.streams import listener
from proconsul.testing.agent_state import AgentSnapshot, capture, restore
from proconsul.testing.answers import Body, HttpAnswer, encoded, headers_of
from proconsul.testing.clocked_loop import ClockedLoop
from proconsul.testing.faulty_door import DoorFaults, FaultyDoor
from proconsul.testing.ports import free_port

__all__ = ["AgentHandle", "Core", "FaultVerbs", "answer_of"]

# Ready means a leader that has registered itself; this long is far beyond anything but a broken test machine.
READY_TIMEOUT_S = 60.0
HOST = "127.0.0.1"


class _Refusing(asyncio.Protocol):
    """What a failed node does with connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()  # uvloop's are none by their class


class Core:
    """The agent, on its loop. Coroutines and callbacks of this class run there."""

    settings: dict[str, Any]
    token: str
    loop: ClockedLoop

    def __init__(self, settings: Mapping[str, Any] | None, *, dns: bool, seed: int | None, token: str) -> None:
        self.settings, self.token = dict(settings or {}), token
        self._dns, self._seed = dns, seed
        self.loop = ClockedLoop()
        self.agent: Agent | None = None
        self.door: FaultyDoor
        self.begin: AgentSnapshot
        self._connections = ConnectionSet()
        self._listeners: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._http: tuple[str, int] | None = None

    @property
    def running(self) -> Agent:
        if self.agent is None:
            raise RuntimeError("the agent does not run: use it as a context manager, or call start()")
        return self.agent

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Raises ConsulError and what else a start raises; nothing is left behind then."""
        ports = {"http": -1, "dns": free_port() if self._dns else -1, "grpc": -1, **(self.settings.get("ports") or {})}
        config = configuration({"dev": True, "node_name": "test", "log_level": "warn", **self.settings, "ports": ports})
        rng = None if self._seed is None else Random(self._seed)
        agent = Agent(config, solo=True, rng=rng, clocks=Clocks(self.loop.time, self.loop.wall))
        if agent.server is None:
            raise ValueError("a development agent is a server: settings may not make it a client")
        await started(agent, READY_TIMEOUT_S)
        self.agent, self.door = agent, FaultyDoor(agent.audit.door(agent.front, agent.rights))
        if not config.fixed.data_dir or config.fixed.dev_mode:
            self.begin = capture(agent)

    async def stop(self) -> None:
        """Nothing of it is left on the loop."""
        self.loop.thaw()  # what ends in an orderly way has deadlines
        agent, self.agent = self.agent, None
        for one in self._listeners:
            one.close()
        for sock in self._sockets:
            sock.close()
        self._connections.close()
        if agent is not None:
            await stopped(agent)
        await asyncio.sleep(0)

    async def end_rest(self) -> None:
        """End what others have begun on the loop."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self.loop.shutdown_asyncgens()
        await self.loop.shutdown_default_executor()

    # ------------------------------------------------------------------ sockets

    def http(self) -> tuple[str, int]:
        """Where HTTP is answered, from the first time on that this is asked for. May be called on any thread."""
        agent = self.running
        if self._http is None:
            configured = agent.config.fixed.http_addrs
            if configured:
                self._http = configured[0].host, configured[0].port
            else:
                sock = socket.create_server((HOST, 0), backlog=256)
                sock.setblocking(False)
                self._http = HOST, sock.getsockname()[1]
                self._sockets.append(sock)
                asyncio.run_coroutine_threadsafe(self._listen(sock), self.loop)
        return self._http

    async def _listen(self, sock: socket.socket) -> None:
        if self.agent is not None:  # else it was stopped before it came to this
            self._listeners.append(await listener(self.loop.create_server(self._protocol, sock=sock)))

    def _protocol(self) -> asyncio.Protocol:
        return _Refusing() if self.door.faults.down else HTTPProtocol(self.door, self._connections)

    def dns(self) -> tuple[str, int]:
        addresses = self.running.config.fixed.dns_addrs
        if not addresses:
            raise RuntimeError("this agent answers no DNS: begin it with dns=True")
        return addresses[0].host, addresses[0].port

    def env(self) -> dict[str, str]:
        host, port = self.http()
        found = {"CONSUL_HTTP_ADDR": f"{host}:{port}", "CONSUL_HTTP_SSL": "false"}
        return {**found, "CONSUL_HTTP_TOKEN": self.token} if self.token else found

    # ------------------------------------------------------------------ what it is asked

    async def request(self, method: str, target: str, body: Body, headers: Mapping[str, str] | None) -> HttpAnswer:
        self.running  # noqa: B018
        path, _, query = target.partition("?")
        named = {key.lower(): value for key, value in headers_of(self.token, headers).items()}
        request = Request(method, path, unquote(path, "utf-8", "surrogateescape"), query, named)
        request.body = encoded(body)
        request.body_bytes, request.peer = len(request.body), HOST
        response = await self.door.answer(request)
        return await answer_of(response)

    # ------------------------------------------------------------------ state, faults

    async def snapshot(self) -> AgentSnapshot:
        await self.loop.settle(patience_s=0.0)
        return capture(self.running)

    async def restore(self, kept: AgentSnapshot) -> None:
        await self.loop.settle(patience_s=0.0)  # what is on its way to the catalog would come after
        restore(self.running, kept)

    async def reset(self) -> None:
        """As it was when it had started, with nothing wrong."""
        _ = self.running
        self.door.faults = DoorFaults()
        if not hasattr(self, "begin"):
            raise RuntimeError("an agent with a data directory cannot be reset: begin another one")
        await self.restore(self.begin)

    def cut_connections(self) -> None:
        for connection in [*self._connections._open]:
            connection.close_now()


# By its settings as JSON. Most tests have the same few, and a configuration is never changed.
_configurations: dict[str, RuntimeConfig] = {}
_CONFIGURATIONS_MAX = 64
# What these lead to may be another thing the next time.
_LEADS_OUTSIDE = frozenset({"config_files", "hcl", "data_dir", "auto_config", "config_entries", "node_id"})


def configuration(settings: Mapping[str, Any]) -> RuntimeConfig:
    """What a configuration file with ``settings`` comes to. Raises ConfigError."""
    decoded = as_in_file(settings)
    if not _LEADS_OUTSIDE.isdisjoint(settings):
        return load(decoded)[0]
    key = json.dumps(settings, default=os.fspath)
    if key not in _configurations:
        while len(_configurations) >= _CONFIGURATIONS_MAX:
            del _configurations[next(iter(_configurations))]
        _configurations[key] = load(decoded)[0]
    return _configurations[key]


async def answer_of(response: Response) -> HttpAnswer:
    headers = {key.lower(): value for key, value in response.headers.items()}
    for line in bytes(response.lines or b"").decode("latin-1").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    body = response.body
    if response.stream is not None:
        body = b"".join([part async for part in response.stream])
    return HttpAnswer(response.status, headers, body)


class AgentHandle:
    """What agents of both kinds know at once."""

    _core: Core

    @property
    def agent(self) -> Agent:
        """The agent itself. It lives on its own loop: touch it there only."""
        return self._core.running

    @property
    def token(self) -> str:
        """The secret that requests of this object, and `env`, go with."""
        return self._core.token

    @token.setter
    def token(self, secret: str) -> None:
        self._core.token = secret

    @property
    def http_address(self) -> str:
        """``host:port`` of the HTTP API. The first look opens the port, one that nobody else has."""
        host, port = self._core.http()
        return f"{host}:{port}"

    @property
    def http_port(self) -> int:
        return self._core.http()[1]

    @property
    def url(self) -> str:
        return f"http://{self.http_address}"

    @property
    def dns_port(self) -> int:
        """Of UDP and TCP. Raises RuntimeError without ``dns=True``."""
        return self._core.dns()[1]

    @property
    def dns_address(self) -> str:
        host, port = self._core.dns()
        return f"{host}:{port}"

    def env(self) -> dict[str, str]:
        """The variables with which programs find this agent (CONSUL_HTTP_ADDR...)."""
        return self._core.env()

    @property
    def now(self) -> float:
        """Seconds of the agent's clock."""
        return self._core.loop.time()

    # ------------------------------------------------------------------ time

    def freeze(self) -> None:
        """Have the agent's time stand still: no TTL ends, no check runs, no deadline passes."""
        self._core.loop.freeze()

    def thaw(self) -> None:
        """Let time pass again."""
        self._core.loop.thaw()
        self._core.loop.call_soon_threadsafe(lambda: None)  # it has deadlines again


class FaultVerbs:
    """What can be wrong with an agent of either kind, from the next request on, until `recover`."""

    _core: Core

    @property
    def faults(self) -> DoorFaults:
        """All that is wrong now."""
        return self._core.door.faults

    def recover(self) -> None:
        """Nothing is wrong any more."""
        self._core.door.faults = DoorFaults()

    def fail(self) -> None:
        """The node has failed: connections are reset, in-memory requests raise ConnectionResetError."""
        self.faults.down = True
        self._core.loop.call_soon_threadsafe(self._core.cut_connections)

    def deny(self, token: str = "") -> None:
        """HttpAnswer requests with this token's secret with 403; "": requests without a token."""
        self.faults.denied.add(token)

    def lose_leader(self) -> None:
        """Nobody leads: writes and reads fail with 500, but for stale ones."""
        self.faults.leaderless = True

    def lose_leader_in_next_write(self, times: int = 1) -> None:
        """The next writes are done, and the answer is 500: whoever wrote cannot know."""
        self.faults.lost_writes = times

    def fill_disk(self) -> None:
        """Writes fail with 500."""
        self.faults.disk_full = True

    def slow_disk(self, seconds: float) -> None:
        """Each write takes ``seconds`` of the agent's time."""
        self.faults.disk_s = seconds

    def slow_answers(self, seconds: float) -> None:
        """Each answer takes ``seconds`` of the agent's time."""
        self.faults.answer_s = seconds

    def refuse(self, status: int, text: str = "", *, times: int = 1) -> None:
        """HttpAnswer the next ``times`` requests with this."""
        self.faults.refusals.extend([(status, text)] * times)
