"""memberlist's and serf's messages (gossip wire reference: packets, streams, serf).

Field names are the names on the wire. ``encode`` puts the type byte before the body, ``decode`` reads a body. Integers
have Go's widths: a value that does not fit is a decode error, as it is for the original.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from proconsul.engine.wire.record import Duration, Record, UInt64

UInt8 = Annotated[int, "uint8"]
UInt16 = Annotated[int, "uint16"]
UInt32 = Annotated[int, "uint32"]


class Kind(IntEnum):
    """The first byte of a memberlist message."""

    PING = 0
    INDIRECT_PING = 1
    ACK = 2
    SUSPECT = 3
    ALIVE = 4
    DEAD = 5
    PUSH_PULL = 6
    COMPOUND = 7
    USER = 8
    COMPRESS = 9
    ENCRYPT = 10
    NACK = 11
    CRC = 12
    ERROR = 13
    LABEL = 244


class NodeState(IntEnum):
    """A node's state as push/pull carries it."""

    ALIVE = 0
    SUSPECT = 1
    DEAD = 2
    LEFT = 3


class Ping(Record, frozen=True, gc=False):
    """Answer me. ``Node`` is who should answer; an acknowledgement goes to the source given, else to the sender."""

    SeqNo: UInt32 = 0
    Node: str = ""
    SourceAddr: bytes = b""
    SourcePort: UInt16 = 0
    SourceNode: str = ""


class IndirectPing(Record, frozen=True, gc=False):
    """Ping the target for me and pass its acknowledgement on; ``Nack``: tell me when it stays silent."""

    SeqNo: UInt32 = 0
    Target: bytes = b""
    Port: UInt16 = 0
    Node: str = ""
    Nack: bool = False
    SourceAddr: bytes = b""
    SourcePort: UInt16 = 0
    SourceNode: str = ""


class Ack(Record, frozen=True, gc=False):
    """I am here. ``Payload`` is the delegate's: serf sends its network coordinate."""

    SeqNo: UInt32 = 0
    Payload: bytes = b""


class Nack(Record, frozen=True, gc=False):
    """Your target did not answer me; but I did answer you, so you are not the one that is cut off."""

    SeqNo: UInt32 = 0


class Suspect(Record, frozen=True, gc=False):
    """``From`` believes ``Node`` to be dead."""

    Incarnation: UInt32 = 0
    Node: str = ""
    From: str = ""


class Alive(Record, frozen=True, gc=False):
    """``Node`` says that it is alive, where and what. ``Vsn``: protocol min, max, current, then the delegate's."""

    Incarnation: UInt32 = 0
    Node: str = ""
    Addr: bytes = b""
    Port: UInt16 = 0
    Meta: bytes = b""
    Vsn: bytes = b""


class Dead(Record, frozen=True, gc=False):
    """``Node`` is dead, or has left when it says so itself (``From`` is ``Node``)."""

    Incarnation: UInt32 = 0
    Node: str = ""
    From: str = ""


class PushPullHeader(Record, frozen=True, gc=False):
    """Begins a push/pull: that many node states follow, then that many bytes of the delegate's state."""

    Nodes: int = 0
    UserStateLen: int = 0
    Join: bool = False


class PushNode(Record, frozen=True, gc=False):
    """One node in a push/pull."""

    Name: str = ""
    Addr: bytes = b""
    Port: UInt16 = 0
    Meta: bytes = b""
    Incarnation: UInt32 = 0
    State: int = 0
    Vsn: bytes = b""


class UserHeader(Record, frozen=True, gc=False):
    """Begins a delegate's message on a stream."""

    UserMsgLen: int = 0


class Compress(Record, frozen=True, gc=False):
    """A compressed message; algorithm 0 is LZW."""

    Algo: UInt8 = 0
    Buf: bytes = b""


class Error(Record, frozen=True, gc=False):
    """Why a stream was refused."""

    Error: str = ""


class SerfKind(IntEnum):
    """The first byte of a serf message."""

    LEAVE = 0
    JOIN = 1
    PUSH_PULL = 2
    USER_EVENT = 3
    QUERY = 4
    QUERY_RESPONSE = 5
    CONFLICT_RESPONSE = 6
    KEY_REQUEST = 7
    KEY_RESPONSE = 8
    RELAY = 9


class LeaveIntent(Record, frozen=True, gc=False):
    """``Node`` is leaving; ``Prune``: forget it at once."""

    LTime: UInt64 = 0
    Node: str = ""
    Prune: bool = False


class JoinIntent(Record, frozen=True, gc=False):
    """``Node`` has joined."""

    LTime: UInt64 = 0
    Node: str = ""


class EventItem(Record, frozen=True, gc=False):
    """One user event in a slot of the event buffer."""

    Name: str = ""
    Payload: bytes = b""


class EventSlot(Record, frozen=True, gc=False):
    """All user events of one Lamport time."""

    LTime: UInt64 = 0
    Events: list[EventItem] | None = None


class SerfPushPull(Record, frozen=True, gc=False):
    """serf's part of a push/pull. ``Events`` is the whole ring, mostly nil."""

    LTime: UInt64 = 0
    StatusLTimes: dict[str, int] | None = None
    LeftMembers: list[str] | None = None
    EventLTime: UInt64 = 0
    Events: list[EventSlot | None] | None = None
    QueryLTime: UInt64 = 0


class UserEventMessage(Record, frozen=True, gc=False):
    """A user event. ``CC``: may be coalesced."""

    LTime: UInt64 = 0
    Name: str = ""
    Payload: bytes = b""
    CC: bool = False


class QueryMessage(Record, frozen=True, gc=False):
    """A query; answers go straight to ``Addr``:``Port``."""

    LTime: UInt64 = 0
    ID: UInt32 = 0
    Addr: bytes = b""
    Port: UInt16 = 0
    SourceNode: str = ""
    Filters: list[bytes] | None = None
    Flags: UInt32 = 0
    RelayFactor: UInt8 = 0
    Timeout: Duration = 0
    Name: str = ""
    Payload: bytes = b""


class QueryResponse(Record, frozen=True, gc=False):
    """An answer to a query, or with flag 1 the acknowledgement that it arrived."""

    LTime: UInt64 = 0
    ID: UInt32 = 0
    From: str = ""
    Flags: UInt32 = 0
    Payload: bytes = b""


class TagFilter(Record, frozen=True, gc=False):
    """Only members whose tag matches the expression."""

    Tag: str = ""
    Expr: str = ""


class MemberBody(Record, frozen=True, gc=False):
    """A member, as the answer to a name conflict carries it."""

    Name: str = ""
    Addr: bytes = b""
    Port: UInt16 = 0
    Tags: dict[str, str] | None = None
    Status: int = 0
    ProtocolMin: UInt8 = 0
    ProtocolMax: UInt8 = 0
    ProtocolCur: UInt8 = 0
    DelegateMin: UInt8 = 0
    DelegateMax: UInt8 = 0
    DelegateCur: UInt8 = 0


class KeyRequest(Record, frozen=True, gc=False):
    """A key to install, use or remove."""

    Key: bytes = b""


class KeyResponse(Record, frozen=True, gc=False):
    """What became of a key request; ``Keys`` are base64."""

    Result: bool = False
    Message: str = ""
    Keys: list[str] | None = None
    PrimaryKey: str = ""


class RelayAddress(Record, frozen=True, gc=False):
    """Where to relay to."""

    IP: bytes = b""
    Port: int = 0
    Zone: str = ""


class RelayHeader(Record, frozen=True, gc=False):
    """Begins a relayed message; the raw serf message follows."""

    DestAddr: RelayAddress = RelayAddress()
    DestName: str = ""
