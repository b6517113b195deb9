"""Templates of prepared queries: ``${...}`` in the strings of their service part (HTTP API: query, templates); pure.

The language is HIL (`proconsul.engine.hil`). A query that cannot be rendered for its own name is refused when it is
written, which every server must decide alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from proconsul.engine.hil import HilError, HilTemplate
from proconsul.engine.wire.goregexp import Pattern, compile_go
from proconsul.engine.wire.record import replace
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.query.model import NAME_PREFIX_MATCH, PreparedQuery, ServiceQuery

# A change of one string; it is told where the string is, as errors name it.
Change = Callable[[str, str], str]
# Strings and expressions of templates that are kept parsed: those of a few hundred templates.
PARSED_MAX = 4096


def check_template(query: PreparedQuery) -> None:
    """Refuse a template that cannot be rendered for its own name. Raises StateError."""
    if not query.Template.Type:
        return
    try:
        if query.Template.Type != NAME_PREFIX_MATCH:
            raise ValueError(f"Bad Template.Type '{query.Template.Type}'")
        pattern = _pattern(query.Template.Regexp)
        _changed(query.Service, _parse)  # all are read before any is rendered
        _changed(query.Service, _renderer(query, query.Name, "", pattern))
    except ValueError as error:
        raise StateError(f"failed compiling template: {error}") from None


def rendered(query: PreparedQuery, name: str, segment: str) -> PreparedQuery:
    """A template as the query that ``name`` stands for, asked through an agent of network segment ``segment``.

    Raises ConsulError when something cannot be computed for this name.
    """
    try:
        service = _changed(query.Service, _renderer(query, name, segment, _pattern(query.Template.Regexp)))
    except ValueError as error:
        raise ConsulError(str(error)) from None
    if query.Template.RemoveEmptyTags:
        service = replace(service, Tags=[tag for tag in service.Tags or () if tag])
    result: PreparedQuery = replace(query, Service=service)
    return result


@lru_cache(PARSED_MAX)
def _pattern(text: str) -> Pattern | None:
    try:
        return compile_go(text) if text else None
    except ValueError as error:
        raise ValueError(f"Bad Regexp: {error}") from None


@lru_cache(PARSED_MAX)
def _template(text: str) -> HilTemplate:
    return HilTemplate(text)


def _changed(service: ServiceQuery, change: Change) -> ServiceQuery:
    """``service`` with every string that may hold expressions as ``change`` makes it, in the order of the fields."""

    def each(field: str, texts: list[str] | None) -> list[str] | None:
        if texts is None:
            return None
        return [change(f"Service.{field}[{position}]", text) for position, text in enumerate(texts)]

    def values(field: str, pairs: dict[str, str] | None) -> dict[str, str] | None:
        if pairs is None:
            return None
        return {key: change(f"Service.{field}[{key}]", text) for key, text in pairs.items()}

    name, failover = change("Service.Service", service.Service), service.Failover
    result: ServiceQuery = replace(
        service, Service=name,
        Failover=replace(failover, Datacenters=each("Failover.Datacenters", failover.Datacenters)),
        IgnoreCheckIDs=each("IgnoreCheckIDs", service.IgnoreCheckIDs), Near=change("Service.Near", service.Near),
        Tags=each("Tags", service.Tags), NodeMeta=values("NodeMeta", service.NodeMeta),
        ServiceMeta=values("ServiceMeta", service.ServiceMeta),
    )  # fmt: skip
    return result


def _parse(path: str, text: str) -> str:
    try:
        _template(text)
    except HilError as error:
        raise ValueError(f"Bad format '{text}' in {path}: {error}") from None
    return text


def _renderer(query: PreparedQuery, name: str, segment: str, pattern: Pattern | None) -> Change:
    """Renders the strings of ``query`` for ``name``. The change raises ValueError."""
    variables = {
        "name.full": name, "name.prefix": query.Name, "name.suffix": name.removeprefix(query.Name),
        "agent.segment": segment,
    }  # fmt: skip
    found: Any = pattern.search(name) if pattern is not None else None
    groups: tuple[str | None, ...] = (found[0], *found.groups()) if found else ()

    def match(group: int) -> str:
        return groups[group] or "" if 0 <= group < len(groups) else ""

    def render(path: str, text: str) -> str:
        try:
            return _template(text).render(variables, match)
        except HilError as error:
            raise ValueError(f"Bad evaluation for '{text}' in {path}: {error}") from None

    return render
