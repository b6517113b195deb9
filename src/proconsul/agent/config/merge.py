"""Merge decoded sources: later scalars win, lists append, maps merge by key, blocks merge key by key.

A single ``service``, ``check`` or ``segments`` entry joins its list first, after the list of the same source.
Pure. Source: configuration reference, "Configuration Files" (merge order).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from proconsul.agent.config.decode import Values

__all__ = ["merge"]


def merge(sources: Iterable[Values]) -> Values:
    """Return one set of values; the sources are not changed."""
    result: Values = {}
    for source in sources:
        _merge_into(result, _singles_into_lists(source))
    return result


def _singles_into_lists(source: Values) -> Values:
    """``service``/``check`` are the same as one more entry of ``services``/``checks``."""
    values = dict(source)
    for single, plural in (("service", "services"), ("check", "checks")):
        if single in values:
            listed = cast("list[object]", values.get(plural, []))
            values[plural] = [*listed, values.pop(single)]
    return values


def _merge_into(target: Values, source: Values) -> None:
    for key, value in source.items():
        present = target.get(key)
        if isinstance(value, dict):
            inner: Values = dict(present) if isinstance(present, dict) else {}
            _merge_into(inner, cast("Values", value))
            target[key] = inner
        elif isinstance(value, list):
            target[key] = [*present, *value] if isinstance(present, list) else list(value)
        else:
            target[key] = value
