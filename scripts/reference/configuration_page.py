"""The page about configuration: every key, what it is by default, and what a change of it takes, found by trying."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from proconsul.agent.config.build import build
from proconsul.agent.config.decode import Values
from proconsul.agent.config.defaults import DEFAULTS, ENGINE, NON_USER
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.host import RealHost
from proconsul.agent.config.merge import merge
from proconsul.agent.config.runtime import RuntimeConfig
from proconsul.agent.config.schema import CONFIG, Kind, ListOf, MapOf, Node, Section
from proconsul.agent.config.sources import Source, parse
from proconsul.agent.config.without_effect import GROUPS
from proconsul.cli.commands import agent as agent_command
from reference.markdown import code, page, prose, table

_INTRO = """
Keys of configuration files (`-config-file`, `-config-dir`), in HCL or JSON; `proconsul validate` checks files. Names,
kinds and defaults are Consul's. A key that is not here ends the start, as there. A dot stands for a block:
`ports.http` is `ports { http = 8500 }`. Later files win over earlier ones, flags over files; lists grow.

**A change takes**: `reload` (SIGHUP, `proconsul reload` or `PUT /v1/agent/reload`) or `restart`. A reload that brings
other changes names them in the log. `nothing`: the key is read and checked and has no effect, for the reason given in
[COMPATIBILITY.md](../../COMPATIBILITY.md).
"""
_KINDS = {
    Kind.STRING: "text", Kind.DURATION: "duration", Kind.BOOL: "true, false", Kind.INT: "integer",
    Kind.UINT: "integer >= 0", Kind.FLOAT: "number", Kind.STRINGS: "list of texts", Kind.STRING_MAP: "map of texts",
    Kind.STRINGS_MAP: "map of lists", Kind.OPAQUE: "block", Kind.OPAQUES: "list of blocks", Kind.IGNORED: "anything",
}  # fmt: skip
# Other values than the defaults, tried in turn until one is accepted.
_SAMPLES: dict[Kind, tuple[Any, ...]] = {
    Kind.STRING: ("10.9.8.7", "zz", "warn", "deny", "allow", "/zz/", "11111111-2222-4333-8444-555555555555", "tls13",
                  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "random", "prometheus", "{}", "permissive", "LOCAL3"),
    Kind.BOOL: (True, False), Kind.DURATION: ("77s", "7s", "77m"), Kind.INT: (7, 1, 2, 70000), Kind.UINT: (7, 600000),
    Kind.FLOAT: (7.5,),
    Kind.STRINGS: (["10.9.8.7"], ["10.0.0.0/8"], ["+zz"]),
    Kind.STRING_MAP: ({"zz": "77s"}, {"wan": "10.9.8.7"}, {"agent": "warn"}),
    Kind.STRINGS_MAP: ({"zz": ["yy"]},), Kind.OPAQUE: ({"zz": "yy"},), Kind.OPAQUES: ([{"zz": "yy"}],),
}  # fmt: skip
# What other keys have to say so that a key counts.
_TOGETHER: dict[str, Values] = {
    "bootstrap": {"server": True}, "bootstrap_expect": {"server": True}, "ui_config.dir": {}, "segment": {},
    "enable_acl_replication": {"acl_datacenter": "dc1"},
    "dns_config.cache_max_age": {"dns_config": {"use_cache": True}},
}  # fmt: skip


# Keys that need more around them than is tried here; a part of the agent takes them when it starts.
_AT_START = frozenset((
    "addresses.https", "advertise_addr_ipv6", "advertise_addr_wan_ipv6", "audit.enabled", "audit.sink",
    "auto_config.enabled", "auto_encrypt.allow_tls", "segment", "segments", "telemetry.sinks",
    "ui_config.dashboard_url_templates", "ui_config.metrics_proxy.add_headers", "ui_config.metrics_proxy.base_url",
))  # fmt: skip


class Key(NamedTuple):
    """One key, by its path."""

    path: str
    kind: str
    node: Node


def keys(section: Section = CONFIG, path: str = "") -> Iterator[Key]:
    """Every key in the order of its name; definitions of services and checks only as a whole."""
    for name in sorted(section.keys):
        node = section.keys[name]
        if path + name in ("service", "check"):
            yield Key(path + name, "block", node)
        elif isinstance(node, Section):
            yield from keys(node, f"{path}{name}.")
        elif isinstance(node, ListOf):
            yield Key(path + name, "list of blocks", node)
        elif isinstance(node, MapOf):
            yield Key(path + name, "blocks by name", node)
        else:
            yield Key(path + name, _KINDS[node], node)


def _within(path: str, value: Any) -> Values:
    for name in reversed(path.split(".")):
        value = {name: value}
    found: Values = value
    return found


def _built(wished: Values) -> RuntimeConfig:
    source = Source(
        "page.json", "json", json.dumps(merge([{"data_dir": "/nonexistent", "bind_addr": "127.0.0.1"}, wished]))
    )
    return build(merge([DEFAULTS, parse(source), NON_USER]), RealHost(), dev=False)[0]


def _effect(key: Key, plain: RuntimeConfig, idle: Mapping[str, str]) -> str:
    """What a change of it takes."""
    blocks = [key.path, *(key.path[:at] for at, letter in enumerate(key.path) if letter == ".")]
    if any(one in idle for one in blocks) or key.path.startswith("telemetry.circonus_"):
        return "nothing"
    if key.path in ("service", "services", "check", "checks", "watches"):
        return "reload"
    base = _TOGETHER.get(key.path, {})
    before = _built(base) if base else plain
    node = key.node
    if node is Kind.IGNORED:
        return "nothing"
    samples = _SAMPLES.get(node, ()) if isinstance(node, Kind) else ()
    for value in samples:
        try:
            after = _built(merge([base, _within(key.path, value)]))
        except (ConfigError, OSError, ValueError):
            continue
        if after.reloadable != before.reloadable and after.fixed == before.fixed:
            return "reload"
        if after.fixed != before.fixed:
            return "restart"
    assert key.path in _AT_START, f"{key.path}: no value in _SAMPLES is accepted and changes anything"
    return "restart"


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield path + name, value


def _flags() -> dict[str, tuple[str, str]]:
    """Keys to the flag that sets them and what it says of itself."""
    found: dict[str, tuple[str, str]] = {}
    names = {key.path for key in keys()}
    spelt = {name.replace(".", "_"): name for name in names} | {"dns_recursors": "recursors"}
    for flags in (agent_command._TEXTS, agent_command._NUMBERS, agent_command._SWITCHES, agent_command._LISTS):
        for flag, (target, usage) in flags.items():
            found[target if target in names else spelt[target]] = (f"-{flag}", usage)
    found["node_meta"] = ("-node-meta", "Metadata of this node.")
    return found


def meanings() -> dict[str, str]:
    """What keys mean: of those with a flag the flag's words, else what is written in meanings.json."""
    written = msgspec.json.decode(Path(__file__).with_name("meanings.json").read_bytes(), type=dict[str, str])
    return {path: usage for path, (_, usage) in _flags().items()} | written


def _default(path: str, defaults: Mapping[str, Any]) -> str:
    value = defaults.get(path)
    if value in (None, "", [], {}) or path == "cache.entry_fetch_rate":
        return ""
    return json.dumps(value).strip('"')


def configuration_page() -> str:
    """docs/reference/configuration.md."""
    logging.disable(logging.WARNING)
    plain, flags, words = _built({}), _flags(), meanings()
    idle = {name: "" for group in GROUPS for name in group.settings}
    defaults = dict(_leaves(merge([DEFAULTS, ENGINE])))
    blocks: dict[str, list[tuple[str, ...]]] = {"": []}
    for key in keys():
        block = key.path.partition(".")[0] if "." in key.path else ""
        flag = flags.get(key.path, ("", ""))[0]
        word = prose(words.get(key.path) or words.get(f"*.{key.path.rpartition('.')[2]}", "")) + (
            f" Flag: {code(flag)}." if flag else ""
        )
        effect = _effect(key, plain, idle)
        row = (code(key.path), word, key.kind, code(_default(key.path, defaults)), effect)
        blocks.setdefault(block, []).append(row)
    logging.disable(logging.NOTSET)
    head = ("Key", "Meaning", "Kind", "Default", "A change takes")
    parts = [f"## {title(name)}\n\n{table(head, rows)}" for name, rows in blocks.items()]
    return page("Configuration", _INTRO, parts)


def title(block: str) -> str:
    """The heading of a block's keys."""
    return f"In {block}" if block else "At the top"
