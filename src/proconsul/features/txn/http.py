"""/v1/txn (HTTP API: txn)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router, too_large
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import Record, UInt64, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.model import HealthCheck, Node, NodeService
from proconsul.features.errors import BadRequest, TooLarge
from proconsul.features.kv.model import VALUE_BYTES_MAX, DirEntry
from proconsul.features.txn.endpoint import APPLY, Txn
from proconsul.features.txn.model import (
    OPS_MAX,
    TxnCheckOp,
    TxnKVOp,
    TxnNodeOp,
    TxnOp,
    TxnReadRequest,
    TxnReadResponse,
    TxnRequest,
    TxnServiceOp,
)
from proconsul.features.txn.state import is_read_only
from proconsul.features.web import Reply, Web


class _KVBody(Record, frozen=True):
    """A KV operation as the API spells it."""

    go_name: ClassVar[str | None] = "KVTxnOp"
    Verb: str = ""
    Key: str = ""
    Value: bytes | None = None
    Flags: UInt64 = 0
    Index: UInt64 = 0
    Session: str = ""
    Namespace: str = ""


class _NodeBody(Record, frozen=True):
    go_name: ClassVar[str | None] = "NodeTxnOp"
    Verb: str = ""
    Node: Node = Node()


class _ServiceBody(Record, frozen=True):
    go_name: ClassVar[str | None] = "ServiceTxnOp"
    Verb: str = ""
    Node: str = ""
    Service: NodeService = NodeService()


class _CheckBody(Record, frozen=True):
    go_name: ClassVar[str | None] = "CheckTxnOp"
    Verb: str = ""
    Check: HealthCheck = HealthCheck()


class _OpBody(Record, frozen=True):
    go_name: ClassVar[str | None] = "TxnOp"
    KV: _KVBody | None = None
    Node: _NodeBody | None = None
    Service: _ServiceBody | None = None
    Check: _CheckBody | None = None


class TxnRoutes:
    """Handler of /v1/txn."""

    def __init__(self, web: Web, txn: Txn, *, body_bytes_max: int, value_bytes_max: int = VALUE_BYTES_MAX) -> None:
        self.web = web
        self.txn = txn
        self.body_bytes_max = max(body_bytes_max, value_bytes_max)
        self.value_bytes_max = value_bytes_max

    def register(self, router: Router) -> None:
        router.add("/v1/txn", {"PUT": self.put}, body_bytes_max=self.body_bytes_max, checks_size=True)

    def put(self, request: Request) -> Answer:
        if request.body_bytes > self.body_bytes_max:
            more = " See https://www.consul.io/docs/agent/options.html#txn_max_req_len."
            return too_large(request.body_bytes, self.body_bytes_max, more)
        ops = self._ops(request)
        if is_read_only(ops):
            return self._read(request, ops)
        args = TxnRequest(Datacenter=self.web.datacenter_of(request), Ops=ops, Token=self.web.token(request))

        def finish(result: Any) -> Response:
            body = _outcome(result.Results, result.Errors, {})
            return self.web.json(request, body, 409 if result.Errors else 200)

        return self.web.write(APPLY, args, finish)

    def _read(self, request: Request, ops: list[TxnOp]) -> Answer:
        pretty = self.web.pretty(request)

        def encode(reply: TxnReadResponse) -> Reply:
            meta = {
                "Index": 0, "LastContact": reply.LastContact, "KnownLeader": reply.KnownLeader, "ConsistencyLevel": "",
            }  # fmt: skip
            body = gojson.dumps(_outcome(reply.Results, reply.Errors, meta), pretty=pretty)
            return Reply(409 if reply.Errors else 200, body, indexed=False)

        args = TxnReadRequest(Datacenter=self.web.datacenter_of(request), Ops=ops, Token=self.web.token(request))
        read = self.txn.read(args)
        return self.web.read(request, read, encode)

    # ------------------------------------------------------------------ decoding

    def _ops(self, request: Request) -> list[TxnOp]:
        try:
            bodies = _op_bodies(gojson.loads(request.body))
        except gojson.JSONError as error:
            raise BadRequest(f"Failed to parse body: {error}") from None
        if len(bodies) > OPS_MAX:
            raise TooLarge(f"Transaction contains too many operations ({len(bodies)} > {OPS_MAX})")
        return [op for op in (self._op(body) for body in bodies) if op is not None]

    def _op(self, body: _OpBody) -> TxnOp | None:
        if body.KV is not None:
            return TxnOp(KV=self._kv(body.KV))
        if body.Node is not None:
            node = replace(body.Node.Node, Datacenter=body.Node.Node.Datacenter or self.web.datacenter)
            return TxnOp(Node=TxnNodeOp(body.Node.Verb, node))
        if body.Service is not None:
            return TxnOp(Service=TxnServiceOp(body.Service.Verb, body.Service.Node, body.Service.Service))
        if body.Check is not None:
            check = replace(body.Check.Check, Definition=body.Check.Check.Definition.of_transactions())
            return TxnOp(Check=TxnCheckOp(body.Check.Verb, check))
        return None

    def _kv(self, body: _KVBody) -> TxnKVOp:
        size = len(body.Value or b"")
        if size > self.value_bytes_max:
            raise TooLarge(f"Value for key {quoted(body.Key)} is too large ({size} > {self.value_bytes_max} bytes)")
        entry = DirEntry(
            Key=body.Key, Value=body.Value or None, Flags=body.Flags, Session=body.Session, ModifyIndex=body.Index
        )
        return TxnKVOp(body.Verb, entry)


def _op_bodies(parsed: Any) -> list[_OpBody]:
    """Operations as the API spells them. Raises JSONError."""
    if parsed is not None and not isinstance(parsed, list):
        raise gojson.JSONError(f"json: cannot unmarshal {gojson.describe(parsed)} into Go value of type api.TxnOps")
    bodies: list[_OpBody] = gojson.from_plain(list[_OpBody], parsed or [])
    return bodies


def _outcome(results: Any, errors: Any, meta: dict[str, Any]) -> gojson.Object:
    return gojson.Object(Results=None if errors else results or [], Errors=errors, **meta)
