"""Who may do what: the rules of a set of policies, compiled once and shared by all tokens that have them; pure.

The exact name counts before prefixes, the longest prefix before shorter ones; of several policies that speak of the
same name deny counts first, then the higher level; what nobody speaks of is the default's. A check looks at as many
entries as the name has characters at most, however many rules there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from proconsul.features.acl.rules import BARE, Level, Rule, stronger

# As many sets of policies as a large cluster has; each is a few kilobytes.
COMPILED_MAX = 4096


class Origin(NamedTuple):
    """Rules with where they are from: the name of a policy, or what stands for one."""

    policy: str
    rules: Sequence[Rule]


class Decision(NamedTuple):
    """allowed, and why: the rule that decided and its policy, or neither when it was the default."""

    allowed: bool
    policy: str = ""
    rule: Rule | None = None


class _Entry(NamedTuple):
    level: Level
    policy: str
    rule: Rule


class _Names:
    """What is said of one resource's names. ``prefixes`` and ``exact`` by name."""

    __slots__ = ("_lengths", "_unwritable", "exact", "prefixes")

    def __init__(self) -> None:
        self.exact: dict[str, _Entry] = {}
        self.prefixes: dict[str, _Entry] = {}
        self._lengths: list[int] = []
        # Names within which not everything may be written, sorted.
        self._unwritable: list[str] = []

    def add(self, rule: Rule, level: Level, policy: str) -> None:
        names = self.prefixes if rule.prefix else self.exact
        old = names.get(rule.name)
        if old is None or stronger(old.level, level) is not old.level:
            names[rule.name] = _Entry(level, policy, rule)

    def finish(self) -> None:
        self._lengths = sorted({len(name) for name in self.prefixes}, reverse=True)
        every = [*self.exact.items(), *self.prefixes.items()]
        self._unwritable = sorted(name for name, entry in every if entry.level is not Level.WRITE)

    def find(self, name: str) -> _Entry | None:
        """The entry that speaks of ``name``."""
        found = self.exact.get(name)
        return found if found is not None else self.covering(name)

    def covering(self, name: str) -> _Entry | None:
        """The entry of the longest prefix of ``name``."""
        size = len(name)
        for length in self._lengths:
            if length <= size:
                found = self.prefixes.get(name[:length])
                if found is not None:
                    return found
        return None

    def unwritable_within(self, prefix: str) -> _Entry | None:
        """An entry below ``prefix`` that does not let everything be written."""
        at = bisect_left(self._unwritable, prefix)
        if at == len(self._unwritable) or not self._unwritable[at].startswith(prefix):
            return None
        name = self._unwritable[at]
        for names in (self.exact, self.prefixes):
            found = names.get(name)
            if found is not None and found.level is not Level.WRITE:
                return found
        raise AssertionError("every name in the list has an entry that does not grant write")

    def entries(self) -> Iterable[_Entry]:
        yield from self.exact.values()
        yield from self.prefixes.values()


_NOTHING = _Names()


class Authorizer:
    """Decides for one set of policies. ``default_allow``: what holds where no rule speaks; never of ``acl``."""

    __slots__ = ("_bare", "_default", "_names", "everything")

    def __init__(self, origins: Iterable[Origin], *, default_allow: bool, everything: bool = False) -> None:
        # Legacy management tokens may do everything.
        self.everything = everything
        self._default = Decision(default_allow or everything)
        self._bare: dict[str, _Entry] = {}
        self._names: dict[str, _Names] = {}
        for origin in origins:
            for rule in origin.rules:
                self._add(rule, origin.policy)
        self._finish_services()
        for names in self._names.values():
            names.finish()

    def _add(self, rule: Rule, policy: str) -> None:
        if rule.resource in BARE:
            old = self._bare.get(rule.resource)
            if old is None or stronger(old.level, rule.level) is not old.level:
                self._bare[rule.resource] = _Entry(rule.level, policy, rule)
            return
        self._names.setdefault(rule.resource, _Names()).add(rule, rule.level, policy)
        if rule.intentions is not None:
            self._names.setdefault("intention", _Names()).add(rule, rule.intentions, policy)

    def _finish_services(self) -> None:
        """What no rule says of a service's intentions follows from the merged rule of the service."""
        services = self._names.get("service")
        if services is None:
            return
        intentions = self._names.setdefault("intention", _Names())
        for entry in services.entries():
            names = intentions.prefixes if entry.rule.prefix else intentions.exact
            if entry.rule.name not in names:
                level = Level.DENY if entry.level is Level.DENY else Level.READ
                names[entry.rule.name] = _Entry(level, entry.policy, entry.rule)

    # ------------------------------------------------------------------ decisions

    def decide(self, resource: str, need: Level, name: str = "") -> Decision:
        """Whether ``need`` of ``resource`` (``acl``, ``intention``, ``key``, ...) is granted, and why."""
        if self.everything:
            return self._default
        if resource == "intention" and name == "*":
            return self._any_intention() if need is Level.READ else self._all_intentions()
        if resource in BARE:
            found = self._bare.get(resource)
            if found is None and resource in ("mesh", "peering"):
                found = self._bare.get("operator")
            if found is None and resource == "acl":
                return Decision(False)  # a default of allow does not hand out the keys of the house
        else:
            found = self._names.get(resource, _NOTHING).find(name)
        if found is None:
            return self._default
        return Decision(need <= found.level, found.policy, found.rule)

    def allows(self, resource: str, need: Level, name: str = "") -> bool:
        """As `decide`, only whether."""
        return self.decide(resource, need, name).allowed

    def decide_tree(self, prefix: str) -> Decision:
        """Whether every key that begins with ``prefix`` may be written, also those that are not there."""
        if self.everything:
            return self._default
        keys = self._names.get("key", _NOTHING)
        covering = keys.covering(prefix)
        if covering is not None and covering.level is not Level.WRITE:
            return Decision(False, covering.policy, covering.rule)
        within = keys.unwritable_within(prefix)
        if within is not None:
            return Decision(False, within.policy, within.rule)
        return self._default if covering is None else Decision(True, covering.policy, covering.rule)

    def _any_intention(self) -> Decision:
        last = self._default
        for entry in self._names.get("intention", _NOTHING).entries():
            if entry.level >= Level.READ:
                return Decision(True, entry.policy, entry.rule)
            last = Decision(False, entry.policy, entry.rule)
        return last

    def _all_intentions(self) -> Decision:
        last = self._default
        for entry in self._names.get("intention", _NOTHING).entries():
            if entry.level < Level.WRITE:
                return Decision(False, entry.policy, entry.rule)
            last = Decision(True, entry.policy, entry.rule)
        return last

    # ------------------------------------------------------------------ by name

    def read(self, resource: str, name: str = "") -> bool:
        return self.decide(resource, Level.READ, name).allowed

    def write(self, resource: str, name: str = "") -> bool:
        return self.decide(resource, Level.WRITE, name).allowed

    def reads_all(self, resource: str) -> bool:
        """Whether everything of a kind that has names may be read, also what is not there yet."""
        if self.everything:
            return True
        names = self._names.get(resource, _NOTHING)
        of_all = names.covering("")
        default = self._default.allowed if of_all is None else of_all.level >= Level.READ
        return default and all(entry.level >= Level.READ for entry in names.entries())

    @property
    def manages(self) -> bool:
        """Whether access control itself may be written, which includes snapshots."""
        return self.everything or self.write("acl")


class Compiled:
    """Authorizers by what they were made of, so that tokens with the same policies share one."""

    def __init__(self, *, default_allow: bool, size_max: int = COMPILED_MAX) -> None:
        self._default_allow, self._size_max = default_allow, size_max
        self._kept: OrderedDict[Hashable, Authorizer] = OrderedDict()
        self.nothing = Authorizer((), default_allow=default_allow)
        self.everything = Authorizer((), default_allow=default_allow, everything=True)

    def of(self, identity: Hashable, origins: Callable[[], Iterable[Origin]]) -> Authorizer:
        """The authorizer for ``identity``, made from ``origins`` unless it is known. Raises what ``origins`` does."""
        found = self._kept.get(identity)
        if found is not None:
            self._kept.move_to_end(identity)
            return found
        made = Authorizer(tuple(origins()), default_allow=self._default_allow)
        self._kept[identity] = made
        if len(self._kept) > self._size_max:
            self._kept.popitem(last=False)
        return made
