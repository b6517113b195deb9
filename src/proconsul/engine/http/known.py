"""Header blocks and request lines seen before, which need not be parsed again."""

from __future__ import annotations

import re
from collections.abc import Callable

from proconsul.engine.http.connections import Line
from proconsul.engine.http.request import Request
from proconsul.engine.http.router import Route

# A client sends the same header block with every request of a connection: one that was parsed before is not parsed
# again. Headers and the length of the body, by block. Bounded in number and size; what is not here takes the full
# parser.
BLOCKS: dict[bytes, tuple[dict[str, str], int]] = {}
_BLOCKS_MAX = 1024
BLOCK_BYTES_MAX = 2048
# Clients also ask for the same things again and again: request lines that needed nothing but splitting, with their
# routes. When it is full it starts anew, so that keys of the moment push out those of the past.
_LINES_MAX = 4096
_LINE_BYTES_MAX = 512
_REQUEST_LINE = re.compile(rb"(GET|PUT|DELETE) (/[!-~]*) HTTP/1\.1", re.ASCII)


def parse_line(line: bytes, route: Callable[[Request], Route | None], lines: dict[bytes, Line]) -> Line | None:
    """A plain request line in parts, with its route, also kept in ``lines``.

    None for anything the full parser should look at.
    """
    match = _REQUEST_LINE.fullmatch(line)
    if match is None or b"%" in match[2]:
        return None
    path, _, query = match[2].decode("ascii").partition("?")
    request = Request(match[1].decode("ascii"), path, path, query, {})
    parsed = (request.method, path, query, route(request), request.params)
    if len(lines) >= _LINES_MAX:
        lines.clear()
    if len(line) <= _LINE_BYTES_MAX:
        lines[line] = parsed
    return parsed


def remember_block(block: bytes, request: Request) -> None:
    """The header block of ``request`` was parsed; it need not be next time, unless it frames something unusual."""
    headers = request.headers
    if len(BLOCKS) >= _BLOCKS_MAX or request.version != "1.1" or not request.keep_alive:
        return
    if "host" in headers and "expect" not in headers and "transfer-encoding" not in headers:
        BLOCKS[block] = (headers, int(headers.get("content-length") or 0))
