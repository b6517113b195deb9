"""Transaction types (RPC reference, structures; HTTP API: txn)."""

from __future__ import annotations

from typing import ClassVar

from proconsul.engine.wire.record import Record
from proconsul.features.base import QueryMeta, QueryOptions, WriteRequest
from proconsul.features.catalog.model import HealthCheck, Node, NodeService
from proconsul.features.intention.model import IntentionRequest
from proconsul.features.kv.model import DirEntry
from proconsul.features.session.model import Session

# HTTP API: txn. The bound keeps one Raft entry, and the stall while it is applied, small.
OPS_MAX = 64


class TxnKVOp(Record, frozen=True):
    Verb: str = ""
    DirEnt: DirEntry = DirEntry()


class TxnNodeOp(Record, frozen=True):
    Verb: str = ""
    Node: Node = Node()


class TxnServiceOp(Record, frozen=True):
    Verb: str = ""
    Node: str = ""
    Service: NodeService = NodeService()


class TxnCheckOp(Record, frozen=True):
    Verb: str = ""
    Check: HealthCheck = HealthCheck()


class TxnSessionOp(Record, frozen=True):
    Verb: str = ""
    Session: Session = Session()


class TxnOp(Record, frozen=True):
    """One operation: exactly one of the fields is set."""

    KV: TxnKVOp | None = None
    Intention: IntentionRequest | None = None
    Node: TxnNodeOp | None = None
    Service: TxnServiceOp | None = None
    Check: TxnCheckOp | None = None
    Session: TxnSessionOp | None = None


class TxnRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Ops: list[TxnOp] | None = None


class TxnReadRequest(QueryOptions, frozen=True, kw_only=True):
    Datacenter: str = ""
    Ops: list[TxnOp] | None = None


class TxnResult(Record, frozen=True):
    json_omitempty: ClassVar[frozenset[str]] = frozenset({"KV", "Node", "Service", "Check"})
    KV: DirEntry | None = None
    Node: Node | None = None
    Service: NodeService | None = None
    Check: HealthCheck | None = None


class TxnError(Record, frozen=True):
    OpIndex: int = 0
    What: str = ""


class TxnResponse(Record, frozen=True):
    Results: list[TxnResult] | None = None
    Errors: list[TxnError] | None = None


class TxnReadResponse(QueryMeta, frozen=True, kw_only=True):
    Results: list[TxnResult] | None = None
    Errors: list[TxnError] | None = None
