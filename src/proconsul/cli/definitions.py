"""Service definitions of configuration files as bodies of ``/v1/agent/service/register``.  Pure.

Configuration files write ``enable_tag_override``, the API reads ``EnableTagOverride``; this file knows both names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from proconsul.cli import gotypes
from proconsul.client.gojson import Json

Block = Mapping[str, Json]
Shape = Callable[[Json], Json]


class DefinitionError(ValueError):
    """A definition cannot be used; ``str()`` says which part."""


def one(value: Json) -> Block:
    """Return a block which HCL 1 may give as a list of one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        merged: dict[str, Json] = {}
        for item in value:
            merged.update(item if isinstance(item, Mapping) else {})
        return merged
    return value if isinstance(value, Mapping) else {}


def many(value: Json) -> list[Block]:
    """Return a repeated block as a list."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [value]
    assert isinstance(value, Sequence)
    return [cast(Block, item) for item in value]


def _same(value: Json) -> Json:
    return value


def _duration(value: Json) -> Json:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return gotypes.format_duration(int(value))
    try:
        return gotypes.format_duration(gotypes.parse_duration(str(value)))
    except gotypes.GoSyntaxError as error:
        raise DefinitionError(str(error)) from None


def _plain(value: Json) -> Json:
    """Free-form configuration: repeated blocks of one become the block."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) == 1 and isinstance(value[0], Mapping):
            return _plain(value[0])
        return [_plain(item) for item in value]
    return value


def _block(fields: Mapping[str, tuple[str, Shape]]) -> Shape:
    def shape(value: Json) -> Json:
        return _renamed(one(value), fields)

    return shape


def _blocks(fields: Mapping[str, tuple[str, Shape]]) -> Shape:
    def shape(value: Json) -> Json:
        return [_renamed(block, fields) for block in many(value)]

    return shape


def _renamed(block: Block, fields: Mapping[str, tuple[str, Shape]]) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for key, value in block.items():
        known = fields.get(key) or fields.get(key.lower()) or fields.get(key.lower().replace("_", ""))
        if known is not None and value is not None:
            name, shape = known
            out[name] = shape(value)
    return out


def _table(*rows: tuple[str, str, Shape]) -> dict[str, tuple[str, Shape]]:
    table: dict[str, tuple[str, Shape]] = {}
    for snake, camel, shape in rows:
        table[snake] = (camel, shape)
        table[snake.replace("_", "")] = (camel, shape)
        table[camel.lower()] = (camel, shape)
    return table


def _same_rows(*names: str) -> list[tuple[str, str, Shape]]:
    rows: list[tuple[str, str, Shape]] = []
    for pair in names:
        snake, _, camel = pair.partition(":")
        rows.append((snake, camel or "".join(word.capitalize() for word in snake.split("_")), _same))
    return rows


_CHECK = _table(
    *_same_rows(
        "id:CheckID",
        "name",
        "notes",
        "http:HTTP",
        "method",
        "body",
        "tcp:TCP",
        "docker_container_id:DockerContainerID",
        "shell",
        "grpc:GRPC",
        "grpc_use_tls:GRPCUseTLS",
        "tls_skip_verify:TLSSkipVerify",
        "alias_node",
        "alias_service",
        "status",
        "success_before_passing",
        "failures_before_critical",
        "output_max_size",
        "header",
        "service_id:ServiceID",
    ),
    ("args", "Args", _same),
    ("script_args", "Args", _same),
    ("interval", "Interval", _duration),
    ("timeout", "Timeout", _duration),
    ("ttl", "TTL", _duration),
    ("deregister_critical_service_after", "DeregisterCriticalServiceAfter", _duration),
)
_CHECK["header"] = ("Header", _plain)
_MESH_GATEWAY = _table(*_same_rows("mode"))
_EXPOSE = _table(
    *_same_rows("checks"),
    ("paths", "Paths", _blocks(_table(*_same_rows("path", "listener_port", "local_path_port", "protocol")))),
)
_UPSTREAM = _table(
    *_same_rows(
        "destination_type",
        "destination_namespace",
        "destination_name",
        "datacenter",
        "local_bind_address",
        "local_bind_port",
    ),
    ("config", "Config", _plain),
    ("mesh_gateway", "MeshGateway", _block(_MESH_GATEWAY)),
)
_PROXY = _table(
    *_same_rows(
        "destination_service_name",
        "destination_service_id:DestinationServiceID",
        "local_service_address",
        "local_service_port",
    ),
    ("config", "Config", _plain),
    ("upstreams", "Upstreams", _blocks(_UPSTREAM)),
    ("mesh_gateway", "MeshGateway", _block(_MESH_GATEWAY)),
    ("expose", "Expose", _block(_EXPOSE)),
)


def _addresses(value: Json) -> Json:
    table = _table(*_same_rows("address", "port"))
    return {name: _renamed(one(address), table) for name, address in one(value).items()}


def _connect(value: Json) -> Json:
    block = one(value)
    out: dict[str, Json] = {}
    if block.get("native"):
        out["Native"] = True
    sidecar = block.get("sidecar_service", block.get("SidecarService"))
    if sidecar is not None:
        out["SidecarService"] = registration(one(sidecar))
    return out


def registration(service: Block) -> dict[str, Json]:
    """Return one service of a configuration file as the API's request; raises :class:`DefinitionError`."""
    table = _table(
        *_same_rows("kind", "id:ID", "name", "tags", "port", "address", "enable_tag_override", "namespace"),
        ("meta", "Meta", _plain),
        ("weights", "Weights", _block(_table(*_same_rows("passing", "warning")))),
        ("tagged_addresses", "TaggedAddresses", _addresses),
        ("proxy", "Proxy", _block(_PROXY)),
        ("connect", "Connect", _connect),
    )
    out = _renamed(service, table)
    checks = [*many(service.get("check", service.get("Check"))), *many(service.get("checks", service.get("Checks")))]
    if checks:
        out["Checks"] = [_renamed(check, _CHECK) for check in checks]
    return out
