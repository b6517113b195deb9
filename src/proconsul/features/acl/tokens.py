"""ACL.Token*: what requests carry, how it is made, changed, cloned and removed."""

from __future__ import annotations

from typing import Any

from proconsul.engine.completion import Completion, tell
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.durations import format_duration
from proconsul.engine.wire.gotime import ZERO_TIME, from_unix_ns, to_unix_ns
from proconsul.engine.wire.record import ABSENT, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model
from proconsul.features.acl.common import RESERVED, Desk, resolve_links
from proconsul.features.acl.hashes import hash_of_token
from proconsul.features.acl.identities import node_identities, service_identities
from proconsul.features.acl.model import ANONYMOUS_ACCESSOR_ID, ACLToken
from proconsul.features.acl.requests import (
    HIDDEN,
    ExpandedToken,
    ExpandedTokenResponse,
    TokenBatchRequest,
    TokenBatchResponse,
    TokenDeleteCall,
    TokenGetRequest,
    TokenListRequest,
    TokenListResponse,
    TokenListStub,
    TokenResponse,
    TokenSetCall,
)
from proconsul.features.acl.resolver import ACLNotFound, has_expired
from proconsul.features.acl.rules import Level
from proconsul.features.acl.secrets import same_secret
from proconsul.features.acl.state import TOKENS
from proconsul.features.acl.templated import SERVICE, templated_policies
from proconsul.features.base import SECOND_NS
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.ids import check_uuid, is_uuid
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, ReadMethod, WriteMethod, or_empty

TOKEN_READ = ReadMethod("ACL.TokenRead", TokenGetRequest, TokenResponse, "Token")
TOKEN_LIST = ReadMethod("ACL.TokenList", TokenListRequest, TokenListResponse, "Tokens", to_value=or_empty)
# Whoever copies tokens to other datacenters asks for many at once. The value is the whole reply.
TOKEN_BATCH = ReadMethod("ACL.TokenBatchRead", TokenBatchRequest, TokenBatchResponse)
# Ours, as newer releases answer it.
TOKEN_EXPANDED = ReadMethod("ACL.TokenReadExpanded", TokenGetRequest, ExpandedTokenResponse, "Expanded")
TOKEN_SET = WriteMethod("ACL.TokenSet", TokenSetCall, ACLToken)
TOKEN_CLONE = WriteMethod("ACL.TokenClone", TokenSetCall, ACLToken)
TOKEN_DELETE = WriteMethod("ACL.TokenDelete", TokenDeleteCall, str)

# Consul docs: how long a token that expires may live.
EXPIRES_MIN_NS = 60 * SECOND_NS
EXPIRES_MAX_NS = 24 * 3600 * SECOND_NS
ACCESSOR = "accessor"


class Tokens:
    """ACL.TokenRead, TokenList, TokenSet, TokenClone and TokenDelete."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._state = desk, desk.state
        self.reads: dict[ReadMethod, Any] = {
            TOKEN_READ: self.read, TOKEN_LIST: self.list_all, TOKEN_BATCH: self.batch,
            TOKEN_EXPANDED: self.expanded,
        }  # fmt: skip
        self.writes: dict[WriteMethod, Any] = {
            TOKEN_SET: self.set, TOKEN_CLONE: self.clone, TOKEN_DELETE: self.delete
        }  # fmt: skip

    # ------------------------------------------------------------------ reads

    def read(self, args: TokenGetRequest) -> Read:
        """By accessor, for those who may read access control, or by secret, for those who know it."""

        def run(watch: WatchSet | None) -> tuple[int, ACLToken | None]:
            index = self._desk.watched(watch, TOKENS)
            if args.TokenIDType != ACCESSOR:
                return index, self._alive(self._state.tokens.get(args.TokenID))
            identity = self._desk.require(args.Token, Level.READ)
            check_uuid(args.TokenID, "acl token")
            token = self._alive(self._state.token(args.TokenID))
            if token is not None and not identity.authorizer.manages:
                token = replace(token, SecretID=HIDDEN)
            return index, token

        key = (TOKEN_READ.name, args.Token, args.TokenIDType, args.TokenID)
        return Read(key, run, TOKEN_READ, args, shared=False)

    def expanded(self, args: TokenGetRequest) -> Read:
        """As `read`, with everything that the token comes to here."""
        plain, resolver = self.read(args), self._desk.resolver

        def run(watch: WatchSet) -> tuple[int, ExpandedToken | None]:
            index, token = plain.run(watch)
            if token is None:
                return index, None
            roles = [
                replace(role, Policies=resolver.policy_links(role.Policies)) for role in resolver.roles_of(token)
            ]  # fmt: skip
            return index, ExpandedToken(
                token, resolver.in_force(token), roles, "allow" if resolver.default_allow else "deny",
                self._desk.server.acl_settings.down_policy, self._desk.server.node_name,
            )  # fmt: skip

        key = (TOKEN_EXPANDED.name, args.Token, args.TokenIDType, args.TokenID)
        return Read(key, run, TOKEN_EXPANDED, args, shared=False)

    def batch(self, args: TokenBatchRequest) -> Read:
        """Those with these accessor ids, for those who may read them, and with secrets for those who may write.

        Raises ACLNotFound, ConsulError.
        """

        def run(watch: WatchSet | None) -> tuple[int, TokenBatchResponse]:
            index, asks = self._desk.watched(watch, TOKENS), self._desk.resolver.resolve(args.Token).authorizer
            for accessor in args.AccessorIDs or ():
                try:
                    check_uuid(accessor, "acl token")
                except StateError as error:
                    raise ConsulError(f"failed acl token lookup: {error}") from None
            rows = (self._alive(self._state.token(accessor)) for accessor in args.AccessorIDs or ())
            found = [token for token in rows if token is not None]
            shown = found if asks.allows("acl", Level.READ) else []
            if not asks.manages:
                shown = [replace(token, SecretID=HIDDEN) for token in shown]
            return index, TokenBatchResponse(
                Tokens=shown, Redacted=bool(shown) and not asks.manages, Removed=len(shown) < len(found), Index=index,
                KnownLeader=True,
            )  # fmt: skip

        return Read((TOKEN_BATCH.name, args.Token, tuple(args.AccessorIDs or ())), run, TOKEN_BATCH, args, shared=False)

    def _alive(self, token: ACLToken | None) -> ACLToken | None:
        if token is None or has_expired(token, self._desk.resolver.now_ns()):
            return None
        return self._desk.resolver.shown(token)

    def list_all(self, args: TokenListRequest) -> Read:
        """Tokens without their secrets, all or those that have a policy, a role, or come from an auth method."""
        both = args.IncludeLocal == args.IncludeGlobal
        tokens = self._state.tokens

        def run(watch: WatchSet | None) -> tuple[int, list[TokenListStub]]:
            index = self._desk.watched(watch, TOKENS)
            if args.Policy:
                rows = tokens.by("policy", args.Policy.lower())
            elif args.Role:
                rows = tokens.by("role", args.Role.lower())
            elif args.AuthMethod:
                rows = self._state.tokens_of_method(args.AuthMethod)
            else:
                rows = tokens.all()
            if args.ServiceName:
                rows = [row for row in rows if _is_of(row, args.ServiceName)]
            now_ns = self._desk.resolver.now_ns()
            return index, [
                self._stub(row) for row in sorted(rows, key=lambda row: row.SecretID)
                if (both or row.Local == args.IncludeLocal) and not has_expired(row, now_ns)
            ]  # fmt: skip

        key = (TOKEN_LIST.name, args.Token, args.Policy, args.Role, args.AuthMethod, args.ServiceName,
               both or args.IncludeLocal, both)  # fmt: skip
        return Read(key, run, TOKEN_LIST, args)

    def _stub(self, row: ACLToken) -> TokenListStub:
        token = self._desk.resolver.shown(row)
        return TokenListStub(
            AccessorID=token.AccessorID, Description=token.Description, Policies=token.Policies, Roles=token.Roles,
            Name=token.Name,
            ServiceIdentities=token.ServiceIdentities, NodeIdentities=token.NodeIdentities, Local=token.Local,
            TemplatedPolicies=token.TemplatedPolicies,
            AuthMethod=token.AuthMethod, ExpirationTime=token.ExpirationTime, CreateTime=token.CreateTime,
            Hash=token.Hash, Legacy=bool(token.Rules), CreateIndex=token.CreateIndex, ModifyIndex=token.ModifyIndex,
        )  # fmt: skip

    # ------------------------------------------------------------------ writes

    def set(self, waiter: Completion, args: TokenSetCall) -> None:
        """Make or change a token; the result is what is stored. Raises ConsulError."""
        given = args.ACLToken
        if given.Local and not self._desk.server.acl_settings.local_tokens:
            raise ConsulError("Local tokens are disabled")
        if given.AccessorID:
            old = self._by_accessor(given.AccessorID)
        elif args.Create:
            old = None
        else:
            raise ConsulError('Cannot find token ""')
        if args.Create:
            if old is not None:
                raise ConsulError("Invalid Token: AccessorID is already in use")
            token = self._new(given)
        else:
            if old is None or has_expired(old, self._desk.resolver.now_ns()):
                raise ConsulError(f"Cannot find token {quoted(given.AccessorID)}")
            token = _changed(old, given)
        self._put(waiter, self._checked(token))

    def _by_accessor(self, accessor_id: str) -> ACLToken | None:
        try:
            check_uuid(accessor_id, "acl token")
        except StateError as error:
            raise ConsulError(f"Failed acl token lookup by accessor: {error}") from None
        return self._state.token(accessor_id)

    def _new(self, given: ACLToken) -> ACLToken:
        """A new token with its ids, its time and its end. Raises ConsulError."""
        for name, value in (("AccessorID", given.AccessorID), ("SecretID", given.SecretID)):
            if value and not is_uuid(value):
                raise ConsulError(f"Invalid Token: {name} is not a valid UUID")
            if value.startswith(RESERVED):
                raise ConsulError(f'Invalid Token: UUIDs with the prefix "{RESERVED}" are reserved')
        if given.SecretID and self._state.tokens.get(given.SecretID) is not None:
            raise ConsulError("Invalid Token: SecretID is already in use")
        if given.AuthMethod:
            raise ConsulError("AuthMethod field is disallowed outside of Login")
        now_ns = self._desk.resolver.now_ns()
        tables = self._desk.token_ids
        return replace(  # type: ignore[no-any-return]
            given, AccessorID=given.AccessorID or self._desk.new_id(*tables),
            SecretID=given.SecretID or self._desk.new_id(*tables), CreateTime=from_unix_ns(now_ns),
            ExpirationTime=_expiration(given, now_ns), ExpirationTTL=0,
        )  # fmt: skip

    def _checked(self, token: ACLToken) -> ACLToken:
        """The token with its links and identities in order, and its hash. Raises ConsulError."""
        policies = resolve_links(token.Policies, self._state.policies, "policy", by_id=True)
        roles = resolve_links(token.Roles, self._state.roles, "role", by_id=True)
        services = service_identities(token.ServiceIdentities, "token", local=token.Local)
        nodes = node_identities(token.NodeIdentities, "token")
        templated = templated_policies(token.TemplatedPolicies, "token", local=token.Local)
        if token.Rules:
            raise ConsulError("Rules cannot be specified for this token")
        token = replace(
            token, Policies=policies, Roles=roles, ServiceIdentities=services, NodeIdentities=nodes, Type="",
            TemplatedPolicies=templated or ABSENT, Name=token.Name or ABSENT,
        )  # fmt: skip
        return replace(token, Hash=hash_of_token(token))  # type: ignore[no-any-return]

    def _put(self, waiter: Completion, token: ACLToken) -> None:
        def stored() -> ACLToken:
            found = self._state.token(token.AccessorID)
            return token if found is None else self._desk.resolver.shown(found)

        self._desk.propose(waiter, MessageType.ACL_TOKEN_SET, model.TokenSetRequest(Tokens=[token]), stored)

    def clone(self, waiter: Completion, args: TokenSetCall) -> None:
        """A new token that may do the same until the same time. Raises ConsulError."""
        given = args.ACLToken
        check_uuid(given.AccessorID, "acl token")
        token = self._alive(self._state.token(given.AccessorID))
        if token is None:
            raise ACLNotFound()
        if token.AuthMethod:
            raise ConsulError("Cannot clone a token created from an auth method")
        if token.Rules:
            raise ConsulError("Cannot clone a legacy ACL with this endpoint")
        tables = self._desk.token_ids
        clone = replace(
            token, AccessorID=self._desk.new_id(*tables), SecretID=self._desk.new_id(*tables),
            Description=given.Description or token.Description,
            CreateTime=from_unix_ns(self._desk.resolver.now_ns()), CreateIndex=0, ModifyIndex=0,
        )  # fmt: skip
        self._put(waiter, self._checked(clone))

    def delete(self, waiter: Completion, args: TokenDeleteCall) -> None:
        """Remove a token by its accessor id; one that is not there is no error. Raises ConsulError."""
        identity = self._desk.resolver.resolve(args.Token)
        if not is_uuid(args.TokenID):
            raise ConsulError("Accessor ID is missing or an invalid UUID")
        if args.TokenID == ANONYMOUS_ACCESSOR_ID:
            raise ConsulError("Delete operation not permitted on the anonymous token")
        token = self._state.token(args.TokenID)
        if token is None:
            tell(waiter, args.TokenID)
            return
        if identity.token is not None and same_secret(identity.token.SecretID, token.SecretID):
            raise ConsulError("Deletion of the request's authorization token is not permitted")
        request = model.TokenDeleteRequest(TokenIDs=[args.TokenID])
        self._desk.propose(waiter, MessageType.ACL_TOKEN_DELETE, request, lambda: args.TokenID)


def _is_of(token: ACLToken, service: str) -> bool:
    """Whether the token has the identity of a service, in one of both forms."""
    return any(one.ServiceName == service for one in token.ServiceIdentities or ()) or any(
        one.TemplateName == SERVICE and one.variable == service for one in token.TemplatedPolicies or ()
    )


def _expiration(given: ACLToken, now_ns: int) -> bytes | None:
    """When a new token ends, None for never. Raises ConsulError when that is too early or too late."""
    expires = None if given.ExpirationTime in (None, ZERO_TIME) else given.ExpirationTime
    if given.ExpirationTTL:
        if expires is not None:
            raise ConsulError("Token Expiration TTL and Expiration Time cannot both be set")
        if given.ExpirationTTL < 0:
            raise ConsulError(f"Token Expiration TTL '{format_duration(given.ExpirationTTL)}' should be > 0")
        expires = from_unix_ns(now_ns + given.ExpirationTTL)
    if expires is None:
        return None
    left_ns = to_unix_ns(expires) - now_ns
    if left_ns < 0:
        raise ConsulError("ExpirationTime cannot be before CreateTime")
    for wrong, word, bound in (
        (left_ns < EXPIRES_MIN_NS, "less", EXPIRES_MIN_NS), (left_ns > EXPIRES_MAX_NS, "more", EXPIRES_MAX_NS),
    ):  # fmt: skip
        if wrong:
            raise ConsulError(
                f"ExpirationTime cannot be {word} than {format_duration(bound)} in the future "
                f"(was {format_duration(left_ns)})"
            )
    return expires


def _changed(old: ACLToken, given: ACLToken) -> ACLToken:
    """``old`` with what may change of it. Raises ConsulError for what may not."""
    if given.SecretID and not same_secret(given.SecretID, old.SecretID):
        raise ConsulError("Changing a tokens SecretID is not permitted")
    if given.Local != old.Local:
        raise ConsulError(f"cannot toggle local mode of {given.AccessorID}")
    if given.AuthMethod not in ("", old.AuthMethod):
        raise ConsulError(f"Cannot change AuthMethod of {given.AccessorID}")
    if given.ExpirationTTL or given.ExpirationTime not in (None, ZERO_TIME, old.ExpirationTime):
        raise ConsulError(f"Cannot change expiration time of {given.AccessorID}")
    return replace(  # type: ignore[no-any-return]
        given, AccessorID=old.AccessorID, SecretID=old.SecretID, AuthMethod=old.AuthMethod,
        ExpirationTime=old.ExpirationTime, CreateTime=old.CreateTime,
    )  # fmt: skip
