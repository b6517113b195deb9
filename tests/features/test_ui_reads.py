"""What the web page reads: what is kept of it is always what would be made anew; one evaluation answers all; and what
is behind gateways."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.engine.wire import gojson
from proconsul.features.catalog.model import DeregisterRequest, HealthCheck, NodeService, RegisterRequest
from proconsul.features.config_entry.model import (
    PROXY_DEFAULTS,
    ConfigEntryRequest,
    IngressGateway,
    IngressListener,
    IngressService,
    LinkedService,
    ProxyDefaults,
    TerminatingGateway,
)
from proconsul.features.errors import NoLeader, StateError
from proconsul.features.messages import MessageType
from proconsul.features.options import Options
from proconsul.features.state import State
from proconsul.features.ui import kept
from proconsul.features.ui.endpoint import UserInterface
from proconsul.features.ui.summary import NodeLines, Summaries, summary
from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

# ---------------------------------------------------------------------- what is kept

NODES, IDS, NAMES, CHECKS = ("n1", "N2", "n3"), ("a", "b"), ("web", "Web", "db"), ("c1", "c2")


def service(name: str, service_id: str, port: int) -> NodeService:
    return NodeService(ID=service_id, Service=name, Port=port)


registrations = st.builds(
    lambda node, address, own, check: RegisterRequest(
        Node=node, Address=address,
        Service=service(*own) if own else None,
        Check=HealthCheck(Node=node, CheckID=check[0], Status=check[1], ServiceID=check[2]) if check else None,
    ),
    st.sampled_from(NODES), st.sampled_from(("10.0.0.1", "10.0.0.2")),
    st.none() | st.tuples(st.sampled_from(NAMES), st.sampled_from(IDS), st.integers(1, 2)),
    st.none()
    | st.tuples(st.sampled_from(CHECKS), st.sampled_from(("passing", "critical")), st.sampled_from(("", *IDS))),
)  # fmt: skip
removals = st.builds(
    lambda node, service_id, check: DeregisterRequest(Node=node, ServiceID=service_id, CheckID=check),
    st.sampled_from(NODES), st.sampled_from(("", *IDS)), st.sampled_from(("", *CHECKS)),
)  # fmt: skip


class World:
    """A state, and what reads it."""

    def __init__(self) -> None:
        self.state = State()
        self.index = 0
        self.ui = self.reader()
        self.summaries, self.lines = Summaries(), NodeLines()

    def reader(self) -> UserInterface:
        server: Any = SimpleNamespace(state=self.state, datacenter="dc1")
        return UserInterface(server)

    def write(self, request: RegisterRequest | DeregisterRequest) -> None:
        self.index += 1
        tx = self.state.store.begin(self.index)
        catalog = self.state.catalog
        try:
            if isinstance(request, RegisterRequest):
                catalog.register(tx, request)
            else:
                catalog.deregister(tx, request)
        except StateError:
            tx.abort()
            return
        tx.commit()

    def nodes(self, ui: UserInterface) -> list[Any]:
        return [ui._kept_info(node) for node in self.state.tables.nodes.rows.values()]

    def check(self) -> None:
        """What was kept is what is made anew."""
        anew = self.reader()
        assert self.ui._dump(None) == anew._dump(None)
        assert self.nodes(self.ui) == self.nodes(anew)
        rows, nodes = self.ui._dump(None), self.nodes(self.ui)
        for pretty in (False, True):
            services = self.summaries.encoded(rows, pretty=pretty)
            assert services == Summaries().encoded(anew._dump(None), pretty=pretty)
            assert not pretty or services == gojson.indented(self.summaries.encoded(rows))
            assert self.lines.encoded(nodes, pretty=pretty) == gojson.dumps(self.nodes(anew), pretty=pretty)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(registrations | removals, st.booleans()), max_size=30))
def test_what_is_kept_is_what_would_be_made_anew(steps: list[tuple[Any, bool]]) -> None:
    world = World()
    for request, looked_at in steps:
        world.write(request)
        if looked_at:
            world.check()
    world.check()


def test_only_what_changed_is_made_again() -> None:
    world = World()
    for number in range(50):
        own = service(f"s{number}", "a", 1)
        world.write(RegisterRequest(Node=f"n{number}", Address="10.0.0.1", Service=own))
    before = {row.Service.Service: row for row in world.ui._dump(None)}
    world.write(RegisterRequest(Node="n7", Address="10.0.0.9"))
    after = {row.Service.Service: row for row in world.ui._dump(None)}
    assert [name for name, row in after.items() if before[name] is not row] == ["s7"]


def test_what_nobody_looks_at_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "UNASKED_CHANGES_MAX", 10)
    world = World()
    for number in range(30):
        world.write(RegisterRequest(Node="n", Address="10.0.0.1", Service=service(f"s{number}", f"i{number}", 1)))
    world.check()
    assert len(world.ui._instances) == 30
    for number in range(12):
        world.write(RegisterRequest(Node="n", Address="10.0.0.1", Service=service(f"s{number}", f"i{number}", 2)))
    assert len(world.ui._instances) == 0
    assert len(world.state.store.watches) <= 3  # of the node, which was shown once
    world.check()


def test_a_restored_state_is_read_anew() -> None:
    world, other = World(), World()
    world.write(RegisterRequest(Node="n", Address="10.0.0.1", Service=service("old", "a", 1)))
    other.write(RegisterRequest(Node="n", Address="10.0.0.2", Service=service("new", "a", 1)))
    world.check()
    world.state.adopt(other.state)
    world.check()
    assert [row.Service.Service for row in world.ui._dump(None)] == ["new"]


def test_what_is_sent_of_a_service_is_escaped() -> None:
    shown = summary("<img onerror>", [])
    assert json.loads(json.dumps(shown))["Name"] == "<img onerror>"
    world = World()
    world.write(RegisterRequest(Node="n", Address="10.0.0.1", Service=service("<img onerror=x>", "a", 1)))
    assert b"<" not in world.summaries.encoded(world.ui._dump(None))


# ---------------------------------------------------------------------- numbers


async def test_the_catalog_in_numbers() -> None:
    async with AgentInLoop({}) as agent:
        await fill_gateways(agent)
        body = {"Node": "n2", "Address": "10.0.0.2", "Checks": [{"Node": "n2", "CheckID": "odd", "Status": "odd"}]}
        assert (await agent.request("PUT", "/v1/catalog/register", json.dumps(body).encode())).status == 200
        reply = await agent.request("GET", "/v1/internal/ui/catalog-overview")
        found = json.loads(reply.body)
        index = int(reply.lines.decode().partition("X-Consul-Index: ")[2].split("\r\n")[0])
        # n1 warns, n2 has a check in a state that nobody knows, n3 has none, and the agent's own is well.
        assert found["Nodes"] == [{"Total": 4, "Passing": 2, "Warning": 1, "Critical": 1}]
        services = {row.pop("Name"): row for row in found["Services"]}
        assert list(services) == ["consul", "ing", "native", "term", "web"]
        assert services["web"] == {"Total": 2, "Passing": 1, "Warning": 0, "Critical": 1}
        assert services["native"] == {"Total": 1, "Passing": 1, "Warning": 0, "Critical": 0}
        checks = {row.pop("Name", ""): row for row in found["Checks"]}
        assert checks["Serf Health Status"] == {"Total": 1, "Passing": 1, "Warning": 0, "Critical": 0}
        page = asyncio.ensure_future(agent.request("GET", f"/v1/internal/ui/catalog-overview?index={index}&wait=60s"))
        async with asyncio.timeout(PATIENCE_S):
            while not agent.server.views.waiting:
                await asyncio.sleep(0)
        await agent.request("PUT", "/v1/catalog/deregister", b'{"Node": "n2"}')
        assert json.loads((await page).body)["Nodes"][0]["Total"] == 3


# ---------------------------------------------------------------------- one evaluation


async def test_two_hundred_pages_cost_one_evaluation_per_change(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated, encoded = [], []
    dump, encode = UserInterface._dump, Summaries.encoded

    def counted(self: UserInterface, kind: str | None) -> Any:
        evaluated.append(kind)
        return dump(self, kind)

    def counted_encoding(self: Summaries, rows: Any, **options: Any) -> bytes:
        encoded.append(rows)
        return encode(self, rows, **options)

    monkeypatch.setattr(UserInterface, "_dump", counted)
    monkeypatch.setattr(Summaries, "encoded", counted_encoding)
    path = "/v1/internal/ui/services"
    async with AgentInLoop({}) as agent:
        first = await agent.request("GET", path)
        index = int(first.lines.decode().partition("X-Consul-Index: ")[2].split("\r\n")[0])
        pages = [asyncio.ensure_future(agent.request("GET", f"{path}?index={index}&wait=60s")) for _ in range(200)]
        async with asyncio.timeout(PATIENCE_S):
            while agent.server.views.waiting < 200:
                await asyncio.sleep(0)
        evaluated.clear()
        encoded.clear()
        body = {"Node": "x", "Address": "10.0.0.1", "Service": {"Service": "new"}}
        assert (await agent.request("PUT", "/v1/catalog/register", json.dumps(body).encode())).status == 200
        answers = await asyncio.gather(*pages)
        assert len({answer.body for answer in answers}) == 1 and b'"new"' in answers[0].body
        assert (len(evaluated), len(encoded)) == (1, 1)


# ---------------------------------------------------------------------- gateways

INGRESS = IngressGateway(
    Kind="ingress-gateway", Name="ing",
    Listeners=[
        IngressListener(Port=9000, Protocol="http", Services=[
            IngressService(Name="web"), IngressService(Name="nowhere", Hosts=["x.example.com", "y.example.com"]),
        ]),
        IngressListener(
            Port=9001, Protocol="http", Services=[IngressService(Name="native"), IngressService(Name="web")]
        ),
    ],
)  # fmt: skip
ALL_HTTP = ProxyDefaults(Kind=PROXY_DEFAULTS, Name="global", Config={"protocol": "http"})
TERMINATING = TerminatingGateway(
    Kind="terminating-gateway", Name="term",
    Services=[LinkedService(Name="web", SNI="s"), LinkedService(Name="*"), LinkedService(Name="gone")],
)  # fmt: skip
PLAIN = {"ChecksPassing": 0, "ChecksWarning": 0, "ChecksCritical": 0, "ExternalSources": None}
NOTHING = {"Tags": None, "Nodes": None, "InstanceCount": 0, **PLAIN}


async def fill_gateways(agent: AgentInLoop) -> None:
    """As the reference was, whose answers are below."""
    bodies: list[dict[str, Any]] = [
        {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "web", "ID": "web1", "Tags": ["b", "a"],
                                                           "Meta": {"external-source": "nomad"}},
         "Checks": [{"CheckID": "n", "Status": "warning"},
                    {"CheckID": "s", "Status": "critical", "ServiceID": "web1"}]},
        {"Node": "n2", "Address": "10.0.0.2", "Service": {"Service": "web", "ID": "web2", "Tags": ["c"],
                                                           "Meta": {"external-source": "kubernetes"}},
         "Check": {"CheckID": "s", "Status": "passing", "ServiceID": "web2"}},
        {"Node": "n3", "Address": "10.0.0.3", "Service": {"Service": "native", "Connect": {"Native": True}}},
        {"Node": "n3", "Address": "10.0.0.3", "Service": {"Service": "ing", "Kind": "ingress-gateway", "Port": 1}},
        {"Node": "n3", "Address": "10.0.0.3", "Service": {"Service": "term", "Kind": "terminating-gateway", "Port": 2}},
    ]  # fmt: skip
    for body in bodies:
        reply = await agent.request("PUT", "/v1/catalog/register", json.dumps(body).encode())
        assert reply.status == 200, reply.body
    for entry in (ALL_HTTP, INGRESS, TERMINATING):
        done = await agent.server.propose(MessageType.CONFIG_ENTRY, ConfigEntryRequest(Op="upsert", Entry=entry))
        assert done is True


async def behind(agent: AgentInLoop, target: str) -> Any:
    reply = await agent.request("GET", f"/v1/internal/ui/gateway-services-nodes/{target}")
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


async def test_services_behind_gateways() -> None:
    web = {"Name": "web", "Tags": ["a", "b", "c"], "Nodes": ["n1", "n2"], "InstanceCount": 2, "ChecksPassing": 1,
           "ChecksWarning": 1, "ChecksCritical": 1, "ExternalSources": ["nomad", "kubernetes"]}  # fmt: skip
    native = {"Name": "native", "Tags": None, "Nodes": ["n3"], "InstanceCount": 1, **PLAIN}
    async with AgentInLoop({"alt_domain": "other."}) as agent:
        await fill_gateways(agent)
        found = {row.pop("Name"): row for row in await behind(agent, "ing")}
        assert list(found) == ["native", "nowhere", "web"]
        config = {name: row.pop("GatewayConfig")["Addresses"] for name, row in found.items()}
        assert config["native"] == ["native.ingress.dc1.consul.:9001", "native.ingress.dc1.other.:9001"]
        assert config["nowhere"] == ["x.example.com:9000", "y.example.com:9000"]
        assert found["nowhere"] == NOTHING
        assert set(config["web"]) >= {"web.ingress.dc1.consul.:9000", "web.ingress.dc1.consul.:9001"}
        gone = {"Name": "gone", **NOTHING}
        assert await behind(agent, "TERM") == [{**row, "GatewayConfig": {}} for row in (gone, native, web)]
        assert await behind(agent, "none") == []


async def test_a_page_hears_of_what_changes_behind_a_gateway() -> None:
    async with AgentInLoop({}) as agent:
        await fill_gateways(agent)
        path = "/v1/internal/ui/gateway-services-nodes/ing"
        first = await agent.request("GET", path)
        index = int(first.lines.decode().partition("X-Consul-Index: ")[2].split("\r\n")[0])
        page = asyncio.ensure_future(agent.request("GET", f"{path}?index={index}&wait=60s"))
        async with asyncio.timeout(PATIENCE_S):
            while not agent.server.views.waiting:
                await asyncio.sleep(0)
        body = {"Node": "n9", "Address": "10.0.0.9", "Service": {"Service": "nowhere"}}
        await agent.request("PUT", "/v1/catalog/register", json.dumps(body).encode())
        assert b'"n9"' in (await page).body


# ---------------------------------------------------------------------- nobody leads


@pytest.mark.parametrize("told", [False, True], ids=["raised", "told"])
async def test_without_a_leader_it_is_what_this_server_knows(monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    async with AgentInLoop({}) as agent:
        gate: Any = agent.agent.node.gate
        now = gate.now

        def no_leader(read: Any, options: Options, *rest: Any) -> Any:
            if options.consistency == "stale":
                return now(read, options, *rest)
            if told:
                return None
            raise NoLeader

        def begin(waiter: Any, *_: Any) -> Any:
            asyncio.get_running_loop().call_soon(waiter.set_exception, NoLeader())
            return SimpleNamespace(cancel=lambda: None, hurry=lambda: None)

        monkeypatch.setattr(gate, "now", no_leader)
        monkeypatch.setattr(gate, "begin", begin)
        for path, wanted in (
            ("nodes", b'"test"'), ("nodes?filter=Node==test", b'"test"'), ("services", b'"consul"'),
            ("node/test", b'"test"'), ("gateway-services-nodes/x", b"[]"),
        ):  # fmt: skip
            answer = await agent.request("GET", f"/v1/internal/ui/{path}")
            assert answer.status == 200 and wanted in answer.body, path
        assert (await agent.request("GET", "/v1/internal/ui/node/none")).status == 404
        for path in ("/v1/internal/ui/nodes?consistent", "/v1/catalog/nodes"):
            refused = await agent.request("GET", path)
            assert (refused.status, refused.body) == (500, b"No cluster leader")
