"""What prepared queries find, in which order, for which names, and where they go on: made-up catalogs and names."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.features.base import QuerySource
from proconsul.features.catalog.model import CheckServiceNode, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.coordinate.model import DIMENSIONS, Coord, Coordinate
from proconsul.features.errors import ConsulError, NoServers
from proconsul.features.query.execution import chosen, failover_plan, in_order, limited, origin_of
from proconsul.features.query.failover import EXECUTE_REMOTE, fail_over
from proconsul.features.query.model import (
    NAME_PREFIX_MATCH,
    PreparedQuery,
    PreparedQueryExecuteRequest,
    PreparedQueryExecuteResponse,
    PreparedQueryRequest,
    QueryDatacenterOptions,
    QueryOp,
    QueryTemplateOptions,
    ServiceQuery,
)
from proconsul.features.state import State

STATUS = st.sampled_from(["passing", "warning", "critical", "odd"])
TAG = st.sampled_from(["a", "A", "b", "c", ""])
META = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2", ""]), max_size=2)


@st.composite
def instances(draw: st.DrawFn) -> list[CheckServiceNode]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        checks = [HealthCheck(CheckID=draw(st.sampled_from(["c", "d"])), Status=draw(STATUS))
                  for _ in range(draw(st.integers(0, 2)))]  # fmt: skip
        service = NodeService(Tags=draw(st.lists(TAG, max_size=2)) or None, Meta=draw(META) or None)
        node = Node(Node=f"n{number}", Address=f"10.0.0.{number}", Meta=draw(META) or None)
        found.append(CheckServiceNode(node, service, checks or None))
    return found


SERVICES = st.builds(
    ServiceQuery,
    OnlyPassing=st.booleans(),
    IgnoreCheckIDs=st.none() | st.lists(st.sampled_from(["c", "C"]), max_size=1),
    Tags=st.none() | st.lists(st.builds("".join, st.tuples(st.sampled_from(["", "!"]), TAG)), max_size=2),
    NodeMeta=st.none() | META,
    ServiceMeta=st.none() | META,
)


def _wanted(row: CheckServiceNode, service: ServiceQuery) -> bool:
    """The rules, said once more without any regard for speed."""
    for check in row.Checks or []:
        if check.CheckID not in (service.IgnoreCheckIDs or []):
            if check.Status == "critical" or (service.OnlyPassing and check.Status != "passing"):
                return False
    for wanted, meta in ((service.NodeMeta, row.Node.Meta), (service.ServiceMeta, row.Service.Meta)):
        if any(key not in (meta or {}) or (meta or {})[key] != value for key, value in (wanted or {}).items()):
            return False
    own = [tag.lower() for tag in row.Service.Tags or []]
    for tag in service.Tags or []:
        low = tag.lower()
        if low.startswith("!") == ((low[1:] if low.startswith("!") else low) in own):
            return False
    return True


@settings(max_examples=80)
@given(instances(), SERVICES)
def test_what_is_wanted_is_found_and_nothing_else(rows: list[CheckServiceNode], service: ServiceQuery) -> None:
    assert chosen(rows, service) == [row for row in rows if _wanted(row, service)]


def _placed(places: list[float | None]) -> State:
    """A state in which nodes n0, n1, ... stand at these places; None: nobody knows where."""
    state = State()
    for number, place in enumerate(places):
        tx = state.store.begin(number + 1)
        state.catalog.register(tx, RegisterRequest(Node=f"n{number}", Address=f"10.0.0.{number}"))
        if place is not None:
            vector = [place] + [0.0] * (DIMENSIONS - 1)
            state.coordinates.update(tx, [Coordinate(f"n{number}", "", Coord(vector, 1.5, 0.0, 1e-5))])
        tx.commit()
    return state


@settings(max_examples=30)
@given(
    st.lists(st.none() | st.sampled_from([0.1, 0.2, 0.4, 0.8]), min_size=1, max_size=14), st.integers(0, 14),
    st.sampled_from(["dc1", "dc2"]), st.integers(-1, 5), st.integers(0, 9),
)  # fmt: skip
def test_the_nearest_come_first_and_the_node_itself_before_them(
    places: list[float | None], near: int, datacenter: str, limit: int, seed: int
) -> None:
    state = _placed(places)
    rows = [CheckServiceNode(node, NodeService(), None) for node in state.tables.nodes.all()]
    origin = origin_of(ServiceQuery(), QuerySource(Node=f"n{near}", Datacenter=datacenter), QuerySource(), ())
    found = in_order(rows, origin, "dc1", state.coordinates, random.Random(seed))
    assert sorted(row.Node.Node for row in found) == sorted(row.Node.Node for row in rows)
    assert len(limited(found, limit)) == (min(limit, len(rows)) if limit > 0 else len(rows))
    place = places[near] if near < len(places) else None
    if datacenter != "dc1" or place is None:
        return
    assert found[0].Node.Node == f"n{near}"
    distances = [abs(there - place) if (there := places[int(row.Node.Node[1:])]) is not None else 99.0 for row in found]
    # One that stood at the same place may have been put where the node itself was found.
    assert distances[0] == 0.0
    assert sorted(distances[1:]) == distances[1:]


NODES = [Node(Node="n1", Address="10.0.0.1"), Node(Node="n2", Address="10.0.0.2")]
AGENT = QuerySource(Node="me", Datacenter="dc1")


@pytest.mark.parametrize(
    ("near", "source", "expected"),
    [
        ("", QuerySource(), ("", "dc1", False, False)),
        ("n1", QuerySource(), ("n1", "dc1", False, False)),
        ("n1", QuerySource(Node="n2", Datacenter="dc2"), ("n2", "dc2", False, False)),
        ("_agent", QuerySource(Ip="10.0.0.1"), ("me", "dc1", False, False)),
        ("n1", QuerySource(Node="_agent"), ("me", "dc1", False, False)),
        ("_ip", QuerySource(Ip="10.0.0.2"), ("n2", "dc1", True, False)),
        ("_ip", QuerySource(Ip="10.0.0.3"), ("", "dc1", True, False)),
        ("_ip", QuerySource(), ("", "dc1", True, True)),
        ("", QuerySource(Node="_ip", Ip="10.0.0.1"), ("n1", "dc1", True, False)),
    ],
)
def test_from_where_distances_are_measured(near: str, source: QuerySource, expected: tuple[Any, ...]) -> None:
    assert origin_of(ServiceQuery(Near=near), source, AGENT, NODES) == expected


NAMES = st.lists(st.sampled_from(["dc2", "dc3", "dc4", "dc5"]), unique=True)


@settings(max_examples=40)
@given(NAMES, st.integers(0, 9), st.none() | st.lists(st.sampled_from(["dc2", "dc3", "dc9", "dc1", ""])))
def test_the_plan_of_a_failover(known: list[str], nearest: int, listed: list[str] | None) -> None:
    plan = failover_plan(known, QueryDatacenterOptions(NearestN=nearest, Datacenters=listed))
    assert plan[: min(nearest, len(known))] == known[:nearest]
    assert plan[min(nearest, len(known)) :] == [one for one in listed or [] if one in known[nearest:]]


class World:
    """Other datacenters and what they say; ``asked`` are the calls that reached one."""

    datacenter = "dc1"

    def __init__(self, **answers: PreparedQueryExecuteResponse | ConsulError) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    def datacenters_by_distance(self) -> list[str]:
        return ["dc2", "dc1", "dc3", "dc4"]

    async def call(self, method: Any, args: Any) -> Any:
        assert method is EXECUTE_REMOTE
        self.asked.append(args)
        answer = self.answers[args.Datacenter]
        if isinstance(answer, ConsulError):
            raise answer
        return answer


def _reply(datacenter: str, instances: int = 0) -> PreparedQueryExecuteResponse:
    rows = [CheckServiceNode(Node(Node=f"{datacenter}-{n}"), NodeService(), None) for n in range(instances)]
    return PreparedQueryExecuteResponse(Datacenter=datacenter, Nodes=rows)


@pytest.mark.parametrize(
    ("failover", "answers", "datacenter", "failovers"),
    [
        (QueryDatacenterOptions(1), {"dc2": _reply("dc2", 2)}, "dc2", 1),
        (QueryDatacenterOptions(2), {"dc2": _reply("dc2"), "dc3": _reply("dc3", 1)}, "dc3", 2),
        (QueryDatacenterOptions(9), {"dc2": NoServers(), "dc3": NoServers(), "dc4": _reply("dc4", 1)}, "dc4", 3),
        (QueryDatacenterOptions(9), {"dc2": _reply("dc2"), "dc3": NoServers(), "dc4": NoServers()}, "dc2", 3),
        (QueryDatacenterOptions(9), dict.fromkeys(("dc2", "dc3", "dc4"), NoServers()), "dc1", 3),
        (QueryDatacenterOptions(0, ["dc9", "dc1", "dc4"]), {"dc4": _reply("dc4", 1)}, "dc4", 1),
        (QueryDatacenterOptions(1, ["dc2", "dc4"]), {"dc2": _reply("dc2"), "dc4": _reply("dc4", 1)}, "dc4", 2),
        (QueryDatacenterOptions(), {}, "dc1", 0),
    ],
)
def test_datacenters_are_asked_until_one_has_something(
    failover: QueryDatacenterOptions, answers: dict[str, Any], datacenter: str, failovers: int
) -> None:
    world = World(**answers)
    query = PreparedQuery(Service=ServiceQuery(Service="web", Failover=failover))
    args = PreparedQueryExecuteRequest(Limit=3, Connect=True, Token="t", AllowStale=True, RequireConsistent=True)
    found = asyncio.run(fail_over(world, query, args, _reply("dc1")))
    assert (found.Datacenter, found.Failovers) == (datacenter, failovers)
    for asked in world.asked:
        assert (asked.Query, asked.Limit, asked.Connect) == (query, 3, True)
        assert (asked.Token, asked.AllowStale, asked.RequireConsistent) == ("t", True, True)


def _stored(*queries: PreparedQuery) -> State:
    state = State()
    for index, query in enumerate(queries, 1):
        tx = state.store.begin(index)
        query_id = f"11111111-2222-4333-8444-{index:012d}"
        request = PreparedQueryRequest(Op=QueryOp.CREATE, Query=PreparedQuery(
            ID=query_id, Name=query.Name, Template=query.Template, Service=query.Service))  # fmt: skip
        state.queries.apply(tx, request)
        tx.commit()
    return state


def _named(name: str, *, template: bool) -> PreparedQuery:
    options = QueryTemplateOptions(NAME_PREFIX_MATCH if template else "")
    marks = "${name.prefix}|${name.suffix}" if template else ""
    return PreparedQuery(Name=name, Template=options, Service=ServiceQuery(Service=f"{name}|{marks}"))


LETTERS = st.text("abC", max_size=4)


@settings(max_examples=60)
@given(st.sets(LETTERS.map(str.lower), max_size=6), st.sets(LETTERS.map(str.lower), max_size=3), LETTERS)
def test_the_exact_name_counts_before_the_longest_template(templates: set[str], plain: set[str], asked: str) -> None:
    plain -= templates | {""}
    rows = [_named(name, template=True) for name in sorted(templates)]
    state = _stored(*rows, *(_named(name, template=False) for name in sorted(plain)))
    if not asked:
        with pytest.raises(ConsulError, match="Missing query ID"):
            state.queries.resolve(None, asked, "")
        return
    found = state.queries.resolve(None, asked, "")
    low = asked.lower()
    starts = [name for name in templates if low.startswith(name)]
    if low in plain:
        assert found is not None and found.Service.Service == f"{low}|"
    elif starts:
        name = max(starts, key=len)
        assert found is not None and found.Name == name
        assert found.Service.Service == f"{name}|{name}|{asked.removeprefix(name)}"
    else:
        assert found is None
