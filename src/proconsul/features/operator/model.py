"""What operators ask and change: autopilot, the servers in Raft (RPC reference, structures)."""

from __future__ import annotations

from typing import ClassVar

from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import Duration, RaftIndexed, Record, UInt, UInt64
from proconsul.features.base import Nanoseconds, WriteRequest


class AutopilotConfig(RaftIndexed, frozen=True, kw_only=True):
    """How the leader looks after servers; durations in nanoseconds, in JSON as text."""

    go_type: ClassVar[str] = "api.AutopilotConfiguration"
    go_name: ClassVar[str | None] = "AutopilotConfiguration"
    CleanupDeadServers: bool = False
    LastContactThreshold: Duration = 0
    MaxTrailingLogs: UInt64 = 0
    MinQuorum: UInt = 0
    ServerStabilizationTime: Duration = 0
    RedundancyZoneTag: str = ""
    DisableUpgradeMigration: bool = False
    UpgradeVersionTag: str = ""

    def __json__(self) -> object:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        indexes = {name: values.pop(name) for name in ("CreateIndex", "ModifyIndex")}
        for name in ("LastContactThreshold", "ServerStabilizationTime"):
            values[name] = format_duration(values[name])
        return values | indexes


class AutopilotSetConfigRequest(WriteRequest, frozen=True, kw_only=True):
    """``CAS``: only if ``Config.ModifyIndex`` is that of the settings there are."""

    Datacenter: str = ""
    Config: AutopilotConfig = AutopilotConfig()
    CAS: bool = False


class ServerHealth(Record, frozen=True):
    """One server of the Raft configuration as the leader sees it. ``LastContact`` is negative when it never had any."""

    ID: str = ""
    Name: str = ""
    Address: str = ""
    SerfStatus: int = 0
    Version: str = ""
    Leader: bool = False
    LastContact: Nanoseconds = 0
    LastTerm: int = 0
    LastIndex: int = 0
    Healthy: bool = False
    Voter: bool = False
    StableSince: GoTime = ZERO_TIME


class OperatorHealthReply(Record, frozen=True):
    """``FailureTolerance``: how many voters may fail before there is no quorum."""

    Healthy: bool = False
    FailureTolerance: int = 0
    Servers: list[ServerHealth] | None = None


class AutopilotServer(ServerHealth, frozen=True):
    """A server with its part in the quorum (HTTP API: operator/autopilot, state).

    Status: leader, voter or non-voter. Why: what decides that part, in sentences; an extension of proconsul's own.
    """

    Status: str = ""
    ReadReplica: bool = False
    Why: list[str] | None = None


class AutopilotStateReply(Record, frozen=True):
    """What autopilot sees and is about to do. ``Next``: its next step or why there is none; an extension."""

    Healthy: bool = False
    FailureTolerance: int = 0
    Servers: list[AutopilotServer] | None = None
    Leader: str = ""
    Voters: list[str] | None = None
    Next: str = ""


class RaftServer(Record, frozen=True):
    """One server of the Raft configuration. ``ProtocolVersion``: of Raft's protocol, empty when gossip knows none.

    ``LastIndex``: of its log's last entry, as autopilot last heard; 0 where that is not known (from 1.16 on).
    """

    ID: str = ""
    Node: str = ""
    Address: str = ""
    Leader: bool = False
    ProtocolVersion: str = ""
    Voter: bool = False
    LastIndex: UInt64 = 0


class RaftConfigurationResponse(Record, frozen=True):
    Servers: list[RaftServer] | None = None
    Index: int = 0


class ServiceUsage(Record, frozen=True):
    """What is in the catalog of one datacenter; ``ConnectServiceInstances`` by kind (from 1.14 on)."""

    Services: int = 0
    ServiceInstances: int = 0
    ConnectServiceInstances: dict[str, int] | None = None
    BillableServiceInstances: int = 0
    Nodes: int = 0


class UsageReply(Record, frozen=True):
    """``Usage`` by datacenter. ``Index``: of the last change that could count. ``LastContact``: nanoseconds since the
    server that answered heard the leader."""

    Usage: dict[str, ServiceUsage] | None = None
    Index: int = 0
    KnownLeader: bool = False
    LastContact: int = 0


class RaftRemovePeerRequest(WriteRequest, frozen=True, kw_only=True):
    """Either ``Address`` or ``ID`` names the server."""

    Datacenter: str = ""
    Address: str = ""
    ID: str = ""


class TransferLeaderRequest(WriteRequest, frozen=True, kw_only=True):
    """``ID``: who shall lead; empty for whoever has most of the log."""

    Datacenter: str = ""
    ID: str = ""
