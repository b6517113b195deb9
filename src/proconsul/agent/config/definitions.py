"""Service and check definitions of a configuration file, in the JSON form of the HTTP API.

``{"name": "web", "check": {"http": ..., "interval": "10s"}}`` becomes ``{"Name": "web", "Checks": [{"HTTP": ...,
"Interval": 10000000000}]}``, which the decoder of /v1/agent/service/register reads too. Durations are nanoseconds.
Keys that are not set are left out.

Pure.
"""

from __future__ import annotations

from typing import Final, cast

from proconsul.agent.config.decode import Values
from proconsul.agent.config.issues import Issues
from proconsul.agent.config.schema import CHECK, Kind
from proconsul.features.catalog.definition import CheckType, DefinitionError, validate_meta, validate_weights
from proconsul.features.catalog.model import Weights

__all__ = ["DURATION_FIELDS", "OUTPUT_BYTES_DEFAULT", "check_definition", "service_definition"]

# 4 KiB: what a check keeps of its output unless it says otherwise; the agent-wide limit still applies.
OUTPUT_BYTES_DEFAULT: Final = 4096

# A check's key is its field's name in lower case with underscores; what is left is the definition's own business.
_FIELDS: Final = {name.lower(): name for name in CheckType.__struct_fields__}
_CHECK_NAMES: Final = {"args": "ScriptArgs"} | {
    key: _FIELDS[key.replace("_", "")] for key in CHECK.keys if key.replace("_", "") in _FIELDS
}
_CHECK_DURATIONS: Final = frozenset(key for key, kind in CHECK.keys.items() if kind is Kind.DURATION)
# The fields that hold nanoseconds.
DURATION_FIELDS: Final = frozenset(_CHECK_NAMES[key] for key in _CHECK_DURATIONS)
SERVICE_KINDS: Final = frozenset({"connect-proxy", "mesh-gateway", "terminating-gateway", "ingress-gateway"})
_SERVICE_NAMES: Final = {
    "id": "ID",
    "name": "Name",
    "kind": "Kind",
    "tags": "Tags",
    "address": "Address",
    "port": "Port",
    "socket_path": "SocketPath",
    "meta": "Meta",
    "enable_tag_override": "EnableTagOverride",
    "token": "Token",
    "namespace": "Namespace",
    "partition": "Partition",
}
_PROXY_NAMES: Final = {
    "destination_service_name": "DestinationServiceName",
    "destination_service_id": "DestinationServiceID",
    "local_service_address": "LocalServiceAddress",
    "local_service_port": "LocalServicePort",
    "local_service_socket_path": "LocalServiceSocketPath",
    "mode": "Mode",
    "mutual_tls_mode": "MutualTLSMode",
    "config": "Config",
    "envoy_extensions": "EnvoyExtensions",
}
_UPSTREAM_NAMES: Final = {
    "destination_name": "DestinationName",
    "destination_namespace": "DestinationNamespace",
    "destination_partition": "DestinationPartition",
    "destination_peer": "DestinationPeer",
    "datacenter": "Datacenter",
    "local_bind_address": "LocalBindAddress",
    "local_bind_port": "LocalBindPort",
    "local_bind_socket_path": "LocalBindSocketPath",
    "local_bind_socket_mode": "LocalBindSocketMode",
    "config": "Config",
}
_EXPOSE_PATH_NAMES: Final = {
    "path": "Path",
    "protocol": "Protocol",
    "listener_port": "ListenerPort",
    "local_path_port": "LocalPathPort",
}
_ACCESS_LOG_NAMES: Final = {
    "enabled": "Enabled",
    "disable_listener_logs": "DisableListenerLogs",
    "type": "Type",
    "path": "Path",
    "json_format": "JSONFormat",
    "text_format": "TextFormat",
}


def _rename(source: Values, names: dict[str, str]) -> Values:
    return {new: source[old] for old, new in names.items() if old in source}


def _block(source: Values, key: str) -> Values:
    return cast("Values", source.get(key, {}))


def _blocks(source: Values, key: str) -> list[Values]:
    return cast("list[Values]", source.get(key, []))


def check_definition(source: Values, issues: Issues, *, of_service: bool = False) -> Values:
    """One check. Inside a service its id is ``CheckID``, on its own it is ``ID``."""
    result: Values = {}
    if "id" in source:
        result["CheckID" if of_service else "ID"] = source["id"]
    if not of_service:
        result.update(_rename(source, {"service_id": "ServiceID", "token": "Token"}))
    for key, name in _CHECK_NAMES.items():
        if key in source:
            value = source[key]
            result[name] = issues.duration_ns(f"check[].{key}", value) if key in _CHECK_DURATIONS else value
    result.setdefault("OutputMaxSize", OUTPUT_BYTES_DEFAULT)
    return result


def service_definition(source: Values, issues: Issues) -> Values:
    """One service with its checks, proxy and sidecar."""
    name = str(source.get("name", ""))
    result = _rename(source, _SERVICE_NAMES)
    if result.get("Kind") not in SERVICE_KINDS:
        result.pop("Kind", None)  # the original's files know no others, and do not say so
    checks = [
        check_definition(item, issues, of_service=True)
        for item in [*_blocks(source, "checks"), *([_block(source, "check")] if "check" in source else [])]
    ]
    if checks:
        result["Checks"] = checks
    if "tagged_addresses" in source:
        result["TaggedAddresses"] = {
            key: {"Address": cast("Values", value).get("address", ""), "Port": cast("Values", value).get("port", 0)}
            for key, value in _block(source, "tagged_addresses").items()
        }
    if "meta" in source:
        try:
            validate_meta(cast("dict[str, str]", source["meta"]))
        except DefinitionError as error:
            issues.add(f"invalid meta for service {name}: {error}")
    if source.get("weights"):
        result["Weights"] = _weights(name, _block(source, "weights"), issues)
    if "ports" in source:
        result["Ports"] = [
            _rename(item, {"name": "Name", "port": "Port", "default": "Default"}) for item in _blocks(source, "ports")
        ]
    if "locality" in source:
        result["Locality"] = _rename(_block(source, "locality"), {"region": "Region", "zone": "Zone"})
    if "proxy" in source:
        result["Proxy"] = _proxy(_block(source, "proxy"), issues)
    if "connect" in source:
        result["Connect"] = _connect(_block(source, "connect"), issues)
    return result


def _weights(service: str, source: Values, issues: Issues) -> Values:
    weights = Weights(Passing=cast("int", source.get("passing", 1)), Warning=cast("int", source.get("warning", 1)))
    try:
        validate_weights(weights)
    except DefinitionError as error:
        issues.add(f"Invalid weight definition for service {service}: {error}")
    return {"Passing": weights.Passing, "Warning": weights.Warning}


def _mesh_gateway(source: Values, issues: Issues) -> Values:
    mode = str(source.get("mode", ""))
    if mode not in ("", "none", "local", "remote"):
        issues.add(f'Invalid Mesh Gateway Mode: "{mode}"')
    return {"Mode": mode}


def _proxy(source: Values, issues: Issues) -> Values:
    result = _rename(source, _PROXY_NAMES)
    if "upstreams" in source:
        upstreams: list[Values] = []
        for item in _blocks(source, "upstreams"):
            upstream: Values = {"DestinationType": item.get("destination_type", "service")}
            upstream.update(_rename(item, _UPSTREAM_NAMES))
            if "mesh_gateway" in item:
                upstream["MeshGateway"] = _mesh_gateway(_block(item, "mesh_gateway"), issues)
            upstreams.append(upstream)
        result["Upstreams"] = upstreams
    if "mesh_gateway" in source:
        result["MeshGateway"] = _mesh_gateway(_block(source, "mesh_gateway"), issues)
    if "expose" in source:
        expose = _block(source, "expose")
        exposed = _rename(expose, {"checks": "Checks"})
        if "paths" in expose:
            exposed["Paths"] = [_rename(path, _EXPOSE_PATH_NAMES) for path in _blocks(expose, "paths")]
        result["Expose"] = exposed
    if "transparent_proxy" in source:
        result["TransparentProxy"] = _rename(
            _block(source, "transparent_proxy"),
            {"outbound_listener_port": "OutboundListenerPort", "dialed_directly": "DialedDirectly"},
        )
    if "access_logs" in source:
        result["AccessLogs"] = _rename(_block(source, "access_logs"), _ACCESS_LOG_NAMES)
    return result


def _connect(source: Values, issues: Issues) -> Values:
    result = _rename(source, {"native": "Native"})
    if "sidecar_service" in source:
        sidecar = _block(source, "sidecar_service")
        if sidecar.get("id"):
            issues.add("sidecar_service can't specify an ID")
        if _block(sidecar, "connect").get("sidecar_service") is not None:
            issues.add("sidecar_service can't have a nested sidecar_service")
            sidecar = {**sidecar, "connect": {}}
        result["SidecarService"] = service_definition(sidecar, issues)
    return result
