"""The kinds of configuration entries: their fields in order, and reading them from HCL or JSON.  Pure.

Source: Consul documentation "Configuration Entries".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proconsul.client.gojson import Field, Json, Struct
from proconsul.client.schemas import EXPOSE, MESH_GATEWAY
from proconsul.engine.wire.durations import DurationError, format_duration, parse_duration
from proconsul.engine.wire.text import multi_error

_HEAD = (Field("Kind"), Field("Name"), Field("Namespace", omit=True))
_INDEXES = (Field("CreateIndex", 0), Field("ModifyIndex", 0))
_MESH_GATEWAY = Field("MeshGateway", struct=MESH_GATEWAY)
_EXPOSE = Field("Expose", struct=EXPOSE)
_MATCH = Struct(
    Field("PathExact", omit=True),
    Field("PathPrefix", omit=True),
    Field("PathRegex", omit=True),
    Field(
        "Header",
        None,
        omit=True,
        many="list",
        struct=Struct(
            Field("Name"),
            Field("Present", False, omit=True),
            Field("Exact", omit=True),
            Field("Prefix", omit=True),
            Field("Suffix", omit=True),
            Field("Regex", omit=True),
            Field("Invert", False, omit=True),
        ),
    ),
    Field(
        "QueryParam",
        None,
        omit=True,
        many="list",
        struct=Struct(
            Field("Name"), Field("Present", False, omit=True), Field("Exact", omit=True), Field("Regex", omit=True)
        ),
    ),
    Field("Methods", None, omit=True),
)
_DESTINATION = Struct(
    Field("RequestTimeout", omit=True),
    Field("Service", omit=True),
    Field("ServiceSubset", omit=True),
    Field("Namespace", omit=True),
    Field("PrefixRewrite", omit=True),
    Field("NumRetries", 0, omit=True),
    Field("RetryOnConnectFailure", False, omit=True),
    Field("RetryOnStatusCodes", None, omit=True),
)
_ROUTE = Struct(
    Field("Match", None, omit=True, struct=Struct(Field("HTTP", None, omit=True, struct=_MATCH))),
    Field("Destination", None, omit=True, struct=_DESTINATION),
)
_SPLIT = Struct(
    Field("Weight", 0),
    Field("Service", omit=True),
    Field("ServiceSubset", omit=True),
    Field("Namespace", omit=True),
)
_REDIRECT = Struct(
    Field("Service", omit=True),
    Field("ServiceSubset", omit=True),
    Field("Namespace", omit=True),
    Field("Datacenter", omit=True),
)
_FAILOVER = Struct(
    Field("Service", omit=True),
    Field("ServiceSubset", omit=True),
    Field("Namespace", omit=True),
    Field("Datacenters", None, omit=True),
)
_INGRESS_SERVICE = Struct(Field("Name"), Field("Hosts", None), Field("Namespace", omit=True))
_LISTENER = Struct(Field("Port", 0), Field("Protocol"), Field("Services", None, many="list", struct=_INGRESS_SERVICE))
_LINKED_SERVICE = Struct(
    Field("Namespace", omit=True),
    Field("Name", omit=True),
    Field("CAFile", omit=True),
    Field("CertFile", omit=True),
    Field("KeyFile", omit=True),
    Field("SNI", omit=True),
)

KINDS: Mapping[str, Struct] = {
    "service-defaults": Struct(
        *_HEAD, Field("Protocol", omit=True), _MESH_GATEWAY, _EXPOSE, Field("ExternalSNI", omit=True), *_INDEXES
    ),
    "proxy-defaults": Struct(*_HEAD, Field("Config", None, omit=True), _MESH_GATEWAY, _EXPOSE, *_INDEXES),
    "service-router": Struct(*_HEAD, Field("Routes", None, omit=True, many="list", struct=_ROUTE), *_INDEXES),
    "service-splitter": Struct(*_HEAD, Field("Splits", None, omit=True, many="list", struct=_SPLIT), *_INDEXES),
    "service-resolver": Struct(
        Field("ConnectTimeout", omit=True),
        *_HEAD,
        Field("DefaultSubset", omit=True),
        Field(
            "Subsets",
            None,
            omit=True,
            many="map",
            struct=Struct(Field("Filter", omit=True), Field("OnlyPassing", False, omit=True)),
        ),
        Field("Redirect", None, omit=True, struct=_REDIRECT),
        Field("Failover", None, omit=True, many="map", struct=_FAILOVER),
        *_INDEXES,
    ),
    "ingress-gateway": Struct(
        *_HEAD,
        Field("TLS", struct=Struct(Field("Enabled", False))),
        Field("Listeners", None, many="list", struct=_LISTENER),
        *_INDEXES,
    ),
    "terminating-gateway": Struct(
        *_HEAD, Field("Services", None, omit=True, many="list", struct=_LINKED_SERVICE), *_INDEXES
    ),
}

# Values of these fields are durations, written as text.
_DURATIONS = frozenset({"ConnectTimeout", "RequestTimeout"})
_LISTS = frozenset({"Hosts", "Datacenters", "Methods", "RetryOnStatusCodes"})


class EntryError(ValueError):
    """The entry cannot be used; ``str()`` is Consul's text."""


def shape(kind: str, entry: Json) -> Json:
    """Return an entry with the fields of its kind in order; raises :class:`EntryError` for unknown kinds."""
    struct = KINDS.get(kind)
    if struct is None:
        raise EntryError(f"invalid config entry kind: {kind}")
    return struct.shape(_with_durations(entry))


def decode(document: Mapping[str, Json]) -> Json:
    """Return the API's form of an entry that was written as HCL or JSON; raises :class:`EntryError`."""
    kinds = [str(value) for key, value in document.items() if key in ("Kind", "kind")]
    if not kinds:
        raise EntryError("Payload does not contain a kind/Kind key at the top level")
    struct = KINDS.get(kinds[0])
    if struct is None:
        raise EntryError(f"invalid config entry kind: {kinds[0]}")
    unknown: list[str] = []
    entry = _take(struct, document, "", unknown)
    if unknown:
        raise EntryError(multi_error(f'invalid config key "{path}"' for path in sorted(unknown)))
    return struct.shape(_with_durations(entry))


def _with_durations(entry: Json) -> Json:
    if isinstance(entry, Mapping):
        return {key: _duration(value) if key in _DURATIONS else _with_durations(value) for key, value in entry.items()}
    if isinstance(entry, Sequence) and not isinstance(entry, str):
        return [_with_durations(item) for item in entry]
    return entry


def _duration(value: Json) -> Json:
    """Return a duration in Go's spelling; an unset one (0s) is left out."""
    if value is None or value == "":
        return ""
    nanoseconds = value if isinstance(value, int) else 0
    if isinstance(value, str):
        try:
            nanoseconds = parse_duration(value)
        except DurationError as error:
            raise EntryError(str(error)) from None
    return format_duration(nanoseconds) if nanoseconds else ""


def _single(value: Json) -> Json:
    """HCL 1 gives a block as a list of its occurrences; take the only one."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        return value[0]
    return value


def _take(struct: Struct, value: Json, path: str, unknown: list[str]) -> Json:
    value = _single(value)
    if not isinstance(value, Mapping):
        return {}
    fields = {field.name.lower(): field for field in struct.fields}
    out: dict[str, Json] = {}
    for key, item in value.items():
        field = fields.get(key.lower()) or fields.get(key.lower().replace("_", ""))
        here = f"{path}.{key}" if path else key
        if field is None:
            unknown.append(here)
            continue
        out[field.name] = _take_field(field, item, here, unknown)
    return out


def _take_field(field: Field, item: Json, path: str, unknown: list[str]) -> Json:
    if field.struct is None:
        if field.name in _LISTS:
            return [item] if isinstance(item, str) else item
        return _free_form(item) if field.name == "Config" else _single(item)
    if field.many == "list":
        items = [item] if isinstance(item, Mapping) or not isinstance(item, Sequence) else item
        return [_take(field.struct, entry, f"{path}[{n}]", unknown) for n, entry in enumerate(items)]
    if field.many == "map":
        block = _merged(item)
        return {key: _take(field.struct, entry, f"{path}[{key}]", unknown) for key, entry in block.items()}
    return _take(field.struct, item, path, unknown)


def _merged(value: Json) -> Mapping[str, Json]:
    if isinstance(value, Mapping):
        return value
    merged: dict[str, Json] = {}
    for item in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        merged.update(item if isinstance(item, Mapping) else {})
    return merged


def _free_form(value: Json) -> Json:
    value = _single(value) if _is_block(value) else value
    if isinstance(value, Mapping):
        return {key: _free_form(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_free_form(item) for item in value]
    return value


def _is_block(value: Json) -> bool:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1 and isinstance(value[0], Mapping)
    )
