"""The features whose methods and routes servers and agents offer: one line each.

The state of a replicated feature, with its commands and snapshot records, has its line in `features.state.State`: there
the order counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.http import acl_routes
from proconsul.features.catalog.endpoint import LIST_DATACENTERS, Catalog
from proconsul.features.catalog.http import CatalogRoutes
from proconsul.features.coordinate.endpoint import Coordinates
from proconsul.features.coordinate.http import CoordinateRoutes
from proconsul.features.health.endpoint import Health
from proconsul.features.health.http import HealthRoutes
from proconsul.features.keyring.http import KeyringRoutes
from proconsul.features.kv.endpoint import KVS
from proconsul.features.kv.http import KVRoutes
from proconsul.features.operator.routes import OperatorRoutes
from proconsul.features.query.endpoint import StoredQueries
from proconsul.features.query.http import QueryRoutes
from proconsul.features.server import Endpoint, Server
from proconsul.features.session.endpoint import Sessions
from proconsul.features.session.http import SessionRoutes
from proconsul.features.snapshot.http import SnapshotRoutes
from proconsul.features.snapshot.model import SnapshotService
from proconsul.features.txn.endpoint import Txn
from proconsul.features.txn.http import TxnRoutes
from proconsul.features.ui.endpoint import UserInterface
from proconsul.features.ui.http import UserInterfaceRoutes
from proconsul.features.web import RegistersRoutes, Web


class Site(NamedTuple):
    """What routes are made with.

    kv_value_bytes_max, txn_request_bytes_max: the largest bodies that are accepted, in bytes. dns_domains: those that
    names may end with.
    """

    web: Web
    server: Server
    archives: SnapshotService
    node_name: str
    kv_value_bytes_max: int
    txn_request_bytes_max: int
    coordinates_disabled: bool
    acl_enabled: bool
    dns_domains: tuple[str, ...]


class Feature(NamedTuple):
    """``endpoint`` makes what answers its methods, None when it has none that gates serve; ``routes`` gets that."""

    endpoint: Callable[[Server], Endpoint] | None
    routes: Callable[[Site, Any], RegistersRoutes]


FEATURES = (
    Feature(KVS, lambda site, kvs: KVRoutes(site.web, kvs, site.kv_value_bytes_max)),
    Feature(Sessions, lambda site, sessions: SessionRoutes(site.web, sessions, site.node_name)),
    Feature(Catalog, lambda site, catalog: CatalogRoutes(site.web, site.server, catalog)),
    Feature(Health, lambda site, health: HealthRoutes(site.web, site.server, health)),
    Feature(Coordinates, lambda site, coordinates: CoordinateRoutes(
        site.web, coordinates, disabled=site.coordinates_disabled)),
    Feature(StoredQueries, lambda site, queries: QueryRoutes(site.web, queries, site.node_name)),
    Feature(Txn, lambda site, txn: TxnRoutes(
        site.web, txn, body_bytes_max=site.txn_request_bytes_max, value_bytes_max=site.kv_value_bytes_max)),
    Feature(ACL, lambda site, acl: acl_routes(site.web, acl, site.web.gate.call, enabled=site.acl_enabled)),
    Feature(UserInterface, lambda site, ui: UserInterfaceRoutes(site.web, site.server, ui, site.dns_domains)),
    Feature(None, lambda site, _: KeyringRoutes(site.web, site.web.gate.call)),
    Feature(None, lambda site, _: OperatorRoutes(site.web, site.web.gate.call, LIST_DATACENTERS)),
    Feature(None, lambda site, _: SnapshotRoutes(site.web, site.archives)),
)  # fmt: skip
