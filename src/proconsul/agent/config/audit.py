"""The ``audit`` block, as the Enterprise documents describe it; ``stdout``, ``plugin`` and ``enforced`` are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proconsul.agent.config.issues import Issues
from proconsul.agent.config.plugins import plugin_use
from proconsul.agent.config.runtime_sinks import AuditConfig, AuditSink
from proconsul.agent.config.values import Reader
from proconsul.engine.wire.durations import SECOND_NS
from proconsul.engine.wire.text import quoted

_KEYS = frozenset({"type", "format", "path", "delivery_guarantee", "mode", "rotate_duration", "rotate_max_files",
                   "rotate_bytes", "plugin", "plugin_config"})  # fmt: skip
_TYPES, _GUARANTEES = ("file", "stdout", "plugin"), ("best-effort", "enforced")
_ROTATE_DEFAULT = "24h"


def build_audit(config: Reader) -> AuditConfig:
    """What is audited where; faults go to the reader's issues."""
    block = config.block("audit")
    sinks = tuple(_sink(name, value, block.issues) for name, value in block.opaque("sink").items())
    if block.flag("enabled") and not sinks:
        block.issues.add("audit.sink must be set when audit.enabled is true")
    return AuditConfig(enabled=block.flag("enabled"), sinks=sinks)


def _sink(name: str, value: Any, issues: Issues) -> AuditSink:
    path = f"audit.sink[{quoted(name)}]"
    if isinstance(value, list) and len(value) == 1:  # a labelled block of HCL
        value = value[0]
    if not isinstance(value, Mapping):
        issues.add(f"{path} must be a block")
        value = {}
    for key in sorted(set(value) - _KEYS):
        issues.add(f"{path} has an unknown key {quoted(str(key))}")
    duration = value.get("rotate_duration", _ROTATE_DEFAULT)
    sink = AuditSink(
        name=name, type=_one_of(value, "type", "", _TYPES, path, issues), path=_text(value, "path", "", path, issues),
        enforced=_one_of(value, "delivery_guarantee", "best-effort", _GUARANTEES, path, issues) == "enforced",
        mode=_mode(value, path, issues), rotate_bytes=_number(value, "rotate_bytes", path, issues),
        rotate_s=issues.duration_ns(f"{path}.rotate_duration", duration) / SECOND_NS,
        rotate_max_files=_number(value, "rotate_max_files", path, issues),
        use=plugin_use(value, path, issues, given=value.get("type") == "plugin"),
    )  # fmt: skip
    _one_of(value, "format", "json", ("json",), path, issues)
    if sink.type == "file" and not sink.path:
        issues.add(f"{path}.path must be set for a file")
    return sink


def _text(value: Mapping[str, Any], key: str, default: str, path: str, issues: Issues) -> str:
    found = value.get(key, default)
    if isinstance(found, str):
        return found
    issues.add(f"{path}.{key} must be a string")
    return default


def _one_of(
    value: Mapping[str, Any], key: str, default: str, allowed: tuple[str, ...], path: str, issues: Issues
) -> str:  # fmt: skip
    found = _text(value, key, default, path, issues)
    if found not in allowed:
        issues.add(f"{path}.{key} must be one of {', '.join(map(quoted, allowed))}, not {quoted(found)}")
    return found


def _number(value: Mapping[str, Any], key: str, path: str, issues: Issues) -> int:
    found = value.get(key, 0)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    issues.add(f"{path}.{key} must be a number")
    return 0


def _mode(value: Mapping[str, Any], path: str, issues: Issues) -> int:
    text = _text(value, "mode", "0600", path, issues)
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        issues.add(f"{path}.mode must be permissions of a file in octal, not {quoted(text)}")
    return mode
