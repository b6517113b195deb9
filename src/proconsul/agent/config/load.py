"""Load, reload and check configurations: the verbs of this room.

Order (configuration reference): defaults, ``-dev``, list flags, files and directories as given, ``-hcl`` fragments,
single-valued flags. Later values win; lists append.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from proconsul.agent.config.build import build
from proconsul.agent.config.decode import Values
from proconsul.agent.config.defaults import DEFAULTS, DEV, NON_USER, NON_USER_DEV
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import Host, RealHost
from proconsul.agent.config.merge import merge
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.config.sources import CONTROLS, FORMATS, Source, parse, read_paths
from proconsul.agent.config.without_effect import ignored

__all__ = ["load", "load_with", "reload", "validate_paths"]


def load(flags: Mapping[str, object], defaults: Mapping[str, object] = {}) -> tuple[RuntimeConfig, list[str]]:
    """Build the configuration of this machine from the flags of ``agent``.

    ``flags`` holds configuration keys as in a file (``{"datacenter": "dc2", "retry_join": [...]}``) and four controls:
    ``config_files`` (files and directories in the order given), ``hcl`` (fragments), ``config_format`` and ``dev``.
    ``defaults``: keys in place of those that hold where nothing is said.

    Returns the configuration and the warnings to print. Raises ConfigError with the text for the operator.
    """
    return load_with(flags, RealHost(), defaults)


def load_with(
    flags: Mapping[str, object], host: Host, defaults: Mapping[str, object] = {}
) -> tuple[RuntimeConfig, list[str]]:  # fmt: skip
    """``load`` on a given host."""
    dev = bool(flags.get("dev", False))
    config_format = str(flags.get("config_format") or "")
    if config_format and config_format not in FORMATS:
        raise ConfigError("-config-format must be either 'hcl' or 'json'")
    sources, warnings = read_paths(_texts(flags.get("config_files")), config_format)
    sources += [Source(f"flags-{number}.hcl", "hcl", text) for number, text in enumerate(_texts(flags.get("hcl")))]
    given: Values = {key: value for key, value in flags.items() if key not in CONTROLS and value is not None}
    head = {key: list(value) for key, value in given.items() if isinstance(value, list | tuple)}
    tail = {key: value for key, value in given.items() if key not in head}
    built_in = merge([DEFAULTS, *([DEV] if dev else []), dict(defaults)]) if dev or defaults else DEFAULTS
    wished = merge([dict(head), *(parse(source) for source in sources), tail])
    own = [NON_USER, NON_USER_DEV] if dev else [NON_USER]
    runtime, found = build(merge([built_in, wished, *own]), host, dev=dev)
    # What -dev itself turns on is nobody's wish.
    runtime = msgspec.structs.replace(runtime, without_effect=ignored(wished, built_in))
    return runtime, warnings + found


def _texts(value: object) -> list[str]:
    if value is not None and not isinstance(value, str | list | tuple):
        raise ConfigError(f"config_files and hcl must be lists of texts, not of type {type(value).__name__}")
    return [value] if isinstance(value, str) else [str(item) for item in value or ()]


def reload(
    flags: Mapping[str, object], current: RuntimeConfig, defaults: Mapping[str, object] = {}
) -> tuple[RuntimeConfig, list[str]]:  # fmt: skip
    """Load again with the flags, and the defaults, of the first time.

    What a running agent can put into force (`ReloadableConfig`) is taken over, so the result tells the truth about it;
    other changes are named in a warning. Raises ConfigError and leaves the current one in force.
    """
    fresh, warnings = load(flags, defaults)
    # What was said at the start need not be said again.
    warnings = [*warnings, *(text for text in fresh.without_effect if text not in current.without_effect)]
    waiting = list(_differences(fresh.fixed, current.fixed))
    if waiting:
        warnings = [*warnings, f"changes that need a restart of the agent: {', '.join(waiting)}"]
    result = msgspec.structs.replace(current, reloadable=fresh.reloadable, without_effect=fresh.without_effect)
    return result, warnings


def _differences(fresh: msgspec.Struct, current: msgspec.Struct, path: str = "") -> Iterator[str]:
    """The fields that differ, those of blocks by their path."""
    for name in fresh.__struct_fields__:
        ours, theirs = getattr(fresh, name), getattr(current, name)
        if isinstance(ours, msgspec.Struct):
            yield from _differences(ours, theirs, f"{path}{name}.")
        elif ours != theirs:
            yield path + name


def validate_paths(
    paths: Sequence[str], config_format: str | None = None, quiet: bool = False
) -> tuple[bool, str, list[str]]:
    """Check files and directories as the agent would; return (valid, text to print, warnings).

    The text has no final newline and is empty when there is nothing to say. ``quiet`` leaves out that all is well.
    """
    if config_format and config_format not in FORMATS:
        return False, "-config-format must be either 'hcl' or 'json", []
    if not paths:
        return False, "Must specify at least one config file or directory", []
    try:
        _, warnings = load({"config_files": list(paths), "config_format": config_format})
    except ConfigError as error:
        return False, f"Config validation failed: {error}", []
    return True, "" if quiet else "Configuration is valid!", warnings
