"""What is asked of the ACL methods, and what they answer (RPC reference, structures)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import Record, UInt64
from proconsul.features.acl.model import (
    ACLPolicy,
    ACLRole,
    ACLRow,
    ACLToken,
    Link,
    NodeIdentity,
    ServiceIdentity,
    json_form,
)
from proconsul.features.base import QueryMeta, QueryOptions, WriteRequest

# In place of a secret, for those who may not see it.
HIDDEN = "<hidden>"


class TokenGetRequest(QueryOptions, frozen=True, kw_only=True):
    """``TokenIDType`` is ``accessor`` or ``secret``, which is also what "" means."""

    TokenID: str = ""
    TokenIDType: str = ""
    Datacenter: str = ""


class TokenResponse(QueryMeta, frozen=True, kw_only=True):
    Token: ACLToken | None = None
    Redacted: bool = False
    SourceDatacenter: str = ""


class TokenSetCall(WriteRequest, frozen=True, kw_only=True):
    """ACL.TokenSet and TokenClone. ``Create``: the token must be new."""

    ACLToken: ACLToken = ACLToken()
    Create: bool = False
    Datacenter: str = ""


class TokenDeleteCall(WriteRequest, frozen=True, kw_only=True):
    TokenID: str = ""
    Datacenter: str = ""


class TokenListRequest(QueryOptions, frozen=True, kw_only=True):
    IncludeLocal: bool = False
    IncludeGlobal: bool = False
    Policy: str = ""
    Role: str = ""
    AuthMethod: str = ""
    Datacenter: str = ""


class TokenListStub(ACLRow, frozen=True, kw_only=True):
    """A token without what is secret of it."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({
        "Policies", "Roles", "ServiceIdentities", "NodeIdentities", "AuthMethod", "ExpirationTime", "Legacy",
    })  # fmt: skip

    AccessorID: str = ""
    Description: str = ""
    Policies: list[Link] | None = None
    Roles: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    Local: bool = False
    AuthMethod: str = ""
    ExpirationTime: GoTime | None = None
    CreateTime: GoTime = ZERO_TIME
    Hash: bytes | None = None
    Legacy: bool = False


class TokenListResponse(QueryMeta, frozen=True, kw_only=True):
    Tokens: list[TokenListStub] | None = None


class PolicyGetRequest(QueryOptions, frozen=True, kw_only=True):
    """By id, or else by name."""

    PolicyID: str = ""
    PolicyName: str = ""
    Datacenter: str = ""


class PolicyResponse(QueryMeta, frozen=True, kw_only=True):
    Policy: ACLPolicy | None = None


class PolicySetCall(WriteRequest, frozen=True, kw_only=True):
    Policy: ACLPolicy = ACLPolicy()
    Datacenter: str = ""


class PolicyDeleteCall(WriteRequest, frozen=True, kw_only=True):
    PolicyID: str = ""
    Datacenter: str = ""


class ListRequest(QueryOptions, frozen=True, kw_only=True):
    """``Policy``: of roles, those that link to it."""

    Policy: str = ""
    Datacenter: str = ""


class PolicyListStub(ACLRow, frozen=True, kw_only=True):
    """A policy without its rules."""

    ID: str = ""
    Name: str = ""
    Description: str = ""
    Datacenters: list[str] | None = None
    Hash: bytes | None = None


class PolicyListResponse(QueryMeta, frozen=True, kw_only=True):
    Policies: list[PolicyListStub] | None = None


class RoleGetRequest(QueryOptions, frozen=True, kw_only=True):
    """By id, or else by name."""

    RoleID: str = ""
    RoleName: str = ""
    Datacenter: str = ""


class RoleResponse(QueryMeta, frozen=True, kw_only=True):
    Role: ACLRole | None = None


class RoleSetCall(WriteRequest, frozen=True, kw_only=True):
    Role: ACLRole = ACLRole()
    Datacenter: str = ""


class RoleDeleteCall(WriteRequest, frozen=True, kw_only=True):
    RoleID: str = ""
    Datacenter: str = ""


class RoleListResponse(QueryMeta, frozen=True, kw_only=True):
    Roles: list[ACLRole] | None = None


class Question(Record, frozen=True):
    """May ``Access`` be had of ``Segment`` of ``Resource``?"""

    go_name: ClassVar[str | None] = "ACLAuthorizationRequest"

    Resource: str = ""
    Segment: str = ""
    Access: str = ""


class Answered(Record, frozen=True):
    """A question with its answer."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Segment"})

    Resource: str = ""
    Segment: str = ""
    Access: str = ""
    Allow: bool = False


class AuthorizeRequest(QueryOptions, frozen=True, kw_only=True):
    """Questions about the token that asks."""

    Datacenter: str = ""
    Requests: list[Question] | None = None


class BootstrapCall(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""


class PolicyBatchRequest(QueryOptions, frozen=True, kw_only=True):
    """Of the policies of the token that asks, those with these ids."""

    PolicyIDs: list[str] | None = None
    Datacenter: str = ""


class PolicyBatchResponse(QueryMeta, frozen=True, kw_only=True):
    Policies: list[ACLPolicy] | None = None


class RoleBatchRequest(QueryOptions, frozen=True, kw_only=True):
    """Of the roles of the token that asks, those with these ids."""

    RoleIDs: list[str] | None = None
    Datacenter: str = ""


class ReplicationStatus(Record, frozen=True):
    """How far a secondary datacenter is with copying; in the primary nothing runs."""

    Enabled: bool = False
    Running: bool = False
    SourceDatacenter: str = ""
    ReplicationType: str = ""
    ReplicatedIndex: UInt64 = 0
    ReplicatedRoleIndex: UInt64 = 0
    ReplicatedTokenIndex: UInt64 = 0
    LastSuccess: GoTime = ZERO_TIME
    LastError: GoTime = ZERO_TIME

    def __json__(self) -> dict[str, Any]:
        return json_form(self)


class ExplainRequest(QueryOptions, frozen=True, kw_only=True):
    """About the token with ``AccessorID``, or the one that asks."""

    Datacenter: str = ""
    AccessorID: str = ""
    Question: Question = Question()


class Explanation(Record, frozen=True):
    """A decision with where it was made: a rule of a policy, or the default.

    Needed: the rule that would allow it.
    """

    AccessorID: str = ""
    Resource: str = ""
    Access: str = ""
    Segment: str = ""
    Allow: bool = False
    Policy: str = ""
    Rule: str = ""
    Default: bool = False
    Needed: str = ""
