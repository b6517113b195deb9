"""Definitions of services and checks as /v1/agent/self shows them in ``DebugConfig``: with all fields, and no secret.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from proconsul.agent.config.definitions import DURATION_FIELDS
from proconsul.engine.wire.durations import format_duration

__all__ = ["HIDDEN", "node_check_view", "service_view"]

HIDDEN: Final = "hidden"
# What has such a name proves something to those that checks ask. The original hides only fields of its own.
_NAMES: Final = "token|key|secret|passw|authorization|cookie"
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_USER_SECRET: Final = re.compile(r"^([^/?#]*//[^/?#:@]*:)[^/?#]*@")
_QUERY_SECRET: Final = re.compile(rf"([?&][^=&#]*(?:{_NAMES})[^=&#]*=)[^&#]*", re.IGNORECASE)

_CHECK_ZERO: Final[dict[str, object]] = {
    "AliasNode": "",
    "AliasService": "",
    "Body": "",
    "DeregisterCriticalServiceAfter": 0,
    "DockerContainerID": "",
    "FailuresBeforeCritical": 0,
    "GRPC": "",
    "GRPCUseTLS": False,
    "HTTP": "",
    "Header": {},
    "Interval": 0,
    "Method": "",
    "Name": "",
    "Notes": "",
    "OutputMaxSize": 0,
    "ScriptArgs": [],
    "Shell": "",
    "Status": "",
    "SuccessBeforePassing": 0,
    "TCP": "",
    "TLSSkipVerify": False,
    "TTL": 0,
    "Timeout": 0,
}


def _check_view(check: Mapping[str, object], extra: Mapping[str, object]) -> dict[str, object]:
    view = {**_CHECK_ZERO, **extra, **check}
    for name in DURATION_FIELDS:
        view[name] = format_duration(cast("int", view[name]))
    view["HTTP"] = _QUERY_SECRET.sub(rf"\1{HIDDEN}", _USER_SECRET.sub(rf"\1{HIDDEN}@", cast("str", view["HTTP"])))
    header = cast("Mapping[str, list[str]]", view["Header"])
    view["Header"] = {
        name: [HIDDEN] * len(values) if _SECRET_NAME.search(name) else values for name, values in header.items()
    }
    if view.get("PluginConfig"):  # nobody but the plug-in knows what of it is secret
        view["PluginConfig"] = dict.fromkeys(cast("Mapping[str, object]", view["PluginConfig"]), HIDDEN)
    return dict(sorted(view.items()))


def node_check_view(check: Mapping[str, object]) -> dict[str, object]:
    """A check on its own."""
    extra = {"EnterpriseMeta": {}, "ID": "", "ServiceID": "", "Token": ""}
    return {**_check_view(check, extra), "Token": HIDDEN}


def _service_check_view(check: Mapping[str, object]) -> dict[str, object]:
    return _check_view(check, {"CheckID": "", "ProxyGRPC": "", "ProxyHTTP": ""})


def service_view(service: Mapping[str, object]) -> dict[str, object]:
    """A service with its checks, proxy and sidecar."""
    checks = cast("list[Mapping[str, object]]", service.get("Checks", []))
    proxy = cast("Mapping[str, object] | None", service.get("Proxy"))
    connect = cast("Mapping[str, object] | None", service.get("Connect"))
    view: dict[str, object] = {
        "Address": "",
        "EnableTagOverride": False,
        "EnterpriseMeta": {},
        "ID": "",
        "Kind": "",
        "Meta": {},
        "Name": "",
        "Port": 0,
        "TaggedAddresses": {},
        "Tags": [],
        "Weights": {"Passing": 1, "Warning": 1},
        **service,
        "Check": _service_check_view({}),
        "Checks": [_service_check_view(check) for check in checks],
        "Connect": None,
        "Proxy": _proxy_view(proxy) if proxy is not None else None,
        "Token": HIDDEN,
    }
    if connect is not None:
        sidecar = cast("Mapping[str, object] | None", connect.get("SidecarService"))
        view["Connect"] = {
            "Native": connect.get("Native", False),
            "SidecarService": service_view(sidecar) if sidecar is not None else None,
        }
    return dict(sorted(view.items()))


def _proxy_view(proxy: Mapping[str, object]) -> dict[str, object]:
    upstreams = cast("list[Mapping[str, object]]", proxy.get("Upstreams", []))
    expose = cast("Mapping[str, object]", proxy.get("Expose", {}))
    view: dict[str, object] = {
        "Config": {},
        "DestinationServiceID": "",
        "DestinationServiceName": "",
        "LocalServiceAddress": "",
        "LocalServicePort": 0,
        "MeshGateway": {"Mode": ""},
        **proxy,
        "Expose": {"Checks": expose.get("Checks", False), "Paths": expose.get("Paths", [])},
        "Upstreams": [_upstream_view(item) for item in upstreams],
    }
    return dict(sorted(view.items()))


def _upstream_view(upstream: Mapping[str, object]) -> dict[str, object]:
    view: dict[str, object] = {
        "Config": {},
        "Datacenter": "",
        "DestinationName": "",
        "DestinationNamespace": "",
        "DestinationType": "service",
        "IngressHosts": [],
        "LocalBindAddress": "",
        "LocalBindPort": 0,
        "MeshGateway": {"Mode": ""},
        **upstream,
    }
    return dict(sorted(view.items()))
