"""Logins at an agent in this loop, with remote sides over TLS: those that only newer releases know, and bad ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from login_world import World, jwt_config

from proconsul.cli import aws_login
from proconsul.cli.command import Failure
from proconsul.engine.http import fetch
from proconsul.features.acl import login as login_module
from proconsul.features.acl.auth import oidc, remote
from proconsul.features.errors import PermissionDenied
from support.patience import PATIENCE_S
from support.remote_sides import (
    Aws,
    Certificate,
    Hostile,
    Kubernetes,
    Provider,
    Signer,
    packed,
    speaking,
)

# ---------------------------------------------------------------------------------------------------- jwt


async def test_keys_change_hands_at_the_remote_side(world: World) -> None:
    provider = world.serve(Provider())
    provider.other_keys = [{"kty": "oct", "k": "AA"}, {"kty": "new"}, 5, {"kty": "EC", "crv": "none"}]
    name = await world.method("jwt", {"JWKSURL": provider.url + "/jwks", "JWKSCACert": world.certificate.pem})
    old, token = provider.signer, provider.sign({})
    assert (await world.login(name, token))[0] == 200
    provider.signer = Signer("k2")
    assert (await world.login(name, provider.sign({})))[0] == 200
    assert (await world.login(name, token))[0] == 500, "its key is not published any more"
    # Only keys that may be kept are kept.
    provider.header = {"Cache-Control": "private, max-age=600"}
    assert (await world.login(name, provider.sign({})))[0] == 200
    asked = len(provider.asked)
    assert (await world.login(name, provider.sign({})))[0] == 200 and len(provider.asked) == asked
    assert (await world.login(name, old.sign({})))[0] == 500 and len(provider.asked) == asked + 1


async def test_only_the_algorithms_that_are_asked_for(world: World) -> None:
    signer = Signer()
    allowed = await world.method("jwt", jwt_config(signer, JWTSupportedAlgs=["ES256", "RS256"]))
    assert (await world.login(allowed, signer.sign({})))[0] == 200
    refused = await world.method("jwt", jwt_config(signer, JWTSupportedAlgs=["RS256"]))
    assert await world.login(refused, signer.sign({})) == (
        500, "no known key successfully validated the token signature"
    )  # fmt: skip


async def test_leeways_may_be_texts(world: World) -> None:
    signer, now = Signer(), int(time.time())
    name = await world.method("jwt", jwt_config(signer, ClockSkewLeeway="-1s", ExpirationLeeway="2m"))
    assert (await world.login(name, signer.sign({"exp": now - 20})))[0] == 500
    assert (await world.login(name, signer.sign({"exp": None, "iat": now - 100, "nbf": None})))[0] == 200
    assert (await world.login(name, signer.sign({"exp": None, "iat": now - 130, "nbf": None})))[0] == 500


async def test_policies_are_given_by_name(world: World) -> None:
    signer = Signer()
    await world.done("PUT", "/v1/acl/policy", {"Name": "of-blue", "Rules": 'key_prefix "" { policy = "read" }'})
    rule = {"BindType": "policy", "BindName": "of-${value.team}"}
    name = await world.method("jwt", jwt_config(signer), rule)
    status, token = await world.login(name, signer.sign({"team": "Blue"}))
    assert status == 200 and [link["Name"] for link in token["Policies"]] == ["of-blue"]
    assert await world.login(name, signer.sign({"team": "red"})) == (403, "Permission denied")
    assert (await world.call("GET", "/v1/kv/a", token=token["SecretID"]))[0] == 404


async def test_a_token_ends_when_its_method_says(world: World) -> None:
    signer = Signer()
    name = await world.method("jwt", jwt_config(signer), MaxTokenTTL="1m")
    _, token = await world.login(name, signer.sign({}))
    assert (await world.call("GET", "/v1/acl/token/self", token=token["SecretID"]))[0] == 200
    resolver = world.agent.server.resolver
    now_ns = resolver._now_ns
    resolver._now_ns = lambda: now_ns() + 61_000_000_000
    assert await world.call("GET", "/v1/agent/self", token=token["SecretID"]) == (403, "ACL not found")


async def test_a_large_method_goes_in_parts(world: World) -> None:
    signer = Signer()
    name = await world.method("jwt", jwt_config(signer), *[{"BindType": "service", "BindName": "web"}] * 110)
    tokens = [(await world.login(name, signer.sign({})))[1]["SecretID"] for _ in range(120)]
    # What was made under another locality goes, too.
    await world.done("PUT", f"/v1/acl/auth-method/{name}", {"Config": jwt_config(signer), "TokenLocality": "global"})
    tokens.append((await world.login(name, signer.sign({})))[1]["SecretID"])
    state = world.agent.server.state.acl
    assert len(state.tokens_of_method(name)) == 121
    before = state.store.max_index("acl-tokens")
    assert await world.done("DELETE", f"/v1/acl/auth-method/{name}") is True
    assert state.tokens_of_method(name) == [] and not state.binding_rules.by("auth_method", name)
    assert state.store.max_index("acl-tokens") - before >= 2, "in more than one command"
    for secret in tokens[::40]:
        assert (await world.call("GET", "/v1/acl/token/self", token=secret))[0] == 403
    assert await world.login(name, signer.sign({})) == (403, "ACL not found")


# ---------------------------------------------------------------------------------------------------- oidc

CLIENT = {"OIDCClientID": Provider.client[0], "OIDCClientSecret": Provider.client[1]}
BACK = "http://localhost:8550/oidc/callback"


def oidc_config(world: World, provider: Provider, **more: Any) -> dict[str, Any]:
    return {
        "OIDCDiscoveryURL": provider.url, "OIDCDiscoveryCACert": world.certificate.pem, "JWTSupportedAlgs": ["ES256"],
        "AllowedRedirectURIs": [BACK, "https://ui/oidc"], "ClaimMappings": {"team": "team"},
        "ListClaimMappings": {"groups": "groups"}, **CLIENT, **more,
    }  # fmt: skip


async def begin(world: World, name: str, nonce: str = "n1", back: str = BACK, **more: Any) -> tuple[int, Any]:
    body = {"AuthMethod": name, "RedirectURI": back, "ClientNonce": nonce, **more}
    return await world.call("POST", "/v1/acl/oidc/auth-url", body, token="")


async def finish(world: World, name: str, state: str, code: str, nonce: str = "n1") -> tuple[int, Any]:
    body = {"AuthMethod": name, "State": state, "Code": code, "ClientNonce": nonce}
    return await world.call("POST", "/v1/acl/oidc/callback", body, token="")


async def through(world: World, provider: Provider, name: str, **claims: Any) -> tuple[int, Any]:
    status, found = await begin(world, name, Meta={"who": "me"})
    assert status == 200, found
    return await finish(world, name, *provider.approve(found["AuthURL"], claims))


async def test_a_person_logs_in_with_a_browser(world: World) -> None:
    provider = world.serve(Provider())
    rule = {"BindType": "service", "BindName": "of-${value.team}", "Selector": "ops in list.groups"}
    config = oidc_config(world, provider, OIDCScopes=["groups"], OIDCACRValues=["strong"])
    name = await world.method("oidc", config, rule, MaxTokenTTL="1h")
    status, found = await begin(world, name, Meta={"who": "me"})
    address = found["AuthURL"]
    assert "scope=openid+groups" in address and "acr_values=strong" in address
    assert "code_challenge_method=S256" in address, "on without being asked for"
    state, code = provider.approve(address, {"team": "Blue", "groups": ["ops"]})
    status, token = await finish(world, name, state, code)
    assert status == 200, token
    assert token["Description"] == 'token created via OIDC login: {"who":"me"}'
    assert token["ServiceIdentities"] == [{"ServiceName": "of-blue"}] and token["ExpirationTime"]
    assert (await finish(world, name, state, code))[0] == 403, "once only"
    assert await through(world, provider, name, groups=["others"]) == (403, "Permission denied")
    assert (await world.call("POST", "/v1/acl/logout", token=token["SecretID"]))[0] == 200


async def test_what_the_provider_says_beyond_the_token(world: World) -> None:
    provider = world.serve(Provider())
    provider.info = {"sub": "me", "team": "red", "groups": ["g"]}
    rule = {"BindType": "service", "BindName": "of-${value.team}"}
    name = await world.method("oidc", oidc_config(world, provider), rule, MaxTokenTTL="1h")
    _, token = await through(world, provider, name)
    assert token["ServiceIdentities"] == [{"ServiceName": "of-red"}]
    _, token = await through(world, provider, name, team="blue")
    assert token["ServiceIdentities"] == [{"ServiceName": "of-blue"}], "what is signed counts"
    provider.info["sub"] = "somebody else"
    assert (await through(world, provider, name))[0] == 500


async def test_who_did_not_begin_cannot_finish(world: World) -> None:
    provider = world.serve(Provider())
    name = await world.method("oidc", oidc_config(world, provider), MaxTokenTTL="1h")
    _, found = await begin(world, name)
    state, code = provider.approve(found["AuthURL"], {})
    assert (await finish(world, name, state, code, nonce="guessed"))[0] == 403
    assert (await finish(world, name, state, code))[0] == 403, "and whoever guesses has spoiled it"
    assert (await finish(world, name, "made-up", code))[0] == 403
    for back in ("https://evil/", "http://localhost:8550/other", "http://localhost.evil:1/oidc/callback",
                 "http://localhost:x/oidc/callback", "https://localhost/oidc/callback", "", BACK + "?x",
                 "http://me@localhost:1/oidc/callback"):  # fmt: skip
        status, text = await begin(world, name, back=back)
        assert status == 403 and "redirect_uri" in text
    assert (await begin(world, name, back="http://localhost:1234/oidc/callback"))[0] == 200, "a port of its own"
    for claims in ({"nonce": "other"}, {"aud": "another client"}, {"iss": "https://other"}, {"exp": 5},
                   {"aud": [Provider.client[0], "x"], "azp": "x"}):  # fmt: skip
        assert (await through(world, provider, name, **claims))[0] == 500, claims
    _, found = await begin(world, name)
    state, _ = provider.approve(found["AuthURL"], {})
    assert (await finish(world, name, state, "no code of theirs"))[0] == 500
    assert (await world.login(name, "x"))[0] == 500, "there is nothing to show"
    assert await begin(world, "unknown") == (403, "ACL not found")
    signer = await world.method("jwt", jwt_config(Signer()))
    assert (await begin(world, signer))[0] == 500


async def test_a_client_proves_itself_by_signing(world: World) -> None:
    from cryptography.hazmat.primitives import serialization

    provider, signer = world.serve(Provider()), Signer()
    pem = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    provider.client_key = signer.key.public_key()
    assertion = {"PrivateKey": {"PemKey": pem}, "KeyAlgorithm": "ES256"}
    config = oidc_config(world, provider, OIDCClientSecret="", OIDCClientAssertion=assertion, OIDCClientUsePKCE=False)
    name = await world.method("oidc", config, MaxTokenTTL="1h")
    assert (await through(world, provider, name))[0] == 200


async def test_providers_that_cannot_be(world: World) -> None:
    provider = world.serve(Provider())
    wrong: dict[str, Any]
    for wrong in ({"OIDCClientID": ""}, {"OIDCClientSecret": ""}, {"AllowedRedirectURIs": []}, {"Bogus": 1},
                  {"OIDCDiscoveryURL": ""}, {"OIDCDiscoveryURL": provider.url + "/other"}, {"OIDCDiscoveryCACert": "x"},
                  {"OIDCClientAssertion": {"PrivateKey": {"PemKey": "x"}}}, {"JWTSupportedAlgs": ["HS256"]},
                  {"OIDCClientSecret": "", "OIDCClientAssertion": {"PrivateKey": {"PemKey": "x"}}}):  # fmt: skip
        body = {"Name": "x", "Type": "oidc", "MaxTokenTTL": "1h", "Config": oidc_config(world, provider) | wrong}
        status, text = await world.call("PUT", "/v1/acl/auth-method", body)
        assert status == 500 and text.startswith("Invalid Auth Method: "), wrong
    body = {"Name": "x", "Type": "oidc", "Config": oidc_config(world, provider)}
    assert "MaxTokenTTL" in (await world.call("PUT", "/v1/acl/auth-method", body))[1]


def test_what_is_begun_and_not_finished_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "UNDER_WAY_MAX", 3)
    under_way = oidc.UnderWay()
    states = [under_way.add(oidc.Begun("", "n", "", "", None, 100 + number), number) for number in range(4)]
    with pytest.raises(PermissionDenied):
        under_way.take(states[0], "n", 4)
    assert under_way.take(states[1], "n", 4).until_ns == 101
    with pytest.raises(PermissionDenied):
        under_way.take(states[2], "n", 102)


# ---------------------------------------------------------------------------------------------------- aws-iam


@pytest.fixture
def aws(world: World, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    fetch._contexts.clear()
    yield world.serve(Aws())
    fetch._contexts.clear()


def aws_config(aws: Aws, **more: Any) -> dict[str, Any]:
    return {"BoundIAMPrincipalARNs": ["arn:aws:iam::123456789012:role/deployer"], "STSEndpoint": aws.url,
            "IAMEndpoint": aws.url, **more}  # fmt: skip


async def test_a_role_of_aws_logs_in(world: World, aws: Aws) -> None:
    rule = {"BindType": "service", "BindName": "of-${entity_name}-${account_id}", "Selector": 'entity_id == "AROAX"'}
    name = await world.method("aws-iam", aws_config(aws, ServerIDHeaderValue="us", MaxRetries=1), rule)
    server_id = {"X-Consul-IAM-ServerID": "us"}
    status, token = await world.login(name, aws.bearer("AKROLE", server_id))
    assert status == 200, token
    assert token["ServiceIdentities"] == [{"ServiceName": "of-deployer-123456789012"}]
    aws.failures = 1
    assert (await world.login(name, aws.bearer("AKROLE", server_id)))[0] == 200, "asked again"
    for bearer, why in (
        (aws.bearer("AKROLE"), "X-Consul-IAM-ServerID"),
        (aws.bearer("AKROLE", {"X-Consul-IAM-ServerID": "them"}), "them"),
        (aws.bearer("AKUSER", server_id), "is not trusted"), (aws.bearer("AKROOT", server_id), "unsupported principal"),
        (aws.bearer("AKROLE", {**server_id, "X-Forwarded-Host": "x"}), "invalid request header: x-forwarded-host"),
    ):  # fmt: skip
        status, text = await world.login(name, bearer)
        assert status == 500 and why in text, text
    more = await world.method("aws-iam", aws_config(aws, AllowedSTSHeaderValues=["X-Forwarded-Host"]), rule)
    assert (await world.login(more, aws.bearer("AKROLE", {"X-Forwarded-Host": "x"})))[0] == 200


async def test_only_the_meant_request_is_passed_on(world: World, aws: Aws) -> None:
    name = await world.method("aws-iam", aws_config(aws, ServerIDHeaderValue="us"))
    first = aws.signed("AKROLE", "Action=GetCallerIdentity&Version=2011-06-15", "sts", {"X-Consul-IAM-ServerID": "us"})
    url, header, body = first["url"], first["header"], first["body"]
    assert (await world.login(name, packed(url, header, body)))[0] == 200
    unsigned = {**header, "authorization": header["authorization"].replace(";x-consul-iam-serverid", "")}
    for bearer in (
        packed("https://evil/", header, body), packed(url + "path", header, body), packed(url + "?a=b", header, body),
        packed(url.replace("https://", "https://me@"), header, body), packed("http" + url[5:], header, body),
        packed(url, header, "Action=AssumeRole&Version=2011-06-15"), packed(url, header, body + "&Action=AssumeRole"),
        packed(url, header, body + "&X=1"), packed(url, header, body, "GET"), packed(url, unsigned, body),
        packed(url, {**header, "X-CONSUL-IAM-SERVERID": "us"}, body), packed(url, {"x-amz-date": ["a", "b"]}, body),
        packed(url, {**header, "x-amz-date": "a\r\nX-Evil: 1"}, body), "", "x", "[]", "{}", '{"iam_request_url": 5}',
    ):  # fmt: skip
        status, text = await world.login(name, bearer)
        assert status == 500 and text, bearer
    real = await world.method("aws-iam", {"BoundIAMPrincipalARNs": ["a"]})
    for address in ("https://sts.evil.com/", "https://sts.amazonaws.com.evil/", "http://sts.amazonaws.com/",
                    "https://sts.amazonaws.com:8443/", "https://sts.amazonaws.com@evil/"):  # fmt: skip
        assert "request URL" in (await world.login(real, packed(address, header, body)))[1], address


async def test_details_of_roles_and_users(world: World, aws: Aws) -> None:
    config = aws_config(
        aws, EnableIAMEntityDetails=True, IAMEntityTags=["team"], BoundIAMPrincipalARNs=["arn:aws:iam::123456789012:*"]
    )
    rule = {"BindType": "service", "BindName": "of-${entity_tags.team}", "Selector": "entity_tags.team == blue"}
    name = await world.method("aws-iam", config, rule)
    role = "Action=GetRole&RoleName=deployer&Version=2010-05-08"
    user = "Action=GetUser&UserName=mary&Version=2010-05-08"
    for access, entity in (("AKROLE", role), ("AKUSER", user)):
        status, token = await world.login(name, aws.bearer(access, entity=entity))
        assert status == 200, token
        assert token["ServiceIdentities"] == [{"ServiceName": "of-blue"}]
    for bearer, why in (
        (aws.bearer("AKROLE"), "is missing"), (aws.bearer("AKROLE", entity=user), "another one"),
        (aws.bearer("AKROLE", entity=role.replace("deployer", "other")), "another one"),
        (aws.bearer("AKROLE", entity="Action=DeleteRole&RoleName=deployer&Version=2010-05-08"), "GetRole or GetUser"),
    ):  # fmt: skip
        status, text = await world.login(name, bearer)
        assert status == 500 and why in text, text


async def test_the_command_signs_what_is_asked_for(world: World, aws: Aws) -> None:
    """What ``consul login -aws-auto-bearer-token`` sends."""
    plain = await world.method("aws-iam", aws_config(aws, ServerIDHeaderValue="us"))
    keys = aws_login.Keys("AKROLE", "s1")
    bearer = aws_login.bearer_token(keys, "eu-west-1", sts=aws.url + "/", server_id="us")
    assert (await world.login(plain, bearer))[0] == 200
    arns = ["arn:aws:iam::123456789012:*"]
    detailed = await world.method("aws-iam", aws_config(aws, EnableIAMEntityDetails=True, BoundIAMPrincipalARNs=arns))
    for access, entity in (("AKROLE", ("GetRole", "deployer")), ("AKUSER", ("GetUser", "mary"))):
        keys = aws_login.Keys(access, aws.keys[access][0], "a session")
        asked, url = aws_login.Entity(*entity), aws.url + "/"
        bearer = aws_login.bearer_token(keys, "eu-west-1", sts=url, iam=url, entity=asked)
        status, text = await world.login(detailed, bearer)
        assert status == 200, text
    wrong = aws_login.bearer_token(aws_login.Keys("AKROLE", "wrong"), "eu-west-1", sts=aws.url + "/", server_id="us")
    assert (await world.login(plain, wrong))[0] == 500


def test_where_the_keys_of_aws_are_found(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b%c\n[x]\naws_access_key_id = d\n")
    file = {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
    assert aws_login.keys_of(file) == aws_login.Keys("a", "b%c")
    environment = {"AWS_ACCESS_KEY_ID": "e", "AWS_SECRET_ACCESS_KEY": "f", "AWS_SESSION_TOKEN": "g"}
    assert aws_login.keys_of(file | environment) == aws_login.Keys("e", "f", "g")
    for missing in (file | {"AWS_PROFILE": "x"}, file | {"AWS_PROFILE": "y"}, {"AWS_SHARED_CREDENTIALS_FILE": "/none"}):
        with pytest.raises(Failure, match="No AWS credentials found"):
            aws_login.keys_of(missing)
    assert aws_login.region_of("", {"AWS_DEFAULT_REGION": "r"}) == "r" and aws_login.region_of("", {}) == "us-east-1"


async def test_aws_methods_that_cannot_be(world: World) -> None:
    for config in ({}, {"BoundIAMPrincipalARNs": ["a*b"]}, {"BoundIAMPrincipalARNs": ["a*"]},
                   {"BoundIAMPrincipalARNs": ["a"], "IAMEntityTags": ["t"]},
                   {"BoundIAMPrincipalARNs": ["a"], "STSEndpoint": "sts"}):  # fmt: skip
        body = {"Name": "x", "Type": "aws-iam", "Config": config}
        status, text = await world.call("PUT", "/v1/acl/auth-method", body)
        assert status == 500 and text.startswith("Invalid Auth Method: "), config


# ---------------------------------------------------------------------------------------------------- bad sides


def jwks(url: str, pem: str) -> tuple[str, dict[str, Any]]:
    return "jwt", {"JWKSURL": url, "JWKSCACert": pem}


def discovery(url: str, pem: str) -> tuple[str, dict[str, Any]]:
    return "jwt", {"OIDCDiscoveryURL": url, "OIDCDiscoveryCACert": pem}


def provider_of_people(url: str, pem: str) -> tuple[str, dict[str, Any]]:
    more = {"AllowedRedirectURIs": [BACK], **CLIENT}
    return "oidc", {"OIDCDiscoveryURL": url, "OIDCDiscoveryCACert": pem, **more}


Kind = Callable[[str, str], tuple[str, dict[str, Any]]]


@pytest.mark.parametrize("kind", [jwks, discovery, provider_of_people])
async def test_bad_sides_are_refused_when_a_method_is_written(
    world: World, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = world.serve(Hostile())
    monkeypatch.setattr(remote, "REMOTE_TIMEOUT_S", 0.5)
    with speaking(lambda connection: None) as silent, speaking(lambda connection: connection.close()) as closing, \
            speaking(lambda connection: connection.sendall(b"\0\xff" * 64)) as noise:  # fmt: skip
        paths = ("/loop", "/large", "/text", "/deep", "/keyless", "/broken")
        for url in (silent, closing, noise, *(hostile.url + path for path in paths)):
            type_name, config = kind(url, world.certificate.pem)
            body = {"Name": "x", "Type": type_name, "MaxTokenTTL": "1h", "Config": config}
            asked = asyncio.ensure_future(world.call("PUT", "/v1/acl/auth-method", body))
            assert (await world.call("GET", "/v1/kv/a"))[0] == 404, "others are answered meanwhile"
            async with asyncio.timeout(PATIENCE_S):
                status, text = await asked
            assert status == 500 and text.startswith("Invalid Auth Method: error checking "), (url, text)
            assert len(text) < 2000


async def test_a_side_that_turns_bad(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs in is told, and those who wait for nothing do not wait for them."""
    api = Kubernetes()
    monkeypatch.setattr(remote, "REMOTE_TIMEOUT_S", 0.5)
    with speaking(lambda connection: None) as silent:
        name = await world.method(
            "kubernetes", {"Host": silent, "CACert": world.certificate.pem, "ServiceAccountJWT": api.reviewer}
        )
        waiting = [asyncio.ensure_future(world.login(name, api.token("web"))) for _ in range(3)]
        signer = Signer()
        other = await world.method("jwt", jwt_config(signer))
        assert (await world.login(other, signer.sign({})))[0] == 200
        for status, text in await asyncio.gather(*waiting):
            assert status == 500 and "tokenreviews" in text
    world.serve(api)
    await world.done("PUT", f"/v1/acl/auth-method/{name}", {
        "Config": {"Host": api.url, "CACert": world.certificate.pem, "ServiceAccountJWT": api.reviewer}
    })  # fmt: skip
    for account in ("html", "odd", "empty", "gone", "forbidden"):
        status, text = await world.login(name, api.token(account))
        assert status == 500 and text, account
    assert (await world.login(name, api.token("web")))[0] == 200


async def test_nobody_can_make_many_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_module, "WAITING_MAX", 2)
    monkeypatch.setattr(remote, "REMOTE_TIMEOUT_S", 1.0)
    api = Kubernetes()
    with speaking(lambda connection: None) as silent:
        name = await world.method(
            "kubernetes", {"Host": silent, "CACert": world.certificate.pem, "ServiceAccountJWT": api.reviewer}
        )
        found = await asyncio.gather(*(world.login(name, api.token("web")) for _ in range(4)))
        assert sorted(status for status, _ in found) == [500, 500, 503, 503]


async def test_a_method_that_goes_while_somebody_logs_in(world: World) -> None:
    """No token is made for a method, or by rules, that are gone by the time the remote side has answered."""
    provider = world.serve(Provider())
    name = await world.method("jwt", {"JWKSURL": provider.url + "/jwks", "JWKSCACert": world.certificate.pem})
    answer, gate = provider.answer, asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(asked: Any) -> Any:
        loop.call_soon_threadsafe(arrived.set)
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(PATIENCE_S)
        return answer(asked)

    arrived = asyncio.Event()
    provider.answer = slow
    login = asyncio.ensure_future(world.login(name, provider.sign({})))
    async with asyncio.timeout(PATIENCE_S):
        await arrived.wait()
    await world.done("DELETE", f"/v1/acl/auth-method/{name}")
    gate.set()
    assert await login == (403, "ACL not found")
    assert not world.agent.server.state.acl.tokens.by("auth_method", name)


def test_no_type_is_for_tests_only() -> None:
    from proconsul.features.acl.auth.types import TYPES

    assert sorted(TYPES) == ["aws-iam", "jwt", "kubernetes", "oidc"]
