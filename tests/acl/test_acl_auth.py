"""What auth methods make of configurations and tokens, without anybody to ask: tables, attacks and generated input."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proconsul.features.acl.auth import aws, claims, jose, jwt, kubernetes, oidc
from proconsul.features.acl.auth import settings as configuration
from proconsul.features.acl.auth.claims import Expected, Mappings
from proconsul.features.acl.auth.common import AuthError
from proconsul.features.acl.auth.types import TYPES, maker
from support.remote_sides import Signer

NOW_S = 1_700_000_000
SECOND_NS = 1_000_000_000


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged(header: dict[str, Any], payload: bytes, mac: bytes = b"") -> str:
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    signature = hmac.new(mac, signed.encode(), hashlib.sha256).digest() if mac else b""
    return f"{signed}.{encoded(signature)}"


PAYLOAD = json.dumps({"exp": NOW_S + 60}).encode()


def test_signatures_that_prove_nothing() -> None:
    signer = Signer()
    key = jose.key_of_pem(signer.pem)
    assert key is not None
    good = signer.sign({})
    assert jose.is_signed_by(jose.parse(good), key)
    head, body, _ = good.split(".")
    for token in (
        forged({"alg": "none"}, PAYLOAD), forged({"alg": "None"}, PAYLOAD), forged({}, PAYLOAD),
        forged({"alg": "HS256"}, PAYLOAD, signer.pem.encode()), forged({"alg": ["ES256"]}, PAYLOAD),
        forged({"alg": "ES256"}, PAYLOAD), f"{head}.{body}.", f"{head}.{body}.{encoded(bytes(64))}",
        f"{head}.{encoded(PAYLOAD)}.{good.split('.')[2]}", Signer().sign({}),
    ):  # fmt: skip
        assert not jose.is_signed_by(jose.parse(token), key), token
    critical = jose.parse(good)._replace(header={"alg": "ES256", "crit": ["x"]})
    assert not jose.is_signed_by(critical, key)


def test_a_key_signs_with_its_own_algorithms_only() -> None:
    import jwt as pyjwt
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    keys: dict[str, Any] = {
        "ES256": ec.generate_private_key(ec.SECP256R1()), "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "RS256": rsa.generate_private_key(65537, 2048),
    }  # fmt: skip
    for name, private in keys.items():
        token = jose.parse(pyjwt.api_jws.encode(PAYLOAD, private, name))
        for other, key in keys.items():
            assert jose.is_signed_by(token, jose.Key(key.public_key())) is (name == other), (name, other)
    for name in ("RS384", "RS512", "PS256", "PS384", "PS512"):
        token = jose.parse(pyjwt.api_jws.encode(PAYLOAD, keys["RS256"], name))
        assert jose.is_signed_by(token, jose.Key(keys["RS256"].public_key()))


@pytest.mark.parametrize(("text", "error"), [
    ("", jose.THREE_PARTS), ("a.b", jose.THREE_PARTS), ("a.b.c.d", jose.THREE_PARTS), ("{}", jose.THREE_PARTS),
    ("a.b.c", "illegal base64 data at input byte 0"), ("ab.!b.c", "illegal base64 data at input byte 0"),
    ("e30.ab=.cd", "illegal base64 data at input byte 2"), ("e30.abcde.cd", "illegal base64 data at input byte 4"),
])  # fmt: skip
def test_what_is_no_token(text: str, error: str) -> None:
    with pytest.raises(jose.JoseError, match=error):
        jose.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.tuples(st.binary(), st.binary(), st.binary()).map(lambda p: ".".join(map(encoded, p))))
def test_whatever_is_shown_is_refused_in_words(bearer: str) -> None:
    signer = Signer()
    methods = (
        jwt.make({"JWTValidationPubKeys": [signer.pem]}, lambda: NOW_S * SECOND_NS),
        aws.make({"BoundIAMPrincipalARNs": ["a"]}, lambda: 0),
    )
    for method in methods:
        with pytest.raises(AuthError):
            asyncio.run(method.login(bearer))


# ---------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(("said", "expected", "error"), [
    ({"exp": 100}, Expected(), ""), ({"exp": -60}, Expected(), ""), ({"exp": -61}, Expected(), "expired"),
    ({"exp": -1}, Expected(clock_skew_ns=-1), "expired"), ({"exp": -9}, Expected(clock_skew_ns=10 * SECOND_NS), ""),
    ({"nbf": 60}, Expected(), ""), ({"nbf": 61}, Expected(), "not valid yet"),
    ({"iat": 60, "nbf": 0}, Expected(), ""), ({"iat": 61, "nbf": 1}, Expected(), "in the future"),
    # What is missing follows from the others.
    ({"iat": -210}, Expected(), ""), ({"iat": -211}, Expected(), "expired"),
    ({"iat": -500, "nbf": -200}, Expected(), ""), ({"nbf": -61}, Expected(expiration_leeway_ns=-1), "expired"),
    ({"iat": -70}, Expected(expiration_leeway_ns=10 * SECOND_NS), ""), ({"exp": 210}, Expected(), ""),
    ({"exp": 211}, Expected(), "not valid yet"), ({"exp": 61}, Expected(not_before_leeway_ns=-1), "not valid yet"),
    ({}, Expected(), "no issue time"),
])  # fmt: skip
def test_times(said: dict[str, int], expected: Expected, error: str) -> None:
    found = {name: NOW_S + value for name, value in said.items()}
    if not error:
        claims.validate(found, expected, NOW_S * SECOND_NS)
        return
    with pytest.raises(AuthError, match=error):
        claims.validate(found, expected, NOW_S * SECOND_NS)


# ---------------------------------------------------------------------------------------------------- claims


def test_where_a_claim_is_found() -> None:
    said = {"a": {"b/c": ["x", {"~": "deep"}]}, "n": 5, "list": ["x", 1], "/slash": "s", "none": None}
    mappings = Mappings(
        {"/a/b~1c/1/~0": "deep", "/a/b~1c/9": "gone", "n": "n", "/n/x": "no", "none": "none", "/a/b~1c/0": "first"},
        {"list": "list", "n": "one", "/a/b~1c/x": "gone"},
    )
    found = claims.identity_of(said, mappings)
    assert found.fields == claims.Claims({"deep": "deep", "n": "5", "first": "x"}, {"list": ["x", "1"], "one": ["5"]})
    assert found.variables == {
        "value.deep": "deep", "value.gone": "", "value.n": "5", "value.no": "", "value.none": "", "value.first": "x"
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("number", [10**308, 10**400, -(10**400), 10**30], ids=["e308", "e400", "-e400", "e30"])
@pytest.mark.parametrize("place", ["exp", "nbf", "team", "teams"])
def test_numbers_that_nothing_holds_are_refused_in_words(place: str, number: int) -> None:
    """Before anything is done with them: they are looked at before the signature is."""
    signer = Signer()
    mappings = {"ClaimMappings": {"team": "t"}, "ListClaimMappings": {"teams": "ts"}}
    config = {"JWTValidationPubKeys": [signer.pem], **mappings}
    method = jwt.make(config, lambda: NOW_S * SECOND_NS)
    said = {"iat": NOW_S, "nbf": NOW_S, "exp": NOW_S + 60, place: [number] if place == "teams" else number}
    fits = place != "nbf" and 0 < number <= 10**308
    try:
        asyncio.run(method.login(signer.sign(said)))
        assert fits
    except AuthError:
        assert not fits
    header = {"alg": "ES256", place: number}
    with pytest.raises(AuthError):
        asyncio.run(method.login(forged(header, PAYLOAD)))


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "aud", "iss", "sub", "c", "l"]), JSON))
def test_claims_of_any_shape_are_taken_or_refused(said: dict[str, Any]) -> None:
    try:
        claims.require_shape(said)
    except ValueError:
        return
    try:
        claims.validate(said, Expected("me", ["us"]), NOW_S * SECOND_NS)
        found = claims.identity_of(said, Mappings({"c": "c", "/l/0": "p"}, {"l": "l"}))
    except AuthError:
        return
    assert all(isinstance(text, str) for text in found.variables.values())


# ---------------------------------------------------------------------------------------------------- configuration


FIELDS = sorted({name for module in (jwt, kubernetes, oidc, aws) for name in module.FIELDS} | {"Bogus", "hOst"})


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(TYPES)), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_configurations_of_any_shape_are_taken_or_refused(kind: str, config: dict[str, Any]) -> None:
    make = maker(kind)
    assert make is not None
    try:
        make(config, lambda: 0)
    except AuthError as error:
        assert str(error)


def test_every_fault_of_a_configuration_is_named() -> None:
    kinds = {"A": configuration.TEXT, "B": configuration.TEXTS, "C": configuration.MAP, "D": configuration.FLAG}
    with pytest.raises(AuthError) as found:
        configuration.decode({"a": [], "B": [{}, []], "C": {"x": {}}, "D": "perhaps", "E": 1, "F": None}, kinds)
    lines = str(found.value).splitlines()
    assert lines[0] == "error decoding config: 6 error(s) decoding:"
    assert lines[2] == "* '' has invalid keys: E, F" and len(lines) == 8
    assert configuration.decode({"a": 1, "b": "x", "c": [{"k": True}, {"l": 2.5}], "d": "t"}, kinds) == {
        "A": "1", "B": ["x"], "C": {"k": "1", "l": "2.5"}, "D": True
    }  # fmt: skip
