"""The one error of filter expressions."""

from __future__ import annotations


class FilterError(Exception):
    """An expression that cannot be used; its text is Consul's own, to be shown to the user."""
