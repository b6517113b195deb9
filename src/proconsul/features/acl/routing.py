"""What the routes of access control share: refusals while it is off, bodies, and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Answer, Router
from proconsul.engine.wire import gojson
from proconsul.engine.wire.record import replace
from proconsul.features.acl.endpoint import ACL, AUTHORIZE
from proconsul.features.acl.model import ACLToken
from proconsul.features.acl.requests import AuthorizeRequest, Question
from proconsul.features.acl.resolver import NOT_FOUND, SHOWN_MAX
from proconsul.features.errors import ACLDisabled, BadRequest, PermissionDenied
from proconsul.features.server import Read, WriteMethod
from proconsul.features.web import Reply, Web

_TEXT = "text/plain; charset=utf-8"
# What is answered about what is not there: 1.8.7 does it in two ways.
UNKNOWN = Reply(403, NOT_FOUND.encode(), "", {"Content-Type": _TEXT})
MISSING = Reply(404, b"", "", bare=True)
T = TypeVar("T")
Handler = Callable[[Request], Answer]
# Paths below /v1/acl/ with their handlers by verb.
RouteTable = list[tuple[str, dict[str, Handler]]]


class Routes:
    """Some handlers. ``call`` is the gate's."""

    def __init__(self, web: Web, acl: ACL, call: Callable[..., Awaitable[Any]], *, enabled: bool) -> None:
        self.web, self.acl, self.call, self._enabled = web, acl, call, enabled
        # By identity, which is theirs alone while they are in here.
        self._kept: dict[tuple[int, bool], tuple[ACLToken, bytes]] = {}

    def table(self) -> RouteTable:
        """The paths and their handlers."""
        return []

    def register(self, router: Router) -> None:
        """Put them on their paths."""
        for path, handlers in self.table():
            router.add("/v1/acl/" + path, {verb: self.guarded(handler) for verb, handler in handlers.items()})

    def guarded(self, handler: Handler) -> Handler:
        """``handler``, which is not asked while access control is off."""

        def guarded(request: Request) -> Answer:
            if not self._enabled:
                raise ACLDisabled()
            return handler(request)

        return guarded

    # ------------------------------------------------------------------ requests

    @staticmethod
    def decoded(cls: type[T], request: Request, what: str) -> T:
        """The body as a ``cls``. Raises BadRequest, which says ``what`` it should have been."""
        try:
            return gojson.decode(cls, request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Bad request: {what} decoding failed: {error}") from None

    @staticmethod
    def body(cls: Any, request: Request) -> Any:
        """As `decoded`, with the text of requests that are no rows. Raises BadRequest."""
        try:
            return gojson.decode(cls, request.body)
        except gojson.JSONError as error:
            raise BadRequest(f"Bad request: Failed to decode request body: {error}") from None

    @staticmethod
    def id_of(request: Request, what: str) -> str:
        """What the path ends with. Raises BadRequest when it ends before."""
        if not request.params:
            raise BadRequest(f"Bad request: Missing {what}")
        return request.params

    async def require_reader(self, request: Request) -> None:
        """For what is answered without a server: whoever asks has to be one that may read access control.

        A client agent asks a server about that. Raises PermissionDenied, ACLNotFound, ConsulError.
        """
        args = AuthorizeRequest(
            Datacenter=self.web.datacenter_of(request),
            Token=self.web.token(request),
            Requests=[Question("acl", "", "read")],
        )
        (answer,) = await self.call(AUTHORIZE, args)
        if not answer.Allow:
            raise PermissionDenied()

    # ------------------------------------------------------------------ answers

    def _json(self, value: Any, *, pretty: bool) -> bytes:
        """``value`` as JSON. That of a token is kept for as long as the same is shown of it (`Resolver.shown`)."""
        if not isinstance(value, ACLToken):
            return gojson.dumps(value, pretty=pretty)
        kept = self._kept.get((id(value), pretty))
        if kept is None:
            if len(self._kept) >= SHOWN_MAX:
                self._kept.clear()
            kept = self._kept[id(value), pretty] = value, gojson.dumps(value, pretty=pretty)
        return kept[1]

    def read(self, request: Request, read: Read, missing: Reply) -> Answer:
        pretty = self.web.pretty(request)

        def encode(value: Any) -> Reply:
            return missing if value is None else Reply(200, self._json(value, pretty=pretty))

        return self.web.read(request, read, encode, headers_on_error=True)

    def write(
        self, request: Request, method: WriteMethod, args: Any, show: Callable[[Any], Any] = lambda value: value,
        *, token: str | None = None,
    ) -> Answer:  # fmt: skip
        """``token``: instead of the one that the request carries."""
        given = self.web.token(request) if token is None else token
        args = replace(args, Datacenter=self.web.datacenter_of(request), Token=given)
        return self.web.write(method, args, lambda result: self.web.json(request, show(result)))

    def done(self, request: Request, method: WriteMethod, args: Any) -> Answer:
        """Write, and answer nothing but that it is done."""
        return self.write(request, method, args, lambda _: True)
