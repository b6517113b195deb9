"""Catalog writes, looked at field by field: what they change decides what is needed; pure."""

from __future__ import annotations

from collections.abc import Iterable

from proconsul.features.acl.authorizer import Authorizer
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, NodeService, RegisterRequest, ServiceNode
from proconsul.features.state import State


class Vetting:
    """Compares writes with what the catalog has."""

    def __init__(self, state: State) -> None:
        self._tables = state.tables

    def _service(self, node: str, service_id: str) -> ServiceNode | None:
        return self._tables.services.get((node.lower(), service_id.lower()))

    def may_register(self, args: RegisterRequest, authorizer: Authorizer) -> bool:
        """The node when it is new or changes, the service also under the name it has had, each check as its owner."""
        if self._changes_node(args) and not authorizer.write("node", args.Node):
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
        if not check.ServiceID:
            return authorizer.write("node", args.Node)
        if args.Service is not None and (args.Service.ID or args.Service.Service) == check.ServiceID:
            return True  # the service was looked at
        old = self._service(args.Node, check.ServiceID)
        return old is not None and authorizer.write("service", old.ServiceName)

    def may_write_check(self, check: HealthCheck, authorizer: Authorizer) -> bool:
        """Whether a check may be written or removed: as what it is of, and as what it has been of."""
        old = self._tables.checks.get((check.Node.lower(), check.CheckID.lower()))
        owners = {owner for owner in (self._owner(check), old and self._owner(old)) if owner is not None}
        return all(authorizer.write("service", owner) if owner else authorizer.write("node", check.Node)
                   for owner in owners)  # fmt: skip

    def _owner(self, check: HealthCheck) -> str:
        """The name of the service a check is of, "" for a node's."""
        if not check.ServiceID:
            return ""
        service = self._service(check.Node, check.ServiceID)
        return service.ServiceName if service is not None else check.ServiceName

    def may_deregister(self, args: DeregisterRequest, authorizer: Authorizer) -> bool:
        """Who may write the node may take everything of it away; else what it is of decides."""
        if authorizer.write("node", args.Node):
            return True
        if args.ServiceID:
            service = self._service(args.Node, args.ServiceID)
            return service is not None and authorizer.write("service", service.ServiceName)
        if args.CheckID:
            check = self._tables.checks.get((args.Node.lower(), args.CheckID.lower()))
            return check is not None and bool(check.ServiceID) and authorizer.write("service", check.ServiceName)
        return False
