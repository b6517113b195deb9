"""ACL.BindingRule*: what those who log in are given, and how that is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from proconsul.engine.completion import Completion, tell
from proconsul.engine.filter import FilterError, compile_filter
from proconsul.engine.hil import HilError, HilTemplate
from proconsul.engine.store.watch import WatchSet
from proconsul.engine.wire.record import ABSENT, replace
from proconsul.engine.wire.text import quoted
from proconsul.features.acl import model
from proconsul.features.acl.auth.common import AuthError, Verified
from proconsul.features.acl.common import POLICY_NAME, ROLE_NAME, Desk, find_row
from proconsul.features.acl.identities import is_identity_name
from proconsul.features.acl.methods import AuthMethods
from proconsul.features.acl.model import (
    ACLBindingRule,
    Link,
    NodeIdentity,
    ServiceIdentity,
    TemplatedPolicy,
    TemplateVariables,
)
from proconsul.features.acl.requests import (
    BindingRuleDeleteCall,
    BindingRuleGetRequest,
    BindingRuleListRequest,
    BindingRuleListResponse,
    BindingRuleResponse,
    BindingRuleSetCall,
)
from proconsul.features.acl.state import BINDING_RULES, ACLState
from proconsul.features.acl.templated import checked, templates
from proconsul.features.errors import ConsulError
from proconsul.features.ids import is_uuid
from proconsul.features.messages import MessageType
from proconsul.features.server import Read, ReadMethod, WriteMethod, or_empty

RULE_READ = ReadMethod("ACL.BindingRuleRead", BindingRuleGetRequest, BindingRuleResponse, "BindingRule")
RULE_LIST = ReadMethod(
    "ACL.BindingRuleList", BindingRuleListRequest, BindingRuleListResponse, "BindingRules", to_value=or_empty
)
RULE_SET = WriteMethod("ACL.BindingRuleSet", BindingRuleSetCall, ACLBindingRule)
RULE_DELETE = WriteMethod("ACL.BindingRuleDelete", BindingRuleDeleteCall, bool)

# Stands for the values of variables that are not known yet; no number, so that nobody computes with them.
_ANY_VALUE = "fake"
# What a rule gives, and which names that can have.
SERVICE, NODE, ROLE, POLICY, TEMPLATED = "service", "node", "role", "policy", "templated-policy"
_NAMES: Mapping[str, Callable[[str], bool]] = {
    SERVICE: is_identity_name, NODE: is_identity_name, ROLE: lambda name: ROLE_NAME.fullmatch(name) is not None,
    POLICY: lambda name: POLICY_NAME.fullmatch(name) is not None, TEMPLATED: lambda name: name in templates(),
}  # fmt: skip


class Bindings(NamedTuple):
    """What all rules that match come to."""

    services: list[ServiceIdentity]
    nodes: list[NodeIdentity]
    roles: list[Link]
    policies: list[Link]
    templated: list[TemplatedPolicy]

    @property
    def any(self) -> bool:
        return bool(self.services or self.nodes or self.roles or self.policies or self.templated)


def _name(kind: str, text: str, variables: Mapping[str, str]) -> tuple[str, bool]:
    """What a rule's name comes to, and whether that is possible. Raises HilError."""
    rendered = HilTemplate(text).render(variables)
    return rendered, _NAMES[kind](rendered)


def bindings(state: ACLState, rules: Iterable[ACLBindingRule], verified: Verified, datacenter: str) -> Bindings:
    """What ``verified`` is given by ``rules``; roles and policies as far as they are there. Raises AuthError."""
    found = Bindings([], [], [], [], [])
    # Names of services and nodes are lower case; those of roles and policies are found in any.
    variables = {name: value.lower() for name, value in verified.variables.items()}
    for rule in rules:
        if not _matches(rule, verified):
            continue
        try:
            name, valid = _name(rule.BindType, rule.BindName, variables)
        except HilError as error:
            raise AuthError(f"cannot compute {quoted(rule.BindType)} bind name for bind target: {error}") from None
        if not valid:
            raise AuthError(f"computed {quoted(rule.BindType)} bind name for bind target is invalid: {quoted(name)}")
        if rule.BindType == SERVICE:
            found.services.append(ServiceIdentity(name))
        elif rule.BindType == TEMPLATED:
            found.templated.append(_templated(rule, name, variables))
        elif rule.BindType == NODE:
            found.nodes.append(NodeIdentity(name, datacenter))
        else:
            table, links = (state.roles, found.roles) if rule.BindType == ROLE else (state.policies, found.policies)
            links += [Link(row.ID, row.Name) for row in table.by("name", name.lower())]
    return found


def _templated(rule: ACLBindingRule, name: str, variables: Mapping[str, str]) -> TemplatedPolicy:
    """The templated policy that a rule gives. Raises AuthError."""
    try:
        filled = HilTemplate(rule.BindVars.Name).render(variables) if rule.BindVars else ""
        return checked(TemplatedPolicy(name, TemplateVariables(filled)), "token")
    except (HilError, ConsulError) as error:
        raise AuthError(f"cannot compute {quoted(rule.BindType)} bind vars for bind target: {error}") from None


def _matches(rule: ACLBindingRule, verified: Verified) -> bool:
    if not rule.Selector:
        return True
    try:
        return compile_filter(rule.Selector, type(verified.fields))(verified.fields)
    except FilterError:
        return False  # the configuration of the method has changed since


class BindingRules:
    """ACL.BindingRuleRead, BindingRuleList, BindingRuleSet and BindingRuleDelete."""

    def __init__(self, desk: Desk, methods: AuthMethods) -> None:
        self._desk, self._methods, self._table = desk, methods, desk.state.binding_rules
        self.reads: dict[ReadMethod, Any] = {RULE_READ: self.read, RULE_LIST: self.list_all}
        self.writes: dict[WriteMethod, Any] = {RULE_SET: self.set, RULE_DELETE: self.delete}

    def of_method(self, name: str) -> list[ACLBindingRule]:
        """The rules of a method, in the order of their ids."""
        return sorted(self._table.by("auth_method", name.lower()), key=lambda rule: rule.ID)

    def read(self, args: BindingRuleGetRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, ACLBindingRule | None]:
            index = self._desk.watched(watch, BINDING_RULES)
            return index, self._find(args.BindingRuleID)

        return Read((RULE_READ.name, args.Token, args.BindingRuleID), run, RULE_READ, args, shared=False)

    def _find(self, rule_id: str) -> ACLBindingRule | None:
        found: ACLBindingRule | None = find_row(self._table, rule_id, "", "binding rule") if rule_id else None
        return found

    def list_all(self, args: BindingRuleListRequest) -> Read:
        def run(watch: WatchSet | None) -> tuple[int, list[ACLBindingRule]]:
            index = self._desk.watched(watch, BINDING_RULES)
            return index, self.of_method(args.AuthMethod) if args.AuthMethod else list(self._table.all())

        return Read((RULE_LIST.name, args.Token, args.AuthMethod.lower()), run, RULE_LIST, args)

    def set(self, waiter: Completion, args: BindingRuleSetCall) -> None:
        """Make or change a rule; the result is what is stored. Raises ConsulError."""
        rule = self._checked(args.BindingRule)
        request = model.BindingRuleSetRequest(BindingRules=[rule])
        self._desk.propose(
            waiter, MessageType.ACL_BINDING_RULE_SET, request, lambda: self._table.get(rule.ID.lower())
        )  # fmt: skip

    def _checked(self, rule: ACLBindingRule) -> ACLBindingRule:
        """The rule with its id. Raises ConsulError."""
        if not rule.ID:
            rule = replace(rule, ID=self._new_id())
        elif not is_uuid(rule.ID):
            raise ConsulError("Binding Rule ID invalid UUID")
        else:
            old = self._table.get(rule.ID.lower())
            if old is None:
                raise ConsulError(f"cannot find binding rule {rule.ID}")
            rule = replace(rule, ID=old.ID, AuthMethod=rule.AuthMethod or old.AuthMethod)
            if rule.AuthMethod.lower() != old.AuthMethod.lower():
                raise ConsulError("the AuthMethod field of an Binding Rule is immutable")
        if not rule.AuthMethod:
            raise ConsulError("Invalid Binding Rule: no AuthMethod is set")
        method = self._desk.state.auth_methods.get(rule.AuthMethod.lower())
        if method is None:
            raise ConsulError(f"cannot find auth method with name {quoted(rule.AuthMethod)}")
        validator = self._methods.validator(method)
        if rule.Selector:
            try:
                compile_filter(rule.Selector, validator.row_type)
            except FilterError as error:
                raise ConsulError(f"invalid Binding Rule: Selector is invalid: {error}") from None
        _check_binding(rule, validator.blank)
        return replace(rule, BindVars=rule.BindVars or ABSENT)  # type: ignore[no-any-return]

    def _new_id(self) -> str:
        return self._desk.new_id((self._table, ""))

    def delete(self, waiter: Completion, args: BindingRuleDeleteCall) -> None:
        """Remove a rule; one that is not there is no error. Raises ConsulError."""
        rule = self._find(args.BindingRuleID)
        if rule is None:
            tell(waiter, True)
            return
        request = model.BindingRuleDeleteRequest(BindingRuleIDs=[rule.ID])
        self._desk.propose(waiter, MessageType.ACL_BINDING_RULE_DELETE, request, lambda: True)


def _check_binding(rule: ACLBindingRule, blank: Mapping[str, str]) -> None:
    """Refuse a rule that could never give anything. Raises ConsulError."""
    for field in ("BindType", "BindName"):
        if not getattr(rule, field):
            raise ConsulError(f"Invalid Binding Rule: no {field} is set")
    if rule.BindType not in _NAMES:
        raise ConsulError(f"Invalid Binding Rule: unknown BindType {quoted(rule.BindType)}")
    try:
        _, valid = _name(rule.BindType, rule.BindName, dict.fromkeys(blank, _ANY_VALUE))
    except HilError as error:
        raise ConsulError(f"Invalid Binding Rule: invalid BindName: {error}") from None
    if not valid:
        raise ConsulError("Invalid Binding Rule: invalid BindName")
    if rule.BindType == TEMPLATED:
        try:
            _templated(rule, rule.BindName, dict.fromkeys(blank, _ANY_VALUE))
        except AuthError as error:
            raise ConsulError(f"Invalid Binding Rule: invalid BindVars: {error}") from None
    elif rule.BindVars:
        raise ConsulError("Invalid Binding Rule: BindVars cannot be set when bind type is not templated-policy")
