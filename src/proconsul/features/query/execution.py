"""What a prepared query finds, and in which order; where to go on when that is nothing. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import NamedTuple

from proconsul.features.base import QuerySource
from proconsul.features.catalog.model import HEALTH_CRITICAL, HEALTH_PASSING, CheckServiceNode, HealthCheck, Node
from proconsul.features.catalog.reads import meta_matches
from proconsul.features.coordinate.distance import sorter
from proconsul.features.coordinate.state import CoordinateState
from proconsul.features.query.model import NEAR_AGENT, NEAR_IP, QueryDatacenterOptions, ServiceQuery

# The node that is asked for is looked for among so many of the nearest; it is further off only where nothing was
# sorted.
NEAREST_LOOKED_AT = 10


def chosen(rows: Iterable[CheckServiceNode], service: ServiceQuery) -> list[CheckServiceNode]:
    """The instances that a query wants: healthy ones, by the metadata of nodes and services and by tags."""
    ignored = frozenset(service.IgnoreCheckIDs or ())
    tags = [tag.lower() for tag in service.Tags or ()]
    must = frozenset(tag for tag in tags if not tag.startswith("!"))
    must_not = frozenset(tag[1:] for tag in tags if tag.startswith("!"))
    return [
        row for row in rows
        if _healthy(row.Checks or (), ignored, only_passing=service.OnlyPassing)
        and meta_matches(row.Node.Meta, service.NodeMeta)
        and meta_matches(row.Service.Meta, service.ServiceMeta)
        and _tagged(row, must, must_not)
    ]  # fmt: skip


def _healthy(checks: Iterable[HealthCheck], ignored: frozenset[str], *, only_passing: bool) -> bool:
    for check in checks:
        if check.CheckID in ignored:
            continue
        if check.Status == HEALTH_CRITICAL or (only_passing and check.Status != HEALTH_PASSING):
            return False
    return True


def _tagged(row: CheckServiceNode, must: frozenset[str], must_not: frozenset[str]) -> bool:
    if not must and not must_not:
        return True
    own = {tag.lower() for tag in row.Service.Tags or ()}
    return must <= own and not must_not & own


class SortOrigin(NamedTuple):
    """From where distances are measured: ``node`` of ``datacenter``, "" for nowhere. ``by_address``: the node was
    found by the address of whoever asks. ``unknown_ip``: it was to be, and nobody said the address."""

    node: str
    datacenter: str
    by_address: bool = False
    unknown_ip: bool = False


def origin_of(service: ServiceQuery, source: QuerySource, agent: QuerySource, nodes: Iterable[Node]) -> SortOrigin:
    """From where to sort: what the caller says counts before what the query says.

    ``nodes``: all there are, looked through only for an address.
    """
    datacenter = source.Datacenter or agent.Datacenter
    near = source.Node or service.Near
    if near == NEAR_AGENT:
        return SortOrigin(agent.Node, datacenter)
    if near != NEAR_IP:
        return SortOrigin(near, datacenter)
    if not source.Ip:
        return SortOrigin("", datacenter, by_address=True, unknown_ip=True)
    node = next((node.Node for node in nodes if node.Address == source.Ip), "")
    return SortOrigin(node, datacenter, by_address=True)


def in_order(
    rows: list[CheckServiceNode], origin: SortOrigin, datacenter: str, coordinates: CoordinateState, rng: random.Random
) -> list[CheckServiceNode]:
    """``rows``, which are of ``datacenter``, shuffled, and then sorted by distance from ``origin``.

    The node itself comes first, also where its coordinate says otherwise.
    """
    found = shuffled(rows, rng)
    if not origin.node or origin.datacenter != datacenter:
        return found
    found = list(sorter(coordinates, origin.node, lambda row: row.Node.Node)(found))
    for at, row in enumerate(found[:NEAREST_LOOKED_AT]):
        if row.Node.Node == origin.node:
            found[0], found[at] = found[at], found[0]
            break
    return found


def shuffled(rows: list[CheckServiceNode], rng: random.Random) -> list[CheckServiceNode]:
    """A copy in random order."""
    found = list(rows)
    if len(found) > 1:
        rng.shuffle(found)
    return found


def limited(rows: list[CheckServiceNode], limit: int) -> list[CheckServiceNode]:
    """The first ``limit``; all of them for zero and below."""
    return rows[:limit] if limit > 0 else rows


def failover_plan(nearest: list[str], failover: QueryDatacenterOptions) -> list[str]:
    """The datacenters to ask, in their order: the nearest ones, then those the query lists that are not among these.

    ``nearest``: all other datacenters that are known, by distance; what is not known is not asked.
    """
    plan = nearest[: max(failover.NearestN, 0)]
    first = frozenset(plan)
    known = frozenset(nearest)
    return plan + [name for name in failover.Datacenters or () if name in known and name not in first]
