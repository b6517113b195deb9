"""The files of the web page: a folder read once, with what is sent of each, compressed and plain."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from proconsul.features.errors import ConsulError

log = logging.getLogger("agent.http")

# Ours has 40 files and far less than a megabyte; other pages are below ten. What is in a folder by mistake is not kept
# in memory.
FILES_MAX: Final = 4096
TREE_BYTES_MAX: Final = 64 << 20
INDEX: Final = "index.html"

_TEXT: Final = {
    "css": "text/css", "html": "text/html", "js": "text/javascript", "mjs": "text/javascript", "txt": "text/plain",
    "csv": "text/csv", "md": "text/plain", "xml": "text/xml",
}  # fmt: skip
_OTHER: Final = {
    "avif": "image/avif", "gif": "image/gif", "ico": "image/x-icon", "jpeg": "image/jpeg", "jpg": "image/jpeg",
    "json": "application/json", "map": "application/json", "pdf": "application/pdf", "png": "image/png",
    "svg": "image/svg+xml", "ttf": "font/ttf", "wasm": "application/wasm", "webmanifest": "application/manifest+json",
    "webp": "image/webp", "woff": "font/woff", "woff2": "font/woff2",
}  # fmt: skip
# Types by the ends of names; a name with one of them that is not there is a fault, not a view of the page.
TYPES: Final = {end: f"{kind}; charset=utf-8" for end, kind in _TEXT.items()} | _OTHER
_SHRINKS: Final = frozenset([*_TEXT, "json", "map", "svg", "webmanifest", "ico", "ttf", "wasm"])


class PageFile(NamedTuple):
    """One file. ``compressed``: as gzip, None where that is not shorter. ``tag``: names the content."""

    body: bytes
    compressed: bytes | None
    content_type: str
    tag: str


class Tree(NamedTuple):
    """All files by their path below the folder, with ``/`` between its parts; ``hash`` names the content of all.

    ``signature`` is that of the folder when it was read; see `signature`.
    """

    files: dict[str, PageFile]
    hash: str
    signature: frozenset[tuple[str, int, int]]


def ending(path: str) -> str:
    """The end of a file's name behind its last dot, in small letters; "" for none."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def page_file(body: bytes, kind: str) -> PageFile:
    """``body`` as it is sent, being of the kind that names ending in ``kind`` have."""
    compressed = gzip.compress(body, 9, mtime=0) if kind in _SHRINKS else None
    if compressed is not None and len(compressed) >= len(body):
        compressed = None
    return PageFile(body, compressed, TYPES.get(kind, "application/octet-stream"), _digest(body))


def read_tree(folder: Path) -> Tree:
    """Read a folder. What leads out of it, is hidden or cannot be read is left out. Raises ConsulError when there is
    more than a page has."""
    before = signature(folder)
    files: dict[str, PageFile] = {}
    total = 0
    for path, entry in _entries(folder):
        try:
            body = entry.read_bytes()
        except OSError as error:
            log.warning("A file of the web page cannot be read: path=%s error=%s", entry, error)
            continue
        total += len(body)
        if total > TREE_BYTES_MAX or len(files) >= FILES_MAX:
            raise ConsulError(f"{folder} holds more than a web page: over {TREE_BYTES_MAX >> 20} MiB "
                              f"or {FILES_MAX} files")  # fmt: skip
        files[path] = page_file(body, ending(path))
    whole = "".join(f"{path}\0{file.tag}\n" for path, file in sorted(files.items()))
    return Tree(files, _digest(whole.encode("utf-8", "surrogateescape")), before)


def signature(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What changes when a file does: path, size and time of each."""
    found = []
    for path, entry in _entries(folder):
        try:
            status = entry.stat()
        except OSError:
            continue
        found.append((path, status.st_size, status.st_mtime_ns))
        if len(found) > FILES_MAX:
            break
    return frozenset(found)


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder that may be shown, by their path below it."""
    root = folder.resolve()
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            entry = Path(place, name)
            if name.startswith(".") or (entry.is_symlink() and not entry.resolve().is_relative_to(root)):
                continue
            if entry.is_file():
                yield entry.relative_to(root).as_posix(), entry


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:20]


# What pages of the original are given in their index: {{.Name}}, and a choice by it.
_CHOICE: Final = re.compile(
    rb"\{\{-?\s*if\s+\.(\w+)\s*-?\}\}(.*?)(?:\{\{-?\s*else\s*-?\}\}(.*?))?\{\{-?\s*end\s*-?\}\}", re.DOTALL
)
_VALUE: Final = re.compile(rb"\{\{-?\s*\.(\w+)\s*-?\}\}")


def filled(index: bytes, values: dict[str, str | bool]) -> bytes:
    """The index of a page for the original with ``values`` in the places that it names; unknown ones are empty."""

    def shown(name: bytes) -> bytes:
        value = values.get(name.decode(), "")
        return value.encode() if isinstance(value, str) else str(value).lower().encode()

    def chosen(match: re.Match[bytes]) -> bytes:
        return match[2] if values.get(match[1].decode()) else match[3] or b""

    return _VALUE.sub(lambda match: shown(match[1]), _CHOICE.sub(chosen, index))
