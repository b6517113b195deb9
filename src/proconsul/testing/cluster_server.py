"""One server of a simulated cluster: the real `ConsulServer` in a process of its own, watched where it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from proconsul.engine.completion import Completion
from proconsul.engine.gossip.member import Member
from proconsul.engine.raft.config import RaftConfig
from proconsul.engine.raft.disk import Done, Failed, OpenDisk
from proconsul.engine.raft.log import LogStore
from proconsul.engine.raft.snapshots import SnapshotStore
from proconsul.engine.rpc.pool import ConnectionPool
from proconsul.engine.wire.hostport import Address
from proconsul.features.acl.endpoint import ACL
from proconsul.features.acl.settings import AclSettings
from proconsul.features.coordinate.endpoint import Coordinates
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.model import KeyringRequest, KeyringResponses
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import AutopilotConfig
from proconsul.features.session.model import Session
from proconsul.features.session.state import LockDelayArmed, SessionStarted
from proconsul.server import leaving
from proconsul.server.config import ServerConfig
from proconsul.server.fsm import Restored
from proconsul.server.leadership import Leadership
from proconsul.server.network import ServerNetwork
from proconsul.server.server import ConsulServer
from proconsul.testing.cluster_clients import AskedCluster
from proconsul.testing.cluster_disk import ServerDisk, SimDisk, SimLog, SimSnapshots
from proconsul.testing.cluster_gossip import Gossip, GossipWorld, wan_members
from proconsul.testing.cluster_network import Links, SimNetwork, SimPool, SimTransport
from proconsul.testing.virtual_loop import Killed, new_loop

# What the gossip of every simulated member says.
TAGS = {"segment": "", "build": "1.8.7:simulated", "vsn": "2", "vsn_min": "2", "vsn_max": "3"}

__all__ = ["TAGS", "Machine", "Process", "SimServer"]


@dataclass(slots=True)
class Machine:
    """A machine: what is there whether a server runs on it or not. ``founder``: it begins the cluster."""

    name: str
    id: str
    ip: str
    founder: bool
    disk: ServerDisk
    rate: float
    datacenter: str = "dc1"
    starts: int = 0

    @property
    def address(self) -> str:
        return f"{self.ip}:8300"

    @property
    def tags(self) -> Mapping[str, str]:
        """As a server's gossip says."""
        return {
            **TAGS, "role": "consul", "id": self.id, "dc": self.datacenter, "port": "8300", "raft_vsn": "3",
            "wan_join_port": "8302",
        }  # fmt: skip


class ServerCluster(AskedCluster, Protocol):
    """The cluster as its processes see it."""

    links: Links
    gossip: Gossip
    raft: RaftConfig
    autopilot: AutopilotConfig
    expect: int
    acl: AclSettings

    @property
    def together(self) -> Sequence[GossipWorld]: ...

    @property
    def clients(self) -> Sequence[Callable[[Process], Any]]: ...

    def strikes(self, weight: float) -> bool: ...

    def kill(self, process: Process, *, power: bool = True) -> None: ...


class Process:
    """From a start of a server to its end or its death. ``loop`` is all that runs."""

    def __init__(self, cluster: ServerCluster, host: Machine, number: int) -> None:
        self.cluster, self.host = cluster, host
        self.id, self.address, self.number = host.id, host.address, number
        self.name = f"{host.name}/{number}"
        self.rng = Random(cluster.rng.random())
        self.loop = new_loop(cluster.time, self.name, rate=host.rate)
        self.loop.thread_time = lambda: cluster.rng.expovariate(1 / host.disk.faults.write_s)
        self.network: SimNetwork | None = None
        self.server: SimServer | None = None
        self.members: dict[str, Member] = {}
        self.leaving = False

    @property
    def alive(self) -> bool:
        return self.loop.alive

    @property
    def transport(self) -> SimTransport | None:
        """Where Raft's requests go in, while it listens."""
        transport = self.network.transport if self.network is not None else None
        return transport if isinstance(transport, SimTransport) else None

    def may_die(self, weight: float = 1.0) -> None:
        """Here the process may be killed, before or after an effect. Raises Killed."""
        if self.alive and self.cluster.strikes(weight):
            self.cluster.kill(self)
            raise Killed

    def start(self) -> None:
        """Let the server begin."""
        self.loop.call_soon(self._start)

    def _start(self) -> None:
        self.server = SimServer(self)
        self.loop.create_task(self._run(self.server)).add_done_callback(self._over)

    async def _run(self, server: SimServer) -> None:
        await server.start()
        for kind in self.cluster.clients:
            self.loop.create_task(kind(self)).add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.call_exception_handler({"message": "a client failed", "exception": error})

    def set_member(self, member: Member) -> None:
        """Gossip has told this server of ``member``."""
        if self.members.get(member.name) != member:
            self.members[member.name] = member
            if self.server is not None and self.server.started:
                self.server.member_changed(member)

    async def leave(self, told: Callable[[], None]) -> None:
        """Go on purpose; ``told`` tells gossip."""
        assert self.server is not None
        self.leaving = True
        has_peers = await leaving.hand_over(self.server)
        told()
        if has_peers:
            await leaving.wait_until_removed(self.server)
        await self.server.stop()
        self.cluster.kill(self, power=False)


class GossipingCluster(Protocol):
    """The cluster of a process that gossips. ``together``: those of all datacenters."""

    gossip: Gossip

    @property
    def together(self) -> Sequence[GossipWorld]: ...


class GossipingProcess(Protocol):
    """A process as its end of gossip sees it."""

    id: str
    members: dict[str, Member]

    @property
    def cluster(self) -> GossipingCluster: ...


class SimGossip:
    """Implements `GossipPort`: the pool as this process has heard of it."""

    def __init__(self, process: GossipingProcess) -> None:
        self._process = process

    def members(self) -> list[Member]:
        return list(self._process.members.values())

    def announce_leader(self) -> None:
        """Nobody listens."""

    def fire_event(self, name: str, payload: bytes) -> None:
        raise ConsulError("simulated servers have no events")

    async def operate_keys(self, args: KeyringRequest) -> KeyringResponses:
        raise ConsulError("simulated servers have no keys")

    async def force_leave(self, name: str) -> object:
        await asyncio.sleep(0)
        return self._process.cluster.gossip.force_leave(name)

    def wan_members(self) -> list[Member]:
        """The servers of all datacenters; none when there is one datacenter."""
        return wan_members(self._process.id, self._process.cluster.together)

    def wan_coordinates(self) -> None:
        return None


class _WatchedLeadership(Leadership):
    """Leadership, and the watch told of what it does."""

    def __init__(self, server: SimServer, flush_coordinates: Callable[[], None], acl: ACL) -> None:
        super().__init__(server, flush_coordinates, acl)
        self._sim = server

    def renew(self, session: Session) -> None:
        super().renew(session)
        if self._sim.leading:
            self._sim.watch.granted(self._sim, session)

    def took_effect(self, effects: list[Any]) -> None:
        super().took_effect(effects)
        sim = self._sim
        if sim.leading:
            for effect in effects:
                if isinstance(effect, SessionStarted):
                    sim.watch.granted(sim, effect.session)
                elif isinstance(effect, LockDelayArmed):
                    sim.watch.lock_delayed(sim, effect.key, effect.delay_ns / 1e9)

    async def establish(self) -> None:
        self._sim.watch.establishing(self._sim)
        await super().establish()
        self._sim.watch.established(self._sim)

    def revoke(self) -> Awaitable[None]:  # type: ignore[override]
        return self._revoke()

    async def _revoke(self) -> None:
        await super().revoke()
        self._sim.watch.revoked(self._sim)


class SimServer(ConsulServer):
    """The server with the simulation's disk and network, and its watchers told of what it does."""

    def __init__(self, process: Process, config: ServerConfig | None = None, **options: Any) -> None:
        """``config``: in place of that of the simulation's clusters; ``options``: of `ConsulServer`."""
        cluster, host = process.cluster, process.host
        self.process = process
        self.watch = cluster.watch
        config = config or ServerConfig(
            node_name=host.id, node_id=host.id, datacenter=host.datacenter, address=host.address,
            bootstrap_expect=cluster.expect if host.founder else 0, listen=Address(host.ip, 8300),
            session_ttl_min_s=1.0, rpc_hold_timeout_s=3.0, pool_known_after_s=2.0, autopilot=cluster.autopilot,
            autopilot_interval_s=2.0, server_health_interval_s=0.5, raft=cluster.raft, acl=cluster.acl,
        )  # fmt: skip
        loop = process.loop
        super().__init__(
            config, SimGossip(process), clock=loop.time, wall_clock_ns=lambda: int(loop.time() * 1e9), rng=process.rng,
            **options,
        )  # fmt: skip
        self._apply_command = self.fsm.apply
        self._install_state = self.fsm.install
        self.fsm.apply = self._applied  # type: ignore[method-assign]
        self.fsm.install = self._installed  # type: ignore[method-assign]

    def _storage(self) -> tuple[LogStore, SnapshotStore, OpenDisk]:
        disk, process = self.process.host.disk, self.process

        def open_disk(log: LogStore, done: Done, failed: Failed, crashed: object, /) -> SimDisk:
            return SimDisk(disk, process, log, done, failed)

        return SimLog(disk, process), SimSnapshots(disk, process), open_disk

    def _make_pool(self) -> ConnectionPool:
        return SimPool(self.process.cluster.links, self.process)

    def _make_network(self, pool: ConnectionPool) -> ServerNetwork:
        return SimNetwork(self, pool, self.process.cluster.links, self.process)

    def _make_leadership(self) -> Leadership:
        return _WatchedLeadership(self, self.endpoint(Coordinates).flush, self.endpoint(ACL))

    # ------------------------------------------------------------------ watched

    def _applied(self, index: int, term: int, entry_type: int, data: bytes, value: object | None) -> object:
        self.process.may_die()
        result = self._apply_command(index, term, entry_type, data, value)
        if self.process.alive:
            self.watch.applied(self, index, term, data, result)
        return result

    def _installed(self, restored: Restored) -> None:
        self._install_state(restored)
        if self.process.alive:
            self.watch.installed(self, restored.last_index)

    def propose_for(self, waiter: Completion, kind: MessageType, request: Any) -> None:
        self.watch.proposed(self, kind, request)
        super().propose_for(waiter, kind, request)
