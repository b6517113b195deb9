"""Resolvers for libraries that make connections: httpx, aiohttp and gRPC. Each needs its library, and is typed by it.

A resolver is that of a client of either kind, followed beside the program's work: here nothing is asked, and nothing
waits.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from proconsul.client.choosing import Instance

if TYPE_CHECKING:
    import aiohttp.abc
    import httpx

__all__ = ["Picks", "aiohttp_resolver", "async_httpx_transport", "grpc_target", "httpx_transport"]


class Picks(Protocol):
    """What adapters need of a resolver."""

    @property
    def instances(self) -> Sequence[Instance]:
        """All that can be used."""

    def pick(self) -> Instance:
        """One of them. Raises NotFound when there is none."""


def _directed(request: httpx.Request, resolvers: Mapping[str, Picks]) -> httpx.Request:
    """The request to an instance; the service is still whom it names as its host."""
    resolver = resolvers.get(request.url.host)
    if resolver is not None:
        instance = resolver.pick()
        request.url = request.url.copy_with(host=instance.host, port=instance.port)
    return request


def httpx_transport(
    resolvers: Mapping[str, Picks], inner: httpx.BaseTransport | None = None
) -> httpx.BaseTransport:  # fmt: skip
    """For ``httpx.Client(transport=...)``: ``http://web/`` goes to an instance of ``resolvers["web"]``."""
    import httpx

    below = inner or httpx.HTTPTransport()

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return below.handle_request(_directed(request, resolvers))

        def close(self) -> None:
            below.close()

    return Transport()


def async_httpx_transport(
    resolvers: Mapping[str, Picks], inner: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncBaseTransport:  # fmt: skip
    """As `httpx_transport`, for ``httpx.AsyncClient(transport=...)``."""
    import httpx

    below = inner or httpx.AsyncHTTPTransport()

    class AsyncTransport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await below.handle_async_request(_directed(request, resolvers))

        async def aclose(self) -> None:
            await below.aclose()

    return AsyncTransport()


def aiohttp_resolver(resolvers: Mapping[str, Picks]) -> aiohttp.abc.AbstractResolver:
    """For ``aiohttp.TCPConnector(resolver=..., use_dns_cache=False)``; other names are looked up as usual."""
    import aiohttp
    import aiohttp.abc

    usual = aiohttp.ThreadedResolver()

    class Resolver(aiohttp.abc.AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[aiohttp.abc.ResolveResult]:
            resolver = resolvers.get(host)
            if resolver is None:
                return await usual.resolve(host, port, family)
            instance = resolver.pick()
            kind = socket.AF_INET6 if ":" in instance.host else socket.AF_INET
            return [{
                "hostname": host, "host": instance.host, "port": instance.port, "family": kind, "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }]  # fmt: skip

        async def close(self) -> None:
            await usual.close()

    return Resolver()


def grpc_target(resolver: Picks) -> str:
    """All instances as a target for ``grpc.insecure_channel``, which spreads calls with the option
    ``grpc.lb_policy_name`` ``round_robin``. A target does not change: make a new channel when the instances do.

    Raises NotFound when there is none, ValueError when they are of both families.
    """
    resolver.pick()
    families = {"ipv6" if ":" in one.host else "ipv4" for one in resolver.instances}
    if len(families) > 1:
        raise ValueError("gRPC takes addresses of one family")
    return f"{families.pop()}:{','.join(one.address for one in resolver.instances)}"
