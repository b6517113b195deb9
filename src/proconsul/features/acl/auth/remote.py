"""What auth methods ask others: one bounded HTTPS request at a time, with an answer or an error within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from proconsul.engine.http.fetch import HttpClientError, HttpRequest, fetch
from proconsul.engine.wire import gojson
from proconsul.engine.wire.text import quoted
from proconsul.features.acl.auth.common import REMOTE_BYTES_MAX, REMOTE_TIMEOUT_S, AuthError, document

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
# As much of an unexpected answer is shown.
_SHOWN_CHARS_MAX = 512


class RemoteAnswer(NamedTuple):
    """What came back. ``status_text``: like ``404 Not Found``."""

    status: int
    status_text: str
    header: Mapping[str, str]
    body: bytes

    @property
    def shown(self) -> str:
        """The beginning of the body, for error texts."""
        return self.body.decode("utf-8", "replace")[:_SHOWN_CHARS_MAX].strip()


class _TooLarge(Exception):
    """More has come than anybody sends."""


class Remote:
    """One remote side. ``ca_pem``: whom to trust instead of the system's authorities, "" for those.

    Raises AuthError when ``ca_pem`` has no certificate.
    """

    def __init__(self, ca_pem: str = "", ca_error: str = "could not parse CA PEM value successfully") -> None:
        self._context = _context(ca_pem, ca_error) if ca_pem else None

    async def ask(
        self, url: str, *, method: str = "GET", header: Mapping[str, str] | None = None, body: bytes = b"",
        follow: bool = False,
    ) -> RemoteAnswer:  # fmt: skip
        """The answer to one request. ``follow``: go where it redirects to, which nothing secret may be sent along.

        Raises AuthError when there is none within `REMOTE_TIMEOUT_S`, or it is longer than `REMOTE_BYTES_MAX`.
        """
        context = self._context
        request = HttpRequest(
            url, method, {name: [value] for name, value in (header or {}).items()}, body, follow_redirects=follow,
            context=None if context is None else lambda: context,
        )  # fmt: skip
        received = bytearray()

        def take(piece: bytes) -> None:
            received.extend(piece)
            if len(received) > REMOTE_BYTES_MAX:
                raise _TooLarge

        try:
            response = await fetch(request, take, REMOTE_TIMEOUT_S)
        except HttpClientError as error:
            raise AuthError(str(error)) from None
        except _TooLarge:
            text = f"{method.capitalize()} {quoted(url)}: the answer is larger than {REMOTE_BYTES_MAX} bytes"
            raise AuthError(text) from None
        return RemoteAnswer(response.status, response.status_text, response.headers, bytes(received))


def _context(ca_pem: str, error: str) -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError):
        raise AuthError(error) from None
    if not context.cert_store_stats()["x509"]:
        raise AuthError(error)
    return context


def json_of(answer: RemoteAnswer, what: str) -> Any:
    """The body as JSON. Raises AuthError, which says ``what`` it should have been."""
    try:
        return document(answer.body)
    except gojson.JSONError as error:
        raise AuthError(f"{what}: {error} {quoted(answer.shown)}") from None


def max_age_s(answer: RemoteAnswer) -> float:
    """How long the answer may be kept (RFC 9111), 0 when it does not say."""
    age_s = 0.0
    for directive in answer.header.get("cache-control", "").lower().split(","):
        name, _, value = directive.strip().partition("=")
        if name in ("no-store", "no-cache"):
            return 0.0
        if name == "max-age" and value.isascii() and value.isdigit():
            age_s = float(value[:9])
    return age_s


class Shared(Generic[T]):
    """What several may ask for at once, while it is fetched once; who stops waiting takes it from nobody."""

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make
        self._running: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What the fetch that is under way, or begins now, brings. Raises what it raises."""
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
            # Nobody may be left to hear of it.
            self._running.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._running)

    async def _run(self) -> T:
        return await self._make()
