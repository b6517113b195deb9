"""What every route needs, as tests try it and docs/permissions.md shows it.

A need is ``resource:level`` or ``resource:level:name``; the document shows what the name is of.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from acl_locked import ROOT

SESSION, GONE = "11111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-666666666666"
# refused: 403 without. filtered: what is not allowed is left out. anybody: also without a token. somebody: with any
# token that is there. itself: what the request brings decides, no token. last: ends the agent, so that only refusals
# are tried.
How = Literal["refused", "filtered", "anybody", "itself", "somebody", "last"]


class Row(NamedTuple):
    """One request and what it needs. ``seen``: what the answer of a filtered list shows to who may see it."""

    method: str
    target: str
    needs: tuple[str, ...] = ()
    how: How = "refused"
    body: Any = None
    seen: str = ""
    note: str = ""

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


def _acl(method: str, target: str, level: str, body: Any = None) -> Row:
    return Row(method, target, (f"acl:{level}",), body=body)


def _operator(method: str, target: str, level: str, body: Any = None, how: How = "refused") -> Row:
    return Row(method, target, (f"operator:{level}",), how, body)


def _agent(method: str, target: str, level: str, body: Any = None, how: How = "refused") -> Row:
    return Row(method, target, (f"agent:{level}:test",), how, body)


WEB, NODE = ("service:read:web",), ("node:read:test",)
BOTH = NODE + WEB
WRITE_WEB, WRITE_NODE = ("service:write:web",), ("node:write:test",)
# Any service's check is critical here until somebody says otherwise.
QUERY, REMOVED_QUERY = "11111111-2222-4333-8444-777777777777", "11111111-2222-4333-8444-888888888888"
QUERIED: dict[str, Any] = {"Service": "web", "IgnoreCheckIDs": ["service:web", "service:web-2", "c-2"]}
QUERY_NOTE = "those without a name are shown to `acl:write` only"
CHECK_NOTE = "the service of the check, or `node:write` for a check of the node"
REGISTERED = {"Node": "n9", "Address": "10.0.0.9", "Service": {"Service": "api"}}
LISTED = {"Name": "p-listed", "Rules": ""}

ROWS: list[Row] = [
    # Keys
    Row("GET", "/v1/kv/a", ("key:read:a",)),
    Row("GET", "/v1/kv/?recurse", ("key:read:a",), "filtered", seen='"a"', note="`key:list` of the prefix as well, "
        "with `acl.enable_key_list_policy`"),
    Row("GET", "/v1/kv/?keys", ("key:read:a",), "filtered", seen='"a"', note="as with `?recurse`"),
    Row("PUT", "/v1/kv/a", ("key:write:a",), body=b"x"),
    Row("DELETE", "/v1/kv/none", ("key:write:none",), note="with `?recurse` every key below must be writable"),
    Row("PUT", "/v1/txn", ("key:write:a",), "somebody", [{"KV": {"Verb": "get", "Key": "none"}}],
        note="each operation needs what its own request would; refusals are errors of the operation"),
    # Sessions
    Row("PUT", "/v1/session/create", ("session:write:test",), body={}),
    Row("PUT", f"/v1/session/renew/{SESSION}", ("session:write:test",)),
    Row("GET", f"/v1/session/info/{SESSION}", ("session:read:test",), "filtered", seen=SESSION),
    Row("GET", "/v1/session/node/test", ("session:read:test",), "filtered", seen=SESSION),
    Row("GET", "/v1/session/list", ("session:read:test",), "filtered", seen=SESSION),
    Row("PUT", f"/v1/session/destroy/{SESSION}", ("session:write:test",)),
    # Prepared queries
    Row("GET", "/v1/query", ("query:read:q1",), "filtered", seen='"q1"', note=QUERY_NOTE),
    Row("POST", "/v1/query", ("query:write:q2",), body={"Name": "q2", "Service": {"Service": "web"}}),
    Row("GET", f"/v1/query/{QUERY}", ("query:read:q1",), note="tokens in it are shown to `acl:write` only"),
    Row("PUT", f"/v1/query/{QUERY}", ("query:write:q1",), body={"Name": "q1", "Service": QUERIED},
        note="under the name that it has, and the one it is to have"),
    Row("DELETE", f"/v1/query/{REMOVED_QUERY}", ("query:write:q3",)),
    Row("GET", "/v1/query/q1/execute", BOTH, "filtered", seen='"Checks"',
        note="of the token in the query, if it has one"),
    Row("GET", "/v1/query/q1/explain", ("query:read:q1",)),
    # Catalog, health, coordinates
    Row("PUT", "/v1/catalog/register", ("node:write:n9", "service:write:api"), body=REGISTERED,
        note="`node:write` where the node is new or changes; what is replaced needs rights too"),
    Row("PUT", "/v1/catalog/deregister", ("node:write:n8",), body={"Node": "n8"},
        note="`service:write` is enough for a service or its check"),
    Row("GET", "/v1/catalog/datacenters", how="anybody"),
    Row("GET", "/v1/catalog/nodes", NODE, "filtered", seen='"test"'),
    Row("GET", "/v1/catalog/services", WEB, "filtered", seen='"web"'),
    Row("GET", "/v1/catalog/service/web", BOTH, "filtered", seen='"web"'),
    Row("GET", "/v1/catalog/connect/web", BOTH, "somebody"),
    Row("GET", "/v1/catalog/node/test", BOTH, "filtered", seen='"web"'),
    Row("GET", "/v1/catalog/node-services/test", BOTH, "filtered", seen='"web"'),
    Row("GET", "/v1/health/node/test", BOTH, "filtered", seen='"service:web"'),
    Row("GET", "/v1/health/checks/web", BOTH, "filtered", seen='"service:web"'),
    Row("GET", "/v1/health/state/any", BOTH, "filtered", seen='"service:web"'),
    Row("GET", "/v1/health/service/web", BOTH, "filtered", seen='"web"'),
    Row("GET", "/v1/health/connect/web", BOTH, "somebody"),
    Row("GET", "/v1/coordinate/datacenters", how="anybody"),
    Row("GET", "/v1/coordinate/nodes", NODE, "filtered", seen='"test"'),
    Row("GET", "/v1/coordinate/node/test", NODE),
    Row("PUT", "/v1/coordinate/update", WRITE_NODE, body={"Node": "test", "Coord": {"Vec": [0.0] * 8, "Height": 1e-5}}),
    # Events
    Row("PUT", "/v1/event/fire/deploy", ("event:write:deploy",)),
    Row("GET", "/v1/event/list", ("event:read:deploy",), "filtered", seen='"deploy"'),
    # Access control
    Row("PUT", "/v1/acl/bootstrap", how="anybody", note="once; again with the reset file only"),
    _acl("GET", "/v1/acl/policies", "read"),
    _acl("PUT", "/v1/acl/policy", "write", LISTED),
    _acl("GET", f"/v1/acl/policy/{GONE}", "read"),
    _acl("GET", "/v1/acl/policy/name/global-management", "read"),
    _acl("PUT", f"/v1/acl/policy/{GONE}", "write", LISTED),
    _acl("DELETE", f"/v1/acl/policy/{GONE}", "write"),
    _acl("GET", "/v1/acl/roles", "read"),
    _acl("PUT", "/v1/acl/role", "write", {"Name": "role", "NodeIdentities": [{"NodeName": "n", "Datacenter": "dc1"}]}),
    _acl("GET", f"/v1/acl/role/{GONE}", "read"),
    _acl("GET", "/v1/acl/role/name/none", "read"),
    _acl("PUT", f"/v1/acl/role/{GONE}", "write", {"Name": "r2"}),
    _acl("DELETE", f"/v1/acl/role/{GONE}", "write"),
    _acl("GET", "/v1/acl/tokens", "read"),
    _acl("PUT", "/v1/acl/token", "write", {}),
    Row("GET", "/v1/acl/token/self", how="somebody"),
    _acl("GET", f"/v1/acl/token/{GONE}", "read"),
    _acl("PUT", f"/v1/acl/token/{GONE}", "write", {}),
    _acl("PUT", f"/v1/acl/token/{GONE}/clone", "write", {}),
    _acl("DELETE", f"/v1/acl/token/{GONE}", "write"),
    Row("GET", "/v1/acl/replication", how="anybody"),
    _acl("GET", "/v1/acl/auth-methods", "read"),
    _acl("PUT", "/v1/acl/auth-method", "write", {}),
    _acl("GET", "/v1/acl/auth-method/none", "read"),
    _acl("PUT", "/v1/acl/auth-method/none", "write", {}),
    _acl("DELETE", "/v1/acl/auth-method/none", "write"),
    _acl("GET", "/v1/acl/binding-rules", "read"),
    _acl("PUT", "/v1/acl/binding-rule", "write", {}),
    _acl("GET", f"/v1/acl/binding-rule/{GONE}", "read"),
    _acl("PUT", f"/v1/acl/binding-rule/{GONE}", "write", {}),
    _acl("DELETE", f"/v1/acl/binding-rule/{GONE}", "write"),
    Row("POST", "/v1/acl/login", how="itself", body={}, note="what the auth method says of the bearer token decides"),
    Row("POST", "/v1/acl/logout", how="last", note="a token that a login made"),
    Row("POST", "/v1/acl/oidc/auth-url", how="itself", body={}),
    Row("POST", "/v1/acl/oidc/callback", how="itself", body={}),
    _acl("GET", "/v1/acl/templated-policies", "read"),
    _acl("GET", "/v1/acl/templated-policy/name/builtin/service", "read"),
    _acl("POST", "/v1/acl/templated-policy/preview/builtin/service", "read", {"Name": "web"}),
    _acl("PUT", "/v1/acl/create", "write", {}),
    _acl("PUT", "/v1/acl/update", "write", {"ID": GONE}),
    _acl("PUT", f"/v1/acl/destroy/{GONE}", "write"),
    Row("GET", f"/v1/acl/info/{GONE}", how="anybody"),
    _acl("PUT", f"/v1/acl/clone/{ROOT}", "write"),
    _acl("GET", "/v1/acl/list", "write"),
    _acl("POST", "/v1/acl/rules/translate", "read", b'key "a" { policy = "read" }'),
    _acl("GET", f"/v1/acl/rules/translate/{GONE}", "read"),
    Row("POST", "/v1/internal/acl/authorize", how="somebody",
        body=[{"Resource": "key", "Segment": "a", "Access": "read"}]),
    _acl("GET", "/v1/internal/acl/explain?resource=key&segment=a&access=read", "read"),
    # The web page
    Row("GET", "/v1/internal/ui/nodes", BOTH, "filtered", seen='"service:web"', note="of a node that may be read"),
    Row("GET", "/v1/internal/ui/node/test", BOTH, "filtered", seen='"service:web"'),
    Row("GET", "/v1/internal/ui/services", BOTH, "filtered", seen='"web"'),
    Row("GET", "/v1/internal/ui/gateway-services-nodes/web", WEB),
    _operator("GET", "/v1/internal/ui/catalog-overview", "read"),
    Row("GET", "/v1/internal/ui/metrics-proxy/api/v1/query", how="itself",
        note="`service:read` and `node:read` of everything"),
    Row("GET", "/ui/", how="anybody", note="what the page shows it asks for with the token of who looks"),
    Row("HEAD", "/ui/", how="anybody"),
    Row("GET", "/robots.txt", how="anybody"),
    Row("HEAD", "/robots.txt", how="anybody"),
    # Operators
    Row("GET", "/v1/operator/keyring", ("keyring:read",)),
    Row("POST", "/v1/operator/keyring", ("keyring:write",), body={"Key": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    Row("PUT", "/v1/operator/keyring", ("keyring:write",), body={"Key": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    Row("DELETE", "/v1/operator/keyring", ("keyring:write",), body={"Key": "AAAAAAAAAAAAAAAAAAAAAA=="}),
    _operator("GET", "/v1/operator/autopilot/configuration", "read"),
    _operator("PUT", "/v1/operator/autopilot/configuration", "write", {"CleanupDeadServers": True}),
    _operator("GET", "/v1/operator/autopilot/health", "read"),
    _operator("GET", "/v1/operator/autopilot/state", "read"),
    _operator("GET", "/v1/operator/raft/configuration", "read"),
    _operator("GET", "/v1/operator/usage", "read"),
    _operator("DELETE", "/v1/operator/raft/peer?address=127.0.0.1:1", "write"),
    _operator("POST", "/v1/operator/raft/transfer-leader", "write"),
    _operator("PUT", "/v1/operator/raft/transfer-leader", "write"),
    _acl("GET", "/v1/snapshot", "write"),
    _acl("PUT", "/v1/snapshot", "write", b"not an archive"),
    Row("GET", "/v1/status/leader", how="anybody"),
    Row("GET", "/v1/status/peers", how="anybody"),
    # The agent
    Row("GET", "/v1/agent/services", WEB, "filtered", seen='"web"'),
    Row("GET", "/v1/agent/checks", WEB, "filtered", seen='"service:web"'),
    _agent("GET", "/v1/agent/plugins", "read"),
    Row("GET", "/v1/agent/sync", WEB, "filtered", seen='"web"'),
    Row("PUT", "/v1/agent/sync", ("agent:write:test",)),
    Row("GET", "/v1/agent/members", NODE, "filtered", seen='"test"'),
    Row("GET", "/v1/agent/service/web", WEB),
    Row("GET", "/v1/agent/health/service/id/web", WEB),
    Row("GET", "/v1/agent/health/service/name/web", WEB),
    Row("PUT", "/v1/agent/service/register", WRITE_WEB, body={"Name": "web", "Check": {"TTL": "1h"}}),
    Row("PUT", "/v1/agent/service/maintenance/web?enable=false", WRITE_WEB),
    Row("PUT", "/v1/agent/service/deregister/web-2", WRITE_WEB),
    Row("PUT", "/v1/agent/check/register", WRITE_WEB, body={"Name": "c", "ServiceID": "web", "TTL": "1h"},
        note=CHECK_NOTE),
    Row("PUT", "/v1/agent/check/pass/service:web", WRITE_WEB, note=CHECK_NOTE),
    Row("PUT", "/v1/agent/check/warn/service:web", WRITE_WEB, note=CHECK_NOTE),
    Row("PUT", "/v1/agent/check/fail/service:web", WRITE_WEB, note=CHECK_NOTE),
    Row("PUT", "/v1/agent/check/update/service:web", WRITE_WEB, body={"Status": "passing"}, note=CHECK_NOTE),
    Row("PUT", "/v1/agent/check/deregister/c-2", WRITE_NODE, note=CHECK_NOTE),
    Row("PUT", "/v1/agent/maintenance?enable=false", WRITE_NODE),
    _agent("GET", "/v1/agent/self", "read"),
    _agent("GET", "/v1/agent/version", "read"),
    _agent("GET", "/v1/agent/metrics", "read"),
    _agent("GET", "/v1/agent/metrics/certificates", "read"),
    _agent("GET", "/v1/agent/monitor?loglevel=none", "read"),
    _operator("GET", "/v1/agent/host", "read"),
    _agent("PUT", "/v1/agent/reload", "write"),
    _agent("PUT", "/v1/agent/join/127.0.0.1:1", "write"),
    _operator("PUT", "/v1/agent/force-leave/none", "write"),
    _agent("PUT", "/v1/agent/token/dns", "write", {"Token": ""}),
    *(_operator("GET", f"/debug/pprof/{name}", "read") for name in
      ("cmdline", "goroutine", "heap", "profile?seconds=0", "trace?seconds=0")),
    _agent("PUT", "/v1/agent/leave", "write", how="last"),
]  # fmt: skip

# What only other agents and servers call.
RPC_ONLY = {
    "PreparedQuery.ExecuteRemote": "as an execution of the query",
    "ACL.PolicyResolve": "the token that the policies are of",
    "ACL.RoleResolve": "the token that the roles are of",
    "ACL.GetPolicy": "the token that it asks about",
    "ACL.Bootstrap": "nothing; once",
    "ACL.TokenBatchRead": "`acl:read`",
    "ACL.PolicyBatchRead": "`acl:read`",
    "ACL.RoleBatchRead": "`acl:read`",
    "ACL.TokenReadExpanded": "`acl:read`, or the token itself",
}

# What a name in a need is of.
_OF = {"agent": "agent", "event": "event", "key": "key", "node": "node", "query": "query",
       "service": "service", "session": "node"}  # fmt: skip
_HOW = {
    "refused": "403", "last": "403", "filtered": "left out", "somebody": "403 for unknown tokens", "anybody": "",
    "itself": "403",
}  # fmt: skip


def as_markdown(methods: dict[str, set[str]]) -> str:
    """docs/permissions.md. ``methods``: by route, the RPC methods that were called."""
    lines = []
    for row in ROWS:
        needs = " and ".join(_shown(need) for need in row.needs) or ("a token" if row.how == "somebody" else "nothing")
        called = ", ".join(sorted(methods.get(f"{row.method} {row.target}", ())))
        target = row.target.replace(SESSION, ":session").replace(GONE, ":id").replace(ROOT, ":secret")
        target = target.replace(QUERY, ":id").replace(REMOVED_QUERY, ":id")
        note = f"; {row.note}" if row.note else ""
        lines.append(f"| `{row.method} {target}` | {needs}{note} | {_HOW[row.how]} | {called} |")
    lines += [f"| | {needs} | 403 | {name} |" for name, needs in RPC_ONLY.items()]
    return "\n".join(lines) + "\n"


def _shown(need: str) -> str:
    resource, level, *name = need.split(":")
    return f"`{resource}:{level}`" + (f" of the {_OF[resource]}" if name else "")
