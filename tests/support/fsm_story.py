"""A life of a real server in which every kind of replicated object is written, changed and removed.

`tell` sends the requests; what the server wrote to its log and its snapshots is then the measure of our state machine.
"""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgpack

from support.harness import Agent, Reply, Subject, eventually
from support.pools import ConsulMember

SETTINGS = (
    'acl { enabled = true default_policy = "deny" } connect { enabled = true } primary_datacenter = "dc1" '
    'raft_snapshot_threshold = 1000000 raft_snapshot_interval = "1h" limits { http_max_conns_per_client = 1000 }'
)
T = TypeVar("T", bound="Teller")
MANAGEMENT = "00000000-0000-0000-0000-000000000001"


class Rpc:
    """Single calls to a server's RPC port, for what HTTP does not offer."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.sendall(b"\x00")
        self._unpacker = msgpack.Unpacker(raw=False, unicode_errors="surrogateescape", strict_map_key=False)

    def call(self, method: str, argument: Any) -> Any:
        """The reply, or the error text raised as RuntimeError."""
        packer = msgpack.Packer(use_bin_type=False, unicode_errors="surrogateescape")
        error, reply = self.exchange(packer.pack({"Seq": 1, "ServiceMethod": method}) + packer.pack(argument))
        if error:
            raise RuntimeError(error)
        return reply

    def exchange(self, request: bytes) -> tuple[str, Any]:
        """Send a header and an argument as they are; the error text and the reply."""
        self._socket.sendall(request)
        return self._next()["Error"], self._next()

    def _next(self) -> Any:
        while True:
            try:
                return next(self._unpacker)
            except StopIteration:
                data = self._socket.recv(65536)
                assert data, "the server closed the connection"
                self._unpacker.feed(data)

    def close(self) -> None:
        self._socket.close()


class Teller:
    """Sends requests with the management token and keeps what was refused, for a look when something is missing."""

    def __init__(self, agent: Agent | ConsulMember) -> None:
        self.agent = agent
        self.token = ""
        # Called after every request that may have changed something.
        self.on_answer: Callable[[], None] = lambda: None
        self._client = agent.client()
        self.rpc = Rpc(agent.ports["server"], agent.host)

    def get(self, path: str) -> Reply:
        """Read something; the story goes on whatever the answer is."""
        return self._client.call("GET", path, None, [("X-Consul-Token", self.token)])

    def send(self, method: str, path: str, body: Any = None, *, refused: bool = False, token: str = "") -> Any:
        """The decoded answer. Any refusal fails the story unless it is said to be ``refused``."""
        if isinstance(body, bytes) or body is None:
            data = body if body is not None else b""
        else:
            data = json.dumps(body).encode()
        headers = [("X-Consul-Token", token or self.token)] if (token or self.token) else []
        reply = self._client.call(method, path, data if method != "GET" else None, headers)
        assert (reply.status >= 300) == refused, f"{method} {path}: {reply.status} {reply.text}"
        if method != "GET":
            self.on_answer()
        return json.loads(reply.body) if reply.body[:1] in (b"{", b"[", b'"') else reply.text

    def put(self, path: str, body: Any = None, *, refused: bool = False) -> Any:
        return self.send("PUT", path, body, refused=refused)

    def delete(self, path: str, *, refused: bool = False) -> Any:
        return self.send("DELETE", path, refused=refused)

    def call(self, method: str, argument: dict[str, Any], *, refused: bool = False) -> Any:
        try:
            reply = self.rpc.call(method, {"Datacenter": "dc1", "Token": self.token, **argument})
        except RuntimeError as error:
            assert refused, f"{method}: {error}"
            return str(error)
        assert not refused, f"{method} was to be refused"
        self.on_answer()
        return reply


def server(directory: Path, *, dev: bool = False) -> Agent:
    """A real server with access control and Connect, which keeps its whole log."""
    return Agent(Subject.REFERENCE, directory, ["-hcl", SETTINGS], dev=dev)


def bootstrap(agent: Agent, kind: type[T]) -> T:
    """Wait until the server leads, and make the first management token."""
    eventually(lambda: json.loads(agent.call("GET", "/v1/status/leader").body), f"a leader; log:\n{agent.log()[-500:]}")

    def first() -> str:
        reply = agent.call("PUT", "/v1/acl/bootstrap")
        return str(reply.json()["SecretID"]) if reply.status == 200 else ""

    teller = kind(agent)
    teller.token = eventually(first, "access control can be bootstrapped")
    return teller


def tell(teller: Teller) -> None:
    """The whole story."""
    for chapter in (_bootstrap_again, _policies_and_roles, _tokens, _auth_methods, _legacy, _catalog, _config_entries,
                    _gateways, _mesh, _sessions_and_keys, _queries, _transactions, _operator, _large):  # fmt: skip
        chapter(teller)


# ---------------------------------------------------------------------------------------------- access control


def _bootstrap_again(teller: Teller) -> None:
    teller.put("/v1/acl/bootstrap", refused=True)
    text = teller.send("PUT", "/v1/acl/bootstrap", refused=True)
    index = text.rsplit("reset index: ", 1)[1].rstrip(")")
    (teller.agent.data_dir / "acl-bootstrap-reset").write_text(index)
    teller.token = teller.put("/v1/acl/bootstrap")["SecretID"]
    teller.put("/v1/agent/token/agent", {"Token": teller.token})


def _policies_and_roles(teller: Teller) -> None:
    put = teller.put
    rules = 'node_prefix "" { policy = "read" }'
    for name in ("p1", "p2", "p3", "gone"):
        put("/v1/acl/policy", {"Name": name, "Rules": rules, "Description": f"about {name}",
                               "Datacenters": ["dc1"] if name == "p2" else None})  # fmt: skip
    ids = {policy["Name"]: policy["ID"] for policy in teller.send("GET", "/v1/acl/policies")}
    builtin = teller.send("GET", f"/v1/acl/policy/{MANAGEMENT}")
    put(f"/v1/acl/policy/{MANAGEMENT}", {**builtin, "Rules": ""}, refused=True)
    put(f"/v1/acl/policy/{MANAGEMENT}", {**builtin, "Name": "root", "Description": "renamed"})
    put(
        "/v1/acl/role",
        {
            "Name": "r1",
            "Policies": [{"Name": "p1"}, {"Name": "gone"}, {"ID": ids["p2"]}],
            "ServiceIdentities": [{"ServiceName": "web"}, {"ServiceName": "db", "Datacenters": ["dc1"]}],
        },
    )
    put(
        "/v1/acl/role",
        {"Name": "r2", "Description": "second", "NodeIdentities": [{"NodeName": "n1", "Datacenter": "dc1"}]},
    )
    put("/v1/acl/role", {"Name": "r3", "Policies": [{"Name": "p3"}]})
    roles = {role["Name"]: role["ID"] for role in teller.send("GET", "/v1/acl/roles")}
    put(
        "/v1/acl/token",
        {
            "Description": "linked",
            "Policies": [{"Name": "gone"}, {"Name": "p1"}],
            "Roles": [{"Name": "r3"}, {"Name": "r1"}],
        },
    )
    put(f"/v1/acl/policy/{ids['p1']}", {"ID": ids["p1"], "Name": "p1-renamed", "Rules": rules})
    put(f"/v1/acl/role/{roles['r2']}", {"ID": roles["r2"], "Name": "r2-renamed", "Policies": [{"Name": "p3"}]})
    teller.delete(f"/v1/acl/policy/{ids['gone']}")
    teller.delete(f"/v1/acl/role/{roles['r3']}")


def _tokens(teller: Teller) -> None:
    put = teller.put
    whole = put("/v1/acl/token", {
        "Description": "whole", "Policies": [{"Name": "p3"}], "Roles": [{"Name": "r1"}],
        "ServiceIdentities": [{"ServiceName": "api", "Datacenters": ["dc1"]}, {"ServiceName": "api"}],
        "NodeIdentities": [{"NodeName": "n9", "Datacenter": "dc1"}], "ExpirationTTL": "1h",
    })  # fmt: skip
    local = put("/v1/acl/token", {"Description": "local", "Local": True, "Policies": [{"Name": "p3"}]})
    put(
        "/v1/acl/token",
        {
            "AccessorID": "aaaaaaaa-0000-0000-0000-00000000000A",
            "SecretID": "bbbbbbbb-0000-0000-0000-00000000000B",
            "Description": "chosen ids",
        },
    )
    put(f"/v1/acl/token/{whole['AccessorID']}", {**whole, "Description": "whole, changed", "Roles": []})
    put(f"/v1/acl/token/{whole['AccessorID']}/clone", {"Description": "copy"})
    put("/v1/acl/token", {"Policies": [{"Name": "nowhere"}]}, refused=True)
    teller.delete(f"/v1/acl/token/{local['AccessorID']}")


def _auth_methods(teller: Teller) -> None:
    """Two ways to log in, one of them removed with everything that came from it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()  # fmt: skip
    config = {"JWTValidationPubKeys": [public], "JWTSupportedAlgs": ["RS256"], "BoundAudiences": ["proconsul"],
              "ClaimMappings": {"name": "name"}, "ExpirationLeeway": 1000000000}  # fmt: skip
    for name in ("login", "kept", "also-kept"):
        teller.put("/v1/acl/auth-method", {"Name": name, "Type": "jwt", "Description": f"by {name}", "Config": config,
                                           "MaxTokenTTL": "5m", "TokenLocality": "global"})  # fmt: skip
        for service in ("one", "two"):
            teller.put(
                "/v1/acl/binding-rule",
                {
                    "AuthMethod": name,
                    "BindType": "service",
                    "BindName": service,
                    "Selector": 'value.name == "ann"',
                    "Description": service,
                },
            )
    teller.put("/v1/acl/auth-method/kept", {"Name": "kept", "Type": "jwt", "DisplayName": "Kept", "Config": config})
    login = {"AuthMethod": "login", "BearerToken": _signed(key), "Meta": {"pod": "x"}}
    secret = teller.send("POST", "/v1/acl/login", login)["SecretID"]
    teller.send("POST", "/v1/acl/logout", token=secret)
    teller.send("POST", "/v1/acl/login", login)
    rules = teller.send("GET", "/v1/acl/binding-rules?authmethod=kept")
    teller.put(f"/v1/acl/binding-rule/{rules[0]['ID']}", {**rules[0], "Description": "changed"})
    teller.delete(f"/v1/acl/binding-rule/{rules[1]['ID']}")
    teller.delete("/v1/acl/auth-method/login")


def _signed(key: Any) -> str:
    """A JSON web token (RFC 7515) for the JWT method."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"aud": "proconsul", "name": "ann", "sub": "ann", "iat": int(time.time()), "exp": int(time.time()) + 600}
    text = part(b'{"alg":"RS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (text + b"." + part(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))).decode()


def _legacy(teller: Teller) -> None:
    """Access control as it was before 1.4: tokens that carry their rules."""
    rules = 'key "" { policy = "read" }'
    first = teller.put("/v1/acl/create", {"Name": "old", "Type": "client", "Rules": rules})["ID"]
    second = teller.put("/v1/acl/create", {"Name": "old-2", "Type": "management"})["ID"]
    teller.put("/v1/acl/update", {"ID": first, "Name": "old, changed", "Type": "client", "Rules": rules})
    teller.put(
        "/v1/acl/update",
        {"ID": "cccccccc-0000-0000-0000-00000000000c", "Name": "by update", "Type": "client", "Rules": rules},
    )
    teller.put(f"/v1/acl/clone/{first}")
    teller.put(f"/v1/acl/destroy/{second}")


# ---------------------------------------------------------------------------------------------- catalog and mesh


def _catalog(teller: Teller) -> None:
    put = teller.put

    def register(node: str, **more: Any) -> None:
        put("/v1/catalog/register", {"Node": node, "Address": "10.0.0.1", **more})

    for node in ("ext1", "ext2", "Ext3"):
        register(
            node,
            NodeMeta={"zone": "a", "rack": node},
            TaggedAddresses={"wan": "1.2.3.4", "lan": "10.0.0.1"},
            ID=f"{'123'.index(node[-1]) + 1:08d}-aaaa-bbbb-cccc-000000000000",
            Check={
                "CheckID": "alive",
                "Name": "alive",
                "Status": "passing",
                "Notes": "n",
                "Output": "o",
                "Definition": {"HTTP": "http://x", "Interval": "10s", "Timeout": "1s", "Header": {"a": ["b"]}},
            },
        )
    register("ext1", Service={"ID": "web-1", "Service": "web", "Tags": ["v1", "Öl"], "Port": 80, "Address": "10.0.0.9",
                              "Meta": {"a": "1"}, "Weights": {"Passing": 3, "Warning": 2}, "EnableTagOverride": True,
                              "TaggedAddresses": {"lan": {"Address": "10.0.0.9", "Port": 81}}},
             Checks=[{"CheckID": "web", "ServiceID": "web-1", "Status": "passing", "Node": "ext1"},
                     {"CheckID": "disk", "Status": "warning", "Node": "ext1"}])  # fmt: skip
    register("ext2", Service={"ID": "web-1", "Service": "web"})
    register("ext2", Service={"ID": "native", "Service": "api", "Connect": {"Native": True}})
    register(
        "ext1",
        Service={
            "ID": "web-1-proxy",
            "Service": "web-proxy",
            "Kind": "connect-proxy",
            "Port": 20000,
            "Proxy": {
                "DestinationServiceName": "web",
                "DestinationServiceID": "web-1",
                "LocalServicePort": 80,
                "Config": {"a": 1, "b": 1.5, "c": {"d": ["x", True]}},
                "Upstreams": [{"DestinationName": "db", "LocalBindPort": 9000, "Config": {"z": None}}],
                "MeshGateway": {"Mode": "local"},
                "Expose": {"Checks": True, "Paths": [{"Path": "/x", "ListenerPort": 1}]},
            },
        },
    )
    for kind in ("mesh-gateway", "terminating-gateway", "ingress-gateway"):
        register("ext2", Service={"ID": kind, "Service": kind, "Kind": kind, "Port": 443})
    register("ext1", Service={"ID": "moves", "Service": "before"})
    register("ext1", Service={"ID": "moves", "Service": "after"})
    register("ext1", Service={"ID": "moves", "Service": "after"})
    register("Ext3", Service={"ID": "s", "Service": "short-lived"}, Check={"CheckID": "sc", "ServiceID": "s"})
    register("ext1", NodeMeta={"zone": "b"}, SkipNodeUpdate=True)
    register("ext1", NodeMeta={"zone": "b"})
    put("/v1/catalog/deregister", {"Node": "ext1", "CheckID": "disk"})
    register("bare", Check={"CheckID": "lonely"})
    put("/v1/catalog/deregister", {"Node": "bare", "CheckID": "lonely"})
    put("/v1/catalog/deregister", {"Node": "bare", "CheckID": "lonely"})
    register("ext1", SkipNodeUpdate=True, Checks=[{"CheckID": "moves", "Node": "ext1", "Status": "passing"}])
    register("ext1", SkipNodeUpdate=True, Checks=[{"CheckID": "moves", "Node": "ext1", "ServiceID": "web-1"}])
    register("ext1", SkipNodeUpdate=True, Checks=[{"CheckID": "moves", "Node": "ext1", "ServiceID": "moves"}])
    put("/v1/catalog/deregister", {"Node": "bare"})
    put("/v1/catalog/deregister", {"Node": "bare"})
    put("/v1/catalog/deregister", {"Node": "ext2", "ServiceID": "web-1"})
    put("/v1/catalog/deregister", {"Node": "ext2", "ServiceID": "nothing"})
    put("/v1/coordinate/update", {"Node": "ext1", "Coord": {"Vec": [0.1] * 8, "Error": 0.5, "Height": 1e-5}})
    put("/v1/coordinate/update", {"Node": "Ext3", "Coord": {"Vec": [0.2] * 8, "Error": 0.5, "Height": 1e-5}})


CONFIG_ENTRIES: tuple[dict[str, Any], ...] = (
    {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": "remote"}, "Meta": {"m": "1"},
     "Config": {"protocol": "http", "n": 1, "f": 1.5, "deep": {"list": [1, "a", {"x": True}], "empty": {}}},
     "Expose": {"Checks": True, "Paths": [{"Path": "/h", "ListenerPort": 21500, "LocalPathPort": 8080}]}},
    {"Kind": "service-defaults", "Name": "web", "Protocol": "http",
     "MeshGateway": {"Mode": "local"}, "Expose": {"Paths": [{"Path": "/m", "ListenerPort": 1, "Protocol": "http"}]}},
    {"Kind": "service-defaults", "Name": "Other", "Protocol": "http2", "ExternalSNI": "sni.example"},
    {"Kind": "service-defaults", "Name": "db", "Protocol": "tcp"},
    {"Kind": "service-resolver", "Name": "web", "DefaultSubset": "v1", "ConnectTimeout": "7s",
     "Subsets": {"v1": {"Filter": "Service.Meta.version == v1", "OnlyPassing": True}, "v2": {}},
     "Failover": {"*": {"Datacenters": ["dc2", "dc3"]}, "v2": {"Service": "api"}}},
    {"Kind": "service-resolver", "Name": "alias", "Redirect": {"Service": "web", "ServiceSubset": "v2"}},
    {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 33.33, "ServiceSubset": "v1"},
                                                           {"Weight": 66.67, "ServiceSubset": "v2"}]},
    {"Kind": "service-router", "Name": "web", "Routes": [
        {"Match": {"HTTP": {"PathPrefix": "/api", "Methods": ["GET"], "Header": [{"Name": "x", "Exact": "1"}],
                            "QueryParam": [{"Name": "q", "Present": True}]}},
         "Destination": {"Service": "api", "PrefixRewrite": "/", "RequestTimeout": "3s", "NumRetries": 2,
                         "RetryOnConnectFailure": True, "RetryOnStatusCodes": [502, 503]}},
        {"Match": {"HTTP": {"PathRegex": "/x.*"}}}]},
    {"Kind": "ingress-gateway", "Name": "ingress-gateway", "TLS": {"Enabled": True}, "Listeners": [
        {"Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": ["a.example", "b.example"]},
                                                        {"Name": "*"}]},
        {"Port": 8081, "Protocol": "tcp", "Services": [{"Name": "db"}]}]},
    {"Kind": "ingress-gateway", "Name": "goes", "Listeners": [
        {"Port": 1, "Protocol": "tcp", "Services": [{"Name": "db"}]}]},
    {"Kind": "terminating-gateway", "Name": "terminating-gateway", "Services": [
        {"Name": "*"}, {"Name": "after", "CAFile": "/ca", "CertFile": "/c", "KeyFile": "/k", "SNI": "s"}]},
)  # fmt: skip


def _config_entries(teller: Teller) -> None:
    for entry in CONFIG_ENTRIES:
        teller.put("/v1/config", entry)
    index = {entry["Name"]: entry["ModifyIndex"] for entry in teller.send("GET", "/v1/config/service-defaults")}
    other = {"Kind": "service-defaults", "Name": "Other", "Protocol": "grpc"}
    teller.put("/v1/config?cas=1", other)
    teller.put(f"/v1/config?cas={index['Other']}", other)
    teller.put("/v1/config", {"Kind": "service-splitter", "Name": "db", "Splits": [{"Weight": 50}, {"Weight": 50}]},
               refused=True)  # fmt: skip
    teller.put("/v1/config", {"Kind": "service-resolver", "Name": "deleted"})
    teller.delete("/v1/config/service-resolver/deleted")
    teller.delete("/v1/config/service-resolver/never-there")
    teller.delete("/v1/config/ingress-gateway/goes")
    teller.delete("/v1/config/service-resolver/web", refused=True)


def _gateways(teller: Teller) -> None:
    """Services that come and go behind gateways, named by them or caught by their wildcards."""

    def register(node: str, name: str, **more: Any) -> None:
        teller.put("/v1/catalog/register", {"Node": node, "Address": "10.0.0.1", "SkipNodeUpdate": True,
                                            "Service": {"ID": name, "Service": name, **more}})  # fmt: skip

    def remove(node: str, name: str) -> None:
        teller.put("/v1/catalog/deregister", {"Node": node, "ServiceID": name})

    register("ext1", "late")
    register("ext2", "early")
    remove("ext2", "early")
    remove("ext1", "moves")
    register("ext1", "late", Port=1)
    register("ext2", "late")
    remove("ext2", "late")
    register("ext1", "proxy-late", Kind="connect-proxy", Port=1, Proxy={"DestinationServiceName": "late"})
    remove("ext1", "proxy-late")
    register("ext1", "db")
    remove("ext1", "db")
    register("ext1", "gw-2", Kind="mesh-gateway", Port=1)
    remove("ext1", "gw-2")
    register("ext1", "after")
    gateway = next(entry for entry in CONFIG_ENTRIES if entry["Kind"] == "terminating-gateway")
    teller.put("/v1/config", gateway)
    teller.put("/v1/config", {**gateway, "Services": [{"Name": "after"}, {"Name": "web", "SNI": "web"}]})
    register("ext1", "only-ingress")
    teller.put("/v1/config", gateway)
    teller.put("/v1/config", {"Kind": "terminating-gateway", "Name": "unregistered", "Services": [{"Name": "db"}]})
    teller.delete("/v1/config/terminating-gateway/unregistered")
    register("ext2", "after", Port=5)
    register("ext2", "after", Port=6)
    remove("ext2", "after")
    remove("ext1", "after")
    ingress = next(entry for entry in CONFIG_ENTRIES if entry["Kind"] == "ingress-gateway")
    teller.put("/v1/config", {**ingress, "TLS": {"Enabled": False}})
    teller.put("/v1/config", {**ingress, "Listeners": ingress["Listeners"][:1]})
    teller.delete("/v1/config/ingress-gateway/ingress-gateway")
    teller.delete("/v1/config/terminating-gateway/terminating-gateway")
    remove("ext1", "only-ingress")
    register("ext1", "only-ingress")
    for entry in (gateway, ingress):
        teller.put("/v1/config", entry)
    register("ext2", "web", Port=9)


def _mesh(teller: Teller) -> None:
    """Intentions, certificate authorities, federation states."""
    send, put = teller.send, teller.put

    def intention(source: str, destination: str, action: str = "allow", **more: Any) -> str:
        made = send("POST", "/v1/connect/intentions", {"SourceName": source, "DestinationName": destination,
                                                       "SourceType": "consul", "Action": action, **more})  # fmt: skip
        return str(made["ID"])

    first = intention("a", "b", Description="first", Meta={"k": "v"})
    intention("*", "b", "deny")
    intention("*", "*")
    last = intention("c", "d")
    send("POST", "/v1/connect/intentions", {"SourceName": "a", "DestinationName": "b", "Action": "deny"}, refused=True)
    put(f"/v1/connect/intentions/{first}", {"SourceName": "a", "DestinationName": "b", "Action": "deny"})
    teller.delete(f"/v1/connect/intentions/{last}")
    put("/v1/connect/ca/configuration", {"Provider": "consul", "Config": {"LeafCertTTL": "48h"}})
    send("GET", "/v1/agent/connect/ca/leaf/web")
    # A new key is a new root: the old one is kept until its certificates are gone.
    put(
        "/v1/connect/ca/configuration",
        {"Provider": "consul", "Config": {"PrivateKey": _new_key(), "Bits": 1, "LeafCertTTL": "72h"}},
    )
    for datacenter in ("dc2", "dc3"):
        teller.call("FederationState.Apply", {"Op": "upsert", "State": {
            "Datacenter": datacenter, "UpdatedAt": bytes.fromhex("010000000ee29213921c888dafffff"),
            "PrimaryModifyIndex": 9, "MeshGateways": [{
                "Node": {"Node": "g", "Address": "10.9.9.9", "ID": "", "Meta": {"a": "b"}},
                "Service": {"ID": "g1", "Service": "mesh", "Kind": "mesh-gateway", "Port": 1, "Tags": ["x"]},
                "Checks": [{"Node": "g", "CheckID": "c", "Status": "passing"}]}]}})  # fmt: skip
    teller.call("FederationState.Apply", {"Op": "delete", "State": {"Datacenter": "dc3"}})


def _new_key() -> str:
    """A private key in PEM, as an operator would supply it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()  # fmt: skip


# ---------------------------------------------------------------------------------------------- the rest


def _sessions_and_keys(teller: Teller) -> None:
    put = teller.put
    sessions = [put("/v1/session/create", {"Node": "ext1", "LockDelay": "0s", "Name": name, "NodeChecks": checks,
                                           "Behavior": behavior, "TTL": ttl})["ID"]
                for name, checks, behavior, ttl in (
                    ("kept", ["alive"], "release", "3600s"), ("releases", [], "release", ""),
                    ("deletes", [], "delete", ""), ("dies", ["alive"], "delete", ""))]  # fmt: skip
    on_ext3 = put("/v1/session/create", {"Node": "Ext3", "NodeChecks": ["alive"], "LockDelay": "1s"})["ID"]
    put("/v1/session/create", {"Node": "ext1", "NodeChecks": [], "ServiceChecks": [{"ID": "web"}]})
    put("/v1/kv/plain", b"value")
    put("/v1/kv/plain", b"value")
    put("/v1/kv/flags?flags=18446744073709551615", b"\x00\xff")
    put("/v1/kv/caf%C3%A9/%FF", b"not utf-8 in the key")
    put("/v1/kv/empty", b"")
    for number in range(3):
        put(f"/v1/kv/tree/{number}", b"leaf")
    for number, session in enumerate(sessions):
        put(f"/v1/kv/lock/{number}?acquire={session}", f"held by {number}".encode())
    put(f"/v1/kv/lock/0?acquire={sessions[1]}", b"no")
    put(f"/v1/kv/lock/e?acquire={on_ext3}", b"e")
    put(f"/v1/kv/released?acquire={sessions[0]}", b"1")
    put(f"/v1/kv/released?release={sessions[0]}", b"2")
    put("/v1/kv/plain?cas=1", b"stale")
    put("/v1/kv/new?cas=0", b"new")
    teller.delete("/v1/kv/tree?recurse")
    teller.delete("/v1/kv/new")
    teller.delete("/v1/kv/missing")
    teller.delete("/v1/kv/plain?cas=1")
    put(f"/v1/session/destroy/{sessions[1]}")
    put(f"/v1/session/destroy/{sessions[2]}")
    put(f"/v1/session/renew/{sessions[0]}")


def _queries(teller: Teller) -> None:
    session = teller.put("/v1/session/create", {"Node": "ext1", "NodeChecks": []})["ID"]

    def query(**fields: Any) -> str:
        return str(teller.send("POST", "/v1/query", {"Service": {"Service": "web"}, **fields})["ID"])

    query(
        Name="whole",
        Token="anonymous",
        DNS={"TTL": "10s"},
        Service={
            "Service": "web",
            "Tags": ["a", "!b"],
            "OnlyPassing": True,
            "Near": "_agent",
            "NodeMeta": {"zone": "a"},
            "ServiceMeta": {"x": "y"},
            "IgnoreCheckIDs": ["c"],
            "Connect": True,
            "Failover": {"NearestN": 2, "Datacenters": ["dc2", "dc3"]},
        },
    )
    query(Name="bound", Session=session)
    changed = query(Name="changed")
    gone = query(Name="gone")
    query(
        Name="pre-",
        Template={"Type": "name_prefix_match", "Regexp": "^pre-(.+)$", "RemoveEmptyTags": True},
        Service={"Service": "${match(1)}", "Tags": ["${agent.segment}"]},
    )
    query(Name="", Template={"Type": "name_prefix_match"}, Service={"Service": "${name.full}"})
    teller.send("POST", "/v1/query", {"Name": "changed", "Service": {"Service": "web"}}, refused=True)
    teller.put(f"/v1/query/{changed}", {"Name": "has changed", "Service": {"Service": "db"}})
    teller.delete(f"/v1/query/{gone}")
    teller.put(f"/v1/session/destroy/{session}")


def _transactions(teller: Teller) -> None:
    node = {"Node": "t1", "Address": "10.1.1.1", "ID": "99999999-aaaa-bbbb-cccc-000000000000"}
    teller.put("/v1/txn", [
        {"KV": {"Verb": "set", "Key": "txn/a", "Value": "YQ=="}}, {"KV": {"Verb": "get", "Key": "txn/a"}},
        {"Node": {"Verb": "set", "Node": node}},
        {"Service": {"Verb": "set", "Node": "t1", "Service": {"ID": "ts", "Service": "txn-service"}}},
        {"Check": {"Verb": "set", "Check": {"Node": "t1", "CheckID": "tc", "ServiceID": "ts", "Status": "passing"}}},
    ])  # fmt: skip
    teller.put("/v1/txn", [{"KV": {"Verb": "set", "Key": "txn/b", "Value": "Yg=="}},
                           {"KV": {"Verb": "check-not-exists", "Key": "txn/a"}}], refused=True)  # fmt: skip
    teller.put("/v1/txn", [{"KV": {"Verb": "delete-tree", "Key": "txn"}},
                           {"Check": {"Verb": "delete", "Check": {"Node": "t1", "CheckID": "tc"}}}])  # fmt: skip
    _intentions_in_transactions(teller)
    teller.put("/v1/catalog/register", {"Node": "ext1", "Address": "10.0.0.1", "SkipNodeUpdate": True,
                                        "Check": {"CheckID": "alive", "Status": "critical"}})  # fmt: skip
    teller.put("/v1/catalog/deregister", {"Node": "Ext3"})
    teller.put("/v1/catalog/register", {"Node": "ext2-renamed", "Address": "10.0.0.2",
                                        "ID": "00000002-aaaa-bbbb-cccc-000000000000"})  # fmt: skip


def _intentions_in_transactions(teller: Teller) -> None:
    """HTTP cannot say it, the replication of intentions does."""
    when = bytes.fromhex("010000000ee29213921c888dafffff")
    text = "dddddddd-0000-0000-0000-00000000000{}"

    def op(number: int, kind: str, source: str) -> dict[str, Any]:
        return {"Intention": {"Op": kind, "Datacenter": "dc1", "Intention": {
            "ID": text.format(number), "SourceNS": "default", "SourceName": source, "DestinationNS": "default",
            "DestinationName": "txn", "SourceType": "consul", "Action": "allow", "Precedence": 9,
            "CreatedAt": when, "UpdatedAt": when, "Meta": {}}}}  # fmt: skip

    teller.call("Txn.Apply", {"Ops": [op(1, "create", "x"), op(2, "create", "y")]})
    refused = teller.call("Txn.Apply", {"Ops": [op(3, "create", "z"), op(4, "create", "x")]})
    assert refused["Errors"], "two intentions for one pair"
    teller.call("Txn.Apply", {"Ops": [op(1, "delete", "x"), op(2, "update", "y2")]})


def _operator(teller: Teller) -> None:
    settings = teller.send("GET", "/v1/operator/autopilot/configuration")
    index = settings["ModifyIndex"]
    teller.put("/v1/operator/autopilot/configuration", {"MaxTrailingLogs": 300, "LastContactThreshold": "300ms"})
    teller.put(f"/v1/operator/autopilot/configuration?cas={index}", {"MaxTrailingLogs": 400})
    index = teller.send("GET", "/v1/operator/autopilot/configuration")["ModifyIndex"]
    teller.put(f"/v1/operator/autopilot/configuration?cas={index}", {"MaxTrailingLogs": 500, "MinQuorum": 1})


def _large(teller: Teller) -> None:
    """A value of exactly the limit: with what is around it, it travels in two entries."""
    teller.put("/v1/kv/large", bytes(range(256)) * 2048)


def wait_for_coordinates(teller: Teller) -> None:
    """Coordinates are written in batches, some seconds after they come."""
    eventually(lambda: teller.send("GET", "/v1/coordinate/nodes"), "coordinates")
