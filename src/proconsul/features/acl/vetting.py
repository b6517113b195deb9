"""Catalog writes, looked at field by field: what they change decides what is needed; pure."""

from __future__ import annotations

from collections.abc import Iterable

from proconsul.features.acl.authorizer import Authorizer
from proconsul.features.acl.rules import Level
from proconsul.features.catalog.model import (
    DeregisterRequest,
    HealthCheck,
    Node,
    NodeService,
    RegisterRequest,
    ServiceNode,
)
from proconsul.features.ids import uuid_key
from proconsul.features.state import State


class Vetting:
    """Compares writes with what the catalog has."""

    def __init__(self, state: State) -> None:
        self._tables = state.tables

    def _service(self, node: str, service_id: str) -> ServiceNode | None:
        return self._tables.services.get((node.lower(), service_id.lower()))

    # Tables find a node in any spelling of its name, and by its id under another name; rules are for one spelling.
    # So whoever names a node needs what they need of it under the name that it has, too.

    def may_node(self, authorizer: Authorizer, resource: str, level: Level, node: str, node_id: str = "") -> bool:
        """Whether ``level`` of ``resource`` is granted for a node: as it is named here, and as it is named there."""
        names, stored = {node}, self._tables.nodes.get(node.lower())
        names |= {row.Node for row in (stored, *self._by_id(node_id)) if row is not None}
        return all(authorizer.allows(resource, level, name) for name in names)

    def _by_id(self, node_id: str) -> Iterable[Node]:
        return self._tables.nodes.by("uuid", uuid_key(node_id)) if node_id else ()

    def _writes_node(self, authorizer: Authorizer, node: str, node_id: str = "") -> bool:
        return self.may_node(authorizer, "node", Level.WRITE, node, node_id)

    def may_register(self, args: RegisterRequest, authorizer: Authorizer) -> bool:
        """The node when it is new or changes, the service also under the name it has had, each check as its owner."""
        if self._changes_node(args) and not self._writes_node(authorizer, args.Node, args.ID):
            return False
        if args.Service is not None and not self.may_write_service(args.Node, args.Service, authorizer):
            return False
        checks: Iterable[HealthCheck] = (check for check in (args.Check, *(args.Checks or ())) if check)
        return all(self._may_register_check(args, check, authorizer) for check in checks)

    def _changes_node(self, args: RegisterRequest) -> bool:
        old = self._tables.nodes.get(args.Node.lower())
        if old is None:
            return True
        if args.SkipNodeUpdate:
            return False
        return (
            args.ID.lower() != old.ID.lower() or args.Node != old.Node or args.Address != old.Address
            or (args.TaggedAddresses or {}) != (old.TaggedAddresses or {}) or (args.NodeMeta or {}) != (old.Meta or {})
            or (args.Datacenter or old.Datacenter) != old.Datacenter
        )  # fmt: skip

    def may_write_service(self, node: str, service: NodeService, authorizer: Authorizer) -> bool:
        """Whether ``service`` may be written: under its name, and under the one its id has had."""
        if not authorizer.write("service", service.Service):
            return False
        old = self._service(node, service.ID or service.Service)
        return old is None or authorizer.write("service", old.ServiceName)

    def _may_register_check(self, args: RegisterRequest, check: HealthCheck, authorizer: Authorizer) -> bool:
        if check.Node and check.Node.lower() != args.Node.lower():
            return False  # it would be written for a node that nobody looked at
        if not self._may_replace_check(args, check, authorizer):
            return False
        if not check.ServiceID:
            return self._writes_node(authorizer, args.Node)
        if args.Service is not None and (args.Service.ID or args.Service.Service) == check.ServiceID:
            return True  # the service was looked at
        old = self._service(args.Node, check.ServiceID)
        return old is not None and authorizer.write("service", old.ServiceName)

    def _may_replace_check(self, args: RegisterRequest, check: HealthCheck, authorizer: Authorizer) -> bool:
        """A check's id may be another one's: then that is lost, which its own service, or the node, has to grant."""
        old = self._tables.checks.get((args.Node.lower(), check.CheckID.lower()))
        if old is None or old.ServiceID.lower() == check.ServiceID.lower():
            return True
        return self._may_write_owner(old, authorizer)

    def may_write_check(self, check: HealthCheck, authorizer: Authorizer) -> bool:
        """Whether a check may be written or removed: as what it is of, and as what it has been of."""
        old = self._tables.checks.get((check.Node.lower(), check.CheckID.lower()))
        return all(self._may_write_owner(one, authorizer) for one in (check, old) if one is not None)

    def _may_write_owner(self, check: HealthCheck, authorizer: Authorizer) -> bool:
        owner = self._owner(check)
        return authorizer.write("service", owner) if owner else self._writes_node(authorizer, check.Node)

    def _owner(self, check: HealthCheck) -> str:
        """The name of the service a check is of, "" for a node's."""
        if not check.ServiceID:
            return ""
        service = self._service(check.Node, check.ServiceID)
        return service.ServiceName if service is not None else check.ServiceName

    def may_deregister(self, args: DeregisterRequest, authorizer: Authorizer) -> bool:
        """Who may write the node may take everything of it away; else what it is of decides."""
        if self._writes_node(authorizer, args.Node):
            return True
        if args.ServiceID:
            service = self._service(args.Node, args.ServiceID)
            return service is not None and authorizer.write("service", service.ServiceName)
        if args.CheckID:
            check = self._tables.checks.get((args.Node.lower(), args.CheckID.lower()))
            return check is not None and bool(check.ServiceID) and authorizer.write("service", check.ServiceName)
        return False
