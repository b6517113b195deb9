"""Client agents in a simulated cluster: what is registered with them has to be in the catalog, and nothing else.

The agent's local state, its files, anti-entropy and the client side of the node run unchanged; checks are results that
somebody reports. Agents are killed between any two effects, also while they write a file, cut off, and come back with
what they have on disk; others deregister their services behind their back, and register what no agent knows of.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from proconsul.agent.checks.definition import RunnableCheck, runnable
from proconsul.agent.checks.runner import Held
from proconsul.agent.checks.status import CheckStatus
from proconsul.agent.local.anti_entropy import AntiEntropy
from proconsul.agent.local.catalog_port import ServerCatalog
from proconsul.agent.local.change import RegistrationChange
from proconsul.agent.local.file_writer import FileWriter, Operation, Outcome
from proconsul.agent.local.holdings import Holdings
from proconsul.agent.local.local_state import LocalState, same_check, same_service
from proconsul.agent.local.persistence import Persistence
from proconsul.agent.local.registrations import Registrations
from proconsul.engine.gossip.member import Member
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire.hostport import Address
from proconsul.features.catalog.definition import CheckType
from proconsul.features.catalog.endpoint import DEREGISTER, REGISTER
from proconsul.features.catalog.model import SERF_CHECK_ID, DeregisterRequest, Node, NodeService, RegisterRequest
from proconsul.features.errors import ConsulError
from proconsul.server.client import ConsulClient
from proconsul.server.config import ServerConfig
from proconsul.testing.cluster import Cluster
from proconsul.testing.cluster_gossip import Gossip
from proconsul.testing.cluster_network import Links, SimNetwork, SimPool, SimTransport
from proconsul.testing.cluster_server import TAGS, Machine, Process, SimGossip, SimServer
from proconsul.testing.virtual_loop import Killed, VirtualTime, new_loop

__all__ = ["AgentCluster"]

# Of the configuration of every agent: it is well all the time.
STEADY = "steady"
SERVICES = ("web", "api", "db")
STATUSES: tuple[CheckStatus, ...] = (CheckStatus.PASSING, CheckStatus.WARNING, CheckStatus.CRITICAL)
TTL = CheckType(TTL=3600 * 10**9)
SYNC_INTERVAL_S = 2.0
# How long a file takes to be on disk.
WRITE_S = 0.01


@dataclass
class AgentMachine:
    """A machine with a client agent. ``wanted``: the tags of what was registered and acknowledged, by service.

    ``doubtful``: services of which the last change may or may not be on disk.
    """

    name: str
    id: str
    ip: str
    rate: float
    directory: Path
    starts: int = 0
    wanted: dict[str, list[str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"{self.ip}:8300"

    @property
    def tags(self) -> Mapping[str, str]:
        """As a client agent's gossip says."""
        return {**TAGS, "role": "node", "id": self.id, "dc": "dc1"}


class _Writer(FileWriter):
    """Files are on disk a moment later, unless the process has ended before."""

    def __init__(self, process: AgentProcess) -> None:
        super().__init__()
        self._process = process

    def submit(self, path: Path, operation: Operation) -> Outcome:
        outcome: Outcome = self._process.loop.create_future()
        wait_s = self._process.rng.expovariate(1 / WRITE_S)

        def perform() -> None:
            self._process.may_die()
            operation()
            self._process.may_die()
            if not outcome.done():
                outcome.set_result(None)

        self._process.loop.call_later(wait_s, perform)
        return outcome


class _NoRunners:
    """Implements `Runners`: nothing is run; whoever plays the check reports to the local state."""

    def start(self, check_id: str, check: RunnableCheck) -> None:
        """Nothing runs."""

    def stop(self, check_id: str) -> None:
        """Nothing ran."""

    def hold(self, check_id: str) -> Held | None:
        return None

    def put_back(self, check_id: str, held: Held) -> None:
        """Nothing ran."""

    def report(self, check_id: str, status: CheckStatus, output: str) -> str:
        return output

    def ttl_s(self, check_id: str) -> float | None:
        return None


class _SimClientNode(ConsulClient):
    """The client side of a node, with the simulation's network."""

    def __init__(self, process: AgentProcess) -> None:
        self._process = process
        host, loop = process.host, process.loop
        config = ServerConfig(
            node_name=host.name, node_id=host.id, datacenter="dc1", address=host.address, listen=Address(host.ip, 8300),
            rpc_hold_timeout_s=3.0,
        )  # fmt: skip
        super().__init__(
            config, SimGossip(process), clock=loop.time, wall_clock_ns=lambda: int(loop.time() * 1e9), rng=process.rng
        )

    def _make_pool(self) -> ConnectionPool:
        return SimPool(self._process.cluster.links, self._process)


class AgentProcess:
    """From a start of an agent to its death. Implements `LinkedProcess`."""

    network: SimNetwork | None = None
    transport: SimTransport | None = None
    leaving = False

    def __init__(self, cluster: AgentCluster, host: AgentMachine, number: int) -> None:
        self.cluster, self.host = cluster, host
        self.id, self.address, self.name = host.id, host.address, f"{host.name}/{number}"
        self.rng = Random(cluster.rng.random())
        self.loop = new_loop(cluster.time, self.name, rate=host.rate)
        self.members: dict[str, Member] = {}
        self.node: _SimClientNode | None = None
        self.local = LocalState(host.name, clock=self.loop.time)

    @property
    def alive(self) -> bool:
        return self.loop.alive

    def may_die(self, weight: float = 1.0) -> None:
        """Here the process may be killed. Raises Killed."""
        if self.alive and self.cluster.strikes(weight):
            self.cluster.kill_agent(self)
            raise Killed

    def set_member(self, member: Member) -> None:
        """Gossip has told this agent of ``member``."""
        if self.members.get(member.name) != member:
            self.members[member.name] = member
            if self.node is not None:
                self.node.member_changed(member)
                if member.tags["role"] == "consul":
                    self.sync.compare_soon()

    def start(self) -> None:
        """Let the agent begin."""
        self.loop.call_soon(lambda: self.loop.create_task(self._run()).add_done_callback(self._over))

    def _over(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.call_exception_handler({"message": "an agent failed", "exception": error})

    async def _run(self) -> None:
        host, local = self.host, self.local
        self.node = node = _SimClientNode(self)
        local.defer = self.loop.call_later
        own = Node(ID=host.id, Node=host.name, Address=host.ip, Datacenter="dc1")
        self.sync = AntiEntropy(
            local, ServerCatalog(node, str), lambda: own, token=lambda from_config: "", agent_token=str,
            cluster_size=lambda: len(self.members), interval_s=SYNC_INTERVAL_S, rng=self.rng,
        )  # fmt: skip
        persistence = Persistence(str(host.directory), _Writer(self))
        self.registrations = Registrations(
            Holdings(local, persistence, _NoRunners()), node=host.name, wall_clock=self.loop.time
        )
        check = {"CheckID": f"c:{STEADY}", "TTL": "1h", "Status": "passing"}
        self.registrations.load([{"Name": STEADY, "ID": STEADY, "Check": check}], [])
        self._judge_start()
        await self.sync.start()
        while self.cluster.busy:
            await asyncio.sleep(self.rng.expovariate(1 / (2 * self.cluster.pace_s)))
            await self._act()

    def _judge_start(self) -> None:
        """What was acknowledged is there again after whatever has happened."""
        host, found = self.host, self.local.live_services()
        for name in {*host.wanted, *found} - {STEADY} - host.doubtful:
            tags = found[name].Tags if name in found else None
            if tags != host.wanted.get(name):
                raise self.cluster.fail(f"{self.name}: {name} is {tags} after a restart, not {host.wanted.get(name)}")
        # From here on what is there is what is wanted.
        host.wanted = {name: list(service.Tags or ()) for name, service in found.items() if name != STEADY}
        host.doubtful.clear()

    async def _act(self) -> None:
        """Register something, take it out, or find out how it is."""
        rng, name = self.rng, self.rng.choice(SERVICES)
        kind = rng.random()
        live = self.local.live_services()
        if kind < 0.4 or name not in live:
            tags = [f"t{rng.randint(0, 2)}"]
            planned = self.registrations.planner().service(
                NodeService(ID=name, Service=name, Tags=tags, Port=rng.randint(1, 3)), [runnable(TTL)]
            )
            await self._changed(name, lambda: self.registrations.register([planned]), tags)
        elif kind < 0.5:
            await self._changed(name, lambda: self.registrations.remove_service(name), None)
        else:
            status = rng.choice(STATUSES)
            self.local.update_check(f"service:{name}", status, f"it is {rng.randint(0, 5)}")

    async def _changed(self, name: str, change: Callable[[], RegistrationChange], tags: list[str] | None) -> None:
        host = self.host
        host.doubtful.add(name)
        error = await change().end()
        if error is None and self.alive:
            host.doubtful.discard(name)
            host.wanted.pop(name, None)
            if tags is not None:
                host.wanted[name] = tags


class _World:
    """The cluster with its agents, as gossip sees it."""

    def __init__(self, cluster: AgentCluster) -> None:
        self._cluster = cluster
        self.time: VirtualTime = cluster.time
        self.links: Links = cluster.links

    @property
    def hosts(self) -> Mapping[str, Machine | AgentMachine]:
        return {**self._cluster.hosts, **self._cluster.agents}


class AgentCluster(Cluster):
    """A cluster with ``count`` client agents. What must hold of them is judged at the end, and at every start."""

    def __init__(self, seed: int, *, count: int = 3, tracing: bool = False) -> None:
        super().__init__(seed, tracing=tracing)
        self.rewinds = False  # an old snapshot may take services out for a moment
        self._directory = tempfile.TemporaryDirectory(prefix="proconsul-agents-")
        self.agents: dict[str, AgentMachine] = {}
        self.agent_processes: dict[str, AgentProcess] = {}
        self.gossip = Gossip(_World(self))
        # When each agent's steady service was first seen in the catalog, by agent.
        self.seen: set[str] = set()
        self.restarts = self.returned = 0
        for number in range(count):
            agent_id = f"{number:08d}-aaaa-0000-0000-000000000000"
            directory = Path(self._directory.name) / str(number)
            rate = self.rng.uniform(0.9, 1.1)
            self.agents[agent_id] = AgentMachine(f"a{number}", agent_id, f"10.0.1.{number + 1}", rate, directory)
        self.clients = [*self.clients[:2], _stranger]

    def start_agent(self, host: AgentMachine) -> None:
        """Have the agent of ``host`` run."""
        running = self.agent_processes.get(host.id)
        if running is not None and running.alive:
            return
        host.starts += 1
        process = AgentProcess(self, host, host.starts)
        self.trace(process.name, "starts")
        self.agent_processes[host.id] = self.links.processes[host.id] = process
        self.time.loops.append(process.loop)
        process.start()

    def kill_agent(self, process: AgentProcess) -> None:
        """End an agent at once; it comes back later."""
        self.trace(process.name, "ends")
        process.loop.kill()
        self._dead.append(process.loop)
        self.restarts += 1
        self.time.at(self.rng.expovariate(1 / self.faults.restart_s), lambda: self.start_agent(process.host))

    # ------------------------------------------------------------------ what goes wrong

    def _afflict(self) -> None:
        """Agents are cut off from some or all servers, one way or both, or killed."""
        rng = self.rng
        host = rng.choice(list(self.agents.values()))
        servers = [server for server in self.hosts if rng.random() < 0.7]
        process = self.agent_processes.get(host.id)
        kind = rng.choice(("cut", "one-way", "kill", "stall"))
        self.trace(host.name, kind)
        if kind == "kill" and process is not None and process.alive:
            self.kill_agent(process)
        elif kind == "stall" and process is not None:
            process.loop.stall_until(self.time.now + rng.expovariate(1 / 2.0))
        elif kind in ("cut", "one-way"):
            cut = {(host.id, server) for server in servers}
            if kind == "cut" or rng.random() < 0.5:
                cut |= {(server, host.id) for server in servers}
            self.links.cut |= cut
            self.time.at(rng.expovariate(1 / 3.0), lambda: self.links.cut.difference_update(cut))

    def _look_at_catalog(self) -> None:
        """A service that is well is never missing where the leader answers."""
        leader = self.leader()
        if leader is not None and leader.leading:
            services = leader.state.tables.services
            for host in self.agents.values():
                there = services.get((host.name, STEADY)) is not None
                if not there and host.name in self.seen:
                    raise self.fail(f"{STEADY} of {host.name} is gone from the catalog of {leader.process.name}")
                if there:
                    self.seen.add(host.name)
        self.time.at(0.1, self._look_at_catalog)

    # ------------------------------------------------------------------ a run

    def _play(self, seconds: float, calm_s: float) -> None:
        for host in self.agents.values():
            self.time.at(self.rng.uniform(0, 3.0), lambda host=host: self.start_agent(host))  # type: ignore[misc]
        self.time.at(4.0, lambda: self._every(0.8, self._afflict))
        self._look_at_catalog()
        self.time.at(4.0 + seconds, self._calm)
        super()._play(seconds, calm_s)

    def _calm(self) -> None:
        for host in self.agents.values():
            self.start_agent(host)
        for process in self.agent_processes.values():
            process.loop.awake_from(self.time.now)

    def judge(self) -> None:
        super().judge()
        leader = self.leader()
        assert leader is not None
        tables = leader.state.tables
        for process in self.agent_processes.values():
            self._judge_agent(process, leader)
            for failure in process.loop.failures:
                raise self.fail(f"{process.name}: {failure}")
        known = {host.name for host in self.agents.values()}
        zombies = [row for row in tables.services.all() if row.Node in known and row.ServiceName == "ghost"]
        if zombies:
            raise self.fail(f"nobody took out {zombies}")

    def _judge_agent(self, process: AgentProcess, leader: SimServer) -> None:
        """Catalog and local state are the same."""
        reads, local, name = leader.state.reads, process.local, process.host.name
        _, found = reads.node_services(None, name)
        theirs = found.Services if found is not None else {}
        ours = local.live_services()
        if ours.keys() != theirs.keys() or not all(same_service(ours[key], theirs[key]) for key in ours):
            raise self.fail(f"the catalog has {theirs} of {process.name}, the agent {ours}")
        checks = {row.CheckID: row for row in reads.node_checks(None, name)[1]}
        serf = checks.pop(SERF_CHECK_ID, None)
        if serf is None or serf.Status != CheckStatus.PASSING:
            raise self.fail(f"{process.name} runs, and its node is {serf}")
        mine = local.live_checks()
        if mine.keys() != checks.keys() or not all(same_check(mine[key], checks[key]) for key in mine):
            raise self.fail(f"the catalog has {checks} of {process.name}, the agent {mine}")

    def end(self) -> None:
        """Nothing runs any more, and the files are gone."""
        for process in self.agent_processes.values():
            process.loop.kill()
            process.loop.bury()
        super().end()
        self._directory.cleanup()


async def _stranger(process: Process) -> None:
    """Deregister services behind their agents' back, and register what no agent knows of on their nodes."""
    cluster, server = process.cluster, process.server
    assert isinstance(cluster, AgentCluster) and server is not None
    rng = cluster.rng
    while cluster.busy:
        await asyncio.sleep(rng.expovariate(1 / (4 * cluster.pace_s)))
        host = rng.choice(list(cluster.agents.values()))
        request: Any
        try:
            if rng.random() < 0.5:
                request = DeregisterRequest(Datacenter="dc1", Node=host.name, ServiceID=rng.choice(SERVICES))
                await server.gate.written(DEREGISTER, request)
            elif server.state.tables.nodes.get(host.name) is not None:
                request = RegisterRequest(
                    Datacenter="dc1", Node=host.name, Address=host.ip, ID=host.id,
                    Service=NodeService(ID="ghost", Service="ghost"),
                )  # fmt: skip
                await server.gate.written(REGISTER, request)
            cluster.returned += 1
        except (ConsulError, RaftError) as error:
            cluster.trace(process.name, f"a stranger is refused: {error}")
