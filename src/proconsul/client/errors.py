"""What can go wrong with a call, as types; and which of them an answer that is no success is. Pure.

The texts are the server's. Consul has few statuses and says the rest in words, so both are looked at (HTTP API: errors;
texts of Consul 1.8.7 and, for the parts of a denial, of 1.12 and later).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = [
    "AccessControlDisabled", "BadAnswer", "BadRequest", "CallTimeout", "ConflictError", "ConsulError", "LockLost",
    "NotFound", "PermissionDenied", "RateLimited", "Redirected", "ResponseError", "ServerError", "TokenNotFound",
    "TooLarge", "TransactionFailed", "Unavailable", "error_of",
]  # fmt: skip

# Of a body that is no message, as a proxy's page: enough to know what it is.
_TEXT_CHARS_MAX: Final = 300
_RETRY_AFTER_S_MAX: Final = 3600.0


class ConsulError(Exception):
    """Base of all errors of the client. ``text``: what is wrong, without what was asked."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unavailable(ConsulError):
    """Nobody answered, or nobody who could: no connection, one that broke off, no leader.

    ``sent``: the request may have been carried out all the same.
    """

    def __init__(self, text: str, *, sent: bool = False, status: int = 0) -> None:
        super().__init__(text)
        self.sent = sent
        # Of the answer, 0 without one.
        self.status = status


class CallTimeout(ConsulError, TimeoutError):
    """The call's time was over before its answer was there. ``sent``: it may have been carried out all the same."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text)
        self.sent = sent


class BadAnswer(ConsulError):
    """An answer that is none: what came is not of the form that the endpoint has. It was carried out, perhaps."""


class Redirected(ConsulError):
    """The answer sends us elsewhere; nothing is followed there, as tokens must not be.

    ``location``: where to.
    """

    def __init__(self, text: str, location: str) -> None:
        super().__init__(text)
        self.location = location


class ResponseError(ConsulError):
    """The server refused, or failed. ``status``: of the answer."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status

    def __str__(self) -> str:
        return f"{self.text} (status {self.status})"


class BadRequest(ResponseError):
    """The request is not understood."""


class AccessControlDisabled(ResponseError):
    """The agent has no access control, and was asked about it."""


class PermissionDenied(ResponseError):
    """The token may not. What servers of 1.12 and later say of it, else empty:

    ``accessor``: whose token it is, ``resource``, ``access`` and ``name``: what it lacks (``key``, ``write``,
    ``app/a``), ``rule``: a rule that would allow it (proconsul's alone).
    """

    accessor: str
    resource: str
    access: str
    name: str
    rule: str

    def __init__(self, text: str, status: int = 403) -> None:
        super().__init__(text, status)
        who = _ACCESSOR.search(text)
        lacks = _LACKS.search(text)
        rule = _NEEDS.search(text)
        self.accessor = who[1] if who else ""
        self.resource = lacks[1] if lacks else ""
        self.access = lacks[2] if lacks else ""
        self.name = _unquoted(lacks[3]) if lacks and lacks[3] else ""
        self.rule = rule[1] if rule else ""


class TokenNotFound(PermissionDenied):
    """There is no such token, or it has expired."""


class NotFound(ResponseError):
    """What the call is about is not there."""


class ConflictError(ResponseError):
    """Something else is there, or has changed meanwhile."""


class TransactionFailed(ConflictError):
    """Nothing of a transaction was done. ``failures``: position and text of the operations that stood against it."""

    def __init__(self, failures: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"operation {position}: {what}" for position, what in failures), 409)
        self.failures = failures


class TooLarge(ResponseError):
    """The body is larger than the server takes."""


class RateLimited(ResponseError):
    """Too many calls or connections; nothing was done. ``retry_after_s``: when to come again, None if not said."""

    def __init__(self, text: str, status: int = 429, retry_after_s: float | None = None) -> None:
        super().__init__(text, status)
        self.retry_after_s = retry_after_s


class ServerError(ResponseError):
    """The server failed. Consul answers much with 500 that is the caller's fault; its text says so."""


class LockLost(ConsulError):
    """What was held may be another's by now."""


_ACCESSOR: Final = re.compile(r"AccessorID '([^']*)'")
_LACKS: Final = re.compile(r"lacks permission '([a-z-]+):([a-z-]+)'(?: on (\"(?:[^\"\\]|\\.)*\"))?")
_NEEDS: Final = re.compile(r"to be allowed it needs: (.+)\Z", re.DOTALL)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>?")
# Servers say these with 500, and of calls that came to nothing.
_NOBODY: Final = (
    "No cluster leader", "No known Consul servers", "No path to datacenter", "leadership lost",
    "node is not the leader", "rpc error getting client",
    "rpc error making call: EOF", "not ready to serve consistent reads",
)  # fmt: skip
_NO_TOKEN: Final = "ACL not found"
# And these of calls that make no sense.
_SENSELESS: Final = ("Failed to create boolean expression evaluator", "Failed to parse body", "Request decode failed")
_ABSENT: Final = (
    "Unknown service", "Unknown check", "unknown service", "unknown check", "does not have associated TTL",
)  # fmt: skip


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def shown_text(body: bytes, content_type: str) -> str:
    """What to say of a body: its text, cut short; of a page its title, or what is written in it."""
    text = body[: 16 * _TEXT_CHARS_MAX].decode("utf-8", "replace").strip()
    if "html" in content_type.lower() or text[:1] == "<":
        title = _TITLE.search(text)
        text = " ".join((title[1] if title else _TAG.sub(" ", text)).split())
    return text if len(text) <= _TEXT_CHARS_MAX else text[:_TEXT_CHARS_MAX] + "..."


def _retry_after_s(text: str) -> float | None:
    return min(float(text), _RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() and len(text) < 10 else None


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ConsulError:
    """The error that an answer which is no success stands for; names of ``headers`` are in small letters."""
    page = "html" in headers.get("content-type", "").lower() or body[:1] == b"<"
    # A denial's last words are the rule, and names are long: it is kept whole.
    text = shown_text(body, headers.get("content-type", "")) or f"no reason given for status {status}"
    if 300 <= status < 400:
        location = headers.get("location", "")
        return Redirected(f"the answer leads to {location or 'nowhere'} (status {status})", location)
    if status == 429:
        return RateLimited(text, status, _retry_after_s(headers.get("retry-after", "")))
    if _NO_TOKEN in text and status in (403, 500):
        return TokenNotFound(text, status)
    if status == 403 or (status == 500 and "Permission denied" in text):
        whole = text if page or len(body) > 16 * _TEXT_CHARS_MAX else body.decode("utf-8", "replace").strip()
        return PermissionDenied(whole or text, status)
    if status == 500 and any(one in text for one in _ABSENT):
        return NotFound(text, status)
    if status == 500 and text.startswith(_SENSELESS):
        return BadRequest(text, status)
    if status in (502, 503, 504) or (status == 500 and any(one in text for one in _NOBODY)):
        return Unavailable(f"{text} (status {status})", sent=True, status=status)
    if status >= 500:
        return ServerError(text, status)
    return _REFUSALS.get(status, ResponseError)(text, status)


_REFUSALS: Final[Mapping[int, type[ResponseError]]] = {
    400: BadRequest, 401: AccessControlDisabled, 404: NotFound, 409: ConflictError, 413: TooLarge,
}  # fmt: skip
