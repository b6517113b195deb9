"""Questions for prepared queries, ``x.query.consul``, as the executions that they ask for. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from proconsul.dns.message import Edns
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.features.base import SECOND_NS, QuerySource
from proconsul.features.query.model import PreparedQueryExecuteRequest, PreparedQueryExecuteResponse

# A record has 32 bits for it; what is longer loses its upper ones, as in the original.
TTL_FIELD = 1 << 32
_FAMILY_BYTES = {1: 4, 2: 16}
# What precedes the address in a client-subnet option: its code and length, then family, mask and scope.
_SUBNET_HEAD_BYTES = 8


def question(name: str, agent: QuerySource, client: str, edns: Edns | None) -> PreparedQueryExecuteRequest:
    """The execution that a question asks for. client: the address it came from, which a subnet in it replaces."""
    address = subnet_address(edns.subnet) if edns is not None and edns.subnet else client
    return PreparedQueryExecuteRequest(QueryIDOrName=name, Agent=agent, Source=QuerySource(Ip=address))


def subnet_address(option: bytes) -> str:
    """The address of a client-subnet option; "" where it names none."""
    size = _FAMILY_BYTES.get(int.from_bytes(option[4:6], "big"), 0)
    if not size:
        return ""
    return str(ip_address(option[_SUBNET_HEAD_BYTES:].ljust(size, b"\0")[:size]))


def ttl_s(reply: PreparedQueryExecuteResponse) -> int | None:
    """For how many seconds the query lets its answers be kept; None where it does not say."""
    if not reply.DNS.TTL:
        return None
    try:
        return parse_duration(reply.DNS.TTL) // SECOND_NS % TTL_FIELD
    except DurationError:
        return 0  # it was looked at when it was written, but by another server
