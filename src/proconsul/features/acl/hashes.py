"""Hashes of tokens, policies and roles, which replication compares (Consul docs: security/acl); pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from proconsul.features.acl.model import (
    ACLPolicy,
    ACLRole,
    ACLToken,
    Link,
    NodeIdentity,
    ServiceIdentity,
    TemplatedPolicy,
)

_SIZE = 32


def _hash(parts: Iterable[str]) -> bytes:
    return blake2b("".join(parts).encode("utf-8", "surrogateescape"), digest_size=_SIZE).digest()


def _links(links: list[Link] | None) -> Iterator[str]:
    return (link.ID for link in links or ())


def _identities(
    services: list[ServiceIdentity] | None, nodes: list[NodeIdentity] | None, templated: list[TemplatedPolicy] | None
) -> Iterator[str]:  # fmt: skip
    for service in services or ():
        yield service.ServiceName
        yield from service.Datacenters or ()
    for node in nodes or ():
        yield node.NodeName + node.Datacenter
    for policy in templated or ():
        yield policy.TemplateName + policy.variable
        yield from policy.Datacenters or ()


def hash_of_token(token: ACLToken) -> bytes:
    return _hash([
        token.Description, token.Type, token.Rules, "local" if token.Local else "global",
        *_links(token.Policies), *_links(token.Roles),
        *_identities(token.ServiceIdentities, token.NodeIdentities, token.TemplatedPolicies), token.Name or "",
    ])  # fmt: skip


def hash_of_policy(policy: ACLPolicy) -> bytes:
    return _hash([policy.Name, policy.Description, policy.Rules, *(policy.Datacenters or ())])


def hash_of_role(role: ACLRole) -> bytes:
    return _hash([
        role.Name, role.Description, *_links(role.Policies),
        *_identities(role.ServiceIdentities, role.NodeIdentities, role.TemplatedPolicies),
    ])  # fmt: skip
