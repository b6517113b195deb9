"""Consistent reads on a server that is just losing leadership."""

from __future__ import annotations

import asyncio

import pytest

from proconsul.engine.raft.errors import NotLeaderError
from proconsul.features.errors import NoLeader
from proconsul.server.config import ServerConfig
from proconsul.server.server import ConsulServer


class Deposed:
    """A Raft that leads no more, of a server that has not heard of it."""

    async def verify_leader(self) -> None:
        raise NotLeaderError

    def has_lease(self, now: float) -> bool:
        return False


@pytest.mark.parametrize("consistency", ["consistent", "leader"])
async def test_a_read_lets_the_server_learn_that_it_was_deposed(consistency: str) -> None:
    server = ConsulServer(ServerConfig("n1", "id", "dc1", "127.0.0.1:8300", rpc_hold_timeout_s=0.05), list)
    server.raft = Deposed()  # type: ignore[assignment]
    server.on_duty = True
    server._established.set()
    told: list[bool] = []
    asyncio.get_running_loop().call_soon(told.append, True)
    with pytest.raises(NoLeader):
        await server.may_answer(consistency)
    assert told, "the event loop stood still meanwhile"
