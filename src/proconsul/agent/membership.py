"""The gossip pool as the agent uses it. A pool of one needs no packets: the agent is its only member."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from proconsul.engine.gossip.member import Member, MemberStatus
from proconsul.features.errors import ConsulError

# serf refuses larger events: name and payload together, before encoding (gossip reference, user events).
EVENT_BYTES_MAX = 512


class Pool(Protocol):
    """One gossip pool."""

    def members(self) -> list[Member]: ...

    def local_member(self) -> Member: ...

    def fire(self, name: str, payload: bytes) -> None:
        """Broadcast a user event. Raises ConsulError when it is too large."""

    def join(self, address: str) -> int:
        """Join through ``address``. Raises ConsulError."""

    def force_leave(self, name: str, *, prune: bool) -> bool:
        """Turn a failed member into one that left; False when there is none of that name."""

    async def leave(self) -> None: ...


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
        size = len(name.encode()) + len(payload)
        if size > EVENT_BYTES_MAX:
            raise ConsulError(
                "1 error occurred:\n\t* error broadcasting event to segment \"\": user event exceeds configured "
                f"limit of {EVENT_BYTES_MAX} bytes before encoding\n\n"
            )
        self._event_clock += 1
        self._on_event(self._event_clock, name, payload)

    def join(self, address: str) -> int:
        import socket

        host, _, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "")
        try:
            with socket.create_connection((host or address, int(port or 8301)), timeout=2.0):
                reason = "this agent has no gossip pool to merge"
        except ConnectionRefusedError:
            reason = f"dial tcp {host or address}:{port or 8301}: connect: connection refused"
        except (OSError, ValueError) as error:
            reason = str(error)
        raise ConsulError(f"1 error occurred:\n\t* Failed to join {host or address}: {reason}\n\n")

    def force_leave(self, name: str, *, prune: bool) -> bool:
        return name == self._member.name

    async def leave(self) -> None:
        self.left = True


def server_tags(
    *, datacenter: str, node_id: str, build: str, port: int, wan_port: int, bootstrap: bool, expect: int,
    acls: str = "0",
) -> dict[str, str]:  # fmt: skip
    """serf tags of a server (gossip reference, tags)."""
    tags = {
        "acls": acls, "build": build, "dc": datacenter, "ft_fs": "1", "id": node_id, "port": str(port),
        "raft_vsn": "3", "role": "consul", "segment": "", "vsn": "2", "vsn_max": "3", "vsn_min": "2",
    }  # fmt: skip
    if wan_port > 0:
        tags["wan_join_port"] = str(wan_port)
    if bootstrap:
        tags["bootstrap"] = "1"
    if expect:
        tags["expect"] = str(expect)
    return tags


def client_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """serf tags of a client: those of a server without what only servers have."""
    shared = ("acls", "build", "dc", "id", "segment", "vsn", "vsn_max", "vsn_min")
    return {"role": "node", **{name: tags[name] for name in shared}}
