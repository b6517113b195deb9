"""What is asked of the ACL methods, and what they answer (RPC reference, structures)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import ABSENT, Duration, Record, UInt64
from proconsul.features.acl.model import (
    ACLAuthMethod,
    ACLBindingRule,
    ACLPolicy,
    ACLRole,
    ACLRow,
    ACLToken,
    LegacyACL,
    Link,
    NodeIdentity,
    ServiceIdentity,
    TemplatedPolicy,
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


class ExpandedToken(Record, frozen=True):
    """A token with everything that it comes to here: newer releases' ``?expanded``, and the same field names.

    ExpandedPolicies: in force in this datacenter, also those that identities and templates stand for.
    """

    Token: ACLToken = ACLToken()
    ExpandedPolicies: list[ACLPolicy] | None = None
    ExpandedRoles: list[ACLRole] | None = None
    DefaultPolicy: str = ""
    DownPolicy: str = ""
    ResolvedBy: str = ""

    def __json__(self) -> dict[str, Any]:
        return {
            "ExpandedPolicies": self.ExpandedPolicies, "ExpandedRoles": self.ExpandedRoles,
            "NamespaceDefaultPolicyIDs": None, "NamespaceDefaultRoleIDs": None,
            "AgentACLDefaultPolicy": self.DefaultPolicy, "AgentACLDownPolicy": self.DownPolicy,
            "ResolvedByAgent": self.ResolvedBy, **json_form(self.Token),
        }  # fmt: skip


class ExpandedTokenResponse(QueryMeta, frozen=True, kw_only=True):
    Expanded: ExpandedToken | None = None


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
    ServiceName: str = ""
    Datacenter: str = ""


class TokenListStub(ACLRow, frozen=True, kw_only=True):
    """A token without what is secret of it."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({
        "Name", "Policies", "Roles", "ServiceIdentities", "NodeIdentities", "TemplatedPolicies", "AuthMethod",
        "ExpirationTime", "Legacy",
    })  # fmt: skip

    AccessorID: str = ""
    Name: str = ABSENT
    Description: str = ""
    Policies: list[Link] | None = None
    Roles: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    TemplatedPolicies: list[TemplatedPolicy] | None = ABSENT
    Local: bool = False
    AuthMethod: str = ""
    ExpirationTime: GoTime | None = None
    CreateTime: GoTime = ZERO_TIME
    Hash: bytes | None = None
    Legacy: bool = False

    def __json__(self) -> dict[str, Any]:
        shown = json_form(self)
        legacy = shown.pop("Legacy", False)
        return {**shown, "Legacy": True} if legacy else shown


class TokenBatchRequest(QueryOptions, frozen=True, kw_only=True):
    """The tokens with these accessor ids."""

    AccessorIDs: list[str] | None = None
    Datacenter: str = ""


class TokenBatchResponse(QueryMeta, frozen=True, kw_only=True):
    """``Redacted``: whether secrets were left out, which whoever copies tokens has to know."""

    Tokens: list[ACLToken] | None = None
    Redacted: bool = False
    Removed: bool = False


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


class AuthMethodGetRequest(QueryOptions, frozen=True, kw_only=True):
    AuthMethodName: str = ""
    Datacenter: str = ""


class AuthMethodResponse(QueryMeta, frozen=True, kw_only=True):
    AuthMethod: ACLAuthMethod | None = None


class AuthMethodSetCall(WriteRequest, frozen=True, kw_only=True):
    AuthMethod: ACLAuthMethod = ACLAuthMethod()
    Datacenter: str = ""


class AuthMethodDeleteCall(WriteRequest, frozen=True, kw_only=True):
    AuthMethodName: str = ""
    Datacenter: str = ""


class AuthMethodListStub(ACLRow, frozen=True, kw_only=True):
    """An auth method without its configuration."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"DisplayName", "Description"})

    Name: str = ""
    Type: str = ""
    DisplayName: str = ""
    Description: str = ""


class AuthMethodListResponse(QueryMeta, frozen=True, kw_only=True):
    AuthMethods: list[AuthMethodListStub] | None = None


class BindingRuleGetRequest(QueryOptions, frozen=True, kw_only=True):
    BindingRuleID: str = ""
    Datacenter: str = ""


class BindingRuleResponse(QueryMeta, frozen=True, kw_only=True):
    BindingRule: ACLBindingRule | None = None


class BindingRuleSetCall(WriteRequest, frozen=True, kw_only=True):
    BindingRule: ACLBindingRule = ACLBindingRule()
    Datacenter: str = ""


class BindingRuleDeleteCall(WriteRequest, frozen=True, kw_only=True):
    BindingRuleID: str = ""
    Datacenter: str = ""


class BindingRuleListRequest(QueryOptions, frozen=True, kw_only=True):
    """``AuthMethod``: of which method, "" for all."""

    AuthMethod: str = ""
    Datacenter: str = ""


class BindingRuleListResponse(QueryMeta, frozen=True, kw_only=True):
    BindingRules: list[ACLBindingRule] | None = None


class LoginParams(Record, frozen=True):
    """Who logs in: ``BearerToken`` is the secret of somebody else that proves it. ``Meta``: to tell tokens apart."""

    go_name: ClassVar[str | None] = "ACLLoginParams"

    AuthMethod: str = ""
    BearerToken: str = ""
    Meta: dict[str, str] | None = None


class LoginCall(WriteRequest, frozen=True, kw_only=True):
    Auth: LoginParams = LoginParams()
    Datacenter: str = ""


class LogoutCall(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""


class OIDCAuthURLParams(Record, frozen=True):
    """Who begins to log in. ``ClientNonce``: what only they know; they must show it again."""

    AuthMethod: str = ""
    RedirectURI: str = ""
    ClientNonce: str = ""
    Meta: dict[str, str] | None = None


class OIDCAuthURLCall(WriteRequest, frozen=True, kw_only=True):
    Auth: OIDCAuthURLParams = OIDCAuthURLParams()
    Datacenter: str = ""


class OIDCAuthURL(Record, frozen=True):
    """Where the browser has to go."""

    AuthURL: str = ""


class OIDCCallbackParams(Record, frozen=True):
    """Who has come back: what the provider gave them for us, and what only whoever began knows."""

    AuthMethod: str = ""
    State: str = ""
    Code: str = ""
    ClientNonce: str = ""


class OIDCCallbackCall(WriteRequest, frozen=True, kw_only=True):
    Auth: OIDCCallbackParams = OIDCCallbackParams()
    Datacenter: str = ""


class LegacyGetRequest(QueryOptions, frozen=True, kw_only=True):
    """The token from before 1.4 with the secret ``ACL``."""

    Datacenter: str = ""
    ACL: str = ""


class LegacyACLs(QueryMeta, frozen=True, kw_only=True):
    ACLs: list[LegacyACL] | None = None


class LegacyPolicyRequest(QueryOptions, frozen=True, kw_only=True):
    """The rules of the token with the secret ``ACL``. ``ETag``: of those that whoever asks has already."""

    Datacenter: str = ""
    ACL: str = ""
    ETag: str = ""


class LegacyPolicy(Record, frozen=True):
    """Rules by resource, as agents from before 1.4 know them; what is newer stays empty. Names are prefixes."""

    ID: str = ""
    Revision: UInt64 = 0
    ACL: str = ""
    Agents: list[dict[str, str]] | None = None
    AgentPrefixes: list[dict[str, str]] | None = None
    Keys: list[dict[str, str]] | None = None
    KeyPrefixes: list[dict[str, str]] | None = None
    Nodes: list[dict[str, str]] | None = None
    NodePrefixes: list[dict[str, str]] | None = None
    Services: list[dict[str, str]] | None = None
    ServicePrefixes: list[dict[str, str]] | None = None
    Sessions: list[dict[str, str]] | None = None
    SessionPrefixes: list[dict[str, str]] | None = None
    Events: list[dict[str, str]] | None = None
    EventPrefixes: list[dict[str, str]] | None = None
    PreparedQueries: list[dict[str, str]] | None = None
    PreparedQueryPrefixes: list[dict[str, str]] | None = None
    Keyring: str = ""
    Operator: str = ""


class LegacyPolicyResponse(QueryMeta, frozen=True, kw_only=True):
    """``Parent``: what holds where no rule does. Policy: None when it is that of the ETag. TTL: to keep it, in ns."""

    ETag: str = ""
    Parent: str = ""
    Policy: LegacyPolicy | None = None
    TTL: Duration = 0


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
