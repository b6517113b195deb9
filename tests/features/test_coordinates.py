"""Coordinates: how many updates are written, what is known of other datacenters, and who is nearest."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from types import SimpleNamespace
from typing import Any

import pytest

from proconsul.agent.gossip.coordinates import CoordinateSender, wan_coordinates
from proconsul.engine.gossip.coordinate import Coordinate as Place
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.raft.errors import NotLeaderError
from proconsul.features.base import DCSpecificRequest
from proconsul.features.coordinate.distance import between_s, distance_s, nearest_first
from proconsul.features.coordinate.endpoint import BATCH_SIZE, BATCHES_MAX, Coordinates, WanCoordinate
from proconsul.features.coordinate.model import (
    INITIAL,
    Coord,
    Coordinate,
    CoordinateUpdateRequest,
    DatacenterMap,
)
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.features.state import State
from proconsul.testing import AgentInLoop


def at(x: float, adjustment: float = 0.0, height: float = 0.0) -> Coord:
    return Coord([x, 0, 0, 0, 0, 0, 0, 0], 1.0, adjustment, height)


class Proposals:
    """A server that keeps what it is asked to replicate."""

    def __init__(self) -> None:
        self.state = State()
        self.datacenter, self.node_name = "dc1", "n1"
        self.batches: list[list[Coordinate]] = []
        self.callbacks: list[Any] = []
        self.wan: list[WanCoordinate] | None = None

    def wan_coordinates(self) -> list[WanCoordinate] | None:
        return self.wan

    def propose(self, kind: MessageType, request: Any) -> object:
        assert kind is MessageType.COORDINATE_BATCH
        self.batches.append(request)
        return SimpleNamespace(add_done_callback=self.callbacks.append)


class Told:
    """Hears what comes of a write."""

    result: Any = None

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        self.result = result

    def set_exception(self, exception: Exception) -> None:
        raise AssertionError from exception


def datacenters(coordinates: Coordinates) -> Any:
    told = Told()
    coordinates.list_datacenters(told, DCSpecificRequest())
    return told.result


def endpoint() -> tuple[Coordinates, Proposals]:
    server: Any = Proposals()
    return Coordinates(server), server


def update(node: str, coord: Coord | None, segment: str = "") -> CoordinateUpdateRequest:
    return CoordinateUpdateRequest(Node=node, Segment=segment, Coord=coord)


def test_a_period_writes_five_batches_and_tells_of_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    coordinates, server = endpoint()
    for number in range(BATCH_SIZE * BATCHES_MAX + 61):
        coordinates.update(Told(), update(f"x{number}", INITIAL))
    with caplog.at_level(logging.WARNING, "agent.server.coordinate"):
        coordinates.flush()
        coordinates.flush()
    assert [len(batch) for batch in server.batches] == [BATCH_SIZE] * BATCHES_MAX
    assert [record.getMessage() for record in caplog.records] == ["Discarded coordinate updates: number_discarded=61"]


async def test_a_batch_lost_with_leadership_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    """Or Python says that nobody retrieved its exception, with a traceback, when it is thrown away."""
    coordinates, server = endpoint()
    coordinates.update(Told(), update("x", INITIAL))
    coordinates.flush()
    lost: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    lost.set_exception(NotLeaderError())
    (heard,) = server.callbacks
    with caplog.at_level(logging.WARNING, "agent.server.coordinate"):
        heard(lost)
    assert [record.getMessage() for record in caplog.records] == [
        "Failed to write coordinates: error=node is not the leader"
    ]


def test_the_latest_update_of_a_node_and_segment_counts() -> None:
    coordinates, server = endpoint()
    for number in range(2000):
        coordinates.update(Told(), update(f"x{number % 3}", at(number)))
    coordinates.update(Told(), update("x1", at(7), "s"))
    coordinates.flush()
    assert server.batches == [[
        Coordinate("x0", "", at(1998)), Coordinate("x1", "", at(1999)), Coordinate("x2", "", at(1997)),
        Coordinate("x1", "s", at(7)),
    ]]  # fmt: skip


@pytest.mark.parametrize(
    ("coord", "text"),
    [
        (None, "invalid coordinate"),
        (at(math.nan), "invalid coordinate"),
        (at(0, adjustment=math.inf), "invalid coordinate"),
        (at(0, height=-math.inf), "invalid coordinate"),
        (Coord([0.0] * 7), "incompatible coordinate"),
        (Coord(None), "incompatible coordinate"),
    ],
)
def test_what_is_no_coordinate(coord: Coord | None, text: str) -> None:
    coordinates, server = endpoint()
    with pytest.raises(ConsulError, match=f"^{text}$"):
        coordinates.update(Told(), update("a", coord))
    coordinates.flush()
    assert server.batches == []


def test_datacenters_as_the_wan_pool_knows_them() -> None:
    coordinates, server = endpoint()
    alone = [DatacenterMap("dc1", "wan", [Coordinate("n1", "", INITIAL)])]
    assert datacenters(coordinates) == alone
    server.wan = [
        WanCoordinate("b", "dc2", at(2)), WanCoordinate("n1", "dc1", at(1)), WanCoordinate("c", "dc2", at(3)),
    ]  # fmt: skip
    assert datacenters(coordinates) == [
        DatacenterMap("dc1", "wan", [Coordinate("n1", "", at(1))]),
        DatacenterMap("dc2", "wan", [Coordinate("b", "", at(2)), Coordinate("c", "", at(3))]),
    ]
    server.wan = []
    assert datacenters(coordinates) == []


def test_distances() -> None:
    assert distance_s(at(1, height=0.1), at(4, height=0.2)) == pytest.approx(3.3)
    assert distance_s(at(1, adjustment=-0.5), at(4, adjustment=-0.5)) == pytest.approx(2.0)
    assert distance_s(at(1, adjustment=-2), at(4, adjustment=-2)) == pytest.approx(3.0)
    assert distance_s(at(1), None) == distance_s(at(1), Coord([0.0])) == math.inf
    one, other = [Coordinate("a", "s", at(1)), Coordinate("a", "", at(2))], [Coordinate("b", "", at(5))]
    assert between_s(one, other) == pytest.approx(3.0)
    assert between_s(one[:1], other) == math.inf


def test_the_median_server_stands_for_its_datacenter() -> None:
    maps = {"far": [at(0.1), at(9), at(9)], "near": [at(1), at(1), at(50)], "own": [at(0), at(0)], "empty": []}
    names = ["unknown", "far", "near", "empty", "own"]
    assert nearest_first(names, maps, at(0)) == ["own", "near", "far", "empty", "unknown"]
    assert nearest_first(names, maps, None) == sorted(names)


async def test_an_agent_says_where_its_pool_places_it() -> None:
    sent: asyncio.Queue[CoordinateUpdateRequest] = asyncio.Queue()
    config: Any = SimpleNamespace(
        coordinate=SimpleNamespace(disabled=False, sync_interval_min_s=0.0, sync_rate_target=1e9), datacenter="dc1",
        node_name="n1",
    )  # fmt: skip
    places = iter([Place(), Place(vec=(0.5,) * 8, error=0.25, adjustment=0.125, height=0.0625)] + [Place()] * 1000)
    pool: Any = SimpleNamespace(members=lambda: [None], coordinate=lambda: next(places))
    gate: Any = SimpleNamespace(write=lambda waiter, method, args: sent.put_nowait(args))
    sender = CoordinateSender(config, pool, gate, token=lambda: "t", rng=random.Random(1))
    await sender.start()
    async with asyncio.timeout(60):
        first, second = await sent.get(), await sent.get()
    await sender.stop()
    assert (first.Node, first.Datacenter, first.Token, first.Coord) == ("n1", "dc1", "t", INITIAL)
    assert second.Coord == Coord([0.5] * 8, 0.25, 0.125, 0.0625)


def test_servers_the_wan_pool_has_heard_from() -> None:
    tags = {"role": "consul", "dc": "dc2", "vsn": "2", "build": "1.8.7:", "port": "8300"}
    members = [
        Member("a.dc2", "10.0.0.1", 8302, tags), Member("silent.dc2", "10.0.0.2", 8302, tags),
        Member("n1.dc1", "10.0.0.3", 8302, tags | {"dc": "dc1"}, MemberStatus.FAILED),
        Member("left.dc1", "10.0.0.4", 8302, tags, MemberStatus.LEFT), Member("client", "10.0.0.5", 8302, {}),
    ]  # fmt: skip
    pool: Any = SimpleNamespace(
        members=lambda: members, cached_coordinate=lambda name: None if name == "silent.dc2" else Place(height=0.5)
    )
    expected = Coord([0.0] * 8, 1.5, 0.0, 0.5)
    assert wan_coordinates(pool) == [WanCoordinate("a", "dc2", expected), WanCoordinate("n1", "dc1", expected)]


async def test_no_coordinate_at_all_is_refused_before_a_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of Consul 1.8 do not survive it."""
    async with AgentInLoop() as agent:
        monkeypatch.setattr(agent.agent.node.gate, "write", None)
        for body in (b"{}", b"null", b'{"Node": "n", "Coord": null}'):
            response = await agent.request("PUT", "/v1/coordinate/update", body)
            assert (response.status, response.body) == (500, b"invalid coordinate")
