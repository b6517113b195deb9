"""The driver on real sockets: what listens, what is served, how it ends."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from proconsul.engine.gossip.config import LOCAL, SwimConfig
from proconsul.engine.gossip.intake import READING_MAX
from proconsul.engine.gossip.packet import PacketCodec
from proconsul.engine.gossip.pool import BindError, GossipPool, JoinError, PoolLogs
from proconsul.engine.gossip.serf import Serf
from proconsul.engine.gossip.serf_config import SerfConfig
from proconsul.engine.gossip.stream import StreamCodec
from proconsul.engine.wire.hostport import Address
from proconsul.testing.ports import free_port

LOG = logging.getLogger("test.gossip.pool")


def new_pool(name: str, port: int = 0, config: SwimConfig = LOCAL) -> GossipPool:
    rng = random.Random(1)
    address = Address("127.0.0.1", port or free_port())
    serf = Serf(SerfConfig(name), {}, rng, asyncio.get_running_loop().time())
    return GossipPool(
        name, address, address, config, serf, packets=PacketCodec(), streams=StreamCodec(),
        on_effect=lambda effect: None, logs=PoolLogs(LOG, LOG), rng=rng, clock=asyncio.get_running_loop().time,
    )  # fmt: skip


@asynccontextmanager
async def running(name: str, config: SwimConfig = LOCAL) -> AsyncIterator[GossipPool]:
    pool = new_pool(name, config=config)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


@pytest.mark.parametrize(("kind", "network"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")])
async def test_a_port_in_use_is_said_in_gos_words(kind: int, network: str) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        port = free_port()  # for both kinds, of which one is taken
        holder.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        with pytest.raises(BindError) as raised:
            await new_pool("a", port).start()
    assert str(raised.value) == (
        f'Failed to start {network.upper()} listener on "127.0.0.1" port {port}: '
        f"listen {network} 127.0.0.1:{port}: bind: address already in use"
    )
    # Nothing is left of the half that had started.
    again = new_pool("a", port)
    await again.start()
    await again.stop()


async def test_two_become_one_pool() -> None:
    async with running("a") as first, running("b") as second:
        assert await second.join([first.bind]) == 1
        for pool in (first, second):
            assert {member.name for member in pool.serf.members()} == {"a", "b"}


async def test_nobody_there_is_said_in_gos_words() -> None:
    port = free_port()
    async with running("a") as pool:
        with pytest.raises(JoinError) as raised:
            await pool.join([Address("127.0.0.1", port)])
    assert raised.value.errors == [f"Failed to join 127.0.0.1: dial tcp 127.0.0.1:{port}: connect: connection refused"]


async def test_ending_while_streams_are_open_is_no_error() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    async with running("a") as pool:
        _, writer = await asyncio.open_connection(*pool.bind)
        writer.write(b"\x06")
        # Whoever joins now has been accepted after the other.
        async with running("b") as second:
            await second.join([pool.bind])
    await asyncio.sleep(0)
    writer.close()
    assert reported == []


async def test_idle_streams_make_room() -> None:
    # Nobody makes room because it was idle for long while a slow machine opened the others.
    patient = replace(LOCAL, tcp_timeout_s=60.0)
    async with running("a", patient) as pool, running("b", patient) as second:
        opened = [await asyncio.open_connection(*pool.bind) for _ in range(READING_MAX + 2)]
        assert await second.join([pool.bind]) == 1
        assert pool.dropped["stream_room"] >= 2
        # The oldest were closed, from our side.
        assert await opened[0][0].read() == b""
        for _, writer in opened:
            writer.close()
