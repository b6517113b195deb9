"""What access control measures of itself, under the names of Consul 1.8.7."""

from __future__ import annotations

import asyncio

from acl_locked import NOBODY, ROOT, Locked

from proconsul.testing import AgentInLoop
from support.patience import PATIENCE_S

NAMES = (
    "acl_ResolveToken", "acl_apply", "acl_authmethod_upsert", "acl_login", "acl_logout", "acl_policy_delete",
    "acl_policy_upsert", "acl_role_delete", "acl_role_upsert", "acl_token_clone", "acl_token_delete",
    "acl_token_upsert", "acl_bindingrule_upsert", "fsm_acl_policy", "fsm_acl_token", "fsm_acl_role",
    "fsm_acl",
)  # fmt: skip


async def test_every_kind_of_call_is_measured_refused_or_not() -> None:
    settings = Locked.SETTINGS | {"telemetry": {"prometheus_retention_time": "60s"}}
    async with AgentInLoop(settings) as agent:
        locked = Locked(agent)
        await locked.ready()
        secret, accessor, policy = await locked.token('key "a" { policy = "read" }')
        await locked.call("GET", "/v1/kv/a", None, secret)
        role = await locked.done("PUT", "/v1/acl/role", {"Name": "r", "Policies": [{"ID": policy}]})
        await locked.done("PUT", f"/v1/acl/token/{accessor}/clone", {})
        await locked.done("PUT", "/v1/acl/create", {"Name": "old"})
        for method, target, body, token in (
            ("PUT", "/v1/acl/auth-method", {"Name": "m", "Type": "kubernetes", "Config": {}}, ROOT),
            ("PUT", "/v1/acl/binding-rule", {"AuthMethod": "m"}, NOBODY),
            ("POST", "/v1/acl/login", {"AuthMethod": "m", "BearerToken": "x"}, ""),
            ("POST", "/v1/acl/logout", None, secret),
        ):
            assert (await locked.call(method, target, body, token))[0] in (403, 500), target
        for target in (f"role/{role['ID']}", f"token/{accessor}", f"policy/{policy}"):
            await locked.done("DELETE", f"/v1/acl/{target}")
        page = ""
        async with asyncio.timeout(PATIENCE_S):
            while missing := [name for name in NAMES if f"consul_{name} " not in page.replace("_count ", " ")]:
                await asyncio.sleep(0.05)
                page = (await locked.call("GET", "/v1/agent/metrics?format=prometheus"))[1]
        assert not missing
