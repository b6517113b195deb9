"""Txn.Apply and Txn.Read."""

from __future__ import annotations

from proconsul.engine.completion import Completion, Mapped, tell
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.catalog.definition import INVALID_ADDRESS, KEYS_NOT_TEXT, for_the_log, keys_not_text, reachable
from proconsul.features.catalog.model import Node
from proconsul.features.ids import uuid_fault
from proconsul.features.kv.model import KVOp
from proconsul.features.messages import MessageType
from proconsul.features.server import Endpoint, Read, ReadMethod, Reads, Server, WriteMethod, Writes
from proconsul.features.txn.model import (
    TxnError,
    TxnOp,
    TxnReadRequest,
    TxnReadResponse,
    TxnRequest,
    TxnResponse,
    TxnServiceOp,
)

APPLY = WriteMethod("Txn.Apply", TxnRequest, TxnResponse)
READ = ReadMethod("Txn.Read", TxnReadRequest, TxnReadResponse)


class Txn(Endpoint):
    """Runs transactions: through Raft, or for reads against the state of whoever may answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.reads: Reads = {READ: self.read}
        self.writes: Writes = {APPLY: self.apply}

    def apply(self, waiter: Completion, args: TxnRequest) -> None:
        """Propose; refused without Raft when an operation cannot be allowed now. The result is a TxnResponse."""
        ops = [_completed(op) for op in args.Ops or ()]
        locks = {op.KV.DirEnt.Key for op in ops if op.KV is not None and op.KV.Verb == KVOp.LOCK}
        if locks:
            self._server.locking(waiter, locks, lambda inside: self._propose(inside, replace(args, Ops=ops)))
        else:
            self._propose(waiter, replace(args, Ops=ops))

    def _propose(self, waiter: Completion, args: TxnRequest) -> None:
        if self._server.handed_on(waiter, APPLY, args):
            return  # no longer ours to do, after waiting for others
        ops = args.Ops or []
        errors = self._pre_check(ops, args.Token) or self._held(ops)
        if errors:
            tell(waiter, TxnResponse(None, errors))
        else:
            logged = replace(args, Ops=[_for_the_log(op) for op in ops])
            permission = self._server.permission
            if not permission.unlimited:
                waiter = Mapped(waiter, lambda reply: permission.show_transaction(reply, args.Token))
            self._server.propose_for(waiter, MessageType.TXN, logged)

    def _pre_check(self, ops: list[TxnOp], token: str) -> list[TxnError]:
        errors, permission = [], self._server.permission
        for position, op in enumerate(ops):
            refusal = self._refusal(op)
            if not refusal and not permission.may_operate(op, token):
                refusal = permission.why_not(op, token)
            if refusal:
                errors.append(TxnError(position, refusal))
        return errors

    def _held(self, ops: list[TxnOp]) -> list[TxnError] | None:
        """What is wrong with a transaction that takes a lock of somebody else's.

        It is not proposed: the holder could end before it, and it would get the lock within the delay.
        """
        kv = self._server.state.kv
        for op in ops:
            if op.KV is not None and op.KV.Verb == KVOp.LOCK and kv.held_by_another(*_lock_of(op)):
                return self._server.rehearse(ops)
        return None

    def _refusal(self, op: TxnOp) -> str:
        if op.KV is not None:
            if not op.KV.DirEnt.Key and op.KV.Verb != KVOp.DELETE_TREE:
                return "Must provide key"
            if op.KV.Verb == KVOp.LOCK and self._server.lock_delayed(op.KV.DirEnt):
                return f"failed to lock key {quoted(op.KV.DirEnt.Key)} due to lock delay"
        if op.Node is not None and op.Node.Verb != "get":
            return _node_refusal(op.Node.Node)
        if op.Intention is not None and op.Intention.Intention is None:
            return "Missing Intention ID"  # servers of Consul 1.8.7, a leader too, end for good when they apply it
        if op.Service is not None and op.Service.Verb != "get":
            return _service_refusal(op.Service)
        return ""

    def read(self, args: TxnReadRequest) -> Read:
        """Evaluate a transaction that only reads. It waits for nothing, and its value is the whole reply."""
        server = self._server

        def run(_: WatchSet) -> tuple[int, TxnReadResponse]:
            ops = args.Ops or []
            errors: list[TxnError] | None = self._pre_check(ops, args.Token)
            results = None
            if not errors:
                results, errors = server.state.txn.read(ops)
            known_leader, last_contact_ns = server.knows()
            return 0, TxnReadResponse(
                KnownLeader=known_leader, LastContact=last_contact_ns, Results=results, Errors=errors
            )

        return Read((READ.name, id(args)), run, READ, args, shared=False, waits=False)


def _lock_of(op: TxnOp) -> tuple[str, str]:
    assert op.KV is not None
    return op.KV.DirEnt.Key, op.KV.DirEnt.Session


def _completed(op: TxnOp) -> TxnOp:
    """With the ids that may be left out where the name says the same; what only reads means what it says."""
    if op.Service is not None and op.Service.Verb != "get":
        service = op.Service.Service
        if not service.ID and service.Service:
            return replace(op, Service=replace(op.Service, Service=replace(service, ID=service.Service)))  # type: ignore[no-any-return]
    if op.Check is not None and op.Check.Verb != "get":
        check = op.Check.Check
        if not check.CheckID and check.Name:
            return replace(op, Check=replace(op.Check, Check=replace(check, CheckID=check.Name)))  # type: ignore[no-any-return]
    return op


def _for_the_log(op: TxnOp) -> TxnOp:
    """The operation as it goes into the log."""
    if op.Service is None:
        return op
    return replace(op, Service=replace(op.Service, Service=for_the_log(op.Service.Service)))  # type: ignore[no-any-return]


def _node_refusal(node: Node) -> str:
    """Why a node cannot be written or deleted."""
    if not node.Node:
        return "Must provide node"
    fault = uuid_fault(node.ID) if node.ID else ""
    return f"Bad node ID: {fault}" if fault else ""


def _service_refusal(op: TxnServiceOp) -> str:
    """Why a service cannot be written or deleted."""
    service = op.Service
    if keys_not_text(service):
        return KEYS_NOT_TEXT
    if service.ID and not service.Service:
        return "Must provide service name with ID"
    if not reachable(service.Address):
        return INVALID_ADDRESS
    return ""
