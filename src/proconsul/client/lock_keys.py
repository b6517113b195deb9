"""What the keys of locks and semaphores look like; of Consul's client for Go, so that all exclude each other. Pure."""

from __future__ import annotations

import posixpath
from typing import Final

__all__ = ["LOCK_FLAG", "SEMAPHORE_FLAG", "SEMAPHORE_KEY", "join_path"]

# The flags of their keys mark who uses them, so that a lock and a semaphore on one key refuse each other.
LOCK_FLAG: Final = 0x2DDCCBC058A50C18
SEMAPHORE_FLAG: Final = 0xE0F69A2BAA414DE0
# Below a semaphore's prefix, beside a key for each who holds it or waits.
SEMAPHORE_KEY: Final = ".lock"


def join_path(*parts: str) -> str:
    """The parts that are not empty with a slash between them, cleaned as Go's path.Join does."""
    text = "/".join(part for part in parts if part)
    if not text:
        return ""
    cleaned = posixpath.normpath(text)
    return "/" + cleaned.lstrip("/") if text.startswith("/") else cleaned
