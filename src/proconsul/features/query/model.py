"""Prepared queries: stored descriptions of service lookups (RPC reference, structures; HTTP API: query)."""

from __future__ import annotations

from enum import StrEnum

from proconsul.engine.wire.record import RaftIndexed, Record
from proconsul.features.base import WriteRequest

NAME_PREFIX_MATCH = "name_prefix_match"


class QueryOp(StrEnum):
    """What a request does with its query. The texts are on the wire: append only."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class QueryTemplateOptions(Record, frozen=True):
    """``Type`` is empty, or the query is a template for all names that begin with its name."""

    Type: str = ""
    Regexp: str = ""
    RemoveEmptyTags: bool = False


class QueryDatacenterOptions(Record, frozen=True):
    """Where to look when nothing is found here."""

    NearestN: int = 0
    Datacenters: list[str] | None = None


class ServiceQuery(Record, frozen=True):
    Service: str = ""
    Failover: QueryDatacenterOptions = QueryDatacenterOptions()
    OnlyPassing: bool = False
    IgnoreCheckIDs: list[str] | None = None
    Near: str = ""
    Tags: list[str] | None = None
    NodeMeta: dict[str, str] | None = None
    ServiceMeta: dict[str, str] | None = None
    Connect: bool = False


class QueryDNSOptions(Record, frozen=True):
    TTL: str = ""


class PreparedQuery(RaftIndexed, frozen=True, kw_only=True):
    """``Session``: the query goes when it ends. ``Token``: used instead of the caller's."""

    ID: str = ""
    Name: str = ""
    Session: str = ""
    Token: str = ""
    Template: QueryTemplateOptions = QueryTemplateOptions()
    Service: ServiceQuery = ServiceQuery()
    DNS: QueryDNSOptions = QueryDNSOptions()


class PreparedQueryRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    Query: PreparedQuery | None = None
