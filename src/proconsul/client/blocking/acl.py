# Made by scripts/make_blocking_client.py of ../aio/acl.py: change that one.
"""/v1/acl (HTTP API: acl)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from proconsul.client.blocking.group import Group, Many
from proconsul.client.decoding import plain
from proconsul.client.options import ReadOptions, WriteOptions, given
from proconsul.client.types import (
    AuthMethod,
    BindingRule,
    BootstrapToken,
    LegacyToken,
    Policy,
    ReplicationStatus,
    Role,
    Token,
)
from proconsul.client.wire import path_of

__all__ = [
    "ACL", "AuthMethods", "BindingRules", "LegacyTokens", "Policies", "Roles",
    "Templates", "Tokens",
]  # fmt: skip

Fields = Mapping[str, Any]


class ACL(Group):
    """Access control; what it consists of is in groups of their own.

    What is made or changed is given as a record (`Token`, `Policy`, ...) or as a mapping of its fields. A read of what
    is not there gives None; where rights do not suffice to know that, PermissionDenied is raised.
    """

    __slots__ = ("auth_methods", "binding_rules", "legacy", "policies", "roles", "templates", "tokens")

    auth_methods: AuthMethods
    binding_rules: BindingRules
    legacy: LegacyTokens
    policies: Policies
    roles: Roles
    templates: Templates
    tokens: Tokens

    def __init__(self, caller: Any) -> None:
        super().__init__(caller)
        self.tokens = Tokens(caller)
        self.policies = Policies(caller)
        self.roles = Roles(caller)
        self.auth_methods = AuthMethods(caller)
        self.binding_rules = BindingRules(caller)
        self.templates = Templates(caller)
        self.legacy = LegacyTokens(caller)

    def bootstrap(self, **options: Unpack[WriteOptions]) -> BootstrapToken:
        """The first token, which may do everything; there is only one."""
        return self._call.written("PUT", "/v1/acl/bootstrap", BootstrapToken, options)

    def replication(self, **options: Unpack[ReadOptions]) -> ReplicationStatus:
        """How far the copy of the primary datacenter's access control is."""
        return self._call.read("/v1/acl/replication", ReplicationStatus, options)

    def login(
        self, auth_method: str, bearer_token: str, *, meta: Mapping[str, str] | None = None,
        **options: Unpack[WriteOptions],
    ) -> Token:  # fmt: skip
        """Exchange what an auth method knows for a token of ours."""
        body = {"AuthMethod": auth_method, "BearerToken": bearer_token, "Meta": dict(meta or {})}
        return self._call.written("POST", "/v1/acl/login", Token, options, body=body)

    def logout(self, **options: Unpack[WriteOptions]) -> None:
        """End the token that a login gave: that of the client, or ``token``."""
        self._call.write("POST", "/v1/acl/logout", options)

    def oidc_auth_url(
        self, auth_method: str, redirect_uri: str, *, client_nonce: str = "", meta: Mapping[str, str] | None = None,
        **options: Unpack[WriteOptions],
    ) -> str:  # fmt: skip
        """Where a browser is sent to log in (1.8, Enterprise there)."""
        body = {"AuthMethod": auth_method, "RedirectURI": redirect_uri, "Meta": dict(meta or {})}
        if client_nonce:
            body["ClientNonce"] = client_nonce
        found = self._call.written("POST", "/v1/acl/oidc/auth-url", dict[str, str], options, body=body)
        return found.get("AuthURL", "")

    def oidc_callback(
        self, auth_method: str, state: str, code: str, *, client_nonce: str = "", **options: Unpack[WriteOptions]
    ) -> Token:  # fmt: skip
        """The token for what the browser came back with."""
        body = {"AuthMethod": auth_method, "State": state, "Code": code}
        if client_nonce:
            body["ClientNonce"] = client_nonce
        return self._call.written("POST", "/v1/acl/oidc/callback", Token, options, body=body)

    def authorize(
        self, questions: Sequence[tuple[str, str, str]], **options: Unpack[ReadOptions]
    ) -> list[bool]:  # fmt: skip
        """Whether the token may: for each of resource, access and name, as ``("key", "write", "app/")``."""
        body = [{"Resource": resource, "Access": access, "Segment": name} for resource, access, name in questions]
        path = "/v1/internal/acl/authorize"
        found = self._call.read(path, list[dict[str, Any]], options, method="POST", body=body)
        return [bool(one.get("Allow")) for one in found]

    def explain(
        self, accessor: str, resource: str, access: str, name: str = "", **options: Unpack[ReadOptions]
    ) -> dict[str, Any]:  # fmt: skip
        """Whether a token may, and which rule says so. proconsul's alone."""
        query = given(accessor=accessor, resource=resource, access=access, segment=name)
        return self._call.read("/v1/internal/acl/explain", dict[str, Any], options, query)


class Tokens(Group):
    """Tokens, by their accessor ids."""

    __slots__ = ()

    def create(self, token: Token | Fields, /, **options: Unpack[WriteOptions]) -> Token:
        """Make one; its secret is in the answer."""
        return self._call.written("PUT", "/v1/acl/token", Token, options, body=token)

    def read(
        self, accessor: str, *, expanded: bool = False, **options: Unpack[ReadOptions]
    ) -> Token | None:  # fmt: skip
        """One token, None where there is none."""
        return self._call.find(path_of("/v1/acl/token/", accessor), Token, options, given(expanded=expanded))

    def self(self, **options: Unpack[ReadOptions]) -> Token:
        """The token that is used."""
        return self._call.read("/v1/acl/token/self", Token, options)

    def update(self, accessor: str, token: Token | Fields, /, **options: Unpack[WriteOptions]) -> Token:
        """Have it be so."""
        body = {**plain(token), "AccessorID": accessor}
        path = path_of("/v1/acl/token/", accessor)
        return self._call.written("PUT", path, Token, options, body=body, repeatable=True)

    def clone(self, accessor: str, *, description: str = "", **options: Unpack[WriteOptions]) -> Token:
        """Make another that may the same."""
        path = path_of("/v1/acl/token/", accessor) + "/clone"
        return self._call.written("PUT", path, Token, options, body={"Description": description})

    def delete(self, accessor: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", path_of("/v1/acl/token/", accessor), options, repeatable=True)

    def list(
        self, *, policy: str | None = None, role: str | None = None, auth_method: str | None = None,
        service: str | None = None, **options: Unpack[ReadOptions],
    ) -> Many[Token]:  # fmt: skip
        """All tokens, or those with a policy (by id), a role (by id), of a way to log in, or of a service (1.14)."""
        query = given(policy=policy, role=role, authmethod=auth_method, servicename=service)
        return self._call.read("/v1/acl/tokens", list[Token], options, query)


class Policies(Group):
    """Policies: rules under a name."""

    __slots__ = ()

    def create(self, policy: Policy | Fields, **options: Unpack[WriteOptions]) -> Policy:
        """Make one."""
        return self._call.written("PUT", "/v1/acl/policy", Policy, options, body=policy)

    def read(self, policy_id: str, **options: Unpack[ReadOptions]) -> Policy | None:
        """One policy, None where there is none."""
        return self._call.find(path_of("/v1/acl/policy/", policy_id), Policy, options)

    def named(self, name: str, **options: Unpack[ReadOptions]) -> Policy | None:
        """One policy by its name, None where there is none."""
        return self._call.find(path_of("/v1/acl/policy/name/", name), Policy, options)

    def update(self, policy_id: str, policy: Policy | Fields, **options: Unpack[WriteOptions]) -> Policy:
        """Have it be so."""
        body = {**plain(policy), "ID": policy_id}
        path = path_of("/v1/acl/policy/", policy_id)
        return self._call.written("PUT", path, Policy, options, body=body, repeatable=True)

    def delete(self, policy_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", path_of("/v1/acl/policy/", policy_id), options, repeatable=True)

    def list(self, **options: Unpack[ReadOptions]) -> Many[Policy]:
        """All policies, without their rules."""
        return self._call.read("/v1/acl/policies", list[Policy], options)


class Roles(Group):
    """Roles: policies and identities under one name."""

    __slots__ = ()

    def create(self, role: Role | Fields, **options: Unpack[WriteOptions]) -> Role:
        """Make one."""
        return self._call.written("PUT", "/v1/acl/role", Role, options, body=role)

    def read(self, role_id: str, **options: Unpack[ReadOptions]) -> Role | None:
        """One role, None where there is none."""
        return self._call.find(path_of("/v1/acl/role/", role_id), Role, options)

    def named(self, name: str, **options: Unpack[ReadOptions]) -> Role | None:
        """One role by its name, None where there is none."""
        return self._call.find(path_of("/v1/acl/role/name/", name), Role, options)

    def update(self, role_id: str, role: Role | Fields, **options: Unpack[WriteOptions]) -> Role:
        """Have it be so."""
        path = path_of("/v1/acl/role/", role_id)
        body = {**plain(role), "ID": role_id}
        return self._call.written("PUT", path, Role, options, body=body, repeatable=True)

    def delete(self, role_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", path_of("/v1/acl/role/", role_id), options, repeatable=True)

    def list(self, *, policy: str | None = None, **options: Unpack[ReadOptions]) -> Many[Role]:
        """All roles, or those with a policy."""
        return self._call.read("/v1/acl/roles", list[Role], options, given(policy=policy))


class AuthMethods(Group):
    """Ways to log in, by name."""

    __slots__ = ()

    def create(self, method: AuthMethod | Fields, **options: Unpack[WriteOptions]) -> AuthMethod:
        """Make one."""
        return self._call.written("PUT", "/v1/acl/auth-method", AuthMethod, options, body=method)

    def read(self, name: str, **options: Unpack[ReadOptions]) -> AuthMethod | None:
        """One of them, None where there is none."""
        return self._call.find(path_of("/v1/acl/auth-method/", name), AuthMethod, options)

    def update(self, name: str, method: AuthMethod | Fields, **options: Unpack[WriteOptions]) -> AuthMethod:
        """Have it be so."""
        path = path_of("/v1/acl/auth-method/", name)
        body = {**plain(method), "Name": name}
        return self._call.written("PUT", path, AuthMethod, options, body=body, repeatable=True)

    def delete(self, name: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it, with all tokens that it gave."""
        self._call.write("DELETE", path_of("/v1/acl/auth-method/", name), options, repeatable=True)

    def list(self, **options: Unpack[ReadOptions]) -> Many[AuthMethod]:
        """All of them, without their settings."""
        return self._call.read("/v1/acl/auth-methods", list[AuthMethod], options)


class BindingRules(Group):
    """What logins are given."""

    __slots__ = ()

    def create(self, rule: BindingRule | Fields, **options: Unpack[WriteOptions]) -> BindingRule:
        """Make one."""
        return self._call.written("PUT", "/v1/acl/binding-rule", BindingRule, options, body=rule)

    def read(self, rule_id: str, **options: Unpack[ReadOptions]) -> BindingRule | None:
        """One of them, None where there is none."""
        return self._call.find(path_of("/v1/acl/binding-rule/", rule_id), BindingRule, options)

    def update(
        self, rule_id: str, rule: BindingRule | Fields, **options: Unpack[WriteOptions]
    ) -> BindingRule:  # fmt: skip
        """Have it be so."""
        path = path_of("/v1/acl/binding-rule/", rule_id)
        body = {**plain(rule), "ID": rule_id}
        return self._call.written("PUT", path, BindingRule, options, body=body, repeatable=True)

    def delete(self, rule_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("DELETE", path_of("/v1/acl/binding-rule/", rule_id), options, repeatable=True)

    def list(self, *, auth_method: str | None = None, **options: Unpack[ReadOptions]) -> Many[BindingRule]:
        """All of them, or those of one way to log in."""
        return self._call.read("/v1/acl/binding-rules", list[BindingRule], options, given(authmethod=auth_method))


class Templates(Group):
    """Policies with a name to fill in (1.17)."""

    __slots__ = ()

    def list(self, **options: Unpack[ReadOptions]) -> dict[str, dict[str, Any]]:
        """All there are, by name."""
        return self._call.read("/v1/acl/templated-policies", dict[str, dict[str, Any]], options)

    def read(self, name: str, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """One of them."""
        return self._call.read(path_of("/v1/acl/templated-policy/name/", name), dict[str, Any], options)

    def preview(self, template: str, name: str = "", **options: Unpack[ReadOptions]) -> Policy:
        """The policy that it is with ``name`` filled in."""
        path = path_of("/v1/acl/templated-policy/preview/", template)
        body = {"Name": name} if name else {}
        return self._call.read(path, Policy, options, method="POST", body=body)


class LegacyTokens(Group):
    """Tokens from before 1.4, which Consul gave up with 1.11."""

    __slots__ = ()

    def create(self, token: LegacyToken | Fields, /, **options: Unpack[WriteOptions]) -> str:
        """Make one; its secret."""
        return (self._call.written("PUT", "/v1/acl/create", dict[str, str], options, body=token))["ID"]

    def update(self, token: LegacyToken | Fields, /, **options: Unpack[WriteOptions]) -> str:
        """Have the one of the same ``ID`` be so."""
        path = "/v1/acl/update"
        return (self._call.written("PUT", path, dict[str, str], options, body=token, repeatable=True))["ID"]

    def destroy(self, secret: str, **options: Unpack[WriteOptions]) -> None:
        """Remove it."""
        self._call.write("PUT", path_of("/v1/acl/destroy/", secret), options, repeatable=True)

    def info(self, secret: str, **options: Unpack[ReadOptions]) -> LegacyToken | None:
        """One of them, None where there is none."""
        found = self._call.read(path_of("/v1/acl/info/", secret), list[LegacyToken], options)
        return found[0] if found else None

    def clone(self, secret: str, **options: Unpack[WriteOptions]) -> str:
        """Make another that may the same; its secret."""
        return (self._call.written("PUT", path_of("/v1/acl/clone/", secret), dict[str, str], options))["ID"]

    def list(self, **options: Unpack[ReadOptions]) -> Many[LegacyToken]:
        """All of them."""
        return self._call.read("/v1/acl/list", list[LegacyToken], options)

    def translate_rules(self, rules: str, **options: Unpack[WriteOptions]) -> str:
        """Rules in the language before 1.4 in the one since."""
        answer = self._call.write(
            "POST", "/v1/acl/rules/translate", options, body=rules.encode(), repeatable=True
        )  # fmt: skip
        return answer.body.decode("utf-8", "replace")

    def translate_token(self, accessor: str, **options: Unpack[ReadOptions]) -> str:
        """The rules of a token from before 1.4 in the language since."""
        data = self._call.read_bytes(path_of("/v1/acl/rules/translate/", accessor), options)
        return (data or b"").decode("utf-8", "replace")
