"""``ui_config``: built over the older keys ``ui``, ``ui_dir`` and ``ui_content_path``, and its rules.

Pure. Texts are those of the release that brought each key: 1.8.7, and 1.9 for what is in the block only.
"""

from __future__ import annotations

import re
from typing import Final

from proconsul.agent.config.errors import ConfigError
from proconsul.agent.config.runtime import MetricsProxyConfig, UiConfig
from proconsul.agent.config.values import Reader
from proconsul.engine.http.url import Url, UrlError, parse
from proconsul.engine.wire import gojson
from proconsul.engine.wire.text import quoted

__all__ = ["build_ui", "validate_choice", "validate_content_path", "validate_ui"]

_PATH: Final = re.compile(r"[\w/-]+", re.ASCII)
_VERSION_PATH: Final = re.compile(r"/v[0-9]+/")
_NAME: Final = re.compile(r"[a-z0-9_-]+")
# What a page asks of a Prometheus, where nobody says more (1.9.1).
_PROMETHEUS: Final = "prometheus"
_PROMETHEUS_PATHS: Final = ("/api/v1/query", "/api/v1/query_range")


def build_ui(config: Reader) -> UiConfig:
    """The block, with what the older keys say where it is silent."""
    block = config.block("ui_config")
    path = block.text("content_path") or config.text("ui_content_path")
    provider = block.text("metrics_provider")
    return UiConfig(
        enabled=block.flag("enabled", config.flag("ui")),
        directory=block.text("dir") or config.text("ui_dir"),
        content_path=_slashes(path),
        metrics_provider=provider,
        metrics_provider_files=block.texts("metrics_provider_files"),
        metrics_provider_options_json=block.text("metrics_provider_options_json"),
        metrics_proxy=_build_proxy(block.block("metrics_proxy"), provider),
        dashboard_url_templates=block.text_map("dashboard_url_templates"),
        read_only=block.flag("read_only"),
    )


def _build_proxy(block: Reader, provider: str) -> MetricsProxyConfig:
    base, allowed = block.text("base_url"), block.texts("path_allowlist")
    if not allowed and base and provider == _PROMETHEUS:
        allowed = _PROMETHEUS_PATHS
    headers = tuple(
        (str(header.get("name", "")), str(header.get("value", ""))) for header in block.blocks("add_headers")
    )
    return MetricsProxyConfig(base_url=base, path_allowlist=allowed, add_headers=headers)


def _slashes(path: str) -> str:
    return ("" if path.startswith("/") else "/") + path + ("" if path.endswith("/") else "/")


def validate_content_path(path: str) -> None:
    """Raises ConfigError."""
    if not _PATH.fullmatch(path):
        raise ConfigError(f"ui-content-path can only contain alphanumeric, -, _, or /. received: {path}")
    if _VERSION_PATH.fullmatch(path):
        raise ConfigError(f"ui-content-path cannot have 'v[0-9]'. received: {path}")


def validate_choice(ui: UiConfig, *, dev_mode: bool) -> None:
    """One page is served: ours, or that of a directory, which wins in a development agent. Raises ConfigError."""
    if ui.enabled and ui.directory and not dev_mode:
        raise ConfigError(
            "Both the ui and ui-dir flags were specified, please provide only one.\n"
            "If trying to use your own web UI resources, use the ui-dir flag.\n"
            "The web UI is included in the binary so use ui to enable it"
        )


def validate_ui(ui: UiConfig) -> None:
    """The rules of 1.9 and later. Raises ConfigError."""
    if ui.metrics_provider and not _NAME.fullmatch(ui.metrics_provider):
        raise ConfigError(
            "ui_config.metrics_provider can only contain lowercase alphanumeric, - or _ characters. "
            f"received: {quoted(ui.metrics_provider)}"
        )
    if ui.metrics_provider_options_json and not _is_object(ui.metrics_provider_options_json):
        raise ConfigError(
            "ui_config.metrics_provider_options_json must be empty or a string containing a valid JSON object. "
            f"received: {quoted(ui.metrics_provider_options_json)}"
        )
    if ui.metrics_proxy.base_url and not _is_web_address(ui.metrics_proxy.base_url):
        raise ConfigError(
            "ui_config.metrics_proxy.base_url must be a valid http or https URL. "
            f"received: {quoted(ui.metrics_proxy.base_url)}"
        )
    for name, address in ui.dashboard_url_templates.items():
        if not _NAME.fullmatch(name):
            raise ConfigError(
                "ui_config.dashboard_url_templates key names can only contain lowercase alphanumeric, - or _ "
                f"characters. received: {quoted(name)}"
            )
        if not _is_web_address(address):
            raise ConfigError(
                "ui_config.dashboard_url_templates values must be a valid http or https URL. "
                f"received: {quoted(address)}"
            )


def _is_object(text: str) -> bool:
    try:
        return isinstance(gojson.loads(text.encode("utf-8", "surrogateescape")), dict)
    except gojson.JSONError:
        return False


def _is_web_address(text: str) -> bool:
    try:
        # Placeholders of a template may stand anywhere behind the host.
        found: Url = parse(re.sub(r"\{\{.*?\}\}", "x", text))
    except UrlError:
        return False
    return found.scheme in ("http", "https") and bool(found.host)
