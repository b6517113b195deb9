"""What a request asks for besides its subject: consistency, age, index and wait, namespace; pure.

The original looks at the options of reads, and of KV writes and session renewals alike, in one order; its endpoints
differ only in whether the namespace is looked at before or after them, or not at all. Each says so in a `check` at
its top (`Web.check`); the datacenter comes last, when everything else is known to be right.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from proconsul.engine.http.request import Request
from proconsul.engine.wire.durations import DurationError, parse_duration
from proconsul.engine.wire.gostrconv import NumberError, parse_int, parse_uint
from proconsul.engine.wire.text import quoted
from proconsul.features.agent_cache.entries import ANY_AGE, CacheControl
from proconsul.features.errors import BadRequest

NO_NAMESPACES = "Namespaces are a Consul Enterprise feature"
_DISCOVERY = ("/v1/catalog", "/v1/health")


class OptionRule(enum.Enum):
    """What an endpoint has looked at before it begins."""

    OPTIONS = "consistency, cache-control, wait and index"
    NAMESPACE = "no namespace"


class Options(NamedTuple):
    """How a read wants to be answered. ``max_stale_ns``: discovery's stale answers may be as old, 0 for any age.

    cached: the agent's cache may answer; control: how old that may be, for entries that are not refreshed. patient: a
    server that breaks off is followed by another, as nobody has to know.
    """

    min_index: int
    wait_ns: int
    consistency: str
    cached: bool
    filter: str
    max_stale_ns: int = 0
    control: CacheControl = ANY_AGE
    patient: bool = True


PLAIN = Options(0, 0, "leader", False, "")


def read_consistency(request: Request, *, discovery_max_stale_ns: int, use_cache: bool) -> Options:
    """The options of a read that does not wait. Raises BadRequest."""
    query = request.query
    stale, consistent = "stale" in query, "consistent" in query
    cached = use_cache and "cached" in query
    chosen = stale or consistent or cached or "leader" in query
    max_stale_ns = 0
    text = request.get("max_stale")
    if text:
        try:
            max_stale_ns = max(parse_duration(text), 0)
        except DurationError:
            raise BadRequest(f"Invalid max_stale value {quoted(text)}") from None
        if max_stale_ns:
            stale = chosen = True
    if not chosen and discovery_max_stale_ns > 0 and request.path.startswith(_DISCOVERY):
        stale, max_stale_ns = True, discovery_max_stale_ns
    if stale and consistent:
        raise BadRequest("Cannot specify ?stale with ?consistent, conflicting semantics.")
    if cached and consistent:
        raise BadRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
    control = ANY_AGE
    if "cache-control" in request.headers:
        control = _cache_control(request.header("cache-control"))
    level = "stale" if stale else "consistent" if consistent else "leader"
    return Options(0, 0, level, cached, request.get("filter"), max_stale_ns, control)


def read_waiting(request: Request) -> tuple[int, int]:
    """The index a read waits for, and how long at most in nanoseconds. Raises BadRequest.

    A time of zero, or below it, means the default.
    """
    wait_ns = min_index = 0
    text = request.get("wait")
    if text:
        try:
            wait_ns = max(parse_duration(text), 0)
        except DurationError:
            raise BadRequest("Invalid wait time") from None
    text = request.get("index")
    if text:
        try:
            min_index = parse_uint(text)
        except NumberError:
            raise BadRequest("Invalid index") from None
    return min_index, wait_ns


def _cache_control(text: str) -> CacheControl:
    """What a Cache-Control header says of answers from the cache. Raises BadRequest."""
    control = ANY_AGE
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        name = name.lower()
        if name == "must-revalidate" and not equals:
            control = control._replace(must_revalidate=True)
        elif equals and name in ("max-age", "stale-if-error"):
            try:
                seconds = parse_int(value)
            except NumberError:
                raise BadRequest("Invalid Cache-Control header.") from None
            if name == "max-age":
                control = control._replace(max_age_s=seconds)
                control = control if seconds else control._replace(must_revalidate=True)
            else:
                control = control._replace(stale_if_error_s=seconds)
    return control


def forbid_namespace(request: Request) -> None:
    """Refuse a namespace in the query or the header. Raises BadRequest."""
    if request.query_string and request.get("ns"):
        raise BadRequest(f'Bad request: Invalid query parameter: "ns" - {NO_NAMESPACES}')
    if "x-consul-namespace" in request.headers and request.header("x-consul-namespace"):
        raise BadRequest(f'Bad request: Invalid header: "X-Consul-Namespace" - {NO_NAMESPACES}')
