"""Two datacenters on this machine: three servers, five client agents, services with real checks, and six things to try.

``make demo`` runs it; Ctrl-C ends it, and everything it started. Nothing listens anywhere but on the loopback address,
and nothing is kept.
"""

from __future__ import annotations

import argparse
import http.server
import json
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from proconsul.testing.ports import free_ports

HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0
PORTS = ("http", "dns", "server", "serf_lan", "serf_wan")
EAST, WEST = "east", "west"
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# As quick as a small network allows, so that nobody waits long to see what happens.
SETTINGS: dict[str, Any] = {
    "bind_addr": HOST, "client_addr": HOST, "log_level": "info", "retry_interval": "1s", "retry_interval_wan": "1s",
    "leave_on_terminate": False, "performance": {"raft_multiplier": 1},
    "gossip_wan": {"probe_interval": "1s", "probe_timeout": "500ms", "gossip_interval": "200ms"},
}  # fmt: skip


class Agent(NamedTuple):
    """One agent to be: its place, and the services it looks after."""

    name: str
    datacenter: str
    server: bool
    ports: dict[str, int]
    services: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.ports['http']}"


class Shop:
    """The process behind an instance of a service: it answers HTTP, and can be told to be ill."""

    def __init__(self, name: str) -> None:
        self.name, self.well = name, True
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(200 if shop.well else 500, f"{shop.name} is {'well' if shop.well else 'ill'}")

            def do_PUT(self) -> None:
                shop.well = self.path != "/break"
                self.do_GET() if shop.well else self.say(200, f"{shop.name} is ill from now on")

            def say(self, status: int, text: str) -> None:
                body = f"{text}\n".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def plan() -> list[Agent]:
    """Who there is to be."""
    places = (
        ("east-server-1", EAST, True, ()), ("east-server-2", EAST, True, ()), ("west-server-1", WEST, True, ()),
        ("east-1", EAST, False, ("web",)), ("east-2", EAST, False, ("web", "api")), ("east-3", EAST, False, ("api",)),
        ("west-1", WEST, False, ("web",)), ("west-2", WEST, False, ("api",)),
    )  # fmt: skip
    ports = iter(free_ports(len(PORTS) * len(places)))
    return [Agent(name, datacenter, server, {port: next(ports) for port in PORTS}, services)
            for name, datacenter, server, services in places]  # fmt: skip


def configuration(agent: Agent, agents: list[Agent], shops: dict[tuple[str, str], Shop], directory: Path) -> Any:
    """The agent's file."""
    fellows = [other for other in agents if other.server and other.datacenter == agent.datacenter]
    found: dict[str, Any] = SETTINGS | {
        "node_name": agent.name, "datacenter": agent.datacenter, "server": agent.server,
        "data_dir": str(directory / agent.name), "ports": agent.ports | {"grpc": -1},
        "retry_join": [f"{HOST}:{other.ports['serf_lan']}" for other in fellows if other is not agent],
    }  # fmt: skip
    if agent.server:
        found["bootstrap_expect"] = len(fellows)
        found["retry_join_wan"] = [f"{HOST}:{agents[0].ports['serf_wan']}"]
    found["services"] = [
        {
            "name": name, "port": shops[agent.name, name].port, "address": HOST, "tags": [agent.datacenter],
            "checks": [
                {"name": "it answers", "http": f"http://{HOST}:{shops[agent.name, name].port}/", "interval": "1s"},
                {"name": "its port is open", "tcp": f"{HOST}:{shops[agent.name, name].port}", "interval": "2s"},
            ],
        }
        for name in agent.services
    ]  # fmt: skip
    return found


def ask(url: str, method: str = "GET", body: Any = None) -> Any:
    """The decoded answer of an agent. Raises OSError."""
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=10) as reply:
        return json.load(reply)


def until(condition: Any, what: str, processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait for what every agent needs to be of use. Raises SystemExit when an agent ends, or it takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        for name, process in processes.items():
            if process.poll() is not None:
                raise SystemExit(f"{name} has ended; look at its log")
        try:
            if condition():
                return
        except (OSError, urllib.error.URLError):
            pass  # it does not answer yet
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {START_TIMEOUT_S:.0f} s in vain until {what}")
        time.sleep(0.1)


@contextmanager
def running(agents: list[Agent], shops: dict[tuple[str, str], Shop], directory: Path) -> Iterator[dict[str, Any]]:
    """The agents' processes by name; ended with the block."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for agent in agents:
            path = directory / f"{agent.name}.json"
            path.write_text(json.dumps(configuration(agent, agents, shops, directory), indent=2))
            with (directory / f"{agent.name}.log").open("wb") as log:
                processes[agent.name] = subprocess.Popen(
                    [sys.executable, "-m", "proconsul", "agent", f"-config-file={path}"], stdout=log, stderr=log,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
        yield processes
    finally:
        for number in STOPS:  # once is enough: whoever is in a hurry would leave agents behind
            signal.signal(number, signal.SIG_IGN)
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in processes.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def settle(agents: list[Agent], processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait until everybody knows everybody and every service is well; then make the query that fails over."""
    entry = agents[0].url
    until(lambda: len(ask(f"{entry}/v1/catalog/datacenters")) == 2, "the datacenters know each other", processes)
    for datacenter in (EAST, WEST):
        own = [agent for agent in agents if agent.datacenter == datacenter]
        for service in ("web", "api"):
            count = sum(service in agent.services for agent in own)
            url = f"{entry}/v1/health/service/{service}?passing&dc={datacenter}"
            until(lambda url=url, count=count: len(ask(url)) == count, f"{service} is well in {datacenter}", processes)
    query = {"Name": "web", "Service": {"Service": "web", "OnlyPassing": True, "Failover": {"Datacenters": [WEST]}}}
    ask(f"{entry}/v1/query", "POST", query)


def lines(agents: list[Agent], shops: dict[tuple[str, str], Shop], pids: dict[str, int]) -> Iterator[str]:
    """What is shown when all is up. Lines that begin with a dollar can be typed as they are."""
    by_name = {agent.name: agent for agent in agents}
    one, far = by_name["east-1"], by_name["west-1"]
    consul = shlex.join([sys.executable, "-m", "proconsul"])
    yield f"{'agent':<15} {'datacenter':<11} {'HTTP':<23} {'DNS':<16} {'pid':<8} services"
    for agent in agents:
        places = " ".join(f"{name} ({HOST}:{shops[agent.name, name].port})" for name in agent.services)
        kind = "server" if agent.server else places
        yield (
            f"{agent.name:<15} {agent.datacenter:<11} {agent.url:<23} {HOST}:{agent.ports['dns']:<6} "
            f"{pids[agent.name]:<8} {kind}"
        )
    webs = [shops[name, "web"] for name in ("east-1", "east-2")]
    at = f"-http-addr={HOST}:{one.ports['http']}"
    yield "\nSix things to try:"
    yield "\n1. Who is there, and where is the service?"
    yield f"$ {consul} members {at}"
    yield f"$ {consul} catalog nodes -service=web {at}"
    yield f"$ dig +short @{HOST} -p {one.ports['dns']} web.service.consul SRV"
    yield "\n2. Ask the other datacenter, from here."
    yield f"$ curl -s '{one.url}/v1/catalog/service/web?dc=west&pretty'"
    yield f"$ dig +short @{HOST} -p {one.ports['dns']} web.service.west.consul"
    yield "\n3. Keep something in the west from the east, and read it there."
    yield f"$ {consul} kv put -datacenter=west {at} greeting 'from the east'"
    yield f"$ {consul} kv get -http-addr={HOST}:{far.ports['http']} greeting"
    yield "\n4. Make one instance ill: within a second nobody is sent to it any more. Then cure it."
    yield f"$ curl -s -X PUT http://{HOST}:{webs[0].port}/break; sleep 3"
    yield f"$ curl -s '{one.url}/v1/health/service/web?passing&pretty' | grep '\"ServiceID\\|\"Node\":'"
    yield f"$ curl -s -X PUT http://{HOST}:{webs[0].port}/mend"
    yield "\n5. Make every instance in the east ill: the query sends you to the west."
    yield "$ " + "; ".join(f"curl -s -X PUT http://{HOST}:{web.port}/break" for web in webs) + "; sleep 3"
    yield f"$ curl -s '{one.url}/v1/query/web/execute?pretty' | grep '\"Datacenter\"\\|Failovers'"
    yield f"$ dig +short @{HOST} -p {one.ports['dns']} web.query.consul"
    yield "$ " + "; ".join(f"curl -s -X PUT http://{HOST}:{web.port}/mend" for web in webs)
    yield "\n6. Hold a lock while a command runs, and kill an agent: its services are gone with it."
    yield f"$ {consul} lock {at} demo/lock echo 'I have the lock'"
    yield f"$ kill -9 {pids['east-3']}; sleep 8; {consul} members {at}"


def main() -> int:
    """Start everything, say what there is, and wait for Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    for number in STOPS:
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="proconsul-demo-")))
        agents = plan()
        shops = {(agent.name, name): Shop(f"{name} at {agent.name}") for agent in agents for name in agent.services}
        for shop in shops.values():
            stack.callback(shop.close)
        try:
            print(f"Starting {len(agents)} agents; their files and logs are in {directory}\n", flush=True)
            processes = stack.enter_context(running(agents, shops, directory))
            settle(agents, processes)
            print("\n".join(lines(agents, shops, {name: one.pid for name, one in processes.items()})), flush=True)
            print("\nCtrl-C ends it all.", flush=True)
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print("\nEnding.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
