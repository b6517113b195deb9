"""Prepared queries: stored descriptions of service lookups (RPC reference, structures; HTTP API: query)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from proconsul.engine.wire.record import RaftIndexed, Record, replace
from proconsul.features.base import QueryMeta, QueryOptions, QuerySource, WriteRequest
from proconsul.features.catalog.model import CheckServiceNode

NAME_PREFIX_MATCH = "name_prefix_match"
# What is shown instead of a token; a query that comes back with it is refused.
HIDDEN_TOKEN = "<hidden>"
# Names that stand for a node: that of the agent that was asked, and that with the address of whoever asks.
NEAR_AGENT = "_agent"
NEAR_IP = "_ip"


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
    IgnoreCheckIDs: list[Annotated[str, "types.CheckID"]] | None = None
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

    @property
    def has_name(self) -> bool:
        """Whether rules of access control speak of it: by its name, which a template for all names has not."""
        return bool(self.Name or self.Template.Type)

    @property
    def redacted(self) -> PreparedQuery:
        """As it is shown to those who may not see its token."""
        return self if not self.Token else replace(self, Token=HIDDEN_TOKEN)

    def __json__(self) -> dict[str, Any]:
        return {
            "ID": self.ID, "Name": self.Name, "Session": self.Session, "Token": self.Token, "Template": self.Template,
            "Service": self.Service, "DNS": self.DNS, "CreateIndex": self.CreateIndex,
            "ModifyIndex": self.ModifyIndex,
        }  # fmt: skip


class PreparedQueryRequest(WriteRequest, frozen=True, kw_only=True):
    Datacenter: str = ""
    Op: str = ""
    Query: PreparedQuery | None = None


class PreparedQuerySpecificRequest(QueryOptions, frozen=True, kw_only=True):
    """A read about one query."""

    Datacenter: str = ""
    QueryID: str = ""


class IndexedPreparedQueries(QueryMeta, frozen=True, kw_only=True):
    Queries: list[PreparedQuery] | None = None


class PreparedQueryExecuteRequest(QueryOptions, frozen=True, kw_only=True):
    """``Limit``: at most so many instances, none for zero and below. ``Connect``: proxies and native instances of the
    service. ``Source``: where whoever asks is. ``Agent``: the agent that was asked."""

    Datacenter: str = ""
    QueryIDOrName: str = ""
    Limit: int = 0
    Connect: bool = False
    Source: QuerySource = QuerySource()
    Agent: QuerySource = QuerySource()

    def with_token(self, token: str) -> PreparedQueryExecuteRequest:
        """The same, asked with another token."""
        result: PreparedQueryExecuteRequest = replace(self, Token=token)
        return result


class PreparedQueryExecuteRemoteRequest(QueryOptions, frozen=True, kw_only=True):
    """Another datacenter's query, as it was found and rendered there."""

    Datacenter: str = ""
    Query: PreparedQuery = PreparedQuery()
    Limit: int = 0
    Connect: bool = False


class PreparedQueryExplainResponse(QueryMeta, frozen=True, kw_only=True):
    Query: PreparedQuery = PreparedQuery()

    def __json__(self) -> dict[str, Any]:
        return {"Query": self.Query, **_meta(self)}


class PreparedQueryExecuteResponse(QueryMeta, frozen=True, kw_only=True):
    """``Datacenter``: where the instances are. ``Failovers``: how many other datacenters were asked."""

    Service: str = ""
    Nodes: list[CheckServiceNode] | None = None
    DNS: QueryDNSOptions = QueryDNSOptions()
    Datacenter: str = ""
    Failovers: int = 0

    def __json__(self) -> dict[str, Any]:
        return {
            "Service": self.Service, "Nodes": self.Nodes or [], "DNS": self.DNS, "Datacenter": self.Datacenter,
            "Failovers": self.Failovers, **_meta(self),
        }  # fmt: skip


def _meta(reply: QueryMeta) -> dict[str, Any]:
    """What 1.8 shows of an answer's metadata in its body."""
    return {
        "Index": reply.Index, "LastContact": reply.LastContact, "KnownLeader": reply.KnownLeader,
        "ConsistencyLevel": reply.ConsistencyLevel,
    }  # fmt: skip
