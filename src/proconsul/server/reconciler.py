"""Brings catalog and Raft in line with the gossip pool; what to write is decided in `reconcile`. The leader's work.

One member that cannot be brought in line costs the others nothing: it is named in the log, once until something about
it changes, and tried again with the next round.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from proconsul.engine.complaints import Complaints
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.raft.errors import (
    LeadershipLostError,
    LeadershipTransferInProgressError,
    NotLeaderError,
    RaftError,
    ShutdownError,
)
from proconsul.features.errors import ConsulError
from proconsul.features.messages import MessageType
from proconsul.server import reconcile
from proconsul.server.consensus import Consensus
from proconsul.server.server_details import ServerDetails

log = logging.getLogger("agent.server")

# What is brought in line: a member's part in Raft, the entry of its name.
SERVER, ENTRY = "server", "entry"
# With these nobody can be brought in line, and the leader loop is about to end.
OVER = (NotLeaderError, LeadershipLostError, LeadershipTransferInProgressError, ShutdownError)


class Reconciler:
    """The catalog's and Raft's side of membership, for the leader loop. ``server_joined`` hears of new servers."""

    def __init__(self, server: Consensus, server_joined: Callable[[], None]) -> None:
        self._server, self._server_joined = server, server_joined
        self._made_at = server.clock()
        self._complaints = Complaints()

    async def everybody(self) -> bool:
        """Bring all members in line, and entries whose members are gone.

        False when consensus did not take something, which is worth another try soon; a refusal by the catalog is not.
        Raises RaftError when nothing can be written any more.
        """
        server = self._server
        groups = reconcile.by_entry(server.gossip.members())
        good = True
        for group in groups.values():
            good &= await self._each(group, group)
        gone: list[Member] = []
        if self._knows_pool():
            gone = reconcile.unknown_to_pool(groups, server.state.tables, server.node_name, server.datacenter)
        for member in gone:
            good &= await self._each([member], [member])
        names = [member.name for group in (*groups.values(), gone) for member in group]
        self._complaints.keep({f"{what} {name}" for what in (SERVER, ENTRY) for name in names})
        return good

    def _knows_pool(self) -> bool:
        """Whether it says something that the pool does not know a node. Who has just started may lead before the others
        have told of everybody: it would take out services that are well, as the original does."""
        return self._server.clock() - self._made_at >= self._server.config.pool_known_after_s

    async def one(self, member: Member) -> bool:
        """As `everybody`, for a member that has changed and the entry of its name."""
        key = member.name.lower()
        members = self._server.gossip.members()
        others = [other for other in members if other.name.lower() == key and other.name != member.name]
        return await self._each([member], [member, *others])

    async def _each(self, changed: Collection[Member], group: Collection[Member]) -> bool:
        """``changed`` members as servers, and the entry of all in ``group``."""
        began = self._server.clock()
        speaker = reconcile.speaker(group, self._server.state.tables)
        good = True
        for member in changed:
            good &= await self._try(member, SERVER, self._as_server)
        good &= await self._try(speaker, ENTRY, self._entry)
        for member in group:
            if member.name != speaker.name and member.status is MemberStatus.ALIVE:
                self._complain(member, ENTRY, ConsulError(
                    f"node name is held by {speaker.name} with ID {speaker.tags.get('id', '')} ({speaker.address}), "
                    "which is alive: give one of them another name"
                ))  # fmt: skip
        self._server.meters.sample("leader.reconcileMember", (self._server.clock() - began) * 1000)
        return good

    async def _try(self, member: Member, what: str, work: Callable[[Member], Awaitable[None]]) -> bool:
        """False when consensus refused. Raises RaftError when nothing else can succeed now."""
        try:
            await work(member)
        except OVER:
            raise
        except Exception as error:
            self._complain(member, what, error)
            return not isinstance(error, RaftError)
        self._complaints.over(f"{what} {member.name}")
        return True

    def _complain(self, member: Member, what: str, error: Exception) -> None:
        if self._complaints.is_new(f"{what} {member.name}", str(error)):
            expected = isinstance(error, ConsulError | RaftError)
            log.error("failed to reconcile member: member=%s error=%s", member.name, error,
                      exc_info=None if expected else error)  # fmt: skip

    # ------------------------------------------------------------------ one member

    async def _as_server(self, member: Member) -> None:
        """Raft's side: servers that came are added, those that left are removed. Raises RaftError."""
        server = self._server
        details = ServerDetails.parse(member)
        if details is None or server.pool is None:
            return
        if member.status is MemberStatus.ALIVE:
            await server.raft_members.add(details)
            self._server_joined()
        elif member.status in (MemberStatus.LEFT, MemberStatus.NONE) and member.name != server.node_name:
            await server.raft_members.remove(details)

    async def _entry(self, member: Member) -> None:
        """The catalog's side, for the member that speaks for its entry. Raises RaftError or ConsulError."""
        server = self._server
        tables, datacenter = server.state.tables, server.datacenter
        if member.status is MemberStatus.ALIVE:
            for request in reconcile.for_alive(member, tables, datacenter):
                await self._write(MessageType.REGISTER, request)
        elif member.status is MemberStatus.FAILED:
            await self._write(MessageType.REGISTER, reconcile.for_failed(member, tables, datacenter))
        elif member.status in (MemberStatus.LEFT, MemberStatus.NONE):
            removal = reconcile.for_left(member, tables, datacenter, server.node_name)
            await self._write(MessageType.DEREGISTER, removal)

    async def _write(self, kind: MessageType, request: Any) -> None:
        if request is not None:
            await self._server.propose(kind, request)
