"""serf's internal queries: are you there, who has this name, and the operations on the keyring. Pure.

The texts are what operators see in ``consul keyring`` (gossip wire reference, internal queries).
"""

from __future__ import annotations

from collections import Counter
from enum import Enum

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.keyring import Keyring, KeyringError, format_key, format_keyring
from proconsul.engine.gossip.members import MemberTable
from proconsul.engine.gossip.messages import KeyRequest, KeyResponse, MemberBody, SerfKind
from proconsul.engine.gossip.queries import INTERNAL_PREFIX, Queries, Query, QueryError, ReceivedQuery
from proconsul.engine.gossip.serf_context import Context
from proconsul.engine.gossip.serf_effects import KeyringChanged, KeysFinished

# The least that one key takes in an answer: 16 bytes in base64 and a length.
KEY_BYTES_MIN = 25


class KeyOp(Enum):
    """Operations on the keyrings of all members; the values are the ends of the queries' names."""

    INSTALL = "install-key"
    USE = "use-key"
    REMOVE = "remove-key"
    LIST = "list-keys"


_FAILED = {KeyOp.INSTALL: "install", KeyOp.USE: "change primary", KeyOp.REMOVE: "remove"}


class KeyOperation:
    """One operation of ours and what the members say: as ``consul keyring`` and /v1/operator/keyring show it."""

    def __init__(self, context: Context, queries: Queries, op: KeyOp) -> None:
        self._context = context
        self._queries = queries
        self.op = op
        # Members known to be alive; one answer is expected from each.
        self.num_nodes = context.membership.alive_count()
        self.num_resp = 0
        self.num_err = 0
        self.messages: dict[str, str] = {}
        # How many members have the key (base64), and for how many it is the primary.
        self.keys: Counter[str] = Counter()
        self.primary_keys: Counter[str] = Counter()
        self.done = False

    @property
    def error(self) -> str:
        """Why the operation is not done everywhere; empty when it is."""
        if self.num_err:
            return f"{self.num_err}/{self.num_nodes} nodes reported failure"
        if self.num_resp != self.num_nodes:
            return f"{self.num_resp}/{self.num_nodes} nodes reported success"
        return ""

    def answered(self, query: Query, node: str, payload: bytes) -> None:
        """A member's answer came."""
        self.num_resp += 1
        try:
            if not payload or payload[0] != SerfKind.KEY_RESPONSE:
                raise codec.BadMessage(f"Invalid key query response type: {payload[:1].hex()}")
            response = codec.decode(KeyResponse, payload[1:])
        except codec.BadMessage as error:
            response = KeyResponse(False, str(error))
        if not response.Result:
            self.num_err += 1
        if response.Message or not response.Result:
            self.messages[node] = response.Message
        self.keys.update(response.Keys or ())
        if response.PrimaryKey:
            self.primary_keys[response.PrimaryKey] += 1
        if self.num_resp == self.num_nodes:
            self._queries.finish(query)

    def finished(self, query: Query) -> None:
        """All have answered, or the time is over."""
        self.done = True
        self._context.effects.append(KeysFinished(self))


class InternalQueries:
    """Answers the pool's internal queries. Without ``keyring`` the pool is not encrypted."""

    def __init__(self, context: Context, members: MemberTable, keyring: Keyring | None) -> None:
        self._context = context
        self._members = members
        self._keyring = keyring

    def answer(self, query: ReceivedQuery) -> None:
        """Handle one internal query; those not known are left alone, as later releases may have more."""
        name = query.name.removeprefix(INTERNAL_PREFIX)
        if name == "ping":
            return  # the acknowledgement is the answer
        if name == "conflict":
            self._conflict(query)
            return
        try:
            op = KeyOp(name)
        except ValueError:
            self._context.drop("queries_unknown", f"serf: Unhandled internal query '{name}'")
            return
        self._context.log("info", f"serf: Received {op.value} query")
        if op is KeyOp.LIST:
            self._respond(query, self._list(query))
        else:
            self._change(op, query)

    def _respond(self, query: ReceivedQuery, response: KeyResponse) -> None:
        try:
            query.respond(codec.encode(SerfKind.KEY_RESPONSE, response), self._context.now)
        except QueryError as error:
            self._context.log("error", f"serf: Failed to respond to key query: {error}")

    def _conflict(self, query: ReceivedQuery) -> None:
        """Who, in our view, has the name in the payload? About ourselves others are asked."""
        name = query.payload.decode("utf-8", "surrogateescape")
        if name == self._context.config.name:
            return
        self._context.log("debug", f"serf: Got conflict resolution query for '{name}'")
        state = self._members.get(name)
        try:
            body = bytes((SerfKind.CONFLICT_RESPONSE,)) + b"\xc0"
            if state is not None:
                member = state.member
                body = codec.encode(SerfKind.CONFLICT_RESPONSE, MemberBody(
                    member.name, codec.encode_address(member.address), member.port, dict(member.tags), member.status,
                    *member.protocol, *member.delegate,
                ))  # fmt: skip
            query.respond(body, self._context.now)
        except (QueryError, codec.BadMessage) as error:
            self._context.log("error", f"serf: Failed to respond to conflict query: {error}")

    def _change(self, op: KeyOp, query: ReceivedQuery) -> None:
        """Install, use or remove a key, and have the keyring written before that is answered."""
        payload = query.payload
        try:
            if self._keyring is None:
                raise KeyringError("No keyring to modify (encryption not enabled)")
            if not payload or payload[0] != SerfKind.KEY_REQUEST:
                raise codec.BadMessage("key query without a key request")
            key = codec.decode(KeyRequest, payload[1:]).Key
            change = {
                KeyOp.INSTALL: self._keyring.install, KeyOp.USE: self._keyring.use, KeyOp.REMOVE: self._keyring.remove,
            }[op]  # fmt: skip
            change(key)
        except codec.GossipError as error:
            self._context.log("error", f"serf: Failed to {_FAILED[op]} key: {error}")
            self._respond(query, KeyResponse(False, str(error)))
            return
        text = format_keyring(self._keyring.keys())
        self._context.effects.append(
            KeyringChanged(text, lambda error: self._respond(query, KeyResponse(not error, error)))
        )

    def _list(self, query: ReceivedQuery) -> KeyResponse:
        """All our keys, or as many as an answer has room for."""
        if self._keyring is None:
            text = "Keyring is empty (encryption not enabled)"
            self._context.log("error", f"serf: {text}")
            return KeyResponse(False, text)
        keys = list(map(format_key, self._keyring.keys()))
        primary = format_key(self._keyring.primary)
        limit = self._context.config.query_response_bytes_max
        part = whole = KeyResponse(True, "", keys, primary)
        if query.response_bytes(codec.encode(SerfKind.KEY_RESPONSE, whole)) <= limit:
            return whole
        for count in range(min(len(keys) - 1, limit // KEY_BYTES_MIN), 0, -1):
            text = f"truncated key list response, showing first {count} of {len(keys)} keys"
            part = KeyResponse(True, text, keys[:count], primary)
            if query.response_bytes(codec.encode(SerfKind.KEY_RESPONSE, part)) <= limit:
                break
        return part


def request_keys(context: Context, queries: Queries, op: KeyOp, key: bytes, relay_factor: int) -> KeyOperation:
    """Have every member do ``op`` with ``key`` (empty to list). Raises QueryError."""
    operation = KeyOperation(context, queries, op)
    payload = codec.encode(SerfKind.KEY_REQUEST, KeyRequest(key))
    queries.ask(INTERNAL_PREFIX + op.value, payload, relay_factor=relay_factor, listener=operation)
    return operation
