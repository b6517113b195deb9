"""Internal.KeyringOperation as it is asked and answered (RPC reference, structures)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from proconsul.engine.wire.record import Record
from proconsul.features.base import QueryMeta, QueryOptions
from proconsul.features.server import CallMethod


class KeyOperation(StrEnum):
    """What to do with a key on every member of a pool."""

    LIST = "list"
    INSTALL = "install"
    USE = "use"
    REMOVE = "remove"


class KeyringRequest(QueryOptions, frozen=True, kw_only=True):
    """``Forwarded`` requests were already sent to all datacenters; ``LocalOnly`` ones ask the LAN pool alone."""

    Operation: str = KeyOperation.LIST
    Key: str = ""
    Datacenter: str = ""
    Forwarded: bool = False
    RelayFactor: Annotated[int, "uint8"] = 0
    LocalOnly: bool = False


class KeyringResponse(Record, frozen=True):
    """What one pool answered: how many members have each key, and in ``Messages`` what members complained of."""

    json_omitempty: ClassVar[frozenset[str]] = frozenset({"Messages", "Error"})
    WAN: bool = False
    Datacenter: str = ""
    Segment: str = ""
    Messages: dict[str, str] | None = None
    Keys: dict[str, int] | None = None
    PrimaryKeys: dict[str, int] | None = None
    NumNodes: int = 0
    Error: str = ""


class KeyringResponses(QueryMeta, frozen=True, kw_only=True):
    Responses: list[KeyringResponse] | None = None


# Every server asks the members of its own pools.
OPERATE = CallMethod("Internal.KeyringOperation", KeyringRequest, KeyringResponses, anywhere=True)
