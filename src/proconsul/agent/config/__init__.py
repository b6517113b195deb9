"""The agent's configuration: every key, its sources, the merge and the effective result.

``load(flags)`` gives the ``RuntimeConfig`` and warnings; ``reload`` does it again while running; ``validate_paths``
is the ``validate`` command; ``debug_config`` is the view shown at /v1/agent/self.
"""

from proconsul.agent.config.debug_config import debug_config
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.load import load, load_with, reload, validate_paths
from proconsul.agent.config.runtime import Address, Endpoint, FixedConfig, ReloadableConfig, RuntimeConfig

__all__ = [
    "Address",
    "ConfigError",
    "Endpoint",
    "FixedConfig",
    "ReloadableConfig",
    "RuntimeConfig",
    "debug_config",
    "load",
    "load_with",
    "reload",
    "validate_paths",
]
