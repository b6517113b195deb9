"""The text that Prometheus reads, version 0.0.4 of its exposition format, with the names that Consul gives. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proconsul.engine.meters import Sample

__all__ = ["CONTENT_TYPE", "Series", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]
# What names and labels may not hold.
_NAME, _LABEL = re.compile(r"[^a-zA-Z0-9_:]"), re.compile(r"[^a-zA-Z0-9_]")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Series(NamedTuple):
    """One metric with its labels: a gauge or a counter with a number, a summary with what it is of."""

    kind: str
    name: str
    labels: Labels
    value: float | Sample


def exposition(series: Iterable[Series]) -> bytes:
    """The page, by name. A name has one kind, and a name with its labels one value: what comes later is left out."""
    families: dict[str, tuple[str, dict[Labels, float | Sample]]] = {}
    for one in series:
        name = _named(_NAME, one.name)
        kind, rows = families.setdefault(name, (one.kind, {}))
        if kind == one.kind:
            rows.setdefault(_labelled(one.labels), one.value)
    lines = (line for name in sorted(families) for line in _family(name, *families[name]))
    return "".join(lines).encode("utf-8", "replace")


def _named(forbidden: re.Pattern[str], name: str) -> str:
    found = forbidden.sub("_", name)
    return f"_{found}" if not found or found[0].isdigit() else found


def _labelled(labels: Labels) -> Labels:
    """Each name once, and none that Prometheus keeps for itself."""
    found: dict[str, str] = {}
    for key, value in labels:
        name = _named(_LABEL, key)
        found.setdefault("_" + name.lstrip("_") if name.startswith("__") else name, value)
    return tuple(sorted(found.items()))


def _family(name: str, kind: str, rows: dict[Labels, float | Sample]) -> Iterator[str]:
    yield f"# HELP {name} {name}\n# TYPE {name} {kind}\n"
    for labels in sorted(rows):
        value, shown = rows[labels], _shown(labels)
        if isinstance(value, Sample):
            yield f"{name}_sum{shown} {_number(value.total)}\n{name}_count{shown} {value.count}\n"
        else:
            yield f"{name}{shown} {_number(value)}\n"


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels) + "}" if labels else ""


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
