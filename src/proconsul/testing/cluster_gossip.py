"""What gossip tells the servers of a simulated cluster, reduced to its outcome: who is there, failed, or left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.testing.cluster_network import LinkedProcess, Links
from proconsul.testing.virtual_loop import VirtualTime

__all__ = ["Gossip"]

LOOK_S = 0.5
# Who is not reached for so long has failed.
SUSPICION_S = 1.5


class GossipHost(Protocol):
    """A machine as gossip knows it."""

    id: str
    name: str
    ip: str

    @property
    def tags(self) -> Mapping[str, str]: ...


class GossipWorld(Protocol):
    """The simulated cluster as gossip sees it."""

    time: VirtualTime
    links: Links

    @property
    def hosts(self) -> Mapping[str, GossipHost]: ...


class Gossip:
    """Every server sees the others by the links it has to them. ``left``: hosts that went, or were sent away."""

    def __init__(self, cluster: GossipWorld) -> None:
        self._cluster = cluster
        self.left: set[str] = set()
        self._heard: dict[tuple[LinkedProcess, str], float] = {}

    def look(self) -> None:
        """Once per LOOK_S."""
        for process in list(self._cluster.links.processes.values()):
            if process.alive:
                for host in self._cluster.hosts.values():
                    self._see(process, host)
        self._cluster.time.at(LOOK_S, self.look)

    def _see(self, process: LinkedProcess, host: GossipHost) -> None:
        now, links = self._cluster.time.now, self._cluster.links
        other = links.processes.get(host.id)
        there = other is not None and other.loop.stalled_until <= now and not other.leaving
        there &= links.reaches(process.id, host.id) and (host.id, process.id) not in links.cut
        if there and other is not None:
            self._exchange(process, other)
        if there or host.id == process.id:
            self._heard[process, host.id] = now
            self._tell(process, host, MemberStatus.ALIVE)
        elif host.name in process.members:
            if host.id in self.left:
                self._tell(process, host, MemberStatus.LEFT)
            elif now - self._heard.get((process, host.id), 0.0) > SUSPICION_S:
                self._tell(process, host, MemberStatus.FAILED)

    @staticmethod
    def _exchange(process: LinkedProcess, other: LinkedProcess) -> None:
        """Who is new to the pool hears of all whom the others know, also of those who are not there."""
        for name, member in other.members.items():
            if name not in process.members:
                process.loop.call_soon(process.set_member, member)

    def _tell(self, process: LinkedProcess, host: GossipHost, status: MemberStatus) -> None:
        known = process.members.get(host.name)
        if known is None or known.status is not status:
            member = Member(host.name, host.ip, 8301, host.tags, status)
            process.loop.call_soon(process.set_member, member)

    def force_leave(self, name: str) -> bool:
        """A failed member is to count as one that left."""
        for host in self._cluster.hosts.values():
            process = self._cluster.links.processes.get(host.id)
            if host.name == name and (process is None or not process.alive):
                self.left.add(host.id)
                return True
        return False
