"""Reads of the catalog, each with the index a blocking query compares with and the keys it depends on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from proconsul.engine.store.table import Store
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import (
    HEALTH_ANY,
    CheckServiceNode,
    HealthCheck,
    Node,
    NodeServiceList,
    NodeServices,
    ServiceNode,
)
from proconsul.features.catalog.state import EXTINCTION
from proconsul.features.catalog.tables import CatalogTables, to_node_service
from proconsul.features.ids import UUID_LENGTH


def meta_matches(meta: dict[str, str] | None, wanted: dict[str, str] | None) -> bool:
    """True when ``meta`` holds every pair of ``wanted``."""
    if not wanted:
        return True
    return meta is not None and all(meta.get(key) == value for key, value in wanted.items())


def having(
    wanted: dict[str, str] | None, meta_of: Callable[[Any], dict[str, str] | None]
) -> Callable[[list[Any]], list[Any]] | None:
    """Keeps the rows whose metadata has every pair of ``wanted``; None when all have."""
    return (lambda rows: [row for row in rows if meta_matches(meta_of(row), wanted)]) if wanted else None


def has_tags(row: ServiceNode, tags: list[str]) -> bool:
    """True when the instance carries all ``tags``, compared without case."""
    own = {tag.lower() for tag in row.ServiceTags or ()}
    return all(tag.lower() in own for tag in tags)


def id_prefix(text: str) -> str:
    """The whole bytes of an id that ``text`` begins with, as digits; empty when it is no beginning of one.

    As in the original an odd last character is left out, whatever it is.
    """
    text = text[: len(text) // 2 * 2]
    digits = text.replace("-", "").lower()
    if len(text) > UUID_LENGTH or text.count("-") > 4 or len(digits) % 2 or digits.strip("0123456789abcdef"):
        return ""
    return digits


class CatalogReads:
    """Read-only view of the catalog tables."""

    def __init__(self, store: Store, tables: CatalogTables) -> None:
        self.store = store
        self.tables = tables

    # ------------------------------------------------------------------ nodes

    def nodes(self, watch: WatchSet | None) -> tuple[int, list[Node]]:
        if watch is not None:
            watch.add("nodes")
        return self.store.max_index("nodes"), self.tables.nodes.all()

    def node(self, watch: WatchSet | None, name: str) -> tuple[int, Node | None]:
        """One node by name."""
        if watch is not None:
            watch.add(("node", name.lower()))
            watch.index = lambda: self.store.max_index("nodes")
        return self.store.max_index("nodes"), self.tables.nodes.get(name.lower())

    def find_node(self, name_or_id: str) -> Node | None:
        """A node by name, else by the beginning of its id that no other id has."""
        node = self.tables.nodes.get(name_or_id.lower())
        if node is not None:
            return node
        prefix = id_prefix(name_or_id)
        if not prefix:
            return None
        rows = self.tables.nodes.rows.values()
        matches = [row for row in rows if row.ID.replace("-", "").lower().startswith(prefix)]
        return matches[0] if len(matches) == 1 else None

    def _node_services(self, watch: WatchSet | None, name: str) -> tuple[int, Node | None, list[ServiceNode]]:
        node = self.find_node(name)
        if watch is not None:
            watch.add(("node", (node.Node if node else name).lower()))
            watch.index = lambda: self.store.max_index("nodes", "services")
            if node is None:
                watch.add("nodes")
        index = self.store.max_index("nodes", "services")
        return index, node, self.tables.services.by("node", node.Node.lower()) if node else []

    def node_services(self, watch: WatchSet | None, name: str) -> tuple[int, NodeServices | None]:
        index, node, rows = self._node_services(watch, name)
        if node is None:
            return index, None
        return index, NodeServices(node, {row.ServiceID: to_node_service(row) for row in rows})

    def node_service_list(self, watch: WatchSet | None, name: str) -> tuple[int, NodeServiceList]:
        index, node, rows = self._node_services(watch, name)
        if node is None:
            return index, NodeServiceList()
        return index, NodeServiceList(node, [to_node_service(row) for row in rows])

    # ------------------------------------------------------------------ services

    def services(self, watch: WatchSet | None, meta: dict[str, str] | None = None) -> tuple[int, dict[str, list[str]]]:
        """All service names with the union of their instances' tags."""
        if watch is not None:
            watch.add("services")
            if meta:
                watch.add("nodes")
        found: dict[str, dict[str, None]] = {}
        nodes = self.tables.nodes
        for row in self.tables.services.rows.values():
            if meta:
                node = nodes.get(row.Node.lower())
                if node is None or not meta_matches(node.Meta, meta):
                    continue
            found.setdefault(row.ServiceName, {}).update(dict.fromkeys(row.ServiceTags or ()))
        index = self.store.max_index("services", "nodes") if meta else self.store.max_index("services")
        return index, {name: list(found[name]) for name in sorted(found)}

    def service_index(self, name: str, exists: bool, *, checks: bool) -> int:
        """The index of one service: its own, or that of the last extinction, or the tables'."""
        if not exists and EXTINCTION in self.store.indexes:
            return self.store.indexes[EXTINCTION]
        own = self.store.indexes.get(f"service.{name.lower()}")
        if own is not None:
            return own
        tables = ("nodes", "services", "checks") if checks else ("nodes", "services")
        return self.store.max_index(*tables)

    def service_nodes(
        self, watch: WatchSet | None, name: str, tags: list[str] | None = None, *, connect: bool = False
    ) -> tuple[int, list[ServiceNode]]:
        """Instances of a service joined with their nodes."""
        index, rows = self._instances(watch, name, tags, connect=connect, checks=False)
        return index, [self._joined(row) for row in rows]

    def _instances(
        self, watch: WatchSet | None, name: str, tags: list[str] | None, *, connect: bool, checks: bool
    ) -> tuple[int, list[ServiceNode]]:
        rows = self.tables.services.by("connect" if connect else "service", name.lower())
        if watch is not None:
            watch.add(("connect" if connect else "service", name.lower()))
            if connect:
                watch.add(*(("service", row.ServiceName.lower()) for row in rows))
        if connect and rows:
            index = max(self.service_index(row.ServiceName, True, checks=checks) for row in rows)
        else:
            own = rows[0].ServiceName if rows else name
            index = self.service_index(own, bool(rows), checks=checks)
            if not rows and watch is not None:
                watch.index = partial(self.service_index, own, False, checks=checks)
        if tags:
            rows = [row for row in rows if has_tags(row, tags)]
        return index, rows

    def _joined(self, row: ServiceNode) -> ServiceNode:
        node = self.tables.nodes.get(row.Node.lower())
        assert node is not None, f"service {row.ServiceID} of unknown node {row.Node}"
        joined: ServiceNode = replace(
            row, ID=node.ID, Address=node.Address, Datacenter=node.Datacenter,
            TaggedAddresses=node.TaggedAddresses, NodeMeta=node.Meta, ServiceMeta=row.ServiceMeta or {},
        )  # fmt: skip
        return joined

    def check_service_nodes(
        self, watch: WatchSet | None, name: str, tags: list[str] | None = None, *, connect: bool = False
    ) -> tuple[int, list[CheckServiceNode]]:
        """Instances with their nodes and every check that concerns them: node checks first, then their own."""
        index, rows = self._instances(watch, name, tags, connect=connect, checks=True)
        return index, [self.check_service_node(row) for row in rows]

    def check_service_node(self, row: ServiceNode) -> CheckServiceNode:
        node_key = row.Node.lower()
        node = self.tables.nodes.get(node_key)
        assert node is not None, f"service {row.ServiceID} of unknown node {row.Node}"
        checks = [
            *self.tables.checks.by("node_service", (node_key, "")),
            *self.tables.checks.by("node_service", (node_key, row.ServiceID.lower())),
        ]
        return CheckServiceNode(node, to_node_service(row), checks or None)

    def services_of_address(self, address: str) -> list[ServiceNode]:
        return [row for row in self.tables.services.rows.values() if row.ServiceAddress == address]

    def joined_of_address(self, address: str) -> tuple[int, list[ServiceNode]]:
        """The instances at an address, with their nodes."""
        rows = [self._joined(row) for row in self.services_of_address(address)]
        return self.store.max_index("nodes", "services"), rows

    # ------------------------------------------------------------------ checks

    def node_checks(self, watch: WatchSet | None, node: str) -> tuple[int, list[HealthCheck]]:
        if watch is not None:
            watch.add(("node-checks", node.lower()))
            watch.index = lambda: self.store.max_index("checks")
        return self.store.max_index("checks"), self.tables.checks.by("node", node.lower())

    def service_checks(
        self, watch: WatchSet | None, service: str, meta: dict[str, str] | None = None
    ) -> tuple[int, list[HealthCheck]]:
        """With ``meta`` it is to be chosen by their nodes, too: then it changes with them."""
        if watch is not None:
            watch.add(("service-checks", service.lower()))
            watch.index = partial(self._checks_index, meta)
            if meta:
                watch.add("nodes")
        return self._checks_index(meta), self.tables.checks.by("service", service.lower())

    def checks_in_state(
        self, watch: WatchSet | None, state: str, meta: dict[str, str] | None = None
    ) -> tuple[int, list[HealthCheck]]:
        """See `service_checks`."""
        if watch is not None:
            watch.add(("check-state", state))
            watch.index = partial(self._checks_index, meta)
            if meta:
                watch.add("nodes")
        checks = self.tables.checks
        rows = checks.all() if state == HEALTH_ANY else checks.by("status", state)
        return self._checks_index(meta), rows

    def _checks_index(self, meta: dict[str, str] | None) -> int:
        return self.store.max_index("nodes", "checks") if meta else self.store.max_index("checks")

    def node_meta_of(self, check: HealthCheck) -> dict[str, str] | None:
        """The metadata of a check's node."""
        node = self.tables.nodes.get(check.Node.lower())
        return None if node is None else node.Meta
