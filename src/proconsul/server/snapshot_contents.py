"""What a snapshot holds, read for people: counts and sizes per kind of record and per prefix of keys, or every record.

The stream (`SnapshotRecords` reads the same one into a state) is a header, then a byte for the kind and a record, again
and again. Kinds have the names that Consul prints (``consul snapshot inspect``, 1.9 and newer). Pure: bytes come in
pieces, nothing is read or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgpack as msgpack_c

from proconsul.engine.wire import msgpack
from proconsul.features.acl.model import ACLAuthMethod, ACLBindingRule, ACLPolicy, ACLRole, ACLToken, LegacyACL
from proconsul.features.catalog.model import RegisterRequest
from proconsul.features.config_entry.model import read_request
from proconsul.features.connect.model import CAConfiguration, CAConsulProviderState, CARoot
from proconsul.features.coordinate.model import Coordinate
from proconsul.features.federation.model import FederationStateRequest
from proconsul.features.intention.model import Intention
from proconsul.features.kv.model import DirEntry
from proconsul.features.messages import MessageType
from proconsul.features.operator.model import AutopilotConfig
from proconsul.features.query.model import PreparedQuery
from proconsul.features.session.model import Session

__all__ = ["Contents", "StateRecord", "StateStream", "kind_name", "readable"]

_NAMES = {
    MessageType.REGISTER: "Register", MessageType.DEREGISTER: "Deregister", MessageType.KVS: "KVS",
    MessageType.SESSION: "Session", MessageType.LEGACY_ACL: "ACL (Deprecated)", MessageType.TOMBSTONE: "Tombstone",
    MessageType.COORDINATE_BATCH: "CoordinateBatchUpdate", MessageType.PREPARED_QUERY: "PreparedQuery",
    MessageType.TXN: "Txn", MessageType.AUTOPILOT: "Autopilot", MessageType.ACL_BOOTSTRAP: "ACLBootstrap",
    MessageType.INTENTION: "Intention", MessageType.CONNECT_CA: "ConnectCA",
    MessageType.CA_PROVIDER_STATE: "ConnectCAProviderState", MessageType.CA_CONFIG: "ConnectCAConfig",
    MessageType.INDEX: "Index", MessageType.ACL_TOKEN_SET: "ACLToken", MessageType.ACL_POLICY_SET: "ACLPolicy",
    MessageType.CA_LEAF: "ConnectCALeafRequest", MessageType.CONFIG_ENTRY: "ConfigEntry",
    MessageType.ACL_ROLE_SET: "ACLRole", MessageType.ACL_BINDING_RULE_SET: "ACLBindingRule",
    MessageType.ACL_AUTH_METHOD_SET: "ACLAuthMethod", MessageType.CHUNKING_STATE: "ChunkingState",
    MessageType.FEDERATION_STATE: "FederationState",
}  # fmt: skip
# Kinds of newer releases, and of editions, that this one has no records for; they are counted all the same.
_OTHER_NAMES = {10: "Area", 31: "SystemMetadata"}

_RECORDS: Mapping[int, Callable[[Any], Any]] = {
    MessageType.REGISTER: msgpack.decoder_for(RegisterRequest),
    MessageType.KVS: msgpack.decoder_for(DirEntry),
    MessageType.TOMBSTONE: msgpack.decoder_for(DirEntry),
    MessageType.SESSION: msgpack.decoder_for(Session),
    MessageType.LEGACY_ACL: msgpack.decoder_for(LegacyACL),
    MessageType.COORDINATE_BATCH: msgpack.decoder_for(list[Coordinate]),
    MessageType.PREPARED_QUERY: msgpack.decoder_for(PreparedQuery),
    MessageType.AUTOPILOT: msgpack.decoder_for(AutopilotConfig),
    MessageType.INTENTION: msgpack.decoder_for(Intention),
    MessageType.CONNECT_CA: msgpack.decoder_for(CARoot),
    MessageType.CA_PROVIDER_STATE: msgpack.decoder_for(CAConsulProviderState),
    MessageType.CA_CONFIG: msgpack.decoder_for(CAConfiguration),
    MessageType.CONFIG_ENTRY: lambda value: read_request(value).Entry,
    MessageType.FEDERATION_STATE: lambda value: msgpack.decoder_for(FederationStateRequest)(value).State,
    MessageType.ACL_TOKEN_SET: msgpack.decoder_for(ACLToken),
    MessageType.ACL_POLICY_SET: msgpack.decoder_for(ACLPolicy),
    MessageType.ACL_ROLE_SET: msgpack.decoder_for(ACLRole),
    MessageType.ACL_BINDING_RULE_SET: msgpack.decoder_for(ACLBindingRule),
    MessageType.ACL_AUTH_METHOD_SET: msgpack.decoder_for(ACLAuthMethod),
}


def kind_name(kind: int) -> str:
    """The name of a record's first byte, ``Unknown(n)`` for one that nobody has."""
    return _NAMES.get(kind) or _OTHER_NAMES.get(kind) or f"Unknown({kind})"  # type: ignore[call-overload]


def readable(kind: int, value: Any) -> Any:
    """The record of ``value`` where we have one, else ``value``: to be printed as JSON. Raises DecodeError."""
    read = _RECORDS.get(kind)
    return value if read is None else read(value)


class StateRecord(NamedTuple):
    """One record: its kind, its plain value, and how many bytes of the stream it takes with its kind."""

    kind: int
    value: Any
    size: int


class StateStream:
    """The records of a state that comes in pieces. Raises DecodeError for what is none."""

    def __init__(self) -> None:
        self._unpacker = msgpack_c.Unpacker(
            raw=False, unicode_errors="surrogateescape", strict_map_key=False,
            max_buffer_size=msgpack.BUFFER_BYTES_MAX,
        )  # fmt: skip
        self._has_header = False
        self._kind: int | None = None
        self._start = 0

    def feed(self, data: bytes) -> Iterator[StateRecord]:
        """The records that end in ``data``."""
        try:
            self._unpacker.feed(data)
            for value in self._unpacker:
                if not self._has_header:
                    self._header(value)
                elif self._kind is None:
                    self._kind = self._kind_of(value)
                else:
                    end = self._unpacker.tell()
                    found = StateRecord(self._kind, value, end - self._start)
                    self._kind, self._start = None, end
                    yield found
        except (ValueError, TypeError, msgpack_c.UnpackException) as error:
            raise msgpack.DecodeError(f"snapshot is damaged: {error!r}") from error

    def end(self) -> None:
        """There is no more. Raises DecodeError when the last record is cut."""
        if not self._has_header or self._kind is not None:
            raise msgpack.DecodeError("snapshot is damaged: unexpected end")

    def _header(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ValueError("no header")
        self._has_header, self._start = True, self._unpacker.tell()

    @staticmethod
    def _kind_of(value: Any) -> int:
        if not isinstance(value, int):
            raise ValueError(f"a kind is expected, not {value!r:.40}")
        return value


@dataclass
class Share:
    """Records of one name."""

    name: str
    size: int = 0
    count: int = 0


@dataclass
class Contents:
    """The table of contents. ``depth``: how many parts of keys name a line; ``prefix``: keys that count there."""

    depth: int = 2
    prefix: str = ""
    kinds: dict[str, Share] = field(default_factory=dict)
    keys: dict[str, Share] = field(default_factory=dict)

    def add(self, found: StateRecord) -> None:
        """Count one record."""
        name = kind_name(found.kind)
        _count(self.kinds, name, found.size)
        if found.kind == MessageType.KVS and isinstance(found.value, Mapping):
            key = str(found.value.get("Key", ""))
            if key.startswith(self.prefix):
                _count(self.keys, "/".join(key.split("/")[: self.depth]), found.size)


def by_size(parts: Mapping[str, Share]) -> list[Share]:
    """The largest first; of one size, by name."""
    return sorted(parts.values(), key=lambda part: (-part.size, part.name))


def _count(parts: dict[str, Share], name: str, size: int) -> None:
    part = parts.setdefault(name, Share(name))
    part.count += 1
    part.size += size
