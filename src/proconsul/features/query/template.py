"""Templates of prepared queries: ``${...}`` in the strings of their service part (HTTP API: query, templates); pure.

The language is HIL (`proconsul.engine.hil`). A query that cannot be rendered for its own name is refused when it is
written, which every server must decide alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from proconsul.engine.hil import HilError, HilTemplate
from proconsul.engine.wire.goregexp import ExpressionTooLarge, Pattern, compile_go
from proconsul.engine.wire.record import replace
from proconsul.features.errors import ConsulError, StateError
from proconsul.features.query.model import NAME_PREFIX_MATCH, PreparedQuery, ServiceQuery

# A change of one string; it is told where the string is, as errors name it.
Change = Callable[[str, str], str]
# Strings and expressions of templates that are kept parsed: those of a few hundred templates.
PARSED_MAX = 4096
# How much may be tried for one name: its length times the size of the expression. At worst that takes a second.
STEPS_MAX = 10_000_000
# Characters of all strings that a template may come to: each of its expressions may stand for the whole name.
RENDERED_MAX = 1 << 20


def check_size(query: PreparedQuery) -> None:
    """Refuse a template that would take too long, or too much memory. Raises ConsulError.

    Only who is asked to write it refuses it: what others have agreed on, in a pool with Consul's servers, is kept.
    """
    try:
        _check(query)
    except ExpressionTooLarge as error:
        raise ConsulError(f"failed compiling template: {error}") from None
    except ValueError:
        pass  # which every server finds


def check_template(query: PreparedQuery) -> None:
    """Refuse a template that cannot be rendered for its own name. Raises StateError."""
    try:
        _check(query)
    except ExpressionTooLarge:
        pass  # every server has to say the same, and Consul's say that it is good
    except ValueError as error:
        raise StateError(f"failed compiling template: {error}") from None


def _check(query: PreparedQuery) -> None:
    """Raises ValueError, ExpressionTooLarge for what is good but too much."""
    if not query.Template.Type:
        return
    if query.Template.Type != NAME_PREFIX_MATCH:
        raise ValueError(f"Bad Template.Type '{query.Template.Type}'")
    pattern = _pattern(query.Template.Regexp)
    _changed(query.Service, _parse)  # all are read before any is rendered
    _changed(query.Service, _renderer(query, query.Name, "", pattern))


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


def _pattern(text: str) -> Pattern | None:
    """Raises ValueError, ExpressionTooLarge for what is good but takes too long."""
    found = _compiled(text) if text else None
    if isinstance(found, ExpressionTooLarge):
        raise ExpressionTooLarge(f"Bad Regexp: {found}")
    if isinstance(found, ValueError):
        raise ValueError(f"Bad Regexp: {found}")
    return found


@lru_cache(PARSED_MAX)
def _compiled(text: str) -> Pattern | ValueError:
    """What ``text`` is, or why it is nothing: to find that out takes no less time."""
    try:
        return compile_go(text)
    except ValueError as error:
        return error


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
    if pattern is not None and len(name.encode(errors="replace")) * getattr(pattern, "programsize", 1) > STEPS_MAX:
        raise ExpressionTooLarge(f"Bad Regexp: it would take too long to match a name of {len(name)} characters")
    found: Any = pattern.search(name) if pattern is not None else None
    groups: tuple[str | None, ...] = (found[0], *found.groups()) if found else ()

    def match(group: int) -> str:
        return groups[group] or "" if 0 <= group < len(groups) else ""

    room = RENDERED_MAX

    def render(path: str, text: str) -> str:
        nonlocal room
        room -= len(text) + text.count("${") * len(name)
        if room < 0:
            raise ExpressionTooLarge(f"Bad evaluation in {path}: it is too much for a name of {len(name)} characters")
        try:
            return _template(text).render(variables, match)
        except HilError as error:
            raise ValueError(f"Bad evaluation for '{text}' in {path}: {error}") from None

    return render
