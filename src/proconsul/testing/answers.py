"""What test agents of every kind answer with, and the words in which they are asked."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["AsyncAsking", "Body", "HttpAnswer", "SyncAsking"]

# Text is sent as UTF-8; what is neither text nor bytes as JSON.
Body = Any


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer. The names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "backslashreplace")

    @property
    def index(self) -> int:
        """X-Consul-Index, 0 when there is none."""
        return int(self.headers.get("x-consul-index", "0"))

    def json(self) -> Any:
        """The body read as JSON. Raises ValueError, with the answer, when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ValueError(f"status {self.status} with no JSON: {self.text[:500]!r}") from None


def encoded(body: Body) -> bytes:
    """As it is sent."""
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def target_of(path: str, params: Mapping[str, Any]) -> str:
    """Path and query. ``True`` stands for a parameter without a value; a path without ``/v1`` gets it."""
    if not path.startswith("/"):
        path = f"/v1/{path}"
    words = [quote(name) if value is True else urlencode({name: value}) for name, value in params.items()
             if value is not None and value is not False]  # fmt: skip
    return path + ("&" if "?" in path else "?") * bool(words) + "&".join(words)


def headers_of(token: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    """With the token, where there is one."""
    found = {"X-Consul-Token": token} if token else {}
    return {**found, **(headers or {})}


class SyncAsking(ABC):
    """``agent.get("kv/a", raw=True)``, for all whose `request` returns the answer."""

    @abstractmethod
    def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:  # fmt: skip
        """One request: path and query as in a URL, and the answer."""

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> HttpAnswer:
        """``path``: with or without ``/v1/``; ``params``: of the query, True for those without a value."""
        return self.request("GET", target_of(path, params), None, headers)

    def put(
        self, path: str, body: Body = None, *, headers: Mapping[str, str] | None = None, **params: Any
    ) -> HttpAnswer:  # fmt: skip
        """As `get`; ``body``: bytes, text, or what becomes JSON."""
        return self.request("PUT", target_of(path, params), body, headers)

    def post(
        self, path: str, body: Body = None, *, headers: Mapping[str, str] | None = None, **params: Any
    ) -> HttpAnswer:  # fmt: skip
        return self.request("POST", target_of(path, params), body, headers)

    def delete(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> HttpAnswer:
        return self.request("DELETE", target_of(path, params), None, headers)


class AsyncAsking(ABC):
    """As `SyncAsking`, awaited."""

    @abstractmethod
    def request(
        self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Awaitable[HttpAnswer]:  # fmt: skip
        """One request: path and query as in a URL, and the answer."""

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> HttpAnswer:
        """See `SyncAsking.get`."""
        return await self.request("GET", target_of(path, params), None, headers)

    async def put(
        self, path: str, body: Body = None, *, headers: Mapping[str, str] | None = None, **params: Any
    ) -> HttpAnswer:  # fmt: skip
        return await self.request("PUT", target_of(path, params), body, headers)

    async def post(
        self, path: str, body: Body = None, *, headers: Mapping[str, str] | None = None, **params: Any
    ) -> HttpAnswer:  # fmt: skip
        return await self.request("POST", target_of(path, params), body, headers)

    async def delete(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> HttpAnswer:
        return await self.request("DELETE", target_of(path, params), None, headers)
