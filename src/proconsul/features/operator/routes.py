"""/v1/operator/{autopilot,raft,usage}, and the RPC methods behind them (HTTP API: operator)."""

from __future__ import annotations

import struct

from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Router
from proconsul.engine.raft.quorum import majority
from proconsul.engine.wire import gojson
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.gostrconv import NumberError, parse_uint
from proconsul.engine.wire.gotime import ZERO_TIME, from_unix_ns, to_rfc3339, to_unix_ns
from proconsul.engine.wire.record import replace
from proconsul.features.base import SECOND_NS, DCSpecificRequest
from proconsul.features.errors import BadRequest
from proconsul.features.operator.model import (
    AutopilotConfig,
    AutopilotServer,
    AutopilotSetConfigRequest,
    AutopilotStateReply,
    OperatorHealthReply,
    RaftConfigurationResponse,
    RaftRemovePeerRequest,
    ServerHealth,
    TransferLeaderRequest,
    UsageReply,
)
from proconsul.features.server import CallMethod, Carry
from proconsul.features.web import Web

_UNHEALTHY = 429


GET_CONFIG = CallMethod("Operator.AutopilotGetConfiguration", DCSpecificRequest, AutopilotConfig, may_be_stale=True)
SET_CONFIG = CallMethod("Operator.AutopilotSetConfiguration", AutopilotSetConfigRequest, bool, reads=False)
HEALTH = CallMethod("Operator.ServerHealth", DCSpecificRequest, OperatorHealthReply)
STATE = CallMethod("Operator.AutopilotState", DCSpecificRequest, AutopilotStateReply)
RAFT_CONFIGURATION = CallMethod(
    "Operator.RaftGetConfiguration", DCSpecificRequest, RaftConfigurationResponse, may_be_stale=True
)
USAGE = CallMethod("Operator.Usage", DCSpecificRequest, UsageReply, may_be_stale=True)
REMOVE_BY_ADDRESS = CallMethod("Operator.RaftRemovePeerByAddress", RaftRemovePeerRequest, None, reads=False)
REMOVE_BY_ID = CallMethod("Operator.RaftRemovePeerByID", RaftRemovePeerRequest, None, reads=False)
TRANSFER = CallMethod("Operator.TransferLeader", TransferLeaderRequest, None, reads=False)


class OperatorRoutes:
    """Handlers. ``call`` carries out a method, here or on another server; ``datacenters`` lists them."""

    def __init__(self, web: Web, call: Carry, datacenters: CallMethod) -> None:
        self.web = web
        self._call, self._datacenters = call, datacenters

    def register(self, router: Router) -> None:
        autopilot, raft = "/v1/operator/autopilot", "/v1/operator/raft"
        router.add(f"{autopilot}/configuration", {"GET": self.get_config, "PUT": self.set_config})
        router.add(f"{autopilot}/health", {"GET": self.health})
        router.add(f"{autopilot}/state", {"GET": self.state})
        router.add("/v1/operator/usage", {"GET": self.usage})
        router.add(f"{raft}/configuration", {"GET": self.raft_configuration})
        router.add(f"{raft}/peer", {"DELETE": self.remove_peer})
        router.add(f"{raft}/transfer-leader", {"POST": self.transfer_leader, "PUT": self.transfer_leader})

    def _read(self, request: Request) -> DCSpecificRequest:
        """The arguments of a read. Raises BadRequest or NoPathToDatacenter."""
        options = self.web.options(request)
        return DCSpecificRequest(
            Datacenter=self.web.datacenter_of(request), Token=self.web.token(request),
            AllowStale=options.consistency == "stale", RequireConsistent=options.consistency == "consistent",
        )  # fmt: skip

    def _write(self, request: Request) -> dict[str, str]:
        return {"Datacenter": self.web.datacenter_of(request), "Token": self.web.token(request)}

    # ------------------------------------------------------------------ autopilot

    async def get_config(self, request: Request) -> Response:
        return self.web.json(request, await self._call(GET_CONFIG, self._read(request)))

    async def set_config(self, request: Request) -> Response:
        options = self._write(request)
        try:
            config = gojson.decode(AutopilotConfig, request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Bad request: Error parsing autopilot config: {error}") from None
        cas = request.has("cas")
        if cas:
            config = replace(config, ModifyIndex=_cas_index(request.get("cas")))
        args = AutopilotSetConfigRequest(**options, Config=config, CAS=cas)
        done = await self._call(SET_CONFIG, args)
        return self.web.json(request, done if cas else True)

    async def health(self, request: Request) -> Response:
        reply: OperatorHealthReply = await self._call(HEALTH, self._read(request))
        body = gojson.Object(
            Healthy=reply.Healthy, FailureTolerance=reply.FailureTolerance,
            Servers=[_shown_health(one) for one in reply.Servers or ()] or None,  # of a leader that is new
        )  # fmt: skip
        return self.web.json(request, body, 200 if reply.Healthy else _UNHEALTHY)

    async def state(self, request: Request) -> Response:
        reply: AutopilotStateReply = await self._call(STATE, self._read(request))
        servers = reply.Servers or []
        alive = sum(one.Voter and one.SerfStatus == MemberStatus.ALIVE for one in servers)
        voters = reply.Voters or []
        body = gojson.Object(
            Healthy=reply.Healthy, FailureTolerance=reply.FailureTolerance,
            # Were every voter that is alive healthy too.
            OptimisticFailureTolerance=max(alive - majority(len(voters)), 0),
            Servers=gojson.Object({one.ID: _shown_server(one) for one in servers}),
            Leader=reply.Leader, Voters=voters, Next=reply.Next,
        )  # fmt: skip
        return self.web.json(request, body)

    # ------------------------------------------------------------------ usage

    async def usage(self, request: Request) -> Response:
        """What is in the catalog; ``?global`` asks every datacenter, and fails when one of them does not answer."""
        args = self._read(request)
        names = [args.Datacenter]
        if request.has("global"):
            local = replace(args, Datacenter=self.web.datacenter)
            names = await self._call(self._datacenters, local) or names
        replies: list[UsageReply] = [await self._call(USAGE, replace(args, Datacenter=name)) for name in names]
        found = {name: usage for reply in replies for name, usage in (reply.Usage or {}).items()}
        body = gojson.Object(
            Usage=gojson.Object(found), Index=max(reply.Index for reply in replies),
            LastContact=max(reply.LastContact for reply in replies),
            KnownLeader=all(reply.KnownLeader for reply in replies),
            ConsistencyLevel=self.web.options(request).consistency or "leader", NotModified=False, Backend=0,
            ResultsFilteredByACLs=False,
        )  # fmt: skip
        return self.web.json(request, body)

    # ------------------------------------------------------------------ Raft

    async def raft_configuration(self, request: Request) -> Response:
        reply: RaftConfigurationResponse = await self._call(RAFT_CONFIGURATION, self._read(request))
        return self.web.json(request, gojson.Object(Servers=reply.Servers or [], Index=reply.Index))

    async def remove_peer(self, request: Request) -> Response:
        options = self._write(request)
        by_id, by_address = request.has("id"), request.has("address")
        if not by_id and not by_address:
            raise BadRequest(
                "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"
            )
        if by_id and by_address:
            raise BadRequest("Bad request: Must specify only one of ?id or ?address")
        args = RaftRemovePeerRequest(**options, ID=request.get("id"), Address=request.get("address"))
        await self._call(REMOVE_BY_ID if by_id else REMOVE_BY_ADDRESS, args)
        return self.web.empty()

    async def transfer_leader(self, request: Request) -> Response:
        await self._call(TRANSFER, TransferLeaderRequest(**self._write(request), ID=request.get("id")))
        return self.web.json(request, gojson.Object(Success=True))


def _cas_index(text: str) -> int:
    """Raises BadRequest."""
    try:
        return parse_uint(text)
    except NumberError as error:
        raise BadRequest(f"Bad request: Error parsing cas value: {error}") from None


def _shown_health(one: ServerHealth) -> gojson.Object:
    return gojson.Object(
        ID=one.ID, Name=one.Name, Address=one.Address, SerfStatus=_status_name(one.SerfStatus),
        Version=one.Version, Leader=one.Leader, LastContact=format_duration(one.LastContact), LastTerm=one.LastTerm,
        LastIndex=one.LastIndex, Healthy=one.Healthy, Voter=one.Voter, StableSince=_to_the_second(one.StableSince),
    )  # fmt: skip


def _shown_server(one: AutopilotServer) -> gojson.Object:
    """A server in the form of Consul 1.9 and later, and why it is what it is."""
    return gojson.Object(
        ID=one.ID, Name=one.Name, Address=one.Address, NodeStatus=_status_name(one.SerfStatus),
        Version=one.Version, LastContact=format_duration(one.LastContact), LastTerm=one.LastTerm,
        LastIndex=one.LastIndex, Healthy=one.Healthy, StableSince=_to_the_second(one.StableSince),
        ReadReplica=one.ReadReplica, Status=one.Status, Meta=gojson.Object(),
        NodeType="voter" if one.Voter else "non-voter", Why=one.Why or [],
    )  # fmt: skip


def _status_name(status: int) -> str:
    """What gossip calls a state; a newer leader may know more of them."""
    return MemberStatus(status).name.lower() if status in set(MemberStatus) else "unknown"


def _to_the_second(time: bytes) -> str:
    """Rounded half away from zero, as Go's Time.Round does. What is no time is the zero time."""
    try:
        return to_rfc3339(from_unix_ns((to_unix_ns(time) + SECOND_NS // 2) // SECOND_NS * SECOND_NS))
    except (ValueError, struct.error):
        return to_rfc3339(ZERO_TIME)
