"""/v1/internal/ui/metrics-proxy: the web page's questions to a metrics server that browsers cannot reach.

Only what ``ui_config.metrics_proxy`` names is asked there, without anything of the request but its query (Consul docs:
ui_config.metrics_proxy, of 1.9).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from urllib.parse import unquote

from proconsul.agent.config.runtime import FixedConfig, MetricsProxyConfig
from proconsul.engine.http.fetch import HttpClientError, HttpRequest, fetch
from proconsul.engine.http.request import Request, Response, text_response
from proconsul.engine.http.router import Router, clean
from proconsul.engine.http.url import parse
from proconsul.features.acl.token_rights import TokenRights
from proconsul.features.errors import BadRequest, ConsulError
from proconsul.features.web import Web

log = logging.getLogger("agent.http")

PROXY: Final = "/v1/internal/ui/metrics-proxy/"
# A chart of a service is some kilobytes; a page asks for a handful at once.
ANSWER_BYTES_MAX: Final = 16 << 20
ASKED_AT_ONCE_MAX: Final = 16
TIMEOUT_S: Final = 30.0


class MetricsProxy:
    """The handler of the route."""

    def __init__(self, web: Web, rights: TokenRights, fixed: FixedConfig, *, served: bool) -> None:
        """``served``: whether there is a page to ask for metrics."""
        self._web, self._rights, self._served = web, rights, served
        self._base = fixed.ui.metrics_proxy.base_url.rstrip("/")
        self._allowed = frozenset(fixed.ui.metrics_proxy.path_allowlist)
        self._headers = _headers(fixed.ui.metrics_proxy)
        self._room = asyncio.Semaphore(ASKED_AT_ONCE_MAX)

    def register(self, router: Router) -> None:
        router.add(PROXY, {"GET": self.ask})

    async def ask(self, request: Request) -> Response:
        """Raises ConsulError."""
        if not self._served:
            raise ConsulError("UI is not enabled", 404)
        if not self._base:
            raise ConsulError("Metrics proxy is not enabled", 404)
        # Whoever sees charts of everything must be allowed to see everything.
        for resource in ("service", "node"):
            self._rights.require_all(self._web.token(request), resource)
        address = self._base + self._path(request)
        if request.query_string:
            address += f"?{request.query_string}"
        async with self._room:
            return await self._asked(address)

    def _path(self, request: Request) -> str:
        """What is asked for below the base, if that may be asked for. Raises ConsulError."""
        path = f"/{request.params}"
        # What is escaped twice, or is no path, is a way around the list and nothing else.
        if clean(path) != path or "/." in unquote(path) or any(char < "!" or char in "\\?#%\x7f" for char in path):
            raise BadRequest("Invalid path.")
        whole = parse(self._base).target.rstrip("/") + path
        if self._allowed and not self._allowed & {path, whole}:
            log.error("The metrics proxy was asked for a path that is not allowed: path=%s", whole)
            raise ConsulError("", 403)
        return path

    async def _asked(self, address: str) -> Response:
        parts: list[bytes] = []
        size = 0

        def take(part: bytes) -> None:
            nonlocal size
            size += len(part)
            if size <= ANSWER_BYTES_MAX:
                parts.append(part)

        try:
            head = await fetch(HttpRequest(address, header=self._headers, follow_redirects=False), take, TIMEOUT_S)
        except HttpClientError as error:
            log.error("The metrics proxy got no answer: error=%s", error)
            return text_response(502, f"The metrics server did not answer: {error}")
        if size > ANSWER_BYTES_MAX:
            return text_response(502, f"The metrics server's answer is over {ANSWER_BYTES_MAX} bytes")
        headers = {"Vary": "Accept-Encoding", "Content-Type": head.headers.get("content-type", "text/plain")}
        return Response(head.status, b"".join(parts), headers)


def _headers(config: MetricsProxyConfig) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {"Accept": ("application/json",)}
    for name, value in config.add_headers:
        found[name] = (value,)
    return found
