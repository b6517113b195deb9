"""How a client agent's calls are spread over the servers, without time and without a network."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.hostport import Address
from proconsul.server.peers import Peers
from proconsul.server.rebalancing import REUSE_MIN_S, Rebalancing, choose_another, rebalance_interval_s

SERVERS = [Address("127.0.0.1", port) for port in range(1, 6)]


@pytest.mark.parametrize(
    ("servers", "members", "expected"),
    [(3, 10, (120, 180)), (0, 10, (120, 180)), (3, 30_000, (156.25, 180)), (5, 100_000, (312.5, 312.5)),
     (1, 100_000, (1562.5, 1562.5))],
)  # fmt: skip
def test_how_long_a_server_is_kept(servers: int, members: int, expected: tuple[float, float]) -> None:
    """At least two minutes, and in large pools as long as it takes for 64 changes a second and server."""
    assert (rebalance_interval_s(servers, members, 0.0), rebalance_interval_s(servers, members, 1.0)) == expected


@given(st.integers(0, 100), st.integers(0, 10**6), st.floats(0, 1))
def test_no_server_sees_too_many_new_clients(servers: int, members: int, share: float) -> None:
    interval_s = rebalance_interval_s(servers, members, share)
    assert interval_s >= REUSE_MIN_S and members / interval_s <= 64 * max(servers, 1) + 1e-6


@given(st.sets(st.sampled_from(SERVERS)), st.integers())
def test_only_who_answers_is_chosen(alive: set[Address], seed: int) -> None:
    asked: list[Address] = []

    async def answers(server: Address) -> bool:
        asked.append(server)
        return server in alive

    chosen = asyncio.run(choose_another(SERVERS, answers, random.Random(seed)))
    assert (chosen in alive) if alive else chosen is None
    assert len(asked) == len(set(asked)) and all(one not in alive for one in asked[:-1])


async def test_all_servers_get_their_share_and_the_dead_none() -> None:
    """Each choice is kept until the next; a server that failed in between is asked no more, chosen or not."""
    members = [
        Member(f"s{one.port}", one.host, one.port, {
            "role": "consul", "dc": "dc1", "port": str(one.port), "id": f"i{one.port}", "build": "1.8.7:", "vsn": "2",
        }, MemberStatus.ALIVE) for one in SERVERS
    ]  # fmt: skip
    rng = random.Random(5)
    peers = Peers(lambda: members, rng)
    used: Counter[Address | None] = Counter()
    pauses: list[float] = []

    async def answers(server: Address) -> bool:
        return server.port != 1

    async def pause(seconds: float) -> None:
        used[peers.any()] += 1
        pauses.append(seconds)
        if len(pauses) == 400:
            raise asyncio.CancelledError

    rebalancing = Rebalancing(
        lambda: [one.address for one in peers.alive()], lambda: 10, answers, peers.prefer, rng, pause=pause
    )
    rebalancing.start()
    assert rebalancing._task is not None
    await asyncio.wait([rebalancing._task])
    assert all(used[server] > 50 for server in SERVERS[1:]) and used[SERVERS[0]] <= 1
    assert REUSE_MIN_S <= min(pauses) < max(pauses) <= REUSE_MIN_S * 1.5
    peers.prefer(SERVERS[0])
    del members[0]
    peers.changed()
    assert peers.any() in SERVERS[1:]
