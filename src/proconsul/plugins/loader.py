"""Finds the entry points of installed distributions, and imports what they name: the shell around `registry`.

An import may do anything, and take as long as it likes; it is for a thread that may be given up.
"""

from __future__ import annotations

import logging
import re
from typing import Any, NamedTuple

from proconsul.plugins.foreign import shown
from proconsul.plugins.kinds import PluginKind
from proconsul.plugins.registry import FoundPlugin

__all__ = ["Imported", "find_plugins", "import_plugin"]

log = logging.getLogger("agent.plugins")


def find_plugins() -> list[FoundPlugin]:
    """All entry points of our groups, as far as the files of installed distributions can be read. Of several versions
    of a distribution the first on the path counts, as it does for imports."""
    from importlib.metadata import distributions  # what it imports takes longer than all of ours

    groups = {kind.group: kind for kind in PluginKind}
    seen = set()
    found = []
    for distribution in distributions():
        try:
            # Files of nobody have neither.
            name, version = distribution.name or "", distribution.version or ""
            points = [point for point in distribution.entry_points if point.group in groups]
        except Exception as error:
            log.warning("a distribution with broken metadata is left out: error=%s: %s", type(error).__name__, error)
            continue
        normal = re.sub(r"[-_.]+", "-", name).lower() if name else ""
        if normal not in seen:
            seen.add(normal)
            found += [FoundPlugin(groups[point.group], point.name, point.value, name, version) for point in points]
    return found


class Imported(NamedTuple):
    """What came of an import. problem: "" when it went well."""

    factory: Any = None
    problem: str = ""


def import_plugin(found: FoundPlugin) -> Imported:
    """What an entry point names. Raises nothing."""
    from importlib.metadata import EntryPoint

    try:
        return Imported(EntryPoint(found.name, found.target, found.kind.group).load())
    except BaseException as error:  # an import may also want to end the program
        return Imported(problem=f"its import failed: {shown(error)}")
