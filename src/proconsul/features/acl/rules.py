"""The rule language of policies (Consul docs: security/acl/acl-rules): HCL 1 or JSON in, a list of rules out; pure.

What is not known is ignored, as 1.8.7 does it: rules of newer releases and of the enterprise edition may be in a policy
that several releases share. What is known must have a valid level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from proconsul.engine.wire.hcl1 import BlockList, HclError, parse_hcl1
from proconsul.engine.wire.text import quoted
from proconsul.features.errors import ConsulError


class Level(IntEnum):
    """What a rule grants. Each grants what those below it do; of several for one name `stronger` says which counts."""

    DENY = 0
    READ = 1
    LIST = 2
    WRITE = 3


LEVELS: Final = {"deny": Level.DENY, "read": Level.READ, "list": Level.LIST, "write": Level.WRITE}


def stronger(one: Level | None, other: Level | None) -> Level | None:
    """Which of two levels counts for one name: deny, else the higher one. None says nothing."""
    if one is None or other is None:
        return other if one is None else one
    return Level.DENY if Level.DENY in (one, other) else max(one, other)


class Rule(NamedTuple):
    """What one policy says of one name, or of all that begin with it.

    resource: like ``key``. prefix: whether ``name`` is the beginning of names; of resources without names it is "".
    intentions: of services, what is said of intentions to them; None follows from ``level``.
    """

    resource: str
    prefix: bool
    name: str
    level: Level
    intentions: Level | None = None

    def __str__(self) -> str:
        text = f'policy = "{self.level.name.lower()}"'
        if self.resource in BARE:
            return f'{self.resource} = "{self.level.name.lower()}"'
        if self.intentions is not None:
            text += f' intentions = "{self.intentions.name.lower()}"'
        return f"{self.resource}{'_prefix' if self.prefix else ''} {quoted(self.name)} {{ {text} }}"


class RuleError(ConsulError):
    """The rules of a policy cannot be understood."""


# Resources without names, in the order in which they are looked at: before, and after those that have some.
# mesh and peering are newer than 1.8.7 (Consul docs: 1.11, 1.13).
_BARE_FIRST: Final = ("acl",)
_BARE_LAST: Final = ("keyring", "operator", "mesh", "peering")
_LEGACY_BARE: Final = ("keyring", "operator")
BARE: Final = frozenset(_BARE_FIRST + _BARE_LAST)


class _Kind(NamedTuple):
    """How the original prints a rule of a resource: its type, and what it calls the name."""

    go_type: str
    name_field: str
    extended: bool = False


_NAMED: Final = {
    "agent": _Kind("AgentRule", "Node"),
    "key": _Kind("KeyRule", "Prefix", True),
    "node": _Kind("NodeRule", "Name", True),
    "service": _Kind("ServiceRule", "Name", True),
    "session": _Kind("SessionRule", "Node"),
    "event": _Kind("EventRule", "Event"),
    "query": _Kind("PreparedQueryRule", "Prefix"),
}
NAMED: Final = tuple(_NAMED)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a policy in the order in which they are checked. Raises RuleError with the original's text."""
    blocks = _blocks(text)
    rules: list[Rule] = []
    for resource in _BARE_FIRST:
        rules += _bare(blocks, resource)
    for resource in _NAMED:
        for prefix in (False, True):
            rules += _named(blocks, resource, prefix=prefix)
    for resource in _BARE_LAST:
        rules += _bare(blocks, resource)
    return tuple(rules)


def parse_legacy_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a token from before 1.4, where every name is a prefix. Raises RuleError.

    Resources that are newer mean nothing in them: who wrote them could not know what they would grant.
    """
    blocks = _blocks(text)
    rules = [rule._replace(prefix=True) for resource in _NAMED for rule in _named(blocks, resource, prefix=False)]
    for resource in _LEGACY_BARE:
        rules += _bare(blocks, resource)
    return tuple(rules)


def _blocks(text: str) -> Mapping[str, object]:
    try:
        return parse_hcl1(text)
    except HclError as error:
        raise RuleError(f"Failed to parse ACL rules: {error}") from None


def _values(block: Mapping[str, object], name: str) -> Iterator[object]:
    """Everything ``block`` has of ``name``, whose case does not matter."""
    return (value for key, value in block.items() if key.lower() == name)


def _text(where: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    found = "ObjectList" if isinstance(value, BlockList) else "ListType" if isinstance(value, list) else "LiteralType"
    raise RuleError(f"Failed to parse ACL rules: root.{where}: unknown type for string *ast.{found}")


def _bare(blocks: Mapping[str, object], resource: str) -> list[Rule]:
    text = ""
    for value in _values(blocks, resource):
        text = _text(resource, value)
    if not text:
        return []
    level = LEVELS.get(text.lower())
    if level is None or level is Level.LIST:
        raise RuleError(f"Invalid {resource} policy: {quoted(text)}")
    return [Rule(resource, False, "", level)]


def _named(blocks: Mapping[str, object], resource: str, *, prefix: bool) -> Iterator[Rule]:
    key = resource + ("_prefix" if prefix else "")
    number = 0
    for value in _values(blocks, key):
        if not isinstance(value, list):
            raise RuleError("Failed to parse ACL rules: unknown slice type: *ast.LiteralType")
        for labelled in value:
            for name, bodies in _labels(key, number, labelled):
                for body in bodies:
                    yield _rule(resource, prefix, name, _fields(key, number, body))
                    number += 1


def _labels(key: str, number: int, labelled: object) -> Iterator[tuple[str, list[object]]]:
    """The names in a block and what is said of each."""
    if not isinstance(labelled, dict) or not all(isinstance(bodies, list | dict) for bodies in labelled.values()):
        raise RuleError(f"Failed to parse ACL rules: root.{key}[{number}]: a rule needs a name")
    # In a list of JSON what is said of a name is one object.
    yield from ((name, [bodies] if isinstance(bodies, dict) else bodies) for name, bodies in labelled.items())


def _fields(key: str, number: int, body: object) -> dict[str, str]:
    if not isinstance(body, dict):
        raise RuleError(f"Failed to parse ACL rules: root.{key}[{number}]: not an object type for struct")
    fields = {}
    for field in ("Policy", "Intentions"):
        if field == "Intentions" and not key.startswith("service"):
            continue
        for value in _values(body, field.lower()):
            fields[field] = _text(f"{key}[{number}].{field}", value)
    return fields


def _rule(resource: str, prefix: bool, name: str, fields: Mapping[str, str]) -> Rule:
    policy, intentions = fields.get("Policy", ""), fields.get("Intentions", "")
    level = LEVELS.get(policy.lower())
    if level is None or (level is Level.LIST and resource != "key"):
        shown = f"{resource}_prefix" if prefix else resource
        raise RuleError(f"Invalid {shown} policy: {_printed(resource, name, policy, intentions)}")
    granted = LEVELS.get(intentions.lower())
    if intentions and (granted is None or granted is Level.LIST):
        shown = f"{resource}_prefix" if prefix else resource
        raise RuleError(f"Invalid {shown} intentions policy: {_printed(resource, name, policy, intentions)}")
    return Rule(resource, prefix, name, level, granted)


def _printed(resource: str, name: str, policy: str, intentions: str) -> str:
    """A rule as Go's %#v prints it."""
    kind = _NAMED[resource]
    more = f", Intentions:{quoted(intentions)}" if resource == "service" else ""
    more += ", EnterpriseRule:acl.EnterpriseRule{}" if kind.extended else ""
    return f"&acl.{kind.go_type}{{{kind.name_field}:{quoted(name)}, Policy:{quoted(policy)}{more}}}"
