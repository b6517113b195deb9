"""The catalog in numbers: what there is, and how much of it is well.

Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from proconsul.engine.store.table import byte_text
from proconsul.features.catalog.model import HEALTH_CRITICAL, HEALTH_PASSING, HEALTH_WARNING
from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.ui.model import CatalogSummary, HealthSummary

# From well to ill; what is none of them is as ill as can be.
_ORDER = (HEALTH_PASSING, HEALTH_WARNING, HEALTH_CRITICAL)


def overview(tables: CatalogTables) -> CatalogSummary:
    """Each node counts as what the worst of its own checks is, each instance as the worst of its checks, without those
    of its node; without checks they are passing."""
    of_nodes: dict[str, int] = {}
    of_instances: dict[tuple[str, str], int] = {}
    by_check: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for check in tables.checks.rows.values():
        rank = _rank(check.Status)
        by_check[check.Name][rank] += 1
        node = check.Node.lower()
        if check.ServiceID:
            key = (node, check.ServiceID.lower())
            of_instances[key] = max(rank, of_instances.get(key, 0))
        else:
            of_nodes[node] = max(rank, of_nodes.get(node, 0))
    nodes = [0, 0, 0]
    for name in tables.nodes.rows:
        nodes[of_nodes.get(name, 0)] += 1
    by_service: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for instance, row in tables.services.rows.items():
        by_service[row.ServiceName][of_instances.get(instance, 0)] += 1
    return CatalogSummary(
        Nodes=[_summary("", nodes)], Services=list(_sorted(by_service)), Checks=list(_sorted(by_check))
    )


def _rank(status: str) -> int:
    return _ORDER.index(status) if status in _ORDER else len(_ORDER) - 1


def _sorted(counts: dict[str, list[int]]) -> Iterable[HealthSummary]:
    return (_summary(name, counts[name]) for name in sorted(counts, key=byte_text))


def _summary(name: str, counts: list[int]) -> HealthSummary:
    passing, warning, critical = counts
    return HealthSummary(Name=name, Total=sum(counts), Passing=passing, Warning=warning, Critical=critical)
