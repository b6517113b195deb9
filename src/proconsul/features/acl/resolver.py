"""From a secret to who asks and what they may: the policies of a token, its roles and identities, compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.gotime import ZERO_TIME, is_zero, to_unix_ns
from proconsul.engine.wire.record import replace
from proconsul.features.acl.authorizer import Authorizer, Compiled, Origin
from proconsul.features.acl.identities import MANAGEMENT_RULES, rules_of_node, rules_of_service
from proconsul.features.acl.model import (
    ANONYMOUS_SECRET,
    LEGACY_CLIENT,
    LEGACY_MANAGEMENT,
    ACLPolicy,
    ACLRole,
    ACLToken,
    Link,
)
from proconsul.features.acl.rules import parse_legacy_rules, parse_rules
from proconsul.features.acl.state import POLICIES, ROLES, TOKENS, ACLState, row_key
from proconsul.features.acl.templated import rules_of, synthetic
from proconsul.features.errors import ACLDisabled, PermissionDenied

# Tokens in use at a time in a large cluster; each keeps a few words.
_KEPT_MAX = 16384
# Tokens that are read time and again; each keeps a kilobyte or two, and its JSON.
SHOWN_MAX = 1024
NOT_FOUND = "ACL not found"


class ACLNotFound(PermissionDenied):
    """No token has this secret, or not any more."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND)


class Identity(NamedTuple):
    """Who asks. ``token`` is None for an anonymous token that is not there yet."""

    token: ACLToken | None
    authorizer: Authorizer


class AskedElsewhere(Protocol):
    """Knows what it was told of tokens; see `token_rights.AskedTokenRights`."""

    def token(self, secret: str) -> ACLToken | None:
        """The token, as far as it is known."""

    def authorizer(self, secret: str) -> Authorizer:
        """Decides for ``secret``. Raises ACLNotFound."""

    def counts(self, secret: str) -> bool:
        """Whether what was told of it is to be gone by."""

    def watch(self, secret: str, watch: WatchSet) -> None:
        """Have ``watch`` hear of what is told anew."""


# Of policies and of roles.
_Indexes = tuple[int | None, int | None]
# What stands for one policy: what tells it apart, its name for explanations, its rules, and whether they are of old.
_Piece = tuple[tuple[str, ...], str, str, bool]


def has_expired(token: ACLToken, now_ns: int) -> bool:
    """Whether the token may not be used any more, removed or not."""
    expires = token.ExpirationTime
    return expires is not None and expires != ZERO_TIME and not is_zero(expires) and to_unix_ns(expires) <= now_ns


class Resolver:
    """Resolves secrets from a server's own state. ``wall_clock_ns`` is the time that expiry goes by."""

    def __init__(
        self, state: ACLState, *, enabled: bool, default_allow: bool, datacenter: str,
        wall_clock_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        self.enabled, self.default_allow = enabled, default_allow
        self._state, self._datacenter, self._now_ns = state, datacenter, wall_clock_ns
        self._compiled = Compiled(default_allow=default_allow)
        # By secret: the token, the indexes of what it links to, and what both came to. When it is full it starts anew.
        self._kept: dict[str, tuple[ACLToken, _Indexes, Authorizer]] = {}

        # Who knows of tokens that are not in the state: the primary's, where a secondary copies none.
        self.asked: AskedElsewhere | None = None
        # The same for what is shown of a token.
        self._shown: dict[str, tuple[ACLToken, _Indexes, ACLToken]] = {}

    def now_ns(self) -> int:
        return self._now_ns()

    def resolve(self, secret: str) -> Identity:
        """Who has ``secret``, "" being anonymous. Raises ACLNotFound, RuleError, or ACLDisabled when it is off."""
        if not self.enabled:
            raise ACLDisabled()
        token = self._state.tokens.get(secret or ANONYMOUS_SECRET)
        if token is None and self.asked is not None:
            return self._asked_of(self.asked, secret)
        if token is None and not secret:
            return Identity(None, self._compiled.nothing)
        if token is None or has_expired(token, self._now_ns()):
            raise ACLNotFound()
        return Identity(token, self.authorizer_of(token))

    def _asked_of(self, asked: AskedElsewhere, secret: str) -> Identity:
        """Policies and roles are copied also where tokens are not, and those here are newer than what was told."""
        token, authorizer = asked.token(secret), asked.authorizer(secret)
        if token is None or not asked.counts(secret) or not self._has_links(token):
            return Identity(token, authorizer)
        return Identity(token, self.authorizer_of(token))

    def _has_links(self, token: ACLToken) -> bool:
        """Whether everything that ``token`` links to is here."""
        roles = self.roles_of(token)
        return len(roles) == len(token.Roles or ()) and len(self.policies_of(token)) == len(self.policy_ids(token))

    def known(self, secret: str) -> ACLToken | None:
        """The token with ``secret``, "" being anonymous, expired or not."""
        token = self._state.tokens.get(secret or ANONYMOUS_SECRET)
        return token if token is not None or self.asked is None else self.asked.token(secret)

    def authorizer_of(self, token: ACLToken) -> Authorizer:
        """What ``token`` may do here and now. Raises RuleError when rules of one of its policies cannot be read."""
        indexes, kept = self._state.store.indexes, self._kept.get(token.SecretID)
        index = indexes.get(POLICIES), indexes.get(ROLES)
        # A row that was written anew, or restored, is another object.
        if kept is not None and kept[0] is token and kept[1] == index:
            return kept[2]
        made = self._made(token)
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[token.SecretID] = token, index, made
        return made

    def _made(self, token: ACLToken) -> Authorizer:
        pieces = {piece[0]: piece for piece in self._pieces(token)}

        def origins() -> Iterator[Origin]:
            for identity in sorted(pieces):
                _, name, rules, legacy = pieces[identity]
                yield Origin(name, parse_legacy_rules(rules) if legacy else parse_rules(rules))

        return self._compiled.of(frozenset(pieces), origins)

    def watch(self, secret: str, watch: WatchSet) -> None:
        """Have ``watch`` hear of changes of what ``secret`` may do."""
        watch.add(row_key(TOKENS, secret or ANONYMOUS_SECRET))
        token = self._state.tokens.get(secret or ANONYMOUS_SECRET)
        if token is None:
            if self.asked is not None:
                self.asked.watch(secret, watch)
            return
        watch.add(*(row_key(ROLES, link.ID.lower()) for link in token.Roles or ()))
        watch.add(*(row_key(POLICIES, policy_id) for policy_id in self.policy_ids(token)))

    def in_force(self, token: ACLToken) -> list[ACLPolicy]:
        """The policies that ``token`` comes to here, also those that stand nowhere: what identities and templates
        stand for, and the rules of old tokens."""
        found: dict[tuple[str, ...], ACLPolicy] = {}
        for key, name, rules, _ in self._pieces(token):
            stored = self._state.policies.get(key[1].lower()) if key[0] == "policy" else None
            found.setdefault(key, stored if stored is not None else synthetic(key, name, rules))
        return list(found.values())

    def roles_of(self, token: ACLToken) -> list[ACLRole]:
        """The roles that ``token`` links to and that are there."""
        found = (self._state.roles.get(link.ID.lower()) for link in token.Roles or ())
        return [role for role in found if role is not None]

    def policy_ids(self, token: ACLToken) -> list[str]:
        """The ids that ``token`` links to, itself or by its roles, each once; they may lead nowhere."""
        links = [*(token.Policies or ())]
        for role in self.roles_of(token):
            links += role.Policies or ()
        return list({link.ID.lower(): None for link in links})

    def policies_of(self, token: ACLToken) -> list[ACLPolicy]:
        """The policies that ``token`` links to, itself or by its roles, each once."""
        found = (self._state.policies.get(policy_id) for policy_id in self.policy_ids(token))
        return [policy for policy in found if policy is not None]

    def _pieces(self, token: ACLToken) -> Iterator[_Piece]:
        if token.Type == LEGACY_MANAGEMENT:
            yield ("management",), "management token", MANAGEMENT_RULES, False
        elif token.Type == LEGACY_CLIENT and token.Rules:
            yield ("legacy", token.Rules), f"rules of token {token.AccessorID}", token.Rules, True
        yield from self._linked(token)
        for role in self.roles_of(token):
            yield from self._linked(role)

    def _linked(self, owner: ACLToken | ACLRole) -> Iterator[_Piece]:
        for link in owner.Policies or ():
            policy = self._state.policies.get(link.ID.lower())
            if policy is not None and self._in_force(policy):
                yield ("policy", policy.ID, str(policy.ModifyIndex)), policy.Name, policy.Rules, False
        for service in owner.ServiceIdentities or ():
            if not service.Datacenters or self._datacenter in service.Datacenters:
                name = service.ServiceName
                yield ("service", name), f"service identity {name}", rules_of_service(name), False
        for node in owner.NodeIdentities or ():
            if node.Datacenter == self._datacenter:
                yield ("node", node.NodeName), f"node identity {node.NodeName}", rules_of_node(node.NodeName), False
        for templated in owner.TemplatedPolicies or ():
            if not templated.Datacenters or self._datacenter in templated.Datacenters:
                name = f"{templated.TemplateName} {templated.variable}".rstrip()
                key = "templated", templated.TemplateName, templated.variable
                yield key, f"templated policy {name}", rules_of(templated), False

    def _in_force(self, policy: ACLPolicy) -> bool:
        return not policy.Datacenters or self._datacenter in policy.Datacenters

    # ------------------------------------------------------------------ rows as they are shown

    def shown(self, token: ACLToken) -> ACLToken:
        """``token`` with the names of now, and without links that lead nowhere; one object while nothing changes."""
        indexes, kept = self._state.store.indexes, self._shown.get(token.SecretID)
        index = indexes.get(POLICIES), indexes.get(ROLES)
        if kept is not None and kept[0] is token and kept[1] == index:
            return kept[2]
        made: ACLToken = replace(
            token, Policies=self.policy_links(token.Policies), Roles=self._links(token.Roles, self._state.roles)
        )
        if len(self._shown) >= SHOWN_MAX:
            self._shown.clear()
        self._shown[token.SecretID] = token, index, made
        return made

    def policy_links(self, links: list[Link] | None) -> list[Link] | None:
        """Links to policies, with the names of now, and without those that lead nowhere."""
        return self._links(links, self._state.policies)

    @staticmethod
    def _links(links: list[Link] | None, targets: object) -> list[Link] | None:
        found = ((link, targets.get(link.ID.lower())) for link in links or ())  # type: ignore[attr-defined]
        return [Link(link.ID, target.Name) for link, target in found if target is not None] or None
