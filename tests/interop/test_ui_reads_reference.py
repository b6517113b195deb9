"""What the web page reads, asked across: a Consul 1.8.7 client of our server, and our client of a 1.8.7 server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from proconsul.testing import AgentInLoop
from proconsul.testing.ports import free_ports
from support.harness import Agent, Subject
from support.patience import PATIENCE_S
from support.pools import require_reference

NODES: list[dict[str, Any]] = [
    {"Node": "n1", "Address": "10.0.0.1", "NodeMeta": {"a": "b"}, "Service": {
        "Service": "web", "ID": "w", "Tags": ["b", "a"], "Meta": {"external-source": "nomad"}},
     "Checks": [{"CheckID": "n", "Status": "warning"}, {"CheckID": "s", "Status": "critical", "ServiceID": "w"}]},
    {"Node": "n2", "Address": "10.0.0.2", "Service": {"Service": "web", "ID": "w2", "Port": 81}},
    {"Node": "n2", "Address": "10.0.0.2", "Service": {
        "Service": "px", "Kind": "connect-proxy", "Port": 5, "Proxy": {"DestinationServiceName": "web"}}},
    {"Node": "bare", "Address": "10.0.0.4"},
]  # fmt: skip
ENTRIES: list[dict[str, Any]] = [
    {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}},
    {"Kind": "ingress-gateway", "Name": "ing", "Listeners": [
        {"Port": 9000, "Protocol": "http", "Services": [{"Name": "web"}, {"Name": "none", "Hosts": ["x.example.com"]}]},
        {"Port": 9001, "Protocol": "http", "Services": [{"Name": "web"}]}]},
    {"Kind": "terminating-gateway", "Name": "term", "Services": [{"Name": "web", "SNI": "s"}, {"Name": "gone"}]},
]  # fmt: skip
PATHS = (
    "nodes", "nodes?filter=Meta.a==b", "node/n1", "node/none", "services", "services?stale",
    "services?filter=Service.Kind==%22connect-proxy%22", "gateway-services-nodes/none",
)  # fmt: skip
GATEWAYS = ("gateway-services-nodes/ing", "gateway-services-nodes/term")


def settings() -> dict[str, Any]:
    names = ("http", "server", "serf_lan", "serf_wan")
    return {"bind_addr": "127.0.0.1", "ports": dict(zip(names, free_ports(len(names)), strict=True))}


def shown(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def of_agent(agent: AgentInLoop, path: str) -> tuple[int, Any]:
    reply = await agent.request("GET", f"/v1/internal/ui/{path}")
    return reply.status, shown(reply.body.decode())


async def of_process(agent: Agent, path: str) -> tuple[int, Any]:
    reply = await asyncio.to_thread(agent.call, "GET", f"/v1/internal/ui/{path}")
    return reply.status, shown(reply.text)


async def agree(ours: AgentInLoop, theirs: Agent, path: str) -> None:
    """Both say the same, at last: the health of a new node may just be coming."""
    own, other = None, None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                own, other = await of_agent(ours, path), await of_process(theirs, path)
                if own == other:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        assert own == other, path


@pytest.mark.reference
async def test_a_client_of_the_original_asks_our_server(tmp_path: Path) -> None:
    require_reference()
    async with AgentInLoop(settings(), gossip=True) as ours:
        for body in NODES:
            assert (await ours.request("PUT", "/v1/catalog/register", json.dumps(body).encode())).status == 200
        lan = ours.agent.config.fixed.ports.serf_lan
        ports = dict(zip(("http", "server", "serf_lan", "serf_wan"), free_ports(4), strict=True))
        flags = [f"-{name.replace('_', '-')}-port={port}" for name, port in ports.items()]
        arguments = ["-node=c1", "-bind=127.0.0.1", f"-data-dir={tmp_path}/data", f"-retry-join=127.0.0.1:{lan}",
                     "-retry-interval=1s", "-dns-port=-1", "-log-level=warn", *flags]  # fmt: skip
        with Agent(Subject.REFERENCE, tmp_path, arguments, plain=True, ports=ports) as theirs:
            async with asyncio.timeout(PATIENCE_S):
                # Its own registration has arrived, so nothing changes any more.
                while "'c1'" not in str(await of_agent(ours, "nodes")) or (
                    (await asyncio.to_thread(theirs.call, "GET", "/v1/status/leader")).status != 200
                ):
                    await asyncio.sleep(0.1)
            for path in PATHS:
                await agree(ours, theirs, path)


async def test_our_client_asks_our_server_for_the_numbers(tmp_path: Path) -> None:
    async with AgentInLoop(settings(), gossip=True) as server:
        client = {**settings(), "dev": False, "server": False, "data_dir": str(tmp_path / "c"), "node_name": "c1",
                  "retry_join": [f"127.0.0.1:{server.agent.config.fixed.ports.serf_lan}"]}  # fmt: skip
        async with AgentInLoop(client, gossip=True) as asking, asyncio.timeout(PATIENCE_S):
            while (found := await of_agent(asking, "catalog-overview"))[0] != 200 or found[1]["Nodes"][0]["Total"] < 2:
                await asyncio.sleep(0.1)
            reply = await asking.request("GET", "/v1/internal/ui/catalog-overview")
            index = int(reply.lines.decode().partition("X-Consul-Index: ")[2].split("\r\n")[0])
            page = asyncio.ensure_future(
                asking.request("GET", f"/v1/internal/ui/catalog-overview?index={index}&wait=60s")
            )
            assert (await server.request("PUT", "/v1/catalog/register", json.dumps(NODES[0]).encode())).status == 200
            while True:
                reply = await page
                if b'"web"' in reply.body:
                    break
                index = int(reply.lines.decode().partition("X-Consul-Index: ")[2].split("\r\n")[0])
                page = asyncio.ensure_future(
                    asking.request("GET", f"/v1/internal/ui/catalog-overview?index={index}&wait=60s")
                )


@pytest.mark.reference
async def test_our_client_asks_a_server_of_the_original(tmp_path: Path) -> None:
    require_reference()
    with Agent(Subject.REFERENCE, tmp_path / "s") as theirs:
        await asyncio.to_thread(theirs.wait_ready)
        for target, bodies in (("/v1/catalog/register", NODES), ("/v1/config", ENTRIES)):
            for body in bodies:
                reply = await asyncio.to_thread(theirs.call, "PUT", target, json.dumps(body))
                assert reply.status == 200, reply.text
        client = {**settings(), "dev": False, "server": False, "data_dir": str(tmp_path / "c"), "node_name": "c1",
                  "retry_join": [f"127.0.0.1:{theirs.ports['serf_lan']}"], "retry_interval": "1s"}  # fmt: skip
        async with AgentInLoop(client, gossip=True) as ours:
            async with asyncio.timeout(PATIENCE_S):
                while '"c1"' not in (await asyncio.to_thread(theirs.call, "GET", "/v1/catalog/nodes")).text:
                    await asyncio.sleep(0.1)
            for path in (*PATHS, *GATEWAYS):
                await agree(ours, theirs, path)
            found = (await of_agent(ours, GATEWAYS[0]))[1]
            assert [row["Name"] for row in found] == ["none", "web"]
            assert len(found[1]["GatewayConfig"]["Addresses"]) == 2
