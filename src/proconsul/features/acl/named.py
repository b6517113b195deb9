"""ACL.Policy* and ACL.Role*: rules, policies and identities under names."""

from __future__ import annotations

from typing import Any

from proconsul.engine.completion import Completion, tell
from proconsul.engine.store.table import Table
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import ABSENT, replace
from proconsul.features.acl import model
from proconsul.features.acl.common import POLICY_NAME, ROLE_NAME, Desk, checked_name, find_row, resolve_links
from proconsul.features.acl.hashes import hash_of_policy, hash_of_role
from proconsul.features.acl.identities import node_identities, service_identities
from proconsul.features.acl.model import MANAGEMENT_POLICY_ID, READ_ONLY_POLICY_ID, ACLPolicy, ACLRole
from proconsul.features.acl.requests import (
    ListRequest,
    PolicyBatchRequest,
    PolicyBatchResponse,
    PolicyDeleteCall,
    PolicyGetRequest,
    PolicyListResponse,
    PolicyListStub,
    PolicyResponse,
    PolicySetCall,
    RoleBatchRequest,
    RoleDeleteCall,
    RoleGetRequest,
    RoleListResponse,
    RoleResponse,
    RoleSetCall,
)
from proconsul.features.acl.rules import parse_rules
from proconsul.features.acl.setup import READ_ONLY_POLICY
from proconsul.features.acl.state import POLICIES, ROLES
from proconsul.features.acl.templated import templated_policies
from proconsul.features.errors import ConsulError
from proconsul.features.ids import check_uuid
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, ReadMethod, WriteMethod, or_empty

POLICY_READ = ReadMethod("ACL.PolicyRead", PolicyGetRequest, PolicyResponse, "Policy")
POLICY_LIST = ReadMethod("ACL.PolicyList", ListRequest, PolicyListResponse, "Policies", to_value=or_empty)
POLICY_SET = WriteMethod("ACL.PolicySet", PolicySetCall, ACLPolicy)
POLICY_DELETE = WriteMethod("ACL.PolicyDelete", PolicyDeleteCall, str)
ROLE_READ = ReadMethod("ACL.RoleRead", RoleGetRequest, RoleResponse, "Role")
ROLE_LIST = ReadMethod("ACL.RoleList", ListRequest, RoleListResponse, "Roles", to_value=or_empty)
ROLE_SET = WriteMethod("ACL.RoleSet", RoleSetCall, ACLRole)
ROLE_DELETE = WriteMethod("ACL.RoleDelete", RoleDeleteCall, str)
# Client agents ask what the tokens of their users link to. Nothing but to have the token is needed.
POLICY_RESOLVE = ReadMethod("ACL.PolicyResolve", PolicyBatchRequest, PolicyBatchResponse, "Policies", to_value=or_empty)
ROLE_RESOLVE = ReadMethod("ACL.RoleResolve", RoleBatchRequest, RoleListResponse, "Roles", to_value=or_empty)


# Whoever copies policies and roles to other datacenters asks for many at once.
POLICY_BATCH = ReadMethod("ACL.PolicyBatchRead", PolicyBatchRequest, PolicyBatchResponse, "Policies", to_value=or_empty)
ROLE_BATCH = ReadMethod("ACL.RoleBatchRead", RoleBatchRequest, RoleListResponse, "Roles", to_value=or_empty)


def _with_ids(table: Table[Any], ids: list[str] | None, what: str) -> list[Any]:
    """The rows with these ids, as often and in the order in which they are asked for. Raises StateError."""
    for row_id in ids or ():
        check_uuid(row_id, f"acl {what}")
    found = (table.get(row_id.lower()) for row_id in ids or ())
    return [row for row in found if row is not None]


def _asked_for(ids: list[str] | None, rows: list[Any]) -> list[Any]:
    wanted = {one.lower() for one in ids or ()}
    return [row for row in rows if row.ID.lower() in wanted]


class Policies:
    """ACL.PolicyRead, PolicyList, PolicySet and PolicyDelete."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._table = desk, desk.state.policies
        self.reads: dict[ReadMethod, Any] = {
            POLICY_READ: self.read, POLICY_LIST: self.list_all, POLICY_RESOLVE: self.resolve,
            POLICY_BATCH: self.batch,
        }  # fmt: skip
        self.writes: dict[WriteMethod, Any] = {POLICY_SET: self.set, POLICY_DELETE: self.delete}

    def read(self, args: PolicyGetRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, ACLPolicy | None]:
            index = self._desk.watched(watch, POLICIES)
            return index, find_row(self._table, args.PolicyID, args.PolicyName, "policy")

        key = (POLICY_READ.name, args.Token, args.PolicyID, args.PolicyName)
        return Read(key, run, POLICY_READ, args, shared=False)

    def list_all(self, args: ListRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, list[PolicyListStub]]:
            index = self._desk.watched(watch, POLICIES)
            return index, [
                PolicyListStub(
                    ID=row.ID, Name=row.Name, Description=row.Description, Datacenters=row.Datacenters, Hash=row.Hash,
                    CreateIndex=row.CreateIndex, ModifyIndex=row.ModifyIndex,
                ) for row in self._table.all()
            ]  # fmt: skip

        return Read((POLICY_LIST.name, args.Token), run, POLICY_LIST, args)

    def resolve(self, args: PolicyBatchRequest) -> Read:
        """The asked for among the policies of whoever asks. Raises ACLNotFound."""

        def run(watch: WatchSet | None) -> tuple[int, list[ACLPolicy]]:
            index, token = self._desk.watched(watch, POLICIES), self._desk.resolver.resolve(args.Token).token
            return index, [] if token is None else _asked_for(args.PolicyIDs, self._desk.resolver.policies_of(token))

        key = (POLICY_RESOLVE.name, args.Token, tuple(args.PolicyIDs or ()))
        return Read(key, run, POLICY_RESOLVE, args, shared=False)

    def batch(self, args: PolicyBatchRequest) -> Read:
        """Those with these ids, for those who may read them. Raises ACLNotFound."""

        def run(watch: WatchSet | None) -> tuple[int, list[ACLPolicy]]:
            index, found = self._desk.watched(watch, POLICIES), _with_ids(self._table, args.PolicyIDs, "policy")
            return index, found if self._desk.may_read(args.Token) else []

        return Read((POLICY_BATCH.name, args.Token, tuple(args.PolicyIDs or ())), run, POLICY_BATCH, args, shared=False)

    def set(self, waiter: Completion, args: PolicySetCall) -> None:
        """Make or change a policy; the result is what is stored. Raises ConsulError."""
        policy = args.Policy
        old = checked_name(self._table, policy, "policy", POLICY_NAME)
        if old is None:
            policy = replace(policy, ID=self._desk.new_id((self._table, "")))
        elif old.ID == MANAGEMENT_POLICY_ID:
            if policy.Datacenters:
                raise ConsulError("Changing the Datacenters of the builtin global-management policy is not permitted")
            if policy.Rules != old.Rules:
                raise ConsulError("Changing the Rules for the builtin global-management policy is not permitted")
        elif old.ID == READ_ONLY_POLICY_ID and (policy.Datacenters or policy.Rules != old.Rules):
            what = "Datacenters of" if policy.Datacenters else "Rules for"
            raise ConsulError(f"Changing the {what} the builtin {READ_ONLY_POLICY} policy is not permitted")
        parse_rules(policy.Rules)
        policy = replace(policy, Syntax=0, Hash=hash_of_policy(policy))
        self._desk.propose(
            waiter, MessageType.ACL_POLICY_SET, model.PolicySetRequest(Policies=[policy]),
            lambda: self._table.get(policy.ID.lower()),
        )  # fmt: skip

    def delete(self, waiter: Completion, args: PolicyDeleteCall) -> None:
        """Remove a policy; the result is its name, "" when there is none. Raises ConsulError."""
        policy = find_row(self._table, args.PolicyID, "", "policy")
        if policy is None:
            tell(waiter, "")
            return
        if policy.ID == MANAGEMENT_POLICY_ID:
            raise ConsulError("Delete operation not permitted on the builtin global-management policy")
        if policy.ID == READ_ONLY_POLICY_ID:
            raise ConsulError(f"Delete operation not permitted on the builtin {READ_ONLY_POLICY} policy")
        request = model.PolicyDeleteRequest(PolicyIDs=[policy.ID])
        self._desk.propose(waiter, MessageType.ACL_POLICY_DELETE, request, lambda: policy.Name)


class Roles:
    """ACL.RoleRead, RoleList, RoleSet and RoleDelete."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._table = desk, desk.state.roles
        self.reads: dict[ReadMethod, Any] = {
            ROLE_READ: self.read, ROLE_LIST: self.list_all, ROLE_RESOLVE: self.resolve, ROLE_BATCH: self.batch
        }  # fmt: skip
        self.writes: dict[WriteMethod, Any] = {ROLE_SET: self.set, ROLE_DELETE: self.delete}

    def _shown(self, role: ACLRole) -> ACLRole:
        return replace(role, Policies=self._desk.resolver.policy_links(role.Policies))  # type: ignore[no-any-return]

    def read(self, args: RoleGetRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, ACLRole | None]:
            index = self._desk.watched(watch, ROLES)
            role = find_row(self._table, args.RoleID, args.RoleName, "role")
            return index, None if role is None else self._shown(role)

        key = (ROLE_READ.name, args.Token, args.RoleID, args.RoleName)
        return Read(key, run, ROLE_READ, args, shared=False)

    def list_all(self, args: ListRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, list[ACLRole]]:
            index = self._desk.watched(watch, ROLES)
            rows = self._table.by("policy", args.Policy.lower()) if args.Policy else self._table.all()
            return index, [self._shown(row) for row in rows]

        return Read((ROLE_LIST.name, args.Token, args.Policy.lower()), run, ROLE_LIST, args)

    def resolve(self, args: RoleBatchRequest) -> Read:
        """The asked for among the roles of whoever asks. Raises ACLNotFound."""

        def run(watch: WatchSet | None) -> tuple[int, list[ACLRole]]:
            index, token = self._desk.watched(watch, ROLES), self._desk.resolver.resolve(args.Token).token
            roles = [] if token is None else _asked_for(args.RoleIDs, self._desk.resolver.roles_of(token))
            return index, [self._shown(role) for role in roles]

        key = (ROLE_RESOLVE.name, args.Token, tuple(args.RoleIDs or ()))
        return Read(key, run, ROLE_RESOLVE, args, shared=False)

    def batch(self, args: RoleBatchRequest) -> Read:
        """Those with these ids, for those who may read them. Raises ACLNotFound."""

        def run(watch: WatchSet | None) -> tuple[int, list[ACLRole]]:
            index, found = self._desk.watched(watch, ROLES), _with_ids(self._table, args.RoleIDs, "role")
            return index, [self._shown(role) for role in found] if self._desk.may_read(args.Token) else []

        return Read((ROLE_BATCH.name, args.Token, tuple(args.RoleIDs or ())), run, ROLE_BATCH, args, shared=False)

    def set(self, waiter: Completion, args: RoleSetCall) -> None:
        """Make or change a role; the result is what is stored. Raises ConsulError."""
        role = args.Role
        if checked_name(self._table, role, "role", ROLE_NAME) is None:
            role = replace(role, ID=self._desk.new_id((self._table, "")))
        role = replace(
            role, Policies=resolve_links(role.Policies, self._desk.state.policies, "policy", by_id=False),
            ServiceIdentities=service_identities(role.ServiceIdentities, "role"),
            NodeIdentities=node_identities(role.NodeIdentities, "role"),
            TemplatedPolicies=templated_policies(role.TemplatedPolicies, "role") or ABSENT,
        )  # fmt: skip
        role = replace(role, Hash=hash_of_role(role))
        self._desk.propose(
            waiter, MessageType.ACL_ROLE_SET, model.RoleSetRequest(Roles=[role]),
            lambda: self._shown(self._table.get(role.ID.lower())),  # type: ignore[arg-type]
        )  # fmt: skip

    def delete(self, waiter: Completion, args: RoleDeleteCall) -> None:
        """Remove a role; the result is its name, "" when there is none. Raises ConsulError."""
        role = find_row(self._table, args.RoleID, "", "role")
        if role is None:
            tell(waiter, "")
            return
        request = model.RoleDeleteRequest(RoleIDs=[role.ID])
        self._desk.propose(waiter, MessageType.ACL_ROLE_DELETE, request, lambda: role.Name)
