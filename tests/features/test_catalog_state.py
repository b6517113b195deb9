"""Which writes move which indexes of the catalog, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proconsul.engine.store.table import Transaction
from proconsul.features.catalog.definition import for_the_log, keys_not_text
from proconsul.features.catalog.model import (
    ConnectProxyConfig,
    DeregisterRequest,
    HealthCheck,
    NodeService,
    RegisterRequest,
    ServiceConnect,
    Upstream,
    Weights,
)
from proconsul.features.errors import StateError
from proconsul.features.state import State

ID1 = "11111111-1111-1111-1111-111111111111"
ID2 = "22222222-2222-2222-2222-222222222222"


class World:
    def __init__(self) -> None:
        self.state = State()
        self.index = 0

    def register(self, **fields: Any) -> None:
        request = RegisterRequest(**{"Node": "n", "Address": "10.0.0.1", **fields})
        self._write(lambda tx: self.state.catalog.register(tx, request))

    def deregister(self, **fields: Any) -> None:
        self._write(lambda tx: self.state.catalog.deregister(tx, DeregisterRequest(**{"Node": "n", **fields})))

    def _write(self, run: Callable[[Transaction], None]) -> None:
        self.index += 1
        tx = self.state.store.begin(self.index)
        try:
            run(tx)
        except StateError:
            tx.abort()
            raise
        tx.commit()

    def service_index(self, name: str) -> int:
        return self.state.reads.service_nodes(None, name)[0]


def web(service_id: str = "web", **fields: Any) -> NodeService:
    return NodeService(ID=service_id, Service="web", **fields)


def check(name: str = "c", status: str = "passing", **fields: Any) -> HealthCheck:
    return HealthCheck(Node="n", CheckID=name, Name=name, Status=status, **fields)


@pytest.fixture
def world() -> World:
    return World()


def test_writing_the_same_again_moves_nothing(world: World) -> None:
    world.register(Service=web(Tags=None), Check=check())
    indexes = dict(world.state.store.indexes)
    world.register(Service=web(Tags=[], Meta={}), Check=check())
    # The index of the checks' table moves even so, as the original's does.
    assert world.state.store.indexes == indexes | {"checks": 2}


def test_a_node_change_moves_its_services(world: World) -> None:
    world.register(Service=web())
    world.register(Address="10.0.0.2")
    assert world.service_index("web") == 2


def test_a_node_check_moves_all_services_of_the_node(world: World) -> None:
    world.register(Service=web())
    world.register(Check=check(status="critical"))
    assert world.service_index("web") == 2


def test_other_services_do_not_move(world: World) -> None:
    world.register(Service=web())
    world.register(Service=NodeService(ID="db", Service="db"))
    assert world.service_index("web") == 1


def test_the_last_instance_leaves_an_extinction_index(world: World) -> None:
    world.register(Service=web("a"))
    world.register(Service=web("b"))
    world.deregister(ServiceID="a")
    assert (world.service_index("web"), world.service_index("never seen")) == (3, 3)
    world.deregister(ServiceID="b")
    assert (world.service_index("web"), world.service_index("never seen")) == (4, 4)
    assert "service.web" not in world.state.store.indexes


def test_removing_a_node_removes_what_hangs_on_it(world: World) -> None:
    world.register(Service=web(), Check=check(ServiceID="web"))
    world.deregister()
    tables = world.state.tables
    assert (len(tables.nodes), len(tables.services), len(tables.checks)) == (0, 0, 0)


def test_a_check_takes_name_and_tags_from_its_service(world: World) -> None:
    world.register(Service=web(Tags=["v1"]), Check=check(ServiceID="web"))
    row = world.state.tables.checks.all()[0]
    assert (row.ServiceName, row.ServiceTags) == ("web", ["v1"])


def test_names_are_compared_without_case(world: World) -> None:
    world.register(Node="Node", Service=web("ID"))
    world.register(Node="node", Service=web("id"))
    assert len(world.state.tables.services) == 1
    assert len(world.state.reads.service_nodes(None, "WEB")[1]) == 1


def test_the_same_id_under_a_new_name_is_a_rename(world: World) -> None:
    world.register(Node="old", ID=ID1, Service=web())
    world.register(Node="new", ID=ID1)
    assert [node.Node for node in world.state.tables.nodes.all()] == ["new"]
    assert len(world.state.tables.services) == 0


@pytest.mark.parametrize(("status", "refused"), [("passing", True), ("critical", False)])
def test_a_name_is_reserved_while_its_agent_lives(world: World, status: str, refused: bool) -> None:
    serf = HealthCheck(Node="taken", CheckID="serfHealth", Name="Serf Health Status", Status=status)
    world.register(Node="taken", ID=ID1, Check=serf)
    if refused:
        with pytest.raises(StateError, match=f"Node name taken is reserved by node {ID1} with name taken"):
            world.register(Node="taken", ID=ID2)
    else:
        world.register(Node="taken", ID=ID2)
    assert (ID1 if refused else ID2) == world.state.tables.nodes.all()[0].ID


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"Check": check(ServiceID="nope")}, 'failed inserting check: Missing service registration on node "n"'),
        ({"Check": HealthCheck(Node="other", CheckID="c")}, 'check node "other" does not match node "n"'),
    ],
)
def test_a_refused_registration_leaves_nothing(world: World, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(StateError, match=text):
        world.register(Service=web(), **fields)
    assert world.state.tables.nodes.all() == []
    assert world.state.store.indexes == {}


def test_skip_node_update_changes_only_what_hangs_on_the_node(world: World) -> None:
    world.register(Address="10.0.0.1")
    world.register(Address="10.9.9.9", SkipNodeUpdate=True, Service=web())
    assert world.state.tables.nodes.all()[0].Address == "10.0.0.1"


@pytest.mark.parametrize(
    ("tags", "found"), [([], 2), (["a"], 1), (["A"], 1), (["a", "b"], 1), (["a", "c"], 0), (["z"], 0)]
)
def test_all_tags_must_match(world: World, tags: list[str], found: int) -> None:
    world.register(Service=web("1", Tags=["a", "b"]))
    world.register(Service=web("2", Tags=["c"]))
    assert len(world.state.reads.service_nodes(None, "web", tags)[1]) == found


def test_what_an_agent_would_refuse_of_a_service() -> None:
    """Of services that come another way, wrong weights are stored as the default ones, and metadata is refused."""
    world = World()
    for number, weights in enumerate((Weights(0, 1), Weights(1, -1), Weights(65536, 1), Weights(1, 65536), None)):
        world.register(Service=web(f"web{number}", Weights=weights))
    world.register(Service=web("right", Weights=Weights(65535, 0)))
    stored = {row.ServiceID: row.ServiceWeights for row in world.state.reads.service_nodes(None, "web")[1]}
    assert stored.pop("right") == Weights(65535, 0)
    assert set(stored.values()) == {Weights(1, 1)}
    with pytest.raises(StateError) as refused:
        world.register(Service=web("meta", Meta={"": "x"}))
    assert str(refused.value) == (
        "failed inserting service: Invalid Service Meta for node n and serviceID meta: "
        "Couldn't load metadata pair ('', 'x'): Key cannot be blank"
    )


def test_what_is_written_of_a_service() -> None:
    """No sidecar, and numbers as Go's JSON has them; keys that are no text are found at any depth."""
    config = {"a": 1, "b": [True, {"c": 2}]}
    upstream = Upstream(DestinationName="u", Config={"d": 3})
    proxy = ConnectProxyConfig(Config=config, Upstreams=[upstream])
    kept = for_the_log(web(Connect=ServiceConnect(Native=True, SidecarService={"Port": 1}), Proxy=proxy))
    assert kept.Connect == ServiceConnect(Native=True)
    assert repr(kept.Proxy.Config) == "{'a': 1.0, 'b': [True, {'c': 2.0}]}"
    assert kept.Proxy.Upstreams is not None and repr(kept.Proxy.Upstreams[0].Config) == "{'d': 3.0}"
    assert for_the_log(web()) == web()
    assert not keys_not_text(kept)
    assert keys_not_text(web(Proxy=ConnectProxyConfig(Config={"a": [{1: 2}]})))
    assert keys_not_text(web(Proxy=ConnectProxyConfig(Upstreams=[Upstream(Config={"a": {b"x": 2}})])))
