"""Which plug-ins there are, which of them may run, and what is wrong with the others. Pure.

What may run: without an allow-list, what the agent's own configuration names, and only there. With one, what it lists,
wherever that is named; an entry is a name, a kind and a name (``checks:disk``), or has ``*`` for the name. So a
distribution that is merely installed never runs, and whoever may register checks over the API has no more code to
choose from than the operator has listed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from proconsul.engine.wire.text import quoted
from proconsul.plugins.kinds import PluginError, PluginKind
from proconsul.plugins.shape import problem_of

__all__ = ["RESERVED", "FoundPlugin", "PluginState", "Registered", "Registry"]

# What our own are called, or will be.
RESERVED: Final[dict[PluginKind, frozenset[str]]] = {
    PluginKind.CHECKS: frozenset({
        "alias", "docker", "grpc", "h2ping", "http", "https", "maintenance", "os_service", "plugin", "script", "tcp",
        "ttl", "udp",
    }),
    PluginKind.WATCH_HANDLERS: frozenset({"http", "plugin", "script"}),
    PluginKind.AUTH_METHODS: frozenset({"aws-iam", "jwt", "kubernetes", "oidc", "plugin"}),
    PluginKind.AUDIT_SINKS: frozenset({"file", "plugin", "stdout"}),
    PluginKind.METRICS_SINKS: frozenset({
        "circonus", "dogstatsd", "memory", "otlp", "plugin", "prometheus", "statsd", "statsite",
    }),
}  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
EVERYTHING: Final = "*"


class PluginState(StrEnum):
    """How far a plug-in is."""

    NOT_LOADED = "not loaded"
    LOADED = "loaded"
    NOT_ALLOWED = "not allowed"
    BROKEN = "broken"


class FoundPlugin(NamedTuple):
    """An entry point. target: the class, as ``module:name``. distribution, version: who brings it."""

    kind: PluginKind
    name: str
    target: str
    distribution: str = ""
    version: str = ""


class Registered(NamedTuple):
    """A plug-in that was found. problem: what is wrong with it, "" when nothing is. factory: its class, once loaded."""

    found: FoundPlugin
    problem: str = ""
    factory: Any = None


class Registry:
    """All plug-ins of one agent. ``allow``: the allow-list, None without one."""

    def __init__(self, allow: Sequence[str] | None = None) -> None:
        self.allow = allow
        self._entries: dict[tuple[PluginKind, str], Registered] = {}
        # What stands twice, or has an impossible name, is no entry but is shown.
        self._left_out: list[Registered] = []

    def take(self, found: Iterable[FoundPlugin]) -> None:
        """Keep what was found; of several with one name none may run. What is known already stays as it is."""
        named: dict[tuple[PluginKind, str], list[FoundPlugin]] = {}
        for one in found:
            named.setdefault((one.kind, one.name), []).append(one)
        self._left_out = []
        for key, group in named.items():
            problem = name_problem(group)
            if len(group) > 1:
                self._left_out += [Registered(one, problem) for one in group[1:]]
            known = self._entries.get(key)
            if known is None or known.found != group[0] or problem:
                self._entries[key] = Registered(group[0], problem)

    def loaded(self, kind: PluginKind, name: str, factory: Any) -> str:
        """An entry point gave ``factory``, kept if it has the shape of its kind. Returns what is wrong with it."""
        entry = self._entries[kind, name]
        problem = problem_of(kind, factory)
        self._entries[kind, name] = entry._replace(problem=problem, factory=None if problem else factory)
        return problem

    def failed(self, kind: PluginKind, name: str, problem: str) -> None:
        """An entry point could not be loaded, or what it gave cannot be used."""
        self._entries[kind, name] = self._entries[kind, name]._replace(problem=problem, factory=None)

    # ------------------------------------------------------------------ questions

    def allows(self, kind: PluginKind, name: str) -> bool:
        """Whether the allow-list lists it; False without one."""
        listed = {EVERYTHING, name, f"{kind}:{EVERYTHING}", f"{kind}:{name}"}
        return self.allow is not None and not listed.isdisjoint(self.allow)

    def may_run(self, kind: PluginKind, name: str, *, by_api: bool) -> bool:
        """Whether it may run for a definition that came over the API, or from a configuration file."""
        return self.allows(kind, name) if self.allow is not None or by_api else True

    def to_load(self, named: Collection[tuple[PluginKind, str]]) -> list[FoundPlugin]:
        """What must be loaded: what the allow-list lists, and what the configuration names and may."""
        return [
            entry.found for key, entry in self._entries.items()
            if entry.factory is None and not entry.problem
            and (self.allows(*key) or (key in named and self.may_run(*key, by_api=False)))
        ]  # fmt: skip

    def factory(self, kind: PluginKind, name: str, *, by_api: bool) -> Any:
        """The class of a plug-in. Raises PluginError."""
        what = f"plug-in {quoted(name)}"
        if not self.may_run(kind, name, by_api=by_api):
            if self.allow is None:
                raise PluginError(
                    f"{what} may be named in configuration files only; to use it over the API, list it in "
                    "'plugins.allow'"
                )
            raise PluginError(f"{what} may not run here: 'plugins.allow' does not list it")
        entry = self._entries.get((kind, name))
        if entry is None:
            raise PluginError(f"no {what} is installed in the group {quoted(kind.group)}")
        if entry.problem:
            raise PluginError(f"{what} cannot be used: {entry.problem}")
        if entry.factory is None:
            raise PluginError(f"{what} is not loaded")
        return entry.factory

    def unmatched(self) -> list[str]:
        """What the allow-list lists and nobody brings."""
        return [
            one for one in self.allow or ()
            if not one.endswith(EVERYTHING) and not any(one in (name, f"{kind}:{name}") for kind, name in self._entries)
        ]  # fmt: skip

    def usable(self, kind: PluginKind) -> list[str]:
        """The names of those that the allow-list lists and that are loaded."""
        return sorted(
            name for (one, name), entry in self._entries.items()
            if one is kind and entry.factory is not None and self.allows(kind, name)
        )  # fmt: skip

    def known(self, kind: PluginKind, name: str) -> bool:
        """Whether there is one of that name, of use or not."""
        return (kind, name) in self._entries

    def report(self) -> list[tuple[Registered, PluginState]]:
        """All of them, by kind and name."""
        every = [*self._entries.values(), *self._left_out]
        order = list(PluginKind)
        every.sort(key=lambda entry: (order.index(entry.found.kind), entry.found.name, entry.found.distribution))
        return [(entry, self._state(entry)) for entry in every]

    def _state(self, entry: Registered) -> PluginState:
        if entry.problem:
            return PluginState.BROKEN
        if entry.factory is not None:
            return PluginState.LOADED
        if self.allow is not None and not self.allows(entry.found.kind, entry.found.name):
            return PluginState.NOT_ALLOWED
        return PluginState.NOT_LOADED


def name_problem(group: Sequence[FoundPlugin]) -> str:
    """What is wrong with the name that all of ``group`` have; "" when nothing is."""
    first = group[0]
    if _NAME.fullmatch(first.name) is None:
        return "its name must be 1 to 64 lower case letters, digits, '-', '_' and '.', the first no sign"
    if first.name in RESERVED[first.kind]:
        return f"its name is that of a built-in of {first.kind}"
    if len(group) > 1:
        return f"several have its name: {', '.join(sorted(f'{one.target} of {one.distribution}' for one in group))}"
    return ""
