"""How much is in the catalog, in the numbers that operators count by (Consul 1.14: operator usage). Pure."""

from __future__ import annotations

from proconsul.features.catalog.tables import CatalogTables
from proconsul.features.operator.model import ServiceUsage

# The kinds of services that belong to the mesh, in the order in which they are shown; a native one has no kind.
NATIVE = "connect-native"
MESH_KINDS = ("connect-proxy", "ingress-gateway", "mesh-gateway", "terminating-gateway")
# The servers' own service, which nobody is billed for.
_OWN = "consul"


def usage(tables: CatalogTables) -> ServiceUsage:
    """The counts of one datacenter. Billable are the instances that are neither of the mesh's kinds nor servers."""
    services = tables.services
    by_kind = {kind: services.count("kind", kind) for kind in MESH_KINDS}
    native = sum(row.ServiceConnect.Native for row in services.rows.values())
    mesh = sum(by_kind.values())
    return ServiceUsage(
        Services=sum(1 for _ in services.keys("service")), ServiceInstances=len(services),
        ConnectServiceInstances={NATIVE: native, **by_kind},
        BillableServiceInstances=len(services) - mesh - services.count("service", _OWN), Nodes=len(tables.nodes),
    )  # fmt: skip
