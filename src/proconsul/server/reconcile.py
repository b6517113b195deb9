"""From a member of the gossip pool to its catalog entry (Consul docs: architecture, anti-entropy).

Pure: given the members and what the catalog holds, say what to write. The leader proposes it.

The catalog takes names for equal that differ in case only, and a name may have had another owner before. So each entry
has one member that speaks for it (`speaker`), whose state it shows; what another of that name does leaves it alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import (
    CONSUL_SERVICE_ID,
    CONSUL_SERVICE_NAME,
    DEFAULT_WEIGHTS,
    HEALTH_CRITICAL,
    HEALTH_PASSING,
    SERF_CHECK_ID,
    SERF_CHECK_NAME,
    DeregisterRequest,
    HealthCheck,
    NodeService,
    RegisterRequest,
)
from proconsul.features.catalog.state import same
from proconsul.features.catalog.tables import CatalogTables, to_service_node
from proconsul.features.ids import uuid_key
from proconsul.server.server_details import ServerDetails

ALIVE_OUTPUT = "Agent alive and reachable"
FAILED_OUTPUT = "Agent not live or unreachable"
# Of several members with one name, who is alive speaks for the entry, then who may come back.
_RANKS = {MemberStatus.ALIVE: 0, MemberStatus.LEAVING: 1, MemberStatus.FAILED: 2, MemberStatus.LEFT: 3}


def by_entry(members: Iterable[Member]) -> dict[str, list[Member]]:
    """The members by the key of their catalog entry; more than one where names differ in case only."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.name.lower(), []).append(member)
    return groups


def speaker(group: Iterable[Member], tables: CatalogTables) -> Member:
    """The member whose state the entry shows, of those that have its name."""

    def order(member: Member) -> tuple[int, bool, str]:
        node = tables.nodes.get(member.name.lower())
        others = node is None or not node.ID or not _is_same_id(node.ID, member)
        return _RANKS.get(member.status, len(_RANKS)), others, member.name

    return min(group, key=order)


def _is_same_id(node_id: str, member: Member) -> bool:
    return uuid_key(node_id) == uuid_key(member.tags.get("id", ""))


def server_service(member: Member) -> NodeService | None:
    """The ``consul`` service of a server's member, None for clients and for what only pretends to be a server."""
    server = ServerDetails.parse(member)
    if server is None:
        return None
    low, high, current = member.protocol
    return NodeService(
        ID=CONSUL_SERVICE_ID, Service=CONSUL_SERVICE_NAME, Port=server.address.port,
        Weights=DEFAULT_WEIGHTS,
        Meta={
            "non_voter": "true" if server.read_replica else "false",
            "raft_version": str(server.raft_version),
            "serf_protocol_current": str(current),
            "serf_protocol_max": str(high),
            "serf_protocol_min": str(low),
            "version": str(server.build),
        },
    )  # fmt: skip


def for_alive(member: Member, tables: CatalogTables, datacenter: str) -> list[RegisterRequest]:
    """What to register, in this order, for a member that is alive; nothing when the catalog already says so.

    An entry that another id has left behind is reserved for it as long as its serfHealth passes. Whoever asks here
    knows that nobody alive has that name and that id, so the check is made to tell the truth first.
    """
    service = server_service(member)
    node = tables.nodes.get(member.name.lower())
    check = tables.checks.get((member.name.lower(), SERF_CHECK_ID.lower()))
    passing = check is not None and check.Status != HEALTH_CRITICAL
    requests = []
    if node is not None and not _is_same_id(node.ID, member):
        if node.ID and passing and member.tags.get("id"):
            requests.append(_serf_health(node.Node, node.ID, node.Address, datacenter, passing=False))
    elif node is not None and node.Address == member.address:
        if check is not None and check.Status == HEALTH_PASSING and _has_service(tables, member.name, service):
            return []
    requests.append(replace(
        _serf_health(member.name, member.tags.get("id", ""), member.address, datacenter, passing=True),
        TaggedAddresses=node.TaggedAddresses if node is not None else None,
        NodeMeta=node.Meta if node is not None else None, Service=service,
    ))  # fmt: skip
    return requests


def _serf_health(node: str, node_id: str, address: str, datacenter: str, *, passing: bool) -> RegisterRequest:
    """A node and whether its agent lives; of one that does not, nothing else is touched."""
    return RegisterRequest(
        Datacenter=datacenter, Node=node, ID=node_id, Address=address, SkipNodeUpdate=not passing,
        Check=HealthCheck(
            Node=node, CheckID=SERF_CHECK_ID, Name=SERF_CHECK_NAME,
            Status=HEALTH_PASSING if passing else HEALTH_CRITICAL, Output=ALIVE_OUTPUT if passing else FAILED_OUTPUT,
        ),
    )  # fmt: skip


def _has_service(tables: CatalogTables, node: str, service: NodeService | None) -> bool:
    if service is None:
        return True
    row = tables.services.get((node.lower(), service.ID.lower()))
    return row is not None and same(row, to_service_node(node, service))


def for_failed(member: Member, tables: CatalogTables, datacenter: str) -> RegisterRequest | None:
    """What to register for a failed member: its node stays, its serfHealth turns critical."""
    node = tables.nodes.get(member.name.lower())
    if node is None:
        return None
    check = tables.checks.get((member.name.lower(), SERF_CHECK_ID.lower()))
    if check is not None and check.Status == HEALTH_CRITICAL:
        return None
    return _serf_health(member.name, node.ID, member.address, datacenter, passing=False)


def for_left(member: Member, tables: CatalogTables, datacenter: str, own_name: str) -> DeregisterRequest | None:
    """What to deregister for a member that left or was reaped; never this server itself."""
    if member.name.lower() == own_name.lower() or tables.nodes.get(member.name.lower()) is None:
        return None
    return DeregisterRequest(Datacenter=datacenter, Node=member.name)


def unknown_to_pool(names: Iterable[str], tables: CatalogTables, own_name: str, dc: str) -> list[Member]:
    """Catalog nodes that have serfHealth but no member any more; external nodes have none and are left alone.

    ``names`` are those of the members, in any case.
    """
    known = {name.lower() for name in (*names, own_name)}
    return [
        Member(check.Node, "", 0, {"dc": dc, "role": "node"}, MemberStatus.NONE)
        for check in tables.checks.all()
        if check.CheckID == SERF_CHECK_ID and check.Node.lower() not in known
    ]
