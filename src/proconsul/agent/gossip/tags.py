"""The gossip pool as the agent uses it. One without a network needs no packets: the agent is its only member."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from proconsul.agent.config.runtime import FixedConfig
from proconsul.engine.gossip.coordinate import Coordinate
from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.engine.wire.durations import SECOND_NS, format_duration
from proconsul.engine.wire.text import multi_error
from proconsul.features.errors import ConsulError
from proconsul.features.keyring.endpoint import KeySummary
from proconsul.features.keyring.model import KeyOperation

# serf refuses larger events: name and payload together, before encoding (gossip reference, user events).
EVENT_BYTES_MAX = 512


class Pool(Protocol):
    """One gossip pool."""

    async def start(self) -> None:
        """Become a member. Raises OSError or ConsulError."""

    async def stop(self) -> None: ...

    def members(self) -> list[Member]: ...

    def local_member(self) -> Member: ...

    def fire(self, name: str, payload: bytes) -> None:
        """Broadcast a user event. Raises ConsulError when it is too large."""

    async def join(self, addresses: Sequence[str]) -> int:
        """Join through any of ``addresses``; how many let us in. Raises ConsulError when none did."""

    async def force_leave(self, name: str, *, prune: bool) -> bool:
        """Turn a failed member into one that left; False when there is none of that name. Raises ConsulError."""

    async def leave(self) -> None:
        """Leave on purpose, and return when that was told."""

    def why(self, name: str) -> dict[str, Any] | None:
        """What led to a member's status, None when there is no such member."""

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        """Have every member install, use, remove or list keys."""

    def coordinate(self) -> Coordinate:
        """Where we are."""

    def cached_coordinate(self, name: str) -> Coordinate | None:
        """Where a member was when it last answered us."""

    def stats(self) -> dict[str, str]:
        """The pool's block of ``consul info``."""

    def dropped(self) -> dict[str, int]:
        """Why packets and messages were not used, and how often."""


class SoloPool:
    """A pool whose only member is this agent. ``on_event`` gets (Lamport time, name, payload)."""

    def __init__(
        self, name: str, address: str, port: int, tags: Mapping[str, str],
        on_event: Callable[[int, str, bytes], None],
    ) -> None:  # fmt: skip
        self._member = Member(name, address, port, tags)
        self._on_event = on_event
        # Lamport clocks as serf starts them: the first event has time 2 after the join of the pool itself.
        self._event_clock = 1
        self.left = False

    def members(self) -> list[Member]:
        return [self.local_member()]

    def local_member(self) -> Member:
        return self._member._replace(status=MemberStatus.LEFT) if self.left else self._member

    def fire(self, name: str, payload: bytes) -> None:
        size = len(name.encode("utf-8", "surrogateescape")) + len(payload)
        if size > EVENT_BYTES_MAX:
            raise ConsulError(
                multi_error((
                    'error broadcasting event to segment "": user event exceeds configured '
                    f"limit of {EVENT_BYTES_MAX} bytes before encoding",
                ))
            )  # fmt: skip
        self._event_clock += 1
        self._on_event(self._event_clock, name, payload)

    async def start(self) -> None:
        """Nothing to bind."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def join(self, addresses: Sequence[str]) -> int:
        raise ConsulError("this agent is a gossip pool of its own: it was started without a network")

    async def force_leave(self, name: str, *, prune: bool) -> bool:
        return name == self._member.name

    async def leave(self) -> None:
        self.left = True

    def why(self, name: str) -> dict[str, Any] | None:
        if name != self._member.name:
            return None
        status = self.local_member().status
        return {"Name": name, "Status": int(status), "StatusLTime": 1, "Evidence": [], "ReapAt": None, "Conflict": None}

    async def key_request(self, operation: KeyOperation, key: bytes, relay_factor: int) -> KeySummary:
        reason = "No keyring to modify (encryption not enabled)"
        if operation is KeyOperation.LIST:
            reason = "Keyring is empty (encryption not enabled)"
        return KeySummary(1, 1, 1, {self._member.name: reason})

    def coordinate(self) -> Coordinate:
        return Coordinate()

    def cached_coordinate(self, name: str) -> Coordinate | None:
        return self.coordinate() if name == self._member.name else None

    def stats(self) -> dict[str, str]:
        numbers = dict.fromkeys(
            ("coordinate_resets", "event_queue", "failed", "health_score", "intent_queue", "left", "query_queue"), "0"
        )
        times = {"event_time": str(self._event_clock), "member_time": "1", "query_time": "1"}
        return dict(sorted({**numbers, **times, "encrypted": "false", "members": "1"}.items()))

    def dropped(self) -> dict[str, int]:
        return {}


def server_tags(
    *, datacenter: str, node_id: str, build: str, port: int, wan_port: int, bootstrap: bool, expect: int,
    acls: bool = False, use_tls: bool = False,
) -> dict[str, str]:  # fmt: skip
    """serf tags of a server (gossip reference, tags).

    ``acls``: access control is on. Consul's leaders keep the tokens of before 1.4 until every server says that it knows
    the later ones, which we always do. ``use_tls``: an authority is configured, which tells other datacenters.
    """
    tags = {
        "acls": "1" if acls else "0", "build": build, "dc": datacenter, "ft_fs": "1", "id": node_id, "port": str(port),
        "raft_vsn": "3", "role": "consul", "segment": "", "vsn": "2", "vsn_max": "3", "vsn_min": "2",
    }  # fmt: skip
    if wan_port > 0:
        tags["wan_join_port"] = str(wan_port)
    if bootstrap:
        tags["bootstrap"] = "1"
    if expect:
        tags["expect"] = str(expect)
    if use_tls:
        tags["use_tls"] = "1"
    return tags


def client_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """serf tags of a client: those of a server without what only servers have."""
    shared = ("acls", "build", "dc", "id", "segment", "vsn", "vsn_max", "vsn_min")
    return {"role": "node", **{name: tags[name] for name in shared}}


def own_tags(config: FixedConfig, node_id: str, *, build: str, use_tls: bool) -> dict[str, str]:
    """serf tags of the agent with this configuration."""
    tags = server_tags(
        datacenter=config.datacenter, node_id=node_id, build=build, port=config.rpc_advertise.port,
        wan_port=config.serf_advertise_wan.port if config.serf_bind_wan else 0, bootstrap=config.bootstrap,
        expect=config.bootstrap_expect, acls=config.acl.enabled, use_tls=use_tls,
    )  # fmt: skip
    if not config.server:
        tags = client_tags(tags)
    if config.advertise_reconnect_timeout_s:
        tags["rc_tm"] = format_duration(int(config.advertise_reconnect_timeout_s * SECOND_NS))
    return tags
