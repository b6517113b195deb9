"""The rules of watches: which parameters a type takes, when a handler runs, how long to wait after errors.

Pure.  Source: Consul documentation "Watches".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from proconsul.client import schemas
from proconsul.client.gojson import Json, sort_maps

__all__ = [
    "RETRY_S", "RETRY_S_MAX", "WatchError", "WatchPlan", "WatchRequest", "event_index", "new_events", "parse",
    "retry_s",
]  # fmt: skip

RETRY_S = 5
RETRY_S_MAX = 180


class WatchError(ValueError):
    """The parameters make no watch; ``str()`` is Consul's text."""


class WatchRequest(NamedTuple):
    """What to ask the agent again and again, and how to read an answer."""

    path: str
    query: Mapping[str, str | list[str]]
    stale: bool
    # Turns the decoded answer (None for 404) into what handlers get.
    read: Callable[[Json], Json]
    missing_is_none: bool = False
    is_events: bool = False


class _Parameters:
    def __init__(self, given: Mapping[str, Json]) -> None:
        self._left = dict(given)

    def text(self, name: str) -> str:
        return str(self._left.pop(name, "") or "")

    def flag(self, name: str) -> bool:
        return bool(self._left.pop(name, False))

    def texts(self, name: str) -> list[str]:
        value = self._left.pop(name, None)
        if value is None:
            return []
        return [value] if isinstance(value, str) else [str(item) for item in cast("Sequence[Json]", value)]

    def left(self) -> list[str]:
        return list(self._left)


def _first_pair(answer: Json) -> Json:
    pairs = cast("Sequence[Json] | None", answer)
    return schemas.KV_PAIR.shape(pairs[0]) if pairs else None


def _key(given: _Parameters) -> WatchRequest:
    stale, key = given.flag("stale"), given.text("key")
    if not key:
        raise WatchError("Must specify a single key to watch")
    return WatchRequest(f"/v1/kv/{key.removeprefix('/')}", {}, stale, _first_pair, missing_is_none=True)


def _keyprefix(given: _Parameters) -> WatchRequest:
    stale, prefix = given.flag("stale"), given.text("prefix")
    if not prefix:
        raise WatchError("Must specify a single prefix to watch")
    path = f"/v1/kv/{prefix.removeprefix('/')}"
    return WatchRequest(path, {"recurse": ""}, stale, schemas.KV_PAIR.shape_list, missing_is_none=True)


def _services(given: _Parameters) -> WatchRequest:
    return WatchRequest("/v1/catalog/services", {}, given.flag("stale"), sort_maps)


def _nodes(given: _Parameters) -> WatchRequest:
    return WatchRequest("/v1/catalog/nodes", {}, given.flag("stale"), schemas.NODE.shape_list)


def _service(given: _Parameters) -> WatchRequest:
    stale, service, tags = given.flag("stale"), given.text("service"), given.texts("tag")
    if not service:
        raise WatchError("Must specify a single service to watch")
    query: dict[str, str | list[str]] = {}
    if given.flag("passingonly"):
        query["passing"] = "1"
    if tags:
        query["tag"] = tags
    return WatchRequest(f"/v1/health/service/{service}", query, stale, schemas.SERVICE_ENTRY.shape_list)


def _checks(given: _Parameters) -> WatchRequest:
    stale, service, state = given.flag("stale"), given.text("service"), given.text("state")
    if service and state:
        raise WatchError("Cannot specify service and state")
    path = f"/v1/health/checks/{service}" if service else f"/v1/health/state/{state or 'any'}"
    return WatchRequest(path, {}, stale, schemas.CHECK.shape_list)


def _event(given: _Parameters) -> WatchRequest:
    name = given.text("name")
    query: dict[str, str | list[str]] = {"name": name} if name else {}
    return WatchRequest("/v1/event/list", query, False, schemas.USER_EVENT.shape_list, is_events=True)


_TYPES: Mapping[str, Callable[[_Parameters], WatchRequest]] = {
    "key": _key,
    "keyprefix": _keyprefix,
    "services": _services,
    "nodes": _nodes,
    "service": _service,
    "checks": _checks,
    "event": _event,
}


def parse(watch_type: str, given: Mapping[str, Json]) -> WatchRequest:
    """Return the request of a watch; raises :class:`WatchError`."""
    if not watch_type:
        raise WatchError("Watch type must be specified")
    factory = _TYPES.get(watch_type)
    if factory is None:
        raise WatchError(f"Unsupported watch type: {watch_type}")
    parameters = _Parameters(given)
    request = factory(parameters)
    if parameters.left():
        raise WatchError(f"Invalid parameters: [{' '.join(parameters.left())}]")
    return request


def event_index(event_id: str) -> int:
    """Return the index an event's ID stands for: both halves of the UUID, exclusive-or."""
    digits = event_id.replace("-", "")
    return int(digits[:16], 16) ^ int(digits[16:], 16)


def new_events(events: Json, last_index: int) -> Json:
    """Return the events after the one ``last_index`` stands for; all of them if it is not among them."""
    entries = cast("Sequence[Mapping[str, Json]] | None", events)
    for position, event in enumerate(entries or ()):
        if event_index(str(event["ID"])) == last_index:
            return list(entries or ())[position + 1 :]
    return events


def retry_s(failures: int) -> int:
    """Return the pause after the given number of failures in a row, in seconds."""
    return min(RETRY_S * failures**2, RETRY_S_MAX)


class WatchPlan:
    """Remembers index and result, and says when the handler must run."""

    def __init__(self) -> None:
        self.index: int | None = None
        self._result: Json = None

    def observe(self, index: int, result: Json) -> bool:
        """Take an answer in; True when the handler must run.

        The first answer always counts, later ones only if the index moved and the result differs.  An index that
        went backwards starts over from 0.
        """
        if self.index is not None and self.index == index:
            return False
        first = self.index is None
        self.index = 0 if self.index is not None and index < self.index else index
        if not first and result == self._result:
            return False
        self._result = result
        return True
