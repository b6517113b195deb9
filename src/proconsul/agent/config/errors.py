"""What can be wrong with a configuration, with Consul's own texts."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ConfigError", "multi_error"]


class ConfigError(Exception):
    """The configuration cannot be used. ``str()`` is the text shown to the operator."""


def multi_error(texts: Sequence[str]) -> str:
    """Several errors in the one layout Consul prints them in (header, bulleted lines, blank line)."""
    assert texts, "an error list is never empty"
    head = "1 error occurred:" if len(texts) == 1 else f"{len(texts)} errors occurred:"
    return head + "\n" + "".join(f"\t* {text}\n" for text in texts) + "\n"
