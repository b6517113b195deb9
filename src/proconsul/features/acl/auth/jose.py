"""Signed tokens (RFC 7515, 7517, 7519): taken apart with the original's error texts, and their signatures checked.

Only signatures that a key pair makes count: neither ``none`` nor those that whoever checks could make, too. An
algorithm needs a key of its own kind, and of elliptic curves its own curve.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from proconsul.engine.wire import gojson
from proconsul.features.acl.auth.common import document

THREE_PARTS: Final = "square/go-jose: compact JWS format must have three parts"
_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
)  # fmt: skip
_SPACE = re.compile(r"\s+")
_BAD = re.compile(rb"[^A-Za-z0-9_\-]")


class JoseError(ValueError):
    """It is no signed token; the text is the original's."""


class Signed(NamedTuple):
    """A signed token, of which nothing was checked yet."""

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes

    @property
    def algorithm(self) -> str:
        found = self.header.get("alg")
        return found if isinstance(found, str) else ""

    @property
    def key_id(self) -> str:
        found = self.header.get("kid")
        return found if isinstance(found, str) else ""


class Key(NamedTuple):
    """A public key. ``key_id``: as the set of keys has it that it is from, else ""."""

    value: Any
    key_id: str = ""


def decode_part(text: str) -> bytes:
    """The bytes of base64url without padding. Raises JoseError, naming the byte that Go names."""
    data = text.encode("utf-8", "surrogateescape")
    bad = _BAD.search(data)
    if bad is not None or len(data) % 4 == 1:
        # Of a last group that is too short Go names the beginning.
        at = len(data) - 1 if bad is None else bad.start()
        raise JoseError(f"illegal base64 data at input byte {at}")
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def parse(text: str) -> Signed:
    """Take a token apart. Raises JoseError."""
    parts = _SPACE.sub("", text).split(".")
    if len(parts) != 3:
        raise JoseError(THREE_PARTS)
    try:
        head, payload, signature = map(decode_part, parts)
    except binascii.Error as error:
        raise JoseError(f"illegal base64 data: {error}") from None
    try:
        header = document(head)
    except gojson.JSONError as error:
        raise JoseError(str(error)) from None
    if not isinstance(header, dict):
        raise JoseError("square/go-jose: invalid header")
    return Signed(header, payload, signature, f"{parts[0]}.{parts[1]}".encode("utf-8", "surrogateescape"))


def payload_of(token: Signed) -> dict[str, Any] | None:
    """What the token says, None when it is no JSON object."""
    try:
        found = document(token.payload)
    except gojson.JSONError:
        return None
    return found if isinstance(found, dict) else None


def is_signed_by(token: Signed, key: Key) -> bool:
    """Whether the key that belongs to ``key`` has signed the token."""
    if token.algorithm not in ALGORITHMS or "crit" in token.header or not _fits(token.algorithm, key.value):
        return False
    import jwt

    algorithm = jwt.get_algorithm_by_name(token.algorithm)
    try:
        return bool(algorithm.verify(token.signed, key.value, token.signature))
    except (ValueError, TypeError, jwt.PyJWTError):
        return False


def is_signed_by_any(token: Signed, keys: Iterable[Key]) -> bool:
    """As `is_signed_by`, for the keys that the token may mean."""
    return any(is_signed_by(token, key) for key in keys if not token.key_id or token.key_id == key.key_id)


def _fits(algorithm: str, key: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm in _CURVES:
        return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == _CURVES[algorithm]
    if algorithm == "EdDSA":
        return isinstance(key, ed25519.Ed25519PublicKey)
    return isinstance(key, rsa.RSAPublicKey)


def key_of_pem(text: str) -> Key | None:
    """The first public key in ``text``: itself, or a certificate's. None when there is none of a usable kind."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = text.encode("utf-8", "surrogateescape")
    for load in (load_pem_public_key, lambda pem: x509.load_pem_x509_certificate(pem).public_key()):
        try:
            found = load(data)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
            return Key(found)
    return None


def keys_of_set(document: Any) -> list[Key]:
    """The usable keys of a JSON Web Key Set; others in it, like those to encrypt with, are passed over.

    Raises JoseError when it is no such set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise JoseError("no keys in the key set")
    import jwt

    keys = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP") or entry.get("use") == "enc":
            continue
        try:
            value = jwt.PyJWK(_public(entry)).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        key_id = entry.get("kid")
        keys.append(Key(value, key_id if isinstance(key_id, str) else ""))
    return keys


def _public(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry without anything private: a set that publishes such parts is still read as public keys."""
    return {name: value for name, value in entry.items() if name in ("kty", "crv", "x", "y", "n", "e", "kid", "alg")}
