"""Cluster membership: servers, suffrage and the arithmetic of single-server changes.

A configuration is an immutable value. Changes give a new value or raise MembershipError; one change touches one
server's vote, so any majority of the old and of the new configuration share a member (Raft dissertation, 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import msgpack
import msgspec

from proconsul.engine.raft.errors import MembershipError, WireError
from proconsul.engine.raft.quorum import majority

__all__ = ["EMPTY", "Change", "Configuration", "IndexedConfiguration", "Server", "Suffrage"]

# A cluster of this many servers is far beyond any use of Raft; the bound keeps a damaged entry from eating memory.
SERVERS_MAX = 1024


class Suffrage(IntEnum):
    """Wire numbers of hashicorp/raft; append-only."""

    VOTER = 0
    NONVOTER = 1
    STAGING = 2


_NAMES = {Suffrage.VOTER: "Voter", Suffrage.NONVOTER: "Nonvoter", Suffrage.STAGING: "Staging"}


class Change(IntEnum):
    """Membership commands; local to the leader, never on the wire."""

    ADD_VOTER = 0
    ADD_NONVOTER = 1
    DEMOTE = 2
    REMOVE = 3


class Server(msgspec.Struct, frozen=True, order=True):
    """One member: its vote, its node id and the ``ip:port`` where it was last known to listen."""

    suffrage: Suffrage
    id: str
    address: str

    def __str__(self) -> str:
        return f"{{Suffrage:{_NAMES[self.suffrage]} ID:{self.id} Address:{self.address}}}"


class Configuration(msgspec.Struct, frozen=True):
    """The member list. Prints as ``consul info`` prints it."""

    servers: tuple[Server, ...] = ()

    def __str__(self) -> str:
        return "[" + " ".join(str(server) for server in self.servers) + "]"

    def get(self, server_id: str) -> Server | None:
        """The member with this id, or None."""
        for server in self.servers:
            if server.id == server_id:
                return server
        return None

    def by_address(self, address: str) -> Server | None:
        """The member with this address, or None."""
        for server in self.servers:
            if server.address == address:
                return server
        return None

    def has_vote(self, server_id: str) -> bool:
        """True if the id is a member with a vote."""
        server = self.get(server_id)
        return server is not None and server.suffrage is Suffrage.VOTER

    @property
    def voters(self) -> tuple[str, ...]:
        """Ids of the voting members, in configuration order."""
        return tuple(s.id for s in self.servers if s.suffrage is Suffrage.VOTER)

    @property
    def quorum(self) -> int:
        """How many voters make a majority."""
        return majority(len(self.voters))

    def checked(self) -> Configuration:
        """This configuration if it obeys the rules of hashicorp/raft, else MembershipError."""
        ids: set[str] = set()
        addresses: set[str] = set()
        for server in self.servers:
            if not server.id:
                raise MembershipError(f"empty ID in configuration: {self}")
            if not server.address:
                raise MembershipError(f"empty address in configuration: {server}")
            if server.id in ids:
                raise MembershipError(f"found duplicate ID in configuration: {server.id}")
            if server.address in addresses:
                raise MembershipError(f"found duplicate address in configuration: {server.address}")
            ids.add(server.id)
            addresses.add(server.address)
        if not self.voters:
            raise MembershipError(f"Need at least one voter in configuration: {{{self}}}")
        return self

    def changed(self, change: Change, server_id: str, address: str = "") -> Configuration:
        """The configuration after one change.

        Adding a voter that exists updates its address and gives it a vote; adding a non-voter that already votes
        only updates its address; demoting or removing an unknown server changes nothing (hashicorp/raft).
        """
        known = self.get(server_id)
        if change is Change.REMOVE:
            return Configuration(tuple(s for s in self.servers if s.id != server_id)).checked()
        if change is Change.DEMOTE:
            if known is None:
                return self.checked()
            return self._replaced(Server(Suffrage.NONVOTER, known.id, known.address)).checked()
        suffrage = Suffrage.VOTER if change is Change.ADD_VOTER else Suffrage.NONVOTER
        if known is None:
            return Configuration((*self.servers, Server(suffrage, server_id, address))).checked()
        if known.suffrage is Suffrage.VOTER:
            suffrage = Suffrage.VOTER
        return self._replaced(Server(suffrage, server_id, address)).checked()

    def _replaced(self, server: Server) -> Configuration:
        return Configuration(tuple(server if s.id == server.id else s for s in self.servers))

    def to_wire(self) -> dict[str, object]:
        """The plain object of the msgpack and JSON forms."""
        return {"Servers": [{"Address": s.address, "ID": s.id, "Suffrage": int(s.suffrage)} for s in self.servers]}

    def encode(self) -> bytes:
        """Data of a configuration log entry."""
        packed: bytes = msgpack.packb(self.to_wire(), use_bin_type=False, unicode_errors="surrogateescape")
        return packed

    def encode_peers(self) -> bytes:
        """The legacy ``Peers`` form: an array of voter addresses."""
        addresses = [s.address for s in self.servers if s.suffrage is Suffrage.VOTER]
        packed: bytes = msgpack.packb(addresses, use_bin_type=False, unicode_errors="surrogateescape")
        return packed

    @classmethod
    def from_wire(cls, value: object) -> Configuration:
        """Read the plain object; missing or nil fields keep their zero value, as Go's decoder does."""
        if value is None:
            return cls()
        if not isinstance(value, dict):
            raise WireError("failed to decode configuration: not a map")
        servers = value.get("Servers") or []
        if not isinstance(servers, list) or len(servers) > SERVERS_MAX:
            raise WireError("failed to decode configuration: bad Servers")
        return cls(tuple(_server(item) for item in servers))

    @classmethod
    def decode(cls, data: bytes) -> Configuration:
        """Read the data of a configuration entry; WireError if it is not one."""
        try:
            value = msgpack.unpackb(
                data,
                raw=False,
                unicode_errors="surrogateescape",
                strict_map_key=False,
                max_array_len=SERVERS_MAX,
            )
        except (ValueError, msgpack.UnpackException) as error:
            raise WireError(f"failed to decode configuration: {error}") from error
        return cls.from_wire(value)

    @classmethod
    def of(cls, servers: Iterable[Server]) -> Configuration:
        """A checked configuration of these servers."""
        return cls(tuple(servers)).checked()


class IndexedConfiguration(NamedTuple):
    """A configuration and the index of its entry in the log."""

    log_index: int
    members: Configuration


def _server(item: object) -> Server:
    if not isinstance(item, dict):
        raise WireError("failed to decode configuration: bad server")
    suffrage = item.get("Suffrage") or 0
    server_id = item.get("ID") or ""
    address = item.get("Address") or ""
    if not isinstance(suffrage, int) or not isinstance(server_id, str) or not isinstance(address, str):
        raise WireError("failed to decode configuration: bad server field")
    try:
        return Server(Suffrage(suffrage), server_id, address)
    except ValueError as error:
        raise WireError(f"failed to decode configuration: {error}") from error


EMPTY = Configuration()
