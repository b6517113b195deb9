"""Rules of tokens from before 1.4 in the language of policies, where what was a prefix says so; pure."""

from __future__ import annotations

from proconsul.engine.wire.hcl1_layout import Item, laid_out, read_items

# What has names in both languages: there all that begin with one, here that one only.
_NAMED = frozenset({"agent", "event", "key", "node", "query", "service", "session"})


def translate(text: str) -> str:
    """The rules with every name as the prefix that it was, in the usual layout, with their comments.

    Raises ValueError with the original's text for what is no HCL.
    """
    items, trailing = read_items(text)
    return laid_out([_translated(item) for item in items], trailing)


def _translated(item: Item) -> Item:
    name = item.keys[0].strip('"')
    return item._replace(keys=(f"{name}_prefix", *item.keys[1:])) if name in _NAMED else item
