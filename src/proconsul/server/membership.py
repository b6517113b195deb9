"""Who is in Raft: how servers begin a cluster together, and how the leader adds and removes them.

Both are decided from what the gossip pool says of servers, never from files (Consul docs: bootstrapping).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from proconsul.engine.gossip.member import MemberStatus
from proconsul.engine.raft.configuration import Configuration, Suffrage
from proconsul.engine.raft.configuration import Server as RaftServer
from proconsul.engine.raft.errors import BootstrapError, MembershipError
from proconsul.engine.raft.node import RaftNode
from proconsul.engine.rpc.errors import RpcFailure
from proconsul.features.errors import ConsulError
from proconsul.server.peers import Peers
from proconsul.server.server_details import ServerDetails

log = logging.getLogger("agent.server")

# How often a server is asked whether it has a cluster already, at intervals that double from the first.
ASK_TRIES = 6
ASK_INTERVAL_S = 1.0
RAFT_VERSION_WITH_NONVOTERS = 3
# For whoever has two clusters in one pool.
TO_DO = (
    "Part the two pools; or have it join this cluster: stop it, remove its data directory, start it without bootstrap"
)

AskPeers = Callable[[ServerDetails], Awaitable[list[str]]]


class Bootstrapping:
    """bootstrap_expect: begins a cluster once so many servers see each other, unless one of them has one already."""

    def __init__(self, raft: RaftNode, peers: Peers, expect: int, own_name: str, ask: AskPeers) -> None:
        self._raft, self._peers, self._own_name, self._ask = raft, peers, own_name, ask
        self.expect = expect
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """The pool has changed: see whether enough servers are there."""
        if self.expect and self._raft.has_state:
            self.expect = 0  # never again: who has state must wait to be found by the others
        if self.expect and self._task is None and len(self._candidates()) >= self.expect:
            self._task = asyncio.get_running_loop().create_task(self._begin())
            self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            log.error("failed to bootstrap: error=%s", task.exception())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _candidates(self) -> list[ServerDetails]:
        """The voters to be; none while the servers do not agree on what they expect."""
        found = []
        for server in self._peers.all():
            if server.status is not MemberStatus.ALIVE:
                continue
            if server.bootstrap:
                log.error("Expect disabled: a server is in bootstrap mode: server=%s", server.name)
                return []
            if server.expect not in (0, self.expect):
                log.error("Member has a conflicting expect value. All nodes should expect the same number: "
                          "member=%s", server.name)  # fmt: skip
                return []
            if not server.read_replica:
                found.append(server)
        return found

    async def _begin(self) -> None:
        candidates = self._candidates()
        for server in candidates:
            if server.name != self._own_name and await self._has_peers(server):
                log.info("Existing Raft peers reported by server, disabling bootstrap mode: server=%s", server.name)
                self.expect = 0
                return
        candidates = self._candidates()
        if len(candidates) < self.expect or self._raft.has_state:
            return
        voters = [RaftServer(Suffrage.VOTER, server.raft_id, str(server.address)) for server in candidates]
        log.info("Found expected number of peers, attempting bootstrap: peers=%s",
                 ",".join(server.address for server in voters))  # fmt: skip
        try:
            self._raft.bootstrap(Configuration.of(voters))
        except BootstrapError as error:
            log.error("failed to bootstrap cluster: error=%s", error)
        self.expect = 0

    async def _has_peers(self, server: ServerDetails) -> bool:
        """Whether ``server`` is in a cluster. Raises RpcFailure when it cannot be asked: then nobody may begin one."""
        for attempt in range(ASK_TRIES):
            try:
                return bool(await self._ask(server))
            except RpcFailure as error:
                log.error("Failed to confirm peer status for server (will retry): server=%s error=%s",
                          server.name, error)  # fmt: skip
                if attempt == ASK_TRIES - 1:
                    raise
                await asyncio.sleep(ASK_INTERVAL_S * 2**attempt)
        return True


class ForeignServer(ConsulError):
    """A server of another cluster has come into the pool."""


class RaftMembers:
    """The leader's part: servers that join the pool are added to Raft, those that leave are removed."""

    def __init__(self, raft: RaftNode, peers: Peers, own_id: str, ask: AskPeers) -> None:
        self._raft, self._peers, self._own_id, self._ask = raft, peers, own_id, ask

    async def add(self, server: ServerDetails) -> None:
        """Make ``server`` a member without a vote; it gets one when it has proved stable.

        Raises ForeignServer for one that has a cluster of its own, RaftError.
        """
        if self._is_second_bootstrap(server):
            raise ForeignServer(
                "Two nodes are in bootstrap mode. Only one node should be in bootstrap mode, not adding Raft peer. "
                f"{TO_DO}"
            )
        raft_id, address = server.raft_id, str(server.address)
        if raft_id == self._own_id:
            return
        known_servers = self._raft.members.servers
        if any(known.id == raft_id and known.address == address for known in known_servers):
            return
        if all(known.id != raft_id for known in known_servers):
            await self._require_ours(server)
        for known in self._raft.members.servers:
            if known.id == raft_id or known.address == address:
                log.info("removed server with duplicate identity: id=%s address=%s", known.id, known.address)
                await self._raft.remove_server(known.id)
        versions = [other.raft_version for other in self._peers.alive()]
        if min(versions, default=0) >= RAFT_VERSION_WITH_NONVOTERS:
            await self._raft.add_nonvoter(raft_id, address)
        else:
            await self._raft.add_voter(raft_id, address)

    async def _require_ours(self, server: ServerDetails) -> None:
        """Refuse a server whose Raft peers are all strangers: our log would be written over what it has acknowledged.

        One that was in this cluster before, and was removed while it was away, still names some of us.
        """
        try:
            theirs = await self._ask(server)
        except RpcFailure as failure:
            raise MembershipError(f"cannot ask {server.name} for its Raft peers: {failure}") from None
        ours = {known.address for known in self._raft.members.servers}
        ours |= {str(other.address) for other in self._peers.all() if other.raft_id == self._own_id}
        if theirs and ours.isdisjoint(theirs):
            raise ForeignServer(
                f"it has a cluster of its own, with the Raft peers {', '.join(theirs)}: not added. {TO_DO}"
            )

    def _is_second_bootstrap(self, server: ServerDetails) -> bool:
        others = [other for other in self._peers.alive() if other.bootstrap and other.name != server.name]
        return server.bootstrap and bool(others)

    async def remove(self, server: ServerDetails) -> None:
        """A server has left. Raises RaftError.

        Whoever came back under another name stays: its id is what Raft knows.
        """
        if any(other.raft_id == server.raft_id for other in self._peers.alive()):
            return
        if any(known.id == server.raft_id for known in self._raft.members.servers):
            log.info("removing server by ID: id=%s", server.raft_id)
            await self._raft.remove_server(server.raft_id)
