"""Templated policies: builtin rules with a name filled in (Consul docs: security/acl, templated policies); pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import ClassVar, NamedTuple

from proconsul.engine.wire.record import Record, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.hashes import hash_of_policy
from proconsul.features.acl.identities import is_identity_name
from proconsul.features.acl.model import ACLPolicy, TemplatedPolicy, TemplateVariables
from proconsul.features.errors import ConsulError

PREFIX = "builtin/"
SERVICE = PREFIX + "service"
_NAME_SCHEMA = (
    '{"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}, "required": ["name"]}'
)  # fmt: skip
_FIND = 'service_prefix "" {\n\tpolicy = "read"\n}\nnode_prefix "" {\n\tpolicy = "read"\n}\n'


class Template(Record, frozen=True):
    """Rules with ``{{.Name}}`` in them. ``Schema``: of the variables, "" when there are none."""

    go_name: ClassVar[str | None] = "ACLTemplatedPolicyResponse"

    TemplateName: str = ""
    Schema: str = ""
    Template: str = ""
    Description: str = ""


class _Builtin(NamedTuple):
    """``named``: whether it has a name to be filled in."""

    rules: str
    description: str
    named: bool = True


def _write(resource: str, name: str = "{{.Name}}") -> str:
    return f'{resource} "{name}" {{\n\tpolicy = "write"\n}}\n'


def _read(*resources: str) -> str:
    return "".join(f'{resource}_prefix "" {{\n\tpolicy = "read"\n}}\n' for resource in resources)


_BUILTINS: Mapping[str, _Builtin] = {
    "service": _Builtin(
        _write("service") + _write("service", "{{.Name}}-sidecar-proxy") + _FIND,
        "A service: register itself and its sidecar proxy, and find other services and nodes.",
    ),
    "node": _Builtin(_write("node") + _read("service"), "An agent: register its node, and find services."),
    "dns": _Builtin(
        _read("node", "service", "query"), "DNS: answer questions about nodes, services and queries.", False
    ),
    "nomad-server": _Builtin(
        'acl = "write"\n' + _read("agent", "node") + 'service_prefix "" {\n\tpolicy = "write"\n}\n',
        "A server of Nomad: register services, and make tokens for what it runs.", False,
    ),
    "nomad-client": _Builtin(
        _read("agent", "node") + 'service_prefix "" {\n\tpolicy = "write"\n}\n' + _read("key"),
        "A client of Nomad: register services, and read keys for templates.", False,
    ),
    "api-gateway": _Builtin(
        'mesh = "read"\n' + _write("service") + _FIND, "An API gateway: register itself, and route to other services."
    ),
    "workload-identity": _Builtin(_write("identity"), "A workload: act under its own identity."),
}  # fmt: skip


def templates() -> dict[str, Template]:
    """All of them by name, as they are shown."""
    return {
        PREFIX + name: Template(PREFIX + name, _NAME_SCHEMA if one.named else "", one.rules, one.description)
        for name, one in _BUILTINS.items()
    }


def _builtin(name: str) -> _Builtin | None:
    return _BUILTINS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None


def rules_of(policy: TemplatedPolicy) -> str:
    """What it stands for; "" for a template that this release does not know."""
    found = _builtin(policy.TemplateName)
    if found is None:
        return ""
    return found.rules.replace("{{.Name}}", policy.variable)


def synthetic(key: Iterable[str], what: str, rules: str, datacenters: list[str] | None = None) -> ACLPolicy:
    """A policy that nobody stores: its id follows from ``key``, which tells it apart, and its rules."""
    text = "\0".join((*key, rules)).encode("utf-8", "surrogateescape")
    digest = blake2b(text, digest_size=16).digest()
    found = ACLPolicy(
        ID=str(uuid.UUID(bytes=digest)), Name=f"synthetic-policy-{digest.hex()}", Rules=rules,
        Description=f"synthetic policy for {what}", Datacenters=datacenters,
    )  # fmt: skip
    return replace(found, Hash=hash_of_policy(found))  # type: ignore[no-any-return]


def preview(policy: TemplatedPolicy) -> ACLPolicy:
    """The policy that it stands for."""
    what = f"templated policy {policy.TemplateName} {policy.variable}".rstrip()
    key = ("templated", policy.TemplateName, policy.variable)
    return synthetic(key, what, rules_of(policy), policy.Datacenters)


def checked(policy: TemplatedPolicy, owner: str) -> TemplatedPolicy:
    """``policy`` with what its template has use for. ``owner``: ``token`` or ``role``. Raises ConsulError."""
    if not policy.TemplateName:
        raise ConsulError(f"templated policy is missing the template name field on this {owner}")
    found = _builtin(policy.TemplateName)
    if found is None:
        raise ConsulError(f"no such ACL templated policy with Name {quoted(policy.TemplateName)}")
    if not found.named:
        return replace(policy, TemplateVariables=None)  # type: ignore[no-any-return]
    if not policy.variable:
        raise ConsulError(f"templated policy {quoted(policy.TemplateName)} needs the variable 'name'")
    if not is_identity_name(policy.variable):
        raise ConsulError(
            f"templated policy {quoted(policy.TemplateName)} has an invalid name. "
            "Only lowercase alphanumeric characters, '-' and '_' are allowed"
        )
    return replace(policy, TemplateVariables=TemplateVariables(policy.variable))  # type: ignore[no-any-return]


def templated_policies(
    given: Iterable[TemplatedPolicy] | None, owner: str, *, local: bool = False
) -> list[TemplatedPolicy] | None:
    """One for each template with a name, in order. ``owner``: ``token`` or ``role``. Raises ConsulError."""
    merged: dict[tuple[str, str], TemplatedPolicy] = {}
    for one in given or ():
        one = checked(one, owner)
        if local and one.Datacenters:
            raise ConsulError(
                f"templated policy {quoted(one.TemplateName)} cannot specify a list of datacenters on a local token"
            )
        key, scope = (one.TemplateName, one.variable), one.Datacenters or None
        if key in merged:
            old = merged[key].Datacenters
            scope = None if scope is None or old is None else sorted({*old, *scope})
        merged[key] = replace(one, Datacenters=scope)
    return [merged[key] for key in sorted(merged)] or None
