"""Reads with ``?cached``: what the gate finds for them is kept, and what they say about it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from proconsul.engine.completion import Completion, Mapped
from proconsul.features.agent_cache.cache import CacheSource
from proconsul.features.base import SECOND_NS
from proconsul.features.gate import Found, Gate
from proconsul.features.options import PLAIN
from proconsul.features.server import Read

# Encoded forms of one value: indented or not, all instances or those that pass.
FORMS_MAX = 4


class Rendered:
    """Keeps what was made of a cached value, so that a thousand readers cost one encoding."""

    __slots__ = ("_forms", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._forms: dict[Hashable, Any] = {}

    def render(self, form: Hashable, make: Callable[[Any], Any]) -> Any:
        """See `features.gate.Renders`."""
        made = self._forms.get(form)
        if made is None:
            made = make(self._value)
            if len(self._forms) < FORMS_MAX:
                self._forms[form] = made
        return made


def cache_headers(*, hit: bool, age_s: float = 0.0) -> dict[str, str]:
    """What an answer says about the agent's cache: its age is told where nothing was waited for."""
    return {"X-Cache": "HIT", "Age": str(int(age_s))} if hit else {"X-Cache": "MISS"}


def reading(gate: Gate, read: Read, token: str, datacenter: str) -> CacheSource:
    """Where the cache has a read from: any server, since it may be as old as the entry gets."""

    def begin(waiter: Completion, min_index: int, wait_s: float) -> Callable[[], object]:
        wait_ns = int(wait_s * SECOND_NS)
        # The age of an entry begins with the first failure.
        options = PLAIN._replace(consistency="stale", min_index=min_index, wait_ns=wait_ns, patient=min_index == 0)
        return gate.begin(Mapped(waiter, _kept), read, options, token, datacenter).cancel

    return CacheSource(begin, _index, _same)


def _kept(found: Found) -> Found:
    return found._replace(view=Rendered(found.value), reply=None)


def _index(found: Found) -> int:
    return found.last_index


def _same(before: Found, after: Found) -> bool:
    """Of one index there is one value, except for who may see what of it."""
    return bool(before.value == after.value and before.known_leader == after.known_leader
                and before.filtered == after.filtered)  # fmt: skip
