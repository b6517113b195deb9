"""A state with tokens and policies in it, and what its server would say, without any server."""

from __future__ import annotations

import uuid
from typing import Any

from proconsul.engine.wire.gotime import from_unix_ns
from proconsul.features.acl import model
from proconsul.features.acl.model import ACLPolicy, ACLRole, ACLToken, Link
from proconsul.features.acl.resolver import Resolver
from proconsul.features.state import State

SECOND_NS = 1_000_000_000


class World:
    """``now_ns`` is what the clock says."""

    def __init__(self, *, default_allow: bool = False, datacenter: str = "dc1") -> None:
        self.state, self.index, self.now_ns = State(), 0, 1_700_000_000 * SECOND_NS
        self.resolver = Resolver(
            self.state.acl, enabled=True, default_allow=default_allow, datacenter=datacenter,
            wall_clock_ns=lambda: self.now_ns,
        )  # fmt: skip

    def apply(self, kind: Any, request: Any) -> Any:
        self.index += 1
        tx = self.state.store.begin(self.index)
        result = self.state.acl.commands()[kind].apply(tx, request)
        tx.commit()
        return result

    def write(self, run: Any) -> None:
        self.index += 1
        tx = self.state.store.begin(self.index)
        run(tx)
        tx.commit()

    def policy(self, name: str, rules: str, policy_id: str = "", **fields: Any) -> Link:
        row = ACLPolicy(ID=policy_id or str(uuid.uuid4()), Name=name, Rules=rules, **fields)
        self.write(lambda tx: self.state.acl.set_policies(tx, model.PolicySetRequest(Policies=[row])))
        return Link(row.ID, name)

    def role(self, name: str, **fields: Any) -> Link:
        row = ACLRole(ID=str(uuid.uuid4()), Name=name, **fields)
        self.write(lambda tx: self.state.acl.set_roles(tx, model.RoleSetRequest(Roles=[row])))
        return Link(row.ID, name)

    def token(self, *rules: str, expires_s: float | None = None, **fields: Any) -> ACLToken:
        links = [self.policy(f"p{self.index}-{number}", text) for number, text in enumerate(rules)]
        expires = None if expires_s is None else from_unix_ns(self.now_ns + int(expires_s * SECOND_NS))
        given: dict[str, Any] = {
            "AccessorID": str(uuid.uuid4()), "SecretID": str(uuid.uuid4()), "Policies": links or None,
            "ExpirationTime": expires, **fields,
        }  # fmt: skip
        row = ACLToken(**given)
        self.write(lambda tx: self.state.acl.set_tokens(tx, model.TokenSetRequest(Tokens=[row])))
        stored = self.state.acl.token(row.AccessorID)
        assert stored is not None
        return stored

    def secret(self, *rules: str) -> str:
        return self.token(*rules).SecretID
