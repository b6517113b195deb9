"""Who may call which method, and what of its answer they are shown: one table for all methods.

A method that is not in the table is refused, so that a new one cannot be forgotten. Writes and reads of one thing are
refused; lists are filtered, and say whether something was left out (Consul docs: security/acl).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from proconsul.engine.meters import Meters
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.acl.authorizer import Authorizer
from proconsul.features.acl.decisions import recorded
from proconsul.features.acl.denials import UNKNOWN_FOR_NOW, refused
from proconsul.features.acl.model import ANONYMOUS_SECRET
from proconsul.features.acl.resolver import ACLNotFound, Resolver
from proconsul.features.acl.rules import Level
from proconsul.features.acl.vetting import Vetting
from proconsul.features.catalog.model import NodeServiceList, NodeServices
from proconsul.features.errors import ConsulError, PermissionDenied
from proconsul.features.keyring.model import KeyOperation
from proconsul.features.kv.model import KVOp
from proconsul.features.permission import Visible
from proconsul.features.query.model import PreparedQuery, QueryOp
from proconsul.features.session.model import CREATE
from proconsul.features.state import State
from proconsul.features.txn.model import TxnOp, TxnResponse, TxnResult

Admit = Callable[[Any, Authorizer], bool]
# Whether a row is shown.
Shown = Callable[[Any, Authorizer], bool]


class Entry(NamedTuple):
    """``admit``: whether a call may be made at all. ``show``: what of its answer is shown."""

    admit: Admit
    show: Callable[[Any, Authorizer], Visible] | None = None


class Eyes(NamedTuple):
    """Those who are shown the same. ``told``: whether they hear that there is more. ``token`` counts only where an
    answer is about the token itself."""

    authorizer: Authorizer | None
    told: bool
    token: str


def _anybody(_args: Any, _authorizer: Authorizer) -> bool:
    return True


# The secrets of those who are nobody in particular.
_NOBODY = frozenset({"", ANONYMOUS_SECRET})
# Asks for nothing, not even for a token that is somebody's: it tells whom to ask.
_OPEN = Entry(_anybody)


def _of(resource: str, level: Level, field: str = "") -> Admit:
    """Needs ``level`` of what the field of the arguments names."""
    return lambda args, authorizer: authorizer.allows(resource, level, getattr(args, field) if field else "")


def _rows(shown: Shown) -> Callable[[Any, Authorizer], Visible]:
    def show(rows: Any, authorizer: Authorizer) -> Visible:
        kept = [row for row in rows or () if shown(row, authorizer)]
        return Visible(rows, False) if len(kept) == len(rows or ()) else Visible(kept, True)

    return show


def _node(name: str, authorizer: Authorizer) -> bool:
    return authorizer.read("node", name)


def _service(name: str, authorizer: Authorizer) -> bool:
    """Rows that are of no service are shown as far as their node is."""
    return not name or authorizer.read("service", name)


def _check(row: Any, authorizer: Authorizer) -> bool:
    return _node(row.Node, authorizer) and _service(row.ServiceName, authorizer)


def _services_by_name(value: Any, authorizer: Authorizer) -> Visible:
    kept = {name: tags for name, tags in (value or {}).items() if _service(name, authorizer)}
    return Visible(value, False) if len(kept) == len(value or {}) else Visible(kept, True)


def _of_node(value: NodeServices | NodeServiceList | None, authorizer: Authorizer) -> Visible:
    """The services of one node, by id or as a list."""
    if value is None or value.Node is None:
        return Visible(value, False)
    if not _node(value.Node.Node, authorizer):
        return Visible(NodeServiceList() if isinstance(value, NodeServiceList) else None, True)
    services: Any = value.Services or ()
    pairs = services.items() if isinstance(services, dict) else enumerate(services)
    kept = {key: row for key, row in pairs if _service(row.Service, authorizer)}
    if len(kept) == len(services):
        return Visible(value, False)
    return Visible(replace(value, Services=kept if isinstance(services, dict) else list(kept.values())), True)


def _node_dump(value: Any, authorizer: Authorizer) -> Visible:
    """Nodes with what is theirs."""
    kept, removed = [], False
    for row in value or ():
        if not _node(row.Node, authorizer):
            removed = True
            continue
        services = [service for service in row.Services or () if _service(service.Service, authorizer)]
        checks = [check for check in row.Checks or () if _service(check.ServiceName, authorizer)]
        if len(services) != len(row.Services or ()) or len(checks) != len(row.Checks or ()):
            removed = True
            row = replace(row, Services=services or None, Checks=checks or None)
        kept.append(row)
    return Visible(kept, True) if removed else Visible(value, False)


def _behind_gateway(row: Any, authorizer: Authorizer) -> bool:
    shown = row.GatewayService is None or _service(row.GatewayService.Service.Name, authorizer)
    return shown and (row.Node is None or _node(row.Node.Node, authorizer))


def _result(row: TxnResult, authorizer: Authorizer) -> bool:
    if row.KV is not None:
        return authorizer.read("key", row.KV.Key)
    if row.Node is not None:
        return _node(row.Node.Node, authorizer)
    if row.Service is not None:
        return _service(row.Service.Service, authorizer)
    check = row.Check  # of a service without its node, unlike everywhere else (as in 1.8.7)
    if check is None or check.ServiceName:
        return check is None or _service(check.ServiceName, authorizer)
    return _node(check.Node, authorizer)


def _transaction(value: Any, authorizer: Authorizer) -> Visible:
    shown, removed = _rows(_result)(value.Results, authorizer)
    return Visible(replace(value, Results=shown), True) if removed else Visible(value, False)


def _queries(queries: Any, authorizer: Authorizer) -> Visible:
    """Those whose names may be read, without the tokens in them. Who manages access control sees all, and those that
    have no name, with their tokens."""
    if authorizer.manages:
        return Visible(queries, False)
    kept = [query for query in queries or () if query.has_name and authorizer.read("query", query.Name)]
    return Visible([query.redacted for query in kept], len(kept) != len(queries or ()))


def _query(queries: Any, authorizer: Authorizer) -> Visible:
    """As `_queries`, but who has the id of a query without a name may see it, and refusals are told of."""
    if queries and not queries[0].has_name and not authorizer.manages:
        return Visible([queries[0].redacted], False)
    shown = _queries(queries, authorizer)
    if queries and not shown.value:
        raise PermissionDenied()
    return shown


class ACLPermission:
    """Implements `features.gate.Permission`: what ``resolver`` says of tokens decides."""

    unlimited = False

    def __init__(
        self, resolver: Resolver, state: State, *, key_list_policy: bool = False, meters: Meters | None = None,
        clock: Callable[[], float] = float,
    ) -> None:  # fmt: skip
        """``meters`` are told how many milliseconds of ``clock`` it took to find out what each token may do."""
        self._resolver, self._state, self._key_list_policy = resolver, state, key_list_policy
        self._meters, self._clock = meters or Meters(), clock
        self._vetting = Vetting(state)
        self.table = self._table()

    # ------------------------------------------------------------------ the gate

    def admit(self, method: Any, args: Any, token: str) -> Eyes | None:
        """See `features.permission.Permission`. Raises PermissionDenied, or what resolving ``token`` raises."""
        name: str = method.name
        if name.startswith("ACL."):
            return self._eyes(token)  # they decide for themselves: some are for those without any token
        entry = self.table.get(name)
        if entry is _OPEN:
            return None
        began = self._clock()
        who = self._resolver.resolve(token)
        self._meters.sample("acl.ResolveToken", (self._clock() - began) * 1000)
        authorizer = who.authorizer
        if entry is None:
            raise PermissionDenied(f"Permission denied: nobody may call {name}")
        if not entry.admit(args, recorded(authorizer)):
            if who.token is None and token not in _NOBODY:
                raise PermissionDenied(UNKNOWN_FOR_NOW)
            raise refused(authorizer, who.token, lambda asked: entry.admit(args, asked))
        return None if entry.show is None else Eyes(authorizer, token not in _NOBODY, "")

    def _eyes(self, token: str) -> Eyes:
        """For answers that are about the token itself."""
        try:
            return Eyes(self._resolver.resolve(token).authorizer, True, token)
        except ACLNotFound:
            return Eyes(None, True, token)

    def watch(self, token: str, watch: WatchSet) -> None:
        """Have ``watch`` hear of changes of what ``token`` may do."""
        self._resolver.watch(token, watch)

    def abroad(self, token: str) -> str:
        """See `features.permission.Permission`."""
        found = self._resolver.known(token)
        return "" if found is not None and found.Local else token

    def lasts(self, token: str) -> bool:
        """See `features.permission.Permission`."""
        if self._resolver.asked is not None:
            return False  # what another datacenter said of it is too old after a while
        try:
            found = self._resolver.resolve(token).token
        except ACLNotFound:
            return True
        return found is None or found.ExpirationTime is None

    def visible(self, method: Any, value: Any, sees: Eyes) -> Visible:
        """What of a read's value is shown; who is nobody is not told that there is more."""
        entry = self.table.get(method.name)
        if entry is None or entry.show is None or sees.authorizer is None:
            return Visible(value, False)  # of a method that decides for itself
        value, removed = entry.show(value, sees.authorizer)
        return Visible(value, removed and sees.told)

    # ------------------------------------------------------------------ the table

    def _table(self) -> dict[str, Entry]:
        read, write = Level.READ, Level.WRITE
        sessions = Entry(_anybody, _rows(lambda row, authorizer: authorizer.read("session", row.Node)))
        checks = Entry(_anybody, _rows(_check))
        operator_read, operator_write = Entry(_of("operator", read)), Entry(_of("operator", write))
        return {
            "KVS.Apply": Entry(_kv_write),
            "KVS.Get": Entry(_of("key", read, "Key")),
            "KVS.List": Entry(self._listing("Key"), _rows(lambda row, authorizer: authorizer.read("key", row.Key))),
            "KVS.ListKeys": Entry(self._listing("Prefix"), _rows(lambda key, authorizer: authorizer.read("key", key))),
            "Txn.Apply": Entry(_anybody, _transaction),  # each operation is asked for: `may_operate`
            "Txn.Read": Entry(_anybody, _transaction),
            "Session.Apply": Entry(self._session_write),
            "Session.Renew": Entry(lambda args, who: self._of_session(args.SessionID or args.Session, who)),
            "Session.Get": sessions,
            "Session.List": sessions,
            "Session.NodeSessions": sessions,
            "Catalog.Register": Entry(self._vetting.may_register),
            "Catalog.Deregister": Entry(self._vetting.may_deregister),
            "Catalog.ListNodes": Entry(_anybody, _rows(lambda row, who: _node(row.Node, who))),
            "Catalog.ListServices": Entry(_anybody, _services_by_name),
            "Catalog.ServiceNodes": Entry(
                _anybody, _rows(lambda row, who: _node(row.Node, who) and _service(row.ServiceName, who))
            ),
            "Catalog.NodeServices": Entry(_anybody, _of_node),
            "Catalog.NodeServiceList": Entry(_anybody, _of_node),
            "Health.ChecksInState": checks,
            "Health.NodeChecks": checks,
            "Health.ServiceChecks": checks,
            "Health.ServiceNodes": Entry(
                _anybody, _rows(lambda row, who: _node(row.Node.Node, who) and _service(row.Service.Service, who))
            ),
            "Internal.NodeInfo": Entry(_anybody, _node_dump),
            "Internal.NodeDump": Entry(_anybody, _node_dump),
            "Internal.ServiceDump": Entry(
                _anybody, _rows(lambda row, who: _node(row.Node.Node, who) and _service(row.Service.Service, who))
            ),
            "Internal.GatewayServiceDump": Entry(_of("service", read, "ServiceName"), _rows(_behind_gateway)),
            "PreparedQuery.Apply": Entry(self._query_write),
            "PreparedQuery.Get": Entry(_anybody, _query),
            "PreparedQuery.List": Entry(_anybody, _queries),
            # What they find is shown by the rules of "Health.ServiceNodes", to the query's own token if it has one;
            # what they explain by those of "PreparedQuery.List".
            "PreparedQuery.Execute": _OPEN,
            "PreparedQuery.ExecuteRemote": _OPEN,
            "PreparedQuery.Explain": _OPEN,
            "Coordinate.Update": Entry(self._of_node("node", write)),
            "Coordinate.ListDatacenters": _OPEN,
            "Catalog.ListDatacenters": _OPEN,
            "Coordinate.ListNodes": Entry(_anybody, _rows(lambda row, who: _node(row.Node, who))),
            "Coordinate.Node": Entry(self._of_node("node", read)),
            "Status.Leader": _OPEN,
            "Status.Peers": _OPEN,
            "Internal.EventFire": Entry(_of("event", write, "Name")),
            "Internal.KeyringOperation": Entry(_keyring),
            "Snapshot": Entry(_of("acl", write)),
            "Operator.AutopilotGetConfiguration": operator_read,
            "Operator.ServerHealth": operator_read,
            "Operator.AutopilotState": operator_read,
            "Operator.RaftGetConfiguration": operator_read,
            "Operator.Usage": operator_read,
            "Internal.CatalogOverview": operator_read,
            "Operator.AutopilotSetConfiguration": operator_write,
            "Operator.RaftRemovePeerByAddress": operator_write,
            "Operator.RaftRemovePeerByID": operator_write,
            "Operator.TransferLeader": operator_write,
        }

    def _of_node(self, resource: str, level: Level) -> Admit:
        """Needs ``level`` of the node of the arguments."""
        return lambda args, authorizer: self._vetting.may_node(authorizer, resource, level, args.Node)

    def _listing(self, field: str) -> Admit:
        def may_list(args: Any, authorizer: Authorizer) -> bool:
            return not self._key_list_policy or authorizer.allows("key", Level.LIST, getattr(args, field))

        return may_list

    def show_transaction(self, reply: TxnResponse, token: str) -> TxnResponse:
        """What of the reply to a transaction that wrote is shown to ``token``."""
        shown: TxnResponse = _transaction(reply, self._resolver.resolve(token).authorizer).value
        return shown

    def _session_write(self, args: Any, authorizer: Authorizer) -> bool:
        if args.Op == CREATE:
            return self._vetting.may_node(authorizer, "session", Level.WRITE, args.Session.Node)
        return self._of_session(args.Session.ID, authorizer)

    def _of_session(self, session_id: str, authorizer: Authorizer) -> bool:
        """Whether a session may be changed; of one that is not there nothing can be."""
        session = self._state.kv.session(session_id)
        return session is None or authorizer.write("session", session.Node)

    def _query_write(self, args: Any, authorizer: Authorizer) -> bool:
        """The name that a query is to have must be writable, and the one that it has; who has the id of a query
        without a name may do with it what he likes."""
        asked = args.Query or PreparedQuery()
        stored = self._state.queries.find(asked.ID) if args.Op != QueryOp.CREATE else None
        named = (query for query in (asked, stored) if query is not None and query.has_name)
        return all(authorizer.write("query", query.Name) for query in named)

    def may_operate(self, op: TxnOp, token: str) -> bool:
        """Whether ``token`` may do one operation of a transaction. Raises what resolving it raises."""
        return self._op(op, recorded(self._resolver.resolve(token).authorizer))

    def why_not(self, op: TxnOp, token: str) -> str:
        """See `features.permission.Permission`."""
        who = self._resolver.resolve(token)
        return refused(who.authorizer, who.token, lambda authorizer: self._op(op, authorizer)).text

    def _op(self, op: TxnOp, authorizer: Authorizer) -> bool:
        if op.KV is not None:
            return _txn_key(op.KV.Verb, op.KV.DirEnt.Key, authorizer)
        if op.Node is not None:
            node = op.Node.Node
            return op.Node.Verb == "get" or self._vetting.may_node(authorizer, "node", Level.WRITE, node.Node, node.ID)
        if op.Service is not None:
            return op.Service.Verb == "get" or self._vetting.may_write_service(
                op.Service.Node, op.Service.Service, authorizer
            )
        if op.Check is not None:
            return op.Check.Verb == "get" or self._vetting.may_write_check(op.Check.Check, authorizer)
        if op.Session is not None:
            return self._of_session(op.Session.Session.ID, authorizer)
        return authorizer.everything or authorizer.manages


def _keyring(args: Any, authorizer: Authorizer) -> bool:
    """Refusals have a text of their own. Raises ConsulError."""
    changes = args.Operation != KeyOperation.LIST
    if not authorizer.allows("keyring", Level.WRITE if changes else Level.READ):
        raise ConsulError("Modifying keyring denied due to ACLs" if changes else "Reading keyring denied by ACLs")
    return True


def _kv_write(args: Any, authorizer: Authorizer) -> bool:
    key: str = args.DirEnt.Key
    return authorizer.decide_tree(key).allowed if args.Op == KVOp.DELETE_TREE else authorizer.write("key", key)


def _txn_key(verb: str, key: str, authorizer: Authorizer) -> bool:
    """Reads of a transaction are filtered afterwards; what it only looks at must be readable, and writable to be told
    that it is not there (as in 1.8.7)."""
    if verb in ("get", "get-tree"):
        return True
    if verb in ("check-session", "check-index"):
        return authorizer.read("key", key)
    return authorizer.decide_tree(key).allowed if verb == KVOp.DELETE_TREE else authorizer.write("key", key)
