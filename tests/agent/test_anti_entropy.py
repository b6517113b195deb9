"""Anti-entropy: what is sent, when, and what is left alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from proconsul.agent.local import anti_entropy
from proconsul.agent.local.anti_entropy import PUSH_S, AntiEntropy, scale_factor
from proconsul.agent.local.local_state import LocalState
from proconsul.engine.wire.record import replace
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, Node, NodeService, RegisterRequest
from proconsul.features.errors import ConsulError, NoLeader, RateExceeded, RetryElsewhere, RetryLater

OWN = Node(ID="id", Node="n1", Address="127.0.0.1", Datacenter="dc1", Meta={"m": "1"})


class Catalog:
    """The servers' copy; records what is written to it."""

    def __init__(self) -> None:
        self.node: Node | None = OWN
        self.services: dict[str, NodeService] = {}
        self.checks: dict[str, HealthCheck] = {}
        self.registered: list[RegisterRequest] = []
        self.deregistered: list[DeregisterRequest] = []
        self.refusal: ConsulError | None = None
        self.refused: dict[str, Exception] = {}
        self.leader = True
        self.during: Callable[[], None] | None = None

    async def reachable(self) -> bool:
        return self.leader

    async def own_services(self, node: str) -> tuple[Node | None, list[NodeService]]:
        return self.node, list(self.services.values())

    async def own_checks(self, node: str) -> list[HealthCheck]:
        return list(self.checks.values())

    async def register(self, request: RegisterRequest) -> None:
        await asyncio.sleep(0)
        if not self.leader:
            raise NoLeader
        if self.refusal is not None:
            raise self.refusal
        for one in (request.Service and request.Service.ID, request.Check and request.Check.CheckID):
            if one in self.refused:
                raise self.refused[one]
        if self.during is not None:
            during, self.during = self.during, None
            during()
        self.registered.append(request)
        if request.Service is not None:
            self.services[request.Service.ID] = request.Service
        for check in (request.Check, *(request.Checks or ())):
            if check is not None:
                self.checks[check.CheckID] = check

    async def deregister(self, request: DeregisterRequest) -> None:
        await asyncio.sleep(0)
        self.deregistered.append(request)
        self.services.pop(request.ServiceID, None)
        self.checks.pop(request.CheckID, None)


class World:
    def __init__(self, **fields: Any) -> None:
        self.catalog = Catalog()
        self.own = OWN
        self.state = LocalState("n1", clock=lambda: 0.0, **fields)
        self.sync = AntiEntropy(
            self.state, self.catalog, lambda: self.own, token=lambda _: "default",
            agent_token=lambda: "agent", cluster_size=lambda: 1,
            rng=random.Random(1),
        )  # fmt: skip


def service(name: str, **fields: Any) -> NodeService:
    return NodeService(ID=name, Service=name, **fields)


def check(name: str, service_id: str = "", **fields: Any) -> HealthCheck:
    return HealthCheck(Node="n1", CheckID=name, Name=name, Status="passing", ServiceID=service_id, **fields)


@pytest.mark.parametrize("with_service", [False, True])
async def test_what_changes_of_the_node_while_it_is_sent_is_sent_again(with_service: bool) -> None:
    world = World()
    await world.sync.sync_full()
    world.state.node_in_sync = False
    if with_service:
        world.state.add_service(service("web"))

    def reloaded() -> None:
        world.own = replace(OWN, Meta={"rack": "two"})
        world.state.node_in_sync = False

    world.catalog.during = reloaded
    await world.sync.sync_changes()
    await world.sync.sync_changes()
    assert world.catalog.registered[-1].NodeMeta == {"rack": "two"}
    assert world.state.node_in_sync


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("replaced", [False, True])
async def test_what_is_removed_or_replaced_while_it_is_sent_does_not_stay(turns: int, replaced: bool) -> None:
    world = World()
    await world.sync.sync_full()
    world.state.add_service(service("web", Port=1))
    for number in range(3):
        world.state.add_check(check(f"c{number}", "web" if number else ""), "other token" if number == 1 else "")
    sending = asyncio.ensure_future(world.sync.sync_changes())
    for _ in range(turns):
        await asyncio.sleep(0)
    for number in range(3):
        world.state.remove_check(f"c{number}")
    if replaced:
        world.state.add_service(service("web", Port=2))
        world.state.add_check(check("c2", "web", Notes="new"))
    else:
        world.state.remove_service("web")
    await sending
    await world.sync.sync_changes()
    assert {key: one.Port for key, one in world.catalog.services.items()} == ({"web": 2} if replaced else {})
    assert {key: one.Notes for key, one in world.catalog.checks.items()} == ({"c2": "new"} if replaced else {})
    assert not world.state.unsynced_services and not world.state.unsynced_checks


async def test_a_service_carries_its_checks() -> None:
    world = World()
    world.state.add_service(service("web"))
    world.state.add_check(check("c", "web"))
    world.state.add_check(check("node"))
    await world.sync.sync_full()
    first, second = world.catalog.registered
    assert first.Service is not None and [item.CheckID for item in first.Checks or ()] == ["c"]
    assert second.Check is not None and second.Check.CheckID == "node"
    assert first.SkipNodeUpdate
    await world.sync.sync_full()
    assert len(world.catalog.registered) == 2


async def test_checks_with_another_token_travel_alone() -> None:
    world = World()
    world.state.add_service(service("web"), "one")
    world.state.add_check(check("c", "web"), "two")
    await world.sync.sync_full()
    assert [request.Token for request in world.catalog.registered] == ["one", "two"]


async def test_what_only_the_catalog_knows_is_removed() -> None:
    world = World(is_server=True)
    world.catalog.services = {"ghost": service("ghost"), "consul": service("consul")}
    world.catalog.checks = {"ghost": check("ghost"), "serfHealth": check("serfHealth")}
    await world.sync.sync_full()
    assert [(item.ServiceID, item.CheckID) for item in world.catalog.deregistered] == [("ghost", ""), ("", "ghost")]


async def test_a_client_does_not_keep_a_stray_consul_service() -> None:
    world = World(is_server=False)
    world.catalog.services = {"consul": service("consul")}
    await world.sync.sync_full()
    assert [item.ServiceID for item in world.catalog.deregistered] == ["consul"]


async def test_a_direct_deregistration_is_undone() -> None:
    world = World()
    world.state.add_service(service("web"))
    await world.sync.sync_full()
    world.catalog.services.clear()
    await world.sync.sync_full()
    assert list(world.catalog.services) == ["web"]


async def test_nil_and_empty_do_not_fight() -> None:
    world = World()
    world.state.add_service(service("web", Tags=None, Meta={}))
    world.catalog.services = {"web": service("web", Tags=[], Meta=None)}
    await world.sync.sync_full()
    assert world.catalog.registered == []


async def test_tags_may_be_overridden_in_the_catalog() -> None:
    world = World()
    world.state.add_service(service("web", Tags=["mine"], EnableTagOverride=True))
    world.catalog.services = {"web": service("web", Tags=["theirs"], EnableTagOverride=True)}
    await world.sync.sync_full()
    kept = world.state.service("web")
    assert kept is not None and kept.Tags == ["theirs"]
    assert world.catalog.registered == []


async def test_changed_node_information_is_sent() -> None:
    world = World()
    world.catalog.node = Node(ID="id", Node="n1", Address="127.0.0.1", Meta={"m": "0"})
    await world.sync.sync_full()
    (request,) = world.catalog.registered
    assert (request.NodeMeta, request.Service, request.SkipNodeUpdate) == ({"m": "1"}, None, False)


async def test_a_denial_is_not_tried_in_a_hot_loop() -> None:
    world = World()
    world.state.add_service(service("web"))
    world.catalog.refusal = ConsulError("Permission denied")
    await world.sync.sync_full()
    await world.sync.sync_changes()
    assert world.state.unsynced_services == {}
    world.catalog.refusal = None
    await world.sync.sync_full()  # the next full sync tries again
    assert list(world.catalog.services) == ["web"]


async def test_what_is_refused_keeps_nothing_back_and_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    for name in "abcd":
        world.state.add_service(service(name))
        world.state.add_check(check(f"check-{name}"))
    world.catalog.refused = {
        "a": ConsulError("not this one"), "check-b": ConsulError("nor this"), "c": ValueError("unforeseen"),
    }  # fmt: skip
    for _ in range(3):
        await world.sync.sync_full()
        await world.sync.sync_changes()
    assert set(world.catalog.services) == {"b", "d"}
    assert set(world.catalog.checks) == {"check-a", "check-c", "check-d"}
    assert sorted(_arguments(caplog, 2)) == ["a", "c", "check-b"]
    caplog.clear()
    world.catalog.refused = {"a": ConsulError("for another reason")}
    await world.sync.sync_full()
    assert set(world.catalog.services) == {"b", "c", "d"}
    assert _arguments(caplog, 3) == [world.catalog.refused["a"]]


def _arguments(caplog: pytest.LogCaptureFixture, position: int) -> list[Any]:
    return [record.args[position] for record in caplog.records if isinstance(record.args, tuple)]


async def test_the_entry_of_another_node_is_left_alone() -> None:
    world = World()
    world.catalog.node = Node(ID="00000000-0000-0000-0000-000000000001", Node="N1", Address="127.0.0.9")
    world.catalog.services = {"theirs": service("theirs")}
    world.catalog.checks = {"theirs": check("theirs")}
    world.catalog.refusal = ConsulError("Node name n1 is reserved")
    world.state.add_service(service("ours"))
    world.state.add_service(service("theirs"))
    world.state.remove_service("theirs")
    for _ in range(2):
        await world.sync.sync_full()
        await world.sync.sync_changes()
    assert world.catalog.deregistered == [] and list(world.catalog.services) == ["theirs"]
    # The name is free: what the other has left there goes, what is ours comes.
    world.catalog.refusal = None
    await world.sync.sync_full()
    assert list(world.catalog.services) == ["ours"] and world.catalog.checks == {}


async def test_what_was_registered_without_a_leader_arrives_when_there_is_one() -> None:
    world = World()
    world.catalog.leader = False
    await world.sync.start()
    try:
        world.state.add_service(service("web"))
        async with asyncio.timeout(20):
            await world.sync.push()
            while not world.sync._unreachable:
                await asyncio.sleep(0.01)
            began = asyncio.get_running_loop().time()
            await world.sync.push()  # knows by now that there is nobody
            assert asyncio.get_running_loop().time() - began < PUSH_S
            world.catalog.leader = True  # and nobody says so
            while "web" not in world.catalog.services:
                await asyncio.sleep(0.01)
    finally:
        await world.sync.stop()


@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("error", [RetryLater(), RetryElsewhere(), RateExceeded(), ConsulError("not now")])
async def test_what_a_server_is_too_busy_for_does_not_wait_for_the_next_comparison(
    pushed: bool, error: ConsulError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That would be minutes, in which a check that has failed goes for one that passes."""
    monkeypatch.setattr(anti_entropy, "RETRY_FAILED_S", 0.05)
    world = World()
    await world.sync.start()
    try:
        async with asyncio.timeout(20):
            while world.sync.next_full_at is None:
                await asyncio.sleep(0.01)
            world.catalog.refusal = error
            world.state.add_service(service("web"))
            if pushed:
                await world.sync.push()
            while world.sync.troubles.of("service web") is None:
                await asyncio.sleep(0.01)
            world.catalog.refusal = None  # and nobody says so
            while "web" not in world.catalog.services:
                await asyncio.sleep(0.01)
    finally:
        await world.sync.stop()


async def test_an_unreachable_server_keeps_the_work() -> None:
    world = World()
    world.state.add_service(service("web"))
    world.catalog.refusal = NoLeader()
    with pytest.raises(ConsulError):
        await world.sync.sync_full()
    assert "web" in world.state.unsynced_services


async def test_a_change_during_a_send_is_sent_again() -> None:
    world = World()
    world.state.add_service(service("web"))
    world.catalog.during = lambda: world.state.add_service(service("web", Port=99))
    await world.sync.sync_full()
    assert "web" in world.state.unsynced_services
    await world.sync.sync_changes()
    assert world.catalog.services["web"].Port == 99
    assert world.state.unsynced_services == {}


async def test_many_registrations_at_once_share_the_passes() -> None:
    world = World()
    await world.sync.sync_full()

    async def register(number: int) -> None:
        world.state.add_service(service(f"s{number}"))
        await world.sync.sync_changes()
        assert f"s{number}" in world.catalog.services

    await asyncio.gather(*(register(number) for number in range(200)))
    assert len(world.catalog.registered) == 200


async def test_removed_entries_stay_flagged_until_the_catalog_knows() -> None:
    world = World()
    world.state.add_service(service("web"))
    world.state.add_check(check("c", "web"))
    await world.sync.sync_full()
    world.state.remove_check("c")
    world.state.remove_service("web")
    assert "web" in world.state.services
    await world.sync.sync_changes()
    assert world.state.services == {}
    assert world.state.checks == {}


def test_output_alone_waits_and_a_new_status_does_not() -> None:
    world = World()
    deferred: list[tuple[float, Callable[[], None]]] = []
    world.state.output_delay_s = lambda: 300.0
    world.state.defer = lambda delay_s, call: deferred.append((delay_s, call))
    world.state.add_check(check("c"))
    world.state.unsynced_checks.clear()
    world.state.update_check("c", "passing", "new output")
    world.state.update_check("c", "passing", "newer output")
    assert (world.state.unsynced_checks, [delay for delay, _ in deferred]) == ({}, [300.0])
    world.state.update_check("c", "critical", "down")
    assert list(world.state.unsynced_checks) == ["c"]
    world.state.unsynced_checks.clear()
    world.state.update_check("c", "critical", "still down")
    deferred[-1][1]()
    assert list(world.state.unsynced_checks) == ["c"]


def test_discarded_output_never_leaves() -> None:
    world = World()
    world.state.discard_check_output = True
    world.state.add_check(check("c", Output="secret"))
    world.state.unsynced_checks.clear()
    world.state.update_check("c", "passing", "secret")
    kept = world.state.check("c")
    assert kept is not None and kept.Output == ""
    assert world.state.unsynced_checks == {}


async def test_pauses_nest_and_hold_everything_back() -> None:
    world = World()
    world.sync.pause()
    world.sync.pause()
    world.sync.changed()
    world.sync.resume()
    assert world.sync.paused
    world.sync.resume()
    assert not world.sync.paused
    assert world.sync._wake.is_set()


@pytest.mark.parametrize(("nodes", "factor"), [(1, 1), (128, 1), (129, 2), (256, 2), (512, 3), (1000, 4), (8192, 7)])
def test_large_clusters_sync_more_rarely(nodes: int, factor: int) -> None:
    assert scale_factor(nodes) == factor
