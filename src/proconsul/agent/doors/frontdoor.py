"""The HTTP front door of an agent: rules that hold for every request, then the route's handler."""

from __future__ import annotations

import html
import ipaddress
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from urllib.parse import quote, unquote, unquote_plus

from proconsul.agent.telemetry.metrics import Metrics
from proconsul.engine.http.request import PLAIN_TEXT, Deferred, Request, Response, text_response
from proconsul.engine.http.router import Answer, Route, Router, too_large
from proconsul.engine.http.syntax import valid_escapes
from proconsul.engine.meters import Sample
from proconsul.features.errors import ConsulError, ReadRefused, status_of
from proconsul.features.web import NO_ANSWER, Web, finished, text_error

log = logging.getLogger("agent.http")

# Says that addresses of other datacenters are those that lead there (Consul docs: translate_wan_addrs).
TRANSLATED = "X-Consul-Translate-Addresses"

# Between two parameters of a query.
_JOINT = re.compile("([&;])")
_ACL = "/v1/acl/"
_SECRET = re.compile(r"^(/v1/acl/(?:info|clone|destroy)/).+$", re.DOTALL)
_READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What reads with a body, or changes nothing but who asks: browsers may do so where a page is read-only.
_HARMLESS = frozenset(
    {"/v1/internal/acl/authorize", "/v1/acl/login", "/v1/acl/logout", "/v1/acl/oidc/auth-url", "/v1/acl/oidc/callback",
     "/v1/acl/rules/translate"}
)  # fmt: skip
READ_ONLY = (
    "The web page of this agent is read-only (ui_config.read_only): it takes no changes from browsers. "
    "Use the command line, or the page of another agent"
)


def _never(_: str) -> bool:
    return False


class FrontDoor:
    """Implements the HTTP engine's Application."""

    def __init__(
        self,
        router: Router,
        *,
        block_endpoints: Sequence[str] = (),
        response_headers: Mapping[str, str] | None = None,
        allow_write_from: Sequence[str] = (),
        unprintable_filter: bool = True,
        ui_path: str = "",
        read_only: bool = False,
        is_secret: Callable[[str], bool] = _never,
        refusal: Callable[[ReadRefused], str] = str,
    ) -> None:
        """``read_only``: browsers may change nothing. ``is_secret``: whether a text is that of a token, which is not to
        be logged. ``refusal``: what is said of a read that was refused before a server was asked."""
        self._refusal = refusal
        self.router, self._is_secret = router, is_secret
        self._blocked = tuple(block_endpoints)
        self._headers = {canonical(name): _one_line(text) for name, text in (response_headers or {}).items()}
        # What an answer that says it itself is not given.
        self._header_marks = {name: f"{name}: ".encode("latin-1", "replace") for name in self._headers}
        self._writers = [ipaddress.ip_network(text, strict=False) for text in allow_write_from]
        self._guards_writes = bool(self._writers) or read_only
        self._unprintable_filter = unprintable_filter
        self._ui_path, self._read_only = ui_path, read_only
        self._samples: dict[tuple[str, str], Sample] = {}

    # ------------------------------------------------------------------ Application

    @property
    def logs_requests(self) -> bool:
        return log.isEnabledFor(logging.DEBUG)

    def route(self, request: Request) -> Route | None:
        route, request.params = self.router.route(request.method, request.raw_path, request.path)
        request.route = route
        return route

    def body_bytes_max(self, request: Request) -> int:
        route: Route | None = request.route
        if route is None or request.method not in route.handlers or request.method not in route.body_methods:
            return 0
        if self._is_blocked(request) or self._refused_write(request):
            return 0
        return route.body_bytes_max

    def handle(self, request: Request) -> Answer:
        started = perf_counter()
        try:
            answer = self._handle(request)
        except ConsulError as error:
            answer = self._failed(request, error)
        except Exception as error:
            answer = self._unforeseen(request, error)
        if isinstance(answer, Response):
            self._measure(request, started)
            return answer if not self._headers or request.route is None else self._dressed(answer)
        if isinstance(answer, Deferred):
            answer.on_done = lambda: self._measure(request, started)
            return answer if not self._headers else self._dress_later(answer)
        return self._await(request, answer, started)

    async def answer(self, request: Request) -> Response:
        """Answer a request of this process, as one that came over a connection."""
        self.route(request)
        return await finished(self.handle(request))

    def _measure(self, request: Request, started: float) -> None:
        """Add one request to the samples of its route."""
        route = request.route
        key = (request.method, route.pattern if route is not None else "")
        sample = self._samples.get(key)
        if sample is None:
            sample = self._samples[key] = Sample()
        sample.add((perf_counter() - started) * 1000)

    def flush_samples(self, metrics: Metrics) -> None:
        """Hand the requests measured since the last call to ``metrics``, as ``http.GET.v1.kv._`` in milliseconds."""
        samples, self._samples = self._samples, {}
        for (method, pattern), sample in samples.items():
            name = pattern.strip("/").replace("/", ".") + ("._" if pattern.endswith("/") else "")
            metrics.merge(f"http.{method}.{name}" if name else f"http.{method}", sample)

    def log(self, request: Request, status: int, seconds: float) -> None:
        log.debug(
            "Request finished: method=%s url=%s from=%s latency=%.3fms",
            request.method, self._masked(request), request.peer, seconds * 1000,
        )  # fmt: skip

    # ------------------------------------------------------------------ rules

    def _handle(self, request: Request) -> Answer:
        route: Route | None = request.route
        if not request.path.isprintable() and self._unprintable_filter and _has_control(request.path):
            if route is None or not route.names:
                request.route = None
                return Response(400, b"", {})
        if route is None:
            return self._unrouted(request)
        if self._blocked and self._is_blocked(request):
            return text_response(403, "Endpoint is blocked by agent configuration")
        handler = route.handlers.get(request.method) or route.others
        if "%" in request.query_string and not valid_escapes(request.query_string):
            return Web.empty(500)
        if handler is not None:
            if self._guards_writes and (why := self._refused_write(request)):
                return text_response(403, why)
            size = request.body_bytes
            if size > route.body_bytes_max and not route.checks_size and request.method in route.body_methods:
                return too_large(size, route.body_bytes_max)
            return handler(request)
        if request.method == "OPTIONS":
            return Web.empty(headers={"Allow": route.allow})
        refusal = text_response(405, f"method {request.method} not allowed")
        refusal.headers["Allow"] = route.allow
        return refusal

    def _unrouted(self, request: Request) -> Response:
        if request.path == "*":
            response = Response(200 if request.method == "OPTIONS" else 400, b"", {})  # the whole server
            response.close = request.method != "OPTIONS"
            return response
        if request.method == "CONNECT" and not request.path:
            headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
            return Response(404, b"404 page not found\n", headers)
        if request.path == "/":
            if self._ui_path:
                return _redirect(request, self._ui_path)
            return Response(200, b"Consul Agent", {"Content-Type": "text/plain; charset=utf-8"})
        target = self.router.redirect(request.path)
        if target is not None and request.method != "CONNECT":
            return _redirect(request, _escaped(target) + (f"?{request.query_string}" if request.query_string else ""))
        return Response(404, b"", {})

    def _is_blocked(self, request: Request) -> bool:
        return bool(self._blocked) and request.path.startswith(self._blocked)

    def _refused_write(self, request: Request) -> str:
        """Why a request may not change anything, or ""."""
        if not self._guards_writes or request.method in _READ_METHODS:
            return ""
        if not self._may_write(request):
            return "Access is restricted"
        if self._read_only and request.route is not None and request.route.pattern not in _HARMLESS:
            # Browsers say with every request that changes something from where it comes, and no script can hide it.
            return READ_ONLY if "origin" in request.headers or "sec-fetch-site" in request.headers else ""
        return ""

    def _may_write(self, request: Request) -> bool:
        if not self._writers:
            return True
        try:
            address = ipaddress.ip_address(request.peer)
        except ValueError:
            return True  # a unix socket: the file system decides who may connect
        return any(address in network for network in self._writers)

    def _failed(self, request: Request, error: ConsulError) -> Response:
        status = status_of(error)
        if status >= 500:
            log.error("Request error: method=%s url=%s from=%s error=%s", request.method, self._masked(request),
                      request.peer, error)  # fmt: skip
        if isinstance(error, ReadRefused):
            response = text_response(status, self._refusal(error))
            response.headers |= NO_ANSWER
        else:
            response = text_response(status, error.text)
        return response

    def _unforeseen(self, request: Request, error: Exception) -> Response:
        log.error("Request failed: method=%s url=%s", request.method, self._masked(request))
        return text_error(error)

    def _masked(self, request: Request) -> str:
        """The URL with tokens hidden: they must not reach the log."""
        path = masked_path(request.raw_path, self._is_secret)
        if not request.query_string:
            return path
        return f"{path}?{''.join(map(self._masked_option, _JOINT.split(request.query_string)))}"

    def _masked_option(self, option: str) -> str:
        """One parameter of a query; its name may be written with escapes."""
        name, equals, value = option.partition("=")
        hides = unquote_plus(name).lower().endswith("token") or self._is_secret(unquote_plus(value))
        return f"{name}=<hidden>" if equals and hides else option

    async def _await(self, request: Request, answer: object, started: float) -> Response:
        try:
            response = await answer  # type: ignore[misc]
            assert isinstance(response, Response)
        except ConsulError as error:
            response = self._failed(request, error)
        except Exception as error:
            response = self._unforeseen(request, error)
        self._measure(request, started)
        return self._dressed(response)

    def _dressed(self, response: Response) -> Response:
        """Add the configured headers. What the answer says itself counts, but for what is said of every answer."""
        if not self._headers:
            return response
        merged = dict(self._headers)
        for name, mark in self._header_marks.items():
            if name == "Vary":
                response.lines = response.lines.replace(_VARY, b"")
            elif mark in response.lines:
                del merged[name]
        for name, text in response.headers.items():
            if name not in merged or not (name == "Vary" or (name == "Content-Type" and text == PLAIN_TEXT)):
                merged[name] = text
        response.headers = merged
        return response

    def _dress_later(self, answer: Deferred) -> Deferred:
        outer = Deferred()
        outer.on_cancel, outer.on_hurry = answer.cancel, answer.hurry
        answer.when_done(lambda response: outer.resolve(self._dressed(response)))
        return outer


_VARY = b"Vary: Accept-Encoding\r\n"


def canonical(name: str) -> str:
    """A header's name in Go's spelling."""
    return "-".join(part.capitalize() for part in name.split("-")) if name.isascii() else name


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").strip(" \t")


def _has_control(path: str) -> bool:
    """Characters Go calls unprintable; bytes that are not UTF-8 are the key's business."""
    return any(not char.isprintable() and not "\udc80" <= char <= "\udcff" for char in path)


def _escaped(path: str) -> str:
    """The path as Go's url.URL prints it."""
    return quote(path, safe="/$&+,:;=@", errors="surrogateescape")


def _redirect(request: Request, target: str) -> Response:
    body = f'<a href="{html.escape(target)}">Moved Permanently</a>.\n\n' if request.method in ("GET", "HEAD") else ""
    headers = {"Content-Type": "text/html; charset=utf-8", "Location": target}
    return Response(301, body.encode("utf-8", "replace"), headers if body else {"Location": target})


def masked_path(path: str, is_secret: Callable[[str], bool]) -> str:
    """A path for logs, as it was sent or decoded. Some routes, from before 1.4, name a token by its secret; others are
    asked for it by mistake, in place of an accessor."""
    if path.startswith(_ACL):
        path = _SECRET.sub(r"\1<hidden>", path)
    return "/".join("<hidden>" if part and is_secret(unquote(part)) else part for part in path.split("/"))
