"""What newer releases than 1.8.7 have of access control, through the front door of an agent in this loop."""

from __future__ import annotations

from typing import Any

import pytest
from login_world import ROOT, World, jwt_config

from proconsul.features.acl.model import TemplatedPolicy, TemplateVariables
from proconsul.features.acl.rules import parse_rules
from proconsul.features.acl.templated import checked, preview, rules_of, templates
from support.remote_sides import Signer

READ_ONLY = "00000000-0000-0000-0000-000000000002"
NAMED = {"builtin/service", "builtin/node", "builtin/api-gateway", "builtin/workload-identity"}


async def test_tokens_have_names(world: World) -> None:
    token = await world.done("PUT", "/v1/acl/token", {"Name": "ci", "Policies": [{"Name": "global-management"}]})
    path = f"/v1/acl/token/{token['AccessorID']}"
    assert token["Name"] == "ci" and (await world.done("GET", path))["Name"] == "ci"
    assert [one.get("Name") for one in await world.done("GET", "/v1/acl/tokens") if "Name" in one] == ["ci"]
    changed = await world.done("PUT", path, {"Name": "other"})
    assert changed["Name"] == "other" and changed["Hash"] != token["Hash"]
    assert (await world.done("PUT", path + "/clone", {}))["Name"] == "other"


async def test_logins_name_their_tokens(world: World) -> None:
    signer = Signer()
    form = "${auth_method_type}-${auth_method_name}-${value.team}"
    name = await world.method("jwt", jwt_config(signer), TokenNameFormat=form)
    assert (await world.login(name, signer.sign({"team": "Blue"})))[1]["Name"] == f"jwt-{name}-Blue"
    body = {"Name": "x", "Type": "jwt", "Config": jwt_config(signer), "TokenNameFormat": "${value.bogus}"}
    status, text = await world.call("PUT", "/v1/acl/auth-method", body)
    assert status == 500 and "TokenNameFormat" in text


async def test_the_builtin_policy_that_reads_everything(world: World) -> None:
    policy = await world.done("GET", f"/v1/acl/policy/{READ_ONLY}")
    assert policy["Name"] == "builtin/global-read-only"
    for change in ({"Rules": ""}, {"Rules": policy["Rules"], "Datacenters": ["dc1"]}):
        assert (await world.call("PUT", f"/v1/acl/policy/{READ_ONLY}", {"Name": policy["Name"], **change}))[0] == 500
    status, text = await world.call("DELETE", f"/v1/acl/policy/{READ_ONLY}")
    assert status == 500 and "builtin/global-read-only" in text
    token = await world.done("PUT", "/v1/acl/token", {"Policies": [{"ID": READ_ONLY}]})
    secret = token["SecretID"]
    for target, status in (("/v1/acl/tokens", 200), ("/v1/kv/a", 404), ("/v1/operator/raft/configuration", 200)):
        assert (await world.call("GET", target, token=secret))[0] == status
    for target in ("/v1/kv/a", "/v1/acl/token"):
        assert (await world.call("PUT", target, {}, token=secret))[0] == 403
    assert (await world.call("GET", "/v1/snapshot", token=secret))[0] == 403


# ---------------------------------------------------------------------------------------------------- templates


def test_every_template_has_rules_that_can_be_read() -> None:
    for name, template in templates().items():
        policy = checked(TemplatedPolicy(name, TemplateVariables("web")), "token")
        assert parse_rules(rules_of(policy)) or name == "builtin/workload-identity"
        assert ("{{.Name}}" in template.Template) is bool(template.Schema) is (name in NAMED)
        assert "{{" not in rules_of(policy)
        other = preview(checked(TemplatedPolicy(name, TemplateVariables("db")), "token"))
        assert preview(policy).ID == preview(policy).ID and (preview(policy).ID != other.ID) is (name in NAMED)


async def test_templates_are_shown(world: World) -> None:
    shown = await world.done("GET", "/v1/acl/templated-policies")
    assert set(shown) == {"builtin/dns", "builtin/nomad-server", "builtin/nomad-client", *NAMED}
    assert await world.done("GET", "/v1/acl/templated-policy/name/builtin/service") == shown["builtin/service"]
    assert (await world.call("GET", "/v1/acl/templated-policy/name/builtin/none"))[0] == 400
    policy = await world.done("POST", "/v1/acl/templated-policy/preview/builtin/service", {"Name": "web"})
    assert 'service "web-sidecar-proxy"' in policy["Rules"] and policy["Name"].startswith("synthetic-policy-")
    for name, body in (("service", {}), ("service", {"Name": "A B"}), ("none", {"Name": "a"}), ("service", {"X": 1})):
        assert (await world.call("POST", f"/v1/acl/templated-policy/preview/builtin/{name}", body))[0] == 400
    for method, path in (("GET", "templated-policies"), ("GET", "templated-policy/name/builtin/dns"),
                         ("POST", "templated-policy/preview/builtin/dns")):  # fmt: skip
        given: dict[str, Any] | None = {} if method == "POST" else None
        assert (await world.call(method, f"/v1/acl/{path}", given, token=""))[0] == 403


def service(name: str, *datacenters: str) -> dict[str, Any]:
    scope = {"Datacenters": list(datacenters)} if datacenters else {}
    return {"TemplateName": "builtin/service", "TemplateVariables": {"Name": name}, **scope}


async def test_templates_grant_what_they_say(world: World) -> None:
    token = await world.done("PUT", "/v1/acl/token", {"TemplatedPolicies": [
        service("web"), service("web"), service("far", "dc9"), {"TemplateName": "builtin/dns"}
    ]})  # fmt: skip
    assert token["TemplatedPolicies"] == [{"TemplateName": "builtin/dns"}, service("far", "dc9"), service("web")]
    role = await world.done("PUT", "/v1/acl/role", {"Name": "r", "TemplatedPolicies": [service("db")]})
    assert (await world.done("GET", f"/v1/acl/role/{role['ID']}"))["TemplatedPolicies"] == [service("db")]
    by_role = await world.done("PUT", "/v1/acl/token", {"Roles": [{"Name": "r"}]})
    for name, secret, status in (
        ("web", token["SecretID"], 200), ("web-sidecar-proxy", token["SecretID"], 200), ("db", token["SecretID"], 403),
        ("far", token["SecretID"], 403), ("db", by_role["SecretID"], 200), ("web", by_role["SecretID"], 403),
    ):  # fmt: skip
        found = await world.call("PUT", "/v1/agent/service/register", {"Name": name}, token=secret)
        assert found[0] == status, (name, found)
    query = "/v1/internal/acl/explain?resource=service&segment=web&access=write&accessor=" + token["AccessorID"]
    assert (await world.done("GET", query))["Policy"] == "templated policy builtin/service web"
    listed = await world.done("GET", "/v1/acl/tokens?servicename=web")
    assert [one["AccessorID"] for one in listed] == [token["AccessorID"]]
    assert await world.done("GET", "/v1/acl/tokens?servicename=none") == []
    for wrong in ({}, {"TemplateName": "builtin/none"}, {"TemplateName": "builtin/service"}, service("A B")):
        for path, more in (("token", {}), ("role", {"Name": "x"})):
            assert (await world.call("PUT", f"/v1/acl/{path}", {"TemplatedPolicies": [wrong], **more}))[0] == 500
    local = {"Local": True, "TemplatedPolicies": [service("web", "dc1")]}
    assert (await world.call("PUT", "/v1/acl/token", local))[0] == 500


async def test_logins_are_given_templates(world: World) -> None:
    signer = Signer()
    rule = {"BindType": "templated-policy", "BindName": "builtin/service", "BindVars": {"Name": "of-${value.team}"}}
    name = await world.method("jwt", jwt_config(signer), rule)
    status, token = await world.login(name, signer.sign({"team": "Blue"}))
    assert status == 200 and token["TemplatedPolicies"] == [service("of-blue")]
    assert (await world.login(name, signer.sign({"team": "!"})))[0] == 500
    wrong: dict[str, Any]
    for wrong in (
        {"BindName": "builtin/none"}, {"BindVars": {}}, {"BindVars": {"Name": "${value.bogus}"}}, {"BindVars": None},
        {"BindType": "service", "BindName": "web"}, {"BindVars": {"Name": "A"}},
    ):  # fmt: skip
        status, text = await world.call("PUT", "/v1/acl/binding-rule", {"AuthMethod": name, **rule, **wrong})
        assert status == 500 and text.startswith("Invalid Binding Rule: "), (wrong, text)


# ---------------------------------------------------------------------------------------------------- expanded


@pytest.mark.parametrize("own", [True, False])
async def test_a_token_with_all_that_it_grants(world: World, own: bool) -> None:
    policy = await world.done("PUT", "/v1/acl/policy", {"Name": "p", "Rules": 'key "a" { policy = "read" }'})
    role = await world.done("PUT", "/v1/acl/role", {
        "Name": "r", "Policies": [{"ID": policy["ID"]}], "ServiceIdentities": [{"ServiceName": "db"}]
    })  # fmt: skip
    token = await world.done("PUT", "/v1/acl/token", {
        "Roles": [{"ID": role["ID"]}], "NodeIdentities": [{"NodeName": "n", "Datacenter": "dc1"}],
        "TemplatedPolicies": [service("web")],
    })  # fmt: skip
    target, secret = ("self", token["SecretID"]) if own else (token["AccessorID"], ROOT)
    status, found = await world.call("GET", f"/v1/acl/token/{target}?expanded=true", token=secret)
    assert status == 200 and found["AccessorID"] == token["AccessorID"]
    assert [one["Name"] for one in found["ExpandedPolicies"] if not one["Name"].startswith("synthetic")] == ["p"]
    rules = "".join(one["Rules"] for one in found["ExpandedPolicies"])
    for text in ('key "a"', 'service "db"', 'node "n"', 'service "web"'):
        assert text in rules
    assert [one["Name"] for one in found["ExpandedRoles"]] == ["r"]
    assert found["AgentACLDefaultPolicy"] == "deny" and found["AgentACLDownPolicy"] == "extend-cache"
    assert found["ResolvedByAgent"] == "test" and found["NamespaceDefaultPolicyIDs"] is None
