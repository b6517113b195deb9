"""Templates of prepared queries: ``${...}`` in the strings of their service part (HTTP API: query, templates).

The language is HIL (`proconsul.engine.hil`). A query that cannot be rendered for its own name is refused when it is
written, which every server must decide alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proconsul.engine.hil import HilError, HilTemplate
from proconsul.engine.wire.goregexp import Pattern, compile_go
from proconsul.features.errors import StateError
from proconsul.features.query.model import NAME_PREFIX_MATCH, PreparedQuery, ServiceQuery


def check_template(query: PreparedQuery) -> None:
    """Refuse a template that cannot be rendered for its own name. Raises StateError."""
    if not query.Template.Type:
        return
    try:
        if query.Template.Type != NAME_PREFIX_MATCH:
            raise ValueError(f"Bad HilTemplate.Type '{query.Template.Type}'")
        pattern = _pattern(query)
        parsed = [(path, text, _parse(path, text)) for path, text in _strings(query.Service)]
        for path, text, template in parsed:
            _evaluate(path, text, template, query, pattern)
    except ValueError as error:
        raise StateError(f"failed compiling template: {error}") from None


def _pattern(query: PreparedQuery) -> Pattern | None:
    try:
        return compile_go(query.Template.Regexp) if query.Template.Regexp else None
    except ValueError as error:
        raise ValueError(f"Bad Regexp: {error}") from None


def _strings(service: ServiceQuery) -> Iterator[tuple[str, str]]:
    """Every string that may hold expressions, with the name errors give it."""
    yield "Service.Service", service.Service
    for position, text in enumerate(service.Failover.Datacenters or ()):
        yield f"Service.Failover.Datacenters[{position}]", text
    for position, text in enumerate(service.IgnoreCheckIDs or ()):
        yield f"Service.IgnoreCheckIDs[{position}]", text
    yield "Service.Near", service.Near
    for position, text in enumerate(service.Tags or ()):
        yield f"Service.Tags[{position}]", text
    for name, pairs in (("NodeMeta", service.NodeMeta), ("ServiceMeta", service.ServiceMeta)):
        for key, text in (pairs or {}).items():
            yield f"Service.{name}[{key}]", text


def _parse(path: str, text: str) -> HilTemplate:
    try:
        return HilTemplate(text)
    except HilError as error:
        raise ValueError(f"Bad format '{text}' in {path}: {error}") from None


def _evaluate(path: str, text: str, template: HilTemplate, query: PreparedQuery, pattern: Pattern | None) -> str:
    variables = {"name.full": query.Name, "name.prefix": query.Name, "name.suffix": "", "agent.segment": ""}
    found: Any = pattern.search(query.Name) if pattern is not None else None

    def match(group: int) -> str:
        groups = (found[0], *found.groups()) if found else ()
        return groups[group] or "" if 0 <= group < len(groups) else ""

    try:
        return template.render(variables, match)
    except HilError as error:
        raise ValueError(f"Bad evaluation for '{text}' in {path}: {error}") from None
