"""ACL.Apply, Get and List: tokens from before 1.4, which carry their rules themselves (HTTP API: acl/legacy).

They are rows among the others, told apart by their type; what tokens of today have is kept out of reach of these calls.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from proconsul.engine.completion import Completion
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import replace
from proconsul.features.acl.common import Desk
from proconsul.features.acl.model import (
    ANONYMOUS_SECRET,
    LEGACY_CLIENT,
    LEGACY_MANAGEMENT,
    ACLToken,
    LegacyACL,
    LegacyACLRequest,
    LegacyOp,
)
from proconsul.features.acl.requests import (
    LegacyACLs,
    LegacyGetRequest,
    LegacyPolicy,
    LegacyPolicyRequest,
    LegacyPolicyResponse,
)
from proconsul.features.acl.resolver import ACLNotFound
from proconsul.features.acl.rules import RuleError, parse_legacy_rules
from proconsul.features.acl.state import TOKENS, is_of_today
from proconsul.features.base import SECOND_NS, DCSpecificRequest
from proconsul.features.errors import ConsulError, PermissionDenied
from proconsul.features.messages import MessageType
from proconsul.features.server import CallMethod, Read, ReadMethod, WriteMethod, or_empty

APPLY = WriteMethod("ACL.Apply", LegacyACLRequest, str)
GET = ReadMethod("ACL.Get", LegacyGetRequest, LegacyACLs, "ACLs", to_value=or_empty)
LIST = ReadMethod("ACL.List", DCSpecificRequest, LegacyACLs, "ACLs", to_value=or_empty)

# What agents from before 1.4 ask for, and those of 1.8.7 as long as they take us for one of these.
GET_POLICY = CallMethod("ACL.GetPolicy", LegacyPolicyRequest, LegacyPolicyResponse, may_be_stale=True)

# What a resource is called in their rules: the list, and the field of the name.
_LISTS = {
    "agent": ("Agents", "Node"), "key": ("Keys", "Prefix"), "node": ("Nodes", "Name"), "service": ("Services", "Name"),
    "session": ("Sessions", "Node"), "event": ("Events", "Event"), "query": ("PreparedQueries", "Prefix"),
}  # fmt: skip
# Managers may do everything in any case; their rules say so, too.
_EVERYTHING = "\n".join(
    [*(f'{name} "" {{ policy = "write" }}' for name in _LISTS), 'keyring = "write"', 'operator = "write"']
)
_TTL_NS = 30 * SECOND_NS
_TYPES = (LEGACY_CLIENT, LEGACY_MANAGEMENT)
# Secrets that stood for a default policy.
_ROOTS = frozenset({"allow", "deny", "manage"})


def shown_as_legacy(token: ACLToken) -> LegacyACL:
    """A token as it was before 1.4."""
    return LegacyACL(
        ID=token.SecretID, Name=token.Description, Type=token.Type, Rules=token.Rules,
        CreateIndex=token.CreateIndex, ModifyIndex=token.ModifyIndex,
    )  # fmt: skip


class Legacy:
    """ACL.Apply, ACL.Get and ACL.List."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._tokens = desk, desk.state.tokens
        self.reads: dict[ReadMethod, Any] = {GET: self.get, LIST: self.list_all}
        self.writes: dict[WriteMethod, Any] = {APPLY: self.apply}
        self.calls: dict[CallMethod, Any] = {GET_POLICY: self.policy}

    def get(self, args: LegacyGetRequest) -> Read:
        """The token with a secret, for everybody who knows it."""

        def run(watch: WatchSet | None) -> tuple[int, list[LegacyACL]]:
            index = self._desk.watched(watch, TOKENS)
            self._desk.require_enabled()
            token = self._tokens.get(args.ACL)
            return index, [shown_as_legacy(token)] if token is not None and token.Type in _TYPES else []

        return Read((GET.name, args.ACL), run, GET, args, shared=False)

    def list_all(self, args: DCSpecificRequest) -> Read:
        """All with their secrets, for those who may write."""

        def run(watch: WatchSet | None) -> tuple[int, list[LegacyACL]]:
            index = self._desk.watched(watch, TOKENS)
            rows = (token for token in self._tokens.all() if token.Type in _TYPES)
            return index, [shown_as_legacy(token) for token in sorted(rows, key=lambda row: row.SecretID)]

        return Read((LIST.name, args.Token), run, LIST, args)

    async def policy(self, args: LegacyPolicyRequest) -> LegacyPolicyResponse:
        """The rules of a token from before 1.4. Raises ACLNotFound for others, RuleError."""
        self._desk.require_enabled()
        token = self._tokens.get(args.ACL)
        if token is None or token.Type not in _TYPES:
            raise ACLNotFound()
        manages = token.Type == LEGACY_MANAGEMENT
        parent = "manage" if manages else "allow" if self._desk.resolver.default_allow else "deny"
        policy = _policy(_EVERYTHING if manages else token.Rules, token, manages=manages)
        tag = f"{parent}:{policy.ID}"
        return LegacyPolicyResponse(
            ETag=tag, Parent=parent, Policy=None if args.ETag == tag else policy, TTL=_TTL_NS, KnownLeader=True
        )

    def apply(self, waiter: Completion, args: LegacyACLRequest) -> None:
        """Write or remove a token; the result is its secret, "" after a removal. Raises ConsulError."""
        acl = args.ACL
        if args.Op == LegacyOp.SET:
            acl = self._checked(acl)
        elif args.Op != LegacyOp.DELETE:
            raise ConsulError("Invalid ACL Operation")
        elif not acl.ID:
            raise ConsulError("Missing ACL ID")
        elif acl.ID == ANONYMOUS_SECRET:
            raise PermissionDenied("Permission denied: Cannot delete anonymous token")
        request = LegacyACLRequest(Datacenter=args.Datacenter, Op=args.Op, ACL=acl)
        secret = acl.ID if args.Op == LegacyOp.SET else ""
        self._desk.propose(waiter, MessageType.LEGACY_ACL, request, lambda: secret)

    def _checked(self, acl: LegacyACL) -> LegacyACL:
        """What may be written, with an id. Raises ConsulError."""
        if not acl.ID:
            acl = replace(acl, ID=self._desk.new_id(*self._desk.token_ids))
        old = self._tokens.get(acl.ID)
        if old is not None and is_of_today(old):
            raise ConsulError("Cannot use legacy endpoint to modify a non-legacy token")
        if acl.Type not in _TYPES:
            raise ConsulError("Invalid ACL Type")
        if acl.ID in _ROOTS:
            raise PermissionDenied("Permission denied: Cannot modify root ACL")
        try:
            parse_legacy_rules(acl.Rules)
        except RuleError as error:
            raise ConsulError(f"ACL rule compilation failed: {error}") from None
        return acl


def _policy(text: str, token: ACLToken, *, manages: bool) -> LegacyPolicy:
    """Rules as those agents read them. Raises RuleError."""
    lists: dict[str, list[dict[str, str]]] = {}
    bare: dict[str, str] = {"ACL": "write"} if manages else {}
    for rule in parse_legacy_rules(text):
        level = rule.level.name.lower()
        if rule.resource not in _LISTS:
            bare[rule.resource.capitalize()] = level
            continue
        name, field = _LISTS[rule.resource]
        entry = {field: rule.name, "Policy": level}
        if rule.resource == "service":
            granted = rule.level if manages else rule.intentions
            entry["Intentions"] = granted.name.lower() if granted is not None else ""
        lists.setdefault(name, []).append(entry)
    digest = blake2b(f"{token.SecretID}\0{text}".encode("utf-8", "surrogateescape"), digest_size=32).hexdigest()
    return LegacyPolicy(ID=digest, **bare, **lists)  # type: ignore[arg-type]
