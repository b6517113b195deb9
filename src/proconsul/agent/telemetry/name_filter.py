"""Which metrics are kept at all (Consul docs: telemetry.prefix_filter, telemetry.filter_default). Pure."""

from __future__ import annotations

from collections.abc import Sequence

# Names come from code, with few labels in them; this is far beyond what there is.
_KNOWN_MAX = 4096


class NameFilter:
    """Says of full names whether they are kept: the longest prefix among the rules decides, else the default."""

    def __init__(self, allowed: Sequence[str], blocked: Sequence[str], *, default: bool) -> None:
        # Of two rules for the same prefix the one that blocks is the later one, as in the original.
        self._rules = {**dict.fromkeys(allowed, True), **dict.fromkeys(blocked, False)}
        self._default = default
        self._known: dict[str, bool] = {}

    @property
    def keeps_all(self) -> bool:
        """Whether there is nothing to ask."""
        return self._default and all(self._rules.values())

    def keeps(self, name: str) -> bool:
        """Whether a metric of that name is kept."""
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            fitting = [prefix for prefix in self._rules if name.startswith(prefix)]
            found = self._known[name] = self._rules[max(fitting, key=len)] if fitting else self._default
        return found
