"""Routes: from a path to a handler, with a fixed list of methods each.

A pattern that ends with ``/`` takes everything below it; the longest pattern wins. As with Go's ServeMux, a path with
doubled slashes, ``.`` or ``..`` is redirected to its cleaned form, and a path that only lacks the
slash of a pattern to that pattern.

Unlike there, what follows a pattern is a name: slashes and dots that are escaped in it belong to it, so that whatever
can be registered can also be read and removed. Routes for names that mean nothing to others (`names`) also take them
unescaped when something is changed: a client that is redirected would read instead.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import unquote

from proconsul.engine.http.request import Deferred, Request, Response, text_response

Answer = Response | Deferred | Awaitable[Response]
# Escaped slashes and dots are hidden while a route is looked for, as characters that no decoded path has.
_SEPARATOR = re.compile("%2[FfEe]")
_HIDDEN = {"%2F": "\ud800", "%2E": "\ud801"}
Handler = Callable[[Request], Answer]

# Bodies of ordinary endpoints are registrations and definitions; 8 MiB is far above any real one and keeps a flood
# of large bodies from exhausting memory. Endpoints with their own documented limit say so.
BODY_BYTES_MAX = 8 << 20
# Bodies of other requests mean nothing, unless a route says so.
WITH_BODY = frozenset({"PUT", "POST"})


class Route(NamedTuple):
    """Handlers by method, in the order the Allow header lists them."""

    pattern: str
    handlers: dict[str, Handler]
    body_bytes_max: int
    checks_size: bool
    names: bool
    body_methods: frozenset[str]
    allow: str
    streams: bool = False
    # Answers every other method, and OPTIONS: where what is allowed depends on the rest of the path.
    others: Handler | None = None
    # Answers are compressed for those who take that; False where handlers do so themselves.
    compressed: bool = True


def too_large(size: int, limit: int, more: str = "") -> Response:
    """The answer to a request whose body is over the limit of its route; ``more`` says what to do about it."""
    response = text_response(413, f"Request body({size} bytes) too large, max size: {limit} bytes.{more}")
    response.close = True
    return response


class Router:
    """All routes of one front door."""

    def __init__(self) -> None:
        self._exact: dict[str, Route] = {}
        self._below: dict[str, Route] = {}
        # Patterns with a trailing slash by their second segment ("kv" of "/v1/kv/"), longest first.
        self._areas: dict[str, list[Route]] = {}

    def add(
        self,
        pattern: str,
        handlers: dict[str, Handler],
        *,
        body_bytes_max: int = BODY_BYTES_MAX,
        checks_size: bool = False,
        names: bool = False,
        body_methods: frozenset[str] = WITH_BODY,
        streams: bool = False,
        others: Handler | None = None,
        compressed: bool = True,
    ) -> None:
        """Register ``pattern``. A body above ``body_bytes_max`` is answered with 413, by the handler itself if it
        ``checks_size``: it gets the length of such a body only. A handler that ``streams`` is called before the body
        is there, of any length, and takes it from `Request.parts`. ``others`` answers the methods that have no handler.
        ``compressed``: by the engine.
        """
        allow = ",".join(["OPTIONS", *handlers])
        body_bytes_max = sys.maxsize if streams else body_bytes_max
        route = Route(pattern, handlers, body_bytes_max, checks_size, names, body_methods, allow, streams, others,
                      compressed)  # fmt: skip
        if pattern.endswith("/"):
            self._below[pattern] = route
            area = self._areas.setdefault(_area(pattern), [])
            place = next((at for at, other in enumerate(area) if len(other.pattern) < len(pattern)), len(area))
            area.insert(place, route)
        else:
            self._exact[pattern] = route

    def route(self, method: str, raw_path: str, path: str) -> tuple[Route | None, str]:
        """The route for a path, as sent and decoded, and what follows its prefix."""
        if "%2" in raw_path and _SEPARATOR.search(raw_path) is not None:
            hidden = _SEPARATOR.sub(lambda match: _HIDDEN[match[0].upper()], raw_path)
            route, params = self._find(method, unquote(hidden, "utf-8", "surrogateescape"))
            if route is not None and params:
                return route, params.replace(_HIDDEN["%2F"], "/").replace(_HIDDEN["%2E"], ".")
        return self._find(method, path)

    def find(self, path: str) -> tuple[Route | None, str]:
        """The route for a read of a decoded path and what follows its prefix."""
        return self._find("GET", path)

    def _find(self, method: str, path: str) -> tuple[Route | None, str]:
        route = self._exact.get(path)
        if route is not None:
            return route, ""
        if "//" in path or "/." in path:
            if clean(path) != path:
                return self._named(method, path)
        elif path + "/" in self._below:
            return None, ""
        for route in self._areas.get(_area(path), ()):
            if path.startswith(route.pattern):
                return route, path[len(route.pattern) :]
        return None, ""

    def _named(self, method: str, path: str) -> tuple[Route | None, str]:
        """The route of a change to something whose name only looks like a path."""
        for route in self._areas.get(_area(path), ()):
            if route.names and path.startswith(route.pattern) and method not in ("GET", "HEAD"):
                return route, path[len(route.pattern) :]
        return None, ""

    def redirect(self, path: str) -> str | None:
        """Where a path that is not clean, or lacks its trailing slash, should have gone."""
        cleaned = clean(path)
        if cleaned + "/" in self._below:
            return cleaned + "/"
        return cleaned if cleaned != path else None


def clean(path: str) -> str:
    """The path without doubled slashes, ``.`` and ``..``; a trailing slash stays."""
    cleaned = posixpath.normpath(path)
    if cleaned.startswith("//"):
        cleaned = cleaned[1:]
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


def _area(path: str) -> str:
    """The second segment of a path below /v1; patterns are few per segment."""
    if not path.startswith("/v1/"):
        return ""
    end = path.find("/", 4)
    return path[4:end] if end > 0 else path[4:]
