"""Records that are the client's alone: where servers keep another form, or have none. Names are Consul's.

Times are in UTC; the year 1 stands for never, as in Go. All other records are the servers' own (`features.*.model`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from proconsul.engine.wire.record import Duration
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, NodeService
from proconsul.features.coordinate.model import Coord
from proconsul.features.query.model import PreparedQuery, QueryDNSOptions
from proconsul.features.txn.model import TxnError, TxnResult

__all__ = [
    "NEVER",
    "AgentHost",
    "AuthMethod",
    "AuthorityConfig",
    "AutopilotHealth",
    "AutopilotHealthServer",
    "AutopilotServerState",
    "AutopilotState",
    "BindingRule",
    "BootstrapToken",
    "Coord",
    "KeyringAnswer",
    "LeafCertificate",
    "LegacyToken",
    "Link",
    "Member",
    "NodeIdentity",
    "Policy",
    "QueryAnswer",
    "QueryExplanation",
    "ReplicationStatus",
    "Role",
    "RootCertificate",
    "RootCertificates",
    "ServiceHealth",
    "ServiceIdentity",
    "ServiceIntention",
    "TemplatedPolicy",
    "Token",
    "TransactionResults",
    "UserEvent",
]  # fmt: skip

NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Reply(msgspec.Struct, kw_only=True, frozen=True):
    """Base of them."""


class Link(Reply, frozen=True):
    """A policy or role, by id or by name."""

    ID: str = ""
    Name: str = ""


class ServiceIdentity(Reply, frozen=True):
    """Stands for the policies a service needs."""

    ServiceName: str = ""
    Datacenters: list[str] | None = None


class NodeIdentity(Reply, frozen=True):
    """Stands for the policies the agent of a node needs."""

    NodeName: str = ""
    Datacenter: str = ""


class TemplatedPolicy(Reply, frozen=True):
    """Stands for a builtin policy with a name filled in (1.17)."""

    TemplateName: str = ""
    TemplateVariables: dict[str, str] | None = None
    Datacenters: list[str] | None = None


class Token(Reply, frozen=True):
    """``SecretID`` is what requests carry, ``AccessorID`` the public name. ``ExpirationTTL``: text or nanoseconds, only
    given when it is made."""

    AccessorID: str = ""
    SecretID: str = ""
    Name: str = ""
    Description: str = ""
    Policies: list[Link] | None = None
    Roles: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    TemplatedPolicies: list[TemplatedPolicy] | None = None
    Local: bool = False
    AuthMethod: str = ""
    ExpirationTime: datetime | None = None
    ExpirationTTL: Duration = 0
    CreateTime: datetime = NEVER
    Hash: bytes | None = None
    Legacy: bool = False
    Rules: str = ""
    CreateIndex: int = 0
    ModifyIndex: int = 0


class BootstrapToken(Token, frozen=True):
    """The first token; ``ID`` is its secret again, for old clients."""

    ID: str = ""


class Policy(Reply, frozen=True):
    """Rules under a name, in all datacenters or those named. Lists have them without rules."""

    ID: str = ""
    Name: str = ""
    Description: str = ""
    Rules: str = ""
    Datacenters: list[str] | None = None
    Hash: bytes | None = None
    CreateIndex: int = 0
    ModifyIndex: int = 0


class Role(Reply, frozen=True):
    """Policies and identities under one name."""

    ID: str = ""
    Name: str = ""
    Description: str = ""
    Policies: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    TemplatedPolicies: list[TemplatedPolicy] | None = None
    Hash: bytes | None = None
    CreateIndex: int = 0
    ModifyIndex: int = 0


class BindingRule(Reply, frozen=True):
    """What a login with ``AuthMethod`` is given when ``Selector`` matches it."""

    ID: str = ""
    Description: str = ""
    AuthMethod: str = ""
    Selector: str = ""
    BindType: str = ""
    BindName: str = ""
    BindVars: dict[str, str] | None = None
    CreateIndex: int = 0
    ModifyIndex: int = 0


class AuthMethod(Reply, frozen=True):
    """A way to log in; ``Config`` is its type's own."""

    Name: str = ""
    Type: str = ""
    DisplayName: str = ""
    Description: str = ""
    MaxTokenTTL: Duration = 0
    TokenLocality: str = ""
    TokenNameFormat: str = ""
    Config: dict[str, Any] | None = None
    CreateIndex: int = 0
    ModifyIndex: int = 0


class LegacyToken(Reply, frozen=True):
    """A token from before 1.4; ``ID`` is its secret."""

    ID: str = ""
    Name: str = ""
    Type: str = ""
    Rules: str = ""
    CreateIndex: int = 0
    ModifyIndex: int = 0


class ReplicationStatus(Reply, frozen=True):
    """How far a secondary datacenter's copy of the primary's access control is."""

    Enabled: bool = False
    Running: bool = False
    SourceDatacenter: str = ""
    ReplicationType: str = ""
    ReplicatedIndex: int = 0
    ReplicatedRoleIndex: int = 0
    ReplicatedTokenIndex: int = 0
    LastSuccess: datetime | None = None
    LastError: datetime | None = None
    LastErrorMessage: str = ""


class Member(Reply, frozen=True):
    """A member of a gossip pool. ``Status``: 1 alive, 2 leaving, 3 left, 4 failed."""

    Name: str = ""
    Addr: str = ""
    Port: int = 0
    Tags: dict[str, str] | None = None
    Status: int = 0
    ProtocolMin: int = 0
    ProtocolMax: int = 0
    ProtocolCur: int = 0
    DelegateMin: int = 0
    DelegateMax: int = 0
    DelegateCur: int = 0


class AgentHost(Reply, frozen=True):
    """What machine an agent runs on, as it describes it."""

    Memory: dict[str, Any] | None = None
    CPU: list[dict[str, Any]] | None = None
    Host: dict[str, Any] | None = None
    Disk: dict[str, Any] | None = None
    CollectionTime: int = 0
    Errors: list[Any] | None = None


class ServiceHealth(Reply, frozen=True):
    """The worst of an instance's checks, as its agent sees it."""

    AggregatedStatus: str = ""
    Service: NodeService = NodeService()
    Checks: list[HealthCheck] | None = None


class UserEvent(Reply, frozen=True):
    """An event that somebody has fired. ``Payload``: its bytes."""

    ID: str = ""
    Name: str = ""
    Payload: bytes | None = None
    NodeFilter: str = ""
    ServiceFilter: str = ""
    TagFilter: str = ""
    Version: int = 0
    LTime: int = 0


class KeyringAnswer(Reply, frozen=True):
    """The keys of one gossip pool, each with how many members have it."""

    WAN: bool = False
    Datacenter: str = ""
    Segment: str = ""
    Messages: dict[str, str] | None = None
    Keys: dict[str, int] | None = None
    PrimaryKeys: dict[str, int] | None = None
    NumNodes: int = 0


class AutopilotHealthServer(Reply, frozen=True):
    """One server as the leader sees it. ``LastContact``: nanoseconds."""

    ID: str = ""
    Name: str = ""
    Address: str = ""
    SerfStatus: str = ""
    Version: str = ""
    Leader: bool = False
    LastContact: Duration = 0
    LastTerm: int = 0
    LastIndex: int = 0
    Healthy: bool = False
    Voter: bool = False
    StableSince: datetime = NEVER


class AutopilotHealth(Reply, frozen=True):
    """``FailureTolerance``: how many voters may fail before there is no quorum."""

    Healthy: bool = False
    FailureTolerance: int = 0
    Servers: list[AutopilotHealthServer] | None = None


class QueryAnswer(Reply, frozen=True):
    """What a prepared query found. ``Failovers``: how many other datacenters were asked."""

    Service: str = ""
    Nodes: list[CheckServiceNode] | None = None
    DNS: QueryDNSOptions = QueryDNSOptions()
    Datacenter: str = ""
    Failovers: int = 0


class QueryExplanation(Reply, frozen=True):
    """The query that a name stands for."""

    Query: PreparedQuery = PreparedQuery()


class AutopilotServerState(AutopilotHealthServer, frozen=True):
    """With its part in the quorum. ``Why``: what decides that part (proconsul's alone)."""

    Status: str = ""
    ReadReplica: bool = False
    Why: list[str] | None = None


class AutopilotState(Reply, frozen=True):
    """What autopilot sees (1.9). ``Next``: what it is about to do, or why nothing (proconsul's alone)."""

    Healthy: bool = False
    FailureTolerance: int = 0
    OptimisticFailureTolerance: int = 0
    Servers: dict[str, AutopilotServerState] | None = None
    Leader: str = ""
    Voters: list[str] | None = None
    Next: str = ""


class LeafCertificate(Reply, frozen=True):
    """A certificate of a service, and its key."""

    SerialNumber: str = ""
    CertPEM: str = ""
    PrivateKeyPEM: str = ""
    Service: str = ""
    ServiceURI: str = ""
    Agent: str = ""
    AgentURI: str = ""
    ValidAfter: datetime = NEVER
    ValidBefore: datetime = NEVER
    CreateIndex: int = 0
    ModifyIndex: int = 0


class RootCertificate(Reply, frozen=True):
    """A root of the mesh; exactly one is active."""

    ID: str = ""
    Name: str = ""
    SerialNumber: int = 0
    SigningKeyID: str = ""
    ExternalTrustDomain: str = ""
    NotBefore: datetime = NEVER
    NotAfter: datetime = NEVER
    RootCert: str = ""
    IntermediateCerts: list[str] | None = None
    Active: bool = False
    PrivateKeyType: str = ""
    PrivateKeyBits: int = 0
    CreateIndex: int = 0
    ModifyIndex: int = 0


class RootCertificates(Reply, frozen=True):
    """All roots that may still be in use."""

    ActiveRootID: str = ""
    TrustDomain: str = ""
    Roots: list[RootCertificate] | None = None


class AuthorityConfig(Reply, frozen=True):
    """Which provider signs certificates, and how."""

    Provider: str = ""
    Config: dict[str, Any] | None = None
    State: dict[str, str] | None = None
    ForceWithoutCrossSigning: bool = False
    CreateIndex: int = 0
    ModifyIndex: int = 0


class ServiceIntention(Reply, frozen=True):
    """Whether one service may connect to another; a name may be ``*``. ``Action``: allow or deny."""

    ID: str = ""
    Description: str = ""
    SourceNS: str = ""
    SourceName: str = ""
    DestinationNS: str = ""
    DestinationName: str = ""
    SourceType: str = "consul"
    Action: str = ""
    Meta: dict[str, str] | None = None
    Precedence: int = 0
    CreatedAt: datetime = NEVER
    UpdatedAt: datetime = NEVER
    CreateIndex: int = 0
    ModifyIndex: int = 0


class TransactionResults(Reply, frozen=True):
    """What the operations of a transaction answered: of each that answers."""

    Results: list[TxnResult] | None = None
    Errors: list[TxnError] | None = None
