"""Questions for prepared queries, ``x.query.consul``: executions of them with the rights of DNS's token.

Those that our own catalog answers are executed while the question is answered, so that their answers are kept like
others until something changes. What finds nothing here and goes on in other datacenters is a call as any agent's.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple, Protocol

from proconsul.dns.message import Edns
from proconsul.dns.remote import RemoteReads
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.durations import parse_duration
from proconsul.features.base import SECOND_NS, QuerySource
from proconsul.features.query.endpoint import EXECUTE, Local
from proconsul.features.query.model import PreparedQueryExecuteRequest, PreparedQueryExecuteResponse

_FAMILY_BYTES = {1: 4, 2: 16}
# What precedes the address in a client-subnet option: its code and length, then family, mask and scope.
_SUBNET_HEAD_BYTES = 8


class Execution(NamedTuple):
    """``lasting``: whether the next one who asks may be given the same, until a watch hears of a change.

    reply: None when other datacenters have to be asked.
    """

    reply: PreparedQueryExecuteResponse | None
    lasting: bool


class PreparedQueries(Protocol):
    """The queries that our own catalog can answer."""

    def execute(self, watch: WatchSet, args: PreparedQueryExecuteRequest) -> Execution:
        """Raises ConsulError, NotFound when there is no such query."""


class LocalQueries:
    """Implements `PreparedQueries`. here: executes in our datacenter. lasts: whether a token's rights do."""

    def __init__(
        self, here: Callable[[PreparedQueryExecuteRequest, WatchSet], Local], token: Callable[[], str],
        lasts: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._here, self._token, self._lasts = here, token, lasts

    def execute(self, watch: WatchSet, args: PreparedQueryExecuteRequest) -> Execution:
        """See `PreparedQueries`."""
        found = self._here(args.with_token(self._token()), watch)
        if found.fails_over:
            return Execution(None, False)
        return Execution(found.reply, not found.origin.by_address and self._lasts(found.token))


def question(name: str, agent: QuerySource, client: str, edns: Edns | None) -> PreparedQueryExecuteRequest:
    """The execution that a question asks for. client: the address it came from, which a subnet in it replaces."""
    address = subnet_address(edns.subnet) if edns is not None and edns.subnet else client
    return PreparedQueryExecuteRequest(QueryIDOrName=name, Agent=agent, Source=QuerySource(Ip=address))


def fetched(reads: RemoteReads, args: PreparedQueryExecuteRequest) -> PreparedQueryExecuteResponse:
    """What another server says of ``args``. Raises Missing until it was asked, NotFound and ConsulError."""
    reply: PreparedQueryExecuteResponse = reads.value(("query", args.QueryIDOrName, args.Source.Ip), EXECUTE, args)
    return reply


def subnet_address(option: bytes) -> str:
    """The address of a client-subnet option; "" where it names none."""
    size = _FAMILY_BYTES.get(int.from_bytes(option[4:6], "big"), 0)
    if not size:
        return ""
    return str(ip_address(option[_SUBNET_HEAD_BYTES:].ljust(size, b"\0")[:size]))


def ttl_s(reply: PreparedQueryExecuteResponse) -> int | None:
    """For how many seconds the query lets its answers be kept; None where it does not say."""
    return parse_duration(reply.DNS.TTL) // SECOND_NS if reply.DNS.TTL else None
