"""Key operations of gossip encryption, and autopilot's settings (RPC reference, structures; HTTP API: operator)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from proconsul.engine.wire.record import Duration, RaftIndexed, Record, UInt, UInt64
from proconsul.features.base import QueryMeta, QueryOptions, WriteRequest


class KeyOperation(StrEnum):
    """What to do with a key on every member of a pool."""

    LIST = "list"
    INSTALL = "install"
    USE = "use"
    REMOVE = "remove"


class KeyringRequest(QueryOptions, frozen=True, kw_only=True):
    """``Forwarded`` requests were already sent to all datacenters; ``LocalOnly`` ones ask the LAN pool alone."""

    Operation: str = KeyOperation.LIST
    Key: str = ""
    Datacenter: str = ""
    Forwarded: bool = False
    RelayFactor: Annotated[int, "uint8"] = 0
    LocalOnly: bool = False


class KeyringResponse(Record, frozen=True):
    """What one pool answered: how many members have each key, and in ``Messages`` what members complained of."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Messages", "Error"})
    WAN: bool = False
    Datacenter: str = ""
    Segment: str = ""
    Messages: dict[str, str] | None = None
    Keys: dict[str, int] | None = None
    PrimaryKeys: dict[str, int] | None = None
    NumNodes: int = 0
    Error: str = ""


class KeyringResponses(QueryMeta, frozen=True, kw_only=True):
    Responses: list[KeyringResponse] | None = None


class AutopilotConfig(RaftIndexed, frozen=True, kw_only=True):
    """How the leader looks after servers; durations in nanoseconds."""

    CleanupDeadServers: bool = False
    LastContactThreshold: Duration = 0
    MaxTrailingLogs: UInt64 = 0
    MinQuorum: UInt = 0
    ServerStabilizationTime: Duration = 0
    RedundancyZoneTag: str = ""
    DisableUpgradeMigration: bool = False
    UpgradeVersionTag: str = ""


class AutopilotSetConfigRequest(WriteRequest, frozen=True, kw_only=True):
    """``CAS``: only if ``Config.ModifyIndex`` is that of the settings there are."""

    Datacenter: str = ""
    Config: AutopilotConfig = AutopilotConfig()
    CAS: bool = False
