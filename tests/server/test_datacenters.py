"""Which datacenters there are, how far, and whom to ask there."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.features.coordinate.endpoint import WanCoordinate
from proconsul.features.coordinate.model import Coord
from proconsul.server.datacenters import Datacenters

ALIVE, FAILED, LEFT = MemberStatus.ALIVE, MemberStatus.FAILED, MemberStatus.LEFT


def member(name: str, datacenter: str, number: int, status: MemberStatus = ALIVE, role: str = "consul") -> Member:
    tags = {
        "role": role, "dc": datacenter, "port": "8300", "vsn": "2", "build": "1.8.7:", "id": f"id-{name}",
        "raft_vsn": "3",
    }  # fmt: skip
    return Member(f"{name}.{datacenter}", f"10.0.0.{number}", 8302, tags, status)


class Pool:
    """A WAN pool, as the servers of dc1 see it."""

    def __init__(self, *members: Member, places: Iterable[tuple[str, str, float]] = ()) -> None:
        self.members = list(members)
        self.places = [WanCoordinate(node, datacenter, Coord([at], 0.0, 0.0, 0.0)) for node, datacenter, at in places]
        self.known = Datacenters("dc1", "own", lambda: self.members, lambda: self.places, random.Random(1))


def test_who_left_is_forgotten_and_who_failed_is_not() -> None:
    pool = Pool(member("own", "dc1", 1), member("a", "dc2", 2, FAILED), member("b", "dc3", 3, LEFT))
    assert pool.known.by_distance() == ["dc1", "dc2"]
    there = pool.known.peers("dc2")
    assert there is not None and there.any() is None
    assert pool.known.peers("dc3") is None and pool.known.peers("dc4") is None


def test_what_is_no_server_is_in_no_datacenter() -> None:
    assert Pool(member("own", "dc1", 1), member("c", "dc2", 2, role="node")).known.by_distance() == ["dc1"]


def test_the_pool_is_read_anew_when_it_changed() -> None:
    pool = Pool(member("own", "dc1", 1), member("a", "dc2", 2))
    there = pool.known.peers("dc2")
    assert there is not None and there.any() is not None
    pool.members = [member("own", "dc1", 1), member("a", "dc2", 2, FAILED), member("a", "dc3", 3)]
    pool.known.changed()
    assert there.any() is None and pool.known.by_distance() == ["dc1", "dc2", "dc3"]
    pool.members = [member("own", "dc1", 1), member("a", "dc2", 9)]
    pool.known.changed()
    assert str(there.any()) == "10.0.0.9:8300" and pool.known.by_distance() == ["dc1", "dc2"]


def test_the_nearest_comes_first_and_what_is_unknown_last_by_name() -> None:
    servers = [member(f"s{number}", f"dc{number}", number) for number in range(2, 7)]
    places = [("own", "dc1", 0.0), ("s2", "dc2", 9.0), ("s3", "dc3", 1.0), ("s4", "dc4", 4.0)]
    assert Pool(*servers, places=places).known.by_distance() == ["dc1", "dc3", "dc4", "dc2", "dc5", "dc6"]
    assert Pool(*servers).known.by_distance() == ["dc1", "dc2", "dc3", "dc4", "dc5", "dc6"]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_who_asks_as_often_as_there_are_servers_asks_every_one(count: int) -> None:
    for start in range(20):
        servers = [member(f"s{number}", "dc2", number) for number in range(count)]
        known = Datacenters("dc1", "own", lambda: servers, lambda: None, random.Random(start))  # noqa: B023
        peers = known.peers("dc2")
        assert peers is not None
        asked = []
        for _ in itertools.repeat(None, count):
            address = peers.any()
            assert address is not None and peers.any() == address, "the same one as long as it answers"
            asked.append(address)
            peers.failed(address)
        assert len(set(asked)) == count
