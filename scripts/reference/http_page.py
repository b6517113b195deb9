"""The page about HTTP: every route that an agent has, asked of a running one."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proconsul.engine.http.router import Handler, Route, Router
from proconsul.testing import DevAgent
from reference.markdown import code, page, table

_PERMISSIONS = Path(__file__).parents[2] / "docs/permissions.md"
_INTRO = """
Every path that an agent answers, and its methods. Paths that end with `/` go on with a name. **Parameters** are those
the path has beside the common ones. **Needs** is what a token must have where access control is on;
[permissions](../permissions.md) says it in full, for each kind of request. Framing, headers, waiting and errors are
told in [the protocol](../protocols/http.md); names and bodies are Consul's 1.8.7, and what of later releases is there
says [COMPATIBILITY.md](../../COMPATIBILITY.md).

Common to all: `dc` (the datacenter asked), `token` (better in the header `X-Consul-Token`), `pretty`. Common to
reads: `index` and `wait` (waiting), `stale`, `consistent`, `max_stale`, `cached`, `filter`, `near`, `node-meta`,
where they make sense.
"""
_COMMON = {"dc", "token", "pretty", "index", "wait", "stale", "consistent", "max_stale", "cached", "filter", "near",
           "node-meta", "ns", "leader"}  # fmt: skip


class _Recorder(Router):
    """Keeps what is put on it."""


def routes() -> list[Route]:
    """The routes of an agent with everything on, by their path."""
    found: dict[str, Route] = {}
    add = Router.add

    def recorded(self: Router, pattern: str, handlers: dict[str, Handler], **options: Any) -> None:
        add(self, pattern, handlers, **options)
        route = self._exact.get(pattern) or self._below.get(pattern)
        if route is not None:
            found[pattern] = route

    Router.add = recorded  # type: ignore[method-assign]
    try:
        with DevAgent({"ui_config": {"enabled": True}}) as agent:
            agent.get("status/leader")
    finally:
        Router.add = add  # type: ignore[method-assign]
    return [found[path] for path in sorted(found)]


def _bare(handler: Any) -> Any:
    """The function behind what was put around it."""
    for _ in range(8):
        cells = inspect.getclosurevars(handler).nonlocals if inspect.isfunction(handler) else {}
        inner = cells.get("handler") or getattr(handler, "func", None)
        if inner is None:
            return handler
        handler = inner
    return handler


def _parameters(handler: Any, depth: int = 3) -> set[str]:
    """Names that a handler looks for in the query, in itself and in what it calls of its own class."""
    handler = _bare(handler)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
    except (OSError, TypeError, SyntaxError):
        return set()
    owner = getattr(handler, "__self__", None)
    found: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        on = ast.unparse(node.func.value)
        first = node.args[0] if node.args else None
        if on in ("request", "request.query") and node.func.attr in ("get", "has", "all"):
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
        elif on == "self" and depth and owner is not None:
            found |= _parameters(getattr(owner, node.func.attr, None), depth - 1)
    return found - _COMMON


def _needs() -> Iterator[tuple[str, str, str]]:
    """(method, path, needs) of docs/permissions.md, which a test keeps true."""
    for method, target, needs in re.findall(
        r"^\| `(\w+) ([^`]+)` \| ([^|]*) \|", _PERMISSIONS.read_text(), re.MULTILINE
    ):
        yield method, target.partition("?")[0], needs.partition(";")[0].strip()


def http_page() -> str:
    """docs/reference/http.md."""
    areas: dict[str, list[tuple[str, ...]]] = {}
    known = list(_needs())
    found = routes()
    patterns = sorted((route.pattern for route in found), key=len, reverse=True)
    for route in found:
        if not route.pattern.startswith("/v1/"):
            continue
        for method, handler in route.handlers.items():
            needed = dict.fromkeys(
                needs
                for verb, path, needs in known
                if verb == method and next((one for one in patterns if _is_for(one, path)), "") == route.pattern
            )
            area = route.pattern.split("/")[2]
            shown = route.pattern + (":name" if route.pattern.endswith("/") else "")
            parameters = ", ".join(code(name) for name in sorted(_parameters(handler)))
            areas.setdefault(area, []).append((code(f"{method} {shown}"), parameters, "; ".join(needed)))
    head = ("Request", "Parameters", "Needs")
    return page("HTTP API", _INTRO, [f"## {area}\n\n{table(head, rows)}" for area, rows in areas.items()])


def _is_for(pattern: str, path: str) -> bool:
    return path.startswith(pattern) if pattern.endswith("/") else path == pattern
