"""What can be wrong with a configuration, with Consul's own texts."""

from __future__ import annotations


class ConfigError(Exception):
    """The configuration cannot be used. ``str()`` is the text shown to the operator."""
