"""/v1/agent/{self,members,metrics,host,monitor,version,...} and /v1/status (HTTP API: agent, status)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, NamedTuple

from proconsul import COMPATIBLE_VERSION
from proconsul.agent.api.rights import Rights
from proconsul.agent.config.runtime import FixedConfig
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.telemetry import host
from proconsul.agent.telemetry.description import Description, show_member
from proconsul.agent.telemetry.logs import HostLogs, Monitor, level_number
from proconsul.agent.telemetry.measure import Measure
from proconsul.agent.telemetry.prometheus import CONTENT_TYPE
from proconsul.agent.tokens import AgentTokens
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import Record
from proconsul.features.base import DCSpecificRequest
from proconsul.features.errors import ACLDisabled, BadRequest, ConsulError
from proconsul.features.options import OptionRule
from proconsul.features.server import CallMethod
from proconsul.features.status.model import LEADER, PEERS
from proconsul.features.web import Web


class _AgentToken(Record, frozen=True):
    go_type: ClassVar[str] = "api.AgentToken"
    go_name: ClassVar[str | None] = "AgentToken"
    Token: str = ""


class Controls(NamedTuple):
    """What can be done to an agent from outside. ``end`` has it end with an exit code when the answer is out."""

    reload: Callable[[], Awaitable[None]]
    leave: Callable[[], Awaitable[None]]
    end: Callable[[int], None]


class InfoRoutes:
    """Handlers about the agent itself."""

    def __init__(
        self, web: Web, rights: Rights, pools: Pools, controls: Controls, tokens: AgentTokens, description: Description,
        measure: Measure, logs: HostLogs | None, config: FixedConfig,
    ) -> None:  # fmt: skip
        self.web, self.rights, self.pools, self.controls, self.tokens = web, rights, pools, controls, tokens
        self.description, self.measure, self.logs, self.config = description, measure, logs, config

    def register(self, router: Router) -> None:
        router.add("/v1/agent/self", {"GET": self.self_})
        router.add("/v1/agent/members", {"GET": self.members})
        router.add("/v1/agent/host", {"GET": self.host})
        router.add("/v1/agent/version", {"GET": self.version})
        router.add("/v1/agent/metrics", {"GET": self.metrics})
        router.add("/v1/agent/monitor", {"GET": self.monitor})
        router.add("/v1/agent/reload", {"PUT": self.reload})
        router.add("/v1/agent/leave", {"PUT": self.leave})
        router.add("/v1/agent/join/", {"PUT": self.join})
        router.add("/v1/agent/force-leave/", {"PUT": self.force_leave})
        router.add("/v1/agent/token/", {"PUT": self.token})
        router.add("/v1/status/leader", {"GET": self.leader})
        router.add("/v1/status/peers", {"GET": self.peers})

    # ------------------------------------------------------------------ the agent

    def self_(self, request: Request) -> Answer:
        return self.web.json(request, self.description.agent())

    def members(self, request: Request) -> Answer:
        segment = request.get("segment")
        if segment and segment != "_all":
            raise ConsulError("Network segments are not supported in this version of Consul")
        wan = bool(request.get("wan"))
        if request.has("why"):
            return self._why(request, wan)
        members = self.pools.members(wan=wan)
        shown = [show_member(member) for member in members if self.rights.sees_node(request, member.name)]
        return self.web.json(request, shown, headers=self.rights.filtered(request, members, shown))

    def _why(self, request: Request, wan: bool) -> Answer:
        """What led to the status of one member: an extension of proconsul's own."""
        pool = self.pools.wan if wan else self.pools.lan
        known = pool is not None and self.rights.sees_node(request, request.get("why"))
        found = pool.why(request.get("why")) if pool is not None and known else None
        if found is None:
            raise ConsulError(f"no member of that name: {request.get('why')}", 404)
        return self.web.json(request, found)

    async def host(self, request: Request) -> Response:
        return self.web.json(request, await host.information())

    def version(self, request: Request) -> Answer:
        body = gojson.Object(SHA="", BuildDate="0001-01-01T00:00:00Z", HumanVersion=COMPATIBLE_VERSION, FIPS="")
        return self.web.json(request, body)

    def metrics(self, request: Request) -> Answer:
        self.measure.sample()  # also an agent that has only begun has something to say
        if request.get("format") != "prometheus":
            return self.web.json(request, self.measure.metrics.latest())
        retention_s = self.config.telemetry.prometheus_retention_time_s
        if retention_s <= 0:
            raise ConsulError("Prometheus is not enabled since its retention time is not positive", 415)
        headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"}
        return Response(200, self.measure.metrics.prometheus(retention_s), headers)

    def monitor(self, request: Request) -> Answer:
        """Stream the log until the reader goes away."""
        name = request.get("loglevel") or "INFO"
        level = level_number(name)
        if level is None:
            raise BadRequest(f"Bad request: Unknown log level: {name}")
        logs = self.logs
        if logs is None:
            raise ConsulError("logging is not managed by this agent")
        reader = logs.open_monitor(level, as_json=request.has("logjson"))
        response = Response(200, stream=self._lines(reader))
        response.headers = {"Content-Type": "text/plain; charset=utf-8", "Vary": "Accept-Encoding"}
        return response

    async def _lines(self, reader: Monitor) -> AsyncIterator[bytes]:
        try:
            yield b""  # the header goes out at once, so that readers see they are connected
            while True:
                await reader.ready.wait()
                reader.ready.clear()
                lines = list(reader.lines)
                reader.lines.clear()
                yield "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        finally:
            if self.logs is not None:
                self.logs.close_monitor(reader)

    # ------------------------------------------------------------------ life

    async def reload(self, request: Request) -> Response:
        await self.controls.reload()
        return self.web.empty()

    async def leave(self, request: Request) -> Response:
        await self.controls.leave()
        self.controls.end(0)
        return self.web.empty()

    async def join(self, request: Request) -> Response:
        pools = self.pools
        await (pools.join_wan if request.has("wan") else pools.join_lan)([request.params])
        return self.web.empty()

    async def force_leave(self, request: Request) -> Response:
        """Of a server the name in the WAN pool leaves too (Consul docs: force-leave)."""
        name = request.params
        if not await self.pools.force_leave(name, prune=request.has("prune")):
            raise ConsulError(f"agent: No node found with name '{name}'")
        return self.web.empty()

    def token(self, request: Request) -> Answer:
        if not self.config.acl.enabled:
            raise ACLDisabled()
        body = self.web.body(request, _AgentToken)
        self.tokens.update(request.params, body.Token)
        return self.web.empty()

    # ------------------------------------------------------------------ status

    async def leader(self, request: Request) -> Response:
        return await self._status(request, LEADER)

    async def peers(self, request: Request) -> Response:
        return await self._status(request, PEERS)

    async def _status(self, request: Request, method: CallMethod) -> Response:
        """What this server knows, or for a client any server."""
        self.web.check(request, OptionRule.OPTIONS)
        args = DCSpecificRequest(Datacenter=self.web.datacenter_of(request), Token=self.web.token(request))
        return self.web.json(request, await self.web.gate.call(method, args))
