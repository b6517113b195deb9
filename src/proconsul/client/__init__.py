"""The typed client: `Client` for threads, `AsyncClient` for asyncio, both with the same calls (docs/client.md).

Names are loaded when they are used: the command line needs other parts of this package, and none of these.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proconsul.client.aio.client import AsyncClient
    from proconsul.client.aio.election import AsyncElection
    from proconsul.client.aio.kv import AsyncMapping
    from proconsul.client.aio.live_settings import AsyncLiveSettings
    from proconsul.client.aio.locks import AsyncHeld, AsyncLock, AsyncSemaphore
    from proconsul.client.aio.over_httpx import AsyncHttpxTransport
    from proconsul.client.aio.registration import AsyncRegistration
    from proconsul.client.aio.resolver import AsyncResolver
    from proconsul.client.aio.transaction import AsyncTransaction
    from proconsul.client.aio.watch import AsyncChanges, AsyncWatch
    from proconsul.client.asking import Meta, Result
    from proconsul.client.blocking.client import Client
    from proconsul.client.blocking.election import Election
    from proconsul.client.blocking.kv import Mapping
    from proconsul.client.blocking.live_settings import LiveSettings
    from proconsul.client.blocking.locks import Held, Lock, Semaphore
    from proconsul.client.blocking.over_httpx import HttpxTransport
    from proconsul.client.blocking.registration import Registration
    from proconsul.client.blocking.resolver import Resolver
    from proconsul.client.blocking.transaction import Transaction
    from proconsul.client.blocking.watch import Changes, Watch
    from proconsul.client.checks import alias_check, grpc_check, http_check, script_check, tcp_check, ttl_check
    from proconsul.client.choosing import Instance, Strategy
    from proconsul.client.codecs import BYTES, JSON, TEXT, Codec, json_of
    from proconsul.client.errors import (
        AccessControlDisabled,
        BadAnswer,
        BadRequest,
        CallTimeout,
        ConflictError,
        ConsulError,
        LockLost,
        NotFound,
        PermissionDenied,
        RateLimited,
        Redirected,
        ResponseError,
        ServerError,
        TokenNotFound,
        TooLarge,
        TransactionFailed,
        Unavailable,
    )
    from proconsul.client.leases import FencingToken
    from proconsul.client.options import Consistency, ReadOptions, WriteOptions
    from proconsul.client.retry import RetryPolicy
    from proconsul.client.setting_values import Setting, SettingsSnapshot
    from proconsul.client.settings import ClientConfig, SettingsError
    from proconsul.client.types import (
        AuthMethod,
        AutopilotHealth,
        AutopilotState,
        BindingRule,
        KeyringAnswer,
        Link,
        Member,
        NodeIdentity,
        Policy,
        QueryAnswer,
        Role,
        ServiceHealth,
        ServiceIdentity,
        ServiceIntention,
        Token,
        UserEvent,
    )
    from proconsul.client.watching import Added, Change, Changed, Position, Removed
    from proconsul.client.wire import Answer
    from proconsul.features.catalog.definition import CheckType
    from proconsul.features.catalog.model import (
        CheckServiceNode,
        HealthCheck,
        HealthCheckDefinition,
        Node,
        NodeService,
        NodeServiceList,
        NodeServices,
        ServiceNode,
        Weights,
    )
    from proconsul.features.coordinate.model import Coord, Coordinate, DatacenterMap
    from proconsul.features.kv.model import DirEntry
    from proconsul.features.operator.model import (
        AutopilotConfig,
        RaftConfigurationResponse,
        RaftServer,
        ServiceUsage,
        UsageReply,
    )
    from proconsul.features.query.model import PreparedQuery, ServiceQuery
    from proconsul.features.session.model import Session
    from proconsul.features.txn.model import TxnResult

__all__ = [
    "BYTES",
    "JSON",
    "TEXT",
    "AccessControlDisabled",
    "Added",
    "Answer",
    "AsyncChanges",
    "AsyncClient",
    "AsyncElection",
    "AsyncHeld",
    "AsyncHttpxTransport",
    "AsyncLiveSettings",
    "AsyncLock",
    "AsyncMapping",
    "AsyncRegistration",
    "AsyncResolver",
    "AsyncSemaphore",
    "AsyncTransaction",
    "AsyncWatch",
    "AuthMethod",
    "AutopilotConfig",
    "AutopilotHealth",
    "AutopilotState",
    "BadAnswer",
    "BadRequest",
    "BindingRule",
    "CallTimeout",
    "Change",
    "Changed",
    "Changes",
    "CheckServiceNode",
    "CheckType",
    "Client",
    "ClientConfig",
    "Codec",
    "ConflictError",
    "Consistency",
    "ConsulError",
    "Coord",
    "Coordinate",
    "DatacenterMap",
    "DirEntry",
    "Election",
    "FencingToken",
    "HealthCheck",
    "HealthCheckDefinition",
    "Held",
    "HttpxTransport",
    "Instance",
    "KeyringAnswer",
    "Link",
    "LiveSettings",
    "Lock",
    "LockLost",
    "Mapping",
    "Member",
    "Meta",
    "Node",
    "NodeIdentity",
    "NodeService",
    "NodeServiceList",
    "NodeServices",
    "NotFound",
    "PermissionDenied",
    "Policy",
    "Position",
    "PreparedQuery",
    "QueryAnswer",
    "RaftConfigurationResponse",
    "RaftServer",
    "RateLimited",
    "ReadOptions",
    "Redirected",
    "Registration",
    "Removed",
    "Resolver",
    "ResponseError",
    "Result",
    "RetryPolicy",
    "Role",
    "Semaphore",
    "ServerError",
    "ServiceHealth",
    "ServiceIdentity",
    "ServiceIntention",
    "ServiceNode",
    "ServiceQuery",
    "ServiceUsage",
    "Session",
    "Setting",
    "SettingsError",
    "SettingsSnapshot",
    "Strategy",
    "Token",
    "TokenNotFound",
    "TooLarge",
    "Transaction",
    "TransactionFailed",
    "TxnResult",
    "Unavailable",
    "UsageReply",
    "UserEvent",
    "Watch",
    "Weights",
    "WriteOptions",
    "alias_check",
    "grpc_check",
    "http_check",
    "json_of",
    "script_check",
    "tcp_check",
    "ttl_check",
]  # fmt: skip

_HOMES = {
    "client.aio.client": ("AsyncClient",),
    "client.aio.election": ("AsyncElection",),
    "client.aio.kv": ("AsyncMapping",),
    "client.aio.live_settings": ("AsyncLiveSettings",),
    "client.aio.locks": ("AsyncHeld", "AsyncLock", "AsyncSemaphore",),
    "client.aio.over_httpx": ("AsyncHttpxTransport",),
    "client.aio.registration": ("AsyncRegistration",),
    "client.aio.resolver": ("AsyncResolver",),
    "client.aio.transaction": ("AsyncTransaction",),
    "client.aio.watch": ("AsyncChanges", "AsyncWatch",),
    "client.asking": ("Meta", "Result",),
    "client.blocking.client": ("Client",),
    "client.blocking.election": ("Election",),
    "client.blocking.kv": ("Mapping",),
    "client.blocking.live_settings": ("LiveSettings",),
    "client.blocking.locks": ("Held", "Lock", "Semaphore",),
    "client.blocking.over_httpx": ("HttpxTransport",),
    "client.blocking.registration": ("Registration",),
    "client.blocking.resolver": ("Resolver",),
    "client.blocking.transaction": ("Transaction",),
    "client.blocking.watch": ("Changes", "Watch",),
    "client.checks": ("alias_check", "grpc_check", "http_check", "script_check", "tcp_check", "ttl_check",),
    "client.choosing": ("Instance", "Strategy",),
    "client.codecs": ("BYTES", "Codec", "JSON", "TEXT", "json_of",),
    "client.errors": (
        "AccessControlDisabled", "BadAnswer", "BadRequest", "CallTimeout", "ConflictError", "ConsulError", "LockLost",
        "NotFound", "PermissionDenied", "RateLimited", "Redirected", "ResponseError", "ServerError", "TokenNotFound",
        "TooLarge", "TransactionFailed", "Unavailable",
    ),
    "client.leases": ("FencingToken",),
    "client.options": ("Consistency", "ReadOptions", "WriteOptions",),
    "client.retry": ("RetryPolicy",),
    "client.setting_values": ("Setting", "SettingsSnapshot",),
    "client.settings": ("ClientConfig", "SettingsError",),
    "client.types": (
        "AuthMethod", "AutopilotHealth", "AutopilotState", "BindingRule", "KeyringAnswer", "Link", "Member",
        "NodeIdentity", "Policy", "QueryAnswer", "Role", "ServiceHealth", "ServiceIdentity", "ServiceIntention",
        "Token", "UserEvent",
    ),
    "client.watching": ("Added", "Change", "Changed", "Position", "Removed",),
    "client.wire": ("Answer",),
    "features.catalog.definition": ("CheckType",),
    "features.catalog.model": (
        "CheckServiceNode", "HealthCheck", "HealthCheckDefinition", "Node", "NodeService", "NodeServiceList",
        "NodeServices", "ServiceNode", "Weights",
    ),
    "features.coordinate.model": ("Coord", "Coordinate", "DatacenterMap",),
    "features.kv.model": ("DirEntry",),
    "features.operator.model": (
        "AutopilotConfig", "RaftConfigurationResponse", "RaftServer", "ServiceUsage", "UsageReply",
    ),
    "features.query.model": ("PreparedQuery", "ServiceQuery",),
    "features.session.model": ("Session",),
    "features.txn.model": ("TxnResult",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"proconsul.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
