"""The web page: its files below ``ui_config.content_path``, and what its index is told of this agent.

``index.html`` is a plain file that any server of files can give out. From us it also gets, in the content of
``<meta name="proconsul">``, the settings of this agent, and addresses of its files that name their content, so that
browsers keep them. Every other path that is no file is answered with the index, as the original does.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import proconsul
from proconsul import COMPATIBLE_VERSION, __version__
from proconsul.agent.config.runtime import FixedConfig
from proconsul.agent.doors.frontdoor import canonical
from proconsul.agent.doors.page_files import INDEX, TYPES, PageFile, Tree, ending, filled, page_file, read_tree
from proconsul.agent.doors.page_files import signature as signature_of
from proconsul.engine.http.encoding import takes_gzip
from proconsul.engine.http.request import Request, Response
from proconsul.engine.http.router import Answer, Router, clean
from proconsul.engine.threads import on_thread
from proconsul.engine.wire import gojson
from proconsul.features.errors import ConsulError

# Nothing of another host, nothing inline: what somebody writes into a key or a check's output is never run.
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'self'; frame-ancestors 'self'; form-action 'self'; "
                               "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}  # fmt: skip
ROBOTS: Final = b"# http://www.robotstxt.org\nUser-agent: *\nDisallow: *"
_KEPT: Final = "public, max-age=31536000, immutable"
_ASKED: Final = "no-cache"
_VERSIONED: Final = re.compile(r"assets/([0-9a-f]{20})/(.+)", re.DOTALL)
_ATTRIBUTE: Final = re.compile(rb"""=(["'])\./""")
_META: Final = re.compile(rb"""(<meta\s+name=["']proconsul["']\s+content=)(?:""|'')""")
_INDEX_DEPTHS_MAX: Final = 16


def page_path(fixed: FixedConfig) -> str:
    """Where the page is, with a slash at both ends; "" for nowhere. Another page is served without ``enabled``, too."""
    return clean(fixed.ui.content_path) if fixed.ui.enabled or fixed.ui.directory else ""


class WebPage:
    """Handlers of the page's files."""

    def __init__(self, fixed: FixedConfig, node_id: str, response_headers: Mapping[str, str]) -> None:
        """``response_headers``: those that the front door adds to every answer. Ours give way to them."""
        self._fixed, self._node_id = fixed, node_id
        self._path = page_path(fixed)
        self._folder = Path(fixed.ui.directory) if fixed.ui.directory else Path(proconsul.__file__).parent / "ui/static"
        self._configured = frozenset(canonical(name) for name in response_headers) - {"Vary"}
        self._tree: Tree | None = None
        self._reading: asyncio.Task[Tree] | None = None
        # By their depth below the content path.
        self._indexes: dict[int, PageFile] = {}

    def register(self, router: Router) -> None:
        """Raises ConsulError for a path that is another route's."""
        if not self._path:
            return
        if router.find(self._path)[0] is not None:
            raise ConsulError(f"ui-content-path is that of an API endpoint. received: {self._path}")
        for path, handler in ((self._path, self.file), ("/robots.txt", self.robots)):
            router.add(path, {"GET": handler, "HEAD": handler}, others=self._other, compressed=False)

    # ------------------------------------------------------------------ handlers

    def file(self, request: Request) -> Answer:
        if self._tree is None or (self._fixed.ui.directory and self._is_view(self._tree, request.params)):
            return self._file_later(request)
        return self._found(request, self._tree)

    async def _file_later(self, request: Request) -> Response:
        return self._found(request, await self._current())

    async def robots(self, request: Request) -> Response:
        tree = await self._current()
        response = self._send(request, tree.files.get("robots.txt") or page_file(ROBOTS, "txt"), _ASKED)
        response.headers = {name: text for name, text in response.headers.items() if name not in SECURITY_HEADERS}
        return response

    def _other(self, request: Request) -> Response:
        """Every other method."""
        headers = {"Allow": "GET,HEAD,OPTIONS", **SECURITY_HEADERS}
        status = 200 if request.method == "OPTIONS" else 405
        return Response(status, b"", self._own(headers))

    def _found(self, request: Request, tree: Tree) -> Response:
        path = request.params
        if path == INDEX:  # one address for one page, as the original has it
            return Response(301, b"", self._own({"Location": "./", **SECURITY_HEADERS}))
        versioned = _VERSIONED.fullmatch(path)
        file = tree.files.get(path) if path else None
        if file is None and versioned is not None:
            file = tree.files.get(versioned[2])
        if file is not None:
            # Another hash is that of another release behind the same proxy, or from before an upgrade: the file may
            # be another one, so nobody keeps it.
            kept = versioned is not None and versioned[1] == tree.hash
            return self._send(request, file, _KEPT if kept else _ASKED)
        if INDEX not in tree.files or not self._is_view(tree, path):
            headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": _ASKED, **SECURITY_HEADERS}
            return Response(404, b"404 page not found\n", self._own(headers))
        return self._send(request, self._index(request, tree), _ASKED)

    @staticmethod
    def _is_view(tree: Tree, path: str) -> bool:
        """Whether a path is one within the page, answered with its index."""
        return path not in tree.files and not path.startswith("assets/") and ending(path) not in TYPES

    # ------------------------------------------------------------------ answers

    def _send(self, request: Request, file: PageFile, caching: str) -> Response:
        compressed = file.compressed is not None and takes_gzip(request.header("accept-encoding"))
        tag = f'"{file.tag}-gzip"' if compressed else f'"{file.tag}"'
        headers = {"Content-Type": file.content_type, "Cache-Control": caching, "ETag": tag, **SECURITY_HEADERS}
        if file.compressed is not None:
            headers["Vary"] = "Accept-Encoding"
        status, body = 200, file.body
        if compressed and file.compressed is not None:
            headers["Content-Encoding"] = "gzip"
            body = file.compressed
        if _matches(request.header("if-none-match"), file.tag):
            status = 304
            del headers["Content-Type"]
        return Response(status, body, self._own(headers))

    def _own(self, headers: dict[str, str]) -> dict[str, str]:
        """``headers`` without those that the operator has said for every answer."""
        return {name: text for name, text in headers.items() if name not in self._configured}

    async def _current(self) -> Tree:
        """The files: ours are read once, those of another page again when they have changed. Raises ConsulError."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(on_thread(self._read, self._tree))
            self._reading.add_done_callback(self._was_read)
        return await asyncio.shield(self._reading)

    def _read(self, known: Tree | None) -> Tree:
        if known is not None and (not self._fixed.ui.directory or signature_of(self._folder) == known.signature):
            return known
        return read_tree(self._folder)

    def _was_read(self, task: asyncio.Task[Tree]) -> None:
        self._reading = None
        if not task.cancelled() and task.exception() is None and task.result() is not self._tree:
            self._tree = task.result()
            self._indexes.clear()

    # ------------------------------------------------------------------ the index

    def _index(self, request: Request, tree: Tree) -> PageFile:
        # Browsers resolve addresses against the path as it was sent.
        depth = max(request.raw_path.count("/") - self._path.count("/"), 0)
        found = self._indexes.get(depth)
        if found is None:
            found = page_file(self._filled(tree.files[INDEX].body, tree.hash, depth), "html")
            if len(self._indexes) < _INDEX_DEPTHS_MAX:
                self._indexes[depth] = found
        return found

    def _filled(self, index: bytes, tree_hash: str, depth: int) -> bytes:
        """The index for a path so many folders below the content path."""
        root = "../" * depth or "./"
        if self._fixed.ui.directory:
            index = filled(index, self._named())
        if _META.search(index) is None:
            return index
        files = f"{root}assets/{tree_hash}/".encode()
        index = _ATTRIBUTE.sub(lambda match: b"=" + match[1] + files, index)
        told = gojson.dumps(self._told(root, depth)).decode()
        return _META.sub(lambda match: b'%b"%b"' % (match[1], html.escape(told).encode()), index, count=1)

    def _told(self, root: str, depth: int) -> gojson.Object:
        """What the page is told of this agent."""
        fixed = self._fixed
        return gojson.Object(
            ApiRoot="../" * (depth + self._path.count("/") - 1) or "./", UiRoot=root, ReadOnly=fixed.ui.read_only,
            Datacenter=fixed.datacenter, PrimaryDatacenter=fixed.primary_datacenter, NodeName=fixed.node_name,
            NodeID=self._node_id, Server=fixed.server, ACLsEnabled=fixed.acl.enabled, Version=__version__,
            ConsulVersion=COMPATIBLE_VERSION, MetricsProvider=fixed.ui.metrics_provider,
            MetricsProviderOptions=gojson.loads(fixed.ui.metrics_provider_options_json.encode() or b"{}"),
            MetricsProxyEnabled=bool(fixed.ui.metrics_proxy.base_url),
            DashboardURLTemplates=dict(fixed.ui.dashboard_url_templates), NspacesEnabled=False,
            SSOEnabled=fixed.acl.enabled,
        )  # fmt: skip

    def _named(self) -> dict[str, str | bool]:
        """What indexes for the original may name."""
        enabled = self._fixed.acl.enabled
        return {"ContentPath": self._path, "ACLsEnabled": enabled, "NamespacesEnabled": False, "SSOEnabled": False}


def _matches(condition: str, tag: str) -> bool:
    """Whether an If-None-Match names what is there, compressed or not."""
    if not condition:
        return False
    named = {text.strip().removeprefix("W/").strip('"').removesuffix("-gzip") for text in condition.split(",")}
    return tag in named or "*" in named
