"""Service and node identities: how they are checked, put in order, and which rules they stand for; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from proconsul.engine.wire.text import quoted
from proconsul.features.acl.model import NodeIdentity, ServiceIdentity
from proconsul.features.errors import ConsulError

_NAME = re.compile(r"[a-z0-9]([a-z0-9\-_]*[a-z0-9])?")
_NAME_MAX = 256

MANAGEMENT_RULES = """
acl = "write"
agent_prefix "" {
	policy = "write"
}
event_prefix "" {
	policy = "write"
}
key_prefix "" {
	policy = "write"
}
keyring = "write"
node_prefix "" {
	policy = "write"
}
operator = "write"
query_prefix "" {
	policy = "write"
}
service_prefix "" {
	policy = "write"
	intentions = "write"
}
session_prefix "" {
	policy = "write"
}"""


# As newer releases grant it; 1.8.7 passes over the resources that it does not know.
READ_ONLY_RULES = re.sub(r'"write"', '"read"', MANAGEMENT_RULES) + '\nmesh = "read"\npeering = "read"'


def is_identity_name(name: str) -> bool:
    """Whether a service or node can be called so in an identity."""
    return len(name) <= _NAME_MAX and _NAME.fullmatch(name) is not None


def service_identities(
    given: Iterable[ServiceIdentity] | None, owner: str, *, local: bool = False
) -> list[ServiceIdentity] | None:
    """One for each service, in the order of names. ``owner``: ``token`` or ``role``. Raises ConsulError."""
    merged: dict[str, list[str] | None] = {}
    for one in given or ():
        if not one.ServiceName:
            raise ConsulError(f"Service identity is missing the service name field on this {owner}")
        if local and one.Datacenters:
            raise ConsulError(
                f"Service identity {quoted(one.ServiceName)} cannot specify a list of datacenters on a local token"
            )
        if not is_identity_name(one.ServiceName):
            raise ConsulError(
                f"Service identity {quoted(one.ServiceName)} has an invalid name. "
                "Only alphanumeric characters, '-' and '_' are allowed"
            )
        scope = one.Datacenters or None
        if one.ServiceName in merged:
            old = merged[one.ServiceName]
            scope = None if scope is None or old is None else sorted({*old, *scope})
        merged[one.ServiceName] = scope
    return [ServiceIdentity(name, merged[name]) for name in sorted(merged)] or None


def node_identities(given: Iterable[NodeIdentity] | None, owner: str) -> list[NodeIdentity] | None:
    """Each one once, in order. ``owner``: ``token`` or ``role``. Raises ConsulError."""
    kept: set[tuple[str, str]] = set()
    for one in given or ():
        if not one.NodeName:
            raise ConsulError(f"Node identity is missing the node name field on this {owner}")
        if not one.Datacenter:
            raise ConsulError(f"Node identity is missing the datacenter field on this {owner}")
        if not is_identity_name(one.NodeName):
            raise ConsulError(
                "Node identity has an invalid name. Only alphanumeric characters, '-' and '_' are allowed"
            )
        kept.add((one.NodeName, one.Datacenter))
    return [NodeIdentity(*one) for one in sorted(kept)] or None


def rules_of_service(name: str) -> str:
    """What a service needs: itself and its sidecar, and to find others."""
    return (
        f'service "{name}" {{ policy = "write" }}\nservice "{name}-sidecar-proxy" {{ policy = "write" }}\n'
        'service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }'
    )


def rules_of_node(name: str) -> str:
    """What the agent of a node needs."""
    return f'node "{name}" {{ policy = "write" }}\nservice_prefix "" {{ policy = "read" }}'
