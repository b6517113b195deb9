"""Servers with their whole HTTP API in one thread, on virtual time and network: `DevCluster`.

The servers of `cluster`, each with an `Agent` around it. Nothing is real but the answers: time passes only while
somebody waits for one or calls `advance`, and all follows from the seed. The calls are synchronous, in asynchronous
tests too. There are no sockets, so checks that need one fail; those with a TTL and aliases work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from proconsul.agent.agent import Agent
from proconsul.agent.clocks import Clocks
from proconsul.agent.config import load
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.gossip.pools import Pools
from proconsul.agent.gossip.tags import own_tags
from proconsul.agent.serving import server_config
from proconsul.engine.gossip.member import Member
from proconsul.engine.http.request import Request
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.errors import RaftError
from proconsul.engine.wire.hostport import Address
from proconsul.features.errors import ConsulError
from proconsul.server.config import RpcTls
from proconsul.testing.answers import Body, HttpAnswer, SyncAsking, encoded, headers_of
from proconsul.testing.cluster import Cluster
from proconsul.testing.cluster_disk import DiskFaults, ServerDisk
from proconsul.testing.cluster_gossip import Gossip, wan_members
from proconsul.testing.cluster_server import Machine, Process, SimServer
from proconsul.testing.dev_core import answer_of
from proconsul.testing.faulty_door import DoorFaults, FaultyDoor
from proconsul.testing.raft_server import Faults as NetworkFaults

__all__ = ["ClusterNode", "Datacenter", "DevCluster", "PendingRequest"]

# Virtual seconds: a step between two looks, and what is waited for at most.
STEP_S = 0.01
FORMED_WITHIN_S = 120.0
ANSWERED_WITHIN_S = 660.0
LOOK_S = 0.5


class _Unwatched:
    """In place of the simulation's watch, which knows what its own clients do."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class _SimPools(Pools):
    """The members as the simulated gossip tells of them."""

    def __init__(self, *args: Any, process: _NodeProcess, **options: Any) -> None:
        super().__init__(*args, **options)
        self._process = process

    def members(self, *, wan: bool = False) -> list[Member]:
        process = self._process
        return wan_members(process.id, process.cluster.together) if wan else list(process.members.values())

    async def force_leave(self, name: str, *, prune: bool = False) -> bool:
        return self._process.cluster.gossip.force_leave(name)


class _SimAgent(Agent):
    """An agent whose server has the simulation's disk, network and gossip."""

    def __init__(self, process: _NodeProcess, config: RuntimeConfig) -> None:
        self._process = process
        clocks = Clocks(process.loop.time, process.loop.time)
        super().__init__(config, rng=process.rng, solo=True, clocks=clocks)

    def _make_node(self, config: RuntimeConfig, tls: RpcTls, *, solo: bool) -> None:
        fixed, process, host = config.fixed, self._process, self._process.host
        give_up = partial(self.ending.soon, 1)
        tags = own_tags(fixed, self.node_id, build="1.8.7:", use_tls=tls.use_tls)
        self.pools = _SimPools(fixed, tags, self.node_id, solo=True, give_up=give_up, rng=self.rng, process=process)
        settings = replace(
            server_config(config, self.node_id, tls, solo=True), address=host.address, listen=Address(host.ip, 8300),
            bootstrap=process.cluster.expect == 1, bootstrap_expect=process.cluster.expect, data_dir="",
            raft=process.cluster.raft, pool_known_after_s=2.0,
        )  # fmt: skip
        self.server = SimServer(process, settings, give_up=lambda: process.cluster.kill(process))
        self.node = self.server


class _NodeProcess(Process):
    """A process with an agent in it."""

    agent: _SimAgent | None = None
    door: FaultyDoor | None = None

    def _start(self) -> None:
        cluster = self.cluster
        assert isinstance(cluster, Datacenter)
        self.agent = _SimAgent(self, cluster.config_of(self.host))
        server = self.agent.server
        assert isinstance(server, SimServer)
        self.server = server
        self.door = FaultyDoor(self.agent.front)
        self.loop.create_task(self.agent.start()).add_done_callback(self._over)


class PendingRequest:
    """A request that is under way; it goes on whenever time does."""

    def __init__(self, node: ClusterNode, process: _NodeProcess, request: Request) -> None:
        self._node, self._process = node, process
        self._answer: HttpAnswer | None = None
        self._error: Exception | None = None
        process.loop.call_soon(lambda: process.loop.create_task(self._ask(request)))

    async def _ask(self, request: Request) -> None:
        assert self._process.door is not None
        try:
            self._answer = await answer_of(await self._process.door.answer(request))
        except Exception as error:
            self._error = error

    @property
    def done(self) -> bool:
        """Whether there is an answer, or will never be one."""
        return self._answer is not None or self._error is not None or not self._process.alive

    def wait(self, within_s: float = ANSWERED_WITHIN_S) -> HttpAnswer:
        """Let time pass until there is an answer. Raises ConnectionResetError when the node has failed meanwhile,
        TimeoutError after ``within_s`` of the cluster's time."""
        self._node.cluster.wait_until(lambda: self.done, within_s)
        if self._error is not None:
            raise self._error
        if self._answer is None:
            raise ConnectionResetError(f"{self._node.name} has failed: nobody answers")
        return self._answer


class ClusterNode(SyncAsking):
    """One server: what it is asked, and what happens to it. ``token``: what requests go with."""

    cluster: DevCluster
    datacenter: Datacenter
    host: Machine
    token: str
    name: str

    def __init__(self, cluster: DevCluster, datacenter: Datacenter, host: Machine, token: str) -> None:
        self.cluster, self.datacenter, self.host, self.token = cluster, datacenter, host, token
        self.name = host.name

    def __repr__(self) -> str:
        return f"<{self.name} of {self.datacenter.datacenter}{'' if self.alive else ', failed'}>"

    @property
    def _process(self) -> _NodeProcess:
        process = self.datacenter.processes[self.host.id]
        assert isinstance(process, _NodeProcess)
        return process

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def is_leader(self) -> bool:
        leader = self.datacenter.leader()
        return leader is not None and leader.process is self._process

    def begin(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> PendingRequest:  # fmt: skip
        """Have a request be under way. Raises ConnectionRefusedError of a node that has failed."""
        process = self._process
        if not process.alive or process.door is None:
            raise ConnectionRefusedError(f"{self.name} does not run")
        target = target if target.startswith("/") else f"/v1/{target}"
        path, _, query = target.partition("?")
        named = {key.lower(): value for key, value in headers_of(self.token, headers).items()}
        request = Request(method, path, unquote(path, "utf-8", "surrogateescape"), query, named)
        request.body = encoded(body)
        request.body_bytes = len(request.body)
        return PendingRequest(self, process, request)

    def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        """One request, while time passes. Raises ConnectionError when the node fails."""
        return self.begin(method, target, body, headers).wait()

    # ------------------------------------------------------------------ faults

    def fail(self, *, power: bool = False) -> None:
        """The process ends at once. ``power``: with what its disk had only promised, where it lies."""
        if self.alive:
            self.datacenter.kill(self._process, power=power)

    def recover(self) -> None:
        """It runs again, from its disk, and nothing is wrong with it."""
        disk, process = self.host.disk, self._process
        disk.faults.write_s, disk.faults.failure = CALM_WRITE_S, 0.0
        disk.go_on()
        process.loop.awake_from(self.cluster.time.now)
        self.cluster.reconnect(self)
        if not process.alive:
            self.datacenter.start(self.host)
            self.cluster.wait_until(lambda: self._process.door is not None)
        elif process.door is not None:
            process.door.faults = DoorFaults()

    def pause(self, seconds: float) -> None:
        """The process stands still for so long, as with SIGSTOP."""
        self._process.loop.stall_until(self.cluster.time.now + seconds)

    def slow_disk(self, seconds: float) -> None:
        """Writes take ``seconds`` on average."""
        self.host.disk.faults.write_s = seconds

    def hang_disk(self, seconds: float) -> None:
        """The disk answers nothing for so long, and no error either."""
        self.datacenter.hang(self.host, seconds)

    def fill_disk(self) -> None:
        """Writes fail: this server acknowledges nothing before it recovers."""
        self.host.disk.faults.failure = 1.0

    def isolate(self) -> None:
        """Nobody reaches it, and it reaches nobody."""
        self.cluster.partition([self], [node for node in self.cluster.all_nodes if node is not self])

    def deny(self, token: str = "") -> None:
        """HttpAnswer requests to this node with this token's secret with 403."""
        assert self._process.door is not None
        self._process.door.faults.denied.add(token)

    def step_down(self) -> ClusterNode:
        """The leader hands over; gives back who leads then. Raises RuntimeError for who does not lead."""
        if not self.is_leader:
            raise RuntimeError(f"{self.name} does not lead")
        self._hand_over(None)
        self.cluster.wait_until(lambda: self.datacenter.established(other_than=self.host.id))
        return self.cluster.leader_of(self.datacenter.datacenter)

    def let_lead(self) -> None:
        """Have this node win the next election."""
        for _ in range(20):
            leader = self.cluster.leader_of(self.datacenter.datacenter)
            if leader is self:
                return
            leader._hand_over(self.host.id)
            self.cluster.advance(1.0)
        raise TimeoutError(f"{self.name} is not elected")

    def _hand_over(self, to: str | None) -> None:
        server = self._process.server
        assert server is not None

        async def hand_over() -> None:
            try:
                await server.raft.transfer_leadership(to)
            except (RaftError, ConsulError) as error:
                self.datacenter.trace(self.name, f"does not hand over: {error}")

        self._process.loop.call_soon(lambda: self._process.loop.create_task(hand_over()))


CALM_WRITE_S = 0.002


class Datacenter(Cluster):
    """The simulation's cluster, in which nothing goes wrong but what is asked for."""

    def __init__(
        self, settings: Mapping[str, Any], servers: int, seed: int, datacenter: str, beside: Cluster | None
    ) -> None:  # fmt: skip
        super().__init__(seed, datacenter=datacenter, beside=beside)
        self.settings = settings
        self.faults = NetworkFaults(0, 0, 0.005, 0.002, 0, 0)
        self.raft = RaftConfig(heartbeat_timeout_s=1.0, election_timeout_s=1.0, leader_lease_timeout_s=0.5)
        self.expect, self.clients = servers, []
        self.watch = _Unwatched()  # type: ignore[assignment]
        place = len(self.together)
        self.hosts = {}
        for number in range(servers):
            host_id = f"{number:08d}-{place:04d}-0000-0000-000000000000"
            name = f"s{number + 1}" if place == 1 else f"s{number + 1}-{datacenter}"
            disk = ServerDisk(self.rng, DiskFaults(slow=0.0))
            self.hosts[host_id] = Machine(name, host_id, f"10.{place}.0.{number + 1}", True, disk, 1.0, datacenter)
        self.gossip = Gossip(self)

    def config_of(self, host: Machine) -> RuntimeConfig:
        """The settings of the agent there. Raises ConfigError."""
        ports = {"http": -1, "dns": -1, "grpc": -1, **(self.settings.get("ports") or {})}
        own = {"node_name": host.name, "node_id": host.id, "datacenter": self.datacenter, "advertise_addr": host.ip}
        base = {"dev": True, "log_level": "warn"}
        return load({**base, **self.settings, **own, "ports": ports})[0]

    def start(self, host: Machine) -> None:
        running = self.processes.get(host.id)
        if running is not None and running.alive:
            return
        host.starts += 1
        process = _NodeProcess(self, host, host.starts)
        self.gossip.left.discard(host.id)
        self.processes[host.id] = self.links.processes[host.id] = process
        self.time.loops.append(process.loop)
        process.start()

    def kill(self, process: Process, *, power: bool = True) -> None:
        """End a process at once; it comes back when it is asked to."""
        process.loop.kill()
        process.host.disk.crash(lose=power and process.host.disk.owes)
        self._dead.append(process.loop)

    def established(self, other_than: str = "") -> bool:
        """Whether somebody leads and is ready to."""
        leader = self.leader()
        return leader is not None and leader.process.id != other_than and leader.leadership.established.is_set()

    def formed(self) -> bool:
        """Whether everybody who runs votes, is in the catalog with its health, and knows who leads."""
        leader = self.leader()
        if leader is None or not self.established():
            return False
        names = {process.host.name for process in self.processes.values() if process.alive}
        voters = {self.hosts[voter].name for voter in leader.raft.members.voters if voter in self.hosts}
        passing = {row.Node for row in leader.state.tables.checks.all() if row.Status == "passing"}
        return names <= voters and names <= passing and all(one.raft.is_up_to_date for one in self.servers())


class DevCluster:
    """``servers`` in each of ``datacenters`` (dc1, dc2...), ready when the context begins. A context manager.

    ``settings``: configuration keys of all of them. ``seed``: of all that happens by chance.
    """

    seed: int
    token: str
    datacenters: dict[str, Datacenter]
    all_nodes: list[ClusterNode]

    def __init__(
        self, settings: Mapping[str, Any] | None = None, *, servers: int = 3, datacenters: int = 1, seed: int = 0,
        token: str = "",
    ) -> None:  # fmt: skip
        if not 1 <= servers <= 9 or not 1 <= datacenters <= 9:
            raise ValueError("a cluster has 1 to 9 servers in 1 to 9 datacenters")
        self.seed, self.token = seed, token
        first = Datacenter(settings or {}, servers, seed, "dc1", None)
        others = [Datacenter(settings or {}, servers, seed + n, f"dc{n + 1}", first) for n in range(1, datacenters)]
        self.datacenters = {one.datacenter: one for one in (first, *others)}
        self.time, self.links = first.time, first.links
        self.all_nodes = [
            ClusterNode(self, one, host, token) for one in self.datacenters.values() for host in one.hosts.values()
        ]

    def start(self) -> Self:
        """Let the servers find each other. Raises what their start raises; nothing is left behind then."""
        try:
            for one in self.datacenters.values():
                for host in one.hosts.values():
                    one.config_of(host)
                    one.start(host)
                one.gossip.look()
            if len(self.datacenters) > 1:
                self._look_far()
            self.wait_until(lambda: all(one.formed() for one in self.datacenters.values()), FORMED_WITHIN_S)
        except BaseException:
            self.stop()
            raise
        return self

    def _look_far(self) -> None:
        """Gossip tells of the other datacenters' servers."""
        for one in self.datacenters.values():
            for process in one.processes.values():
                if process.alive and process.server is not None and process.server.started:
                    process.loop.call_soon(process.server.wan_member_changed)
        self.time.at(LOOK_S, self._look_far)

    def stop(self) -> None:
        """Nothing runs any more."""
        for one in self.datacenters.values():
            one.end()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------ who is there

    @property
    def nodes(self) -> list[ClusterNode]:
        """The servers of the first datacenter."""
        return [node for node in self.all_nodes if node.datacenter.datacenter == "dc1"]

    def __getitem__(self, name: str) -> ClusterNode:
        """By its name: s1, s2... of the first datacenter, s1-dc2... of the others. Raises KeyError."""
        for node in self.all_nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def leader(self) -> ClusterNode:
        """Who leads the first datacenter, waited for. Raises TimeoutError."""
        return self.leader_of("dc1")

    def leader_of(self, datacenter: str) -> ClusterNode:
        """Who leads a datacenter, waited for. Raises TimeoutError, KeyError."""
        found = self.datacenters[datacenter]
        self.wait_until(found.established)
        leader = found.leader()
        assert leader is not None
        return next(node for node in self.all_nodes if node.host is leader.process.host)

    @property
    def followers(self) -> list[ClusterNode]:
        """Those of the first datacenter that run and do not lead."""
        leader = self.leader
        return [node for node in self.nodes if node.alive and node is not leader]

    # ------------------------------------------------------------------ time

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self.time.now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises ValueError."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"time cannot be advanced by {seconds} seconds")
        self.time.run_for(seconds)

    def wait_until(self, holds: Callable[[], object], within_s: float = FORMED_WITHIN_S) -> None:
        """Let time pass until ``holds()`` is true. Raises TimeoutError after ``within_s``, with the seed."""
        end = self.time.now + within_s
        while not holds():
            if self.time.now >= end:
                raise TimeoutError(f"not within {within_s:g} s of the cluster's time (seed {self.seed})")
            self.time.run_for(STEP_S)

    # ------------------------------------------------------------------ the network

    def partition(self, *groups: Iterable[ClusterNode]) -> None:
        """Cut all links between nodes of different ``groups``. What was cut stays so."""
        sides = [[node.host.id for node in group] for group in groups]
        for side in sides:
            for other in sides:
                if other is not side:
                    self.links.cut |= {(a, b) for a in side for b in other}

    def reconnect(self, node: ClusterNode) -> None:
        """Mend all links of ``node``."""
        self.links.cut = {link for link in self.links.cut if node.host.id not in link}

    def heal(self) -> None:
        """Mend all links."""
        self.links.cut.clear()

    def lossy(self, loss: float = 0.05, duplicate: float = 0.0, delay_s: float = 0.005) -> None:
        """Have messages between servers lost or doubled with these probabilities, and late by so much on average."""
        self.links.faults = replace(self.links.faults, loss=loss, duplicate=duplicate, delay_s=delay_s)
