"""How ACL objects look to people (``-format=pretty``) and to programs (``-format=json``).  Pure."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from proconsul.client import gojson
from proconsul.client.gojson import Json, Struct

Row = Mapping[str, Json]
FORMATS = ("pretty", "json")


def as_json(struct: Struct, value: Json) -> str:
    """Return an object, or a list of them, as indented JSON."""
    shaped = struct.shape(value) if isinstance(value, Mapping) else struct.shape_list(value)
    return gojson.dumps(shaped, indent="    ")


def _time(value: Json) -> str:
    """Return an RFC 3339 time as Go's ``Time.String`` prints it."""
    text = str(value or "0001-01-01T00:00:00Z")
    date, _, clock = text.partition("T")
    if clock.endswith("Z"):
        return f"{date} {clock[:-1]} +0000 UTC"
    zone = clock[-6:]
    offset = zone.replace(":", "")
    return f"{date} {clock[:-6]} {offset} {offset}"


def _hash(value: Json) -> str:
    return b64decode(str(value or "")).hex()


def _rows(value: Json) -> Sequence[Row]:
    return cast("Sequence[Row] | None", value) or ()


def _texts(value: Json) -> Sequence[str]:
    return cast("Sequence[str] | None", value) or ()


def _links(title: str, value: Json, indent: str) -> str:
    rows = _rows(value)
    if not rows:
        return ""
    lines = "".join(f"{indent}   {row['ID']} - {row['Name']}\n" for row in rows)
    return f"{indent}{title}:\n{lines}"


def _service_lines(value: Json, indent: str) -> str:
    lines = ""
    for row in _rows(value):
        datacenters = ", ".join(_texts(row.get("Datacenters"))) or "all"
        lines += f"{indent}   {row['ServiceName']} (Datacenters: {datacenters})\n"
    return lines


def _services(value: Json, indent: str) -> str:
    return f"{indent}Service Identities:\n{_service_lines(value, indent)}" if _rows(value) else ""


def _nodes(value: Json, indent: str) -> str:
    rows = _rows(value)
    if not rows:
        return ""
    lines = "".join(f"{indent}   {row['NodeName']} (Datacenter: {row['Datacenter']})\n" for row in rows)
    return f"{indent}Node Identities:\n{lines}"


def _templated(value: Json, indent: str) -> str:
    rows = _rows(value)
    if not rows:
        return ""
    lines = ""
    for row in rows:
        variables = cast("Row | None", row.get("TemplateVariables")) or {}
        named = f" (Name: {variables['Name']})" if variables.get("Name") else ""
        datacenters = ", ".join(_texts(row.get("Datacenters"))) or "all"
        lines += f"{indent}   {row['TemplateName']}{named} (Datacenters: {datacenters})\n"
    return f"{indent}Templated Policies:\n{lines}"


def _indexes(row: Row, indent: str, gap: str) -> str:
    return f"{indent}Create Index:{gap}{row['CreateIndex']}\n{indent}Modify Index:{gap}{row['ModifyIndex']}\n"


def _token_head(token: Row, secret: bool) -> str:
    out = f"AccessorID:       {token['AccessorID']}\n"
    if secret:
        out += f"SecretID:         {token.get('SecretID') or ''}\n"
    if token.get("Namespace"):
        out += f"Namespace:        {token['Namespace']}\n"
    if token.get("Name"):
        out += f"Name:             {token['Name']}\n"
    out += f"Description:      {token.get('Description') or ''}\n"
    out += f"Local:            {str(bool(token.get('Local'))).lower()}\n"
    if token.get("AuthMethod"):
        out += f"Auth Method:      {token['AuthMethod']}\n"
    out += f"Create Time:      {_time(token.get('CreateTime'))}\n"
    if token.get("ExpirationTime"):
        out += f"Expiration Time:  {_time(token['ExpirationTime'])}\n"
    return out


def _token_meta(token: Row) -> str:
    return f"Hash:             {_hash(token.get('Hash'))}\n" + _indexes(token, "", "     ")


def token(value: Row, meta: bool) -> str:
    """One token."""
    out = _token_head(value, True) + (_token_meta(value) if meta else "")
    out += _links("Policies", value.get("Policies"), "") + _links("Roles", value.get("Roles"), "")
    out += _services(value.get("ServiceIdentities"), "") + _nodes(value.get("NodeIdentities"), "")
    out += _templated(value.get("TemplatedPolicies"), "")
    if value.get("Rules"):
        out += f"Rules:\n{value['Rules']}\n"
    return out


def expanded(value: Row, meta: bool) -> str:
    """One token with the rules of everything that it comes to, and where they are from."""
    out = token(value, meta) + "\n=== Rules in force ===\n"
    for policy in _rows(value.get("ExpandedPolicies")):
        synthetic = str(policy["Name"]).startswith("synthetic-policy-")
        what = str(policy.get("Description") or "").removeprefix("synthetic policy for ")
        out += f"{what if synthetic else 'policy ' + str(policy['Name'])}:\n"
        out += "".join(f"   {line}\n" for line in str(policy.get("Rules") or "").strip().splitlines())
    for role in _rows(value.get("ExpandedRoles")):
        links = [f"policy {link['Name']}" for link in _rows(role.get("Policies"))]
        links += [f"service identity {one['ServiceName']}" for one in _rows(role.get("ServiceIdentities"))]
        links += [f"node identity {one['NodeName']}" for one in _rows(role.get("NodeIdentities"))]
        links += [f"templated policy {one['TemplateName']}" for one in _rows(role.get("TemplatedPolicies"))]
        out += f"by role {role['Name']}: {', '.join(links) or 'nothing'}\n"
    out += f"Default Policy: {value.get('AgentACLDefaultPolicy')}\nDown Policy:    {value.get('AgentACLDownPolicy')}\n"
    return out + f"Resolved By:    {value.get('ResolvedByAgent')}\n"


def _token_entry(value: Row, meta: bool) -> str:
    out = _token_head(value, False)
    out += f"Legacy:           {str(bool(value.get('Legacy'))).lower()}\n"
    out += _token_meta(value) if meta else ""
    out += _links("Policies", value.get("Policies"), "") + _links("Roles", value.get("Roles"), "")
    out += _services(value.get("ServiceIdentities"), "")
    if _rows(value.get("NodeIdentities")):
        # Consul prints the service identities under this wrong title once more; scripts see the same lines here.
        out += f"Service Identities:\n{_service_lines(value.get('ServiceIdentities'), '')}"
    return out


def tokens(values: Sequence[Row], meta: bool) -> str:
    """A list of tokens, a blank line between them."""
    return "\n".join(_token_entry(value, meta) for value in values)


def policy(value: Row, meta: bool) -> str:
    """One policy."""
    out = f"ID:           {value['ID']}\nName:         {value['Name']}\n"
    if value.get("Namespace"):
        out += f"Namespace:    {value['Namespace']}\n"
    out += f"Description:  {value.get('Description') or ''}\n"
    out += f"Datacenters:  {', '.join(_texts(value.get('Datacenters')))}\n"
    if meta:
        out += f"Hash:         {_hash(value.get('Hash'))}\n" + _indexes(value, "", " ")
    return out + f"Rules:\n{value.get('Rules') or ''}"


def policies(values: Sequence[Row], meta: bool) -> str:
    """A list of policies."""
    out = ""
    for value in values:
        out += f"{value['Name']}:\n   ID:           {value['ID']}\n"
        if value.get("Namespace"):
            out += f"   Namespace:    {value['Namespace']}\n"
        out += f"   Description:  {value.get('Description') or ''}\n"
        out += f"   Datacenters:  {', '.join(_texts(value.get('Datacenters')))}\n"
        if meta:
            out += f"   Hash:         {_hash(value.get('Hash'))}\n" + _indexes(value, "   ", " ")
    return out


def _role_body(value: Row, meta: bool, indent: str) -> str:
    out = f"{indent}Namespace:    {value['Namespace']}\n" if value.get("Namespace") else ""
    out += f"{indent}Description:  {value.get('Description') or ''}\n"
    if meta:
        out += f"{indent}Hash:         {_hash(value.get('Hash'))}\n" + _indexes(value, indent, " ")
    out += _links("Policies", value.get("Policies"), indent)
    out += _services(value.get("ServiceIdentities"), indent) + _nodes(value.get("NodeIdentities"), indent)
    return out + _templated(value.get("TemplatedPolicies"), indent)


def role(value: Row, meta: bool) -> str:
    """One role."""
    return f"ID:           {value['ID']}\nName:         {value['Name']}\n" + _role_body(value, meta, "")


def roles(values: Sequence[Row], meta: bool) -> str:
    """A list of roles."""
    return "".join(f"{v['Name']}:\n   ID:           {v['ID']}\n{_role_body(v, meta, '   ')}" for v in values)


def auth_method(value: Row, meta: bool) -> str:
    """One auth method."""
    out = f"Name:          {value['Name']}\nType:          {value['Type']}\n"
    if value.get("Namespace"):
        out += f"Namespace:     {value['Namespace']}\n"
    if value.get("DisplayName"):
        out += f"DisplayName:   {value['DisplayName']}\n"
    out += f"Description:   {value.get('Description') or ''}\n"
    if value.get("MaxTokenTTL"):
        out += f"MaxTokenTTL:   {value['MaxTokenTTL']}\n"
    if value.get("TokenNameFormat"):
        out += f"TokenNameFormat: {value['TokenNameFormat']}\n"
    if value.get("TokenLocality"):
        out += f"TokenLocality: {value['TokenLocality']}\n"
    if meta:
        out += _indexes(value, "", "  ")
    return out + "Config:\n" + gojson.dumps(gojson.sort_maps(value.get("Config")), indent="  ")


def auth_methods(values: Sequence[Row], meta: bool) -> str:
    """A list of auth methods."""
    out = ""
    for value in values:
        out += f"{value['Name']}:\n   Type:         {value['Type']}\n"
        if value.get("Namespace"):
            out += f"   Namespace:    {value['Namespace']}\n"
        if value.get("DisplayName"):
            out += f"   DisplayName:  {value['DisplayName']}\n"
        out += f"   Description:  {value.get('Description') or ''}\n"
        if meta:
            out += _indexes(value, "   ", " ")
    return out


def _rule_body(value: Row, meta: bool, indent: str) -> str:
    out = f"{indent}Namespace:    {value['Namespace']}\n" if value.get("Namespace") else ""
    out += f"{indent}AuthMethod:   {value.get('AuthMethod') or ''}\n"
    out += f"{indent}Description:  {value.get('Description') or ''}\n"
    out += f"{indent}BindType:     {value.get('BindType') or ''}\n"
    out += f"{indent}BindName:     {value.get('BindName') or ''}\n"
    if value.get("BindVars"):
        variables = cast("Row", value["BindVars"])
        out += f"{indent}BindVars:     {', '.join(f'{name}={variables[name]}' for name in variables)}\n"
    out += f"{indent}Selector:     {value.get('Selector') or ''}\n"
    return out + (_indexes(value, indent, " ") if meta else "")


def binding_rule(value: Row, meta: bool) -> str:
    """One binding rule."""
    return f"ID:           {value['ID']}\n" + _rule_body(value, meta, "")


def binding_rules(values: Sequence[Row], meta: bool) -> str:
    """A list of binding rules."""
    return "".join(f"{value['ID']}:\n{_rule_body(value, meta, '   ')}" for value in values)


def templated_policy(value: Row, meta: bool) -> str:
    """One templated policy."""
    out = f"Name:         {value['TemplateName']}\nDescription:  {value.get('Description') or ''}\n"
    out += f"Variables:    {'name (required)' if value.get('Schema') else 'none'}\nTemplate:\n"
    return out + "".join(f"   {line}\n" for line in str(value.get("Template") or "").splitlines())


# What to call for one object and for a list, with the types for JSON.
One = Callable[[Row, bool], str]
Several = Callable[[Sequence[Row], bool], str]
