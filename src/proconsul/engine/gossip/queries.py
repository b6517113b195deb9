"""Queries: a question to the pool, with acknowledgements and answers that come straight back. Pure.

Handles of both sides are plain objects: `Query` collects what comes for ours, `ReceivedQuery` answers another's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.members import MemberTable
from proconsul.engine.gossip.messages import QueryMessage, QueryResponse, RelayAddress, RelayHeader, SerfKind
from proconsul.engine.gossip.query_filters import QueryFilterError, encode_filters, matches
from proconsul.engine.gossip.recent import Recent, Verdict
from proconsul.engine.gossip.serf_context import Context
from proconsul.engine.gossip.serf_effects import QueryAcked, QueryAnswered, QueryFinished, QueryReceived
from proconsul.engine.wire.hostport import Address

INTERNAL_PREFIX = "_serf_"
FLAG_ACK, FLAG_NO_BROADCAST = 1, 2
# serf: the default time-out is this many gossip intervals, times the rounds that news needs to reach all.
TIMEOUT_MULT = 16
# Queries of ours that run at the same time; each is an operator's or an agent's question, seconds long.
RUNNING_MAX = 1024
# Members that acknowledge or answer one query: several times the largest pools in the field.
RESPONDERS_MAX = 65_536
# The first protocol version with relays.
RELAY_PROTOCOL = 5
_NANOSECONDS = 1_000_000_000


class QueryError(ValueError):
    """A query or an answer cannot be sent; the text is serf's."""


class QueryListener(Protocol):
    """Who hears of a query of ours instead of the driver."""

    def answered(self, query: Query, node: str, payload: bytes) -> None: ...

    def finished(self, query: Query) -> None: ...


class Query:
    """A query of ours: who has acknowledged, who has answered what. ``deadline`` ends it."""

    def __init__(self, ltime: int, query_id: int, name: str, deadline: float) -> None:
        self.ltime = ltime
        self.id = query_id
        self.name = name
        self.deadline = deadline
        self.acks: set[str] = set()
        self.responses: dict[str, bytes] = {}
        self.finished = False
        self.listener: QueryListener | None = None


class ReceivedQuery:
    """Another's query (or our own, which we receive like everybody). ``deadline``: an answer after it is refused."""

    def __init__(self, queries: Queries, message: QueryMessage, to: Address, deadline: float) -> None:
        self._queries = queries
        self.message = message
        self.to = to
        self.deadline = deadline
        self.responded = False

    @property
    def name(self) -> str:
        return self.message.Name

    @property
    def payload(self) -> bytes:
        return self.message.Payload

    @property
    def source_node(self) -> str:
        return self.message.SourceNode

    def response_bytes(self, payload: bytes) -> int:
        """How long the response message would be."""
        return len(self._queries.encode_response(self, payload, 0))

    def respond(self, payload: bytes, now: float) -> None:
        """Send the answer; there can be one. Raises QueryError."""
        if self.responded:
            raise QueryError("response already sent")
        if now > self.deadline:
            raise QueryError("response is past the deadline")
        self._queries.respond(self, payload)
        self.responded = True


class Queries:
    """Queries sent and received. ``internal`` handles those whose names begin with ``_serf_``."""

    def __init__(self, context: Context, members: MemberTable, internal: Callable[[ReceivedQuery], None]) -> None:
        self._context = context
        self._members = members
        self._internal = internal
        self._recent: Recent[int] = Recent(context.config.query_buffer)
        self._running: dict[int, Query] = {}
        # Queries before this time were seen before a restart.
        self.min_time = 0

    def default_timeout_s(self) -> float:
        """Long enough for a query to reach everybody and be answered."""
        # ceil(log10(n + 1)) is the number of digits of n.
        rounds = len(str(max(self._context.membership.alive_count(), 1)))
        return self._context.config.gossip_interval_s * TIMEOUT_MULT * rounds

    # ------------------------------------------------------------------ asking

    def ask(
        self, name: str, payload: bytes, *, nodes: Sequence[str] = (), tags: Mapping[str, str] | None = None,
        ack: bool = False, relay_factor: int = 0, timeout_s: float | None = None,
        listener: QueryListener | None = None,
    ) -> Query:  # fmt: skip
        """Send a query to all members that match, ourselves included. Raises QueryError."""
        context = self._context
        if not 0 <= relay_factor <= 255:
            raise QueryError("relay factor must be between 0 and 255")
        if len(self._running) >= RUNNING_MAX:
            raise QueryError(f"{RUNNING_MAX} queries are running already")
        timeout_s = self.default_timeout_s() if timeout_s is None else timeout_s
        own = context.membership.address
        message = QueryMessage(
            LTime=context.query_clock.time, ID=context.rng.getrandbits(32), Addr=codec.encode_address(own.host),
            Port=own.port, SourceNode=context.config.name, Filters=encode_filters(nodes, tags or {}) or None,
            Flags=FLAG_ACK if ack else 0, RelayFactor=relay_factor, Timeout=round(timeout_s * _NANOSECONDS), Name=name,
            Payload=payload,
        )  # fmt: skip
        body = codec.encode(SerfKind.QUERY, message)
        limit = context.config.query_bytes_max
        if len(body) > limit:
            raise QueryError(f"query exceeds limit of {limit} bytes")
        context.query_clock.stamp()
        query = Query(message.LTime, message.ID, name, context.now + timeout_s)
        query.listener = listener
        self._running[query.ltime] = query
        context.timers.at(query.deadline, self._expire, query)
        context.queries.put(body)
        self.receive(message)
        return query

    def finish(self, query: Query) -> None:
        """Nothing more is wanted for ``query``."""
        if query.finished:
            return
        query.finished = True
        self._running.pop(query.ltime, None)
        if query.listener is not None:
            query.listener.finished(query)
        else:
            self._context.effects.append(QueryFinished(query))

    def _expire(self, query: Query, now: float) -> None:
        self.finish(query)

    def response(self, response: QueryResponse) -> None:
        """An acknowledgement or an answer came for a query of ours."""
        query = self._running.get(response.LTime)
        if query is None or query.id != response.ID:
            self._context.drop(
                "responses_late",
                f"serf: reply for non-running query (LTime: {response.LTime}, ID: {response.ID} From: {response.From})",
            )
            return
        seen = query.acks if response.Flags & FLAG_ACK else query.responses
        # A relayed response comes again by every relay.
        if response.From in seen or len(seen) >= RESPONDERS_MAX:
            self._context.counters["responses_again"] += 1
            return
        if response.Flags & FLAG_ACK:
            query.acks.add(response.From)
            if query.listener is None:
                self._context.effects.append(QueryAcked(query, response.From))
            return
        query.responses[response.From] = response.Payload
        if query.listener is not None:
            query.listener.answered(query, response.From, response.Payload)
        else:
            self._context.effects.append(QueryAnswered(query, response.From, response.Payload))

    # ------------------------------------------------------------------ being asked

    def receive(self, message: QueryMessage) -> bool:
        """A query arrived. True when it is new and to be passed on."""
        context = self._context
        context.query_clock.witness(message.LTime)
        if message.LTime < self.min_time:
            return False
        clock = context.query_clock.time
        verdict = self._recent.admit(message.LTime, message.ID, clock)
        if verdict is Verdict.OLD:
            text = f"serf: received old query {message.Name} from time {message.LTime} (current: {clock})"
            context.drop("queries_old", text)
            return False
        if verdict is Verdict.EXCESS:
            context.drop("queries_excess", f"serf: dropped query {message.Name} of time {message.LTime}")
            return False
        if verdict is Verdict.AGAIN:
            return False
        self._take(message)
        return not message.Flags & FLAG_NO_BROADCAST

    def _take(self, message: QueryMessage) -> None:
        """A new query: is it for us, and what does it want?"""
        context = self._context
        own = self._members.get(context.config.name)
        try:
            to = Address(codec.decode_address(message.Addr), message.Port)
            if not matches(message.Filters or (), context.config.name, own.member.tags if own is not None else {}):
                return
        except (codec.BadMessage, QueryFilterError) as error:
            context.drop("malformed", f"serf: {error}")
            return
        query = ReceivedQuery(self, message, to, context.now + max(message.Timeout, 0) / _NANOSECONDS)
        if message.Flags & FLAG_ACK:
            self._send(query, self.encode_response(query, b"", FLAG_ACK))
        if message.Name.startswith(INTERNAL_PREFIX):
            self._internal(query)
        else:
            context.effects.append(QueryReceived(query))

    def encode_response(self, query: ReceivedQuery, payload: bytes, flags: int) -> bytes:
        message = query.message
        response = QueryResponse(message.LTime, message.ID, self._context.config.name, flags, payload)
        return codec.encode(SerfKind.QUERY_RESPONSE, response)

    def respond(self, query: ReceivedQuery, payload: bytes) -> None:
        """Send an answer whatever the time. Raises QueryError when it is too long."""
        body = self.encode_response(query, payload, 0)
        limit = self._context.config.query_response_bytes_max
        if len(body) > limit:
            raise QueryError(f"response exceeds limit of {limit} bytes")
        self._send(query, body)

    def _send(self, query: ReceivedQuery, body: bytes) -> None:
        """To who asks, and with a relay factor by way of others too."""
        membership = self._context.membership
        if query.source_node == self._context.config.name and query.to == membership.address:
            # Ours: what we advertise may not be reachable from here.
            self.response(codec.decode(QueryResponse, body[1:]))
            return
        membership.send(query.to, body, query.source_node)
        self._relay(query, body)

    def _relay(self, query: ReceivedQuery, body: bytes) -> None:
        factor = query.message.RelayFactor
        membership = self._context.membership
        # With fewer members the relays would be the two ends themselves.
        if factor == 0 or membership.alive_count() < factor + 1:
            return
        to = RelayAddress(query.message.Addr, query.message.Port)
        wrapped = codec.encode(SerfKind.RELAY, RelayHeader(to, query.source_node)) + body
        limit = self._context.config.query_response_bytes_max
        if len(wrapped) > limit:
            self._context.log("warning", f"serf: relayed response exceeds limit of {limit} bytes")
            return
        unable = {node.name for node in membership.nodes() if len(node.vsn) < 2 or node.vsn[1] < RELAY_PROTOCOL}
        for node in membership.gossip_nodes(factor, unable | {query.source_node}):
            membership.send(node.address, wrapped, node.name)

    def pass_on(self, body: bytes) -> None:
        """A message to relay for another; ``body`` has no type byte. Raises BadMessage."""
        header, end = codec.decode_first(RelayHeader, body)
        if end == len(body):
            raise codec.BadMessage("relay without a message")
        to = Address(codec.decode_address(header.DestAddr.IP), header.DestAddr.Port)
        if not 0 < to.port < 65536:
            raise codec.BadMessage(f"relay to port {to.port}")
        self._context.membership.send(to, bytes(body[end:]), header.DestName)
