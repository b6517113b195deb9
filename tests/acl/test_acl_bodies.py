"""Bodies of any shape at every route that writes access control: an answer in words, and no fault of the program."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from login_world import ROOT, World, jwt_config

from proconsul.features.web import INTERNAL_ERROR
from support.remote_sides import Signer

ODD: list[Any] = [
    None, True, 0, -1, 1.5, 1e300, "", "x", "\x00", "é\ud800", "${", "${1/0}", "${" * 60, "a" * 5000, [], [None], [[]],
    [{}], {}, {"": ""}, {"Name": 1}, {"ID": "x", "Name": "x"}, {"a": {"b": [1]}}, 1 << 70,
]  # fmt: skip
ROUTES: dict[str, tuple[str, ...]] = {
    "PUT auth-method": ("Name", "Type", "DisplayName", "MaxTokenTTL", "TokenLocality", "TokenNameFormat", "Config"),
    "PUT auth-method/m": ("Name", "Type", "Config", "Bogus"),
    "PUT binding-rule": ("ID", "AuthMethod", "Selector", "BindType", "BindName", "BindVars"),
    "POST login": ("AuthMethod", "BearerToken", "Meta"),
    "POST oidc/auth-url": ("AuthMethod", "RedirectURI", "ClientNonce", "Meta"),
    "POST oidc/callback": ("AuthMethod", "State", "Code", "ClientNonce"),
    "POST templated-policy/preview/builtin/service": ("Name",),
    "PUT token": ("Name", "TemplatedPolicies", "Type", "Rules", "AuthMethod"),
    "PUT role": ("TemplatedPolicies", "ServiceIdentities"),
    "PUT create": ("ID", "Name", "Type", "Rules", "CreateIndex"),
    "PUT update": ("ID", "Name", "Type", "Rules"),
    "POST rules/translate": (),
}
# What is valid but for the field that is tried.
VALID: dict[str, dict[str, Any]] = {
    "PUT auth-method": {"Name": "n", "Type": "jwt"}, "PUT auth-method/m": {"Type": "jwt"},
    "PUT binding-rule": {"AuthMethod": "m", "BindType": "service", "BindName": "web"},
    "POST login": {"AuthMethod": "m", "BearerToken": "a.b.c"}, "PUT role": {"Name": "r"},
    "PUT create": {"ID": "legacy"}, "PUT update": {"ID": "legacy"},
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
async def test_bodies_of_any_shape(world: World, route: str, caplog: pytest.LogCaptureFixture) -> None:
    await world.done("PUT", "/v1/acl/auth-method", {"Name": "m", "Type": "jwt", "Config": jwt_config(Signer())})
    verb, _, path = route.partition(" ")
    valid = dict(VALID.get(route, {}))
    if "auth-method" in route:
        valid["Config"] = jwt_config(Signer())
    bodies: list[Any] = [*ODD, *({**valid, field: odd} for field in ROUTES[route] for odd in ODD)]
    raws = [json.dumps(body).encode() for body in bodies]
    raws += [b"", b"{", b"\xff"]
    raws += [b"[" * 100_000, b'{"Name":' * 5000, b"null", b'key "a" { policy = "read" } #', b"a = <<E"]
    for raw in raws:
        response = await world.agent.request(verb, "/v1/acl/" + path, raw, {"X-Consul-Token": ROOT})
        assert response.status in (200, 400, 403, 500), raw[:200]
        assert response.body.decode(errors="replace") != INTERNAL_ERROR, raw[:200]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR and record.exc_info]
