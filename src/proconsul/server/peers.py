"""The other servers of the datacenter, as the gossip pool knows them: whom to ask, and where Raft finds its peers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.hostport import Address, AddressError, split_address
from proconsul.server.server_details import ServerDetails, servers


class Peers:
    """The servers among the pool's members, read anew when the pool has `changed`."""

    def __init__(self, members: Callable[[], Sequence[Member]], rng: random.Random) -> None:
        self._members = members
        self._rng = rng
        self._preferred: Address | None = None
        self._known: list[ServerDetails] | None = None
        self._alive: list[Address] = []
        self._by_id: dict[str, Address] = {}

    def changed(self) -> None:
        """A member of the pool came, went or changed."""
        self._known = None

    def all(self) -> list[ServerDetails]:
        """All servers, also those that failed or left."""
        if self._known is None:
            self._known = known = list(servers(self._members()))
            self._alive = [server.address for server in known if server.status is MemberStatus.ALIVE]
            # Of two with the same id the first counts.
            self._by_id = {
                server.raft_id: server.address
                for server in reversed(known) if server.status is not MemberStatus.LEFT
            }  # fmt: skip
        return self._known

    def alive(self) -> list[ServerDetails]:
        return [server for server in self.all() if server.status is MemberStatus.ALIVE]

    def any(self) -> Address | None:
        """A server to ask: the same again as long as it answers, so that connections are kept."""
        self.all()
        if self._preferred not in self._alive:
            self._preferred = self._rng.choice(self._alive) if self._alive else None
        return self._preferred

    def failed(self, address: Address) -> None:
        """A server did not answer: ask the next one from now on, if there is another.

        In their order, so that who asks as often as there are servers has asked every one.
        """
        self.all()
        alive = self._alive
        at = alive.index(address) if address in alive else -1
        self._preferred = alive[(at + 1) % len(alive)] if alive else None

    def address_by_id(self, server_id: str) -> Address | None:
        """Where the server with a Raft id listens now, which may not be where it listened when it was added."""
        self.all()
        return self._by_id.get(server_id)


def parse_address(text: str) -> Address | None:
    """``host:port`` as Raft has it, IPv6 in brackets; None for what is no address."""
    try:
        address = split_address(text)
    except AddressError:
        return None
    return address if address.host else None
