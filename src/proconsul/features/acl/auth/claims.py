"""What a signed token says of whoever shows it: whether it is for us and for now, and what is made of it; pure.

Source: Consul docs (auth-methods/jwt), and the answers of 1.8.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth.common import AuthError, Verified

SECOND_NS = 1_000_000_000
# What stands for a leeway that is not configured (Consul docs: ExpirationLeeway, NotBeforeLeeway, ClockSkewLeeway).
_MISSING_TIME_LEEWAY_NS = 150 * SECOND_NS
_CLOCK_SKEW_NS = 60 * SECOND_NS
_INVALID = "error validating claims: square/go-jose/jwt: validation failed, "


class Expected(NamedTuple):
    """What a token has to say. Leeways in nanoseconds: 0 for the default, below for none."""

    issuer: str = ""
    audiences: Sequence[str] = ()
    expiration_leeway_ns: int = 0
    not_before_leeway_ns: int = 0
    clock_skew_ns: int = 0


class Mappings(NamedTuple):
    """From claims, by name or by a JSON pointer that begins with a slash, to the names that rules use."""

    values: Mapping[str, str]
    lists: Mapping[str, str]


# The record below has a field that is called like its type.
Texts = list[str]


class Claims(msgspec.Struct, frozen=True):
    """What selectors look at."""

    value: dict[str, str]
    list: dict[str, Texts]


def numeric_date(claims: Mapping[str, Any], name: str) -> int:
    """A time in whole seconds, 0 when it is not there. Raises ValueError when it is no number."""
    found = claims.get(name)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found):
        raise ValueError(name)
    return int(found)


def audiences(claims: Mapping[str, Any]) -> Texts:
    """Whom the token is for. Raises ValueError when that is neither a text nor a list of texts."""
    found = claims.get("aud")
    if found is None:
        return []
    items = [found] if isinstance(found, str) else found
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("aud")
    return items


def require_shape(claims: Mapping[str, Any]) -> None:
    """Raise ValueError when a claim that everybody knows has another type than it should."""
    for name in ("exp", "nbf", "iat"):
        numeric_date(claims, name)
    audiences(claims)
    if not all(isinstance(claims.get(name, ""), str) for name in ("iss", "sub", "jti")):
        raise ValueError("iss, sub or jti")


def _leeway(configured_ns: int, default_ns: int) -> int:
    return default_ns if configured_ns == 0 else max(configured_ns, 0)


def validate(claims: Mapping[str, Any], expected: Expected, now_ns: int) -> None:
    """Refuse a token that is not for us or not for now. Raises AuthError."""
    issued, expires, begins = (numeric_date(claims, name) for name in ("iat", "exp", "nbf"))
    if not (issued or expires or begins):
        raise AuthError("no issue time, notbefore, or expiration time encoded in token")
    if not expires:
        expires = max(issued, begins) + _leeway(expected.expiration_leeway_ns, _MISSING_TIME_LEEWAY_NS) // SECOND_NS
    if not begins:
        leeway_ns = _leeway(expected.not_before_leeway_ns, _MISSING_TIME_LEEWAY_NS)
        begins = issued or expires - leeway_ns // SECOND_NS
    if expected.issuer and claims.get("iss") != expected.issuer:
        raise AuthError(_INVALID + "invalid issuer claim (iss)")
    skew_ns = _leeway(expected.clock_skew_ns, _CLOCK_SKEW_NS)
    if now_ns + skew_ns < begins * SECOND_NS:
        raise AuthError(_INVALID + "token not valid yet (nbf)")
    if now_ns - skew_ns > expires * SECOND_NS:
        raise AuthError(_INVALID + "token is expired (exp)")
    if now_ns + skew_ns < issued * SECOND_NS:
        raise AuthError(
            "error validating claims: square/go-jose/jwt: validation field, token issued in the future (iat)"
        )
    check_audience(claims, expected.audiences, strict=True)


def check_audience(claims: Mapping[str, Any], bound: Sequence[str], *, strict: bool) -> None:
    """Refuse a token for somebody else. ``strict``: it may be for somebody only when we are bound to somebody.

    Raises AuthError.
    """
    found = audiences(claims)
    if found and not bound and strict:
        raise AuthError("error validating claims: audience claim found in JWT but no audiences are bound")
    if bound and not set(found) & set(bound):
        raise AuthError("error validating claims: aud claim does not match any bound audience")


def check_mappings(values: Mapping[str, str], lists: Mapping[str, str]) -> Mappings:
    """Refuse two claims under one name. Raises AuthError."""
    for what, mappings in (("ClaimMappings", values), ("ListClaimMappings", lists)):
        seen: set[str] = set()
        for name in mappings.values():
            if name in seen:
                raise AuthError(f"{what} contains multiple mappings for key {quoted(name)}")
            seen.add(name)
    return Mappings(values, lists)


def blank(mappings: Mappings) -> dict[str, str]:
    """The variables of names, without values."""
    return {f"value.{name}": "" for name in mappings.values.values()}


def identity_of(claims: Mapping[str, Any], mappings: Mappings) -> Verified:
    """What rules may look at of the claims. Raises AuthError for those that have no form as text."""
    values: dict[str, str] = {}
    lists: dict[str, Texts] = {}
    for claim, name in mappings.values.items():
        found = _claim(claims, claim)
        if found is not None:
            text = _text(found)
            if text is None:
                raise AuthError(f"error converting claim '{claim}' to string from unknown type {_go_type(found)}")
            values[name] = text
    for claim, name in mappings.lists.items():
        found = _claim(claims, claim)
        if found is not None:
            lists[name] = _texts(claim, found)
    return Verified(Claims(values, lists), blank(mappings) | {f"value.{name}": text for name, text in values.items()})


def _texts(claim: str, found: Any) -> Texts:
    if isinstance(found, dict):
        raise AuthError(f'"{claim}" list claim could not be converted to string list')
    texts = []
    for item in found if isinstance(found, list) else [found]:
        text = _text(item)
        if text is None:
            raise AuthError(f'value {_shown(item)} in "{claim}" list claim could not be parsed as string')
        texts.append(text)
    return texts


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of a name, or where a JSON pointer leads (RFC 6901). None when there is none."""
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for part in name[1:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _text(value: Any) -> str | None:
    """A claim as text, None when it has no such form. Numbers lose their fraction, as in the original."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if isfinite(value) else None
    return value if isinstance(value, str) else None


def _go_type(value: Any) -> str:
    return "[]interface {}" if isinstance(value, list) else "map[string]interface {}"


def _shown(value: Any) -> str:
    """As Go prints a value."""
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    return _text(value) or ""
