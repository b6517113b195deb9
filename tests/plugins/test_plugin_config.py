"""Plug-ins in configuration files: the allow-list, the blocks that name one, and what of them is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proconsul.agent.config import load
from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.plugins import named_plugins
from proconsul.plugins import PluginKind

HCL = """
plugins { allow = ["disk", "checks:*"] }
check {
  name = "one"
  interval = "1s"
  plugin = "of-check"
  plugin_config { path = "/", deep { a = [1, "x"] } }
}
service {
  name = "web"
  check { interval = "1s", plugin = "of-service" }
  checks = [{ interval = "1s", plugin = "of-service-2" }, { ttl = "1s" }]
  connect { sidecar_service { checks = [{ interval = "1s", plugin = "of-sidecar" }] } }
}
watches = [
  { type = "nodes", handler_type = "plugin", plugin = "of-watch" },
  { type = "nodes", handler_type = "script", args = ["true"] },
]
audit {
  enabled = true
  sink "s" { type = "plugin", plugin = "of-audit", plugin_config { to = "x" } }
}
telemetry {
  sinks { plugin = "of-metrics", plugin_config { to = "y" } }
  sinks { plugin = "of-metrics-2" }
}
"""
NAMED = {
    (PluginKind.CHECKS, "of-check"), (PluginKind.CHECKS, "of-service"), (PluginKind.CHECKS, "of-service-2"),
    (PluginKind.CHECKS, "of-sidecar"), (PluginKind.WATCH_HANDLERS, "of-watch"), (PluginKind.AUDIT_SINKS, "of-audit"),
    (PluginKind.METRICS_SINKS, "of-metrics"), (PluginKind.METRICS_SINKS, "of-metrics-2"),
}  # fmt: skip


def test_everything_that_is_named_is_found(tmp_path: Path) -> None:
    file = tmp_path / "agent.hcl"
    file.write_text(HCL)
    config, warnings = load({"dev": True, "config_files": [str(file)]})
    assert named_plugins(config.fixed, config.reloadable) == NAMED
    assert config.fixed.plugins.allow == ("disk", "checks:*")
    assert config.fixed.telemetry.sinks[0].plugin_config == {"to": "y"}
    [sink] = config.fixed.audit.sinks
    assert sink.use is not None and sink.use.plugin_config == {"to": "x"}
    [check] = config.reloadable.check_definitions
    assert check["PluginConfig"] == {"path": "/", "deep": {"a": [1, "x"]}}
    assert not [line for line in warnings if "plugin" in line]


def test_an_audit_that_is_off_names_none() -> None:
    sink = {"s": {"type": "plugin", "plugin": "x"}}
    config, _ = load({"dev": True, "audit": {"enabled": False, "sink": sink}})
    assert named_plugins(config.fixed, config.reloadable) == frozenset()


def test_without_a_list_nothing_is_listed() -> None:
    assert load({"dev": True})[0].fixed.plugins.allow is None
    assert load({"dev": True, "plugins": {"allow": []}})[0].fixed.plugins.allow == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('plugins { allow = ["wat:x"] }', """plugins.allow has "wat:x": before the ':' must stand one of "checks","""),
        ('plugins { allow = ["checks:"] }', 'plugins.allow has "checks:", which names no plug-in'),
        ('plugins { allow = [""] }', 'plugins.allow has "", which names no plug-in'),
        ("plugins { allow = [1] }", "'plugins.allow[0]' expected type 'string'"),
        ("plugins { deny = [] }", "invalid config key plugins.deny"),
        ("telemetry { sinks = [{}] }", "telemetry.sinks[0].plugin must be the name of a plug-in"),
        ('telemetry { sinks = [{ plugin = "x", wat = 1 }] }', "invalid config key telemetry.sinks[0].wat"),
        ('check { name = "x", interval = "1s", plugin = 3 }', "'check.plugin' expected type 'string'"),
        ('check { name = "x", interval = "1s", plugin_config = 3 }', "'check.plugin_config' expected a map"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "agent.hcl"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({"dev": True, "config_files": [str(file)]})
    assert fault in str(caught.value)


def test_settings_are_hidden_where_the_configuration_is_shown() -> None:
    from proconsul.agent.config.debug_config import debug_config

    check: dict[str, Any] = {"name": "x", "interval": "1s", "plugin": "p", "plugin_config": {"password": "hunter2"}}
    config, _ = load({
        "dev": True, "checks": [check], "services": [{"name": "web", "checks": [check]}],
        "watches": [{"type": "nodes", "handler_type": "plugin", "plugin": "p", "plugin_config": {"x": "hunter2"}}],
        "audit": {"enabled": True, "sink": {"s": {"type": "plugin", "plugin": "p", "plugin_config": {"x": "hunter2"}}}},
        "telemetry": {"sinks": [{"plugin": "p", "plugin_config": {"x": "hunter2"}}]},
    })  # fmt: skip
    shown = json.dumps(debug_config(config), default=str)
    assert "hunter2" not in shown and '"PluginConfig": {"password": "hidden"}' in shown
