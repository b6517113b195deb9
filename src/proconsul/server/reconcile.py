"""From a member of the gossip pool to its catalog entry (Consul docs: architecture, anti-entropy).

Pure: given a member and what the catalog holds, say what to write. The leader proposes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.gossip.member import Member, MemberStatus
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
from proconsul.features.catalog.state import same, to_service_node
from proconsul.features.catalog.tables import CatalogTables
from proconsul.server.server_details import ServerDetails

ALIVE_OUTPUT = "Agent alive and reachable"
FAILED_OUTPUT = "Agent not live or unreachable"


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


def for_alive(member: Member, tables: CatalogTables, datacenter: str) -> RegisterRequest | None:
    """What to register for a member that is alive; None when the catalog already says so."""
    service = server_service(member)
    node = tables.nodes.get(member.name.lower())
    if node is not None and node.Address == member.address and node.ID.lower() == member.tags.get("id", "").lower():
        check = tables.checks.get((member.name.lower(), SERF_CHECK_ID.lower()))
        if check is not None and check.Status == HEALTH_PASSING and _has_service(tables, member.name, service):
            return None
    return RegisterRequest(
        Datacenter=datacenter, Node=member.name, ID=member.tags.get("id", ""), Address=member.address,
        TaggedAddresses=node.TaggedAddresses if node is not None else None,
        NodeMeta=node.Meta if node is not None else None, Service=service,
        Check=HealthCheck(
            Node=member.name, CheckID=SERF_CHECK_ID, Name=SERF_CHECK_NAME, Status=HEALTH_PASSING,
            Output=ALIVE_OUTPUT,
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
    if node.Address == member.address and check is not None and check.Status == HEALTH_CRITICAL:
        return None
    return RegisterRequest(
        Datacenter=datacenter, Node=member.name, ID=node.ID, Address=member.address, SkipNodeUpdate=True,
        Check=HealthCheck(
            Node=member.name, CheckID=SERF_CHECK_ID, Name=SERF_CHECK_NAME, Status=HEALTH_CRITICAL,
            Output=FAILED_OUTPUT,
        ),
    )  # fmt: skip


def for_left(member: Member, tables: CatalogTables, datacenter: str, own_name: str) -> DeregisterRequest | None:
    """What to deregister for a member that left or was reaped; never this server itself."""
    if member.name == own_name or tables.nodes.get(member.name.lower()) is None:
        return None
    return DeregisterRequest(Datacenter=datacenter, Node=member.name)


def unknown_to_pool(members: Mapping[str, Member], tables: CatalogTables, own_name: str, dc: str) -> list[Member]:
    """Catalog nodes that have serfHealth but no member any more; external nodes have none and are left alone."""
    gone = []
    for check in tables.checks.all():
        if check.CheckID != SERF_CHECK_ID or check.Node in members or check.Node == own_name:
            continue
        gone.append(Member(check.Node, "", 0, {"dc": dc, "role": "node"}, MemberStatus.NONE))
    return gone
