"""A client agent has no catalog: what answers are made of is asked of a server, and the answers are the same."""

from __future__ import annotations

import asyncio
import gc
import random
import warnings
from typing import Any

import pytest
from test_dns_server import World

from proconsul.dns import message as m
from proconsul.dns.responder import Responder
from proconsul.dns.settings import Settings
from proconsul.engine.store.watch import WatchSet
from proconsul.features.catalog.endpoint import Catalog
from proconsul.features.errors import NoServers
from proconsul.features.health.endpoint import Health
from proconsul.features.server import CallMethod, ReadMethod
from support.dns_packets import Parsed, query

QUESTIONS = [
    ("solo.service.consul", m.A), ("solo.service.consul", m.SRV), ("n1.node.consul", m.A),
    ("n1.node.dc1.consul", m.ANY), ("nobody.service.consul", m.A), ("nobody.node.consul", m.A),
    ("9.0.0.10.in-addr.arpa", m.PTR), ("consul", m.SOA), ("other.example", m.A),
]  # fmt: skip


class Remote(World):
    """The same catalog behind calls; ``asked`` counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.fails = False
        server: Any = self
        self.node_name, self.datacenter = "n1", "dc1"
        self.reads = {**Catalog(server).reads, **Health(server).reads}
        self.client = Responder(
            Settings(), self.state.reads, self.state.store.watches, rng=random.Random(1), clock=lambda: self.now,
            readable=lambda: False, fetch=self.fetch,
        )  # fmt: skip

    async def fetch(self, method: ReadMethod | CallMethod, args: Any, datacenter: str) -> Any:
        assert isinstance(method, ReadMethod)
        self.asked.append(method.name)
        if self.fails:
            raise NoServers()
        _, value = self.reads[method](args).run(WatchSet())
        return method.to_value(method.to_field(value))

    async def ask_client(self, packet: bytes) -> bytes:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.client.handle(packet, answer.set_result, tcp=True)
        return await asyncio.wait_for(answer, 10)


@pytest.mark.parametrize(("name", "kind"), QUESTIONS)
async def test_answers_are_those_of_a_server(name: str, kind: int) -> None:
    world = Remote()
    packet = query(name, kind)
    own = world.ask(packet, tcp=True)
    assert own is not None
    assert Parsed(await world.ask_client(packet)).shape() == Parsed(own).shape()


async def test_a_service_costs_one_call() -> None:
    world = Remote()
    await world.ask_client(query("web.service.consul", m.A))
    assert world.asked == ["Health.ServiceNodes"]


async def test_without_servers_the_answer_is_a_failure() -> None:
    world = Remote()
    world.fails = True
    assert Parsed(await world.ask_client(query("web.service.consul", m.A))).rcode == m.SERVFAIL


async def test_questions_are_given_up_before_anybody_was_asked() -> None:
    """An agent that ends has questions whose tasks have not begun: nothing is left that nobody awaits."""
    world = Remote()
    answers: list[bytes] = []
    for number in range(20):
        packet = query(f"solo{number}.service.consul", m.A, query_id=number)
        world.client.handle(packet, answers.append, tcp=bool(number % 2))
    world.client.close()
    gc.collect()  # what other tests have left
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
    assert not world.asked
    assert [str(one.message) for one in warned] == []
