"""Access control: tokens, policies, roles, ways to log in, and the requests about them (RPC reference, structures)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.gotime import ZERO_TIME, GoTime, to_rfc3339
from proconsul.engine.wire.record import ABSENT, Duration, RaftIndexed, Record, UInt64
from proconsul.features.base import WriteRequest

MANAGEMENT_POLICY_ID = "00000000-0000-0000-0000-000000000001"
READ_ONLY_POLICY_ID = "00000000-0000-0000-0000-000000000002"
ANONYMOUS_ACCESSOR_ID = "00000000-0000-0000-0000-000000000002"
ANONYMOUS_SECRET = "anonymous"
# Types of tokens from before 1.4, which carry their rules themselves.
LEGACY_CLIENT = "client"
LEGACY_MANAGEMENT = "management"


_TIMES = frozenset({"ExpirationTime", "CreateTime", "LastSuccess", "LastError"})
_INDEXES = ("CreateIndex", "ModifyIndex")


def json_form(row: Any) -> dict[str, Any]:
    """The fields of ``row`` as JSON has them: times as text, its indexes last."""
    out: dict[str, Any] = {}
    for name in row.__struct_fields__:
        item = getattr(row, name)
        if name in _INDEXES or name in row.json_hidden or (name in row.json_omitempty and not item):
            continue
        out[name] = to_rfc3339(item) if name in _TIMES else item
    return out | {name: getattr(row, name) for name in _INDEXES if name in row.__struct_fields__}


class ACLRow(RaftIndexed, frozen=True, kw_only=True):
    """A row of one of the tables of access control."""

    def __json__(self) -> dict[str, Any]:
        return json_form(self)


class Link(Record, frozen=True):
    """A policy or role by id; ``Name`` is what it was called when the link was written."""

    go_name: ClassVar[str | None] = "ACLTokenPolicyLink"

    ID: str = ""
    Name: str = ""


class ServiceIdentity(Record, frozen=True):
    """Stands for the policies a service needs, in all datacenters or those named."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Datacenters"})
    go_name: ClassVar[str | None] = "ACLServiceIdentity"

    ServiceName: str = ""
    Datacenters: list[str] | None = None


class NodeIdentity(Record, frozen=True):
    """Stands for the policies the agent of a node needs."""

    go_name: ClassVar[str | None] = "ACLNodeIdentity"

    NodeName: str = ""
    Datacenter: str = ""


class TemplateVariables(Record, frozen=True):
    """What is filled into a template."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Name"})
    go_name: ClassVar[str | None] = "ACLTemplatedPolicyVariables"

    Name: str = ""


class TemplatedPolicy(Record, frozen=True):
    """Stands for a builtin policy with a name filled in (1.17)."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"TemplateVariables", "Datacenters"})
    go_name: ClassVar[str | None] = "ACLTemplatedPolicy"

    TemplateName: str = ""
    TemplateVariables: TemplateVariables | None = None
    Datacenters: list[str] | None = None

    @property
    def variable(self) -> str:
        """The name that is filled in, "" for none."""
        return self.TemplateVariables.Name if self.TemplateVariables is not None else ""


class ACLToken(ACLRow, frozen=True, kw_only=True):
    """``SecretID`` is what requests carry, ``AccessorID`` the public name. ``Type`` and ``Rules`` are of old tokens.

    ``Name`` and ``TemplatedPolicies`` are of newer releases than 1.8.7, which passes over them.
    """

    json_omitempty: ClassVar[frozenset[str]] = frozenset({
        "Name", "Policies", "Roles", "ServiceIdentities", "NodeIdentities", "TemplatedPolicies", "Rules", "AuthMethod",
        "ExpirationTime", "ExpirationTTL",
    })  # fmt: skip
    json_hidden: ClassVar[frozenset[str]] = frozenset({"Type"})
    go_name: ClassVar[str | None] = ""
    go_type: ClassVar[str] = "struct { ExpirationTTL interface {}; Hash string; *structs.Alias }"

    AccessorID: str = ""
    SecretID: str = ""
    Name: str = ABSENT
    Description: str = ""
    Policies: list[Link] | None = None
    Roles: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    TemplatedPolicies: list[TemplatedPolicy] | None = ABSENT
    Type: str = ""
    Rules: str = ""
    Local: bool = False
    AuthMethod: str = ""
    ExpirationTime: GoTime | None = None
    ExpirationTTL: Duration = 0
    CreateTime: GoTime = ZERO_TIME
    Hash: bytes | None = None


class ACLPolicy(ACLRow, frozen=True, kw_only=True):
    """Rules under a name, in all datacenters or those named."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Datacenters"})
    json_hidden: ClassVar[frozenset[str]] = frozenset({"Syntax"})
    go_name: ClassVar[str | None] = ""
    go_type: ClassVar[str] = "struct { Hash string; *structs.Alias }"

    ID: str = ""
    Name: str = ""
    Description: str = ""
    Rules: str = ""
    Syntax: int = 0
    Datacenters: list[str] | None = None
    Hash: bytes | None = None


class ACLRole(ACLRow, frozen=True, kw_only=True):
    """Policies and identities under one name."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({
        "Policies", "ServiceIdentities", "NodeIdentities", "TemplatedPolicies"
    })  # fmt: skip
    go_name: ClassVar[str | None] = ""
    go_type: ClassVar[str] = "struct { Hash string; *structs.Alias }"

    ID: str = ""
    Name: str = ABSENT
    Description: str = ""
    Policies: list[Link] | None = None
    ServiceIdentities: list[ServiceIdentity] | None = None
    NodeIdentities: list[NodeIdentity] | None = None
    TemplatedPolicies: list[TemplatedPolicy] | None = ABSENT
    Hash: bytes | None = None


class ACLBindingRule(ACLRow, frozen=True, kw_only=True):
    """What a login with ``AuthMethod`` is given when ``Selector`` matches it.

    ``BindVars``: of a templated policy, whose values are templates as ``BindName`` is (1.17).
    """

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"BindVars"})

    ID: str = ""
    Description: str = ""
    AuthMethod: str = ""
    Selector: str = ""
    BindType: str = ""
    BindName: str = ""
    BindVars: TemplateVariables | None = ABSENT


class ACLAuthMethod(ACLRow, frozen=True, kw_only=True):
    """A way to log in; ``Config`` is its type's own. ``MaxTokenTTL``: how long its tokens live, 0 for ever.

    ``TokenNameFormat``: a template of their names (1.22).
    """

    json_omitempty: ClassVar[frozenset[str]] = frozenset({
        "DisplayName", "Description", "TokenLocality", "TokenNameFormat"
    })  # fmt: skip
    go_name: ClassVar[str | None] = ""
    go_type: ClassVar[str] = "struct { MaxTokenTTL interface {}; *structs.Alias }"

    Name: str = ""
    Type: str = ""
    DisplayName: str = ""
    Description: str = ""
    MaxTokenTTL: Duration = 0
    TokenLocality: str = ""
    TokenNameFormat: str = ABSENT
    Config: dict[str, Any] | None = None

    def __json__(self) -> dict[str, Any]:
        shown = json_form(self)
        del shown["MaxTokenTTL"]
        return {"MaxTokenTTL": format_duration(self.MaxTokenTTL), **shown} if self.MaxTokenTTL else shown


class TokenSetRequest(Record, frozen=True):
    """``CAS``: skip tokens whose ModifyIndex is not that of the stored one. ``AllowMissingLinks``: policies and roles
    may be unknown. ``ProhibitUnprivileged``: refuse tokens that grant nothing. ``FromReplication``: the auth method
    may be unknown."""

    Tokens: list[ACLToken] | None = None
    CAS: bool = False
    AllowMissingLinks: bool = False
    ProhibitUnprivileged: bool = False
    FromReplication: bool = False


class TokenDeleteRequest(Record, frozen=True):
    """``TokenIDs`` are accessor ids."""

    TokenIDs: list[str] | None = None


class BootstrapRequest(Record, frozen=True):
    """The first management token; ``ResetIndex`` is the index of the bootstrap it is allowed to repeat."""

    Token: ACLToken = ACLToken()
    ResetIndex: UInt64 = 0


class BootstrapRecord(RaftIndexed, frozen=True, kw_only=True):
    """Snapshot record of old servers: ``ModifyIndex`` is when access control was bootstrapped."""

    AllowBootstrap: bool = False


class PolicySetRequest(Record, frozen=True):
    Policies: list[ACLPolicy] | None = None


class PolicyDeleteRequest(Record, frozen=True):
    PolicyIDs: list[str] | None = None


class RoleSetRequest(Record, frozen=True):
    Roles: list[ACLRole] | None = None
    AllowMissingLinks: bool = False


class RoleDeleteRequest(Record, frozen=True):
    RoleIDs: list[str] | None = None


class BindingRuleSetRequest(Record, frozen=True):
    BindingRules: list[ACLBindingRule] | None = None


class BindingRuleDeleteRequest(Record, frozen=True):
    BindingRuleIDs: list[str] | None = None


class AuthMethodSetRequest(Record, frozen=True):
    AuthMethods: list[ACLAuthMethod] | None = None


class AuthMethodDeleteRequest(Record, frozen=True):
    AuthMethodNames: list[str] | None = None


class LegacyOp(StrEnum):
    """Operations on tokens from before 1.4. The texts are on the wire: append only."""

    SET = "set"
    FORCE_SET = "force-set"
    DELETE = "delete"
    BOOTSTRAP_INIT = "bootstrap-init"
    BOOTSTRAP_NOW = "bootstrap-now"


class LegacyACL(ACLRow, frozen=True, kw_only=True):
    """A token from before 1.4; ``ID`` is its secret."""

    go_name: ClassVar[str | None] = "ACL"

    ID: str = ""
    Name: str = ""
    Type: str = ""
    Rules: str = ""


class LegacyACLRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    ACL: LegacyACL = LegacyACL()
