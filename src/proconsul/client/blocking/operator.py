# Made by scripts/make_blocking_client.py of ../aio/operator.py: change that one.
"""/v1/operator and /v1/snapshot (HTTP API: operator, snapshot)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Unpack

from proconsul.client.blocking.group import Group, Many
from proconsul.client.decoding import decode
from proconsul.client.options import ReadOptions, WriteOptions, given, read_query, write_query
from proconsul.client.transport import Upload
from proconsul.client.types import AutopilotHealth, AutopilotState, KeyringAnswer
from proconsul.client.wire import Call
from proconsul.features.operator.model import AutopilotConfig, RaftConfigurationResponse, UsageReply

__all__ = ["Keyring", "Operator", "Snapshots"]

_AUTOPILOT: Final = "/v1/operator/autopilot"
_RAFT: Final = "/v1/operator/raft"
_KEYRING: Final = "/v1/operator/keyring"
# A cluster that is not healthy says so with this status.
_UNHEALTHY: Final = frozenset({429})
# What is read of an archive before it is handed on; archives take their time.
_ARCHIVE_S: Final = 600.0


class Operator(Group):
    """Raft, autopilot and the keys of gossip."""

    __slots__ = ("keyring",)

    keyring: Keyring

    def __init__(self, caller: Any) -> None:
        super().__init__(caller)
        self.keyring = Keyring(caller)

    def raft_configuration(self, **options: Unpack[ReadOptions]) -> RaftConfigurationResponse:
        """The servers in Raft."""
        return self._call.read(f"{_RAFT}/configuration", RaftConfigurationResponse, options)

    def usage(self, *, all_datacenters: bool = False, **options: Unpack[ReadOptions]) -> UsageReply:
        """How much is in the catalog, here or in every datacenter (Consul 1.14 and newer, and ours)."""
        return self._call.read("/v1/operator/usage", UsageReply, options, given(**{"global": all_datacenters}))

    def raft_remove_peer(
        self, *, id: str | None = None, address: str | None = None, **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Remove a server that is gone for good, by its id or its address."""
        if (id is None) == (address is None):
            raise ValueError("one of id and address")
        self._call.write("DELETE", f"{_RAFT}/peer", options, given(id=id, address=address))

    def raft_transfer_leader(self, *, id: str | None = None, **options: Unpack[WriteOptions]) -> None:
        """Have another server lead (1.15): that of an id, or whoever has most of the log."""
        self._call.write("POST", f"{_RAFT}/transfer-leader", options, given(id=id))

    def autopilot_configuration(self, **options: Unpack[ReadOptions]) -> AutopilotConfig:
        """How the leader looks after servers."""
        return self._call.read(f"{_AUTOPILOT}/configuration", AutopilotConfig, options)

    def set_autopilot_configuration(
        self, config: AutopilotConfig | Mapping[str, Any], *, cas: int | None = None, **options: Unpack[WriteOptions]
    ) -> bool:  # fmt: skip
        """Change that; whether it was done. ``cas``: only if its ModifyIndex is that.

        Of a record the indexes are not sent; a mapping is sent as it is.
        """
        path = f"{_AUTOPILOT}/configuration"
        body = _without_indexes(config) if isinstance(config, AutopilotConfig) else config
        answer = self._call.write("PUT", path, options, given(cas=cas), body=body)
        return answer.body.strip() == b"true"

    def autopilot_health(self, **options: Unpack[ReadOptions]) -> AutopilotHealth:
        """How the servers are, as the leader sees them."""
        pairs, header = read_query(options, {})
        call = Call("GET", f"{_AUTOPILOT}/health", pairs, b"", header, options.get("token"), False,
                    options.get("timeout"))  # fmt: skip
        return decode((self._call.perform(call, accept=_UNHEALTHY)).body, AutopilotHealth)

    def autopilot_state(self, **options: Unpack[ReadOptions]) -> AutopilotState:
        """The same with who is a voter, and what is next (1.9)."""
        return self._call.read(f"{_AUTOPILOT}/state", AutopilotState, options)


def _without_indexes(config: AutopilotConfig) -> dict[str, Any]:
    """All settings: what is false is meant to be."""
    shown = {name: getattr(config, name) for name in config.__struct_fields__ if not name.endswith("Index")}
    for name in ("LastContactThreshold", "ServerStabilizationTime"):
        shown[name] = f"{shown[name]}ns"
    return shown


class Keyring(Group):
    """The keys that gossip is encrypted with, in all pools of the server that is asked."""

    __slots__ = ()

    def list(
        self, *, relay_factor: int | None = None, local_only: bool = False, **options: Unpack[ReadOptions]
    ) -> Many[KeyringAnswer]:  # fmt: skip
        """The keys of each pool, and how many members have them."""
        query = given(relay_factor=relay_factor, local_only="true" if local_only else None)
        return self._call.read(_KEYRING, list[KeyringAnswer], options, query)

    def install(self, key: str, *, relay_factor: int | None = None, **options: Unpack[WriteOptions]) -> None:
        """Have all members know a key."""
        self._change("POST", key, relay_factor, options)

    def use(self, key: str, *, relay_factor: int | None = None, **options: Unpack[WriteOptions]) -> None:
        """Have all members encrypt with it."""
        self._change("PUT", key, relay_factor, options)

    def remove(self, key: str, *, relay_factor: int | None = None, **options: Unpack[WriteOptions]) -> None:
        """Have all members forget it."""
        self._change("DELETE", key, relay_factor, options)

    def _change(self, method: str, key: str, relay_factor: int | None, options: WriteOptions) -> None:
        query = given(relay_factor=relay_factor)
        self._call.write(method, _KEYRING, options, query, body={"Key": key}, repeatable=True)


class Snapshots(Group):
    """All that the servers keep, as an archive."""

    __slots__ = ()

    def save(
        self, *, stale: bool = False, dc: str | None = None, token: str | None = None
    ) -> Iterator[bytes]:  # fmt: skip
        """The archive, piece by piece; it is whole when the iteration ends without an error.

        ``stale``: any server may answer, also where there is no leader.
        """
        call = Call("GET", "/v1/snapshot", given(stale=stale, dc=dc), token=token, timeout_s=_ARCHIVE_S)
        stream = self._call.stream(call)
        yield from stream.pieces()

    def restore(self, archive: bytes | Upload, **options: Unpack[WriteOptions]) -> None:
        """Put an archive in the place of all there is. ``archive``: its bytes, or a file that is open for reading.

        A file is sent while it is read, and only once.
        """
        timeout_s = options.get("timeout", _ARCHIVE_S)
        query = write_query(options, {})
        if isinstance(archive, bytes):
            call = Call("PUT", "/v1/snapshot", query, archive, token=options.get("token"), timeout_s=timeout_s)
            self._call.perform(call)
            return
        header = {"Transfer-Encoding": "chunked"}
        call = Call("PUT", "/v1/snapshot", query, b"", header, options.get("token"), timeout_s=timeout_s)
        self._call.perform(call, upload=archive)
