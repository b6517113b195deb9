"""Federation states: where the mesh gateways of each datacenter are (RPC reference, structures)."""

from __future__ import annotations

from proconsul.engine.wire.gotime import ZERO_TIME, GoTime
from proconsul.engine.wire.record import RaftIndexed, Record
from proconsul.features.base import WriteRequest
from proconsul.features.catalog.model import HealthCheck, Node, NodeService

UPSERT = "upsert"
DELETE = "delete"


class MeshGateway(Record, frozen=True):
    """One gateway instance: a CheckServiceNode any part of which may be missing."""

    Node: Node | None = None
    Service: NodeService | None = None
    Checks: list[HealthCheck] | None = None


class FederationState(RaftIndexed, frozen=True, kw_only=True):
    """``PrimaryModifyIndex`` is the index in the primary datacenter this state was copied from."""

    Datacenter: str = ""
    MeshGateways: list[MeshGateway] | None = None
    UpdatedAt: GoTime = ZERO_TIME
    PrimaryModifyIndex: int = 0


class FederationStateRequest(WriteRequest, frozen=True, kw_only=True):
    """A command, and with ``Op`` upsert also the snapshot record."""

    Datacenter: str = ""
    Op: str = ""
    State: FederationState | None = None
