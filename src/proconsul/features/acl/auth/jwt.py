"""Type ``jwt``: a signed token by somebody whose public keys are configured, or published (auth-methods/jwt)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from proconsul.engine.wire import gojson
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth import claims, jose, settings
from proconsul.features.acl.auth.claims import Claims, Expected, Mappings
from proconsul.features.acl.auth.common import AuthError, Clock, Verified, document
from proconsul.features.acl.auth.jose import JoseError, Key, Signed
from proconsul.features.acl.auth.remote import Remote, RemoteAnswer, Shared, json_of, max_age_s
from proconsul.features.acl.auth.settings import DURATION, MAP, TEXT, TEXTS

FIELDS = {
    "JWTSupportedAlgs": TEXTS, "BoundAudiences": TEXTS, "ClaimMappings": MAP, "ListClaimMappings": MAP,
    "OIDCDiscoveryURL": TEXT, "OIDCDiscoveryCACert": TEXT, "JWKSURL": TEXT, "JWKSCACert": TEXT,
    "JWTValidationPubKeys": TEXTS, "BoundIssuer": TEXT, "ExpirationLeeway": DURATION, "NotBeforeLeeway": DURATION,
    "ClockSkewLeeway": DURATION,
}  # fmt: skip
SECOND_NS = 1_000_000_000
# Key sets and metadata that say they last longer are asked for again after this long.
_KEPT_S_MAX = 3600.0
# Of tokens from a provider, which counts their times itself.
_NOT_BEFORE_LEEWAY_S = 60


class KeySource:
    """Where keys come from. ``judges``: whether it has looked at issuer and times itself, by its own rules."""

    judges = False

    async def check(self) -> None:
        """Raise AuthError when there are none to be had."""

    async def payload(self, token: str, now_ns: int) -> dict[str, Any]:
        """What a token says whose signature is right. Raises AuthError."""
        raise AuthError("no keys")


def _claims(token: Signed) -> dict[str, Any]:
    """Raises AuthError for what cannot be a token's content."""
    found = jose.payload_of(token)
    try:
        if found is None:
            raise ValueError("payload")
        claims.require_shape(found)
    except ValueError:
        raise AuthError("failed to unmarshal claims") from None
    return found


class StaticKeys(KeySource):
    """``JWTValidationPubKeys``."""

    def __init__(self, pems: Sequence[str], algorithms: Sequence[str]) -> None:
        self._keys = []
        self._algorithms = algorithms
        for place, pem in enumerate(pems):
            key = jose.key_of_pem(pem)
            if key is None:
                raise AuthError(
                    f"error parsing public key JWTValidationPubKeys[{place}]: "
                    "data does not contain any valid RSA, ECDSA, or ED25519 public keys"
                )
            self._keys.append(key)

    async def payload(self, token: str, now_ns: int) -> dict[str, Any]:
        """See `KeySource`."""
        try:
            signed = jose.parse(token)
        except JoseError as error:
            raise AuthError(f"error parsing token: {error}") from None
        try:
            _require_algorithm(signed, self._algorithms)
            found = _claims(signed)
        except AuthError:
            found = None
        if found is None or not any(jose.is_signed_by(signed, key) for key in self._keys):
            raise AuthError("no known key successfully validated the token signature")
        return found


def _require_algorithm(token: Signed, allowed: Sequence[str]) -> None:
    if allowed and token.algorithm not in allowed:
        raise AuthError("failed to verify id token signature")


class KeySet:
    """Keys that somebody publishes under ``url``; asked for again when none of those known has signed a token."""

    def __init__(self, url: str, remote: Remote) -> None:
        self.url, self._remote = url, remote
        self._keys: list[Key] = []
        self._fresh_until_s = 0.0
        self._fetching: Shared[list[Key]] = Shared(self._fetch)

    async def fetch(self) -> list[Key]:
        """The keys of now. Raises AuthError."""
        return await self._fetching.get()

    async def _fetch(self) -> list[Key]:
        try:
            answer = await self._remote.ask(self.url, follow=True)
        except AuthError as error:
            text = str(error)
            failed = "can't create request" if text.startswith("parse ") else "get keys failed"
            raise AuthError(f"oidc: {failed}{':' if failed[0] == 'c' else ''} {text}") from None
        if answer.status != 200:
            raise AuthError(f"oidc: get keys failed: {answer.status_text} {answer.shown}")
        try:
            keys = jose.keys_of_set(_document(answer))
        except JoseError as error:
            raise AuthError(f"oidc: failed to decode keys: {error} {answer.shown}") from None
        self._keys = keys
        self._fresh_until_s = asyncio.get_running_loop().time() + min(max_age_s(answer), _KEPT_S_MAX)
        return keys

    async def require_signature(self, token: Signed) -> None:
        """Raise AuthError unless one of the keys has signed ``token``."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._fresh_until_s and jose.is_signed_by_any(token, self._keys):
            return
        try:
            keys = await self.fetch()
        except AuthError as error:
            raise AuthError(f"fetching keys {error}") from None
        if not jose.is_signed_by_any(token, keys):
            raise AuthError("failed to verify id token signature")


def _document(answer: RemoteAnswer) -> Any:
    content_type = answer.header.get("content-type", "")
    try:
        found = document(answer.body)
    except gojson.JSONError as error:
        raise JoseError(_unfit(content_type, str(error))) from None
    if not isinstance(found, dict):
        kind = {str: "string", bool: "bool", list: "array"}.get(type(found), "number")
        what = f"json: cannot unmarshal {kind} into Go value of type jose.JSONWebKeySet"
        raise JoseError(_unfit(content_type, what))
    return found


def _unfit(content_type: str, error: str) -> str:
    if content_type.partition(";")[0].strip() == "application/json":
        return f"got Content-Type = application/json, but could not unmarshal as JSON: {error}"
    return f"expected Content-Type = application/json, got {quoted(content_type)}: {error}"


class PublishedKeys(KeySource):
    """``JWKSURL``."""

    def __init__(self, url: str, remote: Remote, algorithms: Sequence[str]) -> None:
        self._keys = KeySet(url, remote)
        self._algorithms = algorithms

    async def check(self) -> None:
        """See `KeySource`."""
        try:
            await self._keys.fetch()
        except AuthError as error:
            raise AuthError(f"error checking JWKSURL: fetching keys {error}") from None

    async def payload(self, token: str, now_ns: int) -> dict[str, Any]:
        """See `KeySource`."""
        try:
            signed = jose.parse(token)
            _require_algorithm(signed, self._algorithms)
            await self._keys.require_signature(signed)
        except JoseError as error:
            raise AuthError(f"error verifying token: oidc: malformed jwt: {error}") from None
        except AuthError as error:
            raise AuthError(f"error verifying token: {error}") from None
        return _claims(signed)


class Metadata(NamedTuple):
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    keys: KeySet
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    # Whether the token endpoint takes a client's secret in the form only.
    wants_secret_in_form: bool = False
    fresh_until_s: float = 0.0


class Provider(KeySource):
    """``OIDCDiscoveryURL``: a provider whose metadata is at a well-known path below its issuer."""

    judges = True

    def __init__(self, issuer: str, remote: Remote, algorithms: Sequence[str]) -> None:
        self.issuer, self.remote = issuer, remote
        self._algorithms = list(algorithms) or ["RS256"]
        self._metadata: Metadata | None = None
        self._fetching: Shared[Metadata] = Shared(self._fetch)

    async def metadata(self) -> Metadata:
        """What the provider says of itself, asked for once in a while. Raises AuthError."""
        known = self._metadata
        if known is not None and asyncio.get_running_loop().time() < known.fresh_until_s:
            return known
        return await self._fetching.get()

    async def _fetch(self) -> Metadata:
        answer = await self.remote.ask(self.issuer.rstrip("/") + "/.well-known/openid-configuration", follow=True)
        if answer.status != 200:
            raise AuthError(f"{answer.status_text}: {answer.shown}")
        found = json_of(answer, "oidc: failed to decode provider discovery object")
        if not isinstance(found, dict):
            raise AuthError("oidc: failed to decode provider discovery object: no JSON object")
        if found.get("issuer") != self.issuer:
            raise AuthError(
                "oidc: issuer did not match the issuer returned by provider, "
                f"expected {quoted(self.issuer)} got {quoted(str(found.get('issuer', '')))}"
            )
        texts = {
            name: value if isinstance(value := found.get(name), str) else ""
            for name in ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        }
        if not texts["jwks_uri"]:
            raise AuthError("oidc: the provider names no jwks_uri")
        known = self._metadata
        keys = known.keys if known is not None and known.keys.url == texts["jwks_uri"] else None
        ways = found.get("token_endpoint_auth_methods_supported")
        self._metadata = Metadata(
            keys or KeySet(texts["jwks_uri"], self.remote), texts["authorization_endpoint"], texts["token_endpoint"],
            texts["userinfo_endpoint"], isinstance(ways, list) and bool(ways) and "client_secret_basic" not in ways,
            asyncio.get_running_loop().time() + _KEPT_S_MAX,
        )  # fmt: skip
        return self._metadata

    async def check(self) -> None:
        """See `KeySource`."""
        try:
            await self.metadata()
        except AuthError as error:
            raise AuthError(f"error checking OIDCDiscoveryURL: {error}") from None

    async def payload(self, token: str, now_ns: int) -> dict[str, Any]:
        """See `KeySource`."""
        try:
            metadata = await self.metadata()
            return await self._verified(token, metadata, now_ns)
        except JoseError as error:
            raise AuthError(f"error validating signature: oidc: malformed jwt: {error}") from None
        except AuthError as error:
            raise AuthError(f"error validating signature: {error}") from None

    async def _verified(self, token: str, metadata: Metadata, now_ns: int) -> dict[str, Any]:
        signed = jose.parse(token)
        found = _claims(signed)
        if found.get("iss", "") != self.issuer:
            raise AuthError(
                "oidc: id token issued by a different provider, "
                f"expected {quoted(self.issuer)} got {quoted(str(found.get('iss', '')))}"
            )
        expires = claims.numeric_date(found, "exp")
        if expires * SECOND_NS < now_ns:
            raise AuthError(f"oidc: token is expired (Token Expiry: {_go_time(expires)})")
        begins = claims.numeric_date(found, "nbf")
        if now_ns + _NOT_BEFORE_LEEWAY_S * SECOND_NS < begins * SECOND_NS:
            raise AuthError(
                f"oidc: current time {_go_time(now_ns // SECOND_NS)} before the nbf (not before) time: "
                f"{_go_time(begins)}"
            )
        if signed.algorithm not in self._algorithms:
            shown = " ".join(map(quoted, self._algorithms))
            raise AuthError(
                f"oidc: id token signed with unsupported algorithm, expected [{shown}] got {quoted(signed.algorithm)}"
            )
        try:
            await metadata.keys.require_signature(signed)
        except AuthError as error:
            raise AuthError(f"failed to verify signature: {error}") from None
        return found


def _go_time(seconds: int) -> str:
    """As Go prints a time."""
    if not seconds:
        return "0001-01-01 00:00:00 +0000 UTC"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def check_algorithms(names: Sequence[str]) -> None:
    """Raise AuthError for one that does not count."""
    for name in names:
        if name not in jose.ALGORITHMS:
            raise AuthError(f"Invalid supported algorithm: {name}")


def provider(values: Mapping[str, Any]) -> Provider:
    """The provider that is configured. Raises AuthError."""
    ca_error = "error checking OIDCDiscoveryCACert: could not parse CA PEM value successfully"
    remote = Remote(values["OIDCDiscoveryCACert"], ca_error)
    return Provider(values["OIDCDiscoveryURL"], remote, values["JWTSupportedAlgs"])


def _source(values: Mapping[str, Any]) -> KeySource:
    kinds = ("JWTValidationPubKeys", "JWKSURL", "OIDCDiscoveryURL")
    if sum(bool(values[kind]) for kind in kinds) != 1:
        raise AuthError(
            "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\""
        )
    for certificate, url in (("OIDCDiscoveryCACert", "OIDCDiscoveryURL"), ("JWKSCACert", "JWKSURL")):
        if values[certificate] and not values[url]:
            raise AuthError(f"'{certificate}' should not be set unless '{url}' is set")
    check_algorithms(values["JWTSupportedAlgs"])
    if values["JWTValidationPubKeys"]:
        return StaticKeys(values["JWTValidationPubKeys"], values["JWTSupportedAlgs"])
    if values["OIDCDiscoveryURL"]:
        return provider(values)
    remote = Remote(values["JWKSCACert"], "error checking JWKSCACert: could not parse CA PEM value successfully")
    return PublishedKeys(values["JWKSURL"], remote, values["JWTSupportedAlgs"])


class JwtMethod:
    """Implements `common.Validator`."""

    row_type: type[msgspec.Struct] = Claims

    def __init__(self, source: KeySource, expected: Expected, mappings: Mappings, clock: Clock) -> None:
        self._source, self._expected, self._mappings, self._clock = source, expected, mappings, clock
        self.blank: Mapping[str, str] = claims.blank(mappings)

    async def check(self) -> None:
        """See `common.Validator`."""
        await self._source.check()

    async def login(self, bearer: str) -> Verified:
        """See `common.Validator`."""
        if not bearer:
            raise AuthError("missing jwt")
        found = await self._source.payload(bearer, self._clock())
        if self._source.judges:
            claims.check_audience(found, self._expected.audiences, strict=False)
        else:
            claims.validate(found, self._expected, self._clock())
        return claims.identity_of(found, self._mappings)


def make(config: Mapping[str, Any], clock: Clock) -> JwtMethod:
    """See `common.Make`."""
    values = settings.decode(config, FIELDS)
    source = _source(values)
    mappings = claims.check_mappings(values["ClaimMappings"], values["ListClaimMappings"])
    expected = Expected(
        values["BoundIssuer"], values["BoundAudiences"], values["ExpirationLeeway"], values["NotBeforeLeeway"],
        values["ClockSkewLeeway"],
    )  # fmt: skip
    return JwtMethod(source, expected, mappings, clock)
