"""An agent with something to look at on every screen; and with somebody else's markup in everything that has a name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from support.harness import Agent, Reply, eventually

ROOT_TOKEN = "11111111-aaaa-4bbb-8ccc-222222222222"
ACLS = (
    'acl { enabled = true default_policy = "deny" enable_key_list_policy = true'
    ' tokens { master = "' + ROOT_TOKEN + '" agent = "' + ROOT_TOKEN + '" } }'
)
JSON_VALUE = b'{ "name":"web",\n\t"replicas" :   3, "ratio": 1.50,"limits":{"cpu":"500m" } }\n'


class Lively:
    """Fills ``agent``; with ``token`` where it has access control."""

    def __init__(self, agent: Agent, token: str = "") -> None:
        self.agent, self.token = agent, token

    def wait_ready(self) -> None:
        """As `Agent.wait_ready`, where that is not allowed to look."""
        eventually(lambda: b"serfHealth" in self.call("GET", "/v1/health/node/n1").body, "the agent knows itself")

    def call(self, method: str, target: str, body: Any = None, token: str | None = None) -> Reply:
        secret = self.token if token is None else token
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.agent.call(method, target, data, [("X-Consul-Token", secret)] if secret else [])

    def done(self, method: str, target: str, body: Any = None) -> Any:
        reply = self.call(method, target, body)
        assert reply.status == 200, (method, target, reply.status, reply.text)
        return reply.json() if reply.body.strip() else None

    def register(self, name: str, **fields: Any) -> None:
        """A service of the agent's own."""
        self.done("PUT", "/v1/agent/service/register", {"Name": name, **fields})

    def check(self, check_id: str, status: str, output: str) -> None:
        """What a TTL check says of itself."""
        self.done("PUT", f"/v1/agent/check/update/{check_id}", {"Status": status, "Output": output})

    def external(self, node: str, service: str, **fields: Any) -> None:
        """A node and a service of the catalog's, which no agent owns."""
        self.done("PUT", "/v1/catalog/register", {
            "Node": node, "Address": "198.51.100.7", "Service": {"Service": service, "Port": 443}, **fields,
        })  # fmt: skip

    def put(self, key: str, value: bytes) -> None:
        self.done("PUT", f"/v1/kv/{key}", value)

    def many(self, count: int, name: Callable[[int], str] = "svc-{:05d}".format, node: str = "many") -> None:
        """Services of one node, by transactions of 64 as fast as they are taken."""
        self.done("PUT", "/v1/catalog/register", {"Node": node, "Address": "198.51.100.9"})
        for first in range(0, count, 64):
            self.done("PUT", "/v1/txn", [
                {"Service": {"Verb": "set", "Node": node, "Service": {"ID": name(at), "Service": name(at), "Port": 80}}}
                for at in range(first, min(first + 64, count))
            ])  # fmt: skip

    def everything(self) -> None:
        """Something on every screen."""
        ttl = {"TTL": "1h", "Status": "passing"}
        for number, status in enumerate(("passing", "passing", "critical")):
            self.register(
                "web", ID=f"web-{number}", Port=8080 + number, Tags=["v1", "blue" if number else "green"],
                Meta={"version": f"1.{number}", "owner": "shop"},
                Check={**ttl, "CheckID": f"web-{number}-ttl", "Name": "answers", "Notes": "asked every second"},
            )  # fmt: skip
            self.check(f"web-{number}-ttl", status, "HTTP GET http://web/health: 200 OK" if number < 2 else "timed out")
        self.register("db", Port=5432, Tags=["primary"], Checks=[{**ttl, "CheckID": "db-ttl", "Name": "disk"}])
        self.check("db-ttl", "warning", "81% full")
        for name in ("billing", "cache", "queue", "search"):
            self.register(name, Port=9000, Check=ttl)
        self.external("mailer", "smtp", Check={"Name": "port", "Status": "passing", "ServiceID": "smtp"})
        self.put("app/config", JSON_VALUE)
        for key in ("app/web/feature", "app/web/limit", "app/db/password", "locks/leader", "readme"):
            self.put(key, f"the value of {key}".encode())
        self.put("binary", bytes(range(256)))
        session = self.done("PUT", "/v1/session/create", {"Name": "deployer", "TTL": "1h"})["ID"]
        self.done("PUT", f"/v1/kv/locks/leader?acquire={session}", b"deployer")
        self.done("POST", "/v1/query", {"Name": "nearest-web", "Service": {"Service": "web", "OnlyPassing": True}})
        # Where there is a mesh.
        self.call("POST", "/v1/connect/intentions", {"SourceName": "web", "DestinationName": "db", "Action": "allow"})
        self.done("PUT", "/v1/event/fire/deploy", b"v1.1")
        if self.token:
            self._access()
        eventually(lambda: self._shown("smtp") and self._shown("search"), "everything is in the catalog")

    def _shown(self, service: str) -> bool:
        return bool(self.call("GET", f"/v1/catalog/service/{service}").json())

    def _access(self) -> None:
        rules = 'key_prefix "app/" { policy = "write" }\nservice_prefix "" { policy = "read" }'
        self.done("PUT", "/v1/acl/policy", {"Name": "app", "Rules": rules, "Description": "what the shop may"})
        self.done("PUT", "/v1/acl/role", {"Name": "shop", "Policies": [{"Name": "app"}]})
        self.done("PUT", "/v1/acl/token", {"Description": "the shop's", "Roles": [{"Name": "shop"}]})

    def secret(self, rules: str) -> str:
        """A token that may what the rules say."""
        name = f"p{abs(hash(rules))}"
        self.done("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        secret: str = self.done("PUT", "/v1/acl/token", {"Policies": [{"Name": name}]})["SecretID"]
        return secret

    def value(self, key: str) -> tuple[bytes, int]:
        """The bytes and the ModifyIndex of a key."""
        (entry,) = self.done("GET", f"/v1/kv/{key}")
        return base64.b64decode(entry["Value"] or ""), entry["ModifyIndex"]
