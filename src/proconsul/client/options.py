"""What a call may ask for besides its subject, and how that is said in its query. Pure.

Sources: HTTP API, features (blocking, consistency, caching, filtering).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypedDict
from urllib.parse import quote_plus

__all__ = ["Consistency", "ReadOptions", "WriteOptions", "encode_query", "go_duration", "read_query", "write_query"]

Consistency = Literal["default", "stale", "consistent"]
QueryValue = str | int | bool | Sequence[str] | None
Pairs = list[tuple[str, str]]


class WriteOptions(TypedDict, total=False):
    """``dc``: another datacenter. ``token``: another than the client's. ``timeout``: of the whole call in seconds."""

    dc: str
    token: str
    timeout: float


class ReadOptions(WriteOptions, total=False):
    """How a read is to be answered.

    ``consistency``: ``default`` asks the leader, ``consistent`` has it ask the others first, ``stale`` any server.
    ``max_stale``: how old a stale answer may be, in seconds; ``cached``: the agent's cache may answer, ``max_age``: no
    older than that. ``index`` and ``wait``: wait so many seconds for something newer than the index. ``near``: a node
    whose nearest come first, ``_agent`` for the one asked. ``filter``: an expression. ``node_meta``: what nodes must
    have.
    """

    consistency: Consistency
    max_stale: float
    cached: bool
    max_age: float
    index: int
    wait: float
    near: str
    filter: str
    node_meta: Mapping[str, str]


_SECOND_NS: Final = 1_000_000_000


def go_duration(value: float | str) -> str:
    """Seconds, or a text as Go has it, as such a text."""
    if isinstance(value, str):
        return value
    whole_ms, rest = divmod(round(value * _SECOND_NS), 1_000_000)
    return f"{whole_ms}ms" if not rest else f"{round(value * _SECOND_NS)}ns"


def read_query(options: ReadOptions, defaults: ReadOptions) -> tuple[Pairs, Mapping[str, str]]:
    """The parameters of a read and its further headers. Raises ValueError for what contradicts itself."""
    if not options and not defaults:
        return [], {}
    if unknown := options.keys() - _READ:
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
    chosen: ReadOptions = {**defaults, **options}
    pairs: Pairs = []
    level = chosen.get("consistency", "default")
    if level not in ("default", "stale", "consistent"):
        raise ValueError(f"no consistency: {level!r}")
    if chosen.get("cached") and level == "consistent":
        raise ValueError("what is cached is not consistent")
    for name in ("dc", "near", "filter"):
        if chosen.get(name):
            pairs.append((name, str(chosen.get(name))))
    if level != "default":
        pairs.append((level, ""))
    if chosen.get("cached"):
        pairs.append(("cached", ""))
    if "max_stale" in chosen:
        pairs.append(("max_stale", go_duration(chosen["max_stale"])))
    if chosen.get("index"):
        pairs.append(("index", str(chosen["index"])))
    if "wait" in chosen:
        pairs.append(("wait", go_duration(chosen["wait"])))
    pairs += [("node-meta", f"{name}:{value}") for name, value in chosen.get("node_meta", {}).items()]
    headers = {"Cache-Control": f"max-age={int(chosen['max_age'])}"} if "max_age" in chosen else {}
    return pairs, headers


def write_query(options: WriteOptions, defaults: ReadOptions) -> Pairs:
    """The parameters of a write."""
    if not options and not defaults:
        return []
    if unknown := options.keys() - _WRITE:
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
    dc = options.get("dc") or defaults.get("dc")
    return [("dc", dc)] if dc else []


_READ: Final = frozenset(ReadOptions.__annotations__)
_WRITE: Final = frozenset(WriteOptions.__annotations__)


def given(**values: QueryValue) -> Pairs:
    """Parameters from names and values: None and False are left out, True has no value, sequences are repeated.

    Underscores stand for hyphens.
    """
    pairs: Pairs = []
    for name, value in values.items():
        name = name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            pairs.append((name, ""))
        elif isinstance(value, (str, int)):
            pairs.append((name, str(value)))
        else:
            pairs += [(name, one) for one in value]
    return pairs


def encode_query(pairs: Pairs) -> str:
    """The query as it is sent, without its question mark; bytes that are no characters survive."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value.encode('utf-8', 'surrogateescape'))}" if value else quote_plus(name)
        for name, value in pairs
    )
