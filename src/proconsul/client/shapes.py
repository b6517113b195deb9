"""What Consul's Go client takes answers for: the type behind each path, and what it says of an answer of another type.

Values are read as ``encoding/json`` does it: names match without regard to case, ``null`` and what is missing are zero
values, more fields than are known stay as they are. Pure. Source: the documentation of Go's ``api`` package, and the
error texts of Consul 1.8.7.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final

from proconsul.client.gojson import GoJsonError, Json, kind_of

__all__ = ["answer_type", "read"]

# The longest beginning of a path decides.
_ANSWERS: Final = {
    "/v1/acl/auth-method": "api.ACLAuthMethod", "/v1/acl/auth-methods": "[]*api.ACLAuthMethodListEntry",
    "/v1/acl/binding-rule": "api.ACLBindingRule", "/v1/acl/binding-rules": "[]*api.ACLBindingRule",
    "/v1/acl/bootstrap": "api.ACLToken", "/v1/acl/login": "api.ACLToken", "/v1/acl/policies":
    "[]*api.ACLPolicyListEntry", "/v1/acl/policy": "api.ACLPolicy", "/v1/acl/role": "api.ACLRole",
    "/v1/acl/roles": "[]*api.ACLRole", "/v1/acl/token": "api.ACLToken", "/v1/acl/tokens": "[]*api.ACLTokenListEntry",
    "/v1/agent/checks": "map[string]*api.AgentCheck", "/v1/agent/members": "[]*api.AgentMember",
    "/v1/agent/self": "map[string]map[string]interface {}", "/v1/catalog/datacenters": "[]string",
    "/v1/catalog/node/": "api.CatalogNode", "/v1/catalog/nodes": "[]*api.Node",
    "/v1/catalog/service/": "[]*api.CatalogService", "/v1/catalog/services": "map[string][]string",
    "/v1/config/": "map[string]interface {}", "/v1/connect/ca/configuration": "api.CAConfig",
    "/v1/connect/intentions": "[]*api.Intention", "/v1/connect/intentions/": "api.Intention",
    "/v1/connect/intentions/check": "struct { Allowed bool }",
    "/v1/connect/intentions/match": "map[string][]*api.Intention",
    "/v1/coordinate/datacenters": "[]*api.CoordinateDatacenterMap", "/v1/coordinate/nodes": "[]*api.CoordinateEntry",
    "/v1/event/fire/": "api.UserEvent", "/v1/event/list": "[]*api.UserEvent",
    "/v1/health/service/": "[]*api.ServiceEntry", "/v1/kv/": "[]*api.KVPair",
    "/v1/operator/autopilot/configuration": "api.AutopilotConfiguration",
    "/v1/operator/autopilot/state": "api.AutopilotState", "/v1/operator/keyring": "[]*api.KeyringResponse",
    "/v1/operator/raft/configuration": "api.RaftConfiguration", "/v1/session/create": "struct { ID string }",
}  # fmt: skip
_LINKS: Final = "Policies []*api.ACLLink; Roles []*api.ACLLink"
_INDEXES: Final = "CreateIndex uint64; ModifyIndex uint64"
# The fields that commands look at.
_STRUCTS: Final = {
    "ACLAuthMethod": f"Name string; Type string; Description string; Config map[string]interface {{}}; {_INDEXES}",
    "ACLAuthMethodListEntry": f"Name string; Type string; Description string; {_INDEXES}",
    "ACLBindingRule": "ID string; Description string; AuthMethod string; Selector string; BindType string; "
                      f"BindName string; {_INDEXES}",
    "ACLLink": "ID string; Name string",
    "ACLPolicy": f"ID string; Name string; Description string; Rules string; Datacenters []string; {_INDEXES}",
    "ACLPolicyListEntry": f"ID string; Name string; Description string; Datacenters []string; {_INDEXES}",
    "ACLRole": f"ID string; Name string; Description string; {_LINKS}; {_INDEXES}",
    "ACLToken": f"AccessorID string; SecretID string; Description string; {_LINKS}; Local bool; {_INDEXES}",
    "ACLTokenListEntry": f"AccessorID string; Description string; {_LINKS}; Local bool; Legacy bool; {_INDEXES}",
    "AgentCheck": "Node string; CheckID string; Name string; Status string; Notes string; Output string; "
                  "ServiceID string; ServiceName string",
    "AgentMember": "Name string; Addr string; Port uint16; Tags map[string]string; Status int; ProtocolMin uint8; "
                   "ProtocolMax uint8; ProtocolCur uint8; DelegateMin uint8; DelegateMax uint8; DelegateCur uint8",
    "AutopilotConfiguration": "CleanupDeadServers bool; MaxTrailingLogs uint64; MinQuorum uint; "
                              "RedundancyZoneTag string; DisableUpgradeMigration bool; UpgradeVersionTag string",
    "AutopilotState": "Healthy bool; FailureTolerance int; Leader string; Voters []string; "
                      "Servers map[string]map[string]interface {}",
    "CAConfig": "Provider string; Config map[string]interface {}",
    "CatalogNode": "Node *api.Node; Services map[string]*api.AgentService",
    "AgentService": "ID string; Service string; Tags []string; Port int; Address string",
    "CatalogService": "ID string; Node string; Address string; Datacenter string; ServiceID string; ServiceName string",
    "Coordinate": "Vec []float64; Error float64; Adjustment float64; Height float64",
    "CoordinateDatacenterMap": "Datacenter string; AreaID string; Coordinates []api.CoordinateEntry",
    "CoordinateEntry": "Node string; Segment string; Coord *api.Coordinate",
    "Intention": "ID string; Description string; SourceNS string; SourceName string; DestinationNS string; "
                 "DestinationName string; SourceType string; Action string; Meta map[string]string; "
                 "Precedence int; CreatedAt string; UpdatedAt string",
    "KVPair": "Key string; CreateIndex uint64; ModifyIndex uint64; LockIndex uint64; Flags uint64; Value []uint8; "
              "Session string",
    "KeyringResponse": "WAN bool; Datacenter string; Segment string; Messages map[string]string; "
                       "Keys map[string]int; PrimaryKeys map[string]int; NumNodes int",
    "Node": "ID string; Node string; Address string; Datacenter string; TaggedAddresses map[string]string; "
            "Meta map[string]string",
    "RaftConfiguration": "Servers []*api.RaftServer; Index uint64",
    "RaftServer": "ID string; Node string; Address string; Leader bool; ProtocolVersion string; Voter bool",
    "ServiceEntry": "Node *api.Node; Service *api.AgentService",
    "UserEvent": "ID string; Name string; Payload []uint8; NodeFilter string; ServiceFilter string; TagFilter string; "
                 "Version int; LTime uint64",
}  # fmt: skip
_KINDS: Final = {"string": "string", "bool": "bool", "[]uint8": "string", "float64": "number"}
_ZEROS: Final[dict[str, Json]] = {"string": "", "bool": False, "number": 0}


def answer_type(path: str, asked: Collection[str] = ()) -> str:
    """The Go type of what a path answers; ``asked``: the parameters of the query."""
    if "keys" in asked and path.startswith("/v1/kv/"):
        return "[]string"
    if "why" in asked:  # ours alone
        return "interface {}"
    if path.startswith("/v1/config/") and "/" not in path.removeprefix("/v1/config/"):
        return "[]map[string]interface {}"
    fitting = [one for one in _ANSWERS if path == one or path.startswith(one if one.endswith("/") else f"{one}/")]
    return _ANSWERS[max(fitting, key=len)] if fitting else "interface {}"


def read(value: Json, go_type: str) -> Json:
    """The value as one of ``go_type``. Raises GoJsonError with Go's text when it is none."""
    return _read(value, go_type, "value", go_type)


def _read(value: Json, go_type: str, where: str, shown: str) -> Json:
    if go_type == "interface {}":
        return value
    if go_type.startswith("*"):
        return None if value is None else _read(value, go_type[1:], where, go_type[1:])
    if go_type.startswith(("api.", "struct {")):
        return _read_struct(value, go_type, where, shown)
    kind = _kind(go_type)
    if value is None:
        return [] if kind == "array" else {} if kind == "object" else _ZEROS[kind]
    if kind_of(value) != kind:
        raise GoJsonError(f"json: cannot unmarshal {kind_of(value)} into Go {where} of type {shown}")
    if isinstance(value, Mapping):
        inner = go_type.removeprefix("map[string]")
        return {name: _read(item, inner, where, inner.lstrip("*")) for name, item in value.items()}
    if kind == "array":
        assert isinstance(value, Sequence)
        inner = go_type.removeprefix("[]")
        # The original ends with a panic where a list of structs holds null; nothing is what that says.
        items = [item for item in value if item is not None] if inner.startswith("*") else value
        return [_read(item, inner, where, inner.lstrip("*")) for item in items]
    return value


def _kind(go_type: str) -> str:
    if go_type in _KINDS:
        return _KINDS[go_type]
    return "object" if go_type.startswith("map[") else "array" if go_type.startswith("[]") else "number"


def _read_struct(value: Json, go_type: str, where: str, shown: str) -> Json:
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise GoJsonError(f"json: cannot unmarshal {kind_of(value)} into Go {where} of type {shown}")
    name = go_type.removeprefix("api.")
    fields = _fields(go_type)
    above = where.partition(".")[2] if where.startswith("struct field ") else ""
    known = {field.lower(): field for field in fields}
    found = {known.get(given.lower(), given): item for given, item in value.items()}
    for field, inner in fields.items():
        path = f"{above}.{field}" if above else field
        if found.get(field) is not None:
            owner = "" if name.startswith("struct") else name
            found[field] = _read(found[field], inner, f"struct field {owner}.{path}", inner)
        elif _is_scalar(inner):
            found[field] = _read(None, inner, where, inner)
        else:
            found.setdefault(field, None)
    return found


def _is_scalar(go_type: str) -> bool:
    return not go_type.startswith(("[]", "map[", "*", "api.", "interface")) or go_type == "[]uint8"


@cache
def _fields(go_type: str) -> dict[str, str]:
    """Names and types of a struct's fields."""
    text = _STRUCTS.get(go_type.removeprefix("api.")) or go_type.removeprefix("struct {").removesuffix("}")
    pairs = [one.strip().partition(" ") for one in text.split(";")]
    return {name: inner for name, _, inner in pairs if name}
