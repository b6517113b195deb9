"""The tables of access control and their commands.

Links are checked when they are written and not touched when their target goes: readers leave out what is gone, and ask
for the name of the day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from proconsul.engine.store.table import Store, Table, Transaction
from proconsul.engine.store.watch import Key
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.record import replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model
from proconsul.features.acl.model import (
    ANONYMOUS_ACCESSOR_ID,
    MANAGEMENT_POLICY_ID,
    ACLAuthMethod,
    ACLBindingRule,
    ACLPolicy,
    ACLRole,
    ACLToken,
    LegacyACL,
    LegacyOp,
    Link,
)
from proconsul.features.acl.secrets import same_secret
from proconsul.features.errors import StateError
from proconsul.features.messages import MessageType
from proconsul.features.replicated import Put, ReplicatedCommand, Restorer, SnapshotSection, command, row_restorer

TOKENS = "acl-tokens"
POLICIES = "acl-policies"
ROLES = "acl-roles"
BINDING_RULES = "acl-binding-rules"
AUTH_METHODS = "acl-auth-methods"
# A row of the index table: when access control was bootstrapped.
BOOTSTRAP = "acl-token-bootstrap"


def row_key(table: str, key: str) -> Key:
    """What readers watch whose rights depend on one token (by its secret), policy or role (by its id)."""
    return table, key


class ACLState:
    """Tokens by secret, policies, roles and binding rules by id, auth methods by name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tokens: Table[ACLToken] = Table(
            TOKENS, lambda row: row.SecretID,
            indexes={
                "accessor": lambda row: row.AccessorID.lower() or None,
                "auth_method": lambda row: row.AuthMethod.lower() or None,
                "expires": lambda row: True if row.ExpirationTime else None,
                "nameless": lambda row: None if row.AccessorID else True,
            },
            multi_indexes={
                "policy": lambda row: {link.ID.lower() for link in row.Policies or ()},
                "role": lambda row: {link.ID.lower() for link in row.Roles or ()},
            },
        )  # fmt: skip
        self.policies: Table[ACLPolicy] = Table(
            POLICIES, lambda row: row.ID.lower(), indexes={"name": lambda row: row.Name.lower()}
        )
        self.roles: Table[ACLRole] = Table(
            ROLES, lambda row: row.ID.lower(), indexes={"name": lambda row: row.Name.lower()},
            multi_indexes={"policy": lambda row: {link.ID.lower() for link in row.Policies or ()}},
        )  # fmt: skip
        self.binding_rules: Table[ACLBindingRule] = Table(
            BINDING_RULES, lambda row: row.ID.lower(), indexes={"auth_method": lambda row: row.AuthMethod.lower()}
        )
        self.auth_methods: Table[ACLAuthMethod] = Table(AUTH_METHODS, lambda row: row.Name.lower())
        for table in (self.tokens, self.policies, self.roles, self.binding_rules, self.auth_methods):
            store.add(table)

    # ------------------------------------------------------------------ tokens

    def token(self, accessor_id: str) -> ACLToken | None:
        """The token with this accessor id."""
        found = self.tokens.by("accessor", accessor_id.lower())
        return found[0] if found else None

    def set_tokens(self, tx: Transaction, request: model.TokenSetRequest) -> None:
        """Write tokens, all or none. Raises StateError."""
        for token in request.Tokens or ():
            if request.CAS and not self._is_current(token):
                continue
            self._set_token(tx, token, request)

    def _is_current(self, token: ACLToken) -> bool:
        old = self.tokens.get(token.SecretID)
        return (old.ModifyIndex if old is not None else 0) == token.ModifyIndex

    def _set_token(self, tx: Transaction, token: ACLToken, options: model.TokenSetRequest) -> None:
        if not token.SecretID:
            raise StateError("Missing ACL Token SecretID")
        if not token.AccessorID:
            raise StateError("Missing ACL Token AccessorID")
        holder = self.token(token.AccessorID)
        if holder is not None and not same_secret(holder.SecretID, token.SecretID):
            raise StateError(f"failed inserting acl token: AccessorID {token.AccessorID} is in use")
        policies, known_policies = self._resolve(
            token.Policies, self.policies, "policy", allow_missing=options.AllowMissingLinks
        )
        roles, known_roles = self._resolve(token.Roles, self.roles, "role", allow_missing=options.AllowMissingLinks)
        if token.AuthMethod and not options.FromReplication:
            self._require_method(token.AuthMethod)
        if options.ProhibitUnprivileged and not (
            known_policies or known_roles or token.ServiceIdentities or token.NodeIdentities or token.TemplatedPolicies
        ):
            raise StateError("Token has no privileges")
        old = self.tokens.get(token.SecretID)
        if old is not None and old.AccessorID not in ("", token.AccessorID):
            # Leaders that take turns each make the master token, with another accessor: the first one stays.
            raise StateError("The ACL Token AccessorID field is immutable")
        self._put_token(tx, replace(token, Policies=policies, Roles=roles))

    def _put_token(self, tx: Transaction, token: ACLToken) -> None:
        old = self.tokens.get(token.SecretID)
        created = old.CreateIndex if old is not None else tx.index
        tx.put(self.tokens, replace(token, CreateIndex=created, ModifyIndex=tx.index))
        tx.touch(row_key(TOKENS, token.SecretID))
        tx.bump(TOKENS)

    @staticmethod
    def _resolve(
        links: list[Link] | None, targets: Table[Any], what: str, *, allow_missing: bool
    ) -> tuple[list[Link] | None, int]:
        """The links with the names of now, and how many of them lead somewhere. Raises StateError."""
        if links is None:
            return None, 0
        resolved, known = [], 0
        for link in links:
            if not link.ID:
                raise StateError(f"encountered a Token with policies linked by Name in the state store: {what}")
            target = targets.get(link.ID.lower())
            if target is None and not allow_missing:
                raise StateError(f"No such {what} with ID: {link.ID}")
            known += target is not None
            resolved.append(link if target is None else Link(link.ID, target.Name))
        return resolved, known

    def _require_method(self, name: str) -> None:
        if self.auth_methods.get(name.lower()) is None:
            raise StateError(f"No such auth method with Name: {name}")

    def delete_tokens(self, tx: Transaction, request: model.TokenDeleteRequest) -> None:
        """Remove tokens by accessor id; unknown ones are no error. Raises StateError for the anonymous token."""
        for accessor_id in request.TokenIDs or ():
            token = self.token(accessor_id)
            if token is not None:
                self._delete_token(tx, token)

    def _delete_token(self, tx: Transaction, token: ACLToken) -> None:
        if token.AccessorID == ANONYMOUS_ACCESSOR_ID:
            raise StateError("Deletion of the builtin anonymous token is not permitted")
        tx.delete(self.tokens, token.SecretID)
        tx.touch(row_key(TOKENS, token.SecretID))
        tx.bump(TOKENS)

    # ------------------------------------------------------------------ bootstrap

    def can_bootstrap(self) -> tuple[bool, int]:
        """Whether the first management token may still be made, and the index of the last time it was."""
        index = self.store.max_index(BOOTSTRAP)
        return index == 0, index

    def bootstrap(self, tx: Transaction, request: model.BootstrapRequest) -> None:
        """Write the first management token, or another one with the proof of a reset index. Raises StateError."""
        allowed, index = self.can_bootstrap()
        if not allowed:
            if request.ResetIndex == 0:
                raise StateError("ACL bootstrap no longer allowed")
            if request.ResetIndex != index:
                raise StateError("Invalid ACL bootstrap reset index")
        self._set_token(tx, request.Token, model.TokenSetRequest())
        tx.bump(BOOTSTRAP)

    # ------------------------------------------------------------------ policies and roles

    def set_policies(self, tx: Transaction, request: model.PolicySetRequest) -> None:
        """Write policies, all or none. Raises StateError."""
        for policy in request.Policies or ():
            if not policy.ID:
                raise StateError("Missing ACL Policy ID")
            if not policy.Name:
                raise StateError("Missing ACL Policy Name")
            old = self.policies.get(policy.ID.lower())
            if old is not None and policy.ID == MANAGEMENT_POLICY_ID:
                if policy.Rules != old.Rules:
                    raise StateError("Changing the Rules for the builtin global-management policy is not permitted")
                if policy.Datacenters:
                    raise StateError(
                        "Changing the Datacenters of the builtin global-management policy is not permitted"
                    )
            self._put_named(tx, self.policies, policy, "policy")

    def _put_named(self, tx: Transaction, table: Table[Any], row: Any, what: str) -> None:
        """Write a row whose name is unique in its table."""
        for other in table.by("name", row.Name.lower()):
            if other.ID.lower() != row.ID.lower():
                raise StateError(f"A {what} with name {quoted(row.Name)} already exists")
        old = table.get(row.ID.lower())
        created = old.CreateIndex if old is not None else tx.index
        tx.put(table, replace(row, CreateIndex=created, ModifyIndex=tx.index))
        tx.touch(row_key(table.name, row.ID.lower()))
        tx.bump(table.name)

    def delete_policies(self, tx: Transaction, request: model.PolicyDeleteRequest) -> None:
        """Remove policies; links to them stay. Raises StateError for the built-in one."""
        if MANAGEMENT_POLICY_ID in (request.PolicyIDs or ()):
            raise StateError("Deletion of the builtin global-management policy is not permitted")
        self._delete_all(tx, self.policies, request.PolicyIDs)

    def set_roles(self, tx: Transaction, request: model.RoleSetRequest) -> None:
        """Write roles, all or none. Raises StateError."""
        for role in request.Roles or ():
            if not role.ID:
                raise StateError("Missing ACL Role ID")
            if not role.Name:
                raise StateError("Missing ACL Role Name")
            policies, _ = self._resolve(role.Policies, self.policies, "policy", allow_missing=request.AllowMissingLinks)
            self._put_named(tx, self.roles, replace(role, Policies=policies), "role")

    def delete_roles(self, tx: Transaction, request: model.RoleDeleteRequest) -> None:
        """Remove roles; links to them stay."""
        self._delete_all(tx, self.roles, request.RoleIDs)

    @staticmethod
    def _delete_all(tx: Transaction, table: Table[Any], keys: Sequence[str] | None) -> None:
        for key in keys or ():
            if tx.delete(table, key.lower()) is not None:
                tx.touch(row_key(table.name, key.lower()))
                tx.bump(table.name)

    # ------------------------------------------------------------------ ways to log in

    def set_binding_rules(self, tx: Transaction, request: model.BindingRuleSetRequest) -> None:
        """Write binding rules, all or none. Raises StateError."""
        for rule in request.BindingRules or ():
            if not rule.ID:
                raise StateError("Missing ACL Binding Rule ID")
            if not rule.AuthMethod:
                raise StateError("Missing ACL Binding Rule Auth Method")
            self._require_method(rule.AuthMethod)
            old = self.binding_rules.get(rule.ID.lower())
            created = old.CreateIndex if old is not None else tx.index
            tx.put(self.binding_rules, replace(rule, CreateIndex=created, ModifyIndex=tx.index))
            tx.bump(BINDING_RULES)

    def delete_binding_rules(self, tx: Transaction, request: model.BindingRuleDeleteRequest) -> None:
        self._delete_all(tx, self.binding_rules, request.BindingRuleIDs)

    def set_auth_methods(self, tx: Transaction, request: model.AuthMethodSetRequest) -> None:
        """Write auth methods, all or none. Raises StateError."""
        for method in request.AuthMethods or ():
            if not method.Name:
                raise StateError("Missing ACL Auth Method Name")
            if not method.Type:
                raise StateError("Missing ACL Auth Method Type")
            old = self.auth_methods.get(method.Name.lower())
            created = old.CreateIndex if old is not None else tx.index
            tx.put(self.auth_methods, replace(method, CreateIndex=created, ModifyIndex=tx.index))
            tx.bump(AUTH_METHODS)

    def delete_auth_methods(self, tx: Transaction, request: model.AuthMethodDeleteRequest) -> None:
        """Remove auth methods with their binding rules and the tokens that logging in with them makes.

        Tokens of the other locality stay: they may be copies of those of another datacenter's method. All servers must
        do that alike; who deletes a method sees to what it would leave behind.
        """
        for name in request.AuthMethodNames or ():
            key = name.lower()
            method = self.auth_methods.get(key)
            if method is None:
                continue
            self._delete_all(tx, self.binding_rules, [rule.ID for rule in self.binding_rules.by("auth_method", key)])
            for token in self.tokens_of_method(method.Name):
                if token.Local != (method.TokenLocality == "global"):
                    self._delete_token(tx, token)
            self._delete_all(tx, self.auth_methods, [key])

    def tokens_of_method(self, name: str) -> list[ACLToken]:
        """The tokens from logins with the method of exactly this name."""
        return [token for token in self.tokens.by("auth_method", name.lower()) if token.AuthMethod == name]

    # ------------------------------------------------------------------ tokens from before 1.4

    def legacy(self, tx: Transaction, request: model.LegacyACLRequest) -> Any:
        """Apply an old request to the tokens of today. The result is the secret, or whether bootstrapping is open."""
        operations: dict[str, Callable[[Transaction, LegacyACL], Any]] = {
            LegacyOp.SET: self._legacy_set,
            LegacyOp.FORCE_SET: self._legacy_set,
            LegacyOp.DELETE: self._legacy_delete,
            LegacyOp.BOOTSTRAP_INIT: lambda tx, acl: self.can_bootstrap()[0],
            LegacyOp.BOOTSTRAP_NOW: self._legacy_bootstrap,
        }
        operation = operations.get(request.Op)
        if operation is None:
            raise StateError(f"Invalid ACL operation '{request.Op}'")
        return operation(tx, request.ACL)

    def _legacy_set(self, tx: Transaction, acl: LegacyACL) -> str:
        if not acl.ID:
            raise StateError("Missing ACL ID")
        old = self.tokens.get(acl.ID)
        if old is not None and is_of_today(old):
            raise StateError("failed inserting acl token: cannot use legacy endpoint to modify a non-legacy token")
        self._put_token(tx, _from_legacy(acl, old))
        return acl.ID

    def _legacy_delete(self, tx: Transaction, acl: LegacyACL) -> None:
        token = self.tokens.get(acl.ID)
        if token is not None:
            self._delete_token(tx, token)

    def _legacy_bootstrap(self, tx: Transaction, acl: LegacyACL) -> LegacyACL:
        if not self.can_bootstrap()[0]:
            raise StateError("ACL bootstrap no longer allowed")
        self._legacy_set(tx, acl)
        tx.bump(BOOTSTRAP)
        return replace(acl, CreateIndex=tx.index, ModifyIndex=tx.index)  # type: ignore[no-any-return]

    # ------------------------------------------------------------------ replication

    def commands(self) -> Mapping[MessageType, ReplicatedCommand]:
        return {
            MessageType.LEGACY_ACL: command(model.LegacyACLRequest, self.legacy),
            MessageType.ACL_BOOTSTRAP: command(model.BootstrapRequest, self.bootstrap),
            MessageType.ACL_TOKEN_SET: command(model.TokenSetRequest, self.set_tokens),
            MessageType.ACL_TOKEN_DELETE: command(model.TokenDeleteRequest, self.delete_tokens),
            MessageType.ACL_POLICY_SET: command(model.PolicySetRequest, self.set_policies),
            MessageType.ACL_POLICY_DELETE: command(model.PolicyDeleteRequest, self.delete_policies),
            MessageType.ACL_ROLE_SET: command(model.RoleSetRequest, self.set_roles),
            MessageType.ACL_ROLE_DELETE: command(model.RoleDeleteRequest, self.delete_roles),
            MessageType.ACL_BINDING_RULE_SET: command(model.BindingRuleSetRequest, self.set_binding_rules),
            MessageType.ACL_BINDING_RULE_DELETE: command(model.BindingRuleDeleteRequest, self.delete_binding_rules),
            MessageType.ACL_AUTH_METHOD_SET: command(model.AuthMethodSetRequest, self.set_auth_methods),
            MessageType.ACL_AUTH_METHOD_DELETE: command(model.AuthMethodDeleteRequest, self.delete_auth_methods),
        }

    def capture(self) -> list[SnapshotSection]:
        # The original writes its first auth method only, over and over; here all of them are kept.
        return [
            SnapshotSection(MessageType.ACL_TOKEN_SET, self.tokens.snapshot()),
            SnapshotSection(MessageType.ACL_POLICY_SET, self.policies.snapshot()),
            SnapshotSection(MessageType.ACL_ROLE_SET, self.roles.snapshot()),
            SnapshotSection(MessageType.ACL_BINDING_RULE_SET, self.binding_rules.snapshot()),
            SnapshotSection(MessageType.ACL_AUTH_METHOD_SET, self.auth_methods.snapshot()),
        ]

    def restorers(self, put: Put) -> Mapping[MessageType, Restorer]:
        read_legacy = msgpack.decoder_for(LegacyACL)
        read_bootstrap = msgpack.decoder_for(model.BootstrapRecord)

        def legacy(value: Any) -> None:
            acl = read_legacy(value)
            token = _from_legacy(acl, None)
            put(self.tokens, replace(token, CreateIndex=acl.CreateIndex, ModifyIndex=acl.ModifyIndex))

        def bootstrapped(value: Any) -> None:
            self.store.indexes[BOOTSTRAP] = read_bootstrap(value).ModifyIndex

        return {
            MessageType.LEGACY_ACL: legacy,
            MessageType.ACL_BOOTSTRAP: bootstrapped,
            MessageType.ACL_TOKEN_SET: row_restorer(put, self.tokens, ACLToken),
            MessageType.ACL_POLICY_SET: row_restorer(put, self.policies, ACLPolicy),
            MessageType.ACL_ROLE_SET: row_restorer(put, self.roles, ACLRole),
            MessageType.ACL_BINDING_RULE_SET: row_restorer(put, self.binding_rules, ACLBindingRule),
            MessageType.ACL_AUTH_METHOD_SET: row_restorer(put, self.auth_methods, ACLAuthMethod),
        }


def is_of_today(token: ACLToken) -> bool:
    """Whether the token has anything that requests from before 1.4 know nothing of, and must not take away."""
    return bool(
        not token.Type or token.Policies or token.Roles or token.ServiceIdentities or token.NodeIdentities
        or token.TemplatedPolicies or token.ExpirationTime or token.AuthMethod
    )  # fmt: skip


def _from_legacy(acl: LegacyACL, old: ACLToken | None) -> ACLToken:
    """The token of today that does what ``acl`` did; it keeps the accessor id it may have been given."""
    # The hash of a token with neither links nor identities, which is not local.
    text = f"{acl.Name}{acl.Type}{acl.Rules}global".encode("utf-8", "surrogateescape")
    return ACLToken(
        AccessorID=old.AccessorID if old is not None else "", SecretID=acl.ID, Description=acl.Name,
        Type=acl.Type, Rules=acl.Rules, Hash=blake2b(text, digest_size=32).digest(),
    )  # fmt: skip
