"""What a leader has to see to: the builtin policy, the tokens that always are, and those that have expired; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proconsul.engine.wire.gotime import from_unix_ns
from proconsul.engine.wire.record import replace
from proconsul.features.acl import model
from proconsul.features.acl.hashes import hash_of_policy, hash_of_token
from proconsul.features.acl.identities import MANAGEMENT_RULES, READ_ONLY_RULES
from proconsul.features.acl.model import (
    ANONYMOUS_ACCESSOR_ID,
    ANONYMOUS_SECRET,
    LEGACY_MANAGEMENT,
    MANAGEMENT_POLICY_ID,
    READ_ONLY_POLICY_ID,
    ACLPolicy,
    ACLToken,
    Link,
)
from proconsul.features.acl.resolver import has_expired
from proconsul.features.acl.state import ACLState
from proconsul.features.messages import MessageType

MANAGEMENT_POLICY = "global-management"
READ_ONLY_POLICY = "builtin/global-read-only"
# So many expired tokens go in one command; a command much larger would hold up the writes of others.
REAPED_MAX = 100


def management_token(accessor_id: str, secret_id: str, description: str, now_ns: int) -> ACLToken:
    """A token that may do everything, also to servers from before 1.4, which know it by its type."""
    token = ACLToken(
        AccessorID=accessor_id, SecretID=secret_id, Description=description, CreateTime=from_unix_ns(now_ns),
        Policies=[Link(MANAGEMENT_POLICY_ID, MANAGEMENT_POLICY)], Type=LEGACY_MANAGEMENT,
    )  # fmt: skip
    return replace(token, Hash=hash_of_token(token))  # type: ignore[no-any-return]


_BUILTIN = (
    ACLPolicy(
        ID=MANAGEMENT_POLICY_ID, Name=MANAGEMENT_POLICY, Rules=MANAGEMENT_RULES,
        Description="Builtin Policy that grants unlimited access",
    ),
    ACLPolicy(
        ID=READ_ONLY_POLICY_ID, Name=READ_ONLY_POLICY, Rules=READ_ONLY_RULES,
        Description="Builtin Policy that grants unlimited read-only access to all components",
    ),
)  # fmt: skip


def _is_missing(policy: ACLPolicy, state: ACLState) -> bool:
    old = state.policies.get(policy.ID)
    return old is None or old.Rules != policy.Rules


def _as_described(policy: ACLPolicy, state: ACLState) -> ACLPolicy:
    """The policy as it is called by now, with its hash."""
    old = state.policies.get(policy.ID)
    if old is not None:
        policy = replace(policy, Name=old.Name, Description=old.Description)
    return replace(policy, Hash=hash_of_policy(policy))  # type: ignore[no-any-return]


def missing(
    state: ACLState, initial_management: str, now_ns: int, new_id: Callable[[], str]
) -> list[tuple[MessageType, Any]]:
    """The commands that bring what every cluster with access control has, in their order.

    initial_management: the secret of a management token from the configuration, "" for none.
    """
    commands: list[tuple[MessageType, Any]] = []
    policies = [policy for policy in _BUILTIN if _is_missing(policy, state)]
    if policies:
        made = [_as_described(policy, state) for policy in policies]
        commands.append((MessageType.ACL_POLICY_SET, model.PolicySetRequest(Policies=made)))
    if initial_management and state.tokens.get(initial_management) is None:
        token = management_token(new_id(), initial_management, "Master Token", now_ns)
        if state.can_bootstrap()[0]:
            commands.append((MessageType.ACL_BOOTSTRAP, model.BootstrapRequest(Token=token)))
        else:
            commands.append((MessageType.ACL_TOKEN_SET, model.TokenSetRequest(Tokens=[token], CAS=True)))
    if state.token(ANONYMOUS_ACCESSOR_ID) is None:
        token = ACLToken(
            AccessorID=ANONYMOUS_ACCESSOR_ID, SecretID=ANONYMOUS_SECRET, Description="Anonymous Token",
            CreateTime=from_unix_ns(now_ns),
        )  # fmt: skip
        token = replace(token, Hash=hash_of_token(token))
        commands.append((MessageType.ACL_TOKEN_SET, model.TokenSetRequest(Tokens=[token], CAS=True)))
    return commands


def expired(
    state: ACLState, now_ns: int, most: int = REAPED_MAX, *, only_local: bool = False
) -> model.TokenDeleteRequest | None:  # fmt: skip
    """What removes the tokens that have expired, ``most`` of them at once, the longest expired first.

    only_local: in a secondary datacenter, where the others go when the primary removes them.
    """
    over = [
        token for token in state.tokens.by("expires", True)
        if has_expired(token, now_ns) and (token.Local or not only_local)
    ]  # fmt: skip
    if not over:
        return None
    over.sort(key=lambda token: token.ExpirationTime or b"")
    return model.TokenDeleteRequest(TokenIDs=[token.AccessorID for token in over[:most]])


def upgraded(
    state: ACLState, new_id: Callable[[], str], most: int = REAPED_MAX
) -> model.TokenSetRequest | None:  # fmt: skip
    """What gives tokens from before 1.4 an accessor id, and managers among them their policy; ``most`` at once.

    They stay what they are otherwise. One that is changed meanwhile is passed over, and comes again.
    """
    tokens = [_upgraded(token, new_id()) for token in state.tokens.by("nameless", True)[:most]]
    return model.TokenSetRequest(Tokens=tokens, CAS=True, AllowMissingLinks=True) if tokens else None


def _upgraded(token: ACLToken, accessor_id: str) -> ACLToken:
    links = token.Policies
    if token.Type == LEGACY_MANAGEMENT and not links:
        links = [Link(MANAGEMENT_POLICY_ID, MANAGEMENT_POLICY)]
    token = replace(token, AccessorID=accessor_id, Policies=links)
    return replace(token, Hash=hash_of_token(token))  # type: ignore[no-any-return]
