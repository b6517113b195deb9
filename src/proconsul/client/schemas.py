"""The order and the empty values of the API's types as Consul's Go client prints them again.  Pure data."""

from __future__ import annotations

from proconsul.client.gojson import Field, Struct

__all__ = [
    "AGENT_SERVICE", "CA_CONFIG", "CHECK", "CHECK_DEFINITION", "EXPOSE", "KV_PAIR", "MESH_GATEWAY", "NODE",
    "SERVICE_ENTRY", "USER_EVENT",
]  # fmt: skip

_INDEXES = (Field("CreateIndex", 0), Field("ModifyIndex", 0))

KV_PAIR = Struct(
    Field("Key"),
    Field("CreateIndex", 0),
    Field("ModifyIndex", 0),
    Field("LockIndex", 0),
    Field("Flags", 0),
    Field("Value", None),
    Field("Session"),
    Field("Namespace", omit=True),
)

NODE = Struct(
    Field("ID"),
    Field("Node"),
    Field("Address"),
    Field("Datacenter"),
    Field("TaggedAddresses", None),
    Field("Meta", None),
    *_INDEXES,
)

CHECK_DEFINITION = Struct(
    Field("Interval", "0s"),
    Field("Timeout", "0s"),
    Field("DeregisterCriticalServiceAfter", "0s"),
    Field("HTTP"),
    Field("Header", None),
    Field("Method"),
    Field("Body"),
    Field("TLSSkipVerify", False),
    Field("TCP"),
)

CHECK = Struct(
    Field("Node"),
    Field("CheckID"),
    Field("Name"),
    Field("Status"),
    Field("Notes"),
    Field("Output"),
    Field("ServiceID"),
    Field("ServiceName"),
    Field("ServiceTags", None),
    Field("Type"),
    Field("Namespace", omit=True),
    Field("Definition", struct=CHECK_DEFINITION),
    *_INDEXES,
)

MESH_GATEWAY = Struct(Field("Mode", omit=True))
EXPOSE = Struct(
    Field("Checks", False, omit=True),
    Field(
        "Paths",
        None,
        omit=True,
        many="list",
        struct=Struct(
            Field("ListenerPort", 0, omit=True),
            Field("Path", omit=True),
            Field("LocalPathPort", 0, omit=True),
            Field("Protocol", omit=True),
            Field("ParsedFromCheck", False),
        ),
    ),
)
_UPSTREAM = Struct(
    Field("DestinationType", omit=True),
    Field("DestinationNamespace", omit=True),
    Field("DestinationName"),
    Field("Datacenter", omit=True),
    Field("LocalBindAddress", omit=True),
    Field("LocalBindPort", 0, omit=True),
    Field("Config", None, omit=True),
    Field("MeshGateway", struct=MESH_GATEWAY),
)
_PROXY = Struct(
    Field("DestinationServiceName", omit=True),
    Field("DestinationServiceID", omit=True),
    Field("LocalServiceAddress", omit=True),
    Field("LocalServicePort", 0, omit=True),
    Field("Config", None, omit=True),
    Field("Upstreams", None, omit=True, many="list", struct=_UPSTREAM),
    Field("MeshGateway", struct=MESH_GATEWAY),
    Field("Expose", struct=EXPOSE),
)
_ADDRESS = Struct(Field("Address"), Field("Port", 0))

AGENT_SERVICE = Struct(
    Field("Kind", omit=True),
    Field("ID"),
    Field("Service"),
    Field("Tags", None),
    Field("Meta", None),
    Field("Port", 0),
    Field("Address"),
    Field("TaggedAddresses", None, omit=True, many="map", struct=_ADDRESS),
    Field("Weights", struct=Struct(Field("Passing", 0), Field("Warning", 0))),
    Field("EnableTagOverride", False),
    Field("CreateIndex", 0, omit=True),
    Field("ModifyIndex", 0, omit=True),
    Field("ContentHash", omit=True),
    Field("Proxy", None, omit=True, struct=_PROXY),
    Field("Connect", None, omit=True, struct=Struct(Field("Native", False, omit=True))),
    Field("Namespace", omit=True),
    Field("Datacenter", omit=True),
)

SERVICE_ENTRY = Struct(
    Field("Node", None, struct=NODE),
    Field("Service", None, struct=AGENT_SERVICE),
    Field("Checks", None, many="list", struct=CHECK),
)

USER_EVENT = Struct(
    Field("ID"),
    Field("Name"),
    Field("Payload", None),
    Field("NodeFilter"),
    Field("ServiceFilter"),
    Field("TagFilter"),
    Field("Version", 0),
    Field("LTime", 0),
)

CA_CONFIG = Struct(Field("Provider"), Field("Config", None), Field("State", None), *_INDEXES)
