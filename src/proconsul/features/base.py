"""What every feature's RPC types share: query options, query metadata, write requests (RPC reference, common parts)."""

from __future__ import annotations

from typing import Annotated, ClassVar, NewType

from proconsul.engine.wire.record import Record

NodeID = NewType("NodeID", str)
RaftIndex = NewType("RaftIndex", int)

Nanoseconds = Annotated[int, "time.Duration"]

SECOND_NS = 1_000_000_000
# Blocking queries wait this long when the caller names no limit, and never longer than the maximum
# (HTTP API: features/blocking). Both can be configured.
DEFAULT_QUERY_TIME_NS = 300 * SECOND_NS
MAX_QUERY_TIME_NS = 600 * SECOND_NS
# A random extra of up to wait/16 keeps herds of waiters from timing out together.
JITTER_FRACTION = 16


def query_time_ns(asked_ns: int, default_ns: int = DEFAULT_QUERY_TIME_NS, max_ns: int = MAX_QUERY_TIME_NS) -> int:
    """How long a blocking query waits: as long as asked, within the maximum; the default for zero and below."""
    return min(asked_ns if asked_ns > 0 else default_ns, max_ns)


class QueryOptions(Record, frozen=True):
    """Options of a read. Flattened into the request structs that embed them."""

    Token: str = ""
    MinQueryIndex: int = 0
    MaxQueryTime: Nanoseconds = 0
    AllowStale: bool = False
    RequireConsistent: bool = False
    UseCache: bool = False
    MaxStaleDuration: Nanoseconds = 0
    MaxAge: Nanoseconds = 0
    MustRevalidate: bool = False
    StaleIfError: Nanoseconds = 0
    Filter: str = ""


class QueryMeta(Record, frozen=True):
    """What a read says about itself."""

    Index: int = 0
    LastContact: Nanoseconds = 0
    KnownLeader: bool = False
    ConsistencyLevel: str = ""
    # Of 1.11 and later.
    ResultsFilteredByACLs: bool = False


class QuerySource(Record, frozen=True):
    """Where a ``near=`` read measures distances from."""

    Datacenter: str = ""
    Segment: str = ""
    Node: str = ""
    Ip: str = ""


class DCSpecificRequest(QueryOptions, frozen=True):
    """A read that names only a datacenter."""

    Datacenter: str = ""
    NodeMetaFilters: dict[str, str] | None = None
    Source: QuerySource = QuerySource()


class NodeSpecificRequest(QueryOptions, frozen=True):
    """A read about one node."""

    Datacenter: str = ""
    Node: str = ""


class WriteRequest(Record, frozen=True):
    """A write; ``Token`` authorises it."""

    json_hidden: ClassVar[frozenset[str]] = frozenset({"Token"})
    Token: str = ""
