"""Who is a server, and how to reach it: what the tags of a gossip member say (gossip wire reference, tags).

Pure. One parser for everybody who asks: forwarding, Raft, autopilot, the acceptance rules of the pools. Which malformed
tags disqualify a member was found by offering such members to the WAN pool of Consul 1.8.7, which takes servers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.hostport import Address, split_host_port

ROLE_SERVER = "consul"
_FEATURE = "ft_"
_SEGMENT = "sl_"
_RAFT_VERSION_WITH_IDS = 3
_INT64_MAX = (1 << 63) - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_BUILD = re.compile(r"([0-9]{1,20})\.([0-9]{1,20})\.([0-9]{1,20})")


class AclMode(StrEnum):
    """The ``acls`` tag: what access control system a member runs. Anything else, or no tag, is unknown."""

    DISABLED = "0"
    ENABLED = "1"
    LEGACY = "2"
    UNKNOWN = "3"


class Build(NamedTuple):
    """A release as its three numbers; pre-release and edition do not matter to who may talk to whom."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Build:
        """The first ``d.d.d`` in a ``build`` tag (``1.8.7:1a2b3c4d``). Raises ValueError when there is none."""
        found = _BUILD.search(text)
        numbers = [int(number) for number in found.groups()] if found is not None else []
        if not numbers or max(numbers) > _INT64_MAX:
            raise ValueError(f"no version in build {text!r}")
        return cls(*numbers)


@dataclass(frozen=True, slots=True)
class ServerDetails:
    """A server of any datacenter. ``name`` is the pool's: with the datacenter appended in the WAN pool.

    address: where its RPC listens, which is also its Raft address.
    expect: its bootstrap_expect, 0 when it has none.
    build, version, raft_version: its release, the RPC protocol and the Raft protocol it speaks.
    wan_join_port: where its WAN gossip listens, 0 outside of LAN pools.
    read_replica: it follows without a vote.
    segments: extra RPC addresses by network segment, features: numbered abilities by name.
    """

    name: str
    id: str
    datacenter: str
    segment: str
    address: Address
    status: MemberStatus
    build: Build
    version: int
    raft_version: int = 0
    wan_join_port: int = 0
    bootstrap: bool = False
    expect: int = 0
    read_replica: bool = False
    acls: AclMode = AclMode.UNKNOWN
    use_tls: bool = False
    segments: Mapping[str, Address] = field(default_factory=dict)
    features: Mapping[str, int] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The node's name: `name` without the suffix of the WAN pool."""
        return self.name.removesuffix(f".{self.datacenter}")

    @property
    def raft_id(self) -> str:
        """What Raft configurations call it: its node id, or its address before Raft protocol 3."""
        return self.id if self.raft_version >= _RAFT_VERSION_WITH_IDS else str(self.address)

    def __str__(self) -> str:
        return f"{self.name} (Addr: tcp/{self.address}) (DC: {self.datacenter})"

    @classmethod
    def parse(cls, member: Member) -> ServerDetails | None:
        """The server that ``member`` is, None for a client or when a tag is malformed."""
        tags = member.tags
        if tags.get("role") != ROLE_SERVER:
            return None
        try:
            return cls(
                name=member.name, id=tags.get("id", ""), datacenter=tags.get("dc", ""),
                segment=tags.get("segment", ""), address=Address(member.address, _integer(tags["port"])),
                status=member.status, build=Build.parse(tags["build"]), version=_integer(tags["vsn"]),
                raft_version=_integer(tags.get("raft_vsn", "0")),
                wan_join_port=_integer(tags.get("wan_join_port", "0")),
                bootstrap="bootstrap" in tags, expect=_integer(tags.get("expect", "0")),
                read_replica="nonvoter" in tags or "read_replica" in tags,
                acls=_acl_mode(tags.get("acls", "")), use_tls="use_tls" in tags,
                segments={name.removeprefix(_SEGMENT): _listener(text) for name, text in tags.items()
                          if name.startswith(_SEGMENT)},
                features={name.removeprefix(_FEATURE): _integer(text) for name, text in tags.items()
                          if name.startswith(_FEATURE)},
            )  # fmt: skip
        except (KeyError, ValueError):
            return None


def _integer(text: str) -> int:
    """A decimal int64, as tags spell numbers. Raises ValueError."""
    value = int(text) if _INTEGER.fullmatch(text) else _INT64_MAX + 1
    if not -_INT64_MAX - 1 <= value <= _INT64_MAX:
        raise ValueError(f"not a number: {text!r}")
    return value


def _listener(text: str) -> Address:
    """``host:port``, IPv6 in brackets. Raises ValueError."""
    host, port = split_host_port(text)
    return Address(host, _integer(port))


def _acl_mode(text: str) -> AclMode:
    try:
        return AclMode(text)
    except ValueError:
        return AclMode.UNKNOWN


def servers(members: Iterable[Member]) -> Iterator[ServerDetails]:
    """The servers among ``members``."""
    for member in members:
        details = ServerDetails.parse(member)
        if details is not None:
            yield details
