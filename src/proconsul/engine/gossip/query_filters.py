"""Whom a query is for: names of nodes, and expressions that tags must match. All filters must. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proconsul.engine.gossip import codec
from proconsul.engine.gossip.messages import TagFilter
from proconsul.engine.wire import msgpack
from proconsul.engine.wire.goregexp import compile_go

_NODES, _TAG = 0, 1
# A query of 1 KiB has no room for more; one that came over a stream could, and each costs a compilation.
FILTERS_MAX = 64


class QueryFilterError(ValueError):
    """A filter cannot be read."""


def encode_filters(nodes: Sequence[str], tags: Mapping[str, str]) -> list[bytes]:
    """Filters as a query carries them: one for the names if there are any, one for each tag."""
    filters = [bytes((_NODES,)) + msgpack.encode(list(nodes))] if nodes else []
    return filters + [bytes((_TAG,)) + codec.encode_body(TagFilter(tag, expr)) for tag, expr in tags.items()]


def matches(filters: Sequence[bytes], name: str, tags: Mapping[str, str]) -> bool:
    """Whether a query with these filters is for the member ``name`` with ``tags``. Raises FilterError."""
    if len(filters) > FILTERS_MAX:
        raise QueryFilterError(f"query has {len(filters)} filters, limit is {FILTERS_MAX}")
    return all(_matches(raw, name, tags) for raw in filters)


def _matches(raw: bytes, name: str, tags: Mapping[str, str]) -> bool:
    kind = raw[0] if raw else -1
    try:
        if kind == _NODES:
            nodes = msgpack.unpack(raw[1:])
            return isinstance(nodes, list) and name in nodes
        if kind == _TAG:
            wanted = codec.decode(TagFilter, raw[1:])
            return compile_go(wanted.Expr).search(tags.get(wanted.Tag, "")) is not None
    except (msgpack.DecodeError, codec.BadMessage) as error:
        title = "filterNodeType" if kind == _NODES else "filterTagType"
        raise QueryFilterError(f"failed to decode {title}: {error}") from None
    except (ValueError, UnicodeError) as error:
        raise QueryFilterError(f"failed to compile filter regex ({wanted.Expr}): {error}") from None
    raise QueryFilterError(f"query has unrecognized filter type: {kind}")
