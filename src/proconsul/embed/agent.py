"""An agent as part of an asyncio program: `EmbeddedAgent`."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from proconsul.agent import hosting
from proconsul.agent.config.sources import CONTROLS, as_in_file
from proconsul.agent.telemetry.logs import HostLogs
from proconsul.client.aio.kit import Scope
from proconsul.engine.ports import is_taken, some_free
from proconsul.engine.supervision import to_the_end
from proconsul.engine.wire.hostport import Address

if TYPE_CHECKING:
    from proconsul.agent.agent import Agent
    from proconsul.client import AsyncClient

__all__ = ["AgentEnded", "EmbeddedAgent"]

log: logging.Logger = logging.getLogger("agent")

# Ready means a leader that has registered itself. Alone that takes milliseconds, with a large state seconds.
READY_TIMEOUT_S: Final = 60.0
# With ports of nobody: how often others may be quicker.
_TRIES: Final = 8
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class AgentEnded(Exception):
    """The agent has ended by a fault: it gave up, and says why in its log.

    ``code`` is what the program would have ended with, were it the agent alone. A fault of the program is the cause of
    this error (``__cause__``).
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the agent has ended by a fault, see its log: code {code}")
        self.code = code


class EmbeddedAgent:
    """An agent in the event loop that runs, with its real sockets and its data directory, if it has one::

        async with EmbeddedAgent({"dev": True}, free_ports=True) as agent:
            async with agent.client() as client:
                await client.kv.put("a", "1")

    ``settings``: configuration keys as in a file, and ``dev`` for what ``-dev`` sets; ``config_files``: files and
    directories, as with ``-config-file``; settings win. ``free_ports``: the listeners whose ports nothing names get
    ports that nobody has, instead of 8500 and so on. ``gossip``: without it, it has no sockets but those of its
    listeners for HTTP and DNS, and is a datacenter of its own.

    It takes no signals, installs no logging handler and sets no level (its logger is ``agent``), and shares nothing
    with others of its kind: any number of them may run in one loop, or in many. Its work is over when `stop` returns.

    When it ends by a fault of its own it stops all of itself, the block of ``async with`` is cancelled, and AgentEnded
    is raised at its end; ``on_end`` hears of it too. Told by somebody to leave (``/v1/agent/leave``) it ends as well,
    and the block goes on.
    """

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *,
        config_files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (), free_ports: bool = False,
        gossip: bool = True, ready_timeout: float = READY_TIMEOUT_S,
        on_end: Callable[[AgentEnded | None], None] | None = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        """``ready_timeout``: seconds; how long `start` waits for an agent that is alone to be ready. ``seed``: of all
        it does by chance, for tests; without it chance is the system's. ``on_end`` is told that it has ended by
        itself: AgentEnded, or None where somebody told it to leave."""
        self._settings: dict[str, Any] = {**(settings or {})}
        if config_files:
            paths = [config_files] if isinstance(config_files, str | os.PathLike) else config_files
            self._settings["config_files"] = [os.fspath(path) for path in paths]
        self._free_ports, self._solo = free_ports, not gossip
        self._ready_timeout, self._on_end, self._seed = ready_timeout, on_end, seed
        self._agent: Agent | None = None
        self._begun: asyncio.Future[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[int] | None = None
        self._failure: AgentEnded | None = None
        self._scope: Scope | None = None
        self._reloading: asyncio.Lock

    # ------------------------------------------------------------------ life

    async def start(self) -> Self:
        """Begin. Returns when HTTP is answered, and when an agent that is alone (``dev``, ``bootstrap``, and
        ``bootstrap_expect`` of 1) leads and is in its own catalog; of others see `ready`.

        Raises ConfigError for settings that cannot be, ConsulError, OSError and RaftError for a start that fails,
        TimeoutError. Nothing is left behind then, nor when it is cancelled.
        """
        if self._agent is not None or self._begun is not None:
            raise RuntimeError("the agent runs already")
        self._settings = as_in_file(self._settings)
        loop = asyncio.get_running_loop()
        self._begun, self._failure, self._stopping = loop.create_future(), None, None
        self._reloading = asyncio.Lock()  # of the loop that runs now
        try:
            self._agent = agent = await self._started()
            self._ended = loop.create_future()
            self._watching = loop.create_task(self._watch(agent, self._ended), name=f"watch of agent {self.node_name}")
        finally:
            self._begun.set_result(None)
            self._begun = None
        log.info("agent is embedded: node=%s http=%s dns=%s", self.node_name, *self._listening(agent))
        return self

    async def _started(self) -> Agent:
        """An agent that runs, with ports that nobody had a moment ago where that is wanted."""
        for turn in range(_TRIES):
            # Checks, keys and certificates are read at a start; nothing else of it waits.
            plan = hosting.plan(self._settings, self._defaults())
            rng = None if self._seed is None else random.Random(self._seed)
            agent = hosting.make(plan, logs=HostLogs(), solo=self._solo, rng=rng)
            hosting.tell(plan)
            try:
                await hosting.started(agent, self._ready_timeout)
            except Exception as error:
                if not (self._free_ports and is_taken(error)) or turn == _TRIES - 1:
                    raise
                continue
            return agent
        raise AssertionError("unreachable")

    def _defaults(self) -> dict[str, object]:
        if not self._free_ports:
            return {}
        http, dns, server, lan, wan = some_free(5, random.SystemRandom())
        return {"ports": {"http": http, "dns": dns, "server": server, "serf_lan": lan, "serf_wan": wan, "grpc": -1}}

    async def _watch(self, agent: Agent, ended: asyncio.Future[int]) -> None:
        """Wait for the agent to want to end, and end it: listeners of an agent that has died would mislead others."""
        code = await asyncio.shield(agent.exit_code)
        failure = AgentEnded(code) if code else None
        if failure is not None and agent.server is not None:
            failure.__cause__ = agent.server.death
        self._failure = failure
        await self._stop_whole(agent)
        log.log(logging.ERROR if code else logging.INFO, "embedded agent has ended: node=%s code=%s",
                agent.config.fixed.node_name, code)  # fmt: skip
        self._agent = None
        if not ended.done():
            ended.set_result(code)
        if failure is not None and self._scope is not None:
            self._scope.cancel()
        if self._on_end is not None:
            asyncio.get_running_loop().call_soon(self._on_end, failure)  # what it raises is the loop's to tell

    def _stop_whole(self, agent: Agent) -> asyncio.Task[None]:
        """Its one stop, whoever asks for it."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(hosting.stopped(agent))
        return self._stopping

    async def stop(self) -> None:
        """End it: no task, thread, socket or file of it is left. Nothing it has acknowledged is lost. May be called
        again, and when it has ended by itself. Whoever is cancelled meanwhile learns of it when it has stopped."""
        await to_the_end(self._stop())

    async def _stop(self) -> None:
        if self._begun is not None:  # somebody else is about to start it
            await asyncio.wait([self._begun])
        agent, watching, ended = self._agent, self._watching, self._ended
        if agent is not None:
            await asyncio.shield(self._stop_whole(agent))
        if watching is not None and watching is not asyncio.current_task():
            if not agent or not agent.exit_code.done():
                watching.cancel()
            await asyncio.wait([watching])
        if agent is self._agent:
            self._agent = self._watching = None
        if ended is not None and not ended.done():
            ended.set_result(0)

    async def leave(self) -> None:
        """Leave the datacenter on purpose, so that nobody takes it for failed, and stop. Raises ConsulError when the
        others cannot do without it just now; it has stopped then, too."""
        try:
            await self._bare.leave()
        finally:
            await self.stop()

    async def reload(self, settings: Mapping[str, Any] | None = None) -> None:
        """Read the files again, and take over ``settings`` in place of those of the start, where they are given.

        Raises ConsulError or ConfigError; everything is as before then. What needs another start is named in the log.
        One comes after the other: whoever is told that it is done has had his own settings.
        """
        _ = self._bare  # raises when it does not run
        async with self._reloading:
            await self._reload(settings)

    async def _reload(self, settings: Mapping[str, Any] | None) -> None:
        agent = self._bare
        before = dict(self._settings)
        if settings is not None:
            wanted = as_in_file(settings)
            kept = {name: value for name, value in before.items() if name in CONTROLS}
            self._settings.clear()  # the plan of the agent has this very mapping
            self._settings.update(kept | wanted)
        try:
            await agent.reload()
        except BaseException:
            self._settings.clear()
            self._settings.update(before)
            raise

    async def ready(self, timeout: float = READY_TIMEOUT_S) -> None:
        """Return when writes have somewhere to go: a leader is known. Raises TimeoutError."""
        await hosting.when_ready(self._bare, timeout)

    async def wait(self) -> None:
        """Return when it has ended, by `stop` or because somebody told it to leave. Raises AgentEnded when that was by
        a fault."""
        if self._ended is None:
            raise RuntimeError(_NOT_RUNNING)
        await asyncio.shield(self._ended)
        if self._failure is not None:
            raise self._failure

    async def __aenter__(self) -> Self:
        await self.start()
        self._scope = Scope()
        if self._failure is not None:  # in the turn in between
            self._scope.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:  # fmt: skip
        scope, self._scope = self._scope, None
        by_us = scope is not None and scope.leave(error)
        await self.stop()
        if self._failure is not None and (error is None or by_us):
            raise self._failure
        return False

    # ------------------------------------------------------------------ where it is

    @property
    def _bare(self) -> Agent:
        """The agent itself. Raises RuntimeError when it does not run."""
        if self._agent is None:
            raise self._failure or RuntimeError(_NOT_RUNNING)
        return self._agent

    @property
    def is_running(self) -> bool:
        """Whether it has started, and not ended."""
        return self._agent is not None

    @property
    def node_name(self) -> str:
        """Its name in the catalog."""
        return self._bare.config.fixed.node_name

    @property
    def http_address(self) -> str:
        """What finds its HTTP API in CONSUL_HTTP_ADDR, or as address of a client: ``host:port``, ``unix://path``, or
        ``https://host:port`` where there is nothing else. Raises RuntimeError when it answers no HTTP."""
        fixed = self._bare.config.fixed
        for scheme, endpoints in (("", fixed.http_addrs), ("https://", fixed.https_addrs)):
            for endpoint in endpoints:
                if endpoint.network == "unix":
                    return f"unix://{endpoint.path}"
                return scheme + str(Address(_ANYWHERE.get(endpoint.host, endpoint.host), endpoint.port))
        raise RuntimeError("this agent answers no HTTP: its settings say so")

    @property
    def dns_address(self) -> str:
        """``host:port`` of DNS, UDP and TCP. Raises RuntimeError when it answers none."""
        for endpoint in self._bare.config.fixed.dns_addrs:
            return str(Address(_ANYWHERE.get(endpoint.host, endpoint.host), endpoint.port))
        raise RuntimeError("this agent answers no DNS: its settings say so")

    @property
    def gossip_address(self) -> str:
        """``host:port`` at which others join its datacenter (``retry_join``)."""
        return str(self._bare.config.fixed.serf_advertise_lan)

    @property
    def _ca_file(self) -> str:
        return self._bare.config.reloadable.tls.https.ca_file

    def _listening(self, agent: Agent) -> tuple[str, str]:
        """What the log says of where it is."""
        fixed = agent.config.fixed
        answers_http = bool(fixed.http_addrs or fixed.https_addrs)
        return self.http_address if answers_http else "none", self.dns_address if fixed.dns_addrs else "none"

    def env(self) -> dict[str, str]:
        """The variables by which other programs find it (CONSUL_HTTP_ADDR, CONSUL_HTTP_SSL, CONSUL_CACERT)."""
        address = self.http_address
        secure = address.startswith("https://")
        found = {"CONSUL_HTTP_ADDR": address.removeprefix("https://"), "CONSUL_HTTP_SSL": str(secure).lower()}
        return {**found, "CONSUL_CACERT": self._ca_file} if secure and self._ca_file else found

    def client(self, *, token: str = "", timeout: float = 30.0) -> AsyncClient:
        """A client of this agent, whatever the environment says; the caller closes it. ``timeout``: of each call, in
        seconds. Raises RuntimeError when the agent answers no HTTP."""
        from proconsul.client import AsyncClient, ClientConfig

        config = ClientConfig(self.env())
        return AsyncClient(self.http_address, token=token, timeout=timeout, config=config)


_NOT_RUNNING: Final = "the agent does not run: use it as an asynchronous context manager, or await start()"
