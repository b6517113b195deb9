"""/v1/txn (HTTP API: txn)."""

from __future__ import annotations

from typing import Any, ClassVar

from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import Record, UInt64, replace
from proconsul.features.catalog.model import HealthCheck, Node, NodeService
from proconsul.features.errors import BadRequest, TooLarge
from proconsul.features.kv.model import VALUE_BYTES_MAX, DirEntry
from proconsul.features.txn.endpoint import Txn
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
from proconsul.features.web import Web


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
        router.add("/v1/txn", {"PUT": self.put}, body_bytes_max=self.body_bytes_max, too_large=self._too_large)

    def _too_large(self, size: int) -> Response:
        response = text_response(
            413,
            f"Request body({size} bytes) too large, max size: {self.body_bytes_max} bytes. "
            "See https://www.consul.io/docs/agent/options.html#txn_max_req_len.",
        )
        response.close = True
        return response

    def put(self, request: Request) -> Answer:
        self.web.require_local(request)
        ops = self._ops(request)
        if is_read_only(ops):
            return self._read(request, ops)
        args = TxnRequest(Datacenter=self.web.datacenter, Ops=ops, Token=self.web.token(request))

        def finish(result: Any) -> Response:
            return self._answer(request, result.Results, result.Errors, {})

        return self.web.when_written(self.txn.apply(args), finish)

    def _read(self, request: Request, ops: list[TxnOp]) -> Answer:
        options = self.web.options(request)

        def finish(reply: TxnReadResponse) -> Response:
            meta = {
                "Index": 0, "LastContact": reply.LastContact, "KnownLeader": reply.KnownLeader, "ConsistencyLevel": "",
            }  # fmt: skip
            return self._answer(request, reply.Results, reply.Errors, meta)

        args = TxnReadRequest(
            Datacenter=self.web.datacenter, Ops=ops, Token=self.web.token(request),
            AllowStale=options.consistency == "stale", RequireConsistent=options.consistency == "consistent",
        )  # fmt: skip
        return self.web.when_written(self.txn.read(args), finish)

    def _answer(self, request: Request, results: Any, errors: Any, meta: dict[str, Any]) -> Response:
        body = gojson.Object(Results=None if errors else results or [], Errors=errors, **meta)
        headers = {}
        if meta:
            headers = {
                "X-Consul-Lastcontact": "0",
                "X-Consul-Knownleader": "true" if meta["KnownLeader"] else "false",
            }  # fmt: skip
        return self.web.json(request, body, 409 if errors else 200, headers)

    # ------------------------------------------------------------------ decoding

    def _ops(self, request: Request) -> list[TxnOp]:
        try:
            parsed = gojson.loads(request.body)
            if parsed is not None and not isinstance(parsed, list):
                raise gojson.JSONError(
                    f"json: cannot unmarshal {gojson.describe(parsed)} into Go value of type api.TxnOps"
                )
            bodies = gojson.from_plain(list[_OpBody], parsed or [])
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
            service = body.Service.Service
            if not service.ID and service.Service:
                service = replace(service, ID=service.Service)
            return TxnOp(Service=TxnServiceOp(body.Service.Verb, body.Service.Node, service))
        if body.Check is not None:
            check = replace(body.Check.Check, Definition=body.Check.Check.Definition.of_transactions())
            if not check.CheckID and check.Name:
                check = replace(check, CheckID=check.Name)
            return TxnOp(Check=TxnCheckOp(body.Check.Verb, check))
        return None

    def _kv(self, body: _KVBody) -> TxnKVOp:
        if len(body.Value or b"") > self.value_bytes_max:
            raise TooLarge(
                f"Value for key {body.Key!r} is too large ({len(body.Value or b'')} > {self.value_bytes_max} bytes)"
            )
        entry = DirEntry(
            Key=body.Key, Value=body.Value or None, Flags=body.Flags, Session=body.Session, ModifyIndex=body.Index
        )
        return TxnKVOp(body.Verb, entry)


