"""Which methods need what, and what of their answers is shown."""

# mypy: disable-error-code="arg-type,var-annotated"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from acl_world import World

from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.model import ACLToken
from proconsul.features.acl.needs import NEEDS, Guarded
from proconsul.features.acl.permission import ACLPermission
from proconsul.features.acl.resolver import ACLNotFound
from proconsul.features.base import DCSpecificRequest, NodeSpecificRequest
from proconsul.features.catalog.model import (
    CheckServiceNode,
    DeregisterRequest,
    HealthCheck,
    Node,
    NodeService,
    NodeServices,
    RegisterRequest,
    ServiceNode,
)
from proconsul.features.coordinate.model import Coordinate, CoordinateUpdateRequest
from proconsul.features.errors import PermissionDenied
from proconsul.features.kv.model import DirEntry, KeyListRequest, KeyRequest, KVSRequest
from proconsul.features.permission import Visible
from proconsul.features.server import CallMethod, ReadMethod, WriteMethod
from proconsul.features.session.model import Session, SessionRequest, SessionSpecificRequest
from proconsul.features.txn.model import TxnCheckOp, TxnKVOp, TxnNodeOp, TxnOp, TxnReadRequest, TxnRequest, TxnServiceOp
from proconsul.server.config import ServerConfig
from proconsul.server.server import ConsulServer

SESSION = "11111111-2222-4333-8444-555555555555"
NODE_ID = "aaaaaaaa-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def world() -> World:
    found = World()
    state = found.state
    registered = RegisterRequest(
        Node="n1", ID=NODE_ID, Address="10.0.0.1", Service=NodeService(ID="w1", Service="web"),
        Checks=[
            HealthCheck(Node="n1", CheckID="alive", Status="passing"),
            HealthCheck(Node="n1", CheckID="web-ok", Status="passing", ServiceID="w1", ServiceName="web"),
        ],
    )  # fmt: skip
    found.write(lambda tx: state.catalog.register(tx, registered))
    found.write(lambda tx: state.sessions.create(tx, Session(ID=SESSION, Node="n1")))
    return found


def permission(world: World, *, key_list_policy: bool = False) -> ACLPermission:
    return ACLPermission(world.resolver, world.state, key_list_policy=key_list_policy)


def method(name: str) -> Any:
    return SimpleNamespace(name=name)


def admitted(world: World, name: str, args: Any, rules: str, **options: bool) -> bool:
    try:
        found, secret = permission(world, **options), world.secret(rules)
        found.admit(method(name), args, secret)
        if name.startswith("Txn."):
            return all(found.may_operate(op, secret) for op in args.Ops)
    except PermissionDenied as error:
        assert error.text.startswith("Permission denied: ")
        return False
    return True


def kv(op: str, key: str) -> KVSRequest:
    return KVSRequest(Op=op, DirEnt=DirEntry(Key=key))


def register(**fields: Any) -> RegisterRequest:
    return RegisterRequest(**{"Node": "n1", "ID": NODE_ID, "Address": "10.0.0.1", **fields})


def txn(**op: Any) -> TxnRequest:
    return TxnRequest(Ops=[TxnOp(KV=TxnKVOp("set", DirEntry(Key="ok"))), TxnOp(**op)])


NODE1, WEB = 'node "n1" { policy = "write" }', 'service "web" { policy = "write" }'
OK = 'key "ok" { policy = "write" } '
# What is asked for, rules that are just enough, and rules that are all but that.
CASES = [
    ("KVS.Apply", kv("set", "a"), 'key "a" { policy = "write" }', 'key "a" { policy = "list" }'),
    ("KVS.Apply", kv("delete-tree", "a"), 'key_prefix "a" { policy = "write" }',
     'key_prefix "a" { policy = "write" } key "a/b" { policy = "read" }'),
    ("KVS.Apply", kv("lock", "a"), 'key_prefix "" { policy = "write" }', 'key_prefix "" { policy = "read" }'),
    ("KVS.Get", KeyRequest(Key="a"), 'key "a" { policy = "read" }', 'key "a" { policy = "deny" }'),
    ("Txn.Apply", txn(KV=TxnKVOp("set", DirEntry(Key="b"))), OK + 'key "b" { policy = "write" }',
     OK + 'key "b" { policy = "read" }'),
    ("Txn.Apply", txn(KV=TxnKVOp("check-index", DirEntry(Key="b"))), OK + 'key "b" { policy = "read" }', OK),
    ("Txn.Apply", txn(KV=TxnKVOp("delete-tree", DirEntry(Key="b"))), OK + 'key_prefix "b" { policy = "write" }',
     OK + 'key "b" { policy = "write" }'),
    ("Txn.Apply", txn(Node=TxnNodeOp("set", Node(Node="n2"))), OK + 'node "n2" { policy = "write" }', OK + NODE1),
    ("Txn.Apply", txn(Service=TxnServiceOp("delete", "n1", NodeService(ID="w1", Service="db"))),
     OK + WEB + ' service "db" { policy = "write" }', OK + 'service "db" { policy = "write" }'),
    ("Txn.Apply", txn(Check=TxnCheckOp("delete", HealthCheck(Node="n1", CheckID="web-ok"))), OK + WEB + NODE1,
     OK + NODE1),
    ("Txn.Read", TxnReadRequest(Ops=[TxnOp(KV=TxnKVOp("get", DirEntry(Key="b")))]), "", None),
    ("Session.Apply", SessionRequest(Op="create", Session=Session(Node="n1")), 'session "n1" { policy = "write" }',
     'session "n2" { policy = "write" }'),
    ("Session.Apply", SessionRequest(Op="destroy", Session=Session(ID=SESSION, Node="n2")),
     'session "n1" { policy = "write" }', 'session "n2" { policy = "write" }'),
    ("Session.Apply", SessionRequest(Op="create", Session=Session(Node="N1")),
     'session "n1" { policy = "write" } session "N1" { policy = "write" }', 'session "N1" { policy = "write" }'),
    ("Session.Renew", SessionSpecificRequest(SessionID=SESSION), 'session "n1" { policy = "write" }',
     'session "n1" { policy = "read" }'),
    # A node is found in any spelling of its name and by its id: who may write it so must have it as it is named.
    ("Catalog.Register", register(Node="N1"), NODE1 + 'node "N1" { policy = "write" }',
     'node "N1" { policy = "write" }'),
    ("Catalog.Register", register(Node="n2", ID=NODE_ID.upper()), NODE1 + 'node "n2" { policy = "write" }',
     'node "n2" { policy = "write" }'),
    ("Txn.Apply", txn(Node=TxnNodeOp("set", Node(Node="n2", ID=NODE_ID))),
     OK + NODE1 + 'node "n2" { policy = "write" }', OK + 'node "n2" { policy = "write" }'),
    ("Txn.Apply", txn(Node=TxnNodeOp("delete", Node(Node="N1"))), OK + NODE1 + 'node "N1" { policy = "write" }',
     OK + 'node "N1" { policy = "write" }'),
    ("Catalog.Deregister", DeregisterRequest(Node="N1"), NODE1 + 'node "N1" { policy = "write" }',
     'node "N1" { policy = "write" }'),
    ("Coordinate.Update", CoordinateUpdateRequest(Node="N1", Coord=Coordinate()),
     NODE1 + 'node "N1" { policy = "write" }', 'node "N1" { policy = "write" }'),
    ("Coordinate.Node", NodeSpecificRequest(Node="N1"), 'node_prefix "" { policy = "read" }',
     'node_prefix "" { policy = "read" } node "n1" { policy = "deny" }'),
    # A check whose id is taken from another one replaces that.
    ("Catalog.Register", register(Service=NodeService(ID="d1", Service="db"),
     Check=HealthCheck(CheckID="web-ok", ServiceID="d1")), WEB + 'service "db" { policy = "write" }',
     'service "db" { policy = "write" }'),
    ("Catalog.Register", register(Check=HealthCheck(CheckID="alive", ServiceID="w1")), WEB + NODE1, WEB),
    ("Catalog.Register", register(Check=HealthCheck(CheckID="WEB-OK")), WEB + NODE1, NODE1),
    ("Txn.Apply", txn(KV=TxnKVOp("check-not-exists", DirEntry(Key="b"))), OK + 'key "b" { policy = "write" }',
     OK + 'key "b" { policy = "read" }'),
    ("Catalog.Register", register(), "", None),
    ("Catalog.Register", register(Address="10.0.0.2"), NODE1, WEB),
    ("Catalog.Register", register(NodeMeta={"a": "b"}), NODE1, WEB),
    ("Catalog.Register", register(Address="10.0.0.2", SkipNodeUpdate=True), "", None),
    ("Catalog.Register", register(Node="n2", ID="", SkipNodeUpdate=True), 'node "n2" { policy = "write" }', NODE1),
    ("Catalog.Register", register(Service=NodeService(ID="w1", Service="web")), WEB, NODE1),
    ("Catalog.Register", register(Service=NodeService(ID="w1", Service="db")),
     WEB + 'service "db" { policy = "write" }', 'service "db" { policy = "write" }'),
    ("Catalog.Register", register(Check=HealthCheck(CheckID="c")), NODE1, WEB),
    ("Catalog.Register", register(Checks=[HealthCheck(CheckID="c", ServiceID="w1")]), WEB, NODE1),
    ("Catalog.Deregister", DeregisterRequest(Node="n1"), NODE1, WEB),
    ("Catalog.Deregister", DeregisterRequest(Node="n1", ServiceID="w1"), WEB, 'node "n2" { policy = "write" }'),
    ("Catalog.Deregister", DeregisterRequest(Node="n1", ServiceID="w1"), NODE1, 'service "db" { policy = "write" }'),
    ("Catalog.Deregister", DeregisterRequest(Node="n1", CheckID="web-ok"), WEB, 'service "w1" { policy = "write" }'),
    ("Catalog.Deregister", DeregisterRequest(Node="n1", CheckID="alive"), NODE1, WEB),
    ("Coordinate.Update", CoordinateUpdateRequest(Node="n1"), NODE1, 'node "n1" { policy = "read" }'),
    ("Coordinate.Node", NodeSpecificRequest(Node="n1"), 'node "n1" { policy = "read" }', WEB),
    ("Operator.ServerHealth", DCSpecificRequest(), 'operator = "read"', 'operator = "deny"'),
    ("Operator.RaftRemovePeerByID", DCSpecificRequest(), 'operator = "write"', 'operator = "read"'),
    ("Operator.TransferLeader", DCSpecificRequest(), 'operator = "write"', 'operator = "read"'),
    ("Some.NewMethod", DCSpecificRequest(), None, 'operator = "write" acl = "write"'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "enough", "short"), CASES)
def test_a_call_needs_what_the_table_says(
    world: World, name: str, args: Any, enough: str | None, short: str | None
) -> None:  # fmt: skip
    if enough is not None:
        assert admitted(world, name, args, enough)
    if short is not None:
        assert not admitted(world, name, args, short)


def test_listing_keys_needs_list_only_where_that_is_asked_for(world: World) -> None:
    for name, args in (("KVS.List", KeyRequest(Key="a")), ("KVS.ListKeys", KeyListRequest(Prefix="a"))):
        read, listing = 'key_prefix "a" { policy = "read" }', 'key_prefix "a" { policy = "list" }'
        assert admitted(world, name, args, read)
        assert not admitted(world, name, args, read, key_list_policy=True)
        assert admitted(world, name, args, listing, key_list_policy=True)


class Pools:
    """As much of gossip as a lonely server needs."""

    members = staticmethod(list)
    wan_members = staticmethod(list)
    wan_coordinates = None
    operate_keys = None


def test_every_method_of_a_server_is_in_the_table() -> None:
    server = ConsulServer(ServerConfig("n", "id", "dc1", "127.0.0.1:1"), Pools())
    known = ACLPermission(server.resolver, server.state).table
    names = {one.name for one in server.gate.methods if not one.name.startswith("ACL.")}
    assert names | {"Snapshot"} == set(known), "a method without an entry is refused to everybody"


def test_every_method_of_access_control_says_what_it_needs() -> None:
    endpoint = ConsulServer(ServerConfig("n", "id", "dc1", "127.0.0.1:1"), Pools()).endpoint(ACL)
    assert {one.name for table in (endpoint.reads, endpoint.writes, endpoint.calls) for one in table} == set(NEEDS)
    assert all((need.level is None) == bool(need.why) for need in NEEDS.values())
    new = ReadMethod("ACL.New", object, object), WriteMethod("ACL.New", object), CallMethod("ACL.New", object, None)
    for tables in ({new[0]: id}, {}, {}), ({}, {new[1]: id}, {}), ({}, {}, {new[2]: id}):
        with pytest.raises(KeyError):  # it is not served at all
            Guarded(None, *tables)


NODES = [Node(Node="n1"), Node(Node="n2")]
CHECKS = [HealthCheck(Node="n1"), HealthCheck(Node="n1", ServiceName="db"), HealthCheck(Node="n2", ServiceName="web")]
READ_N1_WEB = 'node "n1" { policy = "read" } service "web" { policy = "read" }'
FILTERS = [
    ("KVS.List", [DirEntry(Key="a"), DirEntry(Key="b")], 'key "b" { policy = "read" }', [DirEntry(Key="b")]),
    ("KVS.ListKeys", ["a", "a/", "b"], 'key_prefix "a" { policy = "list" }', ["a", "a/"]),
    ("Session.List", [Session(Node="n1"), Session(Node="n2")], 'session "n2" { policy = "read" }',
     [Session(Node="n2")]),
    ("Catalog.ListNodes", NODES, READ_N1_WEB, NODES[:1]),
    ("Catalog.ListServices", {"web": [], "db": ["x"]}, READ_N1_WEB, {"web": []}),
    ("Catalog.ServiceNodes", [ServiceNode(Node="n1", ServiceName="web"), ServiceNode(Node="n2", ServiceName="web")],
     READ_N1_WEB, [ServiceNode(Node="n1", ServiceName="web")]),
    ("Catalog.NodeServices", NodeServices(NODES[0], {"a": NodeService(Service="web"), "b": NodeService(Service="db")}),
     READ_N1_WEB, NodeServices(NODES[0], {"a": NodeService(Service="web")})),
    ("Catalog.NodeServices", NodeServices(NODES[1], {}), READ_N1_WEB, None),
    ("Health.ChecksInState", CHECKS, READ_N1_WEB, CHECKS[:1]),
    ("Health.ServiceNodes", [CheckServiceNode(NODES[0], NodeService(Service=name), []) for name in ("web", "db")],
     READ_N1_WEB, [CheckServiceNode(NODES[0], NodeService(Service="web"), [])]),
    ("Coordinate.ListNodes", [Coordinate(Node="n1"), Coordinate(Node="n2")], READ_N1_WEB, [Coordinate(Node="n1")]),
]  # fmt: skip


def shown_to(gate: ACLPermission, name: str, value: Any, secret: str) -> Visible:
    return gate.visible(method(name), value, gate.admit(method(name), DCSpecificRequest(), secret))


@pytest.mark.parametrize(("name", "value", "rules", "shown"), FILTERS)
def test_lists_show_what_may_be_read_and_say_so(world: World, name: str, value: Any, rules: str, shown: Any) -> None:
    gate = permission(world)
    assert shown_to(gate, name, value, world.secret(rules)) == (shown, True)
    everything = 'key_prefix "" { policy = "read" } node_prefix "" { policy = "read" } ' + (
        'service_prefix "" { policy = "read" } session_prefix "" { policy = "read" }'
    )
    untouched = shown_to(gate, name, value, world.secret(everything))
    assert untouched.value is value and not untouched.removed


def test_nothing_is_shown_twice_to_different_rights(world: World) -> None:
    gate, read = permission(world), method("KVS.List")
    link = world.policy("changing", 'key "a" { policy = "read" }')
    one, two = world.token(Policies=[link]), world.token('key "b" { policy = "read" }')

    def eyes(token: ACLToken) -> object:
        return gate.admit(read, KeyRequest(Key="a"), token.SecretID)

    before = eyes(one)
    assert before == eyes(one) != eyes(two)
    world.policy("changing", 'key "b" { policy = "read" }', policy_id=link.ID)
    assert eyes(one) != before, "what was kept under the rights of before is not used any more"
    with pytest.raises(ACLNotFound):
        gate.admit(method("KVS.Get"), KeyRequest(Key="a"), "unknown")
