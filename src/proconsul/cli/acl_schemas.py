"""ACL types as the API's Go client prints them as JSON.  Pure data."""

from __future__ import annotations

from proconsul.client.gojson import Field, Struct

_INDEXES = (Field("CreateIndex", 0), Field("ModifyIndex", 0))
_NAMESPACE = Field("Namespace", omit=True)
_LINK = Struct(Field("ID"), Field("Name"))
_SERVICE_IDENTITY = Struct(Field("ServiceName", omit=True), Field("Datacenters", None, omit=True))
_NODE_IDENTITY = Struct(Field("NodeName", omit=True), Field("Datacenter", omit=True))
_POLICIES = Field("Policies", None, omit=True, many="list", struct=_LINK)
_ROLES = Field("Roles", None, omit=True, many="list", struct=_LINK)
_TEMPLATED = Struct(
    Field("TemplateName"), Field("TemplateVariables", None, omit=True), Field("Datacenters", None, omit=True)
)
_IDENTITIES = (
    Field("ServiceIdentities", None, omit=True, many="list", struct=_SERVICE_IDENTITY),
    Field("NodeIdentities", None, omit=True, many="list", struct=_NODE_IDENTITY),
    Field("TemplatedPolicies", None, omit=True, many="list", struct=_TEMPLATED),
)

TOKEN = Struct(
    *_INDEXES,
    Field("AccessorID"),
    Field("SecretID"),
    Field("Name", omit=True),
    Field("Description"),
    _POLICIES,
    _ROLES,
    *_IDENTITIES,
    Field("Local", False),
    Field("AuthMethod", omit=True),
    Field("ExpirationTTL", 0, omit=True),
    Field("ExpirationTime", None, omit=True),
    Field("CreateTime", "0001-01-01T00:00:00Z"),
    Field("Hash", None, omit=True),
    Field("Rules", omit=True),
    _NAMESPACE,
)
TOKEN_ENTRY = Struct(
    *_INDEXES,
    Field("AccessorID"),
    Field("Name", omit=True),
    Field("Description"),
    _POLICIES,
    _ROLES,
    *_IDENTITIES,
    Field("Local", False),
    Field("AuthMethod", omit=True),
    Field("ExpirationTime", None, omit=True),
    Field("CreateTime", "0001-01-01T00:00:00Z"),
    Field("Hash", None),
    Field("Legacy", False),
    _NAMESPACE,
)
POLICY = Struct(
    Field("ID"),
    Field("Name"),
    Field("Description"),
    Field("Rules"),
    Field("Datacenters", None),
    Field("Hash", None),
    *_INDEXES,
    _NAMESPACE,
)
POLICY_ENTRY = Struct(
    Field("ID"),
    Field("Name"),
    Field("Description"),
    Field("Datacenters", None),
    Field("Hash", None),
    *_INDEXES,
    _NAMESPACE,
)
ROLE = Struct(
    Field("ID"),
    Field("Name"),
    Field("Description"),
    _POLICIES,
    *_IDENTITIES,
    Field("Hash", None),
    *_INDEXES,
    _NAMESPACE,
)
AUTH_METHOD = Struct(
    Field("MaxTokenTTL", omit=True),
    Field("Name"),
    Field("Type"),
    Field("DisplayName", omit=True),
    Field("Description", omit=True),
    Field("TokenLocality", omit=True),
    Field("TokenNameFormat", omit=True),
    Field("Config", None),
    *_INDEXES,
    Field("NamespaceRules", None, omit=True),
    _NAMESPACE,
)
AUTH_METHOD_ENTRY = Struct(
    Field("MaxTokenTTL", omit=True),
    Field("Name"),
    Field("Type"),
    Field("DisplayName", omit=True),
    Field("Description", omit=True),
    Field("TokenLocality", omit=True),
    *_INDEXES,
    _NAMESPACE,
)
BINDING_RULE = Struct(
    Field("ID"),
    Field("Description"),
    Field("AuthMethod"),
    Field("Selector"),
    Field("BindType"),
    Field("BindName"),
    Field("BindVars", None, omit=True),
    *_INDEXES,
    _NAMESPACE,
)
TEMPLATED_POLICY = Struct(Field("TemplateName"), Field("Schema"), Field("Template"), Field("Description"))
