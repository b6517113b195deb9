"""Consistent reads on a server that is just losing leadership."""

# mypy: disable-error-code="attr-defined,var-annotated"

from __future__ import annotations

import asyncio
import json

import pytest

from proconsul.engine.raft.errors import NotLeaderError
from proconsul.features.errors import NoLeader
from proconsul.server.config import ServerConfig
from proconsul.server.server import ConsulServer
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S


class Pools:
    """As much of gossip as a lonely server needs."""

    members = staticmethod(list)
    wan_members = staticmethod(list)
    wan_coordinates = None
    operate_keys = None


class Deposed:
    """A Raft that leads no more, of a server that has not heard of it."""

    async def verify_leader(self) -> None:
        raise NotLeaderError

    def has_lease(self, now: float) -> bool:
        return False


@pytest.mark.parametrize("consistency", ["consistent", "leader"])
async def test_a_read_lets_the_server_learn_that_it_was_deposed(consistency: str) -> None:
    config = ServerConfig("n1", "id", "dc1", "127.0.0.1:8300", rpc_hold_timeout_s=0.05)
    server = ConsulServer(config, Pools())  # type: ignore[arg-type]
    server._raft = Deposed()  # type: ignore[assignment]
    server.leadership.on_duty = True
    server.leadership.established.set()
    told: list[bool] = []
    asyncio.get_running_loop().call_soon(told.append, True)
    with pytest.raises(NoLeader):
        await server.may_answer(consistency)
    assert told, "the event loop stood still meanwhile"


async def test_a_leader_whose_offer_nobody_took_goes_on_serving() -> None:
    """The one to whom leadership was offered may still take it, so there is no lease for the rest of the term."""
    async with AgentInLoop() as agent:
        server = agent.agent.node
        server.raft.core.state.handed_over_in = server.raft.term
        assert server.on_duty and not server.leading
        async with asyncio.timeout(PATIENCE_S):
            assert (await agent.request("PUT", "/v1/kv/a", b"x")).body == b"true\n"
            for query in ("raw", "raw&consistent", "raw&stale"):
                assert (await agent.request("GET", f"/v1/kv/a?{query}")).body == b"x"
            created = json.loads((await agent.request("PUT", "/v1/session/create", b"{}")).body)["ID"]
            assert (await agent.request("PUT", f"/v1/kv/l?acquire={created}", b"x")).body == b"true\n"
            assert (await agent.request("PUT", f"/v1/session/renew/{created}")).status == 200
            assert (await agent.request("GET", "/v1/operator/raft/configuration")).status == 200
            assert (await agent.request("PUT", "/v1/txn", b'[{"KV":{"Verb":"delete","Key":"a"}}]')).status == 200
