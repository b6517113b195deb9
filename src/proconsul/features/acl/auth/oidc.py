"""Type ``oidc``: a person's browser brings a code from a provider, which is exchanged for a signed token there.

Source: Consul docs (auth-methods/oidc), OpenID Connect Core 1.0, RFC 7636 (PKCE), RFC 7523 (a signed assertion instead
of a secret). Who begins gets an address for the browser; what comes back to the redirect address finishes it, once,
for whoever began. What is under way is the leader's memory: after a change of leader people begin again.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from proconsul.engine.wire import gojson
from proconsul.features.acl.auth import claims, settings
from proconsul.features.acl.auth.claims import Claims, Mappings
from proconsul.features.acl.auth.common import AuthError, Clock, Verified, document
from proconsul.features.acl.auth.jwt import SECOND_NS, Metadata, Provider, check_algorithms, provider
from proconsul.features.acl.auth.remote import RemoteAnswer, json_of
from proconsul.features.acl.auth.settings import FLAG, MAP, OBJECT, TEXT, TEXTS
from proconsul.features.acl.secrets import same_secret
from proconsul.features.errors import PermissionDenied

log = logging.getLogger("agent.server.acl")

FIELDS = {
    "OIDCDiscoveryURL": TEXT, "OIDCDiscoveryCACert": TEXT, "OIDCClientID": TEXT, "OIDCClientSecret": TEXT,
    "OIDCClientUsePKCE": FLAG, "OIDCClientAssertion": OBJECT, "OIDCScopes": TEXTS, "OIDCACRValues": TEXTS,
    "AllowedRedirectURIs": TEXTS, "BoundAudiences": TEXTS, "JWTSupportedAlgs": TEXTS, "ClaimMappings": MAP,
    "ListClaimMappings": MAP, "VerboseOIDCLogging": FLAG,
}  # fmt: skip
_ASSERTION = {"Audience": TEXTS, "PrivateKey": OBJECT, "KeyAlgorithm": TEXT}
# A person needs minutes to log in at the provider; what was begun and not finished is forgotten.
UNDER_WAY_NS = 600 * SECOND_NS
UNDER_WAY_MAX = 4096
_ASSERTION_S = 300
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Begun(NamedTuple):
    """A login that is under way. ``client_nonce``: only whoever knows it may finish."""

    redirect_uri: str
    client_nonce: str
    nonce: str
    verifier: str
    meta: dict[str, str] | None
    until_ns: int


class UnderWay:
    """What was begun, by its state, each to be taken once."""

    def __init__(self) -> None:
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    def add(self, begun: Begun, now_ns: int) -> str:
        """Its state, which nobody can guess."""
        while self._begun and (
            len(self._begun) >= UNDER_WAY_MAX or next(iter(self._begun.values())).until_ns <= now_ns
        ):
            self._begun.popitem(last=False)
        state = secrets.token_urlsafe(24)
        self._begun[state] = begun
        return state

    def take(self, state: str, client_nonce: str, now_ns: int) -> Begun:
        """What was begun under ``state``, by whoever knows its nonce. Raises PermissionDenied."""
        begun = self._begun.pop(state, None)
        if begun is None or begun.until_ns <= now_ns:
            raise PermissionDenied("Permission denied: expired or missing OAuth state")
        if not same_secret(begun.client_nonce, client_nonce):
            raise PermissionDenied("Permission denied: client nonce does not match")
        return begun


class Assertion(NamedTuple):
    """How we prove who we are by signing. ``audience``: of our statement, [] for the token endpoint."""

    key: Any
    algorithm: str
    audience: list[str]


class OidcMethod:
    """Implements `common.Validator` as far as nobody needs a browser for it."""

    row_type: type[msgspec.Struct] = Claims

    def __init__(
        self, source: Provider, values: Mapping[str, Any], mappings: Mappings, assertion: Assertion | None, clock: Clock
    ) -> None:  # fmt: skip
        self._provider, self._values, self._mappings, self._clock = source, values, mappings, clock
        self._assertion = assertion
        self._under_way = UnderWay()
        self.blank: Mapping[str, str] = claims.blank(mappings)

    async def check(self) -> None:
        """See `common.Validator`."""
        await self._provider.check()

    async def login(self, bearer: str) -> Verified:
        """See `common.Validator`: there is no secret that could be shown."""
        raise AuthError("an auth method of type 'oidc' needs a browser: begin with /v1/acl/oidc/auth-url")

    # ------------------------------------------------------------------ to the provider

    async def begin(self, redirect_uri: str, client_nonce: str, meta: dict[str, str] | None) -> str:
        """The address for the browser. Raises PermissionDenied for redirect addresses that are not ours, AuthError."""
        if not any(_is_allowed(redirect_uri, allowed) for allowed in self._values["AllowedRedirectURIs"]):
            raise PermissionDenied(f"Permission denied: unauthorized redirect_uri: {redirect_uri}")
        endpoint = (await self._provider.metadata()).authorization_endpoint
        if not endpoint:
            raise AuthError("oidc: the provider names no authorization_endpoint")
        now_ns, verifier = self._clock(), secrets.token_urlsafe(48) if self._values["OIDCClientUsePKCE"] else ""
        begun = Begun(
            redirect_uri, client_nonce, secrets.token_urlsafe(24), verifier, meta, now_ns + UNDER_WAY_NS
        )  # fmt: skip
        query = {
            "response_type": "code", "client_id": self._values["OIDCClientID"], "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(["openid", *self._values["OIDCScopes"]])),
            "state": self._under_way.add(begun, now_ns), "nonce": begun.nonce,
        }  # fmt: skip
        if begun.verifier:
            query |= {"code_challenge": _challenge(begun.verifier), "code_challenge_method": "S256"}
        if self._values["OIDCACRValues"]:
            query["acr_values"] = " ".join(self._values["OIDCACRValues"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    # ------------------------------------------------------------------ and back

    async def finish(self, state: str, code: str, client_nonce: str) -> tuple[Verified, dict[str, str] | None]:
        """Who has come back with ``code``, and what was said of them when they began.

        Raises PermissionDenied for whoever did not begin, AuthError.
        """
        if not code:
            raise AuthError("no code was given by the provider")
        begun = self._under_way.take(state, client_nonce, self._clock())
        metadata = await self._provider.metadata()
        reply = await self._exchange(metadata, begun, code)
        token = reply.get("id_token")
        if not isinstance(token, str) or not token:
            raise AuthError("error exchanging oidc code: no id_token in the provider's answer")
        found = await self._provider.payload(token, self._clock())
        nonce = found.get("nonce")
        if not isinstance(nonce, str) or not same_secret(nonce, begun.nonce):
            raise AuthError("error validating claims: nonce does not match that of the request")
        self._check_audience(found)
        found = await self._with_userinfo(metadata, reply, found)
        if self._values["VerboseOIDCLogging"]:
            log.debug("OIDC claims of the token: claims=%s", sorted(found))
        return claims.identity_of(found, self._mappings), begun.meta

    def _check_audience(self, found: Mapping[str, Any]) -> None:
        audiences, client = claims.audiences(found), self._values["OIDCClientID"]
        bound = self._values["BoundAudiences"]
        if client not in audiences and not set(audiences) & set(bound):
            raise AuthError("error validating claims: aud claim does not match any bound audience")
        if len(audiences) > 1 and found.get("azp", client) not in (client, *bound):
            raise AuthError("error validating claims: the token was issued to somebody else (azp)")

    async def _exchange(self, metadata: Metadata, begun: Begun, code: str) -> dict[str, Any]:
        if not metadata.token_endpoint:
            raise AuthError("oidc: the provider names no token_endpoint")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": begun.redirect_uri}
        if begun.verifier:
            form["code_verifier"] = begun.verifier
        header = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        client, secret = self._values["OIDCClientID"], self._values["OIDCClientSecret"]
        if self._assertion is not None:
            statement = self._statement(self._assertion, metadata.token_endpoint)
            form |= {"client_id": client, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": statement}
        elif metadata.wants_secret_in_form:
            form |= {"client_id": client, "client_secret": secret}
        else:
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}".encode()
            header["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        try:
            answer = await self._provider.remote.ask(
                metadata.token_endpoint, method="POST", header=header, body=urlencode(form).encode()
            )
            return _object(answer)
        except AuthError as error:
            raise AuthError(f"error exchanging oidc code: {error}") from None

    def _statement(self, assertion: Assertion, endpoint: str) -> str:
        """Who we are, signed (RFC 7523)."""
        import jwt

        client, now_s = self._values["OIDCClientID"], self._clock() // SECOND_NS
        return jwt.encode(
            {"iss": client, "sub": client, "aud": assertion.audience or [endpoint], "iat": now_s, "nbf": now_s,
             "exp": now_s + _ASSERTION_S, "jti": secrets.token_urlsafe(16)},
            assertion.key, assertion.algorithm,
        )  # fmt: skip

    async def _with_userinfo(
        self, metadata: Metadata, reply: Mapping[str, Any], found: dict[str, Any]
    ) -> dict[str, Any]:  # fmt: skip
        """The claims with what the provider says of the person beyond the token. Not every provider does."""
        access = reply.get("access_token")
        if not metadata.userinfo_endpoint or not isinstance(access, str) or not access:
            return found
        try:
            header = {"Authorization": f"Bearer {access}", "Accept": "application/json"}
            more = _object(await self._provider.remote.ask(metadata.userinfo_endpoint, header=header))
        except AuthError as error:
            log.warning("error reading the user info: error=%s", error)
            return found
        if more.get("sub") != found.get("sub"):
            return found  # of somebody else (OpenID Connect Core 5.3.2)
        return more | found


def _object(answer: RemoteAnswer) -> dict[str, Any]:
    if answer.status != 200:
        raise AuthError(f"the provider answered {answer.status_text}: {_told(answer)}")
    found = json_of(answer, "the provider's answer is no JSON")
    if not isinstance(found, dict):
        raise AuthError("the provider's answer is no JSON object")
    return found


def _told(answer: RemoteAnswer) -> str:
    """The error that a provider names (RFC 6749, 5.2), and nothing else: it may repeat secrets."""
    try:
        found = document(answer.body)
    except gojson.JSONError:
        return "no reason given"
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, str) else "no reason given"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _is_allowed(given: str, allowed: str) -> bool:
    """The same address; of one on the person's own machine the port may be any (RFC 8252, 7.3)."""
    if given == allowed:
        return True
    try:
        one, other = urlsplit(given), urlsplit(allowed)
        if one.hostname not in _LOOPBACK or one.scheme != "http" or one.username is not None:
            return False
        _ = one.port  # raises for one that is no number
        return (one.scheme, one.hostname, one.path, one.query, one.fragment) == (
            other.scheme, other.hostname, other.path, other.query, other.fragment
        )  # fmt: skip
    except ValueError:
        return False


def _assertion(given: Mapping[str, Any]) -> Assertion:
    """How to sign. Raises AuthError when the key is of no use."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    values = settings.decode(given, _ASSERTION)
    pem = settings.decode(values["PrivateKey"], {"PemKey": TEXT})["PemKey"]
    algorithm = values["KeyAlgorithm"] or "RS256"
    check_algorithms([algorithm])
    try:
        key = load_pem_private_key(pem.encode("utf-8", "surrogateescape"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise AuthError("OIDCClientAssertion.PrivateKey.PemKey is no private key") from None
    import jwt

    try:
        jwt.encode({}, key, algorithm)  # type: ignore[arg-type]
    except (jwt.PyJWTError, TypeError, ValueError):
        raise AuthError(f"OIDCClientAssertion: the key cannot sign with {algorithm}") from None
    return Assertion(key, algorithm, values["Audience"])


def make(config: Mapping[str, Any], clock: Clock) -> OidcMethod:
    """See `common.Make`."""
    values = settings.decode({"OIDCClientUsePKCE": True} | dict(config), FIELDS)
    for name in ("OIDCDiscoveryURL", "OIDCClientID"):
        if not values[name]:
            raise AuthError(f"'{name}' must be set for type \"oidc\"")
    if bool(values["OIDCClientSecret"]) == bool(values["OIDCClientAssertion"]):
        raise AuthError("exactly one of 'OIDCClientSecret' or 'OIDCClientAssertion' must be set for type \"oidc\"")
    if not values["AllowedRedirectURIs"]:
        raise AuthError("'AllowedRedirectURIs' must be set for type \"oidc\"")
    check_algorithms(values["JWTSupportedAlgs"])
    mappings = claims.check_mappings(values["ClaimMappings"], values["ListClaimMappings"])
    assertion = _assertion(values["OIDCClientAssertion"]) if values["OIDCClientAssertion"] else None
    return OidcMethod(provider(values), values, mappings, assertion, clock)
