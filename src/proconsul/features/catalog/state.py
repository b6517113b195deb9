"""Writes to the catalog: registration, removal, and which indexes each of them moves.

Writing something identical moves nothing and wakes nobody. A node change moves the index of each of its services, so
that service watchers see it. When the last instance of a service goes, ``service_last_extinction`` remembers when.
"""

from __future__ import annotations

from collections.abc import Mapping

from proconsul.engine.store.table import Store, Transaction
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog import records
from proconsul.features.catalog.definition import DefinitionError, validate_meta
from proconsul.features.catalog.model import (
    HEALTH_CRITICAL,
    SERF_CHECK_ID,
    DeregisterRequest,
    HealthCheck,
    Node,
    NodeService,
    RegisterRequest,
    ServiceNode,
)
from proconsul.features.catalog.tables import CatalogTables, to_service_node
from proconsul.features.config_entry.gateway_services import GatewayServices
from proconsul.features.coordinate.state import CoordinateState
from proconsul.features.errors import StateError
from proconsul.features.ids import uuid_key
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command
from proconsul.features.session.state import SessionState

EXTINCTION = "service_last_extinction"


def _rename_refused(node: str, reason: str) -> StateError:
    return StateError(f"failed inserting node: Error while renaming Node ID: {node}: {reason}")


def same(old: Node | ServiceNode | HealthCheck, new: Node | ServiceNode | HealthCheck) -> bool:
    """Whether writing ``new`` over ``old`` changes nothing clients can see; nil and empty count as the same."""
    for field in old.__struct_fields__:
        if field not in ("CreateIndex", "ModifyIndex", "Type"):
            a, b = getattr(old, field), getattr(new, field)
            if a != b and (a or b):
                return False
    return True


class CatalogState:
    """Applies catalog commands. Each method works inside the caller's transaction and raises StateError to refuse."""

    def __init__(
        self,
        store: Store,
        tables: CatalogTables,
        sessions: SessionState,
        coordinates: CoordinateState,
        gateway_services: GatewayServices,
    ) -> None:
        self.store = store
        self.tables = tables
        self.sessions = sessions
        self.coordinates = coordinates
        self.gateway_services = gateway_services

    # ------------------------------------------------------------------ commands

    def register(self, tx: Transaction, request: RegisterRequest) -> None:
        """Write node, then service, then checks, as far as they differ from what is there."""
        existing = self.tables.nodes.get(request.Node.lower())
        if existing is None or (not request.SkipNodeUpdate and self._changes_node(request, existing)):
            self.ensure_node(tx, Node(
                ID=request.ID, Node=request.Node, Address=request.Address, Datacenter=request.Datacenter,
                TaggedAddresses=request.TaggedAddresses, Meta=request.NodeMeta,
            ))  # fmt: skip
        if request.Service is not None:
            try:
                self.ensure_service(tx, request.Node, request.Service)
            except StateError as error:
                raise StateError(f"failed inserting service: {error.text}") from None
        checks = [*((request.Check,) if request.Check else ()), *(request.Checks or ())]
        for check in checks:
            if check.Node != request.Node:
                raise StateError(f"check node {quoted(check.Node)} does not match node {quoted(request.Node)}")
            try:
                self.ensure_check(tx, check)
            except StateError as error:
                raise StateError(f"failed inserting check: {error.text} on node {quoted(check.Node)}") from None

    def deregister(self, tx: Transaction, request: DeregisterRequest) -> None:
        """Remove a service, else a check, else the node."""
        if request.ServiceID:
            self.delete_service(tx, request.Node, request.ServiceID)
        elif request.CheckID:
            self.delete_check(tx, request.Node, request.CheckID)
        else:
            self.delete_node(tx, request.Node)

    # ------------------------------------------------------------------ nodes

    @staticmethod
    def _changes_node(request: RegisterRequest, node: Node) -> bool:
        return not (
            request.ID == node.ID and request.Node == node.Node and request.Address == node.Address
            and request.Datacenter == node.Datacenter
            and request.TaggedAddresses == node.TaggedAddresses and request.NodeMeta == node.Meta
        )  # fmt: skip

    def ensure_node(self, tx: Transaction, node: Node) -> None:
        """Insert or update a node; the same id under a new name is a rename."""
        old: Node | None = None
        if node.ID:
            holders = self.tables.nodes.by("uuid", uuid_key(node.ID))
            old = holders[0] if holders else None
            if old is not None and old.Node != node.Node:
                self._rename(tx, old, node)
            elif old is None:
                reserved = self._name_reserved(node, allow_clash_without_id=True)
                if reserved:
                    raise _rename_refused(quoted(node.ID), reserved)
        if old is None:
            old = self.tables.nodes.get(node.Node.lower())
        if old is not None:
            if replace(node, CreateIndex=old.CreateIndex, ModifyIndex=old.ModifyIndex) == old:
                return
            node = replace(node, CreateIndex=old.CreateIndex, ModifyIndex=tx.index)
        else:
            node = replace(node, CreateIndex=tx.index, ModifyIndex=tx.index)
        tx.put(self.tables.nodes, node)
        tx.bump("nodes")
        tx.touch(("node", node.Node.lower()))
        self._touch_services_of(tx, node.Node)

    def _rename(self, tx: Transaction, old: Node, node: Node) -> None:
        reserved = self._name_reserved(node, allow_clash_without_id=False)
        if reserved:
            raise _rename_refused(f"{quoted(node.ID)} ({node.Address})", reserved)
        self.delete_node(tx, old.Node)

    def _name_reserved(self, node: Node, *, allow_clash_without_id: bool) -> str:
        """Why ``node`` may not take its name: another id holds it and that holder is an agent not known to be dead."""
        holder = self.tables.nodes.get(node.Node.lower())
        if holder is None or uuid_key(holder.ID) == uuid_key(node.ID):
            return ""
        check = self.tables.checks.get((holder.Node.lower(), SERF_CHECK_ID.lower()))
        if check is None or check.Status == HEALTH_CRITICAL:
            return ""
        if allow_clash_without_id and not holder.ID:
            return ""
        return f"Node name {node.Node} is reserved by node {holder.ID} with name {holder.Node} ({holder.Address})"

    def delete_node(self, tx: Transaction, name: str) -> None:
        """Remove a node with everything that hangs on it."""
        key = name.lower()
        if self.tables.nodes.get(key) is None:
            return
        for service in self.tables.services.by("node", key):
            self.delete_service(tx, name, service.ServiceID)
        for check in self.tables.checks.by("node", key):
            self.delete_check(tx, name, check.CheckID)
        self.coordinates.delete_node(tx, name)
        tx.delete(self.tables.nodes, key)
        tx.bump("nodes")
        tx.touch(("node", key))
        self.sessions.end_by_node(tx, name)

    def _touch_services_of(self, tx: Transaction, node: str) -> None:
        for service in self.tables.services.by("node", node.lower()):
            self._bump_service(tx, service.ServiceName, service.ServiceKind)

    @staticmethod
    def _bump_service(tx: Transaction, name: str, kind: str) -> None:
        tx.bump(f"service.{name}")
        tx.bump(f"service_kind.{kind}" if kind else "service_kind.typical")
        tx.touch(("service", name.lower()))

    # ------------------------------------------------------------------ services

    def ensure_service(self, tx: Transaction, node: str, service: NodeService) -> None:
        try:
            validate_meta(service.Meta)
        except DefinitionError as error:
            raise StateError(f"Invalid Service Meta for node {node} and serviceID {service.ID}: {error}") from None
        if self.tables.nodes.get(node.lower()) is None:
            raise StateError("Missing node registration")
        if not service.ID:
            raise StateError("failed inserting service: object missing primary index")
        old = self.tables.services.get((node.lower(), service.ID.lower()))
        row = to_service_node(node, service)
        if old is not None and same(old, row):
            return
        row = replace(row, CreateIndex=old.CreateIndex if old else tx.index, ModifyIndex=tx.index)
        tx.put(self.tables.services, row)
        tx.bump("services")
        self._bump_service(tx, row.ServiceName, row.ServiceKind)
        tx.touch(("node", node.lower()))
        self._touch_connect(tx, row)
        if old is not None:
            self._touch_connect(tx, old)
            if old.ServiceName != row.ServiceName:
                # As in the original, the name that was left keeps its index even when nothing has it any more.
                tx.touch(("service", old.ServiceName.lower()))
        self.gateway_services.service_written(tx, row)

    @staticmethod
    def _touch_connect(tx: Transaction, row: ServiceNode) -> None:
        if row.ServiceKind == "connect-proxy":
            tx.touch(("connect", row.ServiceProxy.DestinationServiceName.lower()))
        elif row.ServiceConnect.Native:
            tx.touch(("connect", row.ServiceName.lower()))

    def _service_shrank(self, tx: Transaction, name: str, kind: str) -> None:
        """An instance is gone: move the service's index, or remember the extinction of its last instance."""
        if self.tables.services.has("service", name.lower()):
            self._bump_service(tx, name, kind)
        else:
            tx.drop_index(f"service.{name}")
            tx.bump(EXTINCTION)
            self.gateway_services.service_gone(tx, name)
            tx.bump(f"service_kind.{kind}" if kind else "service_kind.typical")
            tx.touch(("service", name.lower()))

    def delete_service(self, tx: Transaction, node: str, service_id: str) -> None:
        key = (node.lower(), service_id.lower())
        row = self.tables.services.get(key)
        if row is None:
            return
        for check in self.tables.checks.by("node_service", key):
            self.delete_check(tx, node, check.CheckID)
        tx.delete(self.tables.services, key)
        tx.bump("services")
        tx.bump("checks")
        tx.touch(("node", node.lower()))
        self._touch_connect(tx, row)
        self._service_shrank(tx, row.ServiceName, row.ServiceKind)

    # ------------------------------------------------------------------ checks

    def ensure_check(self, tx: Transaction, check: HealthCheck) -> None:
        """Insert or update a check; one that is critical ends the sessions bound to it."""
        key = (check.Node.lower(), check.CheckID.lower())
        if self.tables.nodes.get(check.Node.lower()) is None:
            raise StateError("Missing node registration")
        if not check.CheckID:
            raise StateError("failed inserting check: object missing primary index")
        changes: dict[str, object] = {}
        if not check.Status:
            changes["Status"] = HEALTH_CRITICAL
        if check.ServiceID:
            service = self.tables.services.get((check.Node.lower(), check.ServiceID.lower()))
            if service is None:
                raise StateError("Missing service registration")
            changes |= {"ServiceName": service.ServiceName, "ServiceTags": service.ServiceTags}
        check = replace(check, **changes) if changes else check
        old = self.tables.checks.get(key)
        if check.Status == HEALTH_CRITICAL:
            self.sessions.end_by_check(tx, check.Node, check.CheckID)
        if old is not None and same(old, check):
            # As in the original the row stays what it is, the index of the table does not.
            tx.bump("checks")
            return
        check = replace(check, CreateIndex=old.CreateIndex if old else tx.index, ModifyIndex=tx.index)
        tx.put(self.tables.checks, check)
        tx.bump("checks")
        self._bump_services_of_check(tx, check)
        self._wake_check(tx, check)
        if old is not None and (old.Status != check.Status or old.ServiceID != check.ServiceID):
            # As in the original, a service that a check leaves keeps its index.
            self._wake_check(tx, old)

    def _bump_services_of_check(self, tx: Transaction, check: HealthCheck) -> None:
        """Move the index of the service of a check, of all services of its node when it belongs to none."""
        if check.ServiceID:
            service = self.tables.services.get((check.Node.lower(), check.ServiceID.lower()))
            self._bump_service(tx, check.ServiceName, service.ServiceKind if service is not None else "")
        else:
            self._touch_services_of(tx, check.Node)

    def _wake_check(self, tx: Transaction, check: HealthCheck) -> None:
        node = check.Node.lower()
        tx.touch(("node-checks", node), ("check-state", check.Status), ("check-state", "any"))
        if check.ServiceID:
            service = self.tables.services.get((node, check.ServiceID.lower()))
            tx.touch(("service", check.ServiceName.lower()), ("service-checks", check.ServiceName.lower()))
            if service is not None:
                self._touch_connect(tx, service)
        else:
            for row in self.tables.services.by("node", node):
                tx.touch(("service", row.ServiceName.lower()))

    def delete_check(self, tx: Transaction, node: str, check_id: str) -> None:
        key = (node.lower(), check_id.lower())
        check = self.tables.checks.get(key)
        if check is None:
            return
        tx.delete(self.tables.checks, key)
        tx.bump("checks")
        self._bump_services_of_check(tx, check)
        if not check.ServiceID:
            tx.bump("services")
        self._wake_check(tx, check)
        self.sessions.end_by_check(tx, node, check_id)

    # ------------------------------------------------------------------ commands and snapshots

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        """See `Replicated`."""
        return {
            MessageType.REGISTER: command(RegisterRequest, self.register),
            MessageType.DEREGISTER: command(DeregisterRequest, self.deregister),
        }

    def capture(self) -> list[SnapshotSection]:
        """See `Replicated`."""
        return records.capture(self.tables)

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        """See `Replicated`."""
        return {MessageType.REGISTER: records.restorer(self.tables, put)}
