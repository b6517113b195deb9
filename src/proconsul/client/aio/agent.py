"""/v1/agent (HTTP API: agent): the agent that is asked, and what is registered with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, Unpack

from proconsul.client.aio.group import AsyncGroup, Many
from proconsul.client.decoding import decode, plain
from proconsul.client.options import ReadOptions, WriteOptions, given, read_query
from proconsul.client.types import AgentHost, LeafCertificate, Member, RootCertificates, ServiceHealth
from proconsul.client.wire import Call, path_of
from proconsul.features.catalog.definition import CheckType
from proconsul.features.catalog.model import HealthCheck, NodeService

__all__ = ["AsyncAgent", "AsyncAgentChecks", "AsyncAgentServices", "CheckStatus"]

CheckStatus = Literal["passing", "warning", "critical"]
T = TypeVar("T")
TokenKind = Literal["default", "agent", "agent_master", "replication", "acl_token", "acl_agent_token",
                    "acl_agent_master_token", "acl_replication_token", "agent_recovery"]  # fmt: skip
# What says how an instance is, with the status of the answer.
_HEALTH = frozenset({429, 503})


class AsyncAgent(AsyncGroup):
    """The agent itself: its pools, its life, its log."""

    __slots__ = ("checks", "services")

    checks: AsyncAgentChecks
    services: AsyncAgentServices

    def __init__(self, caller: Any) -> None:
        super().__init__(caller)
        self.services = AsyncAgentServices(caller)
        self.checks = AsyncAgentChecks(caller)

    async def self(self, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """What it is and how it is configured."""
        return await self._call.read("/v1/agent/self", dict[str, Any], options)

    async def version(self, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """Which release it is compatible with (1.11)."""
        return await self._call.read("/v1/agent/version", dict[str, Any], options)

    async def host(self, **options: Unpack[ReadOptions]) -> AgentHost:
        """What machine it runs on."""
        return await self._call.read("/v1/agent/host", AgentHost, options)

    async def metrics(self, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """What it has measured in the last interval."""
        return await self._call.read("/v1/agent/metrics", dict[str, Any], options)

    async def certificates(self, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """When the agent's certificates expire (2.0)."""
        return await self._call.read("/v1/agent/metrics/certificates", dict[str, Any], options)

    async def prometheus_metrics(self, **options: Unpack[ReadOptions]) -> str:
        """The same as Prometheus reads it, where the agent keeps it."""
        data = await self._call.read_bytes("/v1/agent/metrics", options, given(format="prometheus"))
        return (data or b"").decode("utf-8", "replace")

    async def members(self, *, wan: bool = False, **options: Unpack[ReadOptions]) -> list[Member]:
        """The gossip pool of the datacenter, or the one of servers of all datacenters, as it sees it."""
        return await self._call.read("/v1/agent/members", list[Member], options, given(wan="1" if wan else None))

    async def member_why(self, name: str, *, wan: bool = False, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """What led to a member's status. proconsul's alone; raises NotFound for who is not known."""
        query = given(wan="1" if wan else None, why=name)
        return await self._call.read("/v1/agent/members", dict[str, Any], options, query)

    async def join(self, address: str, *, wan: bool = False, **options: Unpack[WriteOptions]) -> None:
        """Join the pool of the agent at ``address``."""
        path = path_of("/v1/agent/join/", address)
        await self._call.write("PUT", path, options, given(wan="1" if wan else None), repeatable=True)

    async def leave(self, **options: Unpack[WriteOptions]) -> None:
        """Leave the pools and end."""
        await self._call.write("PUT", "/v1/agent/leave", options)

    async def force_leave(self, node: str, *, prune: bool = False, **options: Unpack[WriteOptions]) -> None:
        """Have a failed member count as left; ``prune``: as never having been there."""
        path = path_of("/v1/agent/force-leave/", node)
        await self._call.write("PUT", path, options, given(prune=prune), repeatable=True)

    async def reload(self, **options: Unpack[WriteOptions]) -> None:
        """Read the configuration again."""
        await self._call.write("PUT", "/v1/agent/reload", options, repeatable=True)

    async def maintenance(self, enable: bool, *, reason: str = "", **options: Unpack[WriteOptions]) -> None:
        """Have the node, with all its services, not be used; or be used again."""
        query = given(enable=str(enable).lower(), reason=reason or None)
        await self._call.write("PUT", "/v1/agent/maintenance", options, query, repeatable=True)

    async def set_token(self, kind: TokenKind, token: str, /, **options: Unpack[WriteOptions]) -> None:
        """Give the agent one of its own tokens."""
        path = path_of("/v1/agent/token/", kind)
        await self._call.write("PUT", path, options, body={"Token": token}, repeatable=True)

    async def sync(self, **options: Unpack[ReadOptions]) -> dict[str, Any]:
        """How far the catalog has what is registered here. proconsul's alone."""
        return await self._call.read("/v1/agent/sync", dict[str, Any], options)

    async def sync_now(self, **options: Unpack[WriteOptions]) -> dict[str, Any]:
        """Compare with the catalog, send what differs, and say the same. proconsul's alone."""
        return await self._call.written("PUT", "/v1/agent/sync", dict[str, Any], options, repeatable=True)

    async def plugins(self, **options: Unpack[ReadOptions]) -> list[dict[str, Any]]:
        """Which plug-ins are installed, and what is wrong with those that do not run. proconsul's alone."""
        return await self._call.read("/v1/agent/plugins", list[dict[str, Any]], options)

    async def connect_roots(self, **options: Unpack[ReadOptions]) -> RootCertificates:
        """The mesh's roots, as the agent has them. Not served by proconsul yet."""
        return await self._call.read("/v1/agent/connect/ca/roots", RootCertificates, options)

    async def connect_leaf(self, service: str, **options: Unpack[ReadOptions]) -> LeafCertificate:
        """A certificate for a service. Not served by proconsul yet."""
        path = path_of("/v1/agent/connect/ca/leaf/", service)
        return await self._call.read(path, LeafCertificate, options)

    async def connect_authorize(
        self, target: str, client_uri: str, client_serial: str, **options: Unpack[ReadOptions]
    ) -> tuple[bool, str]:  # fmt: skip
        """Whether who has a certificate may connect to a service, and why. Not served by proconsul yet."""
        body = {"Target": target, "ClientCertURI": client_uri, "ClientCertSerial": client_serial}
        found = await self._call.read(
            "/v1/agent/connect/authorize", dict[str, Any], options, method="POST", body=body
        )  # fmt: skip
        return bool(found.get("Authorized")), str(found.get("Reason", ""))

    async def monitor(
        self, *, loglevel: str = "info", json: bool = False, token: str | None = None
    ) -> AsyncIterator[str]:  # fmt: skip
        """The agent's log, line by line, until the caller has seen enough."""
        stream = await self._call.stream(
            Call("GET", "/v1/agent/monitor", given(loglevel=loglevel, logjson=json), token=token)
        )
        left = b""
        async for piece in stream.pieces():
            *lines, left = (left + piece).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")


class AsyncAgentServices(AsyncGroup):
    """Services of this agent, which keeps the catalog as it has them. `client.registration` keeps the agent so."""

    __slots__ = ()

    async def list(self, **options: Unpack[ReadOptions]) -> dict[str, NodeService]:
        """Its services by id."""
        return await self._call.read("/v1/agent/services", dict[str, NodeService], options)

    async def get(self, service_id: str, **options: Unpack[ReadOptions]) -> NodeService | None:
        """One of them, None when there is none of that id."""
        return await self._call.find(path_of("/v1/agent/service/", service_id), NodeService, options)

    async def register(
        self, name: str, *, id: str = "", address: str = "", port: int | None = None, tags: Sequence[str] = (),
        meta: Mapping[str, str] | None = None, check: CheckType | Mapping[str, Any] | None = None,
        checks: Sequence[CheckType | Mapping[str, Any]] = (), weights: tuple[int, int] | None = None,
        tagged_addresses: Mapping[str, tuple[str, int]] | None = None, enable_tag_override: bool = False,
        replace_existing_checks: bool = False, extra: Mapping[str, Any] = {}, **options: Unpack[WriteOptions],
    ) -> None:  # fmt: skip
        """Register an instance, or change the one of the same id (by default the name).

        Without ``address`` it has that of the node. ``weights``: while passing and while warning. ``extra``: further
        fields of the definition, as ``Kind``, ``Proxy`` or ``Connect``.
        """
        body: dict[str, Any] = {"Name": name, **plain(extra)}
        several = [one for one in (check, *checks) if one is not None]
        addresses = {key: {"Address": host, "Port": at} for key, (host, at) in (tagged_addresses or {}).items()}
        for field, value in (
            ("ID", id), ("Address", address), ("Port", port), ("Tags", list(tags)), ("Meta", dict(meta or {})),
            ("Checks", several), ("TaggedAddresses", addresses), ("EnableTagOverride", enable_tag_override),
            ("Weights", {"Passing": weights[0], "Warning": weights[1]} if weights else None),
        ):  # fmt: skip
            if value:
                body[field] = value
        query = given(replace_existing_checks="true" if replace_existing_checks else None)
        await self._call.write("PUT", "/v1/agent/service/register", options, query, body=body, repeatable=True)

    async def deregister(self, service_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove an instance with its checks. Raises NotFound when there is none of that id."""
        await self._call.write("PUT", path_of("/v1/agent/service/deregister/", service_id), options)

    async def maintenance(
        self, service_id: str, enable: bool, *, reason: str = "", **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Have an instance not be used; or be used again."""
        path = path_of("/v1/agent/service/maintenance/", service_id)
        query = given(enable=str(enable).lower(), reason=reason or None)
        await self._call.write("PUT", path, options, query, repeatable=True)

    async def health(self, service_id: str, **options: Unpack[ReadOptions]) -> ServiceHealth | None:
        """How an instance is, None when there is none of that id."""
        return await self._health(path_of("/v1/agent/health/service/id/", service_id), ServiceHealth, options)

    async def health_of_name(self, name: str, **options: Unpack[ReadOptions]) -> Many[ServiceHealth]:
        """How the instances of a name are; none when there are none."""
        path = path_of("/v1/agent/health/service/name/", name)
        return await self._health(path, list[ServiceHealth], options) or []

    async def _health(self, path: str, kind: type[T], options: ReadOptions) -> T | None:
        """The status of the answer says how it is; its body says so too."""
        pairs, header = read_query(options, {})
        call = Call("GET", path, pairs, b"", header, options.get("token"), False, options.get("timeout"))
        answer = await self._call.perform(call, absent=True, accept=_HEALTH)
        return None if answer.status == 404 else decode(answer.body, kind)


class AsyncAgentChecks(AsyncGroup):
    """Checks of this agent."""

    __slots__ = ()

    async def list(self, **options: Unpack[ReadOptions]) -> dict[str, HealthCheck]:
        """Its checks by id."""
        return await self._call.read("/v1/agent/checks", dict[str, HealthCheck], options)

    async def register(
        self, check: CheckType | Mapping[str, Any], *, name: str = "", id: str = "", service_id: str = "",
        notes: str = "", **options: Unpack[WriteOptions],
    ) -> None:  # fmt: skip
        """Register a check of the node, or of one of its services."""
        body = dict(plain(check))
        given_id = id or body.pop("CheckID", "")
        for field, value in (("Name", name), ("ID", given_id), ("ServiceID", service_id), ("Notes", notes)):
            if value:
                body[field] = value
        body.setdefault("Name", given_id)
        await self._call.write("PUT", "/v1/agent/check/register", options, body=body, repeatable=True)

    async def deregister(self, check_id: str, **options: Unpack[WriteOptions]) -> None:
        """Remove a check. Raises NotFound when there is none of that id."""
        await self._call.write("PUT", path_of("/v1/agent/check/deregister/", check_id), options)

    async def passing(self, check_id: str, note: str = "", **options: Unpack[WriteOptions]) -> None:
        """Report that a TTL check is well. Raises NotFound when there is none of that id."""
        await self._report(f"pass/{path_of('', check_id)}", note, options)

    async def warning(self, check_id: str, note: str = "", **options: Unpack[WriteOptions]) -> None:
        """Report that it is so so."""
        await self._report(f"warn/{path_of('', check_id)}", note, options)

    async def critical(self, check_id: str, note: str = "", **options: Unpack[WriteOptions]) -> None:
        """Report that it is not well."""
        await self._report(f"fail/{path_of('', check_id)}", note, options)

    async def update(
        self, check_id: str, status: CheckStatus, output: str = "", **options: Unpack[WriteOptions]
    ) -> None:  # fmt: skip
        """Report how it is, with more to say than fits into a URL."""
        path = path_of("/v1/agent/check/update/", check_id)
        body = {"Status": status, "Output": output}
        await self._call.write("PUT", path, options, body=body, repeatable=True)

    async def _report(self, path: str, note: str, options: WriteOptions) -> None:
        query = given(note=note or None)
        await self._call.write("PUT", f"/v1/agent/check/{path}", options, query, repeatable=True)
